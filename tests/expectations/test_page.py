"""The page says what was found, in one file, and runs nothing."""

import re

from expectations.gate import check, frame
from expectations.outcome import Finding, Outcome
from expectations.page import page
from tests.expectations.conftest import record, suite

MARKUP = "<img src=x onerror=alert(1)>"
BLANK = {"expect": "column_values_to_not_be_blank", "column": "prompt"}


def test_markup_in_a_name_an_id_or_a_cell_is_text(records):
    """Whatever a source holds, the page shows it or leaves it out; it never obeys it."""
    records[3] = record(3, id=MARKUP, prompt="")
    shard = frame(records).assign(**{MARKUP: MARKUP})
    named = {
        "expect": "column_values_to_be_in_set",
        "column": MARKUP,
        "parameters": {"value_set": ["a"]},
        "why": MARKUP,
    }

    written = page(check([shard], suite(BLANK, named), {}))

    assert "&lt;img src=x" in written
    assert "<img" not in written


def test_the_page_stands_alone(records):
    """No script, nothing to fetch, and a policy that says so."""
    written = page(check([frame(records)], suite(BLANK), {}))

    assert "default-src 'none'; style-src 'unsafe-inline'" in written
    assert not re.search(r"<script|<link|https?://|url\(|@import|\son\w+=", written)


def test_fifty_rows_are_listed_and_the_rest_counted():
    """The page stays short; the JSON has them all."""
    rows = [record(i, prompt="") for i in range(60)]

    written = page(check([frame(rows)], suite(BLANK), {}))

    assert written.count("<li><code>t-") == 50
    assert "First 50 of 60 failing rows" in written


def test_every_decision_and_status_has_its_words():
    """Colour is never the only sign."""
    finding = Finding(
        id="A", expect="table_row_count_to_be_between", asks="a", column=None, why="w", on_fail="stop", allow=0,
        evaluated=0,
        failed=0, could_not_run=True, passed=False, note="there were no rows", ids=(),
    )  # fmt: skip
    for decision, words in {
        "pass": "Passed",
        "stop": "Stopped",
        "quarantine": "without",
        "pass_with_warnings": "warnings",
    }.items():
        outcome = Outcome(
            suite="s", version=1, owner="o", digest="0" * 64, engine="e", max_quarantine=0.1, decision=decision,
            reasons=("r",), rows=0, findings=(finding,), quarantined={},
        )  # fmt: skip
        written = page(outcome)
        assert words in written
        assert "could not run" in written
