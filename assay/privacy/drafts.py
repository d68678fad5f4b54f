"""A record on its way through redaction: what is still to be examined, and what is masked already.

A draft holds a record's segments (:mod:`assay.privacy.segments`): its turns, its completion, its attributes. It says
which of them are to be examined together, takes what was found, numbers the placeholders, and writes the record as it
then reads. Prose is examined first and as a whole; values of JSON and attributes then, with what the prose gave away.
"""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.privacy import attributes
from assay.privacy.fingerprints import fingerprint
from assay.privacy.patterns import Span
from assay.privacy.segments import Found, Segment, in_field, json_values, trimmed
from assay.records import Known, Record, Turn

VERSION = 2

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
    """Of what was masked, under a key kept elsewhere (:mod:`assay.privacy.fingerprints`); empty without a key."""


def fields(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of what is read as prose: each turn, then the completion."""
    for number, turn in enumerate(record.context):
        yield f"context[{number}]", turn.content
    yield "completion", record.completion


def columns(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of the attributes, by name."""
    for name, value in sorted(record.attributes.items()):
        yield f"attributes[{name}]", value


@dataclass(slots=True)
class Document:
    """What is examined at once, and where each open piece of it came from."""

    text: str
    known: list[Known]
    origins: list[tuple[int, int, Segment, int]]
    """Start and end in ``text``; the segment, and the start in its text."""

    is_value: bool = False
    """Whether this is one attribute's value, of which only a name counts, and then takes all of it."""


class Draft:
    """A record being redacted."""

    def __init__(self, record: Record, types: Sequence[str]) -> None:
        self._record = record
        self._fixed = re.compile(rf"\[({'|'.join(map(re.escape, types))})_(\d{{1,6}})\]")
        self._placeholders: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._known = list(record.known)
        self._values = json_values(record.completion)
        self._prose = [Segment(name, text) for name, text in fields(record)]
        if self._values is not None:
            self._prose.pop()
        self._columns = [
            Segment(field, text, attributes.label(name))
            for name, (field, text) in zip(sorted(record.attributes), columns(record), strict=True)
        ]
        for _, text in (*fields(record), *columns(record)):
            for kind, number in self._fixed.findall(text):
                self._numbers[kind] = max(self._numbers[kind], int(number))

    def documents(self, *, strict: bool) -> Iterator[Document]:
        """What is to be examined next, as it now reads."""
        if not strict:
            yield self._document(self._prose, self._known)
            for segment in self._columns:
                if not segment.masks and attributes.may_be_name(segment.text):
                    yield Document(segment.text, [], [(0, len(segment.text), segment, 0)], is_value=True)
            return
        found = [(m, s.text[a:b]) for s in self._prose for (a, b), m in s.masks.items()]
        certain = [Known(m.type, value) for m, value in found if m.score >= CERTAIN]
        labels = [s for s in self._values or () if s.is_label]
        values = [s for s in self._values or () if not s.is_label]
        if labels:
            yield self._document(labels, self._known + certain)
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

    def _document(self, segments: Sequence[Segment], known: list[Known]) -> Document:
        text = ""
        origins: list[tuple[int, int, Segment, int]] = []
        for segment in segments:
            text += f"{segment.key.replace('_', ' ')}: " if segment.key else ""
            for start, end, is_open in segment.pieces(self._fixed):
                piece = segment.text[start:end]
                if is_open:
                    origins.append((len(text), len(text) + len(piece), segment, start))
                text += piece if is_open else self._written(segment, start, end)
            text += BETWEEN
        return Document(text, known, origins)

    def _written(self, segment: Segment, start: int, end: int) -> str:
        """What stands for a closed range: its placeholder, or itself if it is one already."""
        value = segment.text[start:end]
        mask = segment.masks.get((start, end))
        if mask is None:
            return value
        key = value.casefold() if mask.type in EXACT else "".join(filter(str.isalnum, value.casefold()))
        if key not in self._placeholders:
            self._numbers[mask.type] += 1
            self._placeholders[key] = f"[{mask.type}_{self._numbers[mask.type]}]"
        return self._placeholders[key]

    def accept(self, document: Document, found: Sequence[Found]) -> bool:
        """Mask what was found in open pieces; whether there was any."""
        anything = False
        for span in _named(document, found) if document.is_value else found:
            for start, end, segment, origin in document.origins:
                first, last = max(start, span.start), min(end, span.end)
                if first < last and any(map(str.isalnum, document.text[first:last])):
                    whole = segment.literal and not segment.literal.startswith('"')
                    place = (
                        (0, len(segment.text))
                        if whole
                        else trimmed(segment.text, first - start + origin, last - start + origin)
                    )
                    segment.masks[place] = span
                    anything = True
        return anything

    def result(self) -> Record:
        """The record as it now reads."""
        texts = [self._rendered(segment) for segment in self._prose]
        if self._values is None:
            *texts, completion = texts
        else:
            completion = self._rendered_json(self._values)
        context = tuple(Turn(turn.role, text) for turn, text in zip(self._record.context, texts, strict=True))
        masked = {s.field: self._rendered(s) for s in self._columns if s.masks}
        beside = {name: masked.get(f"attributes[{name}]", value) for name, value in self._record.attributes.items()}
        return dataclasses.replace(self._record, context=context, completion=completion, attributes=beside, known=())

    def _rendered(self, segment: Segment) -> str:
        return "".join(
            segment.text[a:b] if is_open else self._written(segment, a, b)
            for a, b, is_open in segment.pieces(self._fixed)
        )

    def _rendered_json(self, values: Sequence[Segment]) -> str:
        raw, position, parts = self._record.completion, 0, []
        for segment in values:
            parts.append(raw[position : segment.start])
            changed = json.dumps(self._rendered(segment), ensure_ascii=raw.isascii())
            parts.append(changed if segment.masks else segment.literal)
            position = segment.start + len(segment.literal)
        return "".join([*parts, raw[position:]])

    def marks(self, key: bytes | None = None) -> tuple[Mark, ...]:
        """Where what was masked, field by field; with fingerprints under ``key``."""
        return tuple(
            Mark(
                s.field,
                *in_field(s, place),
                mask.type,
                _bucket(mask.score),
                "" if key is None else fingerprint(s.text[slice(*place)], key),
            )
            for s in [*self._prose, *(self._values or ()), *self._columns]
            for place, mask in sorted(s.masks.items(), key=lambda item: item[0])
        )


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
