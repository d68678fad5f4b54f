"""The gate finds what was planted, names it by id, and fails closed."""

import itertools
import json
import weakref
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from assay.errors import ExpectationError
from expectations import gate
from expectations import outcome as notes
from expectations import suite as suites
from expectations.gate import check
from expectations.outcome import from_json, to_json
from expectations.suite import load
from tests.expectations.conftest import ENGLISH, RESOURCES, frame, record, suite
from tests.expectations.test_customs import Twins

BLANK = {"expect": "column_values_to_not_be_blank", "column": "prompt"}
SCHEMA = {
    "expect": "column_values_to_satisfy_json_schema",
    "column": "completion",
    "parameters": {"schema": "output"},
}
LICENCE = {"expect": "column_values_to_be_in_set", "column": "licence", "parameters": {"value_set": ["cleared"]}}
RESIDUAL = {"expect": "column_values_to_hold_no_personal_data", "column": "prompt"}
GERMAN = (
    "Guten Tag, mein Drucker ist seit heute morgen kaputt, bitte kommen Sie doch bald einmal vorbei und sehen ihn an"
)


def found(outcome, id="C-0"):
    """The finding of one check."""
    return next(finding for finding in outcome.findings if finding.id == id)


def test_planted_flaws_are_found_by_id(records):
    """One flaw of each kind, each by the check that is for it."""
    records[1] = record(1, prompt=" \u200b")
    records[2] = record(2, completion="{broken")
    records[3] = record(3, licence="unknown")
    records[4] = record(4, prompt="write to anna@example.com")
    records[5] = record(5, prompt=GERMAN)
    records[6] = record(6, completion='{"label": NaN}')
    asked = suite(
        BLANK,
        SCHEMA,
        LICENCE,
        RESIDUAL,
        {
            "expect": "column_values_to_be_in_language",
            "column": "prompt",
            "parameters": {"languages": ["en"], "min_words": 12},
        },
        {"expect": "column_word_counts_to_be_between", "column": "prompt", "parameters": {"min_value": 1}},
    )

    outcome = check([frame(records)], asked, RESOURCES)

    assert outcome.quarantined == {
        "t-0001": ("C-0", "C-5"),
        "t-0002": ("C-1",),
        "t-0006": ("C-1",),
        "t-0003": ("C-2",),
        "t-0004": ("C-3",),
        "t-0005": ("C-4",),
    }
    assert (outcome.decision, outcome.rows, found(outcome).evaluated) == ("quarantine", 20, 20)


def test_a_shard_at_a_time_equals_all_at_once(records):
    """Where shards end decides nothing, not even when one lacks a column."""
    records[3] = record(3, prompt="")
    records[12] = record(12, region="north")
    records += [record(20, id="twin", prompt="twice"), record(21, id="other", prompt="twice")]
    region = {"expect": "column_values_to_be_in_set", "column": "region", "parameters": {"value_set": ["north"]}}
    asked = suite(
        BLANK,
        region,
        {
            "expect": "column_values_to_be_unique",
            "column": "prompt",
            "where": {"column": "id", "in": ["twin", "other"]},
        },
        {
            "expect": "table_row_count_to_be_between",
            "parameters": {"min_value": 22, "max_value": 22},
            "on_fail": "stop",
        },
    )

    whole = check([frame(records)], asked, {})
    shards = check((frame(records[i : i + 5]) for i in range(0, 22, 5)), asked, {})

    assert shards == whole
    assert found(whole, "C-2").ids == ("twin", "other")
    assert found(whole, "C-1").failed == 21
    assert found(whole, "C-3").passed


def test_a_missing_value_satisfies_nothing(records):
    """Great Expectations skips what is missing; a steward who lists licences means that there is one."""
    bare = record(0)
    bare.attributes.pop("licence")
    records[0] = bare

    outcome = check([frame(records)], suite(LICENCE), {})

    assert found(outcome).ids == ("t-0000",)


def test_the_same_question_asked_twice_is_answered_twice(records):
    """Two checks that differ in what follows are two checks."""
    records[3] = record(3, licence="unknown")

    outcome = check([frame(records)], suite(LICENCE, LICENCE | {"on_fail": "warn"}), {})

    assert [finding.ids for finding in outcome.findings] == [("t-0003",)] * 2


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        ({"on_fail": "stop"}, "stop"),
        ({"on_fail": "warn"}, "pass_with_warnings"),
        ({"on_fail": "quarantine"}, "quarantine"),
    ],
)
def test_what_follows_is_what_the_suite_says(records, change, decision):
    """Severity decides, and only severity."""
    records[3] = record(3, prompt="")

    outcome = check([frame(records)], suite(BLANK | change), {})

    assert outcome.decision == decision
    assert (not outcome.quarantined) == (decision != "quarantine")


