"""A record on its way through redaction: what is still to be examined, and what is masked already.

A draft holds a record's segments (:mod:`assay.privacy.replacement.segments`): its turns, its completion, its
attributes. It says which of them are to be examined together, takes what was found, says what stands for it (a
numbered placeholder, or a surrogate; :mod:`assay.privacy.replacement.surrogates`), and writes the record as it then
reads.

Prose is examined first and as a whole; values of JSON and attributes then, with what the prose gave away. JSON in a
turn is input, such as what a tool answered, so its strings are read as prose too, each with its name as a label; JSON
in the completion is the label to learn.

A surrogate must be seen as one where it stands, or the record would change when it is redacted again. Where it is not,
since its neighbours run into it, and where two values would have the same, the value is masked instead.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assay.privacy.detection.patterns import Span
from assay.privacy.replacement import attributes
from assay.privacy.replacement.fingerprints import fingerprint
from assay.privacy.replacement.segments import Found, Segment, edit, parts, seen, trimmed, written
from assay.privacy.replacement.surrogates import Surrogates, merged
from assay.records import Known, Record, Turn

VERSION = 3

CERTAIN = 0.85
"""Score from which a hit counts by itself."""

LIKELY = 0.5
"""Score from which a hit is more than a suspicion."""

EXACT = frozenset({"EMAIL", "URL", "IP_ADDRESS", "SECRET", "USERNAME"})
"""Types in whose values punctuation matters; others are compared by their letters and digits alone."""

BETWEEN = "\n\n"
"""Stands between the texts of a record while they are examined together."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something was masked: characters of the field as it was, and how sure the detector was."""

    field: str
    """``context[0]``, ``context[1]``, …, ``completion``, or ``attributes[NAME]``."""

    start: int
    end: int
    type: str
    bucket: str
    """``low`` under 0.5, ``medium`` under 0.85, ``high`` from there."""

    fingerprint: str = ""
    """Of what was masked, under a key kept elsewhere (:mod:`assay.privacy.replacement.fingerprints`); empty without a
    key."""

    action: str = "mask"
    """What was done: ``mask`` or ``surrogate``."""

    length: int = 0
    """Characters of what stands for it now."""


