"""Expectations that Great Expectations lacks, built from its own classes.

The rules are plain functions over the cells of one row, and can be read and tested without Great Expectations:
:mod:`expectations.cells`, :mod:`expectations.personal`, :mod:`expectations.moments`, :mod:`expectations.examples`.
The last ones here are about a row of a :mod:`total <expectations.totals>`. A rule that raises has not passed.

:data:`RULES` says which class has which rule. :func:`engines` makes a map metric and an expectation of each, which
registers them, so that a suite's check can never find its class missing.
"""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expectations.catalogue import CATALOGUE
from expectations.cells import check_schema, has_words, identifier, is_in_language, is_not_blank, satisfies
from expectations.engine import quiet
from expectations.examples import excludes_prompt, has_tokens, includes_end_of_turn, is_valid_chat, is_whole
from expectations.moments import does_not_precede, is_between, is_in_force
from expectations.parameters import KINDS
from expectations.personal import holds_no_known_value, holds_no_personal_data

if TYPE_CHECKING:
    import pandas as pd

VERSION = 2  # Raise on any change that could change which rows fail.

_REQUIRED = object()
_LOCK = threading.RLock()


def is_share_between(
    cell: float,
    rows: int,
    min_value: float | None = None,
    max_value: float | None = None,
    min_count: int | None = None,
) -> bool:
    """Whether a class with ``rows`` rows, a share ``cell`` of all, is neither too small nor too large."""
    large_enough = cell >= (min_value or 0) and rows >= (min_count or 0)
    return large_enough and (max_value is None or cell <= max_value)


def is_at_least(cell: float, min_ratio: float) -> bool:
    """Whether a group's rate is at least ``min_ratio`` of the highest."""
    return cell >= min_ratio


def is_at_most(cell: float, max_share: float) -> bool:
    """Whether a share is not over ``max_share``."""
    return cell <= max_share


@dataclass(frozen=True, slots=True)
class Rule:
    """A class to be, by what it asks of the cells of a row."""

    passes: Callable[..., bool]
    """Called with the cell, further cells by name if it is about several columns, and the arguments by name."""

    takes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    """Arguments: type and default."""

    several: bool = False
    """It is about more than one column."""

    once: Callable[..., object] | None = None
    """Called with the arguments before the first row; if it raises, the check has not run."""


_NUMBER = (int | None, None)
_TIME = (str | None, None)
_BOUNDS = {"min_value": _NUMBER, "max_value": _NUMBER}

RULES: Mapping[str, Rule] = {
    "ExpectColumnValuesToNotBeBlank": Rule(is_not_blank),
    "ExpectColumnWordCountsToBeBetween": Rule(has_words, _BOUNDS),
    "ExpectColumnValuesToSatisfyJsonSchema": Rule(satisfies, {"schema_text": (str, _REQUIRED)}, once=check_schema),
    "ExpectColumnValuesToBeInLanguage": Rule(
        is_in_language,
        {"languages": (list[str], _REQUIRED), "min_words": _NUMBER, "min_characters": _NUMBER},
        once=lambda **_: identifier(),
    ),
    "ExpectColumnValuesToHoldNoPersonalData": Rule(holds_no_personal_data, {"kinds": (list[str], list(KINDS))}),
    "ExpectColumnValuesToHoldNoKnownValue": Rule(holds_no_known_value, {"min_characters": (int, 3)}, several=True),
    "ExpectColumnTimestampsToBeBetween": Rule(is_between, {"min_value": _TIME, "max_value": _TIME}),
    "ExpectColumnTimestampsToNotPrecede": Rule(does_not_precede, several=True),
    "ExpectColumnConsentToBeInForce": Rule(is_in_force, {"granted": (list[str], _REQUIRED)}, several=True),
    "ExpectColumnValuesToBeValidChat": Rule(is_valid_chat),
    "ExpectColumnTokenCountsToBeBetween": Rule(has_tokens, {**_BOUNDS, "limit": _NUMBER}),
    "ExpectColumnLearnedTokensToExcludePrompt": Rule(excludes_prompt, several=True),
    "ExpectColumnLearnedTokensToIncludeEndOfTurn": Rule(
        includes_end_of_turn, {"end_of_turn": (list[int], _REQUIRED)}, several=True
    ),
    "ExpectColumnExamplesToBeWhole": Rule(is_whole),
    "ExpectColumnLabelSharesToBeBetween": Rule(
        is_share_between,
        {"min_value": (float | None, None), "max_value": (float | None, None), "min_count": _NUMBER},
        several=True,
    ),
    "ExpectColumnRatesToBeEvenAcross": Rule(is_at_least, {"min_ratio": (float, _REQUIRED)}),
    "ExpectColumnNearDuplicatesToBeAtMost": Rule(is_at_most, {"max_share": (float, _REQUIRED)}),
}


