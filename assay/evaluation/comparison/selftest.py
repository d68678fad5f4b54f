"""Self-test: how often the gate sees a difference where there is none, on this run's own items (an A/A test).

Two arms are made alike by construction: clusters are drawn with replacement, and for each a coin decides which model's
answers count as the baseline's. Whatever difference is left is chance. The draws go through the very bounds that the
gate uses, so this tests the gate, its items and their clusters together, and not a formula of its own.
"""

from collections.abc import Sequence

import numpy as np

from assay.evaluation.comparison import intervals
from assay.evaluation.comparison.clusters import Floats, Totals, totals
from assay.evaluations import SelfTest

RESAMPLES = 1000
_SEED = 20


def self_test(
    target: tuple[Sequence[float], Sequence[float], Sequence[str]],
    ability: tuple[Sequence[float], Sequence[float], Sequence[str]],
    confidence: float,
    resamples: int = RESAMPLES,
) -> SelfTest:
    """Count false gains on the target and false losses of general ability.

    Args:
        target: Scores of baseline and candidate on the test records, and the subject of each.
        ability: The same of the general-ability items, and the group of each.
        confidence: Of each one-sided bound.
        resamples: How many pairs of arms are made.
    """
    gained = int((_alike(target, confidence, resamples).lower > 0).sum())
    lost = int((_alike(ability, confidence, resamples).upper < 0).sum())
    worse = max(gained, lost)
    return SelfTest(
        resamples=resamples,
        found=gained,
        lost=lost,
        lower=_exact(worse, resamples, confidence, "greater"),
        upper=_exact(worse, resamples, confidence, "less"),
    )


def _alike(
    items: tuple[Sequence[float], Sequence[float], Sequence[str]], confidence: float, resamples: int
) -> intervals.Bounds:
    before, after = (np.asarray(scores, dtype=float) for scores in items[:2])
    drawn = swapped(totals(after - before, items[2]), resamples, np.random.default_rng(_SEED))
    return intervals.bounds(drawn, confidence, resample=not intervals.right_or_wrong(before, after))


def swapped(found: Totals, resamples: int, draw: np.random.Generator) -> Totals:
    """Clusters drawn with replacement, in each of which the two models may have changed places."""
    clusters = found.sizes.shape[-1]
    drawn = draw.integers(clusters, size=(resamples, clusters))
    turned = draw.integers(2, size=drawn.shape, dtype=np.int8) == 1
    wins, losses = found.wins[drawn], found.losses[drawn]
    sums = found.sums[drawn]
    return Totals(
        sizes=found.sizes[drawn],
        sums=np.where(turned, -sums, sums),
        squares=found.squares[drawn],
        wins=np.where(turned, losses, wins),
        losses=np.where(turned, wins, losses),
    )


def _exact(found: int, of: int, confidence: float, alternative: str) -> Floats:
    """One-sided bound of a share (Clopper & Pearson 1934): from above if it may be ``less``."""
    from scipy.stats import binomtest

    interval = binomtest(found, of, alternative=alternative).proportion_ci(confidence, method="exact")
    return float(interval.high if alternative == "less" else interval.low)
