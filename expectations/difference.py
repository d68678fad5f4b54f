"""What changed between two versions of a suite, in words that a steward reads and signs.

    RAW-011: value_set gained 'CC-BY-4.0'
    RAW-020: may fail in 0 % → 2 % of the rows
    RAW-040: on failure, quarantine → warn
    RAW-050: is new: prompt must be in a language listed, if long enough to tell

What a suite asks is compared, not how it is written: comments, layout and the order of checks change nothing. If
anything changed and the version did not go up, that is said too, since reports tell suites apart by it.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from expectations.catalogue import asks
from expectations.suite import Check, Suite, Where

Kind = Literal["suite", "version", "added", "removed", "changed"]
_FOLLOWS = {
    "why": "why",
    "owner": "owner",
    "name": "name",
    "column": "column",
    "on_fail": "on failure",
    "allow": "may fail in",
    "max_quarantine": "may be set aside:",
}
"""How a field is called in a change; any other by its name."""

_OF = {"allow": " of the rows", "max_quarantine": " of all rows"}


class Change(NamedTuple):
    """One thing that is otherwise than before."""

    kind: Kind
    who: str
    """Id of a check, or ``suite``."""

    says: str

    def __str__(self) -> str:
        return f"{self.who}: {self.says}"


def compare(before: Suite, after: Suite) -> tuple[Change, ...]:
    """What ``after`` asks otherwise than ``before``: the suite's own fields, then checks by id."""
    changes = [*_of_suite(before, after), *_of_checks(before, after)]
    if after.version < before.version and after.name == before.name:
        changes.insert(0, Change("version", "suite", f"version goes down, {before.version} → {after.version}"))
    elif changes and after.version == before.version and after.name == before.name:
        says = f"version is still {after.version} although something changed; raise it to {after.version + 1}"
        changes.insert(0, Change("version", "suite", says))
    elif after.version != before.version:
        changes.insert(0, Change("suite", "suite", f"version {before.version} → {after.version}"))
    return tuple(changes)


def _of_suite(before: Suite, after: Suite) -> Iterator[Change]:
    for field in type(before).model_fields:
        if field in ("version", "checks", "digest"):
            continue
        for says in _field(field, getattr(before, field), getattr(after, field)):
            yield Change("suite", "suite", says)


def _of_checks(before: Suite, after: Suite) -> Iterator[Change]:
    old = {check.id: check for check in before.checks}
    new = {check.id: check for check in after.checks}
    for id in sorted(old.keys() | new.keys()):
        if id not in new:
            yield Change("removed", id, f"is gone: {summary(old[id])}")
        elif id not in old:
            yield Change("added", id, f"is new: {summary(new[id])}")
        else:
            yield from (Change("changed", id, says) for says in _of_check(old[id], new[id]))


def _of_check(before: Check, after: Check) -> Iterator[str]:
    for field in type(before).model_fields:
        old, new = getattr(before, field), getattr(after, field)
        if field == "expect" and old != new:
            yield f"{asks(old, before.parameters)} → {asks(new, after.parameters)}"
        elif field == "parameters":
            yield from _parameters(old, new)
        elif field == "where" and old != new:
            yield f"about {where(old)} → {where(new)}"
        elif field not in ("id", "expect", "where"):
            yield from _field(field, old, new)


def _parameters(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name} is gone, it was {value(before[name])}"
        elif name not in before:
            yield f"{name} is new: {value(after[name])}"
        else:
            yield from _field(name, before[name], after[name])


def _field(name: str, before: object, after: object) -> Iterator[str]:
    called, of = _FOLLOWS.get(name, name), _OF.get(name, "")
    if isinstance(before, tuple) and isinstance(after, tuple):
        gained, lost = [v for v in after if v not in before], [v for v in before if v not in after]
        yield from (f"{called} gained {value(item)}" for item in gained)
        yield from (f"{called} lost {value(item)}" for item in lost)
    elif name in _OF and before != after:
        yield f"{called} {share(before)} → {share(after)}{of}"
    elif name == "on_fail" and before != after:
        yield f"{called}, {before} → {after}"
    elif before != after:
        yield f"{called} {value(before)} → {value(after)}"


def summary(check: Check) -> str:
    """What a check asks of what, in one line."""
    about = f"{check.column} " if check.column else "the table "
    rows = f", in {where(check.where)}" if check.where else ""
    return f"{about}{asks(check.expect, check.parameters)}{rows}; on failure, {check.on_fail}"


def where(rows: Where | None) -> str:
    """The rows that a check is about, in words."""
    if rows is None:
        return "all rows"
    return f"rows with {rows.column} {' or '.join(value(each) for each in rows.values)}"


def share(number: object) -> str:
    """A share as a percentage."""
    return f"{100 * number:.4g} %" if isinstance(number, int | float) else str(number)


def value(of: object) -> str:
    """A value of a suite as it would be written in one: text in quotes."""
    if isinstance(of, tuple | list):
        return ", ".join(value(item) for item in of)
    return "nothing" if of is None else f"'{of}'" if isinstance(of, str) else str(of)
