"""What a suite may ask: every expectation by name, with the parameters that it takes.

The list is closed. Great Expectations drops an unknown type with a line in a log and reports success,
so a name is looked up here before it is looked up there. Expectations that print values from the data
whatever the result format (distinct sets, modes, divergences, means over text) are not offered.

A *row* expectation is answered for each row; a missing value never satisfies one, nor does one that is no text satisfy
one that is about texts. A *set* expectation is answered once, over what :mod:`expectations.totals` gathers from all
rows. Both are answered by a class of Great Expectations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from expectations.parameters import (
    Argument,
    Parameter,
    factory,
    fraction,
    group_size,
    kinds,
    languages,
    moment,
    pattern,
    positive,
    schema_text,
    text,
    token_ids,
    values,
    whole,
    window,
)

Severity = Literal["stop", "quarantine", "warn"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One expectation that a suite may name."""

    words: str
    """What is asked, for a report; parameters in braces are numbers or times, the only ones that are shown."""

    engine: str
    """Class of Great Expectations, or of :mod:`expectations.customs`."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    needs_one_of: tuple[str, ...] = ()
    needs_also: Mapping[str, str] = field(default_factory=dict)
    """A parameter that means nothing without another."""

    also: Mapping[str, str] = field(default_factory=dict)
    """Words that are added if a parameter is given."""

    beside: tuple[str, ...] = ()
    """Further columns that every such check reads, by the names that frames give them."""

    scope: Literal["row", "set"] = "row"
    column: bool = True
    """False if the expectation is about the table."""

    names_rows: bool = True
    """Whether it can say which rows fail."""

    allows: bool = True
    """Whether a check may give the share of rows that may fail."""

    of_text: bool = False
    """A cell that is no text fails, rather than being judged by how Python would print it."""

    personal: bool = False
    """It looks for personal data: only a waiver that names rows lets it pass."""


WHOLE = Parameter(whole, required=False)
BOUNDS = {"min_value": WHOLE, "max_value": WHOLE}
ANY_BOUND = ("min_value", "max_value")
SHARE = Parameter(fraction, required=False, share=True)
MOMENT = Parameter(moment, required=False)
COLUMN = Parameter(text, names_column=True)
MAYBE_COLUMN = Parameter(text, required=False, names_column=True)
SET = {"value_set": Parameter(values, of_column=True)}
REGEX = {"regex": Parameter(pattern)}

_VALUES: Mapping[str, Entry] = {
    "column_values_to_not_be_null": Entry("must be there", "ExpectColumnValuesToNotBeNull"),
    "column_values_to_not_be_blank": Entry("must say something", "ExpectColumnValuesToNotBeBlank", of_text=True),
    "column_values_to_be_in_set": Entry("must be one of the values listed", "ExpectColumnValuesToBeInSet", SET),
    "column_values_to_not_be_in_set": Entry("must be none of the values listed", "ExpectColumnValuesToNotBeInSet", SET),
    "column_values_to_match_regex": Entry(
        "must contain the pattern", "ExpectColumnValuesToMatchRegex", REGEX, of_text=True
    ),
    "column_values_to_not_match_regex": Entry(
        "must not contain the pattern", "ExpectColumnValuesToNotMatchRegex", REGEX, of_text=True
    ),
    "column_values_to_match_strftime_format": Entry(
        "must be a time of the form given",
        "ExpectColumnValuesToMatchStrftimeFormat",
        {"strftime_format": Parameter(text)},
        of_text=True,
    ),
    "column_value_lengths_to_be_between": Entry(
        "must have {bounds} characters", "ExpectColumnValueLengthsToBeBetween", BOUNDS, ANY_BOUND, of_text=True
    ),
    "column_word_counts_to_be_between": Entry(
        "must have {bounds} words", "ExpectColumnWordCountsToBeBetween", BOUNDS, ANY_BOUND, of_text=True
    ),
    "column_values_to_satisfy_json_schema": Entry(
        "must be JSON that satisfies the schema",
        "ExpectColumnValuesToSatisfyJsonSchema",
        {"schema": Parameter(text, resource=schema_text, passed_as="schema_text")},
        of_text=True,
    ),
    "column_values_to_be_in_language": Entry(
        "must be in a language listed, if long enough to tell",
        "ExpectColumnValuesToBeInLanguage",
        {"languages": Parameter(languages), "min_words": WHOLE, "min_characters": WHOLE},
        ("min_words", "min_characters"),
        of_text=True,
    ),
    "column_values_to_hold_no_personal_data": Entry(
        "must hold no personal data that can be told by form",
        "ExpectColumnValuesToHoldNoPersonalData",
        {"kinds": Parameter(kinds, required=False)},
        of_text=True,
        personal=True,
    ),
    "column_values_to_hold_no_known_value": Entry(
        "must hold nothing that the source knows of the subject",
        "ExpectColumnValuesToHoldNoKnownValue",
        {"known": COLUMN, "min_characters": WHOLE},
        of_text=True,
        personal=True,
    ),
}

_TIMES: Mapping[str, Entry] = {
    "column_timestamps_to_be_between": Entry(
        "must be a time, {bounds}",
        "ExpectColumnTimestampsToBeBetween",
        {"min_value": MOMENT, "max_value": MOMENT},
        ANY_BOUND,
    ),
    "column_timestamps_to_not_precede": Entry(
        "must not be earlier than the time beside it", "ExpectColumnTimestampsToNotPrecede", {"other": COLUMN}
    ),
    "column_consent_to_be_in_force": Entry(
        "must be a consent that was given and not taken back",
        "ExpectColumnConsentToBeInForce",
        {
            "granted": Parameter(values, of_column=True),
            "given": MAYBE_COLUMN,
            "withdrawn": MAYBE_COLUMN,
            "at": MAYBE_COLUMN,
        },
        needs_also={"at": "given"},
    ),
}

_EXAMPLES: Mapping[str, Entry] = {
    "column_values_to_be_valid_chat": Entry(
        "must be turns of user and assistant that end on the assistant, none blank", "ExpectColumnValuesToBeValidChat"
    ),
    "column_token_counts_to_be_between": Entry(
        "must have as many tokens as fit",
        "ExpectColumnTokenCountsToBeBetween",
        {**BOUNDS, "limit": Parameter(text, required=False, resource=window)},
        (*ANY_BOUND, "limit"),
        also={"bounds": "{bounds}", "limit": "no more than the model takes"},
    ),
    "column_learned_tokens_to_exclude_prompt": Entry(
        "must teach the answer and no token of the prompt",
        "ExpectColumnLearnedTokensToExcludePrompt",
        beside=("prompt_tokens",),
    ),
    "column_learned_tokens_to_include_end_of_turn": Entry(
        "must teach where the answer ends, unless it was cut short",
        "ExpectColumnLearnedTokensToIncludeEndOfTurn",
        {"end_of_turn": Parameter(text, resource=token_ids)},
        beside=("truncated",),
    ),
    "column_examples_to_be_whole": Entry("must not have been cut short", "ExpectColumnExamplesToBeWhole"),
}

_SETS: Mapping[str, Entry] = {
    "column_values_to_be_unique": Entry(
        "must be there and differ from row to row", "ExpectColumnValuesToBeBetween", scope="set"
    ),
    "table_row_count_to_be_between": Entry(
        "must have {bounds} rows",
        "ExpectColumnValuesToBeBetween",
        BOUNDS,
        ANY_BOUND,
        scope="set",
        column=False,
        names_rows=False,
        allows=False,
    ),
    "column_label_shares_to_be_between": Entry(
        "every class must have its share",
        "ExpectColumnLabelSharesToBeBetween",
        {
            "min_value": SHARE,
            "max_value": SHARE,
            "min_count": Parameter(positive, required=False),
            "value_set": Parameter(values, required=False, of_column=True),
        },
        (*ANY_BOUND, "min_count", "value_set"),
        also={"bounds": "{bounds} of the rows", "min_count": "at least {min_count} rows", "value_set": "all listed"},
        scope="set",
        names_rows=False,
        allows=False,
    ),
    "column_rates_to_be_even_across": Entry(
        "must be as frequent in the least favoured group as {min_ratio} of the most favoured",
        "ExpectColumnRatesToBeEvenAcross",
        {
            "by": COLUMN,
            "min_ratio": Parameter(fraction, share=True),
            "min_rows": Parameter(group_size),
            "passes": Parameter(values, required=False),
        },
        also={"min_rows": "groups of at least {min_rows} rows"},
        scope="set",
        names_rows=False,
        allows=False,
    ),
    "column_near_duplicates_to_be_at_most": Entry(
        "must nearly repeat an earlier row in at most {max_share} of the rows",
        "ExpectColumnNearDuplicatesToBeAtMost",
        {"max_share": Parameter(fraction, share=True), "finder": Parameter(text, resource=factory)},
        scope="set",
        allows=False,
    ),
}

CATALOGUE: Mapping[str, Entry] = {**_VALUES, **_TIMES, **_EXAMPLES, **_SETS}


def asks(expect: str, parameters: Mapping[str, Argument]) -> str:
    """What a check asks, in words that show nothing of its suite but numbers and times."""
    entry = CATALOGUE[expect]
    shown = {name: _shown(entry.parameters[name], value) for name, value in parameters.items()}
    shown["bounds"] = _bounds(shown.get("min_value"), shown.get("max_value"))
    also = [words.format_map(shown) for name, words in entry.also.items() if shown.get(name)]
    return ": ".join(filter(None, (entry.words.format_map(shown), ", ".join(also))))


def columns_of(expect: str, column: str | None, parameters: Mapping[str, Argument]) -> dict[str, str]:
    """The columns that a check reads, by what each is to it; the one that it is about is its ``cell``."""
    entry = CATALOGUE[expect]
    found = {"cell": column} if column else {}
    named = {name: str(value) for name, value in parameters.items() if entry.parameters[name].names_column}
    return found | named | {name: name for name in entry.beside}


def _shown(parameter: Parameter, value: Argument) -> str:
    if isinstance(value, int | float):
        return f"{100 * value:.4g} %" if parameter.share else str(value)
    is_time = parameter.complaint is moment and moment(value) is None
    return str(value) if is_time else "…"


def _bounds(low: str | None, high: str | None) -> str:
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"at least {low}" if high is None else f"at most {high}"
    return f"exactly {low}" if low == high else f"{low} to {high}"


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