def fields(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of what is read as prose: each turn, then the completion."""
    for number, turn in enumerate(record.context):
        yield f"context[{number}]", turn.content
    yield "completion", record.completion


def columns(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of the attributes, by name."""
    for name, value in sorted(record.attributes.items()):
        yield f"attributes[{name}]", value


class Origin(NamedTuple):
    """An open piece of a segment in a document."""

    start: int
    end: int
    """In the document's text."""

    segment: Segment
    first: int
    """In the segment's text."""

    places: Sequence[int] | None = None
    """Of each of its characters, where it stands behind ``first``; ``None`` if nothing was left out."""

    def within(self, start: int, end: int) -> tuple[int, int]:
        """A range of the document as one of the segment."""
        if self.places is None:
            return start - self.start + self.first, end - self.start + self.first
        return self.first + self.places[start - self.start], self.first + self.places[end - 1 - self.start] + 1


@dataclass(slots=True)
class Document:
    """What is examined at once, and where each open piece of it came from."""

    text: str
    known: list[Known]
    origins: list[Origin]
    is_value: bool = False
    """Whether this is one attribute's value, of which only a name counts, and then takes all of it."""


class Draft:
    """A record being redacted."""

    def __init__(self, record: Record, types: Sequence[str], surrogates: Surrogates | None = None) -> None:
        self._record, self._surrogates = record, surrogates
        self._fixed = re.compile(rf"\[({'|'.join(map(re.escape, types))})_(\d{{1,6}})\]")
        self._placeholders: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        """Surrogate → the value that it stands for, both without case and punctuation."""
        self._refused: set[str] = set()
        """Values that are masked whatever the policy says of their type."""
        self._numbers: Counter[str] = Counter()
        self._known = [Known(each.type, _plain(each.value)) for each in record.known]
        self._parts = [part for field, text in fields(record) for part in parts(field, text)]
        self._columns = [
            Segment(field, text, attributes.label(name))
            for name, (field, text) in zip(sorted(record.attributes), columns(record), strict=True)
        ]
        self.fault: str | None = None
        """Why the record cannot be redacted, if so."""
        for segment in self._segments:
            self._fix(segment)

    @property
    def _segments(self) -> list[Segment]:
        return [*self._parts, *self._columns]

    def _fix(self, segment: Segment) -> None:
        """Note what of a segment is no personal value but stands for one."""
        placed = list(self._fixed.finditer(segment.text))
        for match in placed:
            self._numbers[match[1]] = max(self._numbers[match[1]], int(match[2]))
        invented = self._surrogates.spans(segment.text) if self._surrogates else []
        segment.fixed = merged([*(match.span() for match in placed), *invented])

    def documents(self, *, strict: bool) -> Iterator[Document]:
        """What is to be examined next, as it now reads."""
        self._decide()
        if not strict:
            yield self._document([segment for segment in self._parts if self._is_prose(segment)], self._known)
            for segment in self._columns:
                if not segment.masks and not segment.fixed and attributes.may_be_name(segment.text):
                    yield Document(segment.text, [], [Origin(0, len(segment.text), segment, 0)], is_value=True)
            return
        found = [
            (m, _plain(s.text[a:b]))
            for s in self._parts
            if s.field != "completion" or not s.literal
            for (a, b), m in s.masks.items()
        ]
        certain = [Known(m.type, value) for m, value in found if m.score >= CERTAIN]
        labels = [segment for segment in self._parts if segment.literal and _is_label(segment)]
        names = [segment for segment in self._parts if segment.is_name]
        values = [s for s in self._parts if s.literal and not _is_label(s) and not s.is_name]
        if labels:
            yield self._document(labels, self._known + certain)
        if names:
            yield self._document(names, self._known + certain)
        if values:
            yield self._document(values, self._known + [Known(m.type, value) for m, value in found])
        yield from self._column_documents([Known(m.type, value) for m, value in found if _speaks(m)])

    def _column_documents(self, found: list[Known]) -> Iterator[Document]:
        """Each attribute by itself, so that no column is read as the label of the next."""
        for segment in self._columns:
            fixed = segment.key is None and attributes.is_fixed(segment.text)
            known = attributes.same(segment.text, self._known, found) if fixed else self._known + found
            whole = (0, len(segment.text)) in segment.masks
            if segment.text and not whole and (known or not fixed):
                yield self._document([segment], known)

    def _is_prose(self, segment: Segment) -> bool:
        """Whether a segment is read as prose: all but JSON to be learnt, and in other JSON labels, names and numbers.

        A number that is masked is no number any more, and so it is not read either if it is a placeholder now.
        """
        if not segment.literal:
            return True
        if segment.field == "completion" or segment.is_name or not segment.is_string or _is_label(segment):
            return False
        now = "".join(self._written(segment, a, b) for a, b, _ in segment.pieces())
        return not now.isdigit() and self._fixed.fullmatch(now) is None

    def _document(self, segments: Sequence[Segment], known: list[Known]) -> Document:
        text = ""
        origins: list[Origin] = []
        for segment in segments:
            text += f"{segment.key.replace('_', ' ')}: " if segment.key else ""
            for start, end, is_open in segment.pieces():
                piece, places = seen(segment.text[start:end]) if is_open else (self._written(segment, start, end), None)
                if is_open:
                    origins.append(Origin(len(text), len(text) + len(piece), segment, start, places))
                text += piece
            text += BETWEEN
        return Document(text, known, origins)

    def _decide(self) -> None:
        """Say of each value found whether a surrogate stands for it, before anything is written."""
        surrogates, refused = self._surrogates, -1
        while surrogates is not None and refused != len(self._refused):
            refused = len(self._refused)
            for segment, place, mask in self._masked():
                self._choose(_plain(segment.text[slice(*place)]), mask.type, surrogates)
            for segment in self._segments:
                if segment.masks:
                    self._refused |= self._unseen(segment, surrogates)

    def _choose(self, value: str, kind: str, surrogates: Surrogates) -> None:
        """A surrogate for one value, unless it has none or another value has the same."""
        key = _key(value, kind)
        invented = surrogates.invent(value, kind) if kind in surrogates.kinds else None
        if invented is None or self._taken.setdefault(_key(invented, kind), key) != key:
            self._refused.add(key)

    def _unseen(self, segment: Segment, surrogates: Surrogates) -> set[str]:
        """Values whose surrogates nobody would see as such between their neighbours."""
        text, places = "", []
        for start, end, is_open in segment.pieces():
            piece = segment.text[start:end] if is_open else self._written(segment, start, end)
            mask = segment.masks.get((start, end))
            if mask is not None and mask.type in surrogates.kinds:
                places.append((len(text), len(text) + len(piece), _key(_plain(segment.text[start:end]), mask.type)))
            text += piece
        places = [place for place in places if place[2] not in self._refused]
        closed = {n for start, end in (surrogates.spans(text) if places else ()) for n in range(start, end)}
        return {
            key for start, end, key in places if any(n not in closed and text[n].isalnum() for n in range(start, end))
        }

    def _written(self, segment: Segment, start: int, end: int) -> str:
        """What stands for a closed range: a placeholder or surrogate, or itself if it is one already."""
        value = segment.text[start:end]
        mask = segment.masks.get((start, end))
        if mask is None:
            return _plain(value)
        if self._action(value, mask) == "surrogate" and self._surrogates:
            return self._surrogates.invent(_plain(value), mask.type) or ""
        key = _key(_plain(value), mask.type)
        if key not in self._placeholders:
            self._numbers[mask.type] += 1
            self._placeholders[key] = f"[{mask.type}_{self._numbers[mask.type]}]"
        return self._placeholders[key]

    def _action(self, value: str, mask: Found) -> str:
        """What is done with a value: ``mask`` or ``surrogate``."""
        if self._surrogates is None or mask.type not in self._surrogates.kinds:
            return "mask"
        return "mask" if _key(_plain(value), mask.type) in self._refused else "surrogate"

    def accept(self, document: Document, found: Sequence[Found]) -> bool:
        """Mask what was found in open pieces; whether there was any."""
        anything = False
        for span in _named(document, found) if document.is_value else found:
            for origin in document.origins:
                first, last = max(origin.start, span.start), min(origin.end, span.end)
                if first < last and any(map(str.isalnum, document.text[first:last])):
                    self._mask(origin.segment, origin.within(first, last), span)
                    anything = True
        return anything

    def _mask(self, segment: Segment, place: tuple[int, int], span: Found) -> None:
        if segment.is_name:
            self.fault = f"a name in the JSON of {segment.field} is personal data, and names are not replaced"
        is_number = bool(segment.literal) and not segment.is_string
        segment.masks[(0, len(segment.text)) if is_number else trimmed(segment.text, *place)] = span

    def result(self) -> Record:
        """The record as it now reads."""
        edits: dict[str, list[tuple[Segment, tuple[int, int], str]]] = {}
        for segment, place, _ in self._masked():
            edits.setdefault(segment.field, []).append((segment, place, self._written(segment, *place)))
        texts = {name: written(text, edits.get(name, ())) for name, text in fields(self._record)}
        beside = {name: written(text, edits.get(name, ())) for name, text in columns(self._record)}
        turns = zip(self._record.context, texts.values(), strict=False)
        return dataclasses.replace(
            self._record,
            context=tuple(Turn(turn.role, text) for turn, text in turns),
            completion=texts["completion"],
            attributes={name: beside[f"attributes[{name}]"] for name in self._record.attributes},
            known=(),
        )

    def _masked(self) -> Iterator[tuple[Segment, tuple[int, int], Found]]:
        for segment in self._segments:
            for place, mask in sorted(segment.masks.items(), key=lambda item: item[0]):
                yield segment, place, mask

    def marks(self, key: bytes | None = None) -> tuple[Mark, ...]:
        """Where what was replaced, field by field; with fingerprints under ``key``."""
        return tuple(self._mark_of(segment, place, mask, key) for segment, place, mask in self._masked())

    def _mark_of(self, segment: Segment, place: tuple[int, int], mask: Found, key: bytes | None) -> Mark:
        value, new = segment.text[slice(*place)], self._written(segment, *place)
        start, end, stands = edit(segment, *place, new)
        return Mark(
            field=segment.field,
            start=start,
            end=end,
            type=mask.type,
            bucket=_bucket(mask.score),
            fingerprint="" if key is None else fingerprint(_plain(value), key),
            action=self._action(value, mask),
            length=len(stands),
        )


def _is_label(segment: Segment) -> bool:
    """Whether a segment is one of a fixed set of values, and stays so."""
    return segment.is_label and not segment.masks


def _plain(value: str) -> str:
    """Without what nobody sees."""
    return seen(value)[0]


def _key(value: str, kind: str) -> str:
    """What two spellings of one value have in common."""
    return value.casefold() if kind in EXACT else "".join(filter(str.isalnum, value.casefold()))


def _named(document: Document, found: Sequence[Found]) -> list[Span]:
    """The whole of an attribute's value, if it was taken for a name."""
    scores = [span.score for span in found if span.type == "PERSON" and span.score >= attributes.BELIEVED]
    return [Span(0, len(document.text), "PERSON", max(scores))] if scores else []


def _speaks(mask: Found) -> bool:
    """Whether what was found in the text is so in an attribute too; an uncertain city may be a region."""
    return mask.score >= CERTAIN or mask.type != "CITY"


def _bucket(score: float) -> str:
    if score >= CERTAIN:
        return "high"
    return "medium" if score >= LIKELY else "low"
