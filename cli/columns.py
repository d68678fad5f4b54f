"""The columns of a row as one record, and a redacted record as columns again.

All text of a row is examined together, so that a name in one column is found in the other and has the same
placeholder. A text is a turn; so is a value that is JSON (an object or a list, a text that holds one, or a number),
wrapped in an object that gives it the column's name. It stays JSON: its strings are replaced, never its names. A column
that is personal data itself is an attribute, and its values are what is looked for in the texts.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.policy import ENTITY_TYPES
from assay.records import PLACEHOLDER, Known, Record, Turn
from assay.reporting.preview import Passage, Span
from cli import rows

if TYPE_CHECKING:
    from assay.privacy.replacement.drafts import Mark
    from assay.privacy.replacement.redaction import Audited

SPANS = "spans"
"""The column that says what was masked where."""

DEPTH = 100
"""Levels of JSON within JSON that are examined."""

_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_TURN = re.compile(r"context\[(\d+)\]")
_FIELD = re.compile(r"attributes\[(.*)\[\d+\]\]")


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file are."""

    texts: tuple[str, ...]
    known: Mapping[str, str]
    """Column → type of the personal data that it is."""

    id: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """All of them."""
        return (*((self.id,) if self.id else ()), *self.texts, *self.known)


@dataclass(slots=True)
class Sheet:
    """A row on its way through redaction."""

    row: rows.Row
    columns: Columns
    _texts: dict[str, str] = field(init=False, repr=False)
    """Column → its text, or the JSON text of its value."""

    _wraps: dict[str, str] = field(init=False, repr=False)
    """Column whose value is JSON → what stands before it in its turn."""

    _known: dict[str, list[str]] = field(init=False, repr=False)
    """Column → the values in it."""

    def __post_init__(self) -> None:
        cells = self.row.cells
        texts = {name: _text(cells[name]) for name in self.columns.texts if name in cells}
        self._texts = {name: text for name, (text, _) in texts.items()}
        self._wraps = {name: f"{{{json.dumps(name)}: " for name, (_, is_json) in texts.items() if is_json}
        present = [name for name in self.columns.known if name in cells and _depth(cells[name]) <= DEPTH]
        self._known = {name: [str(value) for _, value in _leaves(json.loads(cells[name]), name)] for name in present}

    @property
    def id(self) -> str:
        """The row's own, or else its line."""
        value = json.loads(self.row.cells.get(self.columns.id or "", "null"))
        return str(value) if isinstance(value, str | int | float) and str(value).strip() else f"line {self.row.line}"

    @property
    def fault(self) -> str | None:
        """Why the row cannot be examined as it was asked, if so."""
        if missing := [name for name in self.columns.texts if name not in self.row.cells]:
            return f"the row lacks {', '.join(missing)}"
        if twice := sorted({*self.columns.texts, *self.columns.known} & set(self.row.doubled)):
            return f"the row has {', '.join(twice)} more than once"
        cells = {name: self.row.cells.get(name, "") for name in self.columns.known}
        cells |= {name: self._texts[name] for name in self._wraps}
        if deep := [name for name, text in cells.items() if _depth(text) > DEPTH]:
            return f"{', '.join(deep)} is nested in more than {DEPTH} levels"
        return None

    def record(self) -> Record:
        """What is examined."""
        known = [
            Known(self.columns.known[name], value)
            for name, values in self._known.items()
            for value in values
            if not _is_masked(value)
        ]
        return Record(
            id=self.id,
            subject="",
            bucket=0,
            source="",
            context=tuple(Turn("user", self._turn(name)) for name in self._texts),
            completion="",
            attributes={f"{name}[{n}]": v for name, values in self._known.items() for n, v in enumerate(values)},
            known=tuple(known),
        )

    def reason(self, reason: str) -> str:
        """Why the record was dropped, said of columns."""
        names = list(self._texts)
        return _FIELD.sub(r"\1", _TURN.sub(lambda turn: names[int(turn[1])], reason))

    def passages(self, redacted: Record, audited: "Audited") -> list[Passage]:
        """Every named column before and after, those that are known last."""
        fields = {f"context[{number}]": name for number, name in enumerate(self._texts)}
        spans: dict[str, list[Span]] = {name: [] for name in self._texts}
        for mark in audited.marks:
            if name := fields.get(mark.field):
                before = len(self._wraps.get(name, ""))
                is_surrogate = mark.action == "surrogate"
                spans[name].append(Span(mark.start - before, mark.end - before, mark.type, mark.length, is_surrogate))
        turns = zip(self._texts, redacted.context, strict=True)
        after = {name: self._unwrapped(name, turn.content) for name, turn in turns}
        texts = [Passage(name, self._texts[name], after[name], tuple(sorted(spans[name]))) for name in self._texts]
        return [*texts, *(self._replaced(name, redacted.attributes, audited.marks) for name in self._known)]

    def _turn(self, name: str) -> str:
        """What is examined of a column."""
        return f"{self._wraps[name]}{self._texts[name]}}}" if name in self._wraps else self._texts[name]

    def _unwrapped(self, name: str, turn: str) -> str:
        return turn[len(self._wraps[name]) : -1] if name in self._wraps else turn

    def written(self, passages: Sequence[Passage], *, spans: bool) -> str:
        """The row as it is written, after its header if it is the first."""
        changes = {p.column: self._cell(p) for p in passages if p.redacted != p.original}
        if not spans:
            return self.row.written(changes, {})
        many = len(self.columns.texts) > 1
        listed = [
            ({"column": p.column} if many else {}) | {"start": span.start, "end": span.end, "type": span.type}
            for p in passages
            if p.column in self.columns.texts
            for span in p.spans
        ]
        return self.row.written(changes, {SPANS: json.dumps(listed)})

    def _cell(self, passage: Passage) -> str:
        """The JSON text of a changed value."""
        held_as_text = passage.column not in self._wraps or self.row.cells[passage.column].startswith('"')
        if passage.column in self.columns.known or not held_as_text:
            return passage.redacted
        return json.dumps(passage.redacted, ensure_ascii=self.row.cells[passage.column].isascii())

    def _replaced(self, name: str, attributes: Mapping[str, str], marks: "Sequence[Mark]") -> Passage:
        """A column that is personal data: what of it could not be replaced by its own is by another placeholder."""
        original, kind = self.row.cells[name], self.columns.known[name]
        values = {f"{name}[{number}]": value for number, value in enumerate(self._known[name])}
        own = {each: [mark for mark in marks if mark.field == f"attributes[{each}]"] for each in values}
        stand = [attributes[n] if _is_masked(value, own[n]) else f"[{kind}_0]" for n, value in values.items()]
        changed = _refilled(json.loads(original), stand, kind)
        after = original if changed == json.loads(original) else json.dumps(changed)
        invented = any(mark.action == "surrogate" for masked in own.values() for mark in masked)
        span = Span(0, len(original), kind, len(after), invented)
        return Passage(name, original, after, (span,) if after != original else ())


