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
    Timed,
    Trained,
    Validated,
    digest_of,
)
from assay.data import hardness
from assay.evaluation import comparison
from assay.evaluation.comparison import intervals, pairing
from assay.evaluation.memorisation import judging
from assay.evaluations import Arm, Evaluation, Item, Verdict
from assay.leakage import LeakAudit
from assay.model import dynamics, rows
from assay.outcomes import Answer, Choice, Guess, TextLoss, Timing
from assay.records import SIDES
from assay.reporting import asked, cost, curves, excerpts, gathering, hard, reliability, serving, wording
from assay.reporting.content import Content
from assay.reporting.training import Repeat, Training
from assay.trials import GateSpec
from tasks import noticing, parts, shards, telling
from tasks.auditing import AUDITING
from tasks.places import store
from tasks.steps import step

VERSION = 5  # Raise on any change here, or in tasks.parts, that could change a page: it is part of its key.

JUDGED_BY = (intervals, pairing, *AUDITING)
"""Methods that a verdict goes through beside the comparison itself."""


@step(comparison, *JUDGED_BY, libraries=("numpy", "scipy", "statsmodels"))
def compare(
    baseline: Evaluated, candidate: Evaluated, gate: GateSpec, timed: Timed | None = None, leaks: Artifact | None = None
) -> Artifact:
    """Decide whether the candidate may replace the baseline."""
    audited = judging.criteria(LeakAudit.model_validate_json(store().get(leaks)), gate) if leaks else ()
    before = arm(baseline, timed.baseline if timed else None)
    after = arm(candidate, timed.candidate if timed else None)
    verdict = comparison.compare(before, after, gate, audited)
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
    "tasks.judging", "tasks.noticing", excerpts, gathering, asked, reliability, serving, cost, curves, intervals,
    hardness, dynamics, rows, hard, wording,
)  # fmt: skip
def tell(
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
    timed: Timed,
    leaks: Artifact | None,
    noticed: Artifact,
    verdict: Artifact,
) -> Artifact:
    """Gather everything that was filed on the way, for a page and for machines.

    ``repeats`` are trainings with the seeds that the recipe gives as ``repeat_seeds``, in their order, nothing for one
    that failed.
    """
    told = Verdict.model_validate_json(store().get(verdict))
    before, after = arm(baseline, timed.baseline), arm(candidate, timed.candidate)
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
        asked=telling.beside(before, after, told, card["evaluation"]["metrics"]),
        leaks=LeakAudit.model_validate_json(store().get(leaks)) if leaks else None,
        hard=noticing.shown(trained, sides.train, noticed, card["prompt"]["label"]),
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
    return telling.file(content)


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


def arm(evaluated: Evaluated, timed: Artifact | None = None) -> Arm:
    """What a model answered, with its items."""
    return Arm(
        Evaluation.model_validate_json(store().get(evaluated.summary)),
        _outcomes(evaluated.answers, Answer),
        _outcomes(evaluated.choices, Choice),
        _outcomes(evaluated.texts, TextLoss),
        _outcomes(evaluated.probes, Choice),
        _outcomes(evaluated.variants, Answer),
        _outcomes(evaluated.guesses, Guess),
        _outcomes(timed, Timing),
    )


def _outcomes(filed: Artifact | None, kind: type[Item]) -> list[Item]:
    return evaluations.from_jsonl(store().get(filed), kind) if filed else []
