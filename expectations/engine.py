"""Great Expectations as an evaluator of rows: one frame and some checks in, failing positions out.

Each call has a context of its own, in memory: batches are filed by asset name, so a shared context mixes
the data of threads. Only positions are taken from a result, and only if they agree with its count; its
texts, samples and exceptions stay behind, because any of them may quote a cell.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.catalogue import CATALOGUE
from expectations.suite import Check

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1  # Raise on any change that could change which rows fail.

_TOLD = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True)
class Question:
    """One check put to the engine."""

    check: Check
    arguments: Mapping[str, object]
    """Of the check's class, with resources in place of their names."""

    known: Sequence[tuple[str, ...] | None] | None = None
    """Personal data of each row's subject, for a check that compares with it."""


def failing(part: "pd.DataFrame", questions: Sequence[Question]) -> dict[str, list[int]]:
    """Positions in ``part`` of the rows that fail, by check id; a check that is absent did not run.

    Args:
        part: the columns that the checks are about, numbered from 0.
        questions: checks of the row scope.
    """
    if not questions:
        return {}
    try:
        results = _validate(*_put(part, questions))
    except Exception:  # noqa: BLE001 - whatever broke, no check of this batch has run, and its text may quote a cell
        return {}
    found: dict[str, list[int]] = {}
    for result in results:
        count = result.result.get("unexpected_count")
        positions = result.result.get("unexpected_index_list") or []
        if isinstance(count, int) and count == len(positions) and all(0 <= i < len(part) for i in positions):
            found[result.expectation_config.meta["check_id"]] = positions
    return found


def release() -> str:
    """Name and version of the engine."""
    with quiet():
        import great_expectations as gx

    return f"great_expectations {gx.__version__}"


def quiet() -> warnings.catch_warnings:
    """Silence Great Expectations: thousands of log lines at import, and later ones may quote what it saw."""
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    return warnings.catch_warnings(action="ignore", category=DeprecationWarning)


def _put(part: "pd.DataFrame", questions: Sequence[Question]) -> "tuple[pd.DataFrame, list[object]]":
    import pandas as pd

    from expectations.customs import engines

    expectations: list[object] = []
    for question in questions:
        check = question.check
        columns: dict[str, object] = {"column": check.column}
        if question.known is not None:
            beside = f"{check.id}: known"
            part = part.assign(**{beside: pd.Series(question.known, dtype=object)})
            columns = {"column_A": check.column, "column_B": beside}
        engine = engines()[CATALOGUE[check.expect].engine]
        expectations.append(engine(**columns, **question.arguments, meta={"check_id": check.id}))
    return part, expectations


def _validate(part: "pd.DataFrame", expectations: list[object]) -> list:  # type: ignore[type-arg]
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            analytics_enabled=False,
            progress_bars={"globally": False},
        ),
    )
    asset = context.data_sources.add_pandas("shards").add_dataframe_asset("shard")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(batch_parameters={"dataframe": part})
    return batch.validate(gx.ExpectationSuite(name="suite", expectations=expectations), result_format=_TOLD).results
