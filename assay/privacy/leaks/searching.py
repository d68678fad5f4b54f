r"""Searching: thousands of values in the bytes of a file, in one pass.

Anchors (:mod:`assay.privacy.leaks.spellings`) are found by :mod:`assay.privacy.leaks.grams` in bytes whose ASCII
letters are made small, and among the digits of a text alone, so that punctuation between them does not matter; where
one stands the value's pattern is tried. What it matches must be a whole word, or glued to what stands beside it in
bytes where words are (:mod:`assay.privacy.leaks.contents`), and no part of a timestamp, a UUID or a decimal fraction.
The end of an escape, such as ``\n`` or ``%20``, is no letter.

A number without a word beside it that stood beside it in its record, and a word in bytes that are no text, are weak
hits: :mod:`assay.privacy.leaks.chance` decides on them when everything has been searched.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.privacy.leaks.chance import Class, Hit, Looked, Odds
from assay.privacy.leaks.grams import LONGEST, Filter
from assay.privacy.leaks.spellings import Anchor, Form, alone, anchors, pattern
from assay.privacy.leaks.values import Value

VERSION = 1

PIECE, OVERLAP = 1 << 20, 4096
"""Bytes that are searched at once, and those that two pieces share; a longer spelling may be missed."""

SURE = 10
"""Letters and digits of a value that need not be a whole word where words are glued."""

_BESIDE = 24
"""Bytes on either side in which the words beside a value are read."""

_MACHINE = re.compile(
    rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\d[t _]\d\d[:.]?\d\d(?:[:.]?\d\d)?(?:[.,]\d+)?"
    rb"|\d\d:\d\d:\d\d[.,]\d+|(?<![\d.])\d+\.\d+(?:e[+-]?\d+)?(?![\d.]*\d)"
)
_ESCAPE = re.compile(rb"(?:\\[nrtbf]|%[0-9a-f]{2}|\\u[0-9a-f]{4}|&[a-z0-9#]{2,6};|\x1b\[[0-9;]*m)\Z")
_WORD = re.compile(rb"[a-z0-9]+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Needle:
    """An anchor of one of the values."""

    form: Form
    text: bytes
    value: int


@dataclass(slots=True)
class _Piece:
    """Bytes that are searched at once."""

    data: bytes
    low: bytes
    digits: Any
    """Places of digits, ascending."""

    glued: bool
    is_text: bool = True


class Search:
    """A set of values to look for."""

    def __init__(self, values: Sequence[Value], ordinary: frozenset[str] = frozenset()) -> None:
        self._values = tuple(values)
        self._plain = [alone(value.text) for value in values]
        self._simple = [value.text.lower().encode() for value in values]
        self._patterns: dict[int, re.Pattern[bytes]] = {}
        self._needles: defaultdict[bytes, list[_Needle]] = defaultdict(list)
        self._numbers: defaultdict[bytes, list[_Needle]] = defaultdict(list)
        for number, value in enumerate(values):
            for anchor in sorted(anchors(value.text, ordinary)):
                self._enter(anchor, number)
        self._anywhere, self._among_digits = Filter(self._needles), Filter(self._numbers)
        self._odds = Odds(self._plain)

    def _enter(self, anchor: Anchor, number: int) -> None:
        needles = self._numbers if anchor.form == "digits" else self._needles
        needles[anchor.text.lower()[:LONGEST]].append(_Needle(anchor.form, anchor.text, number))

    def look(self, pieces: Iterable[bytes], looked: Looked | None = None, *, glued: bool = False) -> Looked:
        """Search what ``pieces`` make together.

        Args:
            pieces: bytes in order, of any size.
            looked: what was found in other views of the same file, to be added to.
            glued: whether a word may run into what stands beside it.
        """
        looked = looked or Looked()
        rest = b""
        for piece in _cut(pieces):
            data = rest + piece
            low = data.lower()
            # Bytes wrap around, so whatever is no digit is larger.
            digits = np.flatnonzero((np.frombuffer(low, np.uint8) - ord("0")) < len("0123456789"))
            found = _Piece(data, low, digits, glued)
            found.is_text = self._odds.count(low, digits, looked)
            self._look(found, looked)
            looked.bytes += len(piece)
            rest = data[-OVERLAP:]
        return looked

    def _look(self, piece: _Piece, looked: Looked) -> None:
        sure = looked.sure
        for number, span, is_text in self._spans(piece, sure):
            if number in sure or (is_text and not self._is_apart(piece, span, number)):
                continue
            weak = self._class(piece, span, number) if is_text else None
            if weak and weak[0] == "digits" and _is_machine_made(piece.low, span):
                looked.machine.add(number)
                continue
            looked.hits.add(Hit(number, weak))
            if weak is None:
                sure.add(number)

    def _spans(self, piece: _Piece, sure: set[int]) -> Iterator[tuple[int, Span, bool]]:
        """Values and where they stand, but for those that are ``sure`` already; whether as text, in words or not."""
        for place, start in self._anywhere.candidates(piece.low):
            for needle in self._needles[start]:
                if needle.value not in sure and (span := self._stands(piece, place, needle)):
                    yield needle.value, span, needle.form == "text"
        if not self._numbers:
            return
        alone = np.frombuffer(piece.low, np.uint8)[piece.digits].tobytes()
        for place, start in self._among_digits.candidates(alone):
            for needle in self._numbers[start]:
                if needle.value not in sure and alone.startswith(needle.text, place):
                    first, last = piece.digits[place], piece.digits[place + len(needle.text) - 1]
                    if span := self._matched(piece.low, needle.value, (int(first), int(last) + 1)):
                        yield needle.value, span, True

    def _stands(self, piece: _Piece, place: int, needle: _Needle) -> Span | None:
        """Where the value stands of which an anchor may begin at ``place``."""
        span = place, place + len(needle.text)
        if needle.form == "base64":
            return span if piece.data.startswith(needle.text, place) else None
        if not piece.low.startswith(needle.text, place):
            return None
        if needle.form == "wide":
            return span if self._is_wide(piece.data, needle.value, span) else None
        return self._matched(piece.low, needle.value, span)

    def _matched(self, low: bytes, number: int, anchor: Span) -> Span | None:
        """The match of the value's pattern that holds the anchor."""
        simple = self._simple[number]
        start = low.find(simple, max(0, anchor[0] - len(simple)), anchor[1] + len(simple))
        if 0 <= start <= anchor[0] and anchor[1] <= start + len(simple):
            return start, start + len(simple)  # Most are; patterns take long to compile.
        reach = 16 * len(self._values[number].text) + 64
        if anchor[1] - anchor[0] > reach:
            return None
        found = self._pattern(number).finditer(low, max(0, anchor[0] - reach), anchor[1] + reach)
        return next((m.span() for m in found if m.start() <= anchor[0] and anchor[1] <= m.end()), None)

    def _is_wide(self, data: bytes, number: int, anchor: Span) -> bool:
        """Whether the value stands about here as a whole word of UTF-16."""
        reach = 4 * len(self._values[number].text) + 16
        for order, shift in itertools.product(("utf-16-le", "utf-16-be"), (0, 1)):
            first = max((anchor[0] - shift) % 2, anchor[0] - shift - 2 * (reach // 2))
            window = data[first : anchor[1] + reach].decode(order, "replace").lower().encode()
            if any(_is_whole(window, m.span()) for m in self._pattern(number).finditer(window)):
                return True
        return False

    def _pattern(self, number: int) -> re.Pattern[bytes]:
        if number not in self._patterns:
            self._patterns[number] = pattern(self._values[number].text)
        return self._patterns[number]

    def _is_apart(self, piece: _Piece, span: Span, number: int) -> bool:
        plain = self._plain[number]
        return _is_whole(piece.low, span) or (piece.glued and len(plain) >= SURE and not plain.isdigit())

    def _class(self, piece: _Piece, span: Span, number: int) -> Class | None:
        """The class in which chance may have put a value there; None if it has not."""
        plain = self._plain[number]
        if not plain.isascii() or self._is_near(piece.low, span, number):
            return None
        if plain.isdigit():
            return "digits", len(plain)
        return None if piece.is_text else ("letters", len(plain))

    def _is_near(self, low: bytes, span: Span, number: int) -> bool:
        """Whether a word stands beside a value that stood beside it in its record."""
        near = self._values[number].near
        before = _WORD.findall(low[max(0, span[0] - _BESIDE) : span[0]])[-1:]
        behind = _WORD.findall(low[span[1] : span[1] + _BESIDE])[:1]
        return any(word.decode() in near for word in before + behind)


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]


def _is_whole(low: bytes, span: Span) -> bool:
    """Whether no letter or digit stands on either side."""
    start, end = span
    before = low[max(0, start - 4) : start].decode("utf-8", "ignore")[-1:]
    behind = low[end : end + 4].decode("utf-8", "ignore")[:1]
    return not behind.isalnum() and (not before.isalnum() or bool(_ESCAPE.search(low, max(0, start - 8), start)))


def _is_machine_made(low: bytes, span: Span) -> bool:
    """Whether a number is part of a timestamp, a UUID or a decimal fraction."""
    first = max(0, span[0] - 40)
    found = _MACHINE.finditer(low[first : span[1] + 40])
    return any(m.start() <= span[0] - first and span[1] - first <= m.end() for m in found)
