"""A record on its way through redaction: what is still to be examined, and what is masked already.

A record's text is a few segments: its turns, and its completion, or if that is JSON each string or number
that it holds as a value. A segment remembers its original text and the ranges masked in it, so that what is
found in the text as it now reads can be said of the text as it was.
"""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assay.records import Known, Record, Turn

VERSION = 1

CERTAIN = 0.85
"""Score from which a hit counts by itself."""

LIKELY = 0.5
"""Score from which a hit is more than a suspicion."""

EXACT = frozenset({"EMAIL", "URL", "IP_ADDRESS", "SECRET", "USERNAME"})
"""Types in whose values punctuation matters; others are compared by their letters and digits alone."""

_LITERAL = re.compile(r'(?P<literal>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?P<colon>\s*:)?')
_LABEL = re.compile(r"[a-z][a-z_-]{0,40}(?: [a-z_-]{1,40}){0,2}")
_PERSONAL_KEY = re.compile(r"name|person|customer|contact|city|town|address|street|user|mail|phone", re.IGNORECASE)

BETWEEN = "\n\n"
"""Stands between the texts of a record while they are examined together."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something was masked: characters of the field as it was, and how sure the detector was."""

    field: str
    """``context[0]``, ``context[1]``, …, or ``completion``."""

    start: int
    end: int
    type: str
    bucket: str
    """``low`` under 0.5, ``medium`` under 0.85, ``high`` from there."""


class Found(Protocol):
    """Characters ``start`` to ``end``, as an entity type, with a score in 0 … 1."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last."""

    @property
    def type(self) -> str:
        """Entity type."""

    @property
    def score(self) -> float:
        """How sure."""


def fields(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of what is examined: each turn, then the completion."""
    for number, turn in enumerate(record.context):
        yield f"context[{number}]", turn.content
    yield "completion", record.completion


@dataclass(slots=True)
class Segment:
    """A text within a record: a turn, or one value of a JSON completion."""

    field: str
    text: str
    key: str | None = None
    """Of a JSON value: the name it stands under."""

    start: int = 0
    """In the field."""

    literal: str = ""
    """Of a JSON value: how it is written."""

    masks: dict[tuple[int, int], Found] = dataclasses.field(default_factory=dict)
    """By start and end in ``text``; disjoint."""

    @property
    def is_label(self) -> bool:
        """Whether this looks like one of a fixed set of values, which only certainty may replace."""
        return self.key is not None and bool(_LABEL.fullmatch(self.text)) and not _PERSONAL_KEY.search(self.key)

    def pieces(self, fixed: re.Pattern[str]) -> Iterator[tuple[int, int, bool]]:
        """Ranges of ``text`` in order; the flag says whether one is still open to examination."""
        closed = sorted({*self.masks, *((m.start(), m.end()) for m in fixed.finditer(self.text))})
        position = 0
        for start, end in closed:
            if start > position:
                yield position, start, True
            yield start, end, False
            position = max(position, end)
        if position < len(self.text):
            yield position, len(self.text), True


@dataclass(slots=True)
class Document:
    """What is examined at once, and where each open piece of it came from."""

    text: str
    known: list[Known]
    origins: list[tuple[int, int, Segment, int]]
    """Start and end in ``text``; the segment, and the start in its text."""


class Draft:
    """A record being redacted."""

    def __init__(self, record: Record, types: Sequence[str]) -> None:
        self._record = record
        self._fixed = re.compile(rf"\[({'|'.join(map(re.escape, types))})_(\d{{1,6}})\]")
        self._placeholders: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._known = list(record.known)
        self._values = _json_values(record.completion)
        self._prose = [Segment(name, text) for name, text in fields(record)]
        if self._values is not None:
            self._prose.pop()
        for _, text in fields(record):
            for kind, number in self._fixed.findall(text):
                self._numbers[kind] = max(self._numbers[kind], int(number))

    def documents(self, *, strict: bool) -> Iterator[Document]:
        """What is to be examined next, as it now reads."""
        if not strict:
            yield self._document(self._prose, self._known)
            return
        found = [(m, s.text[a:b]) for s in self._prose for (a, b), m in s.masks.items()]
        certain = [Known(m.type, value) for m, value in found if m.score >= CERTAIN]
        labels = [s for s in self._values or () if s.is_label]
        values = [s for s in self._values or () if not s.is_label]
        if labels:
            yield self._document(labels, self._known + certain)
        if values:
            yield self._document(values, self._known + [Known(m.type, value) for m, value in found])

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
        for span in found:
            for start, end, segment, origin in document.origins:
                first, last = max(start, span.start), min(end, span.end)
                if first < last and any(map(str.isalnum, document.text[first:last])):
                    whole = segment.literal and not segment.literal.startswith('"')
                    place = (
                        (0, len(segment.text))
                        if whole
                        else _trimmed(segment.text, first - start + origin, last - start + origin)
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
        return dataclasses.replace(self._record, context=context, completion=completion, known=())

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

    def marks(self) -> tuple[Mark, ...]:
        """Where what was masked, field by field."""
        return tuple(
            Mark(s.field, *_in_field(s, place), mask.type, _bucket(mask.score))
            for s in [*self._prose, *(self._values or ())]
            for place, mask in sorted(s.masks.items(), key=lambda item: item[0])
        )


def _json_values(text: str) -> list[Segment] | None:
    """The strings and numbers that a JSON object or array holds as values; ``None`` if ``text`` is neither."""
    try:
        if not isinstance(json.loads(text), dict | list):
            return None
    except (ValueError, RecursionError):
        return None
    values, key = [], ""
    for match in _LITERAL.finditer(text):
        literal = match["literal"]
        value = json.loads(literal) if literal.startswith('"') else literal
        if match["colon"]:
            key = value
        else:
            values.append(Segment("completion", value, key, match.start(), literal))
    return values


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space at either end."""
    held = text[start:end]
    start += len(held) - len(held.lstrip())
    return start, start + len(held.strip())


def _in_field(segment: Segment, place: tuple[int, int]) -> tuple[int, int]:
    """A range of the segment in its field; the whole value where escapes make the two differ."""
    start, end = place
    if not segment.literal:
        return start, end
    if "\\" in segment.literal or not segment.literal.startswith('"'):
        return segment.start, segment.start + len(segment.literal)
    return segment.start + 1 + start, segment.start + 1 + end


def _bucket(score: float) -> str:
    if score >= CERTAIN:
        return "high"
    return "medium" if score >= LIKELY else "low"
