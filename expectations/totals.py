"""What a set expectation gathers from all rows: a small table that Great Expectations judges at the end.

A total takes in a batch at a time and keeps counts, digests or sketches, never a text, so its memory does not grow
with the rows but for 16 bytes and the id of each where a column must be unique. What it asks about its table is a
:class:`Question` like any other: of class shares one row per class, of rates one per group, else one row in all.

Rates across groups are compared by the four-fifths rule (29 CFR 1607.4(D)): the lowest over the highest. Groups under
``min_rows`` are not judged, since their rates are noise. With fewer than two groups left there is nothing to compare:
the check could not run, nor could one that counts values as passing which no row has.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from expectations.distinct import Distinct
from expectations.engine import Question
from expectations.outcome import NO_GROUPS, NO_VALUE, NONE_PASSES

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1  # Raise on any change that could change what is judged.

MAX_CLASSES = 10_000
"""A column with more values is no label, and would not fit in memory."""

PAIR = 2
"""Groups that it takes to compare."""


class Total(Protocol):
    """Something gathered from all rows for one check."""

    def add(self, cells: "pd.DataFrame", ids: Sequence[str]) -> None:
        """Take in a batch: the columns that the check reads, by what each is to it, and the row ids."""

    def trouble(self) -> str:
        """Why there is nothing to judge, if so: one of :data:`expectations.outcome.NOTES`."""

    def asked(self, id: str, engine: str, allow: float) -> "tuple[pd.DataFrame, Question]":
        """The table, and what is asked of it."""

    def ids(self) -> list[str]:
        """Rows that are to blame."""

    def observed(self) -> str:
        """What was seen, in numbers."""


class Finder(Protocol):
    """What finds near duplicates."""

    def add(self, texts: Sequence[str], ids: Sequence[str]) -> None:
        """Take in texts."""

    def ids(self) -> list[str]:
        """Rows that nearly repeat an earlier one."""


class Rows:
    """How many there are."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self._rows = 0

    def add(self, cells: "pd.DataFrame", ids: Sequence[str]) -> None:  # noqa: ARG002, D102
        self._rows += len(ids)

    def trouble(self) -> str:  # noqa: D102
        return ""

    def asked(self, id: str, engine: str, allow: float) -> "tuple[pd.DataFrame, Question]":  # noqa: ARG002, D102
        return _one(id, engine, "rows", self._rows, self._arguments)

    def ids(self) -> list[str]:  # noqa: D102
        return []

    def observed(self) -> str:  # noqa: D102
        return f"{_rows(self._rows)} counted"


class Repeats:
    """Rows whose value another row has too, and rows without one."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._distinct = Distinct()
        self._rows = 0
        self._found: list[str] | None = None

    def add(self, cells: "pd.DataFrame", ids: Sequence[str]) -> None:  # noqa: D102
        self._rows += len(ids)
        self._distinct.add(cells["cell"], ids)

    def trouble(self) -> str:  # noqa: D102
        return ""

    def asked(self, id: str, engine: str, allow: float) -> "tuple[pd.DataFrame, Question]":  # noqa: D102
        return _one(id, engine, "repeats", len(self.ids()), {"max_value": allow * self._rows})

    def ids(self) -> list[str]:  # noqa: D102
        if self._found is None:
            self._found = self._distinct.repeated()
        return self._found

    def observed(self) -> str:  # noqa: D102
        return f"{len(self.ids())} of {self._rows} rows share a value with another, or have none"


class NearDuplicates:
    """Rows that nearly repeat an earlier one, as a finder tells them."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._finder: Finder = arguments["finder"]()
        self._max_share = arguments["max_share"]
        self._rows = self._texts = 0
        self._found: list[str] | None = None

    def add(self, cells: "pd.DataFrame", ids: Sequence[str]) -> None:  # noqa: D102
        there = cells["cell"].notna().tolist()
        texts = list(itertools.compress(cells["cell"], there))
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("expected texts")
        self._rows += len(ids)
        self._texts += len(texts)
        self._finder.add(texts, list(itertools.compress(ids, there)))

    def trouble(self) -> str:  # noqa: D102
        return "" if self._texts else NO_VALUE

    def asked(self, id: str, engine: str, allow: float) -> "tuple[pd.DataFrame, Question]":  # noqa: ARG002, D102
        return _one(id, engine, "share", len(self.ids()) / self._rows, {"max_share": self._max_share})

    def ids(self) -> list[str]:  # noqa: D102
        if self._found is None:
            self._found = list(dict.fromkeys(self._finder.ids()))
        return self._found

    def observed(self) -> str:  # noqa: D102
        return f"{len(self.ids())} of {self._rows} rows, {per_cent(len(self.ids()) / self._rows)}"


