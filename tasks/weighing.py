"""Weighing: from what every way answered to a recommendation, and the numbers that a page says of each.

Everything here is arithmetic over what was filed: rates and paired differences with bounds clustered by subject
(:mod:`assay.evaluation.comparison.intervals`), what a request takes of a device, and the rules of
:mod:`assay.evaluation.recommending`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assay import evaluations
from assay.artifacts import Artifact, digest_of
from assay.evaluation import learning_curve, recommending
from assay.evaluation.comparison import intervals
from assay.evaluation.recommending.arms import Gap, Option, Recommendation, Terms
from assay.outcomes import Answer, Timing
from assay.reporting import approaches as reporting
from assay.reporting import cost, wording
from assay.reporting import training as recorded
from assay.trials import ApproachesSpec
from tasks.approaches import Way, share
from tasks.places import checkout, store

VERSION = 2  # Raise on any change here that could change a comparison: it is part of its key.

Floats = Any


class Panel:
    """What every way answered, and how far apart two of them are."""

    def __init__(self, ways: Sequence[Way], answered: Mapping[str, Artifact], timed: Artifact) -> None:
        self.ways = list(ways)
        self._answers = {name: _answers(filed) for name, filed in answered.items()}
        self._facts = {name: _facts(filed) for name, filed in answered.items()}
        read = json.loads(store().get(timed))
        self._timings = {name: [Timing(**row) for row in rows] for name, rows in read.items()}
        self.subjects = [answer.subject for answer in self._answers[self.ways[0].name]]

    @property
    def locked(self) -> str:
        """Digest of the requests: their ids and what was expected."""
        return digest_of([[answer.id, answer.expected] for answer in self._answers[self.ways[0].name]])

    @property
    def compared(self) -> list[Way]:
        """All but the points of the learning curve."""
        return [way for way in self.ways if way.share == 1]

    @property
    def environment(self) -> dict[str, Any]:
        """Where they were asked; by way if they were not all asked at one place."""
        places = {name: facts["environment"] for name, facts in self._facts.items()}
        first = places[self.ways[0].name]
        return first if all(place == first for place in places.values()) else places

    def scores(self, name: str, metric: str) -> list[float]:
        """One metric of each answer of a way."""
        return [answer.scores[metric] for answer in self._answers[name]]

    def difference(self, one: str, other: str, metric: str, confidence: float) -> intervals.Difference:
        """How much better one way is than another."""
        return intervals.difference(self.scores(other, metric), self.scores(one, metric), self.subjects, confidence)

    def rate(self, name: str, metric: str, confidence: float) -> reporting.Rate:
        """The mean of a metric with its bounds: Wilson's if every item is right or wrong."""
        values = np.asarray(self.scores(name, metric), dtype=float)
        if not intervals.right_or_wrong(values, values):
            found = intervals.difference([0.0] * len(values), values.tolist(), self.subjects, confidence)
            return reporting.Rate(value=found.mean, lower=max(found.lower, 0.0), upper=found.upper)
        effect = intervals.design_effect(values, self.subjects)
        lower, upper = intervals.wilson(float(values.mean()), len(values) / effect, confidence)
        return reporting.Rate(value=float(values.mean()), lower=lower, upper=upper)

    def speed(self, name: str) -> reporting.Speed | None:
        """What single requests of a way took; None if it was not timed."""
        if not (timings := self._timings.get(name)):
            return None
        whole, first = (np.array([getattr(each, part) for each in timings]) for part in ("total_ms", "first_ms"))
        tokens = sum(each.tokens for each in timings)
        return reporting.Speed(
            requests=len(timings),
            first_p50_ms=float(np.percentile(first, 50)),
            p50_ms=float(np.percentile(whole, 50)),
            p95_ms=float(np.percentile(whole, 95)),
            seconds=float(whole.mean()) / 1e3,
            tokens_per_second=float(1e3 * tokens / whole.sum()),
            tokens_per_request=tokens / len(timings),
        )

    def arm(self, way: Way, metric: str, confidence: float) -> reporting.Arm:
        """What a page says of a way."""
        facts, first = self._facts[way.name], self.ways[0].name
        others = [each.name for each in self.compared if each.name != way.name]
        best = max(others, key=lambda name: float(np.mean(self.scores(name, metric))))
        return reporting.Arm(
            name=way.name,
            is_tuned=way.is_tuned,
            share=way.share,
            examples=facts["examples"],
            lost=int(facts["lost"]),
            cut=int(facts["cut"]),
            prompt_tokens=facts["prompt_tokens"],
            target=self.rate(way.name, metric, confidence),
            exact_match=self.rate(way.name, "exact_match", confidence),
            field_accuracy=self.rate(way.name, "field_accuracy", confidence),
            format_adherence=self.rate(way.name, "format_adherence", confidence),
            over_first=None if way.name == first else self._over(way.name, first, metric, confidence),
            over_best=self._over(way.name, best, metric, confidence),
            speed=self.speed(way.name),
        )

    def _over(self, one: str, other: str, metric: str, confidence: float) -> reporting.Difference:
        found = self.difference(one, other, metric, confidence)
        told = {name: getattr(found, name) for name in ("mean", "lower", "upper", "wins", "losses", "p_value")}
        return reporting.Difference(against=other, **told)


