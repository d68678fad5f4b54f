"""Tails behind a shared trunk weigh what they weigh when each is read alone."""

import pytest

from assay.evaluation import generation
from assay.evaluation.memorisation import exposure
from tests import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two layers, float32."""
    return generation.load(tiny_model.build(tmp_path_factory.mktemp("tiny")), "float32", 1)[0]


def alone(model, trunk, tail) -> float:
    """Log-probability of a tail, read in one row."""
    import torch

    with torch.inference_mode():
        ids = torch.tensor([[*trunk, *tail]])
        logged = model(input_ids=ids).logits[0].log_softmax(-1)
    return float(sum(logged[len(trunk) + i - 1, token] for i, token in enumerate(tail)))


def test_a_trunk_read_once_gives_what_whole_rows_give(model):
    """Whatever the tails' lengths, and however many are read together."""
    trunk = [1, 50, 60, 70, 80]
    tails = [[90], [91, 92, 93], [94, 95], [30 + n for n in range(7)]] * 40

    found = exposure.weigh(model, trunk, tails)

    assert found[:4] == pytest.approx([alone(model, trunk, tail) for tail in tails[:4]], abs=1e-4)
    assert found[-4:] == pytest.approx(found[:4], abs=1e-4)


def test_rows_are_cut_where_they_part_and_where_they_meet_again():
    """What comes after every secret weighs nothing."""
    assert exposure.apart([[1, 2, 3, 4, 9, 8], [1, 2, 5, 6, 9, 8], [1, 2, 3, 7, 9, 8]]) == (
        [1, 2],
        [[3, 4], [5, 6], [3, 7]],
    )
    assert exposure.apart([[1, 2, 2], [1, 2, 2, 2]]) == ([1, 2], [[2], [2, 2]])
    trunk, tails = exposure.apart([[1, 5, 7], [1, 6, 6, 7]])
    assert (trunk, tails) == ([1], [[5], [6, 6]])


def test_the_likeliest_secret_is_at_the_ceiling_and_the_least_likely_at_zero():
    """A tie counts against the model."""
    assert exposure.exposure(-1.0, [-2.0, -3.0, -4.0]) == 2.0
    assert exposure.exposure(-9.0, [-2.0, -3.0, -4.0]) == 0.0
    assert exposure.exposure(-2.0, [-2.0, -3.0, -4.0]) == 2.0
