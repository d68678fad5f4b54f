"""How far a seed moves a result is said as far as it was measured, and no further."""

import statistics

import pytest

from assay.reporting.spread import LIMIT, UNHELD, UNMEASURED, missing, said, seeds, spreads, unknown
from assay.reporting.training import Repeat
from tests.assay.reporting.trainings import bare, trained

LOSSES = (0.19, 0.2, 0.22, 0.18, 0.21)


def ended(loss: float, score: float | None = None):
    """A training that ended with this held-out loss, and this share of answers right."""
    measured = {"step": 66, "held_out_loss": loss} | ({"exact_match": score} if score is not None else {})
    return trained(measurements=[{"step": 0, "held_out_loss": 2.6, "exact_match": 0.0}, measured])


def of(*trainings):
    """The first is the candidate."""
    return seeds(trainings[0], 1, [Repeat(seed=seed, training=each) for seed, each in enumerate(trainings[1:], 2)])


def test_the_spread_counts_the_candidate_in():
    """Mean, deviation of a sample and range over all seeds, and the difference that may be chance."""
    trained_ = of(*map(ended, LOSSES))
    (found,) = spreads(trained_, None)

    assert [(each.seed, each.is_candidate) for each in trained_[:2]] == [(1, True), (2, False)]
    assert found.values == LOSSES
    assert (found.mean, found.deviation) == pytest.approx((0.2, statistics.stdev(LOSSES)))
    assert found.limit == pytest.approx(LIMIT * statistics.stdev(LOSSES))


def test_what_it_means_is_said_with_its_own_uncertainty():
    """Where the candidate stands, what may be chance, and that five seeds say little of a deviation."""
    (found,) = spreads(of(*map(ended, LOSSES)), None)

    assert said(found, 0.19) == (
        "Held-out loss over 5 seeds: 0.2 on average, standard deviation 0.0158, from 0.18 to 0.22. The candidate has "
        "0.19, number 2 of them from the best; it was not picked for that. Two single trainings that differ by less "
        "than 0.0438 may differ by chance. Of 5 seeds the deviation itself is a rough one."
    )
    assert "the best of them" in said(found, 0.18)
    assert "the worst of them" in said(found, 0.22)


def test_a_metric_of_the_task_is_in_points_and_more_of_it_is_better():
    """Only if every seed was measured by it."""
    every = of(ended(0.2, 0.9), ended(0.2, 0.8))
    _, found = spreads(every, "exact_match")

    assert "standard deviation 7.07 points, from 80.0\u202f% to 90.0\u202f%" in said(found, 0.9)
    assert "the best of them" in said(found, 0.9)
    assert [each.metric for each in spreads(of(ended(0.2, 0.9), bare()), None)] == []


def test_the_kept_weights_are_compared_and_not_the_last():
    """A run that was stopped late is judged by what became of it."""
    late = trained(((0, 2.6), (22, 0.1), (66, 0.9)), kept=22)

    assert of(late)[0].held_out_loss == 0.1


def test_one_seed_is_said_to_be_one():
    """With how to measure more; and that seeds without held-out records say nothing."""
    assert unknown(of(trained())) == UNMEASURED
    assert "repeat_seeds" in UNMEASURED
    assert unknown(of(bare(), bare())) == UNHELD


def test_a_seed_whose_training_failed_is_said():
    """A spread over fewer seeds than were asked for must not look whole."""
    assert missing([2, 3, 4], [3]) == ["With seed 2, 4 training failed: the steps of the run say why."]
    assert missing([2], [2]) == missing(None, []) == []
