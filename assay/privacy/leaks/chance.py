"""Chance: how many values a search would find in bytes that know nothing of them.

Thousands of numbers of six digits, looked for in millions of bytes that are full of numbers, are found without any
leak. Of V values of n digits, V·T / (9·10^(n-1)) stand by chance among T whole numbers of n digits, at equal odds; T
is counted. In bytes that are no text, such as weights, a value of letters stands as often as that file's own bytes,
drawn independently, make it stand there between two that are no letters.

Where a hundredth of a hit or more is expected of a class of values (*digits* or *letters*, and how many), its hits
are excused unless there are more than chance gives once in a hundred searches: a quantile of Poisson's distribution.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

VERSION = 1

EXPECTED = 0.01
"""Chance hits from which hits may be excused, and the probability that chance gives more than is excused."""

TEXT = 0.8
"""Share of printable ASCII from which bytes are text, if they are not UTF-8."""

_MANY, _NORMAL = 100.0, 2.33
"""From so many on, Poisson's distribution is near enough a normal one, of which this is the quantile."""

_PRINTABLE = [9, 10, 13, *range(32, 127)]
_WORD = [*range(48, 58), *range(97, 123)]
_HEAD = 4096

Class = tuple[str, int]
"""``digits`` or ``letters``, and how many."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A value that was found."""

    value: int
    """Its place among those looked for."""

    weak: Class | None = None
    """The class of values that chance may have put there; None if it has not."""


@dataclass(slots=True)
class Looked:
    """What was found in one file."""

    bytes: int = 0
    hits: set[Hit] = field(default_factory=set)
    expected: dict[Class, float] = field(default_factory=dict)
    """Values that chance puts there."""

    machine: set[int] = field(default_factory=set)
    """Values that stand in a timestamp, a UUID or a decimal fraction."""

    @property
    def sure(self) -> set[int]:
        """Values that chance has not put there."""
        return {hit.value for hit in self.hits if hit.weak is None}


class Odds:
    """How likely chance finds some of the values that are looked for; ``values`` as letters and digits alone."""

    def __init__(self, values: Iterable[str]) -> None:
        plain = [value for value in values if value.isascii()]
        self._digits = Counter(len(value) for value in plain if value.isdigit())
        self._letters: defaultdict[int, list[list[int]]] = defaultdict(list)
        for value in plain:
            if not value.isdigit():
                self._letters[len(value)].append(list(value.encode()))

    def count(self, low: bytes, digits: Any, looked: Looked) -> bool:  # noqa: ANN401  # an array of places
        """Add what chance would find in ``low``, whose digits stand at ``digits``; whether it is text."""
        share: Any = np.bincount(np.frombuffer(low, np.uint8), minlength=256) / max(len(low), 1)
        for length, found in whole_numbers(low, digits).items():
            if count := self._digits[length]:
                _add(looked, ("digits", length), count * found / (9 * 10 ** (length - 1)))
        if _is_text(low, share):
            return True
        apart = float(1 - share[_WORD].sum()) ** 2
        for length, values in self._letters.items():
            each = float(np.prod(share[np.array(values)], axis=1).sum())
            _add(looked, ("letters", length), len(low) * each * apart)
        return False


def _add(looked: Looked, kind: Class, expected: float) -> None:
    looked.expected[kind] = looked.expected.get(kind, 0.0) + expected


def _is_text(low: bytes, share: Any) -> bool:  # noqa: ANN401  # an array of 256 shares
    if share[_PRINTABLE].sum() >= TEXT:
        return True
    head = low[:_HEAD]
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # Otherwise it is cut within a character.
            return False
    return bool(share[0] < 1 - TEXT)


def whole_numbers(low: bytes, digits: Any) -> Counter[int]:  # noqa: ANN401  # an array of places
    """Length → how many numbers of so many digits stand as words, but for decimal fractions."""
    if not len(digits):
        return Counter()
    array = np.frombuffer(b" " + low + b" ", np.uint8)
    breaks = np.flatnonzero(np.diff(digits) > 1)
    starts = digits[np.concatenate(([0], breaks + 1))]
    ends = digits[np.concatenate((breaks, [len(digits) - 1]))]
    before, behind = array[starts], array[ends + 2]
    letters = len(range(ord("a"), ord("z") + 1))
    within = ((before - ord("a")) < letters) | ((behind - ord("a")) < letters) | (before == ord("."))
    lengths = np.bincount((ends - starts + 1)[~within])
    return Counter({length: int(count) for length, count in enumerate(lengths) if count})


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found, file by file."""

    leaks: dict[int, set[int]]
    """Place of the file → values that stand in it."""

    chance: dict[int, set[int]]
    """The same of those that chance explains."""

    expected: float
    """Values that chance was expected to put somewhere."""


def judge(looked: Sequence[Looked]) -> Judged:
    """Tell leaks from chance, over all files that were searched."""
    expected: Counter[Class] = Counter()
    found: defaultdict[Class, set[int]] = defaultdict(set)
    for each in looked:
        for kind, count in each.expected.items():
            expected[kind] += count  # type: ignore[assignment]  # a Counter adds fractions as well
        for hit in each.hits:
            if hit.weak:
                found[hit.weak].add(hit.value)
    excused = {kind for kind, hits in found.items() if expected[kind] >= EXPECTED and len(hits) <= most(expected[kind])}
    leaks: defaultdict[int, set[int]] = defaultdict(set)
    chance: defaultdict[int, set[int]] = defaultdict(set)
    for place, each in enumerate(looked):
        sure = each.sure
        for hit in each.hits:
            if hit.weak not in excused:
                leaks[place].add(hit.value)
            elif hit.value not in sure:
                chance[place].add(hit.value)
    return Judged(dict(leaks), dict(chance), float(sum(expected.values())))


def most(expected: float) -> int:
    """Hits that chance exceeds with a probability of at most :data:`EXPECTED`."""
    if expected > _MANY:
        return math.ceil(expected + _NORMAL * math.sqrt(expected))
    term = total = math.exp(-expected)
    count = 0
    while total < 1 - EXPECTED:
        count += 1
        term *= expected / count
        total += term
    return count
