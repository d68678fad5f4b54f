"""The gate: run a suite over the shards of a data set and decide what may go on.

Memory is bounded by the shard, except for the ids of failing rows and 16 bytes and the id of each row
where a column must be unique. Great Expectations sees one projected copy of a shard at a time, in a
context of its own that lives in memory, and is believed only as far as it lists positions: ids are looked
up here, a missing value fails here, and ``where`` is applied here, without evaluating text.

The gate fails closed. A check that raises, that lacks its column, or whose ``where`` matches no row in the
whole set stops the run, as does a data set without rows, or whose ids are missing or repeated.
"""

import gc
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.errors import ExpectationError
from assay.records import Record
from expectations.catalogue import CATALOGUE, asks
from expectations.distinct import Distinct
from expectations.engine import Question, failing, release
from expectations.outcome import (
    NO_COLUMN,
    NO_KEY,
    NO_RESOURCE,
    NO_ROW,
    NO_ROWS,
    RAISED,
    Decision,
    Finding,
    Outcome,
)
from expectations.suite import Check, Suite, Where

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1  # Raise on any change that could change an outcome.

KEY = "id"
COLLECT_AFTER = 5_000
"""Rows after which garbage is collected: frames sit in reference cycles and would pile up shard by shard."""

COLUMNS = (KEY, "subject", "source", "prompt", "completion")


def frame(records: Sequence[Record]) -> "pd.DataFrame":
    """One row per record: its identity, its text, and a column per attribute.

    Raises:
        ExpectationError: an attribute has the name of another column.
    """
    import pandas as pd

    attributes = sorted({name for record in records for name in record.attributes})
    if taken := sorted(set(attributes) & set(COLUMNS)):
        raise ExpectationError(f"attributes {taken} have the names of columns of their own; rename them in the recipe")
    columns: dict[str, list[object]] = {name: [getattr(r, name) for r in records] for name in COLUMNS}
    columns |= {name: [r.attributes.get(name) for r in records] for name in attributes}
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def check(frames: "Iterable[pd.DataFrame]", suite: Suite, resources: Mapping[str, object]) -> Outcome:
    """Run ``suite`` over ``frames``, the shards of one data set in order.

    Args:
        frames: shards as :func:`frame` makes them.
        suite: what must hold.
        resources: what checks name under a parameter such as ``schema: output``: a JSON schema as a
            mapping, or, for ``known``, the personal data of each row, by row id.
    """
    tallies = [_Tally(each, _arguments(each, resources)) for each in suite.checks]
    keys, rows, held, readable = Distinct(), 0, 0, True
    for shard in frames:
        rows += len(shard)
        ids = _ids(shard)
        if ids is None:
            readable = False
        elif ids:
            keys.add(ids, ids)
            _check_shard(shard, ids, tallies, resources)
        held += len(shard)
        del shard
        if held >= COLLECT_AFTER:
            gc.collect()
            held = 0
    findings = tuple(tally.finding(rows, readable=readable) for tally in tallies)
    quarantined: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        if finding.on_fail == "quarantine":
            for id in dict.fromkeys(finding.ids):
                quarantined[id] = (*quarantined.get(id, ()), finding.id)
    repeated = len(set(keys.repeated()))
    decision, reasons = _decide(suite, findings, rows, len(quarantined), repeated, readable=readable)
    return Outcome(
        suite=suite.name,
        version=suite.version,
        owner=suite.owner,
        digest=suite.digest,
        engine=release(),
        max_quarantine=suite.max_quarantine,
        decision=decision,
        reasons=tuple(reasons),
        rows=rows,
        findings=findings,
        quarantined=quarantined,
    )


def _decide(  # noqa: PLR0913
    suite: Suite, findings: Sequence[Finding], rows: int, quarantined: int, repeated: int, *, readable: bool
) -> tuple[Decision, list[str]]:
    """Weigh what was found; the worst that holds decides."""
    stops = [f"{f.id} could not run: {f.note}" for f in findings if f.could_not_run]
    if not rows:
        stops.insert(0, "there are no rows")
    if not readable:
        stops.insert(0, f"a shard lacks column `{KEY}`, names a column twice, or has a row without an id")
    if repeated:
        stops.insert(0, f"{repeated} row ids occur more than once")
    stops += [f"{f.id} failed: {_extent(f)}" for f in findings if f.status == "failed" and f.on_fail == "stop"]
    aside = f"{quarantined} of {rows} rows are set aside"
    if quarantined > suite.max_quarantine * rows:
        stops.append(f"{aside}, over the limit of {100 * suite.max_quarantine:.4g} % of all rows")
    if stops:
        return "stop", stops
    warnings = [f"{f.id} failed: {_extent(f)}" for f in findings if f.status == "failed" and f.on_fail == "warn"]
    if quarantined:
        return "quarantine", [aside, *warnings]
    return ("pass_with_warnings", warnings) if warnings else ("pass", [])


def _extent(finding: Finding) -> str:
    if not CATALOGUE[finding.expect].column:
        return f"{finding.evaluated} rows counted"
    return f"{finding.failed} of {finding.evaluated} rows"


def _ids(shard: "pd.DataFrame") -> list[str] | None:
    """The shard's row ids, or None if a row cannot be named or a column is there twice."""
    if KEY not in shard.columns or not shard.columns.is_unique:
        return None
    ids = shard[KEY].tolist()
    return ids if all(isinstance(id, str) and id for id in ids) else None


