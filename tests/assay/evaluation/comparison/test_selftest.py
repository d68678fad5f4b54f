"""Arms that are alike by construction are seldom told apart, and a gate that tells them apart is found out."""

import time

import numpy as np

from assay.evaluation.comparison import compare, intervals, selftest
from assay.evaluation.comparison.clusters import totals
from assay.evaluation.comparison.selftest import self_test, swapped
from tests.assay.evaluation.test_comparison import ABLE, BASELINE, GATE, arm
from tests.assay.evaluation.test_intervals import shares, simulated

CLUSTERS = [f"s{i % 150}" for i in range(300)]


def alike(seed: int = 0) -> tuple:
    """Three hundred pairs of which a fifth differ."""
    return (*(scores.astype(float) for scores in simulated(np.random.default_rng(seed), 300, 0.05, 0.2)), CLUSTERS)


def test_a_thousand_pairs_of_like_arms_give_no_more_than_chance():
    """Neither gains nor losses, in well under a second."""
    started = time.process_time()

    found = self_test(alike(), alike(1), 0.95)

    assert time.process_time() - started < 1
    assert found.resamples == 1000
    assert found.lower <= 0.05
    assert max(found.found, found.lost) / 1000 < found.upper < 0.09


def test_scores_go_through_resampling_as_in_the_gate():
    """Half scores are bounded as the gate bounds them."""
    before, after, clusters = alike()

    found = self_test((before / 2, after / 2, clusters), alike(1), 0.95, resamples=300)

    assert found.lower <= 0.05


def test_a_gate_that_forgets_its_clusters_is_found_out(monkeypatch):
    """Items of one subject that move together, each taken for a subject of its own."""
    draw = np.random.default_rng(3)
    gains = np.repeat(draw.choice([-1.0, 0.0, 1.0], size=60, p=[0.2, 0.6, 0.2]), 5)
    items = (np.maximum(-gains, 0), np.maximum(gains, 0), [str(i // 5) for i in range(300)])
    right = self_test(items, items, 0.95)
    bounds = intervals.bounds
    monkeypatch.setattr(
        selftest.intervals,
        "bounds",
        lambda found, confidence, *, resample: bounds(_apart(found), confidence, resample=resample),
    )

    wrong = self_test(items, items, 0.95)

    assert right.lower <= 0.05
    assert wrong.lower > 0.1


def _apart(found):
    """Each cluster of five cut into five of one item."""
    fields = (found.sizes, found.sums, found.squares, found.wins, found.losses)
    return type(found)(*(np.repeat(field / 5, 5, axis=-1) for field in fields))


def test_swapping_keeps_what_it_swaps():
    """Wins become losses with their items, and sizes stay with their clusters."""
    before, after, clusters = alike()
    whole = totals(after - before, clusters)

    found = swapped(whole, 500, np.random.default_rng(0))

    assert np.array_equal(found.sums, found.wins - found.losses)
    assert np.array_equal(found.squares, found.wins + found.losses)
    assert abs(found.sums.mean()) < 0.02


def test_every_verdict_carries_its_self_test_and_says_the_same_twice():
    """It is seeded."""
    candidate = arm("b", shares(300, 0.8), ABLE)

    first, second = (compare(BASELINE, candidate, GATE).self_test for _ in range(2))

    assert first == second
    assert first.resamples == 1000
