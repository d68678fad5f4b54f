"""Waivers: failures that a named person lets pass until a date, for a reason that every report shows.

    waivers:
      - check: RAW-031
        reason: Consent forms of the March import are being scanned; Legal has seen them.
        who: jane.doe@acme.example
        until: 2026-12-31
        rows: [T-000017, T-000018]

A waiver is read as strictly as a suite. It lets a check *fail*; it cannot stand in for one that could not run. Rows
that it covers go on, and are named as waived in the outcome. After ``until`` it has no effect and is shown as expired.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from yaml.nodes import Node, ScalarNode, SequenceNode

from assay.errors import ExpectationError
from assay.fields import Positive, Said, Spec
from expectations.fields import Fields
from expectations.nodes import compose
from expectations.reading import IDENTITY, Reader, identity

VERSION = 1  # Raise on any change that could change what a waiver lets pass.

KEYS = ("check", "reason", "who", "until", "rows", "up_to")
REQUIRED = KEYS[:4]
NO_DAY = "must be a day that there is, as in 2026-12-31"


class Waiver(Spec):
    """One failure that is let pass."""

    check: Said
    """Id of a check in one of the recipe's suites."""

    reason: Said
    who: Said
    """Who answers for it."""

    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """The last day on which it holds, in UTC."""

    rows: tuple[str, ...] = ()
    """Row ids that may fail; any may if none is named. Checks on personal data must name them."""

    up_to: Positive | None = None
    """Failing rows above which it no longer holds."""


class Standing(Spec):
    """A waiver as a run finds it."""

    waiver: Waiver
    in_force: bool
    """Whether ``until`` is not over."""


_STANDINGS = TypeAdapter(tuple[Standing, ...])


def load(data: bytes, name: str) -> tuple[Waiver, ...]:
    """Read the waivers in ``data``, called ``name`` in messages, in the order of the file.

    Raises:
        ExpectationError: with one line ``name:line: check: reason`` for each mistake.
    """
    reader = _Reader()
    fields = reader.waivers(compose(data, name, "waivers", "`waivers`, a list that may be empty: waivers: []"))
    if reader.mistakes:
        raise ExpectationError("\n".join(f"{name}:{m.line}: {m.who}: {m.reason}" for m in sorted(reader.mistakes)))
    return tuple(Waiver.model_validate(each) for each in fields)


def standing(waivers: Iterable[Waiver], checks: Collection[str], today: date) -> tuple[Standing, ...]:
    """The waivers of ``checks``, and whether each is in force on ``today``, a day in UTC; ``until`` is the last."""
    return tuple(
        Standing(waiver=waiver, in_force=today <= date.fromisoformat(waiver.until))
        for waiver in waivers
        if waiver.check in checks
    )


def refuse_unknown(waivers: Iterable[Waiver], checks: Iterable[str]) -> None:
    """Refuse waivers that let pass nothing, or one does not know what.

    Args:
        waivers: of a recipe.
        checks: ids of all checks of all the recipe's suites; one that two suites have comes twice.

    Raises:
        ExpectationError: a waiver is of a check that no suite has, or that more than one has.
    """
    known = Counter(checks)
    complaints = [
        f"found a waiver of {waiver.check}, which {'no suite has' if not known[waiver.check] else 'two suites have'}"
        for waiver in waivers
        if known[waiver.check] != 1
    ]
    if complaints:
        raise ExpectationError(
            f"waivers: {'; '.join(complaints)}; expected each to be of one check. Mend the id, or remove the waiver."
        )


def to_json(standings: Sequence[Standing]) -> bytes:
    """``standings`` as JSON; equal ones give equal bytes."""
    return json.dumps([each.model_dump(mode="json") for each in standings], indent=1, sort_keys=True).encode() + b"\n"


def from_json(data: bytes) -> tuple[Standing, ...]:
    """Read what :func:`to_json` wrote.

    Raises:
        ExpectationError: the bytes are no waivers.
    """
    try:
        return _STANDINGS.validate_json(data)
    except ValidationError as error:
        raise ExpectationError(
            f"these bytes are no waivers of a run: {error.error_count()} fields are wrong; validate the data again"
        ) from None


class _Reader(Reader):
    """Reads waivers as its parent reads suites."""

    def waivers(self, node: Node) -> list[dict[str, object]]:
        """Fields of each waiver, complete only if no mistake was noted."""
        found = self._mapping(node, "waivers", ("waivers",), required=("waivers",))
        if "waivers" not in found:
            return []
        place = found["waivers"]
        if not isinstance(place.node, SequenceNode):
            self._note(place, "waivers", "`waivers` must be a list; if there are none: waivers: []")
            return []
        return [self._waiver(each, f"waiver {i}") for i, each in enumerate(place.node.value, start=1)]

    def _waiver(self, node: Node, who: str) -> dict[str, object]:
        who = identity(node, "check") or who
        found = self._mapping(node, who, KEYS, required=REQUIRED)
        fields: dict[str, object] = {}
        for key in ("reason", "who"):
            if key in found:
                fields[key] = self._text(found[key], who, key)
        if "check" in found:
            fields["check"] = self._text(found["check"], who, "check", IDENTITY.pattern)
            self._once(found, who, fields["check"])
        if "until" in found:
            fields["until"] = _day(found["until"].node)
            self._complain(found, who, "until", "" if fields["until"] else NO_DAY)
        if "rows" in found:
            fields["rows"] = self._value(found["rows"], who, "rows")
            self._complain(found, who, "rows", _of_rows(found["rows"].node, fields["rows"]))
        if "up_to" in found:
            fields["up_to"] = self._scalar(found["up_to"], who, "up_to")
            self._complain(found, who, "up_to", _of_count(fields["up_to"]))
        return fields

    def _once(self, found: Fields, who: str, check: object) -> None:
        if (line := self._taken(check, found["check"])) is not None:
            self._note(found["check"], who, f"`check` is waived at line {line}; put both in one waiver")

    def _complain(self, found: Fields, who: str, key: str, complaint: str) -> None:
        if complaint:
            self._note(found[key], who, f"`{key}` {complaint}")


def _day(node: Node) -> str | None:
    """A day as it is written; YAML itself would read it as a date."""
    if not isinstance(node, ScalarNode) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", node.value):
        return None
    try:
        return date.fromisoformat(node.value).isoformat()
    except ValueError:
        return None


def _of_rows(node: Node, rows: object) -> str:
    """What is wrong with a list of row ids. An empty one would let all rows pass, which nobody means by it."""
    if not isinstance(node, SequenceNode) or not node.value:
        return "must list at least one row id; leave it out if any row may fail"
    if not isinstance(rows, tuple):
        return ""
    if not all(isinstance(row, str) and row for row in rows):
        return "must list ids as text: put them in quotes"
    return "" if len(set(rows)) == len(rows) else "lists an id twice"


def _of_count(value: object) -> str:
    wrong = isinstance(value, str | float) or (isinstance(value, int) and value < 1)
    return "must be a whole number of at least 1" if wrong else ""
