"""Judging steps: a verdict from two evaluations, and the page on which a person judges it in turn."""

from typing import Any

from assay import evaluations
from assay.artifacts import (
    Artifact,
    Checked,
    Dataset,
    Evaluated,
    Redacted,
    Screened,
    Splits,
    Trained,
    Validated,
    digest_of,
)
from assay.evaluation import comparison
from assay.evaluation.comparison import intervals, pairing
from assay.evaluations import Arm, Evaluation, Verdict
from assay.records import SIDES
from assay.reporting import bounds, charts, claims, excerpts, measured, pages, wording
from assay.reporting import report as reporting
from assay.reporting.content import Content, Training
from assay.spec import GateSpec
from tasks import parts, shards
from tasks.places import store
from tasks.steps import step

VERSION = 2  # Raise on any change here, or in tasks.parts, that could change a page: it is part of its key.


@step(comparison, intervals, pairing, libraries=("numpy", "scipy", "statsmodels"))
def compare(baseline: Evaluated, candidate: Evaluated, gate: GateSpec) -> Artifact:
    """Decide whether the candidate may replace the baseline."""
    verdict = comparison.compare(_arm(baseline), _arm(candidate), gate)
    return store().put("verdict", verdict.model_dump_json(indent=1).encode())


@step(
    "tasks.judging",
    reporting,
    measured,
    bounds,
    claims,
    pages,
    excerpts,
    charts,
    wording,
    intervals,
    libraries=("jinja2", "pyyaml"),
)
def report(
    card: dict[str, Any],
    ingested: Dataset,
    doorways: list[Validated | Checked],
    redacted: Redacted,
    redaction: Artifact,
    screened: list[Screened],
    sides: Splits,
    trained: Trained,
    baseline: Evaluated,
    candidate: Evaluated,
    verdict: Artifact,
) -> Artifact:
    """Set everything that was filed on the way as one page."""
    told = Verdict.model_validate_json(store().get(verdict))
    before, after = _arm(baseline), _arm(candidate)
    target = told.criterion("target").metric
    prompts = {record.id: record.prompt for shard in shards.each(sides.test) for record in shard}
    content = Content(
        recipe=card,
        verdict=told,
        **excerpts.changes(before, after, target, told.confidence, intervals.difference),
        sources=parts.sources(card, ingested),
        path=parts.path(ingested, [each for each in doorways if isinstance(each, Validated)], redacted, screened),
        sides={side: shards.count(getattr(sides, side)) for side in SIDES},
        suites=tuple(parts.suite(doorway.outcome) for doorway in doorways),
        personal=parts.personal(redacted.audit),
        redacting=parts.redacting(redaction),
        training=Training.model_validate_json(store().get(trained.record)),
        wins=excerpts.examples(told.wins, prompts, before.answers, after.answers, won=True),
        losses=excerpts.examples(told.losses, prompts, before.answers, after.answers, won=False),
        identity=_identity(card, sides, trained, told, verdict),
        environment=after.evaluation.environment,
    )
    return store().put("report", reporting.page(content).encode())


def _identity(
    card: dict[str, Any], sides: Splits, trained: Trained, told: Verdict, verdict: Artifact
) -> dict[str, str]:
    return {
        "recipe": digest_of(card),
        "base model": card["base"]["digest"],
        **{f"{side} records": digest_of([shard.digest for shard in getattr(sides, side).shards]) for side in SIDES},
        "adapter": trained.adapter.digest,
        "training record": trained.record.digest,
        "baseline as asked": told.baseline,
        "candidate as asked": told.candidate,
        "verdict": verdict.digest,
    }


def _arm(evaluated: Evaluated) -> Arm:
    return Arm(
        Evaluation.model_validate_json(store().get(evaluated.summary)),
        evaluations.answers_from_jsonl(store().get(evaluated.answers)),
        evaluations.choices_from_jsonl(store().get(evaluated.choices)),
    )
