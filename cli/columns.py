"""The columns of a row as one record, and a redacted record as columns again.

All text of a row is examined together, so that a name in one column is found in the other and has the same
placeholder. A text is a turn. A value that is JSON (an object or a list, or a text that holds one, or a number) is
a member of the record's completion, so it stays JSON: its strings are replaced, never its keys. Those of its strings
that are more than a label are also read as prose, in turns that are thrown away; what is found there is masked in the
value. A column that is personal data itself is an attribute, and its values are what is looked for in the texts.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.policy import ENTITY_TYPES
from assay.privacy.segments import Segment, json_values
from assay.records import PLACEHOLDER, Known, Record, Turn
from assay.reporting.preview import Passage, Span
from cli import rows

if TYPE_CHECKING:
    from assay.privacy.drafts import Mark
    from assay.privacy.redaction import Audited

SPANS = "spans"
"""The column that says what was masked where."""

DEPTH = 100
"""Levels of JSON within JSON that are examined."""

_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_WHITE = " \t\n\r"
_TURN = re.compile(r"context\[(\d+)\]")
_FIELD = re.compile(r"\bcompletion\b|attributes\[(.*)\[\d+\]\]")


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
    _turns: dict[str, str] = field(init=False, repr=False)
    """Column → its text; each is a turn, in this order."""

    _values: dict[str, str] = field(init=False, repr=False)
    """Column → its JSON text; each is a member of the completion."""

    _known: dict[str, list[str]] = field(init=False, repr=False)
    """Column → the values in it."""

    _copies: list[Segment] = field(init=False, repr=False)
    """Strings within JSON that are more than a label; each is a turn too, behind the others."""

    def __post_init__(self) -> None:
        cells = self.row.cells
        texts = {name: _text(cells[name]) for name in self.columns.texts if name in cells}
        self._turns = {name: text for name, (text, is_json) in texts.items() if not is_json}
        self._values = {name: text for name, (text, is_json) in texts.items() if is_json}
        self._copies = [
            value
            for value in json_values(self._completion()) or ()
            if value.literal.startswith('"') and value.text.strip() and not value.is_label
        ]
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
        cells = {name: self.row.cells.get(name, "") for name in self.columns.known} | self._values
        if deep := [name for name, text in cells.items() if _depth(text) > DEPTH]:
            return f"{', '.join(deep)} is nested in more than {DEPTH} levels"
        return None

    def record(self) -> Record:
        """What is examined."""
        texts = [*self._turns.values(), *(copy.text for copy in self._copies)]
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
            context=tuple(Turn("user", text) for text in texts),
            completion=self._completion(),
            attributes={f"{name}[{n}]": v for name, values in self._known.items() for n, v in enumerate(values)},
            known=tuple(known),
        )

    def reason(self, reason: str) -> str:
        """Why the record was dropped, said of columns."""
        names, values = list(self._turns), ", ".join(self._values)
        said = _TURN.sub(lambda turn: names[int(turn[1])] if int(turn[1]) < len(names) else values, reason)
        return _FIELD.sub(lambda found: found[1] or values, said)

    def passages(self, redacted: Record, audited: "Audited") -> list[Passage]:
        """Every named column before and after, those that are known last."""
        after = {name: redacted.completion[start:end] for name, start, end in _members(redacted.completion)}
        after = {name: _padded(text, self._values[name]) for name, text in after.items()}
        after |= {name: turn.content for name, turn in zip(self._turns, redacted.context, strict=False)}
        before = self._turns | self._values
        spans = self._turn_spans(audited.marks) | self._value_spans(audited.marks, redacted.completion)
        texts = [Passage(name, before[name], after[name], tuple(sorted(spans[name]))) for name in self.columns.texts]
        return [*texts, *(self._replaced(name, redacted.attributes) for name in self._known)]

    def _turn_spans(self, marks: "Sequence[Mark]") -> dict[str, list[Span]]:
        fields = {f"context[{number}]": name for number, name in enumerate(self._turns)}
        return {
            name: [Span(mark.start, mark.end, mark.type) for mark in marks if mark.field == key]
            for key, name in fields.items()
        }

    def _value_spans(self, marks: "Sequence[Mark]", redacted: str) -> dict[str, list[Span]]:
        """Column → spans in its JSON text."""
        pairs = zip(json_values(self._completion()) or (), json_values(redacted) or (), strict=True)
        after = {old.start: new.text for old, new in pairs}
        spans = [Span(mark.start, mark.end, mark.type) for mark in marks if mark.field == "completion"]
        for number, copy in enumerate(self._copies, start=len(self._turns)):
            whole = [span for span in spans if span.start == copy.start]
            if whole:  # It has escapes, so its marks are of all of it; those of its copy are exact.
                inside = [mark for mark in marks if mark.field == f"context[{number}]"]
                told = _tell(copy.text, inside, after[copy.start])
                exact = [_in_literal(copy, mark) for mark in inside] if told else whole[:1]
                spans = [span for span in spans if span.start != copy.start] + exact
        found: dict[str, list[Span]] = {name: [] for name in self._values}
        for name, start, end in _members(self._completion()):
            first = start - _lead(self._values[name])
            found[name] = [Span(s.start - first, s.end - first, s.type) for s in spans if start <= s.start < end]
        return found

    def written(self, passages: Sequence[Passage], *, spans: bool) -> str:
        """The row as it is written, after its header if it is the first."""
        changes = {p.column: self._cell(p) for p in passages if p.redacted != p.original}
        if not spans:
            return self.row.written(changes, {})
        many = len(self.columns.texts) > 1
        listed = [
            ({"column": p.column} if many else {}) | span._asdict()
            for p in passages
            if p.column in self.columns.texts
            for span in p.spans
        ]
        return self.row.written(changes, {SPANS: json.dumps(listed)})

    def _cell(self, passage: Passage) -> str:
        """The JSON text of a changed value."""
        held_as_text = passage.column in self._turns or self.row.cells[passage.column].startswith('"')
        if passage.column in self.columns.known or not held_as_text:
            return passage.redacted
        return json.dumps(passage.redacted, ensure_ascii=self.row.cells[passage.column].isascii())

    def _replaced(self, name: str, attributes: Mapping[str, str]) -> Passage:
        """A column that is personal data: what of it is no placeholder afterwards is replaced as a whole."""
        original, kind = self.row.cells[name], self.columns.known[name]
        values = [attributes[f"{name}[{number}]"] for number in range(len(self._known[name]))]
        changed = _refilled(json.loads(original), [v if _is_masked(v) else f"[{kind}_0]" for v in values], kind)
        after = original if changed == json.loads(original) else json.dumps(changed)
        return Passage(name, original, after, (Span(0, len(original), kind),) if after != original else ())

    def _completion(self) -> str:
        if not self._values:
            return ""
        return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in self._values.items()) + "}"


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


def _is_masked(value: str) -> bool:
    """Whether nothing personal is left of a value."""
    found = PLACEHOLDER.fullmatch(value)
    return not value.strip() or (found is not None and found[1] in ENTITY_TYPES)


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


def _lead(text: str) -> int:
    """Characters of white space before a JSON text."""
    return len(text) - len(text.lstrip(_WHITE))


def _padded(text: str, original: str) -> str:
    """With the white space that stands around the original."""
    lead = _lead(original)
    return original[:lead] + text + original[len(original.rstrip(_WHITE)) :]


def _tell(text: str, marks: "Sequence[Mark]", redacted: str) -> bool:
    """Whether marks in a text say all that has become of it."""
    edges = [0, *(edge for mark in marks for edge in (mark.start, mark.end)), len(text)]
    kept = [re.escape(text[start:end]) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return re.fullmatch(PLACEHOLDER.pattern.join(kept), redacted) is not None


def _in_literal(value: Segment, mark: "Mark") -> Span:
    """What is marked in the text of a JSON string, in the string as it is written."""
    places = [found.start() for found in _CHARACTER.finditer(value.literal)]
    first = value.start
    return Span(first + places[mark.start + 1], first + places[mark.end + 1], mark.type)


def _members(completion: str) -> list[tuple[str, int, int]]:
    return list(rows.members(completion)) if completion else []
