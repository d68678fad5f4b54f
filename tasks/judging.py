"""Judging steps: a verdict from two evaluations, what it took, and the page on which a person judges it in turn."""

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
from assay.reporting import (
    bounds,
    charts,
    claims,
    cost,
    curves,
    excerpts,
    forest,
    learning,
    measured,
    pages,
    spread,
    taught,
    wording,
)
from assay.reporting import report as reporting
from assay.reporting.content import Content
from assay.reporting.training import Repeat, Training
from assay.trials import GateSpec
from tasks import parts, shards
from tasks.places import store
from tasks.steps import step

VERSION = 4  # Raise on any change here, or in tasks.parts, that could change a page: it is part of its key.


@step(comparison, intervals, pairing, libraries=("numpy", "scipy", "statsmodels"))
def compare(baseline: Evaluated, candidate: Evaluated, gate: GateSpec) -> Artifact:
    """Decide whether the candidate may replace the baseline."""
    verdict = comparison.compare(_arm(baseline), _arm(candidate), gate)
    return store().put("verdict", verdict.model_dump_json(indent=1).encode())


@step("tasks.judging", cost, wording)
def account(trained: Trained, repeats: list[Trained | None], price: dict[str, Any] | None) -> Artifact:
    """File what training took, and what that is worth: for machines, as the report says it for people.

    Args:
        trained: The candidate.
        repeats: Trainings with other seeds, nothing for one that failed.
        price: The recipe's, as a plain value: as a spec it would be in no key, and an old amount would be served.
    """
    agreed = cost.Price.model_validate(price) if price else None
    spent = cost.cost(_record(trained), [_record(each) for each in repeats if each], agreed)
    return store().put("cost", spent.model_dump_json(indent=1).encode())


@step(
    "tasks.judging",
    reporting,
    taught,
    learning,
    spread,
    cost,
    measured,
    bounds,
    claims,
    pages,
    excerpts,
    charts,
    curves,
    forest,
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
    repeats: list[Trained | None],
    baseline: Evaluated,
    candidate: Evaluated,
    verdict: Artifact,
) -> Artifact:
    """Set everything that was filed on the way as one page.

    ``repeats`` are trainings with the seeds that the recipe gives as ``repeat_seeds``, in their order, nothing for one
    that failed.
    """
    told = Verdict.model_validate_json(store().get(verdict))
    before, after = _arm(baseline), _arm(candidate)
    target = told.criterion("target").metric
    prompts = {record.id: record.prompt for shard in shards.each(sides.test) for record in shard}
    content = Content(
        recipe=card,
        verdict=told,
        **excerpts.changes(before, after, target, told.confidence, intervals.difference),
        sources=(*parts.sources(card, ingested), *parts.replay(card.get("replay"), _record(trained).replayed)),
        path=parts.path(ingested, [each for each in doorways if isinstance(each, Validated)], redacted, screened),
        sides={side: shards.count(getattr(sides, side)) for side in SIDES},
        suites=tuple(parts.suite(doorway.outcome) for doorway in doorways),
        personal=parts.personal(redacted.audit),
        redacting=parts.redacting(redaction),
        training=_record(trained),
        repeats=tuple(
            Repeat(seed=seed, training=_record(each))
            for seed, each in zip(card.get("repeat_seeds") or (), repeats, strict=True)
            if each
        ),
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


def _record(trained: Trained) -> Training:
    return Training.model_validate_json(store().get(trained.record))


def _arm(evaluated: Evaluated) -> Arm:
    return Arm(
        Evaluation.model_validate_json(store().get(evaluated.summary)),
        evaluations.answers_from_jsonl(store().get(evaluated.answers)),
        evaluations.choices_from_jsonl(store().get(evaluated.choices)),
    )
