"""Bounds: what a few canaries say of how much a model has memorised.

**Exposure.** A secret that was never seen is drawn as those that it is ranked among, so each of the K + 1 ranks is
equally likely: what chance does to the mean exposure of n such secrets is known exactly and need not be estimated (it
is near a gamma distribution with a mean of 1/ln 2 = 1.44 bits). A canary that training has made d bits likelier is
taken to be exposed d bits more. The bounds of the mean of d are then the mean exposure less a quantile of the mean
under chance, whether the canaries' d are alike or not; the quantiles are counted in :data:`DRAWS` seeded draws. Near
the ceiling log2(K + 1) an exposure cannot show more, so a bound there is one from below.

**Shares** have exact bounds (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VERSION = 1

DRAWS = 100_000
"""Of the mean under chance; a quantile moves by some 0.003 bits with them."""

FALSE_ALARMS = 0.01
"""Share of twins that a threshold on the loss may take for canaries."""

POWER = 0.8

_MOST = 1_000_000

Floats = Any
"""An array of float64."""


@dataclass(frozen=True, slots=True)
class Excess:
    """By how many bits canaries are likelier than secrets never seen, on the mean."""

    mean: float
    lower: float
    upper: float
    deviation: float
    """Of the mean under chance."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    found: int
    of: int
    lower: float
    upper: float


def ceiling(others: int) -> float:
    """Most exposure that can be seen among so many others, in bits."""
    return math.log2(others + 1)


def chance(others: int) -> float:
    """Mean exposure of a secret that was never seen, in bits."""
    return ceiling(others) - sum(math.log2(rank) for rank in range(1, others + 2)) / (others + 1)


def excess(exposures: Sequence[float], others: int, confidence: float) -> Excess:
    """Bound the mean excess, each side at ``confidence``."""
    under, deviation = _means(len(exposures), others)
    mean = sum(exposures) / len(exposures)
    least = math.floor((1 - confidence) * DRAWS)
    low, high = float(under[least]), float(under[-1 - least])
    return Excess(mean - chance(others), mean - high, mean - low, deviation)


def tails(exposures: Sequence[float], others: int, limit: float) -> tuple[float, float]:
    """One-sided p-values: that so little comes of an excess of ``limit`` or more, and so much of ``limit`` or less."""
    import numpy as np

    under, _ = _means(len(exposures), others)
    seen, slack = sum(exposures) / len(exposures) - limit, 1e-9
    few, many = np.searchsorted(under, seen + slack, "right"), np.searchsorted(under, seen - slack, "left")
    return _share(int(few)), _share(DRAWS - int(many))


def needed(found: Excess, n: int, limit: float, confidence: float) -> int | None:
    """Canaries that would show on which side of ``limit`` the excess is, if it is what was found."""
    distance = abs(limit - found.mean)
    many = n * (reach_of(found, confidence) / distance) ** 2 if distance else math.inf
    return max(math.ceil(many), n + 1) if many <= _MOST else None


def reach_of(found: Excess, confidence: float) -> float:
    """Distance from a limit that as many canaries show with :data:`POWER`, in bits."""
    from scipy.stats import norm

    return float(norm.ppf(confidence) + norm.ppf(POWER)) * found.deviation


def share(found: int, of: int, confidence: float) -> Share:
    """Bound a share, each side at ``confidence``."""
    from scipy.stats import beta

    lower = float(beta.ppf(1 - confidence, found, of - found + 1)) if found else 0.0
    upper = float(beta.ppf(confidence, found + 1, of - found)) if found < of else 1.0
    return Share(found, of, lower, upper)


def told(inserted: Sequence[float], twins: Sequence[float], confidence: float) -> Share:
    """Canaries whose loss is below that of all but :data:`FALSE_ALARMS` of the twins."""
    threshold = sorted(twins)[int(FALSE_ALARMS * len(twins))]
    return share(sum(loss < threshold for loss in inserted), len(inserted), confidence)


def least(of: int, confidence: float) -> float:
    """Upper bound of a share of which nothing was found: 1 - (1 - c)^(1/n)."""
    return 1 - float((1 - confidence) ** (1 / of))


def enough(limit: float, confidence: float) -> int:
    """Prompts without a hit that show a rate of at most ``limit``: log(1 - c) / log(1 - limit)."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - limit) - 1e-9) if 0 < limit < 1 else 0


@functools.lru_cache(maxsize=16)
def _means(n: int, others: int) -> tuple[Floats, float]:
    """Mean exposures of n secrets that were never seen, in :data:`DRAWS` draws, ascending; and their deviation."""
    import numpy as np

    draw = np.random.default_rng(0)
    total = np.zeros(DRAWS)
    for _ in range(n):
        total += ceiling(others) - np.log2(draw.integers(1, others + 2, size=DRAWS))
    return np.sort(total / n), float(total.std() / n)


def _share(count: int) -> float:
    return (count + 1) / (DRAWS + 1)
