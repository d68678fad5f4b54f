"""Curate records: from a recipe to records fit to learn from, and a list of those that a person should look at."""

from dataclasses import dataclass
from typing import cast

from prefect import flow, unmapped

from assay.artifacts import Artifact, Dataset, Redacted, Screened, Validated
from assay.policy import RedactionSpec
from tasks.caching import ReferenceSerializer
from tasks.curation import audit_labels, balance, correct, decontaminate, deduplicate, list_suspects, trim
from tasks.data import engines, gather, ingest, redact
from tasks.doorways import validate
from tasks.endings import failed, looked
from tasks.inputs import Inputs, open_recipe
from tasks.measuring import judge, measure, seal, seed
from tasks.places import subject_key_fingerprint, value_key_fingerprint
from tasks.pool import RUNNER


@dataclass(frozen=True)
class Curated:
    """Everything the data steps filed, in the order of the path."""

    ingested: Dataset
    raw: Validated
    redacted: Redacted
    redaction: Artifact
    """How well it worked."""

    sealed: Artifact
    """Fingerprints of all that it removed."""

    clean: Validated
    screened: list[Screened]
    curated: Validated
    suspects: Artifact

    @property
    def records(self) -> Dataset:
        """The redacted records, before any left for being a duplicate or the like: what a reviewer is shown."""
        return self.clean.records


@flow(
    name="curate-records",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[looked],
    on_failure=[failed],
    on_crashed=[failed],
    on_cancellation=[failed],
)
def curate_records(recipe: str, settings: dict[str, object] | None = None) -> Curated:
    """Take a recipe's sources to curated records.

    Args:
        recipe: Path of a recipe.yaml, or of the folder that holds one.
        settings: Values to change, by dotted path.
    """
    return curate(open_recipe(recipe, settings))


def redact_all(records: Dataset, policy: RedactionSpec) -> Redacted:
    """Redact every shard: the data's own, and the seeded ones, which must not go another way."""
    given = (unmapped(policy), unmapped(value_key_fingerprint()), unmapped(engines(policy)))
    shards = redact.map(records.shards, *given)
    return cast("Redacted", gather([shard.result() for shard in shards]))


def curate(given: Inputs) -> Curated:
    """The order of the data steps, for every flow that starts from sources."""
    spec, label, decisions = given.spec, given.spec.prompt.label, given.decisions
    asked = (given.questions.schema_, label, spec.curation.near_duplicates)

    ingested = ingest(spec.sources, subject_key_fingerprint())
    raw = validate(ingested, "raw", given.suites["raw"], given.waived["raw"], *asked)
    redacted = redact_all(raw.records, spec.redaction)
    sealed = seal(redacted.audit, spec.redaction, value_key_fingerprint())
    seeded = seed(redacted.records, spec.redaction, spec.measurement)
    masked = redact_all(seeded.records, spec.redaction.with_masks())
    measured = measure(seeded, masked, redacted, spec.measurement.confidence)
    judged = judge(given.about, spec.redaction, spec.measurement, measured, redacted.audit, sealed)
    clean = validate(
        redacted.records, "redacted", given.suites["redacted"], given.waived["redacted"], *asked, before=raw.records
    )

    corrected = correct(clean.records, decisions, label)
    unique = deduplicate(corrected.kept, decisions, label, spec.split, spec.curation.near_duplicates)
    foreign = decontaminate(unique.kept, given.examined, spec.split, spec.curation.contamination)
    trimmed = trim(foreign.kept, decisions, spec.split, spec.curation.outliers)
    audited = audit_labels(trimmed.kept, decisions, label, spec.split, spec.curation.label_noise)
    balanced = balance(audited.kept, label, spec.split, spec.curation.balance)
    screened = [corrected, unique, foreign, trimmed, audited, balanced]
    curated = validate(balanced.kept, "curated", given.suites["curated"], given.waived["curated"], *asked)
    suspects = list_suspects(screened, curated.records)
    return Curated(ingested, raw, redacted, judged, sealed, clean, screened, curated, suspects)
