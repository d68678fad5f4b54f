"""What a suite may ask: every expectation by name, with the parameters that it takes.

The list is closed. Great Expectations drops an unknown type with a line in a log and reports success,
so a name is looked up here before it is looked up there. Expectations that print values from the data
whatever the result format (distinct sets, modes, divergences, means over text) are not offered.

A *row* expectation is answered for each row by Great Expectations; a missing value never satisfies one.
A *set* expectation is answered over all shards, by :mod:`expectations.gate`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | int | float
Argument = Value | tuple[Value, ...]
Severity = Literal["stop", "quarantine", "warn"]

LANGUAGE = re.compile(r"[a-z]{2,3}")
KINDS = ("email", "card", "iban", "phone", "ssn")
"""Personal data that can be told by form alone."""


def whole(value: object) -> str | None:
    """Complain unless ``value`` is a count."""
    return None if isinstance(value, int) and value >= 0 else "must be a whole number of at least 0"


def pattern(value: object) -> str | None:
    """Complain unless ``value`` is a regular expression."""
    if not isinstance(value, str) or not value:
        return "must be a regular expression in quotes"
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    return None


def values(value: object) -> str | None:
    """Complain unless ``value`` is a list of distinct values of one type."""
    if not isinstance(value, tuple) or not value:
        return "must be a list of at least one value"
    if len({type(item) for item in value}) > 1:
        return "mixes text and numbers; put text in quotes"
    return None if len(set(value)) == len(value) else "lists a value twice"


def languages(value: object) -> str | None:
    """Complain unless ``value`` lists language codes."""
    if not isinstance(value, tuple) or not value:
        return "must be a list of at least one language code"
    good = all(isinstance(item, str) and LANGUAGE.fullmatch(item) for item in value)
    return None if good else "must hold language codes such as en"


def kinds(value: object) -> str | None:
    """Complain unless ``value`` lists kinds of personal data that are looked for."""
    if not isinstance(value, tuple) or not value or not set(value) <= set(KINDS):
        return f"must be a list out of {', '.join(KINDS)}"
    return None


def text(value: object) -> str | None:
    """Complain unless ``value`` is text that is not empty."""
    return None if isinstance(value, str) and value else "must be text"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an expectation."""

    complaint: Callable[[object], str | None]
    """What is wrong with a value, or None."""

    required: bool = True
    resource: bool = False
    """The value names something that the gate is handed at run time, such as the recipe's JSON schema."""

    of_column: bool = False
    """The value's type must be the column's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One expectation that a suite may name."""

    words: str
    """What is asked, for a report; ``{bounds}`` stands for the numbers given, the only parameters that are shown."""

    engine: str
    """Class of Great Expectations, or of :mod:`expectations.customs`; empty if the gate counts itself."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    needs_one_of: tuple[str, ...] = ()
    scope: Literal["row", "set"] = "row"
    column: bool = True
    """False if the expectation is about the table."""


WHOLE = Parameter(whole, required=False)
BOUNDS = {"min_value": WHOLE, "max_value": WHOLE}
ANY_BOUND = ("min_value", "max_value")
SET = {"value_set": Parameter(values, of_column=True)}
REGEX = {"regex": Parameter(pattern)}

CATALOGUE: Mapping[str, Entry] = {
    "column_values_to_not_be_null": Entry("must be there", "ExpectColumnValuesToNotBeNull"),
    "column_values_to_not_be_blank": Entry("must say something", "ExpectColumnValuesToNotBeBlank"),
    "column_values_to_be_in_set": Entry("must be one of the values listed", "ExpectColumnValuesToBeInSet", SET),
    "column_values_to_not_be_in_set": Entry("must be none of the values listed", "ExpectColumnValuesToNotBeInSet", SET),
    "column_values_to_match_regex": Entry("must match the pattern", "ExpectColumnValuesToMatchRegex", REGEX),
    "column_values_to_not_match_regex": Entry("must not match the pattern", "ExpectColumnValuesToNotMatchRegex", REGEX),
    "column_values_to_match_strftime_format": Entry(
        "must be a time of the form given",
        "ExpectColumnValuesToMatchStrftimeFormat",
        {"strftime_format": Parameter(text)},
    ),
    "column_value_lengths_to_be_between": Entry(
        "must have {bounds} characters", "ExpectColumnValueLengthsToBeBetween", BOUNDS, ANY_BOUND
    ),
    "column_word_counts_to_be_between": Entry(
        "must have {bounds} words", "ExpectColumnWordCountsToBeBetween", BOUNDS, ANY_BOUND
    ),
    "column_values_to_satisfy_json_schema": Entry(
        "must be JSON that satisfies the schema",
        "ExpectColumnValuesToSatisfyJsonSchema",
        {"schema": Parameter(text, resource=True)},
    ),
    "column_values_to_be_in_language": Entry(
        "must be in a language listed, if long enough to tell",
        "ExpectColumnValuesToBeInLanguage",
        {"languages": Parameter(languages), "min_words": WHOLE, "min_characters": WHOLE},
        ("min_words", "min_characters"),
    ),
    "column_values_to_hold_no_personal_data": Entry(
        "must hold no personal data that can be told by form",
        "ExpectColumnValuesToHoldNoPersonalData",
        {"kinds": Parameter(kinds, required=False)},
    ),
    "column_values_to_hold_no_known_value": Entry(
        "must hold nothing that the source knows of the subject",
        "ExpectColumnValuesToHoldNoKnownValue",
        {"known": Parameter(text, resource=True), "min_characters": WHOLE},
    ),
    "column_values_to_be_unique": Entry("must differ from row to row", "", scope="set"),
    "table_row_count_to_be_between": Entry("must have {bounds} rows", "", BOUNDS, ANY_BOUND, scope="set", column=False),
}


def asks(expect: str, parameters: Mapping[str, Argument]) -> str:
    """What a check asks, in words that show no value from its suite but bounds."""
    low, high = parameters.get("min_value"), parameters.get("max_value")
    if low is None or high is None:
        bounds = f"at least {low}" if high is None else f"at most {high}"
    else:
        bounds = f"exactly {low}" if low == high else f"{low} to {high}"
    return CATALOGUE[expect].words.format(bounds=bounds)


LEAKY = frozenset(
    {
        "column_distinct_values_to_be_in_set",
        "column_distinct_values_to_contain_set",
        "column_distinct_values_to_equal_set",
        "column_kl_divergence_to_be_less_than",
        "column_max_to_be_between",
        "column_mean_to_be_between",
        "column_median_to_be_between",
        "column_min_to_be_between",
        "column_most_common_value_to_be_in_set",
        "column_quantile_values_to_be_between",
        "column_stdev_to_be_between",
        "column_sum_to_be_between",
        "column_values_to_match_json_schema",
        "query_results_to_match_comparison",
        "unexpected_rows_expectation",
    }
)
"""Great Expectations that put values into results or exception texts even when told not to, or that crash a run."""
