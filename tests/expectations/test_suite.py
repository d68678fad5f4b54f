"""A suite that loads runs as written; any other is refused with its lines."""

import re
from pathlib import Path

import pytest

from assay.errors import ExpectationError
from assay.spec import DOORWAYS
from expectations import suite as suites
from expectations.catalogue import CATALOGUE, asks
from expectations.reading import CHECK_KEYS
from expectations.suite import load

ROOM = Path(suites.__file__).parent

PLANTED = b"""\
suite: splits
version: 1
owner: steward
max_quarantine: 0%
checks:
  - id: S-01
    expect: column_values_to_be_in_sett
    column: licence
    parameters: {value_set: [cleared]}
    why: 1. An expectation that is not there.
    on_fail: stop
  - id: S-02
    expect: column_distinct_values_to_be_in_set
    column: licence
    parameters: {value_set: [cleared]}
    why: 2. One that prints values.
    on_fail: stop
  - id: S-01
    expect: column_values_to_not_be_blank
    column: prompt
    why: 3. An id that is taken.
    on_fail: stop
  - id: S-04
    expect: column_values_to_match_regex
    column: prompt
    parameters: {regex: "(unclosed"}
    why: 4. Not a regular expression.
    on_fail: stop
  - id: S-05
    expect: column_label_shares_to_be_between
    column: label
    parameters: {min_value: 30%, max_value: 0.02}
    why: 5. Bounds the wrong way round.
    on_fail: stop
  - id: S-06
    expect: column_values_to_not_be_blank
    column: prompt
    why: 6. A key that is not there.
    on_fail: stop
    colour: red
  - id: S-07
    expect: column_values_to_not_be_blank
    column: prompt
    on_fail: stop
  - id: S-08
    expect: column_values_to_be_in_set
    column: licence
    parameters: {value_set: []}
    why: 8. A list of nothing.
    on_fail: stop
  - id: S-09
    expect: column_values_to_not_be_blank
    column: prompt
    why: 9. A row set aside where rows are counted.
    on_fail: quarantine
  - id: S-10
    expect: column_values_to_not_be_blank
    column: prompt
    where: "`prompt`.__class__.__init__.__globals__['sys'].modules['os'].system('touch /tmp/run')"
    why: 10. A condition that would be run.
    on_fail: stop
"""

MISTAKES = (
    (7, "S-01", "`column_values_to_be_in_sett` is not an expectation; did you mean `column_values_to_be_in_set`?"),
    (13, "S-02", "`column_distinct_values_to_be_in_set` can print values from the data, so it is not offered"),
    (18, "S-01", "`id` is taken by the check at line 6"),
    (26, "S-04", "`regex` is not a regular expression: missing ), unterminated subpattern at position 0"),
    (32, "S-05", "`min_value` 0.3 is over `max_value` 0.02, so nothing could pass"),
    (40, "S-06", f"unknown key `colour`; expected {', '.join(CHECK_KEYS)}"),
    (41, "S-07", "key `why` is missing"),
    (48, "S-08", "`value_set` must be a list of at least one value"),
    (55, "S-09", "`on_fail` must be stop or warn: the rows at splits are counted, and none can be set aside"),
    (59, "S-10", "`where` must be {column: NAME, is: VALUE} or {column: NAME, in: [...]}; text is never run"),
)


def test_ten_planted_mistakes_give_ten_errors_with_their_lines():
    """All are reported at once, so that a steward mends a suite in one round."""
    with pytest.raises(ExpectationError) as caught:
        load(PLANTED, "splits.yml")

    expected = [f"splits.yml:{line}: {who}: {reason}" for line, who, reason in MISTAKES]
    assert str(caught.value).splitlines() == expected


