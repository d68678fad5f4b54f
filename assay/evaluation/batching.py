"""Batching: which items go through a model together, so that none can tell what its neighbours are.

A matrix product rounds differently at another shape, and greedy text moves with it: of 32 answers of SmolLM2-135M in
bfloat16, ten changed between batches of 8 and of 32. So what an item is padded to, and how many rows go with it, follow
from its own length and the recipe alone: lengths are rounded up to a multiple of a width, a batch always has as many
rows as that length allows within a budget of tokens, and what is missing in the last batch of a length is filled up
with a row that is there already. The same item then comes out in the same bits among any other items
(``python -m bench.measure_evaluation`` looks), which is what lets a result be remembered under the item's digest alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VERSION = 1

FEWEST = 256
"""Columns that a row's answer is kept in, at the least."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that are read together."""

    places: tuple[int, ...]
    """Of the items, in the input."""

    length: int
    """Tokens that each is padded to."""

    rows: int
    """How many there are with those that only fill up."""

    @property
    def filled(self) -> list[int]:
        """The places, and the first one again until there are :attr:`rows`."""
        return [*self.places, *[self.places[0]] * (self.rows - len(self.places))]


def batches(lengths: Mapping[int, int], width: int, budget: int, most: int) -> list[Batch]:
    """Put items together, short ones first.

    Args:
        lengths: Tokens of each item, by its place in the input.
        width: Lengths are rounded up to a multiple of it.
        budget: Tokens of a batch, padding included; an item that is longer goes alone.
        most: Rows of a batch at most.

    Returns:
        Every item once. Two items of one rounded length always meet in batches of one shape, whatever else there is.
    """
    found: list[Batch] = []
    by_length: dict[int, list[int]] = {}
    for place, length in lengths.items():
        by_length.setdefault(rounded(length, width), []).append(place)
    for length, places in sorted(by_length.items()):
        rows = max(1, min(most, budget // length))
        found += [Batch(tuple(places[at : at + rows]), length, rows) for at in range(0, len(places), rows)]
    return found


def rounded(length: int, width: int) -> int:
    """``length``, or the next multiple of ``width``; never zero."""
    return max(1, -(-length // width)) * width


def columns(length: int) -> int:
    """The power of two that holds so many tokens, from :data:`FEWEST` on: few widths, so rows of many lengths meet."""
    return max(FEWEST, 1 << (length - 1).bit_length())


def common(rows: Sequence[list[int]]) -> list[int]:
    """What all of ``rows`` begin with."""
    low, high = min(rows, default=[]), max(rows, default=[])
    same = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:same]
