"""Measuring steps: in every run, what redaction masks of values that were put there to be masked.

Seeded records go through the same mapped step as the data's own. What came of them is judged before anything is
learned: a model must not be trained on text of which nobody has shown that it is redacted.
"""

import json
from typing import Any

from prefect.runtime import flow_run

from assay.artifacts import Artifact, Dataset, Redacted, Seeded
from assay.errors import RedactionError
from assay.policy import MeasurementSpec, RedactionSpec
from assay.privacy import invented
from assay.privacy.detection.counting import Captured
from assay.privacy.measurement import carriers, recall, recapture, seeding
from assay.privacy.measurement.recall import Measured
from assay.privacy.replacement import fingerprints, redaction
from assay.records import dropped_from_parquet
from tasks import pages, parts, shards
from tasks.data import CAPTURES, REDACTION
from tasks.places import store, value_key
from tasks.publishing import harmless, link
from tasks.steps import step

VERSION = 2  # Raise on any change here, or in tasks.parts, that could change an answer: it is part of the keys below.

SHARD_ROWS = 100
"""Seeded records of a shard: few, so that every process of the pool has some."""

RECAPTURED = frozenset({"PERSON", "ADDRESS", "CITY"})
"""Types that two detectors find in ways of their own; of the others one finds whatever the other does."""

CLEAN_ROWS = (100, 300, 1000)
"""Numbers of reviewed rows of which a page says what they would show."""

stopped: dict[str, Artifact] = {}
"""Run → the judgement that stopped it: such a step has no answer that could tell."""


@step("tasks.measuring", seeding, invented, carriers)
def seed(records: Dataset, policy: RedactionSpec, asked: MeasurementSpec) -> Seeded:
    """Make seeded records from redacted ones: invented values of every type that the policy replaces.

    A type of one's own recogniser is among them if its shapes are known, and else is said not to have been planted.
    """
    wanted = {kind: asked.least for kind in policy.entities if kind in carriers.SENTENCES or kind in asked.shapes}
    rows = (record for shard in shards.each(records) for record in shard)
    documents = seeding.planted(rows, asked.seeded, asked.seed, wanted, asked.shapes)
    made = [document.record for document in documents]
    filed = [shards.file(made[first : first + SHARD_ROWS]) for first in range(0, len(made), SHARD_ROWS)]
    return Seeded(records=Dataset(shards=tuple(filed)), values=store().put("seeded-values", seeding.to_json(documents)))


@step("tasks.measuring", *REDACTION, recall, recapture, seeding, carriers, libraries=("scipy",))
def measure(seeded: Seeded, masked: Redacted, found: Redacted, confidence: float) -> Artifact:
    """Count what was masked of the seeded values, and estimate what both detectors missed in the data.

    Args:
        seeded: What went in.
        masked: What redaction made of it.
        found: What redaction made of the data.
        confidence: Of each bound.
    """
    rows = [record for shard in shards.each(seeded.records) for record in shard]
    documents = seeding.from_json(store().get(seeded.values), rows)
    audited = redaction.audit_from_parquet(store().get(masked.audit))
    gone = [row.id for row in dropped_from_parquet(store().get(masked.dropped))]
    measured = recall.measure(documents, audited, gone, confidence)
    counted = CAPTURES.validate_json(store().get(found.captures))
    captures = [_capture(each, confidence) for each in counted if each.type in RECAPTURED]
    filed = {"measured": measured.model_dump(), "captures": captures}
    return store().put("redaction-measured", json.dumps(filed, sort_keys=True).encode())


@step(*REDACTION)
def seal(audit: Artifact, policy: RedactionSpec, values: str) -> Artifact:
    """File the fingerprints of all that was replaced, sealed: what a leak audit of the model goes by.

    ``values`` is the fingerprint of the key behind them.
    """
    del values  # It names the key in ours; the key itself must not be an argument.
    rows = redaction.audit_from_parquet(store().get(audit))
    return store().put("fingerprints", fingerprints.seal(rows, policy, value_key()))


@step("tasks.measuring", recall, libraries=("scipy",))
def judge(
    about: dict[str, Any],
    policy: RedactionSpec,
    asked: MeasurementSpec,
    measured: Artifact,
    audit: Artifact,
    sealed: Artifact,
) -> Artifact:
    """Say whether the bounds show what is asked of redaction, or end the run with a page that says why not.

    Args:
        about: Name and owner of the recipe.
        policy: What is replaced, and by what.
        asked: Floors and limits.
        measured: What came of the seeded records.
        audit: What was replaced in the data.
        sealed: The fingerprints of that.

    Raises:
        RedactionError: they do not show it.
    """
    told = json.loads(store().get(measured))
    found = Measured.model_validate(told["measured"])
    reasons = recall.decide(found, asked.floors, asked.max_leak, asked.max_over_redaction)
    redacting = {
        **told["measured"],
        **asked.model_dump(include={"floors", "max_leak", "max_over_redaction"}),
        "reasons": reasons,
        "captures": told["captures"],
        "clean_rows": [(rows, recall.clean_sample(rows, asked.confidence)) for rows in CLEAN_ROWS],
        "profile": policy.profile,
        "policy": {kind: policy.policy.get(kind, "mask") for kind in policy.types},
        "recognisers": [f"{each.name} ({each.kind})" for each in policy.recognisers],
        "languages": policy.languages,
        "fingerprints": {"count": fingerprints.count(store().get(sealed)), "digest": sealed.digest},
    }
    content = {**about, "redacting": redacting, "personal": parts.personal(audit).model_dump()}
    filed = store().put("redaction-judged", json.dumps(content, sort_keys=True).encode())
    if reasons:
        _end(filed, reasons)
    return filed


def _end(filed: Artifact, reasons: tuple[str, ...]) -> None:
    stopped[str(flow_run.id or "")] = filed
    page = pages.of_redaction()
    with harmless():
        link(
            "redaction", pages.place_redaction(filed), "What stopped the run: redaction is not shown to be good enough"
        )
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    raise RedactionError(f"redaction is not shown to be good enough: {reasons[0]}{more}. See {pages.told(page)}")


def _capture(counted: Captured, confidence: float) -> dict[str, Any]:
    """What two detectors have missed of one type, from how many each found and both did."""
    found = recapture.estimated(counted.first, counted.second, counted.both, confidence)
    first, second = counted.detectors
    return {
        "type": counted.type,
        "first": first,
        "second": second,
        "first_count": found.first,
        "second_count": found.second,
        "both": found.both,
        "missed": found.missed,
        "lower": found.lower,
        "upper": found.upper,
    }
