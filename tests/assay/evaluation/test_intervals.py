"""Bounds hold as often as they say, on truths that are known."""

import itertools
import math

import numpy as np
import pytest

from assay.evaluation.comparison import intervals
from assay.evaluation.comparison.clusters import clustered, totals


def shares(n: int, share: float) -> np.ndarray:
    """``n`` items of which ``share`` are right, the right ones spread."""
    return np.floor(np.arange(1, n + 1) * share + 1e-9) > np.floor(np.arange(n) * share + 1e-9)


def simulated(rng, n: int, gain: float, discordance: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs whose true difference is ``gain`` with so large a share of discordant ones."""
    kind = rng.choice(3, size=n, p=[1 - discordance, (discordance + gain) / 2, (discordance - gain) / 2])
    alike = rng.random(n) < 0.6
    return np.where(kind == 0, alike, kind == 2), np.where(kind == 0, alike, kind == 1)


@pytest.mark.parametrize(
    ("wins", "losses", "p_value"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 1 / 32), (1, 5, 2 * (1 / 64 + 6 / 128)), (8, 2, 2 * (11 / 1024 + 45 / 2048))],
)
def test_mcnemar_mid_p_equals_its_value_by_hand(wins, losses, p_value):
    """Twice the tail of a fair coin, the observed point counted half."""
    assert intervals.mcnemar(wins, losses) == pytest.approx(p_value)
    assert intervals.mcnemar(losses, wins) == pytest.approx(p_value)


def test_wilson_bounds_equal_their_values_by_hand():
    """With 45 of 50 right, z = 1.6449: (p̂ + z²/2n ± z √(p̂(1-p̂)/n + z²/4n²)) / (1 + z²/n)."""
    z, n, rate = 1.6448536269514722, 50, 0.9
    centre, width = rate + z * z / (2 * n), z * math.sqrt(rate * 0.1 / n + z * z / (4 * n * n))

    found = intervals.wilson(rate, n, 0.95)

    assert found == pytest.approx(((centre - width) / (1 + z * z / n), (centre + width) / (1 + z * z / n)))
    assert intervals.wilson(1.0, n, 0.95)[0] == pytest.approx(n / (n + z * z))


def test_pairs_that_are_all_alike_are_bounded_exactly():
    """Nothing changed on 100 items: with 95 % confidence at most 1 - 0.05^(1/100) = 2.95 % do change."""
    same = shares(100, 0.5)

    found = intervals.difference(same, same, [str(i) for i in range(100)], 0.95)

    assert (found.lower, found.upper) == pytest.approx((-0.029513, 0.029513), abs=1e-6)
    assert (found.mean, found.wins, found.losses, found.p_value) == (0.0, 0, 0, 1.0)


def test_pairs_that_are_all_won_leave_room_for_one_that_is_not():
    """All hundred items won does not make the gain certain."""
    found = intervals.difference(np.zeros(100), np.ones(100), [str(i) for i in range(100)], 0.95)

    assert 0.9 < found.lower < found.mean == found.upper == 1.0


def test_clustering_widens_bounds_by_its_design_effect():
    """Ten copies of each item are worth one item, apart from the added win and loss."""
    rng = np.random.default_rng(0)
    before, after = rng.random(40) < 0.5, rng.random(40) < 0.5
    clusters = [str(i) for i in range(40)]

    one = totals(after * 1.0 - before, clusters)
    ten = totals(np.repeat(after * 1.0 - before, 10), list(np.repeat(clusters, 10)))

    assert clustered(ten.sums, ten.sizes) == pytest.approx(clustered(one.sums, one.sizes))


def test_one_cluster_says_nothing():
    """Errors of a single subject cannot be told from its peculiarity."""
    found = intervals.difference(shares(50, 0.2), shares(50, 0.9), ["s"] * 50, 0.95)

    assert (found.lower, found.upper) == (-1.0, 1.0)


@pytest.mark.parametrize("base", [0.0, 1.0])
@pytest.mark.parametrize(("groups", "size"), [(1, 60), (6, 20), (20, 10), (50, 31)])
def test_a_record_that_is_lost_widens_no_bound_by_leaps(groups, size, base):
    """From none to one in each of three clusters, bounds close in step by step: none is a third of the one before."""
    clusters = [str(i) for i in np.repeat(np.arange(groups), size)]
    widths = []
    for lost in range(min(groups, 3) + 1):
        changes = np.full(groups * size, base)
        changes[: lost * size : size] = base - 1
        found = intervals.difference(np.maximum(-changes, 0), np.maximum(changes, 0), clusters, 0.95)
        widths.append(found.mean - found.lower)

    assert all(before / 3 < after <= max(before, 1) for before, after in itertools.pairwise(widths))
    assert groups > 1 or min(widths) >= 0.98


def test_a_rate_of_few_subjects_is_that_of_few():
    """Sixty of one subject are one, 120 of six are six, and 60 of sixty are sixty; one miss makes no leap."""
    for groups, size in ((1, 60), (6, 20), (60, 1)):
        clusters = [str(i) for i in np.repeat(np.arange(groups), size)]
        whole, missed = np.ones(groups * size), np.ones(groups * size)
        missed[0] = 0

        assert intervals.design_effect(whole, clusters) == pytest.approx(size)
        assert size / 4 <= intervals.design_effect(missed, clusters) <= size


def test_repeated_requests_are_drawn_together():
    """Thirty requests, each asked twice with the same outcome, tell what thirty do; so they do if not all are."""
    draw = np.random.default_rng(0)
    before, after = draw.lognormal(4, 0.1, 30), draw.lognormal(4.1, 0.1, 30)
    names = [str(i) for i in range(30)]

    once = intervals.medians(before, after, 0.95, names)
    twice = intervals.medians(np.tile(before, 2), np.tile(after, 2), 0.95, names * 2)
    some = intervals.medians(np.r_[before, before[:7]], np.r_[after, after[:7]], 0.95, names + names[:7])

    assert float(twice.error) == pytest.approx(float(once.error), rel=0.15)
    assert (twice.clusters, some.clusters) == (30, 30)
    assert float(some.error) == pytest.approx(float(once.error), rel=0.35)


@pytest.mark.parametrize(("gain", "threshold", "n"), [(-0.03, -0.03, 1200), (0.05, 0.05, 300)])
def test_a_candidate_exactly_at_the_threshold_is_accepted_no_more_often_than_alpha(gain, threshold, n):
    """Five in a hundred, and three standard errors of 500 simulations."""
    rng = np.random.default_rng(1)
    clusters = [str(i) for i in range(n)]

    lower = [intervals.difference(*simulated(rng, n, gain, 0.1), clusters, 0.95).lower for _ in range(500)]

    assert sum(bound > threshold for bound in lower) / 500 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)


def test_items_that_fail_together_do_not_raise_false_acceptance():
    """Forty groups of thirty whose gains differ: independent items would accept far too often."""
    rng, accepted, deceived = np.random.default_rng(2), 0, 0
    clusters = [str(i) for i in np.repeat(np.arange(40), 30)]
    for _ in range(300):
        gains = np.repeat(np.clip(rng.normal(-0.03, 0.05, 40), -0.15, 0.09), 30)
        kind = rng.random(1200)
        lost = kind < (0.2 - gains) / 2
        before, after = lost | (kind >= 0.2), ~lost
        accepted += intervals.difference(before, after, clusters, 0.95).lower > -0.03
        deceived += intervals.difference(before, after, [str(i) for i in range(1200)], 0.95).lower > -0.03

    assert accepted / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)
    assert deceived > accepted


def test_power_is_what_the_detectable_difference_promises():
    """A truth that far from the threshold is shown four times in five."""
    rng, n = np.random.default_rng(3), 1200
    clusters = [str(i) for i in range(n)]
    found = [intervals.difference(*simulated(rng, n, 0.0, 0.1), clusters, 0.95) for _ in range(500)]
    detectable = float(np.mean([intervals.reach(one) for one in found]))

    power = np.mean([one.lower > -detectable for one in found])

    assert power == pytest.approx(0.8, abs=0.06)


def test_a_rate_of_all_or_none_is_bounded_by_one_and_nought_exactly():
    """A floor of 100 % must not rule out who never missed, by the last digit of a double."""
    for n in (1, 5, 8 / 1.3, 200):
        assert intervals.wilson(1.0, n, 0.95)[1] == 1.0
        assert intervals.wilson(0.0, n, 0.95)[0] == 0.0
