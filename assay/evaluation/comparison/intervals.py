"""Intervals: what paired items say of the truth behind them.

Bounds of a mean difference: its mean ± Student's t x standard error, clustered by subject (test records), group
(general ability) or text (perplexity, weighted by tokens) as in Miller 2024 (arXiv:2411.00640), with the small-sample
factor 1 / (1 - share of the cluster) on each squared residual (CR2; Bell & McCaffrey 2002), which is G / (G - 1) for G
clusters of one size, and degrees of freedom of one less than the effective number of clusters, n² / Σ n_g². Clustering
never narrows a bound: the error is at least that of independent items. Both errors are in the form that adds a typical
win and a typical loss, which holds up where few pairs differ (Bonett & Price 2012, doi:10.3102/1076998611411915, for
right-or-wrong items; here of clusters too). What is typical is the mean over the D clusters that are
unlike the most common one, and, with weight 1 / (D + 1)², one that was not seen and is unlike it as a whole: who saw
few, or none, cannot know that items of a cluster do not all change together. The weight is our own choice: it leads
over from D = 0, and was measured. With many clusters it is nothing, and with items of their own it changes nothing.

If all pairs differ alike, the sample shows no spread; what it may have missed is then bounded exactly: with confidence
c, at most a share q = 1 - (1 - c)^(1/k) of all clusters, differing by at most 1, is unlike what was seen. k is the
effective number of clusters, and not of items, since a subject may change as a whole. One cluster has no bound.

Scores that are not right or wrong may be skewed, which t does not see: their clusters are resampled besides
(bootstrap-t, :mod:`~assay.evaluation.comparison.resampling`), and the wider of both bounds holds. Alone, each falls
short of 95 %: t where changes are skewed, the bootstrap where few pairs differ (``bench/measure_gate.py``).

Bounds of a rate are Wilson's (1927), with n divided by the clustering's design effect, which is estimated from the
clusters and, weighted as above, from one that was not seen and is all or none. Each bound has its one-sided p value:
the bound clears a threshold exactly where p is at most 1 - confidence. Everything is written over arrays of shape
(…, clusters), so that a thousand samples go through the very code that one goes through.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.evaluation.comparison.clusters import TINY, Floats, Totals, clustered, doubt, effective, totals, unlike
from assay.evaluation.comparison.resampling import beyond, log_ratio, medians_error, pivots, share_below

VERSION = 3

POWER = 0.8
"""Of what :func:`reach` and :func:`items` promise."""

_MOST_ITEMS = 10_000_000
"""No advice to gather more items than this is given."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A mean and its one-sided bounds, row by row."""

    mean: Floats
    error: Floats
    """Standard error; ``inf`` if there is but one cluster."""

    lower: Floats
    upper: Floats
    quantile: Floats
    """Of Student's t."""

    freedom: Floats
    clusters: int
    pivots: Floats = None
    """Of resampled clusters, if any were: (…, draws), in order."""

    alike: Floats = 0
    """Effective number of clusters where all changes are equal, ``error`` being what may have been missed; or 0."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference, in 0 … 1, and what is known of it."""

    mean: float
    error: float
    """Standard error; ``inf`` if there is but one cluster."""

    lower: float
    upper: float
    quantile: float
    """Of Student's t, so that ``mean - quantile x error`` is ``lower`` unless resampling widened it."""

    n: int
    clusters: int
    wins: int
    losses: int
    p_value: float
    bounds: Bounds


def difference(
    before: Sequence[float], after: Sequence[float], clusters: Sequence[str], confidence: float
) -> Difference:
    """Bound the mean of ``after - before`` over paired items whose scores are in 0 … 1."""
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    binary = right_or_wrong(first, second)
    summed = totals(second - first, clusters)
    found = bounds(summed, confidence, resample=not binary)
    wins, losses = int(summed.wins.sum()), int(summed.losses.sum())
    return Difference(
        mean=float(found.mean),
        error=float(found.error),
        lower=float(found.lower),
        upper=float(found.upper),
        quantile=float(found.quantile),
        n=len(first),
        clusters=found.clusters,
        wins=wins,
        losses=losses,
        p_value=mcnemar(wins, losses) if binary else min(2 * min(map(float, tails(found, 0.0))), 1.0),
        bounds=found,
    )


