"""Comparison: whether a candidate may replace the baseline, decided as a trial would.

Both models answered the same items, so items are compared pair by pair: what is hard for one is
hard for the other, and pairs need several times fewer items than two averages do. Four criteria:

- *superiority* on the target metric: the gain is above ``min_gain``;
- a *floor* under the candidate's format adherence;
- *non-inferiority* on general ability: the loss is below ``ability_margin``;
- a *ratio* of median latencies, a point measurement that is taken as it is.

The first three are three-valued. With one-sided bounds at the gate's confidence, a criterion is
accepted if its lower bound clears the threshold, refused if its upper bound does not reach it, and
else **inconclusive**: the items cannot tell, and the verdict says how many would. "No significant
loss" is not "no loss": with 200 items it would miss three losses of two points in four.

The candidate is refused if any criterion is, else inconclusive if any is, else accepted. As *all*
must be accepted, a false acceptance is no likelier than 1 - confidence without any correction for
their number (intersection-union; Berger 1982, doi:10.1080/00401706.1982.10487790).

The mathematics is in :mod:`assay.evaluation.comparison.intervals`, what makes two evaluations comparable in
:mod:`assay.evaluation.comparison.pairing`.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from assay.errors import IncomparableError
from assay.evaluation.comparison import intervals
from assay.evaluation.comparison.pairing import paired, refuse_unlike
from assay.evaluations import Arm, Criterion, Decision, Evaluation, Verdict
from assay.outcomes import Answer, Choice
from assay.trials import GateSpec

VERSION = 1

_NAMES = {
    "exact_match": "exact match",
    "field_accuracy": "field accuracy",
    "accuracy": "general ability",
    "format_adherence": "format adherence",
}


def compare(baseline: Arm | None, candidate: Arm | None, gate: GateSpec) -> Verdict:
    """Hold ``candidate`` against ``baseline`` under ``gate``.

    Raises:
        IncomparableError: an arm is missing, both are one model, they were not asked the same
            question (each differing component is named), or their items differ.
    """
    if baseline is None or candidate is None:
        missing = "baseline" if baseline is None else "candidate"
        raise IncomparableError(f"found no evaluation of the {missing}: expected two. Evaluate it under this recipe.")
    before, after = baseline.evaluation, candidate.evaluation
    refuse_unlike(before, after)
    answers = paired(baseline.answers, candidate.answers, "test record")
    choices = paired(baseline.choices, candidate.choices, "general-ability item")
    criteria = (
        _superiority(answers, gate),
        _floor(answers, gate),
        _non_inferiority(choices, gate),
        _ratio(before, after, gate),
    )
    decision = _overall([criterion.decision for criterion in criteria])
    right = [(b.id, b.scores["exact_match"], c.scores["exact_match"]) for b, c in answers]
    return Verdict(
        decision=decision,
        sentence=_sentence(decision, criteria),
        reasons=tuple(criterion.reason for criterion in criteria),
        criteria=criteria,
        baseline=before.model,
        candidate=after.model,
        confidence=gate.confidence,
        question=before.question,
        wins=tuple(id for id, b, c in right if c > b),
        losses=tuple(id for id, b, c in right if c < b),
    )


def _superiority(answers: Sequence[tuple[Answer, Answer]], gate: GateSpec) -> Criterion:
    before, after = ([pair[arm].scores[gate.target] for pair in answers] for arm in (0, 1))
    found = intervals.difference(before, after, [b.subject for b, _ in answers], gate.confidence)
    return _on_difference("target", "superiority", gate.target, before, found, gate.min_gain)


def _non_inferiority(choices: Sequence[tuple[Choice, Choice]], gate: GateSpec) -> Criterion:
    before, after = ([float(pair[arm].correct) for pair in choices] for arm in (0, 1))
    found = intervals.difference(before, after, [b.group for b, _ in choices], gate.confidence)
    return _on_difference("general_ability", "non_inferiority", "accuracy", before, found, -gate.ability_margin)


def _on_difference(  # noqa: PLR0913, PLR0917 — what a criterion is made of
    name: str,
    kind: Literal["superiority", "non_inferiority"],
    metric: str,
    before: Sequence[float],
    found: intervals.Difference,
    threshold: float,
) -> Criterion:
    decision = _decided(found.lower > threshold, found.upper < threshold)
    known = math.isfinite(found.error)
    reach = intervals.reach(found)
    needed = intervals.items(found.n, reach, found.mean - threshold) if decision == "inconclusive" else None
    start = float(np.mean(before))
    words = (
        f"{_NAMES[metric]} went from {_share(start)} to {_share(start + found.mean)}, by {_points(found.mean)} "
        f"(at least {_points(found.lower)}, at most {_points(found.upper)}); asked for: more than {_points(threshold)}"
    )
    return Criterion(
        name=name,
        kind=kind,
        metric=metric,
        baseline=start,
        candidate=start + found.mean,
        difference=found.mean,
        estimate=found.mean,
        threshold=threshold,
        lower=found.lower,
        upper=found.upper,
        n=found.n,
        clusters=found.clusters,
        wins=found.wins,
        losses=found.losses,
        p_value=found.p_value,
        standard_error=found.error if known else None,
        detectable=reach if known else None,
        needed=needed,
        decision=decision,
        reason=words + _ending(decision, found.n, needed),
    )


def _floor(answers: Sequence[tuple[Answer, Answer]], gate: GateSpec) -> Criterion:
    before, after = (np.array([pair[arm].scores["format_adherence"] for pair in answers]) for arm in (0, 1))
    subjects = [b.subject for b, _ in answers]
    rate, floor, n = float(after.mean()), gate.min_format_adherence, len(after)
    effect = intervals.design_effect(after, subjects)
    lower, upper = intervals.wilson(rate, n / effect, gate.confidence)
    decision = _decided(lower >= floor, upper < floor)
    reach = intervals.reach_of_rate(rate, floor, gate.confidence) * math.sqrt(effect / n)
    needed = intervals.items(n, reach, rate - floor) if decision == "inconclusive" else None
    words = (
        f"format adherence is {_share(rate)} (at least {_share(lower)}, at most {_share(upper)}); "
        f"asked for: at least {_share(floor)}"
    )
    return Criterion(
        name="format_adherence",
        kind="floor",
        metric="format_adherence",
        baseline=float(before.mean()),
        candidate=rate,
        difference=rate - float(before.mean()),
        estimate=rate,
        threshold=floor,
        lower=lower,
        upper=upper,
        n=n,
        clusters=len(set(subjects)),
        wins=int((after > before).sum()),
        losses=int((after < before).sum()),
        p_value=intervals.mcnemar(int((after > before).sum()), int((after < before).sum())),
        standard_error=math.sqrt(rate * (1 - rate) * effect / n),
        detectable=reach,
        needed=needed,
        decision=decision,
        reason=words + _ending(decision, n, needed),
    )


def _ratio(before: Evaluation, after: Evaluation, gate: GateSpec) -> Criterion:
    first, second = (evaluation.latency.get("request_p50_ms", 0.0) for evaluation in (before, after))
    if min(first, second) <= 0:
        raise IncomparableError(
            f"found median latencies of {first:g} and {second:g} ms: expected both above 0. Measure latency anew."
        )
    ratio = second / first
    alike = before.environment == after.environment
    decision = _decided(alike and ratio <= gate.max_latency_ratio, alike and ratio > gate.max_latency_ratio)
    how = "a point measurement, without an interval" if alike else "measured on unlike machines: it says nothing"
    return Criterion(
        name="latency",
        kind="ratio",
        metric="request_p50_ms",
        baseline=first,
        candidate=second,
        difference=second - first,
        estimate=ratio,
        threshold=gate.max_latency_ratio,
        n=int(min(evaluation.latency.get("requests", 0) for evaluation in (before, after))),
        decision=decision,
        reason=(
            f"median latency went from {first:.0f} to {second:.0f} ms, {ratio:.2f} times as long; asked for: at most "
            f"{gate.max_latency_ratio:g} times ({how})"
        ),
    )


def _decided(accepted: bool, refused: bool) -> Decision:  # noqa: FBT001
    return "accepted" if accepted else "refused" if refused else "inconclusive"


def _overall(decisions: Sequence[Decision]) -> Decision:
    return _decided(all(d == "accepted" for d in decisions), "refused" in decisions)


def _sentence(decision: Decision, criteria: Sequence[Criterion]) -> str:
    gain = criteria[0]
    if decision == "accepted":
        return (
            f"Accepted: {_NAMES[gain.metric]} on {gain.n:,} test records is {_share(gain.candidate)} where the "
            f"baseline's was {_share(gain.baseline)}, and format, general ability and latency are as demanded."
        )
    deciding = "; ".join(criterion.reason for criterion in criteria if criterion.decision == decision)
    return f"{decision.capitalize()}: {deciding}."


def _ending(decision: Decision, n: int, needed: int | None) -> str:
    if decision != "inconclusive":
        return f": {'shown' if decision == 'accepted' else 'ruled out'} on {n:,} items"
    more = f"about {needed:,} would" if needed else "no number of them would if this estimate is the truth"
    return f": {n:,} items cannot tell, {more}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"
