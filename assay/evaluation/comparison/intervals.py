"""Intervals: what paired items say of the truth behind them.

Bounds of a mean difference: its mean ± Student's t x standard error, clustered by subject (test records)
or group (general ability) as in Miller 2024 (arXiv:2411.00640), with G - 1 degrees of freedom and
the factor G / (G - 1) for G clusters. Clustering never narrows a bound: the error is at least that
of independent items, for right-or-wrong metrics in the form that adds a win and a loss (Bonett &
Price 2012, doi:10.3102/1076998611411915), which holds up where few pairs differ. If all pairs
differ alike, the sample shows no spread; what it may have missed is then bounded exactly: with
confidence c, at most a share q = 1 - (1 - c)^(1/n) of all items, differing by at most 1, is unlike
what was seen. Bounds of a rate are Wilson's (1927), with n divided by the clustering's design effect.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

VERSION = 1

POWER = 0.8
"""Of what :func:`reach` and :func:`items` promise."""

_MOST_ITEMS = 10_000_000
"""No advice to gather more items than this is given."""

Floats = Any
"""An array of float64."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference, in 0 … 1, and what is known of it."""

    mean: float
    error: float
    """Standard error; ``inf`` if there is but one cluster."""

    lower: float
    upper: float
    quantile: float
    """Of Student's t, so that ``mean - quantile x error`` is ``lower``."""

    n: int
    clusters: int
    wins: int
    losses: int
    p_value: float


def difference(
    before: Sequence[float], after: Sequence[float], clusters: Sequence[str], confidence: float
) -> Difference:
    """Bound the mean of ``after - before`` over paired items whose scores are in 0 … 1."""
    from scipy.stats import t

    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    changes = second - first
    n, groups = len(changes), len(set(clusters))
    binary = set(np.unique(np.concatenate([first, second]))) <= {0.0, 1.0}
    mean = float(changes.mean())
    wins, losses = int((changes > 0).sum()), int((changes < 0).sum())
    quantile = float(t.ppf(confidence, max(groups - 1, 1)))
    if np.ptp(changes) == 0:
        missed = 1 - (1 - confidence) ** (1 / n)
        lower, upper = (1 - missed) * mean - missed, (1 - missed) * mean + missed
        error = (mean - lower) / quantile
    else:
        error = _error(changes, clusters, binary=binary)
        lower, upper = mean - quantile * error, mean + quantile * error
    p_value = mcnemar(wins, losses) if binary else 2 * float(t.sf(abs(mean) / error, max(groups - 1, 1)))
    return Difference(
        mean, error, max(lower, -1.0), min(upper, 1.0), quantile, n, groups, wins, losses, min(p_value, 1.0)
    )


def reach(found: Difference) -> float:
    """Distance of the truth from a threshold that as many items as were ``found`` show with :data:`POWER`."""
    from scipy.stats import norm

    return (found.quantile + float(norm.ppf(POWER))) * found.error


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
    return max(float(lower), 0.0), min(float(upper), 1.0)


def clustered_error(values: Floats, clusters: Sequence[str]) -> float:
    """Standard error of the mean of ``values``, which may be alike within a cluster; ``inf`` for one cluster."""
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(codes, weights=values - values.mean())
    groups = len(sums)
    return math.sqrt(groups / (groups - 1) * float((sums**2).sum())) / len(values) if groups > 1 else math.inf


def _error(changes: Floats, clusters: Sequence[str], *, binary: bool) -> float:
    n = len(changes)
    if not binary:
        return max(clustered_error(changes, clusters), float(changes.std(ddof=1)) / math.sqrt(n))
    wins, losses = ((changes > 0).sum() + 1) / (n + 2), ((changes < 0).sum() + 1) / (n + 2)
    return max(clustered_error(changes, clusters), math.sqrt((wins + losses - (wins - losses) ** 2) / (n + 2)))


def design_effect(values: Floats, clusters: Sequence[str]) -> float:
    """By how much clustering inflates the variance of a mean: from 1 to as if each cluster were one item."""
    n, groups = len(values), len(set(clusters))
    alone = clustered_error(values, [str(i) for i in range(n)])
    if alone == 0 or groups == n:
        return 1.0
    return min(max((clustered_error(values, clusters) / alone) ** 2, 1.0), n / groups)


def reach_of_rate(rate: float, floor: float, confidence: float) -> float:
    """Distance of a rate from ``floor`` that one item shows with :data:`POWER`; over the root of n for n items."""
    from scipy.stats import norm

    return float(norm.ppf(confidence) * math.sqrt(floor * (1 - floor)) + norm.ppf(POWER) * math.sqrt(rate * (1 - rate)))


def items(n: int, reach: float, distance: float) -> int | None:
    """Items after which ``reach``, which shrinks with their root, is down to ``distance``."""
    enough = n * (reach / distance) ** 2 if distance else math.inf
    return max(math.ceil(enough), n + 1) if enough <= _MOST_ITEMS else None
