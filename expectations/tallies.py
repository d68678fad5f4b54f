"""What each check of a suite has found so far, batch by batch, and what it says of the whole set.

``where`` is applied here without evaluating text, a missing value fails here, as does a cell that is no text where one
is asked for, and positions become ids here, so Great Expectations is believed only as far as it lists positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expectations.catalogue import CATALOGUE, asks
from expectations.engine import KEY, Question, failing
from expectations.outcome import (
    NO_COLUMN,
    NO_KEY,
    NO_RESOURCE,
    NO_ROW,
    NO_ROWS,
    NOT_THERE,
    RAISED,
    Finding,
)
from expectations.parameters import Value
from expectations.suite import Check, Where
from expectations.totals import TOTALS, Total, per_cent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass
class Tally:
    """What one check has found so far."""

    check: Check
    arguments: dict[str, object] | None
    """Of the check's class; None if a resource is not there to be had."""

    total: Total | None = None
    """What a set expectation gathers."""

    met: set[Value] = field(default_factory=set)
    """What ``where`` lists and some row has."""

    evaluated: int = 0
    ids: list[str] = field(default_factory=list)
    note: str = ""

    def gather(self, part: "pd.DataFrame", ids: Sequence[str]) -> None:
        """Add a batch to the total."""
        cells = part[list(self.check.columns.values())].set_axis(list(self.check.columns), axis=1)
        try:
            if self.total is not None and not self.note:
                self.total.add(cells, ids)
        except Exception:  # noqa: BLE001 - a cell can break a count in any way, and the text may quote it
            self.note = RAISED

    def finding(self, rows: int, seen: set[str], *, readable: bool) -> Finding:
        """What the check says of a set of ``rows`` rows that has the columns ``seen``."""
        check, entry = self.check, CATALOGUE[self.check.expect]
        note = self._trouble(rows, seen, readable=readable)
        failed, ids, observed = (0, [], "") if note else self._found()
        note = note or self.note
        return Finding(
            id=check.id,
            expect=check.expect,
            asks=asks(check.expect, check.parameters),
            column=check.column,
            why=check.why,
            on_fail=check.on_fail,
            allow=check.allow,
            evaluated=self.evaluated if readable else 0,
            failed=failed,
            could_not_run=bool(note),
            passed=not note and (failed == 0 or (entry.names_rows and failed <= check.limit * self.evaluated)),
            note=note,
            observed="" if note else observed,
            ids=tuple(ids),
        )

    def _trouble(self, rows: int, seen: set[str], *, readable: bool) -> str:
        """Say why the check could not run, if so; the cause that explains the others comes first."""
        where = self.check.where
        causes = (
            (not readable, NO_KEY),
            (not rows, NO_ROWS),
            (self.arguments is None, NO_RESOURCE),
            (where is not None and where.column not in seen, NO_COLUMN),
            (bool(self.note), self.note),
            (not self.evaluated, NO_ROW),
            (where is not None and not self.met.issuperset(where.values), NOT_THERE),
            (not set(self.check.columns.values()) <= seen, NO_COLUMN),
        )
        return next((note for holds, note in causes if holds), "")

    def _found(self) -> tuple[int, list[str], str]:
        """How much fails, which rows, and what was seen."""
        if self.total is None:
            share = len(self.ids) / self.evaluated
            return len(self.ids), self.ids, f"{len(self.ids)} of {self.evaluated} rows, {per_cent(share)}"
        if self.note:
            return 0, [], ""
        try:
            return self._judged(self.total)
        except Exception:  # noqa: BLE001 - as in gather
            self.note = RAISED
            return 0, [], ""

    def _judged(self, total: Total) -> tuple[int, list[str], str]:
        """Let Great Expectations judge what was gathered."""
        entry = CATALOGUE[self.check.expect]
        if note := total.trouble():
            self.note = note
            return 0, [], ""
        table, question = total.asked(self.check.id, entry.engine, self.check.allow)
        positions = failing(table, [question]).get(self.check.id)
        if positions is None:
            self.note = RAISED
            return 0, [], ""
        ids = total.ids()
        return len(ids) if entry.names_rows else len(positions), ids, total.observed()


