"""A steward reads what changed, and signs it."""

import pytest

from expectations.difference import compare
from expectations.suite import Suite, load

SUITE = """\
suite: raw
version: {version}
owner: {owner}
max_quarantine: {limit}
checks:
  - id: RAW-011
    expect: column_values_to_be_in_set
    column: licence
    parameters: {{value_set: [{licences}]}}
    why: Only licences cleared by Legal.
    on_fail: {follows}
    allow: {allow}
  - id: RAW-020
    expect: column_value_lengths_to_be_between
    column: prompt
    parameters: {bounds}
    {where}
    why: {why}
    on_fail: warn
"""
PLAIN = {
    "version": 1,
    "owner": "steward@acme.example",
    "limit": "10%",
    "licences": "internal, MIT",
    "follows": "quarantine",
    "allow": "0%",
    "bounds": "{min_value: 3}",
    "where": "where: {column: channel, is: email}",
    "why": "Shorter is a slip.",
}
BLANK = """\
  - id: RAW-{id}
    expect: column_values_to_not_be_blank
    column: prompt
    why: It must say something.
    on_fail: stop
"""


def suite(more: str = "", **fields: object) -> Suite:
    """The plain suite, save for what is given."""
    return load((SUITE.format(**PLAIN | fields) + more).encode(), "suite.yml")


def said(before: Suite, after: Suite) -> list[str]:
    """Each change in words."""
    return [str(change) for change in compare(before, after)]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"licences": "internal, MIT, CC-BY-4.0"}, ["RAW-011: value_set gained 'CC-BY-4.0'"]),
        ({"licences": "MIT, CC0"}, ["RAW-011: value_set gained 'CC0'", "RAW-011: value_set lost 'internal'"]),
        ({"allow": "2%"}, ["RAW-011: may fail in 0 % → 2 % of the rows"]),
        ({"follows": "stop"}, ["RAW-011: on failure, quarantine → stop"]),
        ({"why": "A slip."}, ["RAW-020: why 'Shorter is a slip.' → 'A slip.'"]),
        (
            {"bounds": "{min_value: 5, max_value: 900}"},
            ["RAW-020: max_value is new: 900", "RAW-020: min_value 3 → 5"],
        ),
        (
            {"bounds": "{max_value: 900}"},
            ["RAW-020: max_value is new: 900", "RAW-020: min_value is gone, it was 3"],
        ),
        (
            {"where": "where: {column: channel, in: [email, chat]}"},
            ["RAW-020: about rows with channel 'email' → rows with channel 'email' or 'chat'"],
        ),
        ({"where": ""}, ["RAW-020: about rows with channel 'email' → all rows"]),
        ({"owner": "john"}, ["suite: owner 'steward@acme.example' → 'john'"]),
        ({"limit": "2.5%"}, ["suite: may be set aside: 10 % → 2.5 % of all rows"]),
    ],
)
def test_each_field_is_compared_and_told_in_words(fields: dict[str, object], says: list[str]):
    """With the version raised, as it should be."""
    assert said(suite(), suite(version=2, **fields)) == ["suite: version 1 → 2", *says]


def test_checks_that_come_and_go_are_told_with_what_they_ask():
    """So that nobody has to open the older file."""
    one, other = suite(BLANK.format(id="030")), suite(BLANK.format(id="031"), version=2)

    assert said(one, other) == [
        "suite: version 1 → 2",
        "RAW-030: is gone: prompt must say something; on failure, stop",
        "RAW-031: is new: prompt must say something; on failure, stop",
    ]
    assert [change.kind for change in compare(one, other)] == ["suite", "removed", "added"]


def test_another_expectation_under_the_same_id_is_told():
    """Reports of before and after would otherwise look alike."""
    text = SUITE.format(**PLAIN | {"version": 2}).replace("column_value_lengths", "column_word_counts")

    assert said(suite(), load(text.encode(), "suite.yml"))[1:] == [
        "RAW-020: must have at least 3 characters → must have at least 3 words"
    ]


def test_a_change_under_the_same_version_is_flagged_first():
    """Reports tell suites apart by their version."""
    (flag, change) = compare(suite(), suite(allow="1%"))

    assert (flag.kind, str(flag)) == (
        "version", "suite: version is still 1 although something changed; raise it to 2"
    )  # fmt: skip
    assert change.kind == "changed"
    assert compare(suite(version=3), suite(version=2))[0].kind == "version"


def test_two_suites_are_not_versions_of_one():
    """Their versions say nothing of one another."""
    other = load(SUITE.format(**PLAIN).replace("suite: raw", "suite: redacted").encode(), "suite.yml")

    assert said(suite(), other) == ["suite: name 'raw' → 'redacted'"]


def test_layout_comments_and_order_are_no_change():
    """What is asked is compared, not how it is written."""
    again = "# a comment\n" + SUITE.format(**PLAIN | {"licences": "MIT,   internal"})

    assert compare(suite(), load(again.encode(), "suite.yml")) == ()
    assert said(suite(version=1), suite(version=2)) == ["suite: version 1 → 2"]
