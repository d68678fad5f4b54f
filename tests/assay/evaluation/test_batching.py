"""What an item is read with follows from its own length."""

import random

import pytest

from assay.evaluation import batching


@pytest.mark.parametrize("seed", range(5))
def test_the_shape_of_an_items_batch_does_not_hang_on_other_items(seed):
    """Whatever else there is, and in whatever order."""
    dice = random.Random(seed)
    lengths = {place: dice.randint(1, 90) for place in range(60)}
    some = dict(dice.sample(sorted(lengths.items()), 20))

    def shapes(chosen):
        found = batching.batches(chosen, 16, 256, 8)
        return {place: (batch.length, batch.rows) for batch in found for place in batch.places}

    assert shapes(some).items() <= shapes(lengths).items()


def test_every_item_is_read_once():
    """None is lost, none is asked twice."""
    found = batching.batches({place: place % 7 + 1 for place in range(50)}, 4, 32, 8)

    assert sorted(place for batch in found for place in batch.places) == list(range(50))
    assert all(len(batch.filled) == batch.rows for batch in found)


def test_a_batch_keeps_to_its_budget_unless_one_item_is_longer():
    """Then that item goes alone."""
    found = batching.batches({0: 30, 1: 100, 2: 31}, 16, 64, 8)

    assert [(batch.places, batch.length, batch.rows) for batch in found] == [((0, 2), 32, 2), ((1,), 112, 1)]


def test_lengths_are_rounded_up():
    """Never down, and never to nothing."""
    assert [batching.rounded(length, 16) for length in (0, 1, 16, 17)] == [16, 16, 16, 32]
    assert [batching.columns(length) for length in (1, 256, 257, 600)] == [256, 256, 512, 1024]


def test_what_rows_begin_with_in_common():
    """Of no row nothing, of one all of it."""
    assert batching.common([[1, 2, 3], [1, 2], [1, 2, 4]]) == [1, 2]
    assert batching.common([[1, 2]]) == [1, 2]
    assert batching.common([]) == []
