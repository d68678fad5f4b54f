"""Which shards a run read and made is told by what its steps answered."""

from assay.artifacts import Artifact, Dataset, Redacted, Validated
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