def test_an_allowance_lets_a_check_pass_but_still_sets_rows_aside(records):
    """It judges the check, not the row."""
    records[3] = record(3, prompt="")

    outcome = check([frame(records)], suite(BLANK | {"allow": "5%"}), {})

    assert (found(outcome).status, outcome.decision) == ("passed", "quarantine")


def test_too_many_rows_set_aside_stop_the_run(records):
    """Above the limit the source is wrong, not dirty."""
    records[3] = record(3, prompt="")
    records[4] = record(4, prompt="")

    outcome = check([frame(records)], suite(BLANK, max_quarantine="9%"), {})

    assert outcome.decision == "stop"
    assert outcome.reasons == ("2 of 20 rows are set aside, over the limit of 9 % of all rows",)


def test_conditions_limit_what_is_looked_at(records):
    """Rows outside of ``where`` are neither counted nor failed."""
    records[3] = record(3, prompt="", channel="chat")
    records[4] = record(4, prompt="")

    outcome = check([frame(records)], suite(BLANK | {"where": {"column": "channel", "is": "chat"}}), {})

    assert (found(outcome).evaluated, found(outcome).ids) == (1, ("t-0003",))


def test_a_listed_value_that_no_row_has_stops_the_run(records):
    """A typing error in a condition would leave rows unlooked at; where each value stands decides nothing."""
    records[3] = record(3, prompt="", channel="chat")
    typo = BLANK | {"on_fail": "warn", "where": {"column": "channel", "in": ["email", "chatt"]}}
    right = BLANK | {"on_fail": "warn", "where": {"column": "channel", "in": ["email", "chat"]}}
    shards = [frame(records[:5]), frame(records[5:])]

    assert found(check(shards, suite(typo), {})).note == notes.NOT_THERE
    assert found(check(shards, suite(right), {})).ids == ("t-0003",)


def test_a_suite_built_by_hand_with_one_id_twice_is_refused(records):
    """One check would take the other's answer."""
    asked = suite(BLANK, LICENCE)
    twice = asked.model_copy(update={"checks": tuple(c.model_copy(update={"id": "A"}) for c in asked.checks)})

    with pytest.raises(ExpectationError, match="suite planted: found A more than once"):
        check([frame(records)], twice, {})


class Hostile:
    """A cell that says its secret as soon as anybody looks at it."""

    def __str__(self):
        """Break off and quote."""
        raise ValueError("ZQX-SECRET")

    __hash__ = __repr__ = __str__


@pytest.mark.parametrize(
    ("check_", "resources", "note"),
    [
        (BLANK | {"where": {"column": "channel", "is": "fax"}}, {}, notes.NO_ROW),
        (BLANK | {"where": {"column": "absent", "is": "fax"}}, {}, notes.NO_COLUMN),
        (LICENCE | {"column": "absent"}, {}, notes.NO_COLUMN),
        (SCHEMA, {}, notes.NO_RESOURCE),
        (SCHEMA, {"output": {"type": "nonsense"}}, notes.RAISED),
        (
            {"expect": "column_values_to_be_unique", "column": "id", "where": {"column": "channel", "is": "fax"}},
            {},
            notes.NO_ROW,
        ),
    ],
)
def test_a_check_that_could_not_run_stops_even_if_it_only_warns(records, check_, resources, note):
    """Not looked at is not passed."""
    outcome = check([frame(records)], suite(check_ | {"on_fail": "warn"}), resources)

    assert (outcome.decision, found(outcome).status, found(outcome).note) == ("stop", "could not run", note)


def test_a_cell_that_breaks_the_engine_stops_the_run_without_a_word(records):
    """An exception's text is the easiest leak of all. Checks that can tell such a cell say so."""
    shard = frame(records)
    shard.loc[3, "prompt"] = Hostile()
    pattern = {"expect": "column_values_to_match_regex", "column": "prompt", "parameters": {"regex": "^Hello"}}

    outcome = check([shard], suite(BLANK, LICENCE, pattern), {})

    assert outcome.decision == "stop"
    assert [finding.status for finding in outcome.findings] == ["failed", "passed", "could not run"]
    assert "ZQX" not in to_json(outcome).decode()


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [frame([])],
        [frame([record(1)]).drop(columns="id")],
        [frame([record(1, id=" ")]).assign(id=None)],
        [frame([record(1), record(1)])],
        [frame([record(1)]), frame([record(1)])],
        [pd.concat([frame([record(1)]), frame([record(1)])[["prompt"]]], axis=1)],
    ],
    ids=["no shard", "no row", "no key", "null key", "same key", "same key in two shards", "column twice"],
)
def test_rows_that_cannot_be_counted_or_named_stop_the_run(frames):
    """A decision by row id needs rows and ids."""
    assert check(frames, suite(BLANK | {"on_fail": "warn"}), {}).decision == "stop"


