"""Each class of ours is one of Great Expectations' own, and fails exactly the rows that its rule does."""

import pandas as pd
import pytest

from expectations.catalogue import CATALOGUE
from expectations.customs import RULES, engines
from expectations.gate import check
from expectations.outcome import RAISED
from tests.expectations.conftest import ENGLISH, SCHEMA, suite
from tests.expectations.test_examples import turns

JANUARY, MARCH = "2026-01-05T10:25:00Z", "2026-03-05T10:25:00Z"


class Twins:
    """Finds texts that are the same but for case."""

    def __init__(self):
        self._seen, self._found = set(), []

    def add(self, texts, ids):
        """Take in texts."""
        for text, id in zip(texts, ids, strict=True):
            if text.casefold() in self._seen:
                self._found.append(id)
            self._seen.add(text.casefold())

    def ids(self):
        """Those that repeat an earlier one."""
        return self._found


RESOURCES = {"output": SCHEMA, "anything": {}, "window": 3, "ends": [2], "twins": Twins}

ROWS = {
    "column_values_to_not_be_blank": ("a", " \u200b", {}, {}),
    "column_word_counts_to_be_between": ("one two", "one", {"min_value": 2, "max_value": 3}, {}),
    "column_values_to_satisfy_json_schema": ('{"label": "billing"}', "{", {"schema": "output"}, {}),
    "column_values_to_be_in_language": (
        ENGLISH,
        "Guten Tag, mein Drucker ist seit heute morgen kaputt",
        {"languages": ["en"], "min_words": 5},
        {},
    ),
    "column_values_to_hold_no_personal_data": ("a", "a@b.example", {"kinds": ["email"]}, {}),
    "column_values_to_hold_no_known_value": (
        "ask Berg",
        "ask Anna",
        {"known": "known", "min_characters": 4},
        {"known": ("Anna",)},
    ),
    "column_timestamps_to_be_between": (JANUARY, "2026-01-05T10:25:00", {"min_value": "2026-01-01T00:00:00Z"}, {}),
    "column_timestamps_to_not_precede": (MARCH, JANUARY, {"other": "asked"}, {"asked": "2026-02-01T00:00:00Z"}),
    "column_consent_to_be_in_force": ("yes", "no", {"granted": ["yes"]}, {}),
    "column_values_to_be_valid_chat": (turns("user", "assistant"), turns("user"), {}, {}),
    "column_token_counts_to_be_between": ([1, 2, 3], [1, 2, 3, 4], {"min_value": 1, "limit": "window"}, {}),
    "column_learned_tokens_to_exclude_prompt": ([-100, 5], [4, 5], {}, {"prompt_tokens": 1}),
    "column_learned_tokens_to_include_end_of_turn": (
        [-100, 2],
        [-100, 5],
        {"end_of_turn": "ends"},
        {"truncated": False},
    ),
    "column_examples_to_be_whole": (False, True, {}, {}),
}
"""Expectation → a cell that passes, one that fails, parameters, cells beside."""

ANY_TEXT = {
    "column_values_to_not_be_blank": {},
    "column_values_to_match_regex": {"regex": "."},
    "column_values_to_not_match_regex": {"regex": "nothing"},
    "column_values_to_match_strftime_format": {"strftime_format": "%Y"},
    "column_value_lengths_to_be_between": {"min_value": 1},
    "column_word_counts_to_be_between": {"min_value": 1},
    "column_values_to_satisfy_json_schema": {"schema": "anything"},
    "column_values_to_be_in_language": {"languages": ["en"], "min_characters": 99},
    "column_values_to_hold_no_personal_data": {},
    "column_values_to_hold_no_known_value": {"known": "known"},
}
"""Expectation about texts → parameters that the text 2026 satisfies."""

SETS = {
    "table_row_count_to_be_between": (["a"] * 3, ["a"], {"min_value": 2, "max_value": 3}),
    "column_values_to_be_unique": (["a", "b"], ["a", "a"], {}),
    "column_label_shares_to_be_between": (["a", "b", "a"], ["a", "b", "b", "b"], {"min_value": "30%"}),
    "column_rates_to_be_even_across": (
        ["a", "b"] * 6,
        ["a", "b"] * 3 + ["b"] * 6,
        {"passes": ["a"], "by": "group", "min_ratio": 0.8, "min_rows": 6},
    ),
    "column_near_duplicates_to_be_at_most": (["a", "b"], ["a", "A"], {"max_share": "10%", "finder": "twins"}),
}
"""Expectation → a column that passes, one that fails, parameters."""