TWO = "2025-01-01T00:00:00+02:00"
SHARES, TIMES = "column_label_shares_to_be_between", "column_timestamps_to_be_between"
CHECK = "{id: A, expect: column_values_to_not_be_blank, column: prompt, why: w, on_fail: stop}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("- a\n", "found no mapping"),
        ("suite: a\nversion: 1\nowner: o\nmax_quarantine: 0\nchecks: []\n", "empty suite lets all pass"),
        (f"suite: a\nversion: 1\nowner: o\nchecks: [{CHECK}]\n", "`max_quarantine` is missing"),
        (f"suite: a\nversion: 1\nowner: o\nmax_quarantine: 200%\nchecks: [{CHECK}]\n", "must be a share"),
        (f"suite: a\nversion: yes\nowner: o\nmax_quarantine: 0\nchecks: [{CHECK}]\n", "read by YAML as true or false"),
        (f"suite: a\nversion: 010\nowner: o\nmax_quarantine: 0\nchecks: [{CHECK}]\n", "not a plain number"),
        (f"suite: a\nsuite: b\nversion: 1\nowner: o\nmax_quarantine: 0\nchecks: [{CHECK}]\n", "given twice"),
        ("suite: &a a\nversion: 1\n", "anchors"),
        ("suite: a\n  b: [\n", "is not YAML"),
        ("suite: !!python/object/apply:os.system [ls]\n", "must be one value"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(content, reason):
    """No mistake is repaired or guessed at."""
    with pytest.raises(ExpectationError, match=reason):
        load(content.encode(), "a.yml")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("expect: column_values_to_be_in_set, column: licence", "parameter value_set is missing"),
        ("expect: column_values_to_be_in_set, column: licence, parameters: {value_set: [1]}", "put it in quotes"),
        ("expect: column_values_to_be_in_set, column: licence, parameters: {value_set: [a, a]}", "twice"),
        ("expect: column_value_lengths_to_be_between, column: prompt, parameters: {}", "is missing"),
        ("expect: column_value_lengths_to_be_between, column: prompt, parameters: {min_value: -1}", "at least 0"),
        ("expect: column_values_to_not_be_null", "`column` is missing"),
        ("expect: table_row_count_to_be_between, column: id, parameters: {min_value: 1}", "about the table"),
        ("expect: column_values_to_not_be_null, column: id, where: {column: a}", "either `is` or `in`"),
        ("expect: column_values_to_not_be_null, column: id, where: {column: a, is: 1}", "put it in quotes"),
        ("expect: column_values_to_not_be_null, column: id, where: {column: a, in: []}", "at least one"),
        ("expect: column_values_to_be_in_language, column: id, parameters: {languages: [english]}", "codes"),
        ("expect: column_values_to_hold_no_personal_data, column: id, parameters: {kinds: [name]}", "out of email"),
        ("expect: column_values_to_match_regex, column: id, parameters: {regex: a, mostly: 1}", "gate alone decides"),
        (f"expect: {SHARES}, column: label, parameters: {{}}", "is missing"),
        (f"expect: {SHARES}, column: label, parameters: {{max_value: 30}}", "must be a share"),
        (f"expect: {SHARES}, column: label, parameters: {{min_count: 0}}", "at least 1"),
        (f"expect: {SHARES}, column: label, parameters: {{min_count: 5}}, allow: 1%", "parameters say how much"),
        (f"expect: {SHARES}, column: label, parameters: {{value_set: [1]}}", "put it in quotes"),
        (f"expect: {TIMES}, column: created, parameters: {{min_value: 2025-01-01}}", "put it in quotes"),
        (f"expect: {TIMES}, column: created, parameters: {{min_value: '2025-01-01'}}", "with its offset"),
        (
            f"expect: {TIMES}, column: a, parameters: {{min_value: '{TWO}', max_value: '2024-12-31T21:59:59Z'}}",
            "nothing could pass",
        ),
        ("expect: column_timestamps_to_not_precede, column: a, parameters: {other: a}", "compared with itself"),
        (
            "expect: column_consent_to_be_in_force, column: a, parameters: {granted: ['y'], at: b}",
            "needs parameter given",
        ),
        (
            "expect: column_consent_to_be_in_force, column: a, parameters: {granted: ['y'], given: b, withdrawn: b}",
            "compared with itself",
        ),
        (
            "expect: column_rates_to_be_even_across, column: a, parameters: {by: b, min_ratio: 0.8}",
            "min_rows` is missing",
        ),
        (
            "expect: column_rates_to_be_even_across, column: a, parameters: {by: b, min_ratio: 0.8, min_rows: 4}",
            "`min_rows` must be a whole number of at least 5: a smaller group shows its members",
        ),
        ("expect: column_examples_to_be_whole, column: truncated, parameters: {limit: 1}", "unknown parameter"),
        ("expect: column_token_counts_to_be_between, column: a, parameters: {limit: 9}", "must be text"),
    ],
)
def test_a_check_that_could_not_run_as_written_is_refused(change, reason):
    """Each would otherwise pass everything, or nothing."""
    content = (
        f"suite: a\nversion: 1\nowner: o\nmax_quarantine: 0\nchecks:\n  - {{id: A, why: w, on_fail: stop, {change}}}\n"
    )
    with pytest.raises(ExpectationError, match=reason) as caught:
        load(content.encode(), "a.yml")
    assert str(caught.value).startswith("a.yml:6: A: ")