def _text(cell: str) -> tuple[str, bool]:
    """The text of a cell, and whether it is that of a JSON value."""
    value = json.loads(cell)
    if not isinstance(value, str):
        return cell, True
    try:
        return value, isinstance(json.loads(value), dict | list)
    except (ValueError, RecursionError):
        return value, False


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str | float]]:  # noqa: ANN401
    """Strings and numbers in a JSON value, with the names that they stand under."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _leaves(inner, name)
        case list():
            for inner in value:
                yield from _leaves(inner, key)
        case bool() | None:
            pass
        case _:
            yield key, value


def _depth(text: str) -> int:
    """Levels of a sound JSON text."""
    depth = deepest = 0
    for found in _BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _is_masked(value: str, marks: "Sequence[Mark]" = ()) -> bool:
    """Whether nothing personal is left of a value: no letter and no digit outside of marks and placeholders."""
    places = {n for mark in marks for n in range(mark.start, mark.end)}
    places |= {n for found in PLACEHOLDER.finditer(value) if found[1] in ENTITY_TYPES for n in range(*found.span())}
    left = any(c.isalnum() and n not in places for n, c in enumerate(value))
    return not left and (bool(places) or not value.strip())


def _refilled(value: Any, values: Sequence[str], kind: str) -> Any:  # noqa: ANN401
    """A JSON value with others in the place of its own; an object as a whole, since its names may tell as much."""
    match value:
        case None:
            return None
        case list() if len(values) == len(value):
            return list(values)
        case str() | int() | float() if len(values) == 1:
            return values[0]
        case _:
            return f"[{kind}_0]" if value else value
