"""Great Expectations as an evaluator of rows: one frame and some questions in, failing positions out.

Each call has a context, an engine and a validator of its own, in memory: batches are filed by name, so a shared one
mixes the data of threads. The frame is handed to the validator as it is: by way of a data source, Great Expectations
would first hash every cell, which is half of its time, and prints the sum. Only positions are taken from a result,
and only if they agree with its count; its texts, samples and exceptions stay behind, because any of them may quote a
cell.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

VERSION = 2  # Raise on any change that could change which rows fail.

KEY = "id"
"""The column that names a row."""

_TOLD = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True)
class Question:
    """One question put to the engine."""

    id: str
    engine: str
    """The class that answers it."""

    columns: Mapping[str, str]
    """Columns of the frame, by what each is to the class; the one that it is about comes first."""

    arguments: Mapping[str, object]
    """Of the class, with resources in place of their names."""


def failing(part: "pd.DataFrame", questions: Sequence[Question]) -> dict[str, list[int]]:
    """Positions in ``part`` of the rows that fail, by question; one that is absent was not answered.

    Args:
        part: the columns that are asked about, and the key; numbered from 0.
        questions: what is asked.
    """
    asked = [expectation for question in questions if (expectation := _expectation(question)) is not None]
    try:
        results = _validate(part, asked) if asked else []
    except Exception:  # noqa: BLE001 - whatever broke, nothing has been answered, and its text may quote a cell
        return {}
    found: dict[str, list[int]] = {}
    for result in results:
        count = result.result.get("unexpected_count")
        positions = result.result.get("unexpected_index_list") or []
        if isinstance(count, int) and count == len(positions) and all(0 <= i < len(part) for i in positions):
            found[result.expectation_config.meta["id"]] = positions
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


def _expectation(question: Question) -> Any | None:  # noqa: ANN401
    """The expectation that asks ``question``, or None if its class refuses the arguments."""
    from expectations.customs import RULES, engines

    cells: dict[str, object] = {"column": next(iter(question.columns.values()))}
    if question.engine in RULES and RULES[question.engine].several:
        columns = list(question.columns.values())
        # A class over several columns wants at least two; the key stands in, and has no role.
        cells = {"column_list": columns if len(columns) > 1 else [*columns, KEY], "roles": list(question.columns)}
    try:
        return engines()[question.engine](**cells, **question.arguments, meta={"id": question.id})
    except Exception:  # noqa: BLE001 - the text may quote a resource
        return None


def _validate(part: "pd.DataFrame", expectations: list[Any]) -> list[Any]:
    import great_expectations as gx
    from great_expectations.core.batch import Batch
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            analytics_enabled=False,
            progress_bars={"globally": False},
        ),
    )
    engine = PandasExecutionEngine()
    validator = Validator(execution_engine=engine, batches=[Batch(data=part)], data_context=context)
    try:
        return validator.graph_validate(
            configurations=[expectation.configuration for expectation in expectations],
            runtime_configuration={"result_format": dict(_TOLD)},
        )
    finally:
        # An engine and what it was handed hold one another: unless they are parted, every frame stays in memory until
        # garbage is collected, and to look for it takes as long as to judge some thousand rows.
        engine.batch_manager.batch_cache.clear()
        engine.batch_manager.batch_data_cache.clear()
