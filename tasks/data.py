"""Data steps: from sources to three sides, one shard in memory at a time."""

import functools
import json
from collections.abc import Iterable, Iterator

from assay.artifacts import Artifact, Dataset, Redacted, Screened, Splits, Validated
from assay.data import contamination, deduplication, sources, splitting
from assay.privacy import (
    detection,
    drafts,
    personal_cues,
    personal_labels,
    personal_names,
    personal_rules,
    personal_spans,
    redaction,
)
from assay.records import (
    SIDES,
    Dropped,
    Record,
    Side,
    dropped_from_parquet,
    dropped_to_parquet,
    from_parquet,
    to_parquet,
)
from assay.spec import CurationSpec, RedactionSpec, SourceSpec, SplitSpec
from expectations import customs, distinct, engine, gate, outcome, page, personal, suite
from tasks.places import place_page, store, subject_key
from tasks.pool import in_process, release
from tasks.steps import step

REDACTION = (
    redaction,
    drafts,
    detection,
    personal_cues,
    personal_labels,
    personal_names,
    personal_rules,
    personal_spans,
)
"""Methods that decide what is masked."""


@step(sources)
def ingest(given: tuple[SourceSpec, ...], pseudonyms: str) -> Dataset:
    """File the sources' rows as raw records; ``pseudonyms`` is the fingerprint of the subject key."""
    del pseudonyms  # It names the key in ours; the key itself must not be an argument.
    key = subject_key()
    rows = (record for source in given for record in sources.read(source, key))
    read = Dataset(shards=tuple(_file(part) for part in sources.shards(rows, sources.SHARD_ROWS)))
    for source in given:
        sources.refuse_changed(source)
    return read


@step(suite, gate, engine, distinct, customs, personal, libraries=("great-expectations", "py3langid", "jsonschema"))
def validate(records: Dataset, doorway: str, expected: Artifact, schema: Artifact) -> Validated:
    """Run a suite over the records; what fails is set aside by id and check."""
    loaded = suite.load(store().get(expected), doorway)
    frames = (gate.frame(shard) for shard in _shards(records))
    found = gate.check(frames, loaded, {"output": json.loads(store().get(schema))})
    shown = page.page(found).encode()
    outcome.refuse_stopped(found, str(place_page(f"expectations-{doorway}", shown)))
    aside = {id: ", ".join(checks) for id, checks in found.quarantined.items()}
    dropped = [Dropped(id, f"validate-{doorway}", f"fails {checks}") for id, checks in aside.items()]
    return Validated(
        records=_filtered(records, aside),
        quarantined=store().put("dropped", dropped_to_parquet(dropped)),
        outcome=store().put("expectations-outcome", outcome.to_json(found)),
        page=store().put("expectations-page", shown),
    )


@step(*REDACTION, libraries=("presidio-analyzer", "onnxruntime", "tokenizers"), timeout_seconds=None)
def redact(shard: Artifact, policy: RedactionSpec) -> Redacted:
    """Replace personal data in one shard."""
    return in_process(_redact, shard, policy)


@step(redaction, drafts)
def gather(parts: list[Redacted]) -> Redacted:
    """Put redacted shards together again, in order."""
    release()
    return Redacted(
        records=Dataset(shards=tuple(shard for part in parts for shard in part.records.shards)),
        dropped=_merged([part.dropped for part in parts]),
        audit=store().put("audit", redaction.audit_to_parquet([row for part in parts for row in _audit(part)])),
    )


@step(deduplication)
def deduplicate(records: Dataset) -> Screened:
    """Part exact duplicates from the records they repeat."""
    return _screened(deduplication.screen(_shards(records)))


@step(contamination, splitting)
def decontaminate(records: Dataset, benchmark: Artifact, curation: CurationSpec, split: SplitSpec) -> Screened:
    """Part records that quote an evaluation text from those that do not."""
    asked = {r.id: splitting.side(r, split) == "test" for shard in _shards(records) for r in shard}
    texts = {
        record.id: contamination.said(record) for shard in _shards(records) for record in shard if asked[record.id]
    }
    texts |= contamination.benchmark_texts(store().get(benchmark))
    index = contamination.Index(texts, curation.contamination_words)
    return _screened(contamination.screen(_shards(records), index, asked, curation))


@step(splitting)
def split(records: Dataset, spec: SplitSpec) -> Splits:
    """Partition records into train, validation and test, each subject on one side."""
    parts: dict[str, list[Artifact]] = {side: [] for side in SIDES}
    counts = dict.fromkeys(SIDES, 0)
    homes: dict[str, Side] = {}
    for shard in _shards(records):
        splitting.refuse_torn(shard, spec, homes)
        for side, rows in splitting.split(shard, spec).items():
            counts[side] += len(rows)
            if rows:
                parts[side].append(_file(rows))
    splitting.refuse_empty(counts)
    return Splits(**{side: Dataset(shards=tuple(shards)) for side, shards in parts.items()})


def _redact(shard: Artifact, policy: RedactionSpec) -> Redacted:
    records, dropped, audits = redaction.redact(_read(shard), policy, _detector(policy).find)
    return Redacted(
        records=Dataset(shards=(_file(records),) if records else ()),
        dropped=store().put("dropped", dropped_to_parquet(dropped)),
        audit=store().put("audit", redaction.audit_to_parquet(audits)),
    )


@functools.cache
def _detector(policy: RedactionSpec) -> detection.Detector:
    """One for each process of the pool: loading the tagger takes longer than a shard."""
    return detection.Detector(policy)


def _audit(part: Redacted) -> list[redaction.Audited]:
    return redaction.audit_from_parquet(store().get(part.audit))


def _screened(parts: Iterable[tuple[list[Record], list[Dropped]]]) -> Screened:
    kept: list[Artifact] = []
    gone: list[Dropped] = []
    for stays, dropped in parts:
        gone += dropped
        if stays:
            kept.append(_file(stays))
    return Screened(kept=Dataset(shards=tuple(kept)), dropped=store().put("dropped", dropped_to_parquet(gone)))


def _filtered(records: Dataset, aside: dict[str, str]) -> Dataset:
    shards: list[Artifact] = []
    for shard in records.shards:
        rows = _read(shard)
        kept = [row for row in rows if row.id not in aside]
        if kept:
            shards.append(shard if len(kept) == len(rows) else _file(kept))
    return Dataset(shards=tuple(shards))


def _merged(parts: list[Artifact]) -> Artifact:
    rows = [row for part in parts for row in dropped_from_parquet(store().get(part))]
    return store().put("dropped", dropped_to_parquet(rows))


def _shards(records: Dataset) -> Iterator[list[Record]]:
    return (_read(shard) for shard in records.shards)


def _read(shard: Artifact) -> list[Record]:
    return from_parquet(store().get(shard))


def _file(records: list[Record]) -> Artifact:
    return store().put("records", to_parquet(records))