def tallies(checks: Sequence[Check], resources: Mapping[str, object]) -> list[Tally]:
    """One for each check, empty."""
    return [_tally(check, resources) for check in checks]


def count(batch: "pd.DataFrame", ids: Sequence[str], all_tallies: Sequence[Tally]) -> None:
    """Add what one batch shows.

    Args:
        batch: the columns that the checks read, numbered from 0.
        ids: of its rows.
        all_tallies: what is added to.
    """
    groups: dict[Where | None, list[Tally]] = {}
    for tally in all_tallies:
        if tally.arguments is not None:
            groups.setdefault(tally.check.where, []).append(tally)
    for where, group in groups.items():
        try:
            part, names = _matching(batch, ids, where)
            met = set(part[where.column].unique()) if where else set()
        except Exception:  # noqa: BLE001 - a cell can break a comparison in any way, and the text may quote it
            for tally in group:
                tally.note = RAISED
            continue
        if not names:
            continue
        for tally in group:
            tally.evaluated += len(names)
            tally.met |= met
            if tally.total is not None:
                tally.gather(part, names)
        _ask(part, names, [tally for tally in group if tally.total is None])


def _tally(check: Check, resources: Mapping[str, object]) -> Tally:
    arguments = _arguments(check, resources)
    if arguments is None or check.expect not in TOTALS:
        return Tally(check, arguments)
    try:
        return Tally(check, arguments, TOTALS[check.expect](arguments))
    except Exception:  # noqa: BLE001 - a resource that cannot be made is one that was not supplied
        return Tally(check, None)


def _arguments(check: Check, resources: Mapping[str, object]) -> dict[str, object] | None:
    """Keyword arguments of the check's class, or None if a resource is not there to be had."""
    arguments: dict[str, object] = {}
    for name, value in check.parameters.items():
        parameter = CATALOGUE[check.expect].parameters[name]
        if parameter.resource is not None:
            try:
                arguments[parameter.passed_as or name] = parameter.resource(resources[str(value)])
            except Exception:  # noqa: BLE001 - missing or malformed, and the text may quote it
                return None
        elif not parameter.names_column:
            arguments[name] = list(value) if isinstance(value, tuple) else value
    return arguments


def _matching(batch: "pd.DataFrame", ids: Sequence[str], where: Where | None) -> "tuple[pd.DataFrame, Sequence[str]]":
    """The rows that ``where`` is about, without evaluating text."""
    import numpy as np

    if where is None:
        return batch, ids
    positions = np.flatnonzero(batch[where.column].isin(list(where.values)))
    if len(positions) == len(ids):
        return batch, ids
    return batch.iloc[positions].reset_index(drop=True), [ids[place] for place in positions.tolist()]


def _ask(part: "pd.DataFrame", ids: Sequence[str], group: Sequence[Tally]) -> None:
    """Have the rows judged, and note which fail."""
    import numpy as np

    columns = sorted({name for tally in group for name in tally.check.columns.values()} | {KEY})
    found = failing(part[columns], [_question(tally) for tally in group])
    for tally in group:
        positions = found.get(tally.check.id)
        if positions is None:
            tally.note = RAISED
            continue
        fails = _unfit(part[tally.check.column], of_text=CATALOGUE[tally.check.expect].of_text)
        fails[positions] = True
        tally.ids += [ids[place] for place in np.flatnonzero(fails).tolist()]


def _unfit(cells: "pd.Series", *, of_text: bool) -> "np.ndarray":
    """Rows that fail whatever a class of Great Expectations says, which passes over some and reads others as text."""
    import numpy as np
    from pandas.api.types import infer_dtype

    missing: np.ndarray = cells.isna().to_numpy(dtype=bool).copy()
    if not of_text or infer_dtype(cells) in ("string", "empty"):
        return missing
    return missing | ~np.fromiter((isinstance(cell, str) for cell in cells), dtype=bool, count=len(cells))


def _question(tally: Tally) -> Question:
    check = tally.check
    return Question(check.id, CATALOGUE[check.expect].engine, check.columns, tally.arguments or {})