def recommendation(panel: Panel, arms: Sequence[reporting.Arm], terms: Terms, metric: str) -> Recommendation:
    """What is advised of the ways that were taught all there is, or nothing."""
    compared = {arm.name: arm for arm in arms if not arm.is_partial}
    tuned = sum(arm.is_tuned for arm in compared.values())
    pairs = tuned * (len(compared) - tuned)
    gaps = {
        (one, other): gap(panel, one, other, metric, terms, pairs)
        for one in compared
        for other in compared
        if one != other
    }
    return recommending.recommend([_option(arm) for arm in compared.values()], gaps, terms)


def gap(panel: Panel, one: str, other: str, metric: str, terms: Terms, pairs: int) -> Gap:
    """How much better one way is than another, with the p values that the rules ask for.

    ``pairs`` are the comparisons that Holm's correction counts: the items that would tell must do so after it.
    """
    found, margin = panel.difference(one, other, metric, terms.confidence), terms.margin
    better, no_better = (float(tail) for tail in intervals.tails(found.bounds, margin))
    no_worse, worse = (float(tail) for tail in intervals.tails(found.bounds, -margin))
    return Gap(
        mean=found.mean,
        lower=found.lower,
        upper=found.upper,
        n=found.n,
        p_better=better,
        p_no_better=no_better,
        p_no_worse=no_worse,
        p_worse=worse,
        needed=intervals.items(found.n, _reach(found, pairs, terms.confidence), found.mean - margin),
    )


def _reach(found: intervals.Difference, pairs: int, confidence: float) -> float:
    """Distance from the margin that as many items as were ``found`` show with 80 % power, as one of so many pairs."""
    from scipy.stats import norm

    alone, among, power = (
        float(norm.ppf(level)) for level in (confidence, 1 - (1 - confidence) / max(pairs, 1), intervals.POWER)
    )
    return intervals.reach(found) * (among + power) / (alone + power)


def terms(
    tried: ApproachesSpec, metric: str, confidence: float, floor: float, seconds: float, curve: reporting.Curve | None
) -> Terms:
    """What counts as better, by the recipe."""
    return Terms(
        metric=wording.metric(metric).lower(),
        margin=tried.margin,
        confidence=confidence,
        min_format_adherence=floor,
        training_seconds=seconds,
        volume=tried.volume,
        outlook=curve.outlook if curve else None,
    )


def curve(
    panel: Panel, records: Mapping[str, recorded.Training], tried: ApproachesSpec, metric: str, confidence: float
) -> reporting.Curve | None:
    """The learning curve, if the recipe asks for one; ``records`` by share."""
    bound = all(way.constrained for way in panel.ways)
    taught = [way for way in panel.ways if way.is_tuned and way.examples == "none" and way.constrained == bound]
    if len(taught) <= 1:
        return None
    points = [
        learning_curve.Point(number, panel.scores(way.name, metric))
        for way in taught
        if (number := _own(records[share(way.share)]))
    ]
    if len({point.examples for point in points}) < max(len(points), 2):
        return None  # Shares of so few subjects are the same examples: no line goes through them.
    found = learning_curve.study(points, panel.subjects, tried.margin, confidence, tried.seed)
    return reporting.Curve.model_validate(found)


def device_seconds(record: recorded.Training) -> float:
    """What a training took of a device."""
    return 3600 * cost.hours(record)


def _own(record: recorded.Training) -> int:
    """Examples of the task, without those that are replayed."""
    return record.examples - record.replayed


def _option(arm: reporting.Arm) -> Option:
    return Option(
        name=arm.name,
        tuned=arm.is_tuned,
        quality=arm.target.value,
        format_lower=arm.format_adherence.lower,
        format_upper=arm.format_adherence.upper,
        prompt_tokens=arm.prompt_tokens,
        seconds=arm.speed.seconds if arm.speed else 0.0,
        quality_upper=arm.target.upper,
    )


def _answers(filed: Artifact) -> list[Answer]:
    return evaluations.from_jsonl((checkout(filed) / "answers.jsonl").read_bytes(), Answer)


def _facts(filed: Artifact) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((checkout(filed) / "facts.json").read_text())
    return found
