"""Recapture: how much two detectors together have missed, from how often they agree.

Two independent detectors examine the same texts. The first finds n1 values, the second n2, and m of those are the same.
Then m / n2 estimates the first's recall, as judged by the second, and n1 over that how many values there are: Chapman's
estimator (1951, University of California Publications in Statistics 1, 131-160), unbiased where n1 + n2 is at least the
total, with Seber's variance (1982, The Estimation of Animal Abundance, section 3.1.2). The interval takes what both
missed as log-normal (Chao 1987, doi:10.2307/2531532), so it never falls under what was found.

Assumptions, none of which holds fully:

* *Independence.* Detectors tend to miss the same values, the hard ones; then the estimate is too low. Read it as the
  least that is missed. Two models trained on the same text are not independent; a rule and a model are more so.
* *Every hit is a value.* A false hit of one detector looks like a value that the other missed; then it is too high.
  Restrict both to types in which they are precise.
* *Hits can be matched.* Here two hits are the same value if they overlap (:func:`matched`).
"""

import math
from collections.abc import Hashable, Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from assay.artifacts import Reference

VERSION = 2


class Place(NamedTuple):
    """Characters ``start`` to ``end`` of a field of a record."""

    record: str
    field: str
    start: int
    end: int


class Recaptured(Reference):
    """How many there are, as two detectors' agreement has it."""

    first: int
    second: int
    both: int
    total: float
    """Estimated number of values, found or not."""

    missed: float
    """Of those, what neither found."""

    variance: float
    """Of both estimates."""

    confidence: float
    lower: float
    """Of ``total``, two-sided with ``upper``."""

    upper: float | None
    """None if the two never agree, which bounds nothing."""

    @property
    def found(self) -> int:
        """Values that at least one found."""
        return self.first + self.second - self.both


def capture_recapture(
    first: AbstractSet[Hashable], second: AbstractSet[Hashable], confidence: float = 0.95
) -> Recaptured:
    """Estimate the number of values from those that each detector found, named alike in both."""
    return estimated(len(first), len(second), len(first & second), confidence)


def estimated(n1: int, n2: int, m: int, confidence: float = 0.95) -> Recaptured:
    """Estimate the number of values of which one detector found ``n1``, another ``n2``, and both ``m``.

    With n1, n2 found and m in both: total = (n1 + 1)(n2 + 1) / (m + 1) - 1, hence missed = (n1 - m)(n2 - m) / (m + 1),
    and variance = (n1 + 1)(n2 + 1)(n1 - m)(n2 - m) / ((m + 1)^2 (m + 2)). Where one detector found all that the
    other did, the estimate is that nothing was missed, of variance 0, and the interval says nothing.
    """
    missed = (n1 - m) * (n2 - m) / (m + 1)
    variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) ** 2 * (m + 2))
    found = n1 + n2 - m
    spread = _spread(missed, variance, confidence)
    return Recaptured(
        first=n1,
        second=n2,
        both=m,
        total=found + missed,
        missed=missed,
        variance=variance,
        confidence=confidence,
        lower=found + missed / spread,
        upper=found + missed * spread if m else None,
    )


def _spread(missed: float, variance: float, confidence: float) -> float:
    """Factor by which a log-normal number is uncertain, two-sided."""
    from scipy.stats import norm

    if not missed:
        return 1.0
    return math.exp(float(norm.ppf((1 + confidence) / 2)) * math.sqrt(math.log1p(variance / missed**2)))


def matched(first: Iterable[Place], second: Iterable[Place]) -> tuple[frozenset[int], frozenset[int]]:
    """Which values each detector found, by number: hits that overlap, also by way of others, are one value."""
    places = sorted([(place, 0) for place in first] + [(place, 1) for place in second])
    found: tuple[set[int], set[int]] = (set(), set())
    number, reach = -1, ("", "", 0)
    for place, detector in places:
        if (place.record, place.field) != reach[:2] or place.start >= reach[2]:
            number, reach = number + 1, (place.record, place.field, place.end)
        reach = (*reach[:2], max(reach[2], place.end))
        found[detector].add(number)
    return frozenset(found[0]), frozenset(found[1])
