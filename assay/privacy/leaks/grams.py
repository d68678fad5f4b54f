"""Grams: where any of thousands of byte strings may stand, at the pace of memory rather than of their number.

Every four bytes of a text are hashed and looked up in a table of bits; where the bit is set, up to eight bytes are
compared with the sorted first bytes of the strings (the filter of Wu and Manber 1994, *A fast algorithm for
multi-pattern searching*, without its shifts, since here all positions are hashed at once). What is left is compared
in full by the caller.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

VERSION = 1

SHORTEST, LONGEST = 4, 8
"""Bytes of a string that are compared here."""

_BITS = 20
_ODD = np.uint32(2654435761)
"""Knuth's multiplicative hash: 2**32 over the golden ratio."""


class Filter:
    """A set of byte strings of four bytes or more."""

    def __init__(self, strings: Iterable[bytes]) -> None:
        self._starts: dict[int, Any] = {}
        self._table: Any = np.zeros(1 << _BITS, dtype=bool)
        starts = sorted({text[:LONGEST] for text in strings})
        for length in sorted({len(start) for start in starts}):
            same = [int.from_bytes(start, "little") for start in starts if len(start) == length]
            self._starts[length] = np.array(sorted(same), dtype=np.uint64)
        if starts:
            firsts = np.array([int.from_bytes(start[:SHORTEST], "little") for start in starts], dtype=np.uint32)
            self._table[_hashed(firsts)] = True

    def candidates(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Positions in ``text`` where a string may start, ascending for each length, and the start that is there."""
        if len(text) < SHORTEST or not self._starts:
            return
        places = self._hits(text)
        if not len(places):
            return
        # Eight bytes from every position on, without copying: positions overlap.
        wide = np.ndarray((len(text),), "<u8", text + b"\0" * LONGEST, strides=(1,))[places]
        for length, starts in self._starts.items():
            cut = wide if length == LONGEST else wide & np.uint64((1 << 8 * length) - 1)
            found = np.minimum(np.searchsorted(starts, cut), len(starts) - 1)
            for place in places[(starts[found] == cut) & (places + length <= len(text))].tolist():
                yield place, text[place : place + length]

    def _hits(self, text: bytes) -> Any:  # noqa: ANN401  # an array of places
        """Positions whose next four bytes are in the table."""
        parts: list[Any] = []
        for shift in range(min(SHORTEST, len(text) - SHORTEST + 1)):
            count = (len(text) - shift) // SHORTEST
            four = np.frombuffer(text, "<u4", count, shift)
            parts.append(np.flatnonzero(self._table[_hashed(four)]) * SHORTEST + shift)
        return np.sort(np.concatenate(parts))


def _hashed(four: Any) -> Any:  # noqa: ANN401  # arrays of four bytes each
    return (four * _ODD) >> np.uint32(32 - _BITS)
