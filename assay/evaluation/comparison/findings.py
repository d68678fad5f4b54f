"""Findings: what the items say of one thing that is demanded, before all of them are looked at together.

Whether a finding refuses a candidate depends on how many others were looked for (:mod:`.family`), so it carries p
values and distances and no decision of its own, unless nothing was measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.evaluation.comparison import intervals, sentences
from assay.evaluation.comparison.clusters import Floats, Totals
from assay.evaluations import Decision, Kind

Unit = Literal["points", "ratio", "bits"]

_MOST_LOG = 700.0
"""exp() of more is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One estimate beside its threshold; fields that are not described here are those of a criterion."""

    name: str
    kind: Kind
    metric: str
    baseline: float
    candidate: float
    estimate: float
    threshold: float
    n: int
    words: str
    """What was found and what was asked for, the beginning of a sentence."""

    noun: str = "items"
    unit: Unit = "points"
    lower: float | None = None
    upper: float | None = None
    clusters: int | None = None
    kin: str = ""
    """What a cluster is: ``subject`` or ``group``."""

    wins: int | None = None
    losses: int | None = None
    p_value: float | None = None
    p_shown: float | None = None
    p_refuted: float | None = None
    error: float | None = None
    away: float = 0.0
    """How far the estimate is on the right side of the threshold; of logarithms if it is a ratio."""

    reach: float = math.inf
    """How far the truth must be, on the same scale, for so many items to show it with 80 % power."""

    detectable: float | None = None
    decided: Decision | None = None
    """Of what was not measured."""


def of_change(  # noqa: PLR0913 — what a change is called and held against
    before: Sequence[float],
    after: Sequence[float],
    clusters: Sequence[str],
    confidence: float,
    *,
    name: str,
    kind: Kind,
    metric: str,
    threshold: float,
    noun: str = "items",
    kin: str = "subject",
) -> Finding:
    """Hold a mean paired difference of scores in 0 … 1 against ``threshold``, from above."""
    found = intervals.difference(before, after, clusters, confidence)
    shown, refuted = map(float, intervals.tails(found.bounds, threshold))
    start, known, reach = float(np.mean(before)), math.isfinite(found.error), intervals.reach(found)
    return Finding(
        name=name,
        kind=kind,
        metric=metric,
        baseline=start,
        candidate=start + found.mean,
        estimate=found.mean,
        threshold=threshold,
        n=found.n,
        words=sentences.change(name, metric, start, found, threshold),
        noun=noun,
        kin=kin,
        lower=found.lower,
        upper=found.upper,
        clusters=found.clusters,
        wins=found.wins,
        losses=found.losses,
        p_value=found.p_value,
        p_shown=shown,
        p_refuted=refuted,
        error=found.error if known else None,
        away=found.mean - threshold,
        reach=reach,
        detectable=reach if known else None,
    )


def of_rate(before: Floats, after: Floats, subjects: Sequence[str], confidence: float, *, floor: float) -> Finding:
    """Hold the candidate's format adherence against a floor."""
    rate, n, alone = float(after.mean()), len(after), len(set(subjects)) == 1
    effect = intervals.design_effect(after, subjects)
    lower, upper = intervals.wilson(rate, n / effect, confidence)
    shown, refuted = intervals.rate_tails(rate, floor, n / effect)
    if alone:  # What one subject does says nothing of another.
        (lower, upper), shown, refuted = (0.0, 1.0), 0.5, 0.5
    reach = math.inf if alone else intervals.reach_of_rate(rate, floor, confidence) * math.sqrt(effect / n)
    wins, losses = int((after > before).sum()), int((after < before).sum())
    return Finding(
        name="format_adherence",
        kind="floor",
        metric="format_adherence",
        baseline=float(before.mean()),
        candidate=rate,
        estimate=rate,
        threshold=floor,
        n=n,
        words=sentences.rate(rate, lower, upper, floor),
        lower=lower,
        upper=upper,
        clusters=len(set(subjects)),
        kin="subject",
        wins=wins,
        losses=losses,
        p_value=intervals.mcnemar(wins, losses),
        p_shown=shown,
        p_refuted=refuted,
        error=math.sqrt(rate * (1 - rate) * effect / n),
        away=rate - floor,
        reach=reach,
        detectable=None if alone else reach,
    )


def of_perplexity(before: Floats, after: Floats, tokens: Floats, confidence: float, *, limit: float) -> Finding:
    """Hold the ratio of perplexities on the same texts under ``limit``; ``before`` and ``after`` are nats of a text."""
    found = intervals.bounds(Totals(tokens, after - before), confidence, resample=True)
    first, second = (_exp(float(nats.sum() / tokens.sum())) for nats in (before, after))
    return _of_logs(
        found, limit, name="perplexity", metric="perplexity", noun="texts", baseline=first, candidate=second,
        wins=int((after < before).sum()), losses=int((after > before).sum()),
    )  # fmt: skip


def of_latency(before: Floats, after: Floats, requests: Sequence[str], confidence: float, *, limit: float) -> Finding:
    """Hold the ratio of median latencies of the same ``requests``, some of them repeated, under ``limit``; in ms."""
    found = intervals.medians(before, after, confidence, requests)
    first, second = float(np.median(before)), float(np.median(after))
    return _of_logs(
        found, limit, name="latency", metric="request_p50_ms", noun="requests", baseline=first, candidate=second,
        wins=int((after < before).sum()), losses=int((after > before).sum()),
    )  # fmt: skip


def of_nothing(  # noqa: PLR0913, PLR0917 — what was asked for, and why there is no answer
    name: str, kind: Kind, metric: str, threshold: float, why: str, unit: Unit = "points"
) -> Finding:
    """What is asked for and no item can tell: inconclusive, and said why."""
    return Finding(
        name=name, kind=kind, metric=metric, unit=unit, baseline=0.0, candidate=0.0,
        estimate=1.0 if unit == "ratio" else 0.0, threshold=threshold, n=0, words=why, decided="inconclusive",
    )  # fmt: skip


def _of_logs(  # noqa: PLR0913 — what a ratio is called and made of
    found: intervals.Bounds,
    limit: float,
    *,
    name: str,
    metric: str,
    noun: str,
    baseline: float,
    candidate: float,
    wins: int,
    losses: int,
) -> Finding:
    """Hold a ratio under ``limit``, of which the logarithm is bounded."""
    log, error, most = float(found.mean), float(found.error), math.log(limit)
    refuted, shown = map(float, intervals.tails(found, most))
    lower, upper = (_exp(float(end)) if math.isfinite(end) else None for end in (found.lower, found.upper))
    reach = intervals.reach(found)
    return Finding(
        name=name,
        kind="ratio",
        metric=metric,
        unit="ratio",
        baseline=baseline,
        candidate=candidate,
        estimate=_exp(log),
        threshold=limit,
        n=found.clusters,
        words=sentences.ratio(metric, baseline, candidate, (_exp(log), lower, upper), limit),
        noun=noun,
        lower=lower,
        upper=upper,
        clusters=found.clusters,
        wins=wins,
        losses=losses,
        p_value=min(2 * min(map(float, intervals.tails(found, 0.0))), 1.0),
        p_shown=shown,
        p_refuted=refuted,
        error=error if math.isfinite(error) else None,
        away=most - log,
        reach=reach,
        detectable=limit - _exp(most - reach) if math.isfinite(reach) else None,
    )


def _exp(log: float) -> float:
    return math.exp(min(log, _MOST_LOG))
