"""Bounds hold as often as they say, and chance is what an exposure of nothing is held against."""

import math

import numpy as np
import pytest

from assay.evaluation.memorisation import bounds

K = 100


def unseen(draw: np.random.Generator, n: int) -> list[float]:
    """Exposures of secrets that were never seen."""
    return list(bounds.ceiling(K) - np.log2(draw.integers(1, K + 2, size=n)))


def test_chance_is_near_1_44_bits_and_stays_under_the_ceiling():
    """1/ln 2 in the limit; fewer others give less."""
    assert bounds.chance(10_000) == pytest.approx(1 / math.log(2), abs=0.01)
    assert 1.3 < bounds.chance(K) < 1 / math.log(2) < bounds.ceiling(K) == pytest.approx(6.658, abs=0.001)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_both_bounds_of_an_excess_hold_at_95_per_cent(shift):
    """Over 2,000 simulated audits each, whatever the excess."""
    draw = np.random.default_rng(5)
    found = [bounds.excess([each + shift for each in unseen(draw, 9)], K, 0.95) for _ in range(2000)]

    below = np.mean([each.upper >= shift for each in found])
    above = np.mean([each.lower <= shift for each in found])
    assert below == pytest.approx(0.95, abs=0.015)
    assert above == pytest.approx(0.95, abs=0.015)


def test_p_values_agree_with_the_bounds():
    """Where the upper bound meets the limit, little is left to chance."""
    exposures = unseen(np.random.default_rng(1), 9)
    found = bounds.excess(exposures, K, 0.95)

    assert bounds.tails(exposures, K, found.upper)[0] == pytest.approx(0.05, abs=0.01)
    assert bounds.tails(exposures, K, found.lower)[1] == pytest.approx(0.05, abs=0.01)


def test_bounds_of_a_share_are_exact():
    """Clopper and Pearson: none of 100, all of 3, and the rule of three."""
    assert bounds.share(0, 100, 0.95).upper == pytest.approx(1 - 0.05 ** (1 / 100))
    assert bounds.share(3, 3, 0.95).lower == pytest.approx(0.05 ** (1 / 3))
    assert (bounds.share(0, 5, 0.95).lower, bounds.share(5, 5, 0.95).upper) == (0.0, 1.0)
    assert bounds.enough(0.03, 0.95) == 99


def test_few_twins_allow_no_false_alarm():
    """With nine of them the threshold lies below the lowest."""
    found = bounds.told([0.5, 1.5, 2.5], [1.0, *range(2, 10)], 0.95)

    assert (found.found, found.of) == (1, 3)


def test_canaries_still_needed_grow_as_the_limit_comes_near():
    """By the square of the distance; none would decide at the limit itself."""
    found = bounds.Excess(1.0, 0.2, 2.1, 0.5)

    near, far = bounds.needed(found, 9, 1.2, 0.95), bounds.needed(found, 9, 1.8, 0.95)
    assert near is not None
    assert far is not None
    assert 10 * far < near * 1.0 < 20 * far
    assert bounds.needed(found, 9, 1.0, 0.95) is None
