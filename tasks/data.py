"""Data steps: from sources to three sides, one shard in memory at a time."""

import functools
import importlib.metadata

from pydantic import TypeAdapter

from assay.artifacts import Artifact, Dataset, Redacted, Splits
from assay.data import sources, splitting
from assay.errors import RecipeError
from assay.policy import RedactionSpec
from assay.privacy import invented
from assay.privacy.detection import (
    counting,
    detector,
    eight_bits,
    languages,
    personal_anchors,
    personal_credentials,
    personal_cues,
    personal_labels,
    personal_looks,
    personal_misspellings,
    personal_names,
    personal_places,
    personal_rules,
    personal_spans,
    scripts,
    second_names,
)
from assay.privacy.detection.counting import Captured, Counting, summed
from assay.privacy.recognisers import gliner_models, opening, pattern_files, spacy_pipelines, token_classifiers
from assay.privacy.replacement import (
    attributes,
    documents,
    drafts,
    fingerprints,
    identifiers,
    keys,
    redaction,
    reserved,
    segments,
    surrogates,
    syllables,
)
from assay.records import SIDES, Side, dropped_from_parquet, dropped_to_parquet
from assay.spec import SourceSpec, SplitSpec
from tasks import shards
from tasks.places import store, subject_key, value_key, value_key_fingerprint
from tasks.pool import in_process, release
from tasks.steps import step

VERSION = 1  # Raise on any change here that could change what a step files: it is part of the keys below.

REDACTION = (
    "tasks.data",
    attributes,
    counting,
    detector,
    documents,
    drafts,
    eight_bits,
    fingerprints,
    gliner_models,
    identifiers,
    invented,
    keys,
    languages,
    pattern_files,
    personal_anchors,
    personal_credentials,
    personal_cues,
    personal_labels,
    personal_looks,
    personal_misspellings,
    personal_names,
    personal_places,
    personal_rules,
    personal_spans,
    opening,
    redaction,
    reserved,
    scripts,
    second_names,
    segments,
    spacy_pipelines,
    surrogates,
    syllables,
    token_classifiers,
)
"""Methods that decide what is masked, and how it is filed."""

LIBRARIES = ("presidio-analyzer", "onnxruntime", "tokenizers", "spacy", "regex", "py3langid", "numpy")

CAPTURES = TypeAdapter(tuple[Captured, ...])


@step("tasks.data", sources)
def ingest(given: tuple[SourceSpec, ...], pseudonyms: str) -> Dataset:
    """File the sources' rows as raw records; ``pseudonyms`` is the fingerprint of the subject key."""
    del pseudonyms  # It names the key in ours; the key itself must not be an argument.
    key = subject_key()
    rows = (record for source in given for record in sources.read(source, key))
    read = Dataset(shards=tuple(shards.file(part) for part in sources.shards(rows, sources.SHARD_ROWS)))
    for source in given:
        sources.refuse_changed(source)
    return read


@step(*REDACTION, libraries=LIBRARIES, timeout_seconds=None)
def redact(shard: Artifact, policy: RedactionSpec, values: str, engines: dict[str, str]) -> Redacted:
    """Replace personal data in one shard.

    Args:
        shard: Raw records.
        policy: What to look for, and what to put in its place.
        values: Fingerprint of the key behind fingerprints and surrogates.
        engines: Releases of the libraries that the policy's own recognisers run on.
    """
    return in_process(_redact, shard, policy, values, {name: _release(name) for name in LIBRARIES} | engines)


@step(*REDACTION)
def gather(parts: list[Redacted]) -> Redacted:
    """Put redacted shards together again, in order."""
    release()
    return Redacted(
        records=Dataset(shards=tuple(shard for part in parts for shard in part.records.shards)),
        dropped=_merged([part.dropped for part in parts]),
        audit=store().put("audit", redaction.audit_to_parquet([row for part in parts for row in _audit(part)])),
        captures=_filed(summed([CAPTURES.validate_json(store().get(part.captures)) for part in parts])),
    )


@step("tasks.data", splitting)
def split(records: Dataset, spec: SplitSpec) -> Splits:
    """Partition records into train, validation and test, each subject on one side."""
    parts: dict[str, list[Artifact]] = {side: [] for side in SIDES}
    counts = dict.fromkeys(SIDES, 0)
    homes: dict[str, Side] = {}
    for shard in shards.each(records):
        splitting.refuse_torn(shard, spec, homes)
        for side, rows in splitting.split(shard, spec).items():
            counts[side] += len(rows)
            if rows:
                parts[side].append(shards.file(rows))
    splitting.refuse_empty(counts)
    return Splits(**{side: Dataset(shards=tuple(filed)) for side, filed in parts.items()})


def engines(policy: RedactionSpec) -> dict[str, str]:
    """Releases of the libraries that the policy's own recognisers run on, beside those that every policy does."""
    asked = {name for each in policy.recognisers for name in opening.LIBRARIES[each.kind]}
    return {name: _release(name) for name in sorted(asked)}


def _release(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"  # The step says what to install.


def _redact(shard: Artifact, policy: RedactionSpec, values: str, releases: dict[str, str]) -> Redacted:
    _refuse_other_worker(values, releases)
    counting = Counting(_detector(policy.model_dump_json()))
    records, dropped, audits = redaction.redact(shards.read(shard), policy, counting.find, value_key())
    return Redacted(
        records=Dataset(shards=(shards.file(records),) if records else ()),
        dropped=store().put("dropped", dropped_to_parquet(dropped)),
        audit=store().put("audit", redaction.audit_to_parquet(audits)),
        captures=_filed(counting.captured),
    )


def _refuse_other_worker(values: str, releases: dict[str, str]) -> None:
    """A worker elsewhere must hold the key and the libraries that the answer will be filed under."""
    if value_key_fingerprint() != values:
        raise RecipeError(
            "ASSAY_VALUE_KEY: found another key on the worker than where the flow runs; expected the same. "
            "Give both the same secret."
        )
    if other := {name: found for name, given in releases.items() if (found := _release(name)) != given}:
        told = ", ".join(f"{name} {found}, expected {releases[name]}" for name, found in other.items())
        raise RecipeError(f"a worker of ASSAY_CLUSTER: found {told}. Install the flow's lock there.")


@functools.cache
def _detector(policy: str) -> detector.Detector:
    """One for each process of the pool: loading the tagger takes longer than a shard. The policy comes as JSON."""
    return detector.Detector(RedactionSpec.model_validate_json(policy))


def _audit(part: Redacted) -> list[redaction.Audited]:
    return redaction.audit_from_parquet(store().get(part.audit))


def _filed(captured: tuple[Captured, ...]) -> Artifact:
    return store().put("captures", CAPTURES.dump_json(captured))


def _merged(parts: list[Artifact]) -> Artifact:
    rows = [row for part in parts for row in dropped_from_parquet(store().get(part))]
    return store().put("dropped", dropped_to_parquet(rows))
