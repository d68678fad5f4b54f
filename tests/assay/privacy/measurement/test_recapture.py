"""Recapture estimates what two detectors both missed, from how often they agree."""

import random

import pytest

from assay.privacy.measurement.recapture import Place, capture_recapture, matched


def test_the_estimate_is_chapmans():
    """n1 = 200, n2 = 150, m = 100: 201 * 151 / 101 - 1, of which 250 were found."""
    found = capture_recapture(set(range(200)), set(range(100, 250)))

    assert (found.first, found.second, found.both, found.found) == (200, 150, 100, 250)
    assert found.total == pytest.approx(201 * 151 / 101 - 1)
    assert found.missed == pytest.approx(found.total - 250)
    assert found.variance == pytest.approx(201 * 151 * 100 * 50 / (101**2 * 102))
    assert 250 < found.lower < found.total < found.upper


def test_independent_detectors_are_seen_through():
    """Of 1,000 values with recall 0.9 and 0.8 the truth lies in 95 % of intervals, give or take."""
    draw, inside, missed = random.Random(7), 0, []
    for _ in range(200):
        first, second = ({n for n in range(1000) if draw.random() < recall} for recall in (0.9, 0.8))
        found = capture_recapture(first, second)
        inside += found.lower <= 1000 <= found.upper
        missed.append(found.missed)

    assert inside >= 180
    assert sum(missed) / 200 == pytest.approx(20, abs=1)


def test_dependent_detectors_make_it_too_low():
    """Which is why it is the least that is missed: here both are blind to the same 100."""
    first, second = set(range(900)), set(range(50, 900))

    assert capture_recapture(first, second).missed == 0


def test_detectors_that_never_agree_bound_nothing():
    """The upper end is absent rather than large."""
    assert capture_recapture({1, 2}, {3}).upper is None
    assert capture_recapture(set(), set()).total == 0


def test_hits_that_overlap_are_one_value():
    """In the same field of the same record, also by way of a third; hits that only touch are two."""
    first = [Place("a", "x", 0, 5), Place("a", "x", 8, 12), Place("b", "x", 0, 5)]
    second = [Place("a", "x", 4, 9), Place("a", "x", 12, 14), Place("b", "y", 0, 5)]

    assert matched(first, second) == ({0, 2}, {0, 1, 3})
