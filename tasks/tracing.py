"""Tracing: which artefacts of the store a run read and made, from its record and the answers that are on file."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.artifacts import Artifact, Dataset, Redacted, Reference, Seeded, Validated
from assay.privacy.replacement import redaction
from assay.privacy.replacement.drafts import Mark
from tasks import runs
from tasks.caching import answer_to
from tasks.places import folder, store

WITHOUT_RECORDS = frozenset({"benchmark", "harness", "schema", "suite"})
"""Kinds of artefacts that come with a recipe, as somebody wrote them, and that no step made."""

RAW = ("ingest", "validate-raw")
"""Places in the path whose answers are raw records."""

Asked = tuple[str, dict[str, Any], Reference | None]
"""A question: its place in the path, itself, and its answer if that is on file."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What of the store concerns a run."""

    raw: tuple[Artifact, ...]
    """Its raw shards."""

    raw_of_all: frozenset[str]
    """Digests of the raw shards of every run that is on file, but for those that a redaction made."""

    unanswered: int
    """Steps that read raw records and whose answer is gone, if the run's own record does not name its raw shards."""

    redacted: tuple[Artifact, ...]
    """Its redacted shards."""

    audits: Mapping[str, tuple[Artifact, ...]]
    """Digest of a raw shard → audits of its redaction."""

    kept: frozenset[str]
    """Types that the policy lets stand."""

    surrogates: frozenset[str]
    """Types of which another value is put in place."""

    kinds: Mapping[str, str]
    """Digest → kind of artefact."""

    without_records: frozenset[str]
    """Digests of files that were there before any record was read, and that no step made from records: of the base
    model, and of what came with the recipe (benchmark, schema, suites)."""

    dropped: tuple[Artifact, ...] = ()
    """Lists of the records that the raw doorway or redaction itself let go."""

    seeded: tuple[Seeded, ...] = ()
    """Redacted records into which invented values were put, of every run on file."""

    of_seeded: frozenset[str] = frozenset()
    """Digests of those, and of what redaction made of them. What redaction missed in the data may stand there too."""

    def marks(self, shard: Artifact) -> dict[str, list[Mark]]:
        """What was masked in a raw shard, by id of the record."""
        found: defaultdict[str, list[Mark]] = defaultdict(list)
        for audit in self.audits.get(shard.digest, ()):
            for row in redaction.audit_from_parquet(store().get(audit)):
                found[row.id] += row.marks
        return found


def lineage(answers: Iterable[tuple[str, object]]) -> dict[str, list[str]]:
    """Digests of a run's raw and redacted shards, from what its steps answered, in order: kept in its record."""
    raw: list[str] = []
    redacted: list[str] = []
    for name, answer in answers:
        if name == "ingest" and isinstance(answer, Dataset):
            raw += [shard.digest for shard in answer.shards]
        elif name == "validate-raw" and isinstance(answer, Validated):
            raw += [shard.digest for shard in answer.records.shards]
        elif name == "gather" and isinstance(answer, Redacted) and not redacted:  # Seeded records come later.
            redacted = [shard.digest for shard in answer.records.shards]
    return {"raw": sorted(set(raw)), "redacted": redacted}