def right_or_wrong(before: Floats, after: Floats) -> bool:
    """Whether every score is 0 or 1."""
    return set(np.unique(np.concatenate([before, after])).tolist()) <= {0.0, 1.0}


def bounds(found: Totals, confidence: float, *, resample: bool) -> Bounds:
    """Bound each row's mean from both sides, each at ``confidence``."""
    n, clusters, independent = found.sizes.sum(-1), found.sums.shape[-1], effective(found.sizes)
    mean, differs = found.sums.sum(-1) / n, unlike(found)
    unseen = _unseen(found, n, mean, independent)
    added = _typical(found, mean, differs, unseen) / n**2
    together = np.sqrt(clustered(found.sums, found.sizes) ** 2 + added)
    error = np.maximum(together, _alone(found, n, mean))
    freedom = np.maximum(independent - 1, 1)
    drawn = pivots(found, mean, differs, unseen) if resample and clusters > 1 else None
    open_ended = _widest(mean, error, freedom, clusters, confidence, drawn)
    return open_ended if found.squares is None else _of_items(found, open_ended, independent, confidence)


def medians(before: Floats, after: Floats, confidence: float, clusters: Sequence[str] | None = None) -> Bounds:
    """Bound the logarithm of the median of ``after`` over that of ``before``, paired along the last axis.

    Student's t x the bootstrap's standard error: percentiles of a ratio of medians are too far apart. Pairs of one of
    ``clusters``, such as a request that was repeated, are drawn together; without them each is its own.
    """
    codes = np.arange(before.shape[-1]) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    ratio, n = log_ratio(before, after), int(codes.max()) + 1
    error = np.maximum(medians_error(before, after, codes), TINY)
    return _widest(ratio, error, np.full(np.shape(ratio), float(max(n - 1, 1))), n, confidence)


def tails(found: Bounds, threshold: float) -> tuple[Floats, Floats]:
    """One-sided p values: of a truth at ``threshold`` or below, and of one at it or above."""
    from scipy.stats import t

    far = (found.mean - threshold) / found.error
    shown, refuted = t.sf(far, found.freedom), t.cdf(far, found.freedom)
    if found.pivots is not None:
        shown = np.maximum(shown, share_below(-found.pivots[..., ::-1], -far))
        refuted = np.maximum(refuted, share_below(found.pivots, far))
    if np.any(found.alike):
        room = [sign * (found.mean - threshold) / np.maximum(1 + sign * found.mean, TINY) for sign in (1, -1)]
        exact = [(1 - np.clip(each, 0, 1)) ** found.alike for each in room]
        shown, refuted = (np.where(found.alike > 0, e, p) for e, p in zip(exact, (shown, refuted), strict=True))
    return shown, refuted


def reach(found: Difference | Bounds) -> float:
    """Distance of the truth from a threshold that as many items as were ``found`` show with :data:`POWER`."""
    from scipy.stats import norm

    return float((found.quantile + norm.ppf(POWER)) * found.error)


def mcnemar(wins: int, losses: int) -> float:
    """Two-sided mid-p value of McNemar's test.

    Twice the smaller tail of Binomial(wins + losses, 1/2), the observed point counted half
    (Fagerland, Lydersen & Laake 2013, doi:10.1186/1471-2288-13-91).
    """
    from scipy.stats import binom

    n, fewer = wins + losses, min(wins, losses)
    return float(2 * (binom.cdf(fewer, n, 0.5) - binom.pmf(fewer, n, 0.5) / 2)) if n else 1.0


def wilson(rate: float, n: float, confidence: float) -> tuple[float, float]:
    """One-sided lower and upper bound of a rate that was seen over ``n`` items."""
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(rate * n, n, alpha=2 * (1 - confidence), method="wilson")
    return (float(lower) if rate > 0 else 0.0), (float(upper) if rate < 1 else 1.0)  # Rounding misses the ends.


def rate_tails(rate: float, floor: float, n: float) -> tuple[float, float]:
    """One-sided p values of a rate below ``floor``, and of one above it: the score test that Wilson's bounds invert."""
    from scipy.stats import norm

    if not 0 < floor < 1:
        return (0.0, 1.0) if floor <= 0 else (1.0, float(rate >= 1))
    far = (rate - floor) / math.sqrt(floor * (1 - floor) / n)
    return float(norm.sf(far)), float(norm.cdf(far))


