"""From YAML nodes to the fields of a suite, noting every mistake with its line.

Nodes rather than values are read, because a value no longer knows its line, and because YAML 1.1 would
turn ``no`` into a boolean, ``2026-01-01`` into a date and ``1:30`` into ninety before anybody looked.
"""

import difflib
import math
import re
from typing import NamedTuple, get_args

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from expectations.catalogue import CATALOGUE, LEAKY, Entry, Severity

SUITE_KEYS = ("suite", "version", "owner", "max_quarantine", "checks")
CHECK_KEYS = ("id", "expect", "column", "parameters", "where", "why", "on_fail", "allow")
REQUIRED = ("id", "expect", "why", "on_fail")
GATE_DECIDES = frozenset(
    {"result_format", "mostly", "catch_exceptions", "row_condition", "condition_parser", "severity"}
)
IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Mistake(NamedTuple):
    """What is wrong, where, and with which check."""

    line: int
    who: str
    reason: str


class _Field(NamedTuple):
    line: int
    node: Node


_Fields = dict[str, _Field]
_WRONG = object()
"""Stands for a value whose mistake has been noted, so that it is not complained of twice."""


class Reader:
    """Turns nodes into fields and notes each mistake; reads on after every one."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self._ids: dict[str, int] = {}

    def suite(self, node: Node) -> dict[str, object]:
        """Fields of the suite, complete only if no mistake was noted."""
        found = self._mapping(node, "suite", SUITE_KEYS, required=SUITE_KEYS)
        fields: dict[str, object] = {}
        if "suite" in found:
            fields["name"] = self._text(found["suite"], "suite", "suite", r"[a-z0-9][a-z0-9_-]{0,63}")
        if "version" in found:
            fields["version"] = version = self._scalar(found["version"], "suite", "version")
            if version is not _WRONG and not (isinstance(version, int) and version >= 1):
                self._note(found["version"], "suite", "`version` must be a whole number of at least 1")
        if "owner" in found:
            fields["owner"] = self._text(found["owner"], "suite", "owner")
        if "max_quarantine" in found:
            fields["max_quarantine"] = self._share(found["max_quarantine"], "suite", "max_quarantine")
        if "checks" in found:
            fields["checks"] = self._checks(found["checks"])
        return fields

    def _checks(self, place: _Field) -> list[dict[str, object]]:
        if not isinstance(place.node, SequenceNode) or not place.node.value:
            self._note(place, "suite", "`checks` must be a list of at least one check; an empty suite lets all pass")
            return []
        return [self._check(node, f"check {i}") for i, node in enumerate(place.node.value, start=1)]

    def _check(self, node: Node, who: str) -> dict[str, object]:
        who = _identity(node) or who
        found = self._mapping(node, who, CHECK_KEYS, required=REQUIRED)
        fields: dict[str, object] = {}
        if "id" in found:
            fields["id"] = self._id(found["id"], who)
        for key in ("why", "column"):
            if key in found:
                fields[key] = self._text(found[key], who, key)
        if "on_fail" in found:
            fields["on_fail"] = self._text(found["on_fail"], who, "on_fail")
            if fields["on_fail"] not in (*get_args(Severity), _WRONG):
                self._note(found["on_fail"], who, f"`on_fail` must be one of {', '.join(get_args(Severity))}")
        if "allow" in found:
            fields["allow"] = self._share(found["allow"], who, "allow")
        if "where" in found:
            fields["where"] = self._where(found["where"], who)
        if "expect" in found and (entry := self._entry(found["expect"], who)):
            fields["expect"] = self._scalar(found["expect"], who, "expect")
            fields["parameters"] = self._parameters(found, who, entry, column=fields.get("column"))
            self._fits(found, who, entry, on_fail=fields.get("on_fail"))
        return fields

    def _id(self, place: _Field, who: str) -> object:
        id = self._text(place, who, "id", IDENTITY.pattern)
        if isinstance(id, str) and self._ids.setdefault(id, place.line) != place.line:
            self._note(place, who, f"`id` is taken by the check at line {self._ids[id]}")
        return id

    def _entry(self, place: _Field, who: str) -> Entry | None:
        expect = self._text(place, who, "expect")
        if not isinstance(expect, str) or expect in CATALOGUE:
            return CATALOGUE.get(expect) if isinstance(expect, str) else None
        if expect.removeprefix("expect_") in LEAKY:
            self._note(place, who, f"`{expect}` can print values from the data, so it is not offered")
        else:
            near = difflib.get_close_matches(expect.removeprefix("expect_"), CATALOGUE, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; expected one of {', '.join(CATALOGUE)}"
            self._note(place, who, f"`{expect}` is not an expectation{hint}")
        return None

    def _fits(self, found: _Fields, who: str, entry: Entry, on_fail: object) -> None:
        """Check what the expectation is about against what the check says."""
        if entry.column and "column" not in found:
            self._note(found["expect"], who, "`column` is missing")
        if not entry.column and "column" in found:
            self._note(found["column"], who, "`column` has no meaning here: the expectation is about the table")
        if not entry.column and on_fail == "quarantine":
            self._note(found["on_fail"], who, "`on_fail` must be stop or warn: a table names no row to quarantine")
        if not entry.column and "allow" in found:
            self._note(found["allow"], who, "`allow` has no meaning here: a table has no rows that fail")

    def _parameters(self, found: _Fields, who: str, entry: Entry, column: object) -> dict[str, object]:
        known = tuple(entry.parameters)
        required = tuple(name for name, parameter in entry.parameters.items() if parameter.required)
        if "parameters" not in found:
            lacking = required or (("one of " + " or ".join(entry.needs_one_of),) if entry.needs_one_of else ())
            for name in lacking:
                self._note(found["expect"], who, f"parameter {name} is missing")
            return {}
        place = found["parameters"]
        given = self._mapping(place.node, who, known, required=required, what="parameter")
        if isinstance(place.node, MappingNode) and entry.needs_one_of and not set(entry.needs_one_of) & set(given):
            self._note(place, who, f"parameter one of {' or '.join(entry.needs_one_of)} is missing")
        arguments: dict[str, object] = {}
        for name, value_place in given.items():
            value = arguments[name] = self._value(value_place, who, name)
            if value is _WRONG:
                continue
            parameter = entry.parameters[name]
            if complaint := parameter.complaint(value):
                self._note(value_place, who, f"`{name}` {complaint}")
            elif parameter.of_column:
                self._of_column(value_place, who, name, value, column)
        self._ordered(place, who, arguments)
        return arguments

    def _ordered(self, place: _Field, who: str, arguments: dict[str, object]) -> None:
        low, high = arguments.get("min_value"), arguments.get("max_value")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            self._note(place, who, f"`min_value` {low} is over `max_value` {high}, so no row could pass")

    def _where(self, place: _Field, who: str) -> dict[str, object] | None:
        if not isinstance(place.node, MappingNode):
            self._note(
                place, who, "`where` must be {column: NAME, is: VALUE} or {column: NAME, in: [...]}; text is never run"
            )
            return None
        found = self._mapping(place.node, who, ("column", "is", "in"), required=("column",), what="key of where")
        if found and ("is" in found) == ("in" in found):
            self._note(place, who, "`where` needs either `is` or `in`")
            return None
        column = self._text(found["column"], who, "column") if "column" in found else _WRONG
        for key in ("is", "in"):
            if key in found:
                value = self._value(found[key], who, key)
                if value is not _WRONG and isinstance(value, tuple) != (key == "in"):
                    self._note(found[key], who, f"`{key}` must be {'a list' if key == 'in' else 'one value'}")
                elif value == ():
                    self._note(found[key], who, "`in` must list at least one value")
                elif value is not _WRONG:
                    self._of_column(found[key], who, key, value, column)
                return {"column": column, "values": value if isinstance(value, tuple) else (value,)}
        return None

    def _of_column(self, place: _Field, who: str, name: str, value: object, column: object) -> None:
        """Refuse a number for a text column, which would match nothing."""
        items = value if isinstance(value, tuple) else (value,)
        if isinstance(column, str) and not all(isinstance(item, str) for item in items):
            self._note(place, who, f"`{name}` must be text: put it in quotes, as column {column} is")

    def _share(self, place: _Field, who: str, key: str) -> object:
        value = self._scalar(place, who, key)
        if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", value)):
            value = float(match[1]) / 100
        if value is not _WRONG and not (isinstance(value, int | float) and 0 <= value <= 1):
            self._note(place, who, f"`{key}` must be a share, such as 2% or 0.02")
        return value

    def _text(self, place: _Field, who: str, key: str, shape: str = r"(?s).*\S.*") -> object:
        value = self._scalar(place, who, key)
        if value is _WRONG:
            return _WRONG
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            self._note(place, who, f"`{key}` must be text" + ("" if "\\S" in shape else f" of the form {shape}"))
            return _WRONG
        return value

    def _value(self, place: _Field, who: str, key: str) -> object:
        """Read a scalar, or a list of scalars as a tuple."""
        if not isinstance(place.node, SequenceNode):
            return self._scalar(place, who, key)
        items = tuple(self._scalar(_Field(_line(node), node), who, key) for node in place.node.value)
        return _WRONG if _WRONG in items else items

    def _scalar(self, place: _Field, who: str, key: str) -> object:
        if not isinstance(place.node, ScalarNode):
            self._note(place, who, f"`{key}` must be one value")
            return _WRONG
        kind = place.node.tag.rpartition(":")[2]
        if kind not in {"str", "int", "float"}:
            read = {"bool": "true or false", "null": "nothing", "timestamp": "a date"}.get(kind, "something else")
            self._note(place, who, f"`{key}` is read by YAML as {read}; put it in quotes if text is meant")
            return _WRONG
        written = place.node.value
        value = written if kind == "str" else _integer(written) if kind == "int" else _number(written)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            self._note(place, who, f"`{key}` is not a plain number; put it in quotes if text is meant")
            return _WRONG
        return value

    def _mapping(
        self, node: Node, who: str, known: tuple[str, ...], *, required: tuple[str, ...], what: str = "key"
    ) -> _Fields:
        here = _Field(_line(node), node)
        if not isinstance(node, MappingNode):
            self._note(here, who, f"expected {', '.join(known) or 'nothing'}, found no mapping of keys to values")
            return {}
        found: _Fields = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else "?"
            place = _Field(_line(key_node), value_node)
            if key in found:
                self._note(place, who, f"{what} `{key}` is given twice")
            elif key in GATE_DECIDES:
                self._note(place, who, f"`{key}` is not for a suite to set: the gate alone decides what is returned")
            elif key not in known:
                self._note(place, who, f"unknown {what} `{key}`; expected {', '.join(known) or 'none'}")
            else:
                found[key] = place
        for key in required:
            if key not in found:
                self._note(here, who, f"{what} `{key}` is missing")
        return found

    def _note(self, place: _Field, who: str, reason: str) -> None:
        self.mistakes.append(Mistake(place.line, who, reason))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _identity(node: Node) -> str | None:
    """Return the id that a check gives itself, for messages about it."""
    pairs = node.value if isinstance(node, MappingNode) else []
    for key, value in pairs:
        if isinstance(key, ScalarNode) and key.value == "id" and isinstance(value, ScalarNode):
            return value.value if IDENTITY.fullmatch(value.value) else None
    return None


def _integer(text: str) -> int | None:
    """Read decimal digits only: YAML 1.1 would also read 010 as eight and 1:30 as ninety."""
    return int(text) if re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,17})", text) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
