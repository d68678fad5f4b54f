"""What stands out by its loss at the last visit is listed; what does not, and what cannot be told, is not."""

import random

import pytest

from assay.data.hardness import LAST, LEAST, NEVER, Learned, bounds, find, judged


def examples(count: int = 200, epochs: int = 2, seed: int = 1, fall: float = 10.0) -> list[Learned]:
    """Losses that fall ``fall``-fold from epoch to epoch, each with its own luck."""
    draw = random.Random(seed)
    return [
        Learned(f"r{n:03}", tuple((n + count * e, draw.lognormvariate(0, 0.3) / fall**e) for e in range(epochs)))
        for n in range(count)
    ]


def test_an_example_that_loses_at_its_last_visit_what_others_lost_at_their_first_was_never_learned():
    """And is worth more doubt the more it loses."""
    hard = [Learned("x1", ((3, 1.0), (203, 3.0))), Learned("x2", ((4, 4.0), (204, 5.0)))]

    found = find([*examples(), *hard])

    assert [(suspect.id, suspect.kind) for suspect in found] == [("x2", NEVER), ("x1", NEVER)]
    assert 0.5 < found[1].doubt < found[0].doubt < 1
    assert found[0].reason == "5 nats a token at its last visit (step 204); learned is at most 1.2: never"
    assert found[1].reason.endswith("it was within that at step 3, and lost again")


def test_one_that_is_learned_and_far_out_was_learned_last():
    """Less than what others lost at first, and more than they lose by now."""
    found = find([*examples(), Learned("late", ((3, 2.0), (203, 0.6)))])

    assert [(suspect.id, suspect.kind) for suspect in found] == [("late", LAST)]
    assert found[0].doubt < 0.5


def test_with_more_epochs_one_that_was_learned_only_at_the_end_was_learned_last():
    """Whatever it lost when it was first seen."""
    late = Learned("late", ((3, 1.0), (203, 4.0), (403, 0.01)))

    found = find([*examples(epochs=3, seed=2), late])

    assert [(suspect.id, suspect.kind) for suspect in found] == [("late", LAST)]


@pytest.mark.parametrize("fall", [1.0, 1.1])
def test_where_nothing_was_learned_hardly_anything_stands_out(fall: float):
    """A quarter of all would, if they were only held against first visits."""
    seen = examples(fall=fall)

    assert sum(each.last > bounds(seen).learned for each in seen) > 0.1 * len(seen)
    assert len(find(seen)) <= 0.02 * len(seen)


def test_examples_without_a_second_visit_and_few_examples_are_not_judged():
    """One epoch tells a late example from a hard one as little as ten examples have quartiles."""
    assert find(examples(epochs=1)) == []
    assert find(examples(LEAST - 1)) == []
    assert len(judged([*examples(), Learned("once", ((1, 9.0),)), Learned("unseen", ())])) == 200


def test_losses_of_nothing_divide_by_nothing():
    """A model that knows everything by heart."""
    assert find([Learned(f"r{n}", ((n, 0.0), (n + 99, 0.0))) for n in range(99)]) == []
