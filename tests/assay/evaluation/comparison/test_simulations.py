"""The claims of ``bench/measure_gate.py`` that matter most, on fewer simulations and with its own simulated truths."""

import numpy as np
import pytest

from assay.evaluation.comparison import intervals
from assay.evaluation.comparison.clusters import Totals, totals
from assay.evaluation.holm import holm
from bench import measure_gate
from bench.measure_gate import bounded, simulated

ROWS = 300
CHANCE = 0.05 + 3 * np.sqrt(0.05 * 0.95 / ROWS)
"""What a rate of 5 % may come to, but for one time in a thousand."""


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(("kind", "n"), [("binary", 80), ("binary", 300), ("scores", 300)])
@pytest.mark.parametrize("margin", [-0.03, 0.1])
def test_a_candidate_at_its_margin_is_seldom_accepted_and_seldom_refused(kind, n, margin, clustered):
    """On either side of it, five times in a hundred."""
    found = bounded(simulated(kind, n, margin, 0.3, rows=ROWS, clustered=clustered), kind, 0.95)

    for p in intervals.tails(found, margin):
        assert (p <= 0.05).mean() <= CHANCE


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(("kind", "n"), [("binary", 80), ("binary", 1500), ("scores", 80), ("scores", 300)])
def test_intervals_hold_the_truth_as_often_as_they_say(kind, n, clustered):
    """Between 93 and 97 % of the time, and three standard errors of so few simulations."""
    found = bounded(simulated(kind, n, -0.02, 0.2, rows=ROWS, clustered=clustered), kind, 0.975)

    assert 0.93 - 0.044 <= ((found.lower < -0.02) & (found.upper > -0.02)).mean() <= 0.97 + 0.03


@pytest.mark.parametrize("part", ["texts", "formats", "families"])
def test_the_other_claims_hold_too(part):
    """Perplexity from 400 texts on, the floor, and a dozen slices, which Holm keeps to the refusals of one."""
    lines = [line for line in measure_gate.PARTS[part](ROWS) if not (line.setting == "perplexity" and line.n < 400)]

    assert lines
    assert all(line.found <= CHANCE or "coverage" in line.claim or "without" in line.claim for line in lines)
    assert all(line.met for line in lines if line.claim == "coverage")


def test_subjects_that_change_as_a_whole_are_seldom_accepted_at_the_margin():
    """Records of a subject may all fail together, and a run may hold none that did."""
    lines = [line for line in measure_gate.wholes(ROWS) if "100 subjects of 3, some" not in line.setting]

    assert len(lines) == 45
    assert all(line.found <= CHANCE + 0.02 * ("format" in line.setting) for line in lines)


def test_without_a_correction_a_dozen_slices_would_refuse_every_other_candidate():
    """All of them at their margins; this is why refusals are corrected and acceptances are not."""
    lines = {line.claim: line for line in measure_gate.families(ROWS) if "at its margin" in line.setting}

    assert lines["false refusal, without"].found > 0.3
    assert lines["false refusal, with Holm"].found <= CHANCE


@pytest.mark.parametrize("kind", ["binary", "scores"])
def test_a_bound_clears_a_threshold_exactly_where_its_p_is_small(kind):
    """Lower and upper, above and below, on clustered items."""
    found = bounded(simulated(kind, 80, 0.05, 0.3, rows=ROWS, clustered=True), kind, 0.95)

    for threshold in (-0.05, 0.0, 0.03, 0.05, 0.1, 0.2):
        shown, refuted = intervals.tails(found, threshold)
        assert np.array_equal(found.lower > threshold, shown <= 0.05)
        assert np.array_equal(found.upper < threshold, refuted <= 0.05)


def test_many_rows_are_bounded_as_each_of_them_alone():
    """A thousand samples go through the code that one goes through."""
    many = simulated("scores", 80, 0.05, 0.3, rows=5, clustered=True)
    rows = bounded(many, "scores", 0.95)

    for i in range(5):
        one = Totals(*(part[i] for part in (many.sizes, many.sums, many.squares, many.wins, many.losses)))
        alone = bounded(one, "scores", 0.95)
        assert (float(alone.lower), float(alone.upper)) == pytest.approx((rows.lower[i], rows.upper[i]))


def test_a_median_ratio_covers_its_truth():
    """Thirty requests of one length."""
    draw = np.random.default_rng(0)
    before, after = (draw.lognormal(mean, 0.1, (60, 30)) for mean in (4.0, 4.2))

    found = intervals.medians(before, after, 0.975)

    assert ((found.lower < 0.2) & (found.upper > 0.2)).mean() >= 0.86


@pytest.mark.parametrize("change", [0.0, 0.5, 1.0, -1.0])
def test_pairs_that_are_all_alike_have_p_values_that_agree_with_their_bounds(change):
    """Nothing is divided by nought."""
    found = intervals.bounds(totals(np.full(100, change), [str(i) for i in range(100)]), 0.95, resample=change == 0.5)

    for threshold in (-0.5, -0.03, -0.02, 0.0, 0.02, 0.03, 0.48, 0.9, 0.99):
        shown, refuted = intervals.tails(found, threshold)
        assert (found.lower > threshold) == (shown <= 0.05)
        assert (found.upper < threshold) == (refuted <= 0.05)
        assert 0 <= shown <= 1
        assert 0 <= refuted <= 1


@pytest.mark.parametrize("floor", [0.0, 0.5, 0.95, 1.0])
def test_a_floor_has_p_values_that_agree_with_wilson(floor):
    """At the ends, too."""
    for kept in range(0, 41, 4):
        shown, refuted = intervals.rate_tails(kept / 40, floor, 40)
        lower, upper = intervals.wilson(kept / 40, 40, 0.95)
        assert (lower >= floor) == (shown <= 0.05)
        assert (upper < floor) == (refuted <= 0.05)


def test_holm_never_refuses_what_no_p_refuses():
    """A correction only takes away."""
    p = np.random.default_rng(2).random((50, 6))

    assert (holm(p) >= p).all()
