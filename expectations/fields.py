"""Fields: values under keys, read from YAML nodes one by one, noting every mistake with its line.

Nodes rather than values are read, because a value no longer knows its line, and because YAML 1.1 would
turn ``no`` into a boolean, ``2026-01-01`` into a date and ``1:30`` into ninety before anybody looked.
"""

import math
import re
from typing import NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

GATE_DECIDES = frozenset(
    {"result_format", "mostly", "catch_exceptions", "row_condition", "condition_parser", "severity"}
)


class Mistake(NamedTuple):
    """What is wrong, where, and with which check."""

    line: int
    who: str
    reason: str


class Field(NamedTuple):
    """A value under a key."""

    line: int
    """Of the key."""

    node: Node


Fields = dict[str, Field]
WRONG = object()
"""Stands for a value whose mistake has been noted, so that it is not complained of twice."""


class FieldReader:
    """Turns nodes into values and notes each mistake; reads on after every one."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def _share(self, place: Field, who: str, key: str) -> object:
        value = self._scalar(place, who, key)
        if isinstance(value, int) and value == 1:
            self._note(place, who, f"`{key}` is 1, which may be one in a hundred or all; write 1% or 100%")
            return WRONG
        if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", value)):
            value = float(match[1]) / 100
        if value is not WRONG and not (isinstance(value, int | float) and 0 <= value <= 1):
            self._note(place, who, f"`{key}` must be a share, such as 2% or 0.02")
            return WRONG
        return value

    def _text(self, place: Field, who: str, key: str, shape: str = r"(?s).*\S.*") -> object:
        value = self._scalar(place, who, key)
        if value is WRONG:
            return WRONG
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            self._note(place, who, f"`{key}` must be text" + ("" if "\\S" in shape else f" of the form {shape}"))
            return WRONG
        return value

    def _value(self, place: Field, who: str, key: str) -> object:
        """Read a scalar, or a list of scalars as a tuple."""
        if not isinstance(place.node, SequenceNode):
            return self._scalar(place, who, key)
        items = tuple(self._scalar(Field(line_of(node), node), who, key) for node in place.node.value)
        return WRONG if WRONG in items else items

    def _scalar(self, place: Field, who: str, key: str) -> object:
        if not isinstance(place.node, ScalarNode):
            self._note(place, who, f"`{key}` must be one value")
            return WRONG
        kind = place.node.tag.rpartition(":")[2]
        if kind not in {"str", "int", "float"}:
            read = {"bool": "true or false", "null": "nothing", "timestamp": "a date"}.get(kind, "something else")
            self._note(place, who, f"`{key}` is read by YAML as {read}; put it in quotes if text is meant")
            return WRONG
        written = place.node.value
        value = written if kind == "str" else _integer(written) if kind == "int" else _number(written)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            self._note(place, who, f"`{key}` is not a plain number; put it in quotes if text is meant")
            return WRONG
        return value

    def _mapping(
        self, node: Node, who: str, known: tuple[str, ...], *, required: tuple[str, ...], what: str = "key"
    ) -> Fields:
        here = Field(line_of(node), node)
        if not isinstance(node, MappingNode):
            self._note(here, who, f"expected {', '.join(known) or 'nothing'}, found no mapping of keys to values")
            return {}
        found: Fields = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else "?"
            place = Field(line_of(key_node), value_node)
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

    def _note(self, place: Field, who: str, reason: str) -> None:
        self.mistakes.append(Mistake(place.line, who, reason))


def line_of(node: Node) -> int:
    """Where ``node`` starts, from 1."""
    return int(node.start_mark.line) + 1


def _integer(text: str) -> int | None:
    """Read decimal digits only: YAML 1.1 would also read 010 as eight and 1:30 as ninety."""
    return int(text) if re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,17})", text) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
