r"""Segments: the texts within a record that are examined, and what of each is masked already.

A turn is one segment, and so are a completion and an attribute. Where one of them holds JSON, as a whole, in a fenced
block or from the beginning of a line, each string or number that stands there as a value is a segment of its own, and
so is each name; and where such a string is JSON again, as the arguments of a tool call are, each value within it, and
so on. What lies between values (names, brackets, spaces) is never changed.

A segment remembers its original text and the ranges masked in it, so that what is found in the text as it now reads can
be said of the text as it was, and how it is written there: a name inside a JSON string inside a JSON string is found by
its characters, whatever escapes stand before it (:func:`edit`), and changed without touching another byte.

Characters that nobody sees, such as a zero-width space inside an address, are left out where a text is examined, and
``\u00f6`` reads as the letter that it stands for, since JSON in the middle of a line is prose here (:func:`seen`).

Text with more JSON, or JSON nested deeper, than is opened is said to be so (:func:`excess`).
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

VERSION = 3

DEPTH = 4
"""JSON within JSON within JSON: deeper, a string is one text, and the record is set aside."""

BLOCKS = 50
"""Places of a text at which JSON may begin that are tried; with more of them the record is set aside."""

FUNCTION = "function"
"""What the name of a function that is called stands under, whatever it is called in JSON."""

_ARGUMENTS = ("arguments", "parameters")
_ARGUMENTS_NEXT = re.compile(r'\s*,\s*"(?:arguments|parameters)"\s*:')
_FUNCTION = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_NEAR = 40
_LITERAL = re.compile(r'(?P<literal>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?P<colon>\s*:)?')
_LABEL = re.compile(r"[a-z][a-z_-]{0,40}(?: [a-z_-]{1,40}){0,2}")
_PERSONAL_KEY = re.compile(r"name|person|customer|contact|city|town|address|street|user|mail|phone", re.IGNORECASE)
_SOMEBODY_KEY = re.compile(
    r"agent|author|caller|client|driver|employee|guest|member|owner|patient|recipient|sender|sign", re.IGNORECASE
)
_PLAIN_KEY = re.compile(r"[^\W\d][\w$-]{0,60}")
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
# Behind the bracket of a list in a list may stand no capital: "[[PERSON_1]" is a name in brackets.
_BLOCK = re.compile(r"(?:^|\n)[ \t]*(?:```[a-z]*[ \t]*\n\s*)?(?=\{[ \t\r\n]*[}\"]|\[[ \t\r\n]*(?:[{\"]|\[(?![A-Z])))")
_CLOSING = re.compile(r"[ \t\r]*(?:\n\s*```[ \t\r]*)?(?=\n|$)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_WHITE = " \t\r\n"
_DECODER = json.JSONDecoder()
# Marks of direction, joiners, soft hyphens (category Cf), selectors of variants; nothing of them is seen.
_UNSEEN = re.compile(
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f"
    "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb\\U0001bca0-\\U0001bca3\\U000e0000-\\U000e0fff]"
)
_READ = re.compile(
    r"\\{1,32}u[dD][89abAB][0-9a-fA-F]{2}\\{1,32}u[dD][c-fC-F][0-9a-fA-F]{2}|\\{1,32}u[0-9a-fA-F]{4}|.", re.DOTALL
)
_UNIT = re.compile(r"u([0-9a-fA-F]{4})")


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
    """A text within a record: a stretch of a turn, one value of JSON, or an attribute."""

    field: str
    text: str
    key: str | None = None
    """Of a JSON value the name it stands under; of an attribute its name, if that says that it is personal."""

    start: int = 0
    """In the field, or in the text of :attr:`outer`."""

    literal: str = ""
    """Of a JSON value: how it is written."""

    outer: "Segment | None" = None
    """The JSON string that holds it, if that is not the field itself."""

    is_name: bool = False
    """Whether it is the name of a JSON value, which nothing can replace."""

    fixed: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    """What stays as it is: placeholders and surrogates of an earlier time. Ascending, disjoint."""

    masks: dict[tuple[int, int], Found] = dataclasses.field(default_factory=dict)
    """By start and end in ``text``; disjoint, also from those that are fixed."""

    _places: list[int] = dataclasses.field(default_factory=list, repr=False)

    @property
    def is_string(self) -> bool:
        """Whether it is a string of JSON."""
        return self.literal.startswith('"')

    @property
    def is_plain(self) -> bool:
        """Whether it is one plain word, as most names in JSON are."""
        return _PLAIN_KEY.fullmatch(self.text) is not None

    @property
    def is_personal(self) -> bool:
        """Whether the name that it stands under says that somebody is spoken of."""
        name = self.field if self.key is None else self.key
        return bool(_PERSONAL_KEY.search(name) or _SOMEBODY_KEY.search(name))

    @property
    def is_label(self) -> bool:
        """Whether this looks like one of a fixed set of values, which only certainty may replace."""
        if self.key == FUNCTION:
            return True
        return self.key is not None and bool(_LABEL.fullmatch(self.text)) and not _PERSONAL_KEY.search(self.key)

    def pieces(self) -> Iterator[tuple[int, int, bool]]:
        """Ranges of ``text`` in order; the flag says whether one is still open to examination."""
        position = 0
        for start, end in sorted({*self.masks, *self.fixed}):
            if start > position:
                yield position, start, True
            yield start, end, False
            position = max(position, end)
        if position < len(self.text):
            yield position, len(self.text), True

    def place(self, position: int) -> int:
        """Where a character of ``text`` stands in :attr:`literal`, or without one in itself."""
        if not self.is_string or "\\" not in self.literal:
            return position + self.is_string
        if not self._places:
            self._places = [match.start() for match in _CHARACTER.finditer(self.literal)]
        return self._places[position + 1]


def parts(field: str, text: str, key: str | None = None) -> list[Segment]:
    """A field as segments in order: prose, which stands under ``key``, and the names and values of the JSON in it."""
    if (values := json_values(text, field)) is not None:
        return values
    found: list[Segment] = []
    position = 0
    for opened, start, end, closed in _blocks(text):
        found += _prose(field, text, position, opened, key)
        found += json_values(text[start:end], field, start) or []
        position = closed
    return [*found, *_prose(field, text, position, len(text), key)]


def _prose(field: str, text: str, start: int, end: int, key: str | None) -> list[Segment]:
    """A stretch of prose; an empty field is one too."""
    return [Segment(field, text[start:end], key, start)] if start < end or not text else []


def excess(text: str, held: Iterable[Segment]) -> str | None:
    """What of a text's JSON is more than is opened into the parts ``held``, if so; to stand behind the field's name."""
    if not _is_json(text) and sum(1 for _ in zip(range(BLOCKS + 1), _BLOCK.finditer(text), strict=False)) > BLOCKS:
        return f"has more than {BLOCKS} pieces of JSON"
    if any(part.is_string and _opens(part.text) and _is_json(part.text) for part in held):
        return f"has JSON in JSON more than {DEPTH} levels deep"
    return None


def _blocks(text: str) -> Iterator[tuple[int, int, int, int]]:
    """Where JSON objects and lists stand that begin a line and end one: with the fence around it, and without."""
    position = 0
    for _, match in zip(range(BLOCKS), _BLOCK.finditer(text), strict=False):
        start = match.end()
        if start < position:
            continue
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if closing := _CLOSING.match(text, end):
            yield match.start(), start, end, closing.end()
            position = closing.end()


def json_values(text: str, field: str = "completion", start: int = 0, depth: int = DEPTH) -> list[Segment] | None:
    """The strings and numbers that a JSON object or array holds as values; ``None`` if ``text`` is neither.

    Values of a string that is JSON itself stand in its place. Names are there too (:attr:`Segment.is_name`), to be
    looked at. ``start`` is where ``text`` stands in its field.
    """
    return _values(text, Segment(field, text, start=start), None, depth)


def _values(text: str, whole: Segment, outer: Segment | None, depth: int) -> list[Segment] | None:
    """What :func:`json_values` answers, of a text that is inside ``outer``."""
    if not _opens(text) or not _is_json(text):
        return None
    values: list[Segment] = []
    key, before = "", ""
    for match in _LITERAL.finditer(text):
        literal = match["literal"]
        value = json.loads(literal) if literal.startswith('"') else literal
        segment = Segment(whole.field, value, key, match.start() + whole.start, literal, outer)
        if not match["colon"]:
            if key == "name" and _is_call(value, before, text[match.end() : match.end() + _NEAR]):
                segment.key = FUNCTION
            inner = (
                _values(value, Segment(whole.field, value), segment, depth - 1) if segment.is_string and depth else None
            )
            values += [segment] if inner is None else inner
            continue
        key, before = value, key
        values.append(dataclasses.replace(segment, key=None, is_name=True))
    return values


def _is_call(name: str, before: str, behind: str) -> bool:
    """Whether a name stands beside arguments, and so is that of a function."""
    return _FUNCTION.fullmatch(name) is not None and (before in _ARGUMENTS or _ARGUMENTS_NEXT.match(behind) is not None)


def _opens(text: str) -> bool:
    """Whether a text may be an object or a list."""
    return text.lstrip(_WHITE).startswith(("{", "["))


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def seen(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """``text`` as it is read, and from where to where each character of it was written; ``None`` if all are as written.

    What nobody sees is left out, and an escape is its character, however many backslashes stand before it; half of a
    pair and NUL are U+FFFD.
    """
    if "\\u" not in text and (text.isascii() or not _UNSEEN.search(text)):
        return text, None
    read = [(_character(match[0]), match.span()) for match in _READ.finditer(text)]
    read = [each for each in read if not _UNSEEN.match(each[0])]
    return "".join(character for character, _ in read), [place for _, place in read]


def _character(written: str) -> str:
    """One that may be written as an escape."""
    if len(written) == 1:
        return written
    units = bytes.fromhex("".join(_UNIT.findall(written)))
    return units.decode("utf-16-be", "replace").replace("\0", "\ufffd")


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space at either end."""
    held = text[start:end]
    start += len(held) - len(held.lstrip())
    return start, start + len(held.strip())


def written(text: str, edits: Iterable[tuple[Segment, tuple[int, int], str]]) -> str:
    """A field with other texts in place of ranges of its segments; every other character stays."""
    changed, position = [], 0
    for start, end, new in sorted(edit(segment, *place, new) for segment, place, new in edits):
        changed += [text[position:start], new]
        position = end
    return "".join([*changed, text[position:]])


def edit(segment: Segment, start: int, end: int, new: str) -> tuple[int, int, str]:
    """A change of a segment as one of its field: escaped as often as it is inside a string."""
    if segment.is_string:
        new = json.dumps(new, ensure_ascii=segment.literal.isascii())[1:-1]
        start, end = segment.place(start), segment.place(end)
    elif segment.literal:
        start, end = 0, len(segment.literal)
        new = new if _NUMBER.fullmatch(new) else json.dumps(new)
    start, end = start + segment.start, end + segment.start
    return (start, end, new) if segment.outer is None else edit(segment.outer, start, end, new)