@dataclass
class _Tally:
    """What one check has found so far."""

    check: Check
    arguments: dict[str, object] | None
    evaluated: int = 0
    ids: list[str] = field(default_factory=list)
    note: str = ""
    columns: set[str] = field(default_factory=set)
    """Of those that the check reads, the ones that some shard had."""

    distinct: Distinct = field(default_factory=Distinct)

    def finding(self, rows: int, *, readable: bool) -> Finding:
        note = self._trouble(rows, readable=readable)
        by_row = CATALOGUE[self.check.expect].column
        ids = [] if note in {NO_COLUMN, NO_KEY} else self.ids + self.distinct.repeated()
        within = len(ids) <= self.check.allow * self.evaluated if by_row else self._count_fits()
        return Finding(
            id=self.check.id,
            expect=self.check.expect,
            asks=asks(self.check.expect, self.check.parameters),
            column=self.check.column,
            why=self.check.why,
            on_fail=self.check.on_fail,
            allow=self.check.allow,
            evaluated=self.evaluated,
            failed=len(ids) if by_row else int(not within),
            could_not_run=bool(note),
            passed=not note and within,
            note=note,
            ids=tuple(ids),
        )

    def _trouble(self, rows: int, *, readable: bool) -> str:
        """Say why the check could not run, if so; the cause that explains the others comes first."""
        where = self.check.where
        causes = (
            (not readable, NO_KEY),
            (not rows, NO_ROWS),
            (self.arguments is None, NO_RESOURCE),
            (where is not None and where.column not in self.columns, NO_COLUMN),
            (not self.evaluated, NO_ROW),
            (self.check.column is not None and self.check.column not in self.columns, NO_COLUMN),
        )
        return next((note for holds, note in causes if holds), self.note)

    def _count_fits(self) -> bool:
        low, high = (self.check.parameters.get(name) for name in ("min_value", "max_value"))
        return (not isinstance(low, int) or self.evaluated >= low) and (
            not isinstance(high, int) or self.evaluated <= high
        )


def _arguments(check: Check, resources: Mapping[str, object]) -> dict[str, object] | None:
    """Keyword arguments of the check's class, or None if a resource is not there to be had."""
    arguments: dict[str, object] = {}
    for name, value in check.parameters.items():
        if not CATALOGUE[check.expect].parameters[name].resource:
            arguments[name] = list(value) if isinstance(value, tuple) else value
        elif not isinstance(resource := resources.get(str(value)), Mapping):
            return None
        elif name == "schema":
            try:
                arguments["schema_text"] = json.dumps(resource, sort_keys=True)
            except (TypeError, ValueError):
                return None
    return arguments


def _check_shard(
    shard: "pd.DataFrame", ids: Sequence[str], tallies: Sequence[_Tally], resources: Mapping[str, object]
) -> None:
    """Add what one shard shows to ``tallies``."""
    groups: dict[Where | None, list[_Tally]] = {}
    for tally in tallies:
        if tally.arguments is not None:
            groups.setdefault(tally.check.where, []).append(tally)
    for where, group in groups.items():
        positions = _matching(shard, where, group)
        names = [ids[i] for i in positions]
        if not names:
            continue
        for tally in group:
            tally.evaluated += len(names)
        columns = sorted({tally.check.column for tally in group if tally.check.column})
        # A column that this shard lacks holds nothing here; whether any shard has it is asked at the end.
        part = shard.reindex(columns=columns).iloc[positions].reset_index(drop=True).astype(object)
        for tally in group:
            if (column := tally.check.column) is None:
                continue
            if column in shard.columns:
                tally.columns.add(column)
            if CATALOGUE[tally.check.expect].scope == "set":
                tally.distinct.add(part[column], names)
        _check_rows(part, names, [t for t in group if CATALOGUE[t.check.expect].scope == "row"], resources)


def _matching(shard: "pd.DataFrame", where: Where | None, group: Sequence[_Tally]) -> list[int]:
    """Positions of the rows that ``where`` is about, without evaluating text."""
    import numpy as np

    if where is None:
        return list(range(len(shard)))
    if where.column not in shard.columns:
        return []
    for tally in group:
        tally.columns.add(where.column)
    return np.flatnonzero(shard[where.column].isin(list(where.values))).tolist()


def _check_rows(
    part: "pd.DataFrame", ids: Sequence[str], tallies: Sequence[_Tally], resources: Mapping[str, object]
) -> None:
    import numpy as np

    found = failing(part, [Question(t.check, t.arguments or {}, _known(t.check, ids, resources)) for t in tallies])
    for tally in tallies:
        positions = found.get(tally.check.id)
        if positions is None:
            tally.note = tally.note or RAISED
            continue
        fails = part[tally.check.column].isna().to_numpy(dtype=bool).copy()
        fails[positions] = True
        tally.ids += [ids[i] for i in np.flatnonzero(fails).tolist()]


def _known(check: Check, ids: Sequence[str], resources: Mapping[str, object]) -> list[tuple[str, ...] | None] | None:
    """Each row's personal data, if the check compares with it; None for a row of which nothing is said, which fails."""
    if "known" not in check.parameters:
        return None
    by_id = resources[str(check.parameters["known"])]
    listed = [by_id.get(id) for id in ids] if isinstance(by_id, Mapping) else [None] * len(ids)
    return [tuple(values) if isinstance(values, list | tuple | set | frozenset) else None for values in listed]
