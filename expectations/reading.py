"""From YAML nodes to the fields of a suite, noting every mistake with its line.

Every name is looked up in the catalogue, every argument is held against what its expectation takes, and arguments
against one another, so that a suite without a mistake can be run as it is.
"""

import difflib
import re
from typing import get_args

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from expectations.catalogue import CATALOGUE, LEAKY, Entry, Severity
from expectations.fields import WRONG, Field, FieldReader, Fields
from expectations.moments import instant
from expectations.parameters import Parameter, moment

SUITE_KEYS = ("suite", "version", "owner", "max_quarantine", "checks")
CHECK_KEYS = ("id", "expect", "column", "parameters", "where", "why", "on_fail", "allow")
REQUIRED = ("id", "expect", "why", "on_fail")

COUNTED = frozenset({"splits", "predictions"})
"""Doorways whose rows are counted and locked, so that none can be set aside."""

IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Reader(FieldReader):
    """Turns nodes into fields and notes each mistake; reads on after every one."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[str, int] = {}
        self._suite: object = None

    def suite(self, node: Node) -> dict[str, object]:
        """Fields of the suite, complete only if no mistake was noted."""
        found = self._mapping(node, "suite", SUITE_KEYS, required=SUITE_KEYS)
        fields: dict[str, object] = {}
        if "suite" in found:
            fields["name"] = self._suite = self._text(found["suite"], "suite", "suite", r"[a-z0-9][a-z0-9_-]{0,63}")
        if "version" in found:
            fields["version"] = version = self._scalar(found["version"], "suite", "version")
            if version is not WRONG and not (isinstance(version, int) and version >= 1):
                self._note(found["version"], "suite", "`version` must be a whole number of at least 1")
        if "owner" in found:
            fields["owner"] = self._text(found["owner"], "suite", "owner")
        if "max_quarantine" in found:
            fields["max_quarantine"] = self._share(found["max_quarantine"], "suite", "max_quarantine")
        if "checks" in found:
            fields["checks"] = self._checks(found["checks"])
        return fields

    def _checks(self, place: Field) -> list[dict[str, object]]:
        if not isinstance(place.node, SequenceNode) or not place.node.value:
            self._note(place, "suite", "`checks` must be a list of at least one check; an empty suite lets all pass")
            return []
        return [self._check(node, f"check {i}") for i, node in enumerate(place.node.value, start=1)]

    def _check(self, node: Node, who: str) -> dict[str, object]:
        who = identity(node, "id") or who
        found = self._mapping(node, who, CHECK_KEYS, required=REQUIRED)
        fields: dict[str, object] = {}
        if "id" in found:
            fields["id"] = self._id(found["id"], who)
        for key in ("why", "column"):
            if key in found:
                fields[key] = self._text(found[key], who, key)
        if "on_fail" in found:
            fields["on_fail"] = self._text(found["on_fail"], who, "on_fail")
            if fields["on_fail"] not in (*get_args(Severity), WRONG):
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

    def _id(self, place: Field, who: str) -> object:
        id = self._text(place, who, "id", IDENTITY.pattern)
        if (line := self._taken(id, place)) is not None:
            self._note(place, who, f"`id` is taken by the check at line {line}")
        return id

    def _taken(self, id: object, place: Field) -> int | None:
        """Say at which line ``id`` was given before, if it was, and remember it; two may stand on one line."""
        if not isinstance(id, str):
            return None
        if id in self._ids:
            return self._ids[id]
        self._ids[id] = place.line
        return None

    def _entry(self, place: Field, who: str) -> Entry | None:
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

    def _fits(self, found: Fields, who: str, entry: Entry, on_fail: object) -> None:
        """Check what the expectation is about against what the check says."""
        if entry.column and "column" not in found:
            self._note(found["expect"], who, "`column` is missing")
        if not entry.column and "column" in found:
            self._note(found["column"], who, "`column` has no meaning here: the expectation is about the table")
        if on_fail == "quarantine" and not entry.names_rows:
            self._note(
                found["on_fail"], who, "`on_fail` must be stop or warn: the expectation names no row to set aside"
            )
        elif on_fail == "quarantine" and self._suite in COUNTED:
            reason = f"`on_fail` must be stop or warn: the rows at {self._suite} are counted, and none can be set aside"
            self._note(found["on_fail"], who, reason)
        if not entry.allows and "allow" in found:
            self._note(found["allow"], who, "`allow` has no meaning here: the parameters say how much may fail")

    def _parameters(self, found: Fields, who: str, entry: Entry, column: object) -> dict[str, object]:
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
            arguments[name] = self._argument(value_place, who, name, entry.parameters[name], column)
        self._together(place, who, entry, arguments)
        self._columns_differ(place, who, entry, [column, *(arguments.get(name) for name in known)])
        return arguments

    def _argument(self, place: Field, who: str, name: str, parameter: Parameter, column: object) -> object:
        """Read one argument, and complain of it once."""
        if parameter.share:
            return self._share(place, who, name)
        value = self._value(place, who, name)
        if value is WRONG:
            return WRONG
        if complaint := parameter.complaint(value):
            self._note(place, who, f"`{name}` {complaint}")
            return WRONG
        if parameter.of_column:
            self._of_column(place, who, name, value, column)
        return value

    def _together(self, place: Field, who: str, entry: Entry, arguments: dict[str, object]) -> None:
        """Check arguments against one another."""
        for name, other in entry.needs_also.items():
            if name in arguments and other not in arguments:
                self._note(place, who, f"`{name}` needs parameter {other} beside it")
        low, high = arguments.get("min_value"), arguments.get("max_value")
        if low is None or high is None or WRONG in (low, high):
            return
        timed = entry.parameters["min_value"].complaint is moment
        if (instant(low) > instant(high)) if timed else (low > high):  # type: ignore[operator]
            self._note(place, who, f"`min_value` {low} is over `max_value` {high}, so nothing could pass")

    def _columns_differ(self, place: Field, who: str, entry: Entry, given: list[object]) -> None:
        """Refuse a check that compares a column with itself."""
        names = [entry.parameters[name].names_column for name in entry.parameters]
        read = [name for name, is_column in zip(given, (True, *names), strict=True) if is_column and name is not None]
        columns = [name for name in read if isinstance(name, str)] + list(entry.beside)
        if len(set(columns)) < len(columns):
            self._note(place, who, "one column is named twice, so it would be compared with itself")

    def _where(self, place: Field, who: str) -> dict[str, object] | None:
        if not isinstance(place.node, MappingNode):
            self._note(
                place, who, "`where` must be {column: NAME, is: VALUE} or {column: NAME, in: [...]}; text is never run"
            )
            return None
        found = self._mapping(place.node, who, ("column", "is", "in"), required=("column",), what="key of where")
        if found and ("is" in found) == ("in" in found):
            self._note(place, who, "`where` needs either `is` or `in`")
            return None
        column = self._text(found["column"], who, "column") if "column" in found else WRONG
        for key in ("is", "in"):
            if key in found:
                value = self._value(found[key], who, key)
                if value is not WRONG and isinstance(value, tuple) != (key == "in"):
                    self._note(found[key], who, f"`{key}` must be {'a list' if key == 'in' else 'one value'}")
                elif value == ():
                    self._note(found[key], who, "`in` must list at least one value")
                elif value is not WRONG:
                    self._of_column(found[key], who, key, value, column)
                return {"column": column, "values": value if isinstance(value, tuple) else (value,)}
        return None

    def _of_column(self, place: Field, who: str, name: str, value: object, column: object) -> None:
        """Refuse a number for a text column, which would match nothing."""
        items = value if isinstance(value, tuple) else (value,)
        if isinstance(column, str) and not all(isinstance(item, str) for item in items):
            self._note(place, who, f"`{name}` must be text: put it in quotes, as column {column} is")


def identity(node: Node, under: str) -> str | None:
    """Return the id that a mapping gives under a key, for messages about it."""
    pairs = node.value if isinstance(node, MappingNode) else []
    for key, value in pairs:
        if isinstance(key, ScalarNode) and key.value == under and isinstance(value, ScalarNode):
            return value.value if IDENTITY.fullmatch(value.value) else None
    return None
