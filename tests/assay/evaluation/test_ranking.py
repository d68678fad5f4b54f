"""The better point comes first, whichever way its metric counts; seeds are chance, and chance is not chosen."""

import statistics

import pytest

from assay.errors import TrainingError
from assay.evaluation.ranking import rank

RATES = [{"training.learning_rate": rate} for rate in (0.1, 0.2, 0.3)]


def seeded(*rates: float, seeds: int = 3) -> list[dict]:
    """Points that differ in rate and seed."""
    return [{"training.learning_rate": rate, "training.seed": seed} for rate in rates for seed in range(seeds)]


def test_less_loss_is_better_and_more_of_everything_else():
    """The same values in both orders."""
    by_loss, by_match = rank(RATES, [0.3, 0.1, 0.2], "held_out_loss"), rank(RATES, [0.3, 0.1, 0.2], "exact_match")

    assert [group.points for group in by_loss.groups] == [(1,), (2,), (0,)]
    assert [group.points for group in by_match.groups] == [(0,), (2,), (1,)]
    assert (by_loss.winner, by_match.winner) == (1, 0)
    assert by_loss.lead == pytest.approx(0.1)
    assert by_match.lead == pytest.approx(0.1)


def test_one_seed_has_no_spread_and_shows_nothing_about_chance():
    """A lead that may be chance is not called one that is not."""
    found = rank(RATES, [0.3, 0.1, 0.2], "held_out_loss")

    assert found.spread is None
    assert not found.is_shown


def test_points_that_differ_in_their_seed_alone_are_one_group():
    """Its mean and standard deviation are those of its values; the lead is held against the larger deviation."""
    values = [0.50, 0.52, 0.54, 0.40, 0.41, 0.42]

    found = rank(seeded(0.1, 0.2), values, "held_out_loss")

    best, other = found.groups
    assert best.settings == {"training.learning_rate": 0.2}
    assert best.points == (3, 4, 5)
    assert best.mean == pytest.approx(statistics.fmean(values[3:]))
    assert found.spread == pytest.approx(statistics.stdev(values[:3]))
    assert other.deviation == found.spread
    assert found.is_shown


def test_a_lead_within_the_spread_is_not_shown():
    """Seeds alone moved it by more."""
    assert not rank(seeded(0.1, 0.2), [0.5, 0.6, 0.7, 0.49, 0.59, 0.69], "held_out_loss").is_shown


def test_the_seed_named_first_is_run_and_not_the_luckiest():
    """To take the luckiest would be to choose chance."""
    assert rank(seeded(0.1), [0.6, 0.4, 0.5], "held_out_loss").winner == 0


def test_points_that_failed_come_last_and_a_group_that_lost_one_before_them():
    """A setting that diverges with one seed in three is not the best because two went well."""
    found = rank(seeded(0.1, 0.2, 0.3, seeds=2), [0.1, None, 0.5, 0.5, None, None], "held_out_loss")

    assert [group.points for group in found.groups] == [(2, 3), (0, 1), (4, 5)]
    assert [group.is_whole for group in found.groups] == [True, False, False]
    assert found.groups[2].mean is None


def test_of_nothing_nothing_can_be_chosen():
    """Every point failed."""
    with pytest.raises(TrainingError, match="found no point that was trained to its end"):
        rank(RATES, [None, None, None], "held_out_loss")
