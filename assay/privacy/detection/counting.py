"""Counting: how often the parts of a detector agree, taken down while a run redacts.

A value is what is masked, and what it was masked as. One of the detectors found it if any of its hits overlaps it: the
rules; the tagger, where it is :data:`CERTAIN` of it, for what it is less sure of is often nothing; the second tagger.
From how many each found and how many both, :mod:`assay.privacy.measurement.recapture` estimates how many both missed.

Only types that both can find are counted, and only values that stand in what a record's author wrote: not what another
pass over the masked record finds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from assay.artifacts import Reference
from assay.privacy.detection import second_names
from assay.privacy.detection.detector import RULES, SECOND, TAGGER, TAGS, TRUST, Detector, Examined
from assay.privacy.patterns import Span
from assay.records import Known

VERSION = 1

CERTAIN = 0.9 * TRUST
"""Score from which the tagger counts as having found a value: a probability of 0.9."""


class Captured(Reference):
    """Values of a type that two detectors found."""

    detectors: tuple[str, str]
    type: str
    first: int
    second: int
    both: int


class Counting:
    """A detector that counts what its parts found in one set of records, and finds what it finds without.

    One serves one call of :func:`assay.privacy.replacement.redaction.redact`: of that, only the first look at each
    record counts.
    """

    def __init__(self, detector: Detector) -> None:
        """Count nothing yet."""
        self._detector = detector
        self._left: int | None = None
        self._counts: Counter[tuple[tuple[str, str], str, bool, bool]] = Counter()

    def find(self, texts: Sequence[str], known: Sequence[Sequence[Known]], *, strict: bool = False) -> list[list[Span]]:
        """As :meth:`assay.privacy.detection.detector.Detector.find`."""
        if strict or self._left == 0:
            return self._detector.find(texts, known, strict=strict)
        if self._left is None:
            self._left = len(texts)
        # A batch that fails is examined again text by text: then these count, and the batch has not.
        if len(texts) == 1:
            self._left -= 1
        examined = self._detector.examine(texts, known)
        if len(texts) > 1:
            self._left = 0
        for each in examined:
            self._counts.update(_agreements(each))
        return [each.spans for each in examined]

    @property
    def captured(self) -> tuple[Captured, ...]:
        """By pair of detectors and type, of which either found any."""
        pairs = sorted({(detectors, kind) for detectors, kind, _, _ in self._counts})
        return tuple(
            Captured(
                detectors=detectors,
                type=kind,
                first=sum(self._counts[detectors, kind, True, second] for second in (False, True)),
                second=sum(self._counts[detectors, kind, first, True] for first in (False, True)),
                both=self._counts[detectors, kind, True, True],
            )
            for detectors, kind in pairs
        )


def _agreements(examined: Examined) -> Iterator[tuple[tuple[str, str], str, bool, bool]]:
    """For each value and pair of detectors that know its type: which of the two found it, if either."""
    hits = examined.hits
    if TAGGER not in hits:
        return
    certain = [span for span in hits[TAGGER] if span.score >= CERTAIN]
    pairs = [((RULES, TAGGER), hits[RULES], certain, frozenset(TAGS.values()))]
    if SECOND in hits:
        either = f"{RULES} or {TAGGER}"
        known = frozenset(second_names.TYPES.values())
        pairs.append(((either, SECOND), [*hits[RULES], *hits[TAGGER]], hits[SECOND], known))
    for detectors, first, second, types in pairs:
        for value in examined.spans:
            found = (_is_found(value, first), _is_found(value, second))
            if value.type in types and any(found):
                yield detectors, value.type, *found


def _is_found(value: Span, hits: Iterable[Span]) -> bool:
    return any(hit.start < value.end and value.start < hit.end for hit in hits)


def summed(parts: Iterable[Sequence[Captured]]) -> tuple[Captured, ...]:
    """What was counted in several sets of records, together."""
    totals: Counter[tuple[tuple[str, str], str, str]] = Counter()
    for each in (captured for part in parts for captured in part):
        for field in ("first", "second", "both"):
            totals[each.detectors, each.type, field] += getattr(each, field)
    return tuple(
        Captured(
            detectors=detectors,
            type=kind,
            first=totals[detectors, kind, "first"],
            second=totals[detectors, kind, "second"],
            both=totals[detectors, kind, "both"],
        )
        for detectors, kind in sorted({(detectors, kind) for detectors, kind, _ in totals})
    )
