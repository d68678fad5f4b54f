"""Documents: texts that a detector is given, each put together from pieces of a record, and the way back.

What is masked already stands in a document as what stands for it; what is found is said of the segment it came from.

Not every text of a record is prose, and a detector of prose would see names in categories. What is a label or a
sentence is said of each as it now reads, so that redacted text is read as it was last read before.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assay.privacy.patterns import Span
from assay.privacy.replacement import attributes
from assay.privacy.replacement.segments import Found, Segment, seen
from assay.records import Known

VERSION = 1

SENTENCE = 3
"""Words from which a string to be learnt is prose; what is masked in it counts as two."""

CERTAIN = 0.85
"""Score from which a hit counts by itself."""

GUESSED = frozenset({"ADDRESS", "EMAIL"})
"""Types that a tagger sees in the names of products ("Galaxy S23"), and rules see where they are."""

BETWEEN = "\n\n"
"""Stands between the texts of a record while they are examined together."""


class Origin(NamedTuple):
    """An open piece of a segment in a document."""

    start: int
    end: int
    """In the document's text."""

    segment: Segment
    first: int
    """In the segment's text."""

    places: Sequence[tuple[int, int]] | None = None
    """Of each of its characters, from where to where it is written behind ``first``; ``None`` if as it stands."""

    def within(self, start: int, end: int) -> tuple[int, int]:
        """A range of the document as one of the segment."""
        if self.places is None:
            return start - self.start + self.first, end - self.start + self.first
        return self.first + self.places[start - self.start][0], self.first + self.places[end - 1 - self.start][1]


@dataclass(slots=True)
class Document:
    """What is examined at once, and where each open piece of it came from."""

    text: str
    known: list[Known]
    origins: list[Origin]
    is_value: bool = False
    """Whether this is one short value by itself, of which only a name counts, and then takes all of it."""

    is_read: bool = False
    """Whether a detector of prose reads it, which sees more in a few words than there is."""

    def counted(self, found: Sequence[Found]) -> Iterator[tuple[Found, Origin]]:
        """What of that which was found in it counts, in each open piece that has letters or digits of it."""
        for span in self._named(found) if self.is_value else found:
            for origin in self.origins:
                first, last = max(origin.start, span.start), min(origin.end, span.end)
                if first >= last or not any(map(str.isalnum, self.text[first:last])):
                    continue
                if not self.is_read or _is_believed(span, origin.segment):
                    yield span, origin

    def _named(self, found: Sequence[Found]) -> Sequence[Found]:
        scores = [span.score for span in found if span.type == "PERSON" and span.score >= attributes.BELIEVED]
        return [Span(0, len(self.text), "PERSON", max(scores))] if scores else []


def alone(segment: Segment) -> Document:
    """A segment as a value by itself."""
    return Document(segment.text, [], [Origin(0, len(segment.text), segment, 0)], is_value=True)


def together(
    segments: Sequence[Segment], known: list[Known], written: Callable[[Segment, int, int], str], *, is_read: bool
) -> Document:
    """Segments one after another, each behind its name; ``written`` says what stands for a masked range."""
    text = ""
    origins: list[Origin] = []
    for segment in segments:
        text += f"{segment.key.replace('_', ' ')}: " if segment.key else ""
        for start, end, is_open in segment.pieces():
            piece, places = seen(segment.text[start:end]) if is_open else (written(segment, start, end), None)
            if is_open:
                origins.append(Origin(len(text), len(text) + len(piece), segment, start, places))
            text += piece
        text += BETWEEN
    return Document(text, known, origins, is_read=is_read)


def _is_believed(span: Found, segment: Segment) -> bool:
    """Whether the detector of prose is believed about an attribute or answer of a few words, which may be a product."""
    if not (is_answer(segment) or segment.field.startswith("attributes[")) or segment.is_personal:
        return True
    if span.score >= CERTAIN or len(segment.text.split()) > attributes.NAMED:
        return True
    return span.score >= attributes.BELIEVED and span.type not in GUESSED


def is_label(segment: Segment) -> bool:
    """Whether a segment is one of a fixed set of values, and stays so."""
    return segment.is_label and not segment.masks


def is_answer(segment: Segment) -> bool:
    """Whether a segment is a name or a value of the JSON to be learnt."""
    return bool(segment.literal) and segment.field == "completion"


def is_prose(segment: Segment) -> bool:
    """Whether a segment is read as prose: all but labels, names and numbers of JSON, and most of what is learnt.

    What is masked as a whole needs no reading. A number that is masked is no number any more, so what is redacted
    again would otherwise be read differently.
    """
    if not segment.literal:
        return True
    if segment.is_name or not segment.is_string or is_label(segment):
        return False
    if segment.text.isdigit() or (segment.text and not _is_open(segment)):
        return False
    return not is_answer(segment) or is_written(segment)


def is_written(segment: Segment) -> bool:
    """Whether somebody may have written a string of an answer, rather than chosen it."""
    if segment.is_name or not segment.is_string or is_label(segment) or attributes.is_fixed(segment.text):
        return False
    words = [len(segment.text[start:end].split()) if is_open else 2 for start, end, is_open in segment.pieces()]
    return segment.is_personal or sum(words) >= SENTENCE


def is_sentence(segment: Segment) -> bool:
    """Whether an attribute is read as prose: a sentence is, and what is left beside something personal."""
    if not (segment.masks or segment.fixed):
        return attributes.is_prose(segment.text)
    return _is_open(segment)


def _is_open(segment: Segment) -> bool:
    """Whether any letter or digit of a segment is still open to examination."""
    return any(any(map(str.isalnum, segment.text[start:end])) for start, end, is_open in segment.pieces() if is_open)


def sentences(column: Sequence[Segment]) -> list[Segment]:
    """What of an attribute is read as prose; text around JSON is."""
    is_mixed = len(column) > 1
    return [each for each in column if (is_prose(each) if each.literal or is_mixed else is_sentence(each))]


def may_be_name(segment: Segment) -> bool:
    """Whether a segment is nothing but a few words that may be a name."""
    return not segment.masks and not segment.fixed and attributes.may_be_name(segment.text)