def found(frame, expect, parameters, **change):
    """The finding of one check over column ``cell``."""
    about = {"column": "cell"} if CATALOGUE[expect].column else {}
    asked = suite({"expect": expect, "parameters": parameters, "on_fail": "warn"} | about | change)
    return check([frame], asked, RESOURCES).findings[0]


def framed(cells, **beside):
    """A frame of ``cells`` and what stands beside each."""
    columns = {"id": [f"r-{i}" for i in range(len(cells))], "cell": cells}
    columns |= {name: [cell] * len(cells) for name, cell in beside.items()}
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


@pytest.mark.parametrize("expect", sorted(ROWS))
def test_a_row_expectation_fails_the_planted_row_and_a_missing_one(expect):
    """Great Expectations itself answers, and the rest of the rows pass."""
    good, bad, parameters, beside = ROWS[expect]

    finding = found(framed([good, bad, good, None], **beside), expect, parameters)

    assert (finding.status, finding.ids) == ("failed", ("r-1", "r-3"))
    assert finding.observed == "2 of 4 rows, 50 %"


@pytest.mark.parametrize("expect", sorted(SETS))
def test_a_set_expectation_tells_a_good_set_from_a_bad_one(expect):
    """What is gathered from the rows is judged by a class like any other."""
    good, bad, parameters = SETS[expect]

    for cells, status in ((good, "passed"), (bad, "failed")):
        frame = framed(cells).assign(group=["one" if i < 6 else "two" for i in range(len(cells))])
        assert found(frame, expect, parameters).status == status


def test_every_class_of_ours_has_its_contract():
    """And every one of them is a map expectation that Great Expectations knows by name."""
    from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation
    from great_expectations.expectations.registry import get_expectation_impl

    tested = {CATALOGUE[expect].engine for expect in (*ROWS, *SETS)}
    assert set(RULES) <= tested
    for name in RULES:
        cls = engines()[name]
        assert issubclass(cls, ColumnMapExpectation | MulticolumnMapExpectation)
        assert get_expectation_impl(cls.expectation_type) is cls
        assert cls.expectation_type.removeprefix("expect_") in CATALOGUE


def test_every_expectation_offered_has_its_class():
    """What Great Expectations no longer has must not be found out during a run."""
    assert set(engines()) == {entry.engine for entry in CATALOGUE.values()}


def test_consent_is_told_from_four_columns():
    """Who withdrew, agreed too late, or has no date on file is told from who agreed."""
    frame = framed(["yes"] * 5).assign(
        given=[JANUARY, MARCH, None, JANUARY, JANUARY],
        withdrawn=pd.Series([None, None, None, MARCH, ""], dtype=object),
        at="2026-02-01T00:00:00Z",
    )
    parameters = {"granted": ["yes"], "given": "given", "withdrawn": "withdrawn", "at": "at"}

    finding = found(frame, "column_consent_to_be_in_force", parameters)

    assert finding.ids == ("r-1", "r-2", "r-3")


@pytest.mark.parametrize("expect", sorted(expect for expect, entry in CATALOGUE.items() if entry.of_text))
def test_what_is_no_text_fails_where_one_is_asked_for(expect):
    """Not by how Python would print it: a list of words would be long enough, a number of the right form."""
    parameters = ANY_TEXT[expect]

    finding = found(framed(["2026", ["a"], 2026, {"a": "b"}, "2026"], known=("Anna",)), expect, parameters)

    if expect == "column_values_to_match_strftime_format":  # Great Expectations itself breaks off.
        assert finding.note == RAISED
    else:
        assert (finding.status, finding.ids) == ("failed", ("r-1", "r-2", "r-3"))


def test_a_text_is_no_list_of_tokens():
    """Its letters are none."""
    finding = found(framed(["ab", [1, 2]]), "column_token_counts_to_be_between", {"min_value": 2})

    assert finding.ids == ("r-0",)


def test_a_missing_value_is_not_unique():
    """Not even a single one; a missing value satisfies nothing."""
    for missing in (None, float("nan")):
        finding = found(framed(["a", missing, "b", "c", "c"]), "column_values_to_be_unique", {})

        assert (finding.status, finding.ids) == ("failed", ("r-1", "r-3", "r-4"))
        assert finding.observed == "3 of 5 rows share a value with another, or have none"


def test_a_text_that_comes_again_is_judged_alike():
    """What is remembered of a batch is the verdict on a text, and a text that breaks the rule stays broken."""
    finding = found(
        framed(['{"label": "billing"}', "{", '{"label": "billing"}', "{", 7]),
        "column_values_to_satisfy_json_schema",
        {"schema": "output"},
    )

    assert finding.ids == ("r-1", "r-3", "r-4")
