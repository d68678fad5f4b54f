"""Segments: the texts within a record that are examined, and what of each is masked already.

A turn is one segment, and so is a completion, or if that is JSON each string or number that it holds as a value, and
each attribute. A segment remembers its original text and the ranges masked in it, so that what is found in the text as
it now reads can be said of the text as it was.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

VERSION = 1

_LITERAL = re.compile(r'(?P<literal>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?P<colon>\s*:)?')
_LABEL = re.compile(r"[a-z][a-z_-]{0,40}(?: [a-z_-]{1,40}){0,2}")
_PERSONAL_KEY = re.compile(r"name|person|customer|contact|city|town|address|street|user|mail|phone", re.IGNORECASE)


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


@dataclass(slots=True)
class Segment:
    """A text within a record: a turn, one value of a JSON completion, or an attribute."""

    field: str
    text: str
    key: str | None = None
    """Of a JSON value the name it stands under; of an attribute its name, if that says that it is personal."""

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


def json_values(text: str) -> list[Segment] | None:
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


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space at either end."""
    held = text[start:end]
    start += len(held) - len(held.lstrip())
    return start, start + len(held.strip())


def in_field(segment: Segment, place: tuple[int, int]) -> tuple[int, int]:
    """A range of the segment in its field; the whole value where escapes make the two differ."""
    start, end = place
    if not segment.literal:
        return start, end
    if "\\" in segment.literal or not segment.literal.startswith('"'):
        return segment.start, segment.start + len(segment.literal)
    return segment.start + 1 + start, segment.start + 1 + end
