"""Expectations that Great Expectations lacks, built from its own classes.

The rules are plain functions over one cell, and can be read and tested without Great Expectations. Each
answers whether the cell passes; :func:`_fail_closed` turns a rule that raises into one that does not pass.
:func:`engines` wraps them as expectations, which registers them, so that a suite's check can never find
its class missing.

Languages are told by py3langid (Lui and Baldwin 2012, ACL), JSON schemas by jsonschema.
"""

import functools
import json
import re
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from expectations.catalogue import CATALOGUE, KINDS
from expectations.engine import quiet
from expectations.personal import holds_no_known_value, holds_no_personal_data

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from py3langid.langid import LanguageIdentifier

VERSION = 1  # Raise on any change that could change which rows fail.

WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


def is_not_blank(cell: str) -> bool:
    """Whether anything can be seen: white space, controls and zero-width characters do not count."""
    return any(unicodedata.category(character)[0] not in "ZC" for character in cell)


def has_words(cell: str, low: int, high: int | None) -> bool:
    """Whether ``cell`` holds ``low`` to ``high`` words."""
    count = sum(1 for _ in WORD.finditer(cell))
    return low <= count and (high is None or count <= high)


def is_in_language(cell: str, languages: Sequence[str], min_words: int, min_characters: int) -> bool:
    """Whether ``cell`` is in one of ``languages`` (ISO 639-1); a shorter text is not judged and passes."""
    if len(cell) < min_characters or not has_words(cell, min_words, None):
        return True
    return _identifier().classify(cell)[0] in languages


def satisfies(cell: str, schema: str) -> bool:
    """Whether ``cell`` is one JSON value that the JSON schema ``schema`` accepts.

    Keys given twice and numbers that JSON does not have (NaN, Infinity) are refused.
    """
    value = json.loads(cell, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    return bool(_validator(schema).is_valid(value))


def check_schema(schema: str) -> None:
    """Raise unless ``schema`` is a JSON schema."""
    _validator(schema)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key is given twice")
    return found


_LOCK = threading.RLock()


@functools.lru_cache(maxsize=8)
def _validator(schema: str) -> "Validator":
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    document = json.loads(schema)
    cls = validator_for(document, default=Draft202012Validator)
    cls.check_schema(document)
    # An own registry: the default one would fetch a remote reference.
    return cls(document, registry=Registry())


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)


def _fail_closed(rule: Callable[..., bool], *arguments: object) -> bool:
    """Whether the rule passes; a rule that raises has not passed, and says nothing of what it saw."""
    try:
        return bool(rule(*arguments))
    except Exception:  # noqa: BLE001 - a cell can break a parser in any way; each of them is a failing row
        return False


def engines() -> Mapping[str, type]:
    """Every class that a suite may use, by name: Great Expectations' own and ours, registered once."""
    with _LOCK:
        return _engines()


@functools.cache
def _engines() -> Mapping[str, type]:
    with quiet():
        from great_expectations import expectations as theirs

    names = {entry.engine for entry in CATALOGUE.values() if entry.engine}
    ours = _ours()
    return {name: ours.get(name) or getattr(theirs, name) for name in names}


