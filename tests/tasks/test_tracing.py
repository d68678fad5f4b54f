"""Which shards a run read and made is told by what its steps answered."""

import hashlib
import json

from assay.artifacts import Artifact, Dataset, Redacted, Seeded, Validated
from tasks import runs
from tasks.places import folder
from tasks.tracing import lineage, trace


def dataset(*digests: str) -> Dataset:
    """Shards by their digests."""
    return Dataset(shards=tuple(Artifact(kind="records", digest=digest) for digest in digests))


def redacted(*digests: str) -> Redacted:
    """Redacted shards, with whatever else stands beside them."""
    some = Artifact(kind="audit", digest="a")
    others = {name: some for name in Redacted.model_fields if name != "records"}
    return Redacted(records=dataset(*digests), **others)


def test_a_record_names_raw_and_redacted_shards_and_not_the_seeded_ones():
    """Seeded records go through the same step after the data's own."""
    some = Artifact(kind="dropped", digest="d")
    answers = [
        ("ingest", dataset("r1", "r2")),
        ("validate-raw", Validated(records=dataset("r1", "r3"), quarantined=some, outcome=some)),
        ("gather", redacted("c1", "c2")),
        ("gather", redacted("seeded")),
        ("validate-redacted", Validated(records=dataset("c1"), quarantined=some, outcome=some)),
    ]

    assert lineage(answers) == {"raw": ["r1", "r2", "r3"], "redacted": ["c1", "c2"]}


def test_a_run_that_failed_before_it_read_anything_has_none():
    """Nothing was masked, so nothing is looked for."""
    assert lineage([]) == {"raw": [], "redacted": []}


def test_an_empty_deployment_can_be_traced(home):
    """No question was asked yet."""
    traced = trace({"run": "r", "raw": ["abc"]})

    assert [shard.digest for shard in traced.raw] == ["abc"]
    assert not traced.audits
    assert traced.marks(traced.raw[0]) == {}


def test_seeded_records_are_made_of_records_and_told_as_such(store):
    """What redaction missed in the data may stand in them, so they are not without records."""
    shard = store.put("records", b"seeded")
    seeded = Seeded(records=Dataset(shards=(shard,)), values=store.put("seeded-values", b"[]"))
    some = store.put("audit", b"{}")
    others = {name: some for name in Redacted.model_fields if name != "records"}
    masked = store.put("records", b"masked")
    filed("seed", {}, seeded)
    filed("redact", {"shard": shard.model_dump(), "policy": {}}, Redacted(records=Dataset(shards=(masked,)), **others))

    traced = trace({"run": "r", "raw": ["abc"]})

    assert traced.of_seeded == {shard.digest, seeded.values.digest, masked.digest}
    assert not traced.of_seeded & traced.without_records
    assert not traced.of_seeded & traced.raw_of_all


def test_raw_shards_of_all_runs_are_known_from_their_records_and_answers(store):
    """An answer may be gone; a shard that redaction gave back unchanged is no raw one."""
    left, same = store.put("records", b"left"), store.put("records", b"same")
    some = store.put("audit", b"{}")
    others = {name: some for name in Redacted.model_fields if name != "records"}
    filed("ingest", {}, Dataset(shards=(left, same)))
    filed("redact", {"shard": same.model_dump(), "policy": {}}, Redacted(records=Dataset(shards=(same,)), **others))
    runs.file({"run": "other", "started": "2026-01-01", "raw": ["gone"]})

    traced = trace({"run": "r", "raw": [same.digest]})

    assert traced.raw_of_all == {left.digest, "gone"}
    assert [shard.digest for shard in traced.raw] == [same.digest]


def test_answers_that_are_gone_are_counted_where_nothing_else_names_the_raw_shards(store):
    """Of a run whose record names them, nothing is missing."""
    shard = store.put("records", b"raw")
    filed("ingest", {}, Dataset(shards=(shard,)))
    (folder("questions") / "validate-raw").mkdir()
    (folder("questions") / "validate-raw" / ("f" * 64 + ".json")).write_text('{"inputs": {}}')

    assert trace({"run": "r"}).unanswered == 1
    assert trace({"run": "r", "raw": [shard.digest]}).unanswered == 0


def filed(step: str, inputs: dict, answer: Dataset | Redacted | Seeded) -> None:
    """A question, and its answer as Prefect keeps it."""
    key = hashlib.sha256(step.encode()).hexdigest()
    (folder("questions") / step).mkdir()
    (folder("questions") / step / f"{key}.json").write_text(json.dumps({"step": step, "inputs": inputs}))
    result = {"metadata": {"serializer": {"type": "reference"}}, "result": answer.model_dump_json()}
    (folder("results") / key).write_text(json.dumps(result))
