"""Weights are chosen by what the validation side says, and training ends when it has nothing more to say."""

from assay.model import selection
from assay.tuning import SelectionSpec


def curve(*losses: float) -> list[dict[str, float]]:
    """Measured at step 0 and every ten steps."""
    return [{"step": 10 * place, "held_out_loss": loss} for place, loss in enumerate(losses)]


def test_the_best_is_strictly_better_than_what_came_before():
    """Of equals the earlier."""
    asked = SelectionSpec(keep="best")

    assert selection.chosen(curve(9, 3, 2, 2, 4), asked)["step"] == 20
    assert selection.chosen(curve(9, 3, 2, 2, 4), SelectionSpec())["step"] == 40


def test_untrained_weights_are_no_candidate():
    """Even if training made everything worse."""
    assert selection.best(curve(1, 3, 2), SelectionSpec(keep="best"))["step"] == 20


def test_patience_counts_measurements_that_better_none():
    """From the best on."""
    asked = SelectionSpec(patience=2)

    assert not selection.is_exhausted(curve(9, 3, 4), asked)
    assert selection.is_exhausted(curve(9, 3, 4, 3), asked)
    assert not selection.is_exhausted(curve(9, 3, 4, 2), asked)
    assert not selection.is_exhausted(curve(9, 3, 4, 5, 6), SelectionSpec())


def test_a_share_of_answers_is_better_when_higher():
    """Unlike a loss."""
    asked = SelectionSpec(metric="exact_match", answers=10, keep="best")
    measured = [
        {"step": s, "held_out_loss": 1.0, "exact_match": v} for s, v in ((0, 0.9), (5, 0.2), (10, 0.6), (15, 0.5))
    ]

    assert selection.best(measured, asked)["step"] == 10