def _ours() -> dict[str, type]:
    import pandas as pd
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation import ColumnMapExpectation, ColumnPairMapExpectation
    from great_expectations.expectations.metrics.map_metric_provider import (
        ColumnMapMetricProvider,
        ColumnPairMapMetricProvider,
        column_condition_partial,
        column_pair_condition_partial,
    )

    def by_cell(column: pd.Series, rule: Callable[..., bool], *arguments: object) -> pd.Series:
        return pd.Series([_fail_closed(rule, cell, *arguments) for cell in column], index=column.index, dtype=bool)

    class NotBlank(ColumnMapMetricProvider):
        condition_metric_name = "column_values.assay.not_blank"

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column: pd.Series, **_: object) -> pd.Series:  # noqa: N805
            return by_cell(column, is_not_blank)

    class WordCounts(ColumnMapMetricProvider):
        condition_metric_name = "column_values.assay.word_counts"
        condition_value_keys = ("min_value", "max_value")

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column: pd.Series, min_value: int | None, max_value: int | None, **_: object) -> pd.Series:  # noqa: N805
            return by_cell(column, has_words, min_value or 0, max_value)

    class JsonSchema(ColumnMapMetricProvider):
        condition_metric_name = "column_values.assay.json_schema"
        condition_value_keys = ("schema_text",)

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column: pd.Series, schema_text: str, **_: object) -> pd.Series:  # noqa: N805
            check_schema(schema_text)
            return by_cell(column, satisfies, schema_text)

    class InLanguage(ColumnMapMetricProvider):
        condition_metric_name = "column_values.assay.language"
        condition_value_keys = ("languages", "min_words", "min_characters")

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(
            cls,  # noqa: N805
            column: pd.Series,
            languages: list[str],
            min_words: int,
            min_characters: int,
            **_: object,
        ) -> pd.Series:
            with _LOCK:
                _identifier()
            return by_cell(column, is_in_language, languages, min_words, min_characters)

    class NoPersonalData(ColumnMapMetricProvider):
        condition_metric_name = "column_values.assay.no_personal_data"
        condition_value_keys = ("kinds",)

        @column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column: pd.Series, kinds: list[str], **_: object) -> pd.Series:  # noqa: N805
            return by_cell(column, holds_no_personal_data, kinds)

    class NoKnownValue(ColumnPairMapMetricProvider):
        condition_metric_name = "column_pair_values.assay.no_known_value"
        condition_value_keys = ("min_characters",)

        @column_pair_condition_partial(engine=PandasExecutionEngine)
        def _pandas(cls, column_A: pd.Series, column_B: pd.Series, min_characters: int, **_: object) -> pd.Series:  # noqa: N803, N805
            passed = [
                _fail_closed(holds_no_known_value, cell, known, min_characters)
                for cell, known in zip(column_A, column_B, strict=True)
            ]
            return pd.Series(passed, index=column_A.index, dtype=bool)

    class ExpectColumnValuesToNotBeBlank(ColumnMapExpectation):
        map_metric = NotBlank.condition_metric_name

    class ExpectColumnWordCountsToBeBetween(ColumnMapExpectation):
        min_value: int | None = None
        max_value: int | None = None
        map_metric = WordCounts.condition_metric_name
        success_keys = ("min_value", "max_value", "mostly")

    class ExpectColumnValuesToSatisfyJsonSchema(ColumnMapExpectation):
        schema_text: str
        map_metric = JsonSchema.condition_metric_name
        success_keys = ("schema_text", "mostly")

    class ExpectColumnValuesToBeInLanguage(ColumnMapExpectation):
        languages: list[str]
        min_words: int = 0
        min_characters: int = 0
        map_metric = InLanguage.condition_metric_name
        success_keys = ("languages", "min_words", "min_characters", "mostly")

    class ExpectColumnValuesToHoldNoPersonalData(ColumnMapExpectation):
        kinds: tuple[str, ...] = KINDS
        map_metric = NoPersonalData.condition_metric_name
        success_keys = ("kinds", "mostly")

    class ExpectColumnValuesToHoldNoKnownValue(ColumnPairMapExpectation):
        min_characters: int = 3
        ignore_row_if: str = "neither"
        domain_keys = (*ColumnPairMapExpectation.domain_keys, "ignore_row_if")
        map_metric = NoKnownValue.condition_metric_name
        success_keys = ("min_characters", "mostly")

    return {
        cls.__name__: cls
        for cls in (
            ExpectColumnValuesToNotBeBlank,
            ExpectColumnWordCountsToBeBetween,
            ExpectColumnValuesToSatisfyJsonSchema,
            ExpectColumnValuesToBeInLanguage,
            ExpectColumnValuesToHoldNoPersonalData,
            ExpectColumnValuesToHoldNoKnownValue,
        )
    }