def engines() -> Mapping[str, type]:
    """Every class that a suite may use, by name: Great Expectations' own and ours, registered once."""
    with _LOCK:
        return _engines()


@functools.cache
def _engines() -> Mapping[str, type]:
    with quiet():
        from great_expectations import expectations as theirs

    make = {True: _over_several, False: _over_one}
    ours = {name: make[rule.several](name, rule) for name, rule in RULES.items()}
    return {entry.engine: ours.get(entry.engine) or getattr(theirs, entry.engine) for entry in CATALOGUE.values()}


def _over_one(name: str, rule: Rule) -> type:
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation import ColumnMapExpectation
    from great_expectations.expectations.metrics.map_metric_provider import (
        ColumnMapMetricProvider,
        column_condition_partial,
    )

    class Metric(ColumnMapMetricProvider):
        condition_metric_name = f"column_values.assay.{name}"
        condition_value_keys = tuple(rule.takes)

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column: "pd.Series", **given: Any) -> "pd.Series":  # noqa: ANN401, N805
            return _judged(rule.passes, column, _arguments(rule, given))

    return _expectation(name, rule, ColumnMapExpectation, Metric)


def _over_several(name: str, rule: Rule) -> type:
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation import MulticolumnMapExpectation
    from great_expectations.expectations.metrics.map_metric_provider import (
        MulticolumnMapMetricProvider,
        multicolumn_condition_partial,
    )

    class Metric(MulticolumnMapMetricProvider):
        condition_metric_name = f"multicolumn_values.assay.{name}"
        condition_value_keys = ("roles", *rule.takes)

        @multicolumn_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column_list: "pd.DataFrame", roles: Sequence[str], **given: Any) -> "pd.Series":  # noqa: ANN401, N805
            return _judged_together(rule.passes, column_list, roles, _arguments(rule, given))

    # A missing cell beside the one asked about is the rule's to judge, so no row is passed over.
    more = {"roles": (list[str], _REQUIRED), "ignore_row_if": (str, "never")}
    return _expectation(name, rule, MulticolumnMapExpectation, Metric, more)


def _expectation(
    name: str,
    rule: Rule,
    base: type,
    metric: Any,  # noqa: ANN401
    more: Mapping[str, tuple[object, object]] | None = None,
) -> type:
    fields = {**rule.takes, **(more or {})}
    return type(name, (base,), {
        "__module__": __name__,
        "__doc__": rule.passes.__doc__,
        "__annotations__": {key: kind for key, (kind, _) in fields.items()},
        "map_metric": metric.condition_metric_name,
        "success_keys": (*metric.condition_value_keys, "mostly"),
        **{key: default for key, (_, default) in fields.items() if default is not _REQUIRED},
    })  # fmt: skip


def _arguments(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: given[name] for name in rule.takes}
    if rule.once is not None:
        rule.once(**found)
    return found


def _judged(passes: Callable[..., bool], cells: "pd.Series", arguments: Mapping[str, Any]) -> "pd.Series":
    """Whether each cell passes; a text that comes again is judged once."""
    import pandas as pd

    known: dict[str, bool] = {}
    passed: list[bool] = []
    for cell in cells:
        if type(cell) is not str:
            passed.append(_fail_closed(passes, cell, arguments))
            continue
        if (verdict := known.get(cell)) is None:
            verdict = known[cell] = _fail_closed(passes, cell, arguments)
        passed.append(verdict)
    return pd.Series(passed, index=cells.index, dtype=bool)


def _judged_together(
    passes: Callable[..., bool], cells: "pd.DataFrame", roles: Sequence[str], arguments: Mapping[str, Any]
) -> "pd.Series":
    """Whether each row passes, by its first cell and the others under the names of their roles."""
    import pandas as pd

    columns = [cells.iloc[:, place] for place in range(len(roles))]
    passed = [
        _fail_closed(passes, first, dict(zip(roles[1:], rest, strict=True), **arguments))
        for first, *rest in zip(*columns, strict=True)
    ]
    return pd.Series(passed, index=cells.index, dtype=bool)


def _fail_closed(passes: Callable[..., bool], cell: object, arguments: Mapping[str, object]) -> bool:
    """Whether a rule passes; one that raises has not passed, and says nothing of what it saw."""
    try:
        return bool(passes(cell, **arguments))
    except Exception:  # noqa: BLE001 - a cell can break a parser in any way; each of them is a failing row
        return False