def test_two_checks_of_one_id_are_refused_wherever_they_stand():
    """On one line, as on two: answers are filed by id, and one would be read as the other's."""
    for gap in (", ", ",\n    "):
        content = f"suite: a\nversion: 1\nowner: o\nmax_quarantine: 0\nchecks: [{CHECK}{gap}{CHECK}]\n"
        with pytest.raises(ExpectationError, match="A: `id` is taken by the check at line 5"):
            load(content.encode(), "a.yml")


@pytest.mark.parametrize("key", ["max_quarantine", "allow", "max_value"])
def test_a_share_of_1_is_written_so_that_nobody_can_misread_it(key):
    """Whether somebody meant one in a hundred cannot be told; with a sign or a point it can."""
    content = f"""\
suite: a
version: 1
owner: o
max_quarantine: MAX_QUARANTINE
checks:
  - {{id: A, expect: column_values_to_not_be_null, column: a, why: w, on_fail: stop, allow: ALLOW}}
  - {{id: B, expect: {SHARES}, column: a, why: w, on_fail: stop, parameters: {{max_value: MAX_VALUE}}}}
"""

    def loaded(share: str) -> None:
        filled = content.replace(key.upper(), share)
        load(re.sub(r"MAX_QUARANTINE|ALLOW|MAX_VALUE", "0%", filled).encode(), "a.yml")

    with pytest.raises(ExpectationError, match=f"`{key}` is 1, .* write 1% or 100%"):
        loaded("1")
    for share in ("0", "1%", "100%", "1.0"):
        loaded(share)


def test_a_check_that_names_no_row_cannot_set_one_aside():
    """Nor can any at a doorway where rows are counted."""
    for name, expect, reason in (
        ("raw", SHARES, "names no row"),
        ("predictions", "column_values_to_be_unique", "counted"),
    ):
        parameters = ", parameters: {min_count: 5}" if expect == SHARES else ""
        check = f"{{id: A, expect: {expect}, column: label{parameters}, why: w, on_fail: quarantine}}"
        content = f"suite: {name}\nversion: 1\nowner: o\nmax_quarantine: 0\nchecks: [{check}]\n"
        with pytest.raises(ExpectationError, match=f"must be stop or warn.*{reason}"):
            load(content.encode(), "a.yml")


def test_a_suite_says_which_columns_it_reads():
    """Also those beside, those of a condition, and the key."""
    content = """\
suite: a
version: 1
owner: o
max_quarantine: 0
checks:
  - {id: A, expect: column_learned_tokens_to_exclude_prompt, column: labels, why: w, on_fail: stop,
     where: {column: side, is: train}}
  - {id: B, expect: column_rates_to_be_even_across, column: label, why: w, on_fail: stop,
     parameters: {by: region, min_ratio: 80%, min_rows: 5}}
"""
    assert load(content.encode(), "a").columns == ("id", "label", "labels", "prompt_tokens", "region", "side")


def test_what_is_asked_is_told_in_words_with_numbers_only():
    """A pattern or a list of values may itself name somebody."""
    assert asks(SHARES, {"min_value": 0.02, "max_value": 0.3, "min_count": 20, "value_set": ("Anna",)}) == (
        "every class must have its share: 2 % to 30 % of the rows, at least 20 rows, all listed"
    )
    assert asks("column_token_counts_to_be_between", {"min_value": 2, "limit": "w"}) == (
        "must have as many tokens as fit: at least 2, no more than the model takes"
    )
    assert asks(TIMES, {"max_value": "2027-01-01T00:00:00Z"}) == "must be a time, at most 2027-01-01T00:00:00Z"
    for expect, entry in CATALOGUE.items():
        words = asks(expect, dict.fromkeys(entry.parameters, "Anna"))
        assert "Anna" not in words, expect


@pytest.mark.parametrize("name", DOORWAYS)
def test_the_suites_of_the_house_load(name):
    """Each names its owner and tells why for every check."""
    suite = load((ROOM / f"{name}.yml").read_bytes(), f"{name}.yml")

    assert suite.name == name
    assert all(check.why for check in suite.checks)