def test_a_known_value_is_looked_for_in_its_own_row_only(records):
    """A row of which nothing is said fails: nobody looked."""
    records[3] = record(3, prompt="this is Anna Berg speaking")
    known = {r.id: ("Anna Berg",) if r.id in {"t-0003", "t-0004"} else () for r in records}
    known.pop("t-0007")
    asked = suite(
        {"expect": "column_values_to_hold_no_known_value", "column": "prompt", "parameters": {"known": "known"}}
    )

    outcome = check([frame(records[:5], raw=known), frame(records[5:], raw=known)], asked, {})

    assert found(outcome).ids == ("t-0003", "t-0007")
    assert found(check([frame(records)], asked, {})).note == notes.NO_COLUMN


def test_an_outcome_that_was_altered_is_refused_without_quoting_it():
    """What does not parse is not evidence."""
    with pytest.raises(ExpectationError) as caught:
        from_json(b'{"suite": ["ZQXPERSON"]}')
    assert "ZQX" not in str(caught.value)


def test_the_raw_suite_lets_clean_tickets_through():
    """The house's own suite, over what the demo recipe looks like."""
    asked = load((Path(suites.__file__).parent / "raw.yml").read_bytes(), "raw.yml")
    clean = {"licence": "internal-support-2026", "consent": "yes", "created": "2026-01-05T10:25:00Z"}
    rows = [record(i, prompt=f"{ENGLISH}, case {i}", **clean) for i in range(60)]

    assert check([frame(rows)], asked, {**RESOURCES, "near_duplicates": Twins}).decision == "pass"


EVERYTHING = suite(
    BLANK,
    {"expect": "column_values_to_be_unique", "column": "prompt", "on_fail": "warn"},
    {"expect": "column_values_to_be_in_set", "column": "region", "parameters": {"value_set": ["north"]}},
    BLANK | {"where": {"column": "region", "is": "north"}},
    {"expect": "table_row_count_to_be_between", "parameters": {"min_value": 31}, "on_fail": "warn"},
    {
        "expect": "column_label_shares_to_be_between",
        "column": "label",
        "parameters": {"max_value": 0.5},
        "on_fail": "warn",
    },
    {
        "expect": "column_rates_to_be_even_across",
        "column": "label",
        "parameters": {"passes": ["billing"], "by": "channel", "min_ratio": 0.9, "min_rows": 5},
        "on_fail": "warn",
    },
    {
        "expect": "column_near_duplicates_to_be_at_most",
        "column": "prompt",
        "parameters": {"max_share": 0.1, "finder": "twins"},
        "on_fail": "warn",
    },
)


def mixed():
    """Thirty tickets, flawed here and there."""
    made = []
    for i in range(30):
        region = {"region": "north" if i % 4 else "south"} if i % 3 == 0 else {}
        prompt = "" if i % 11 == 5 else f"case {i // 2}"
        label = json.dumps({"label": "billing" if i % 5 < 3 else "hardware"})
        made.append(record(i, prompt=prompt, completion=label, channel="web" if i % 2 else "email", **region))
    return made


@pytest.fixture(scope="module")
def whole():
    """What is found in one shard and one batch; all but one of the checks fail."""
    outcome = check([frame(mixed())], EVERYTHING, {"twins": Twins})
    assert [finding.status for finding in outcome.findings].count("failed") == 7
    return outcome


@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(cuts=st.lists(st.integers(0, 30), max_size=8), batch=st.sampled_from([7, 30, 20_000]))
def test_where_shards_and_batches_end_decides_nothing(whole, cuts, batch):
    """Not even if a shard is empty, lacks a column, or is larger than a batch."""
    rows, ends = mixed(), sorted({0, *cuts, 30})
    shards = [frame(rows[start:end]) for start, end in itertools.pairwise([0, *ends])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "BATCH", batch)
        assert check(shards, EVERYTHING, {"twins": Twins}) == whole


def test_memory_is_bounded_by_the_batch(monkeypatch):
    """Frames that were judged are let go: no more than a batch and what waits for the next are alive."""
    monkeypatch.setattr(gate, "BATCH", 10)
    alive: list[weakref.ref] = []
    most = 0

    def shards():
        nonlocal most
        for start in range(0, 60, 5):
            shard = frame([record(i) for i in range(start, start + 5)])
            alive.append(weakref.ref(shard))
            most = max(most, sum(ref() is not None for ref in alive))
            yield shard
            del shard

    check(shards(), suite(BLANK), {})

    assert most <= 4