class LabelShares:
    """How many rows each class has; a row without a value is in none, and counts among all rows."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = {name: arguments.get(name) for name in ("min_value", "max_value", "min_count")}
        self._listed = tuple(arguments.get("value_set", ()))
        self._counts: Counter[object] = Counter()
        self._rows = 0

    def add(self, cells: "pd.DataFrame", ids: Sequence[str]) -> None:  # noqa: D102
        self._rows += len(ids)
        self._counts.update(cells["cell"].dropna().tolist())
        _refuse_many(self._counts)

    def trouble(self) -> str:  # noqa: D102
        return "" if self._counts else NO_VALUE

    def asked(self, id: str, engine: str, allow: float) -> "tuple[pd.DataFrame, Question]":  # noqa: ARG002, D102
        counts = list(self._classes().values())
        columns: dict[str, list[float]] = {"share": [count / self._rows for count in counts], "rows": list(counts)}
        # A class that the suite lists must be there: one row is the least that makes it so.
        arguments = self._arguments | {"min_count": max(1, self._arguments["min_count"] or 0)}
        return _table(columns), Question(id, engine, {"cell": "share", "rows": "rows"}, arguments)

    def ids(self) -> list[str]:  # noqa: D102
        return []

    def observed(self) -> str:  # noqa: D102
        counts = self._classes()
        low, high = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
        least = f"lowest share {per_cent(counts[low] / self._rows)} ({self._named(low)}{_rows(counts[low])})"
        most = f"highest {per_cent(counts[high] / self._rows)} ({self._named(high)}{_rows(counts[high])})"
        return f"{least}, {most} over {len(counts)} classes"

    def _classes(self) -> dict[object, int]:
        return {name: self._counts[name] for name in dict.fromkeys((*self._listed, *self._counts))}

    def _named(self, name: object) -> str:
        """The class, if the suite itself names it: any other is a value of the data."""
        return f"{name}: " if name in self._listed else ""


class Rates:
    """How often rows of each group pass: the share of some values, or the mean of numbers that are not negative.

    A rate is told only if it is a share. The mean of other numbers, such as ages or amounts, stays here.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._min_ratio = arguments["min_ratio"]
        self._min_rows = arguments["min_rows"]
        self._passes = frozenset(arguments["passes"]) if "passes" in arguments else None
        self._unseen = set(self._passes or ())
        self._has_values = False
        self._are_shares = True
        self._rows: Counter[object] = Counter()
        self._sums: dict[object, float] = {}

    def add(self, cells: "pd.DataFrame", ids: Sequence[str]) -> None:  # noqa: ARG002, D102
        there = cells["cell"][cells["cell"].notna()].tolist()
        self._has_values = self._has_values or bool(there)
        self._unseen.difference_update(there if self._unseen else ())
        grouped = cells[cells["by"].notna()]
        for group, cell in zip(grouped["by"].tolist(), grouped["cell"].tolist(), strict=True):
            worth = _worth(cell, self._passes)
            self._are_shares = self._are_shares and worth <= 1
            self._rows[group] += 1
            self._sums[group] = self._sums.get(group, 0.0) + worth
        _refuse_many(self._rows)

    def trouble(self) -> str:  # noqa: D102
        if not self._has_values:
            return NO_VALUE
        if self._unseen:
            return NONE_PASSES
        return NO_GROUPS if len(self._judged()) < PAIR else ""

    def asked(self, id: str, engine: str, allow: float) -> "tuple[pd.DataFrame, Question]":  # noqa: ARG002, D102
        judged, highest = self._judged(), max(self._judged())
        # All rates at 0 are even.
        columns = {"ratio": [rate / highest if highest else 1.0 for rate in judged]}
        return _table(columns), Question(id, engine, {"cell": "ratio"}, {"min_ratio": self._min_ratio})

    def ids(self) -> list[str]:  # noqa: D102
        return []

    def observed(self) -> str:  # noqa: D102
        judged = self._judged()
        low, high = min(judged), max(judged)
        over = f"over {len(judged)} of {len(self._rows)} groups"
        if not high:
            return f"every rate is 0 {over}"
        rates = f"lowest rate {per_cent(low)}, highest {per_cent(high)}, " if self._are_shares else ""
        return f"{rates}ratio {low / high:.3g} {over}"

    def _judged(self) -> list[float]:
        return [self._sums[group] / rows for group, rows in self._rows.items() if rows >= self._min_rows]


def per_cent(share: float) -> str:
    """A share of one, for a reader."""
    return f"{100 * share:.3g} %"


TOTALS: Mapping[str, Callable[[Mapping[str, Any]], Total]] = {
    "table_row_count_to_be_between": Rows,
    "column_values_to_be_unique": Repeats,
    "column_near_duplicates_to_be_at_most": NearDuplicates,
    "column_label_shares_to_be_between": LabelShares,
    "column_rates_to_be_even_across": Rates,
}
"""What each set expectation gathers."""


def _worth(cell: object, passes: frozenset[object] | None) -> float:
    """What a row adds to its group's rate; a missing value adds nothing."""
    if passes is not None:
        return float(cell in passes)
    if cell is None or cell != cell:  # noqa: PLR0124 - a missing number does not equal itself
        return 0.0
    if not isinstance(cell, int | float) or not math.isfinite(cell) or cell < 0:
        raise TypeError("expected a number that is not negative")
    return float(cell)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _refuse_many(classes: Collection[object]) -> None:
    if len(classes) > MAX_CLASSES:
        raise ValueError("too many values to be classes")


def _one(
    id: str, engine: str, name: str, value: float, arguments: Mapping[str, Any]
) -> "tuple[pd.DataFrame, Question]":
    return _table({name: [value]}), Question(id, engine, {"cell": name}, arguments)


def _table(columns: Mapping[str, Sequence[float]]) -> "pd.DataFrame":
    import pandas as pd

    from expectations.engine import KEY

    rows = len(next(iter(columns.values())))
    return pd.DataFrame({KEY: [str(row) for row in range(rows)], **columns})