def trace(record: Mapping[str, Any]) -> Lineage:
    """The lineage of a run. One whose record does not name its raw shards is taken to have used all on file."""
    answers = list(_answers())
    every = {digest for step, _, answer in answers for digest in lineage([(step, answer)])["raw"]}
    every |= {digest for each in runs.every() for digest in each.get("raw") or ()}
    own = sorted(record.get("raw") or every)
    redacted = _redactions(answers, set(own), set(record.get("redacted") or ()))
    actions = [_actions(inputs) for inputs, _ in redacted]
    kept = [{kind for kind, action in each.items() if action == "keep"} for each in actions]
    audits: defaultdict[str, list[Artifact]] = defaultdict(list)
    for inputs, answer in redacted:
        audits[inputs["shard"]["digest"]].append(answer.audit)
    kinds = {
        each["digest"]: each["kind"]
        for _, asked, answer in answers
        for each in _referred([asked, answer.model_dump() if answer else None])
    }
    seeded = tuple(answer for _, _, answer in answers if isinstance(answer, Seeded))
    return Lineage(
        raw=tuple(Artifact(kind="records", digest=digest) for digest in own),
        raw_of_all=frozenset(every - _made(answers)),
        unanswered=0 if record.get("raw") else sum(step in RAW and answer is None for step, _, answer in answers),
        redacted=tuple(shard for _, answer in redacted for shard in answer.records.shards),
        audits={shard: tuple(found) for shard, found in audits.items()},
        kept=frozenset(set.intersection(*kept)) if kept else frozenset(),
        surrogates=frozenset(kind for each in actions for kind, action in each.items() if action == "surrogate"),
        kinds=kinds,
        without_records=frozenset(_without_records(answers, kinds)),
        dropped=(*(answer.dropped for _, answer in redacted), *_quarantined(answers, set(own))),
        seeded=seeded,
        of_seeded=frozenset(_of_seeded(answers, seeded)),
    )


def _redactions(
    answers: Iterable[Asked], own: Collection[str], made: Collection[str]
) -> list[tuple[dict[str, Any], Redacted]]:
    """What redaction was asked of a run's raw shards, and what it answered; ``made`` are the shards that it kept."""
    return [
        (asked["inputs"], answer)
        for step, asked, answer in answers
        if step == "redact" and isinstance(answer, Redacted) and asked["inputs"]["shard"]["digest"] in own
        if not made or all(shard.digest in made for shard in answer.records.shards)
    ]


def _made(answers: Iterable[Asked]) -> set[str]:
    """What redactions made. It may be a raw shard to the byte, if nothing was masked in it, and is no raw one then."""
    found = (answer for step, _, answer in answers if step == "redact" and isinstance(answer, Redacted))
    return {shard.digest for answer in found for shard in answer.records.shards}


def _quarantined(answers: Iterable[Asked], own: Collection[str]) -> Iterator[Artifact]:
    """Lists of the records that the raw doorway let go, where it was asked of nothing but these shards."""
    for step, asked, answer in answers:
        if step == "validate-raw" and isinstance(answer, Validated):
            given = {each["digest"] for each in _referred(asked["inputs"]) if each["kind"] == "records"}
            if given and given <= set(own):
                yield answer.quarantined


def _of_seeded(answers: Iterable[Asked], seeded: Iterable[Seeded]) -> Iterator[str]:
    made = {each["digest"] for answer in seeded for each in _referred(answer.model_dump())}
    yield from made
    for step, asked, answer in answers:
        if step == "redact" and isinstance(answer, Redacted) and asked["inputs"]["shard"]["digest"] in made:
            yield from (shard.digest for shard in answer.records.shards)


def _actions(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Type → what a policy puts in place; nothing of a policy that was written before there were actions."""
    found: dict[str, str] = inputs["policy"].get("policy", {})
    return found


def _answers() -> Iterator[Asked]:
    """Every question that was asked in this deployment: its place in the path, itself, and its answer if on file."""
    for path in sorted(folder("questions").glob("*/*.json")):
        yield path.parent.name, json.loads(path.read_text()), answer_to(path.stem)


def _without_records(answers: Iterable[Asked], kinds: Mapping[str, str]) -> Iterator[str]:
    yield from (digest for digest, kind in kinds.items() if kind in WITHOUT_RECORDS)
    for step, _, answer in answers:
        if step == "prepare_base" and isinstance(answer, Artifact):
            yield answer.digest
            yield from (entry["sha256"] for entry in store().files(answer).values())


def _referred(value: object) -> Iterator[dict[str, Any]]:
    """References to artefacts within plain values."""
    if isinstance(value, dict):
        if {"kind", "digest"} <= value.keys():
            yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _referred(item)