def design_effect(values: Floats, clusters: Sequence[str]) -> float:
    """By how much clustering inflates the variance of a mean: from 1 to as if each cluster were one item.

    The fewer clusters are unlike the most common one, the more it is as if each were all or none.
    """
    found = totals(np.asarray(values, dtype=float), clusters)
    seen, most = int(unlike(found).sum()), float(len(values) / effective(found.sizes))
    if not seen:
        return most
    alone = math.sqrt(float(np.var(values, ddof=1)) / len(values)) if len(values) > 1 else 0.0
    ratio = float(clustered(found.sums, found.sizes)) / alone if alone else math.inf
    return (1 - doubt(seen)) * min(max(ratio**2, 1.0), most) + doubt(seen) * most


def reach_of_rate(rate: float, floor: float, confidence: float) -> float:
    """Distance of a rate from ``floor`` that one item shows with :data:`POWER`; over the root of n for n items."""
    from scipy.stats import norm

    return float(norm.ppf(confidence) * math.sqrt(floor * (1 - floor)) + norm.ppf(POWER) * math.sqrt(rate * (1 - rate)))


def items(n: int, reach: float, distance: float) -> int | None:
    """Items after which ``reach``, which shrinks with their root, is down to ``distance``."""
    enough = n * (reach / distance) ** 2 if distance else math.inf
    return max(math.ceil(enough), n + 1) if enough <= _MOST_ITEMS else None


def _widest(  # noqa: PLR0913, PLR0917 — what bounds are made of
    mean: Floats, error: Floats, freedom: Floats, clusters: int, confidence: float, drawn: Floats = None
) -> Bounds:
    """Student's bounds, or those of what was resampled where they are wider."""
    from scipy.stats import t

    quantile = t.ppf(confidence, freedom)
    least, most = (-quantile, quantile) if drawn is None else beyond(drawn, confidence)
    lower, upper = mean - np.maximum(most, quantile) * error, mean - np.minimum(least, -quantile) * error
    return Bounds(mean, error, lower, upper, quantile, freedom, clusters, drawn)


def _of_items(found: Totals, given: Bounds, independent: Floats, confidence: float) -> Bounds:
    """Bounds of changes that lie in -1 … 1, and may all be alike."""
    n = found.sizes.sum(-1)
    alike = n * found.squares.sum(-1) - found.sums.sum(-1) ** 2 <= TINY * n**2
    alike &= given.clusters > 1
    missed = 1 - (1 - confidence) ** (1 / independent)
    low, high = ((1 - missed) * given.mean + end * missed for end in (-1, 1))
    return replace(
        given,
        error=np.where(alike, missed * (1 + np.abs(given.mean)) / given.quantile, given.error),
        lower=np.maximum(np.where(alike, low, given.lower), -1.0),
        upper=np.minimum(np.where(alike, high, given.upper), 1.0),
        alike=np.where(alike, independent, 0),
    )


def _unseen(found: Totals, n: Floats, mean: Floats, independent: Floats) -> Floats:
    """Squared residual of a cluster of typical size all of whose items change the other way; of texts, none."""
    if found.squares is None:
        return np.zeros(np.shape(mean))
    return np.asarray(((1 + np.abs(mean)) * n / independent) ** 2)


def _typical(found: Totals, mean: Floats, differs: Floats, unseen: Floats) -> Floats:
    """Sum of two squared residuals, typical of the clusters of which each ``differs``, and of one ``unseen``."""
    residuals = found.sums - mean[..., None] * found.sizes
    seen = differs.sum(-1)
    weight = np.where(unseen > 0, doubt(seen), 0)
    typical = (1 - weight) * (residuals**2 * differs).sum(-1) / np.maximum(seen, 1) + weight * unseen
    return np.maximum(2 * typical, TINY**2)


def _alone(found: Totals, n: Floats, mean: Floats) -> Floats:
    """Error of independent items, with a typical win and a typical loss added."""
    if found.squares is None:
        return np.zeros(np.shape(mean))
    changed = np.maximum((found.wins + found.losses).sum(-1), 1)
    spread = found.squares.sum(-1) * (1 + 2 / changed) / (n + 2) - (mean * n / (n + 2)) ** 2
    return np.sqrt(np.maximum(spread, TINY) / (n + 2))
