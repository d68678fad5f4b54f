"""A waiver lets pass what it names, until it is over, and is seen in what comes out."""

import pytest

from expectations.gate import check
from expectations.outcome import from_json, to_json
from expectations.waivers import Standing, Waiver
from tests.expectations.conftest import frame, record, suite
from tests.expectations.test_customs import Twins

BLANK = {"expect": "column_values_to_not_be_blank", "column": "prompt"}
RESIDUAL = {"expect": "column_values_to_hold_no_personal_data", "column": "prompt"}
COUNT = {"expect": "table_row_count_to_be_between", "parameters": {"min_value": 50}}
TWINS = {
    "expect": "column_near_duplicates_to_be_at_most",
    "column": "prompt",
    "parameters": {"max_share": 0, "finder": "twins"},
}


def standing(*, check="C-0", in_force=True, **change):
    """A waiver of a check as a run finds it."""
    said = {"check": check, "reason": "Legal has seen it.", "who": "jane.doe", "until": "2026-12-31"} | change
    return Standing(waiver=Waiver.model_validate(said), in_force=in_force)


def run(records, asked, *waivers):
    """The gate's outcome over ``records``."""
    return check([frame(records)], suite(asked), {"twins": Twins}, waivers)


@pytest.fixture
def flawed(records):
    """Twenty tickets, of which two are blank."""
    return [record(i, prompt="") if i in {3, 4} else each for i, each in enumerate(records)]


@pytest.mark.parametrize("on_fail", ["stop", "warn", "quarantine"])
def test_a_waived_failure_lets_all_rows_go_on(flawed, on_fail):
    """Whatever would have followed, a warning does, with who answers for it."""
    outcome = run(flawed, BLANK | {"on_fail": on_fail}, standing())
    finding = outcome.findings[0]

    assert (outcome.decision, outcome.quarantined) == ("pass_with_warnings", {})
    assert outcome.reasons == ("C-0 failed, 2 rows waived by jane.doe until 2026-12-31",)
    assert (finding.status, finding.failed, finding.waived_ids) == ("waived", 2, ("t-0003", "t-0004"))
    assert finding.waiver == standing().waiver
    assert from_json(to_json(outcome)) == outcome


@pytest.mark.parametrize("waiver", [standing(in_force=False), standing(check="C-1"), standing(up_to=1)])
def test_a_waiver_that_is_over_or_of_another_check_or_exceeded_lets_nothing_pass(flawed, waiver):
    """Each as if there were none."""
    outcome = run(flawed, BLANK | {"on_fail": "stop"}, waiver)

    assert (outcome.decision, outcome.findings[0].waiver) == ("stop", None)


def test_waivers_of_the_suite_are_shown_even_when_they_are_over(flawed):
    """Those of other suites are not."""
    outcome = run(flawed, BLANK, standing(in_force=False), standing(check="X-9"))

    assert outcome.waivers == (standing(in_force=False),)


def test_rows_that_are_not_named_still_fail(flawed):
    """The one named goes on, the other is set aside, or stops the run."""
    aside = run(flawed, BLANK, standing(rows=["t-0003", "t-0009"]))
    stopped = run(flawed, BLANK | {"on_fail": "stop"}, standing(rows=["t-0003"]))

    assert (aside.decision, aside.quarantined) == ("quarantine", {"t-0004": ("C-0",)})
    assert (aside.findings[0].status, aside.findings[0].waived_ids) == ("failed", ("t-0003",))
    assert stopped.decision == "stop"
    assert stopped.reasons == (
        "C-0 failed: 1 of 20 rows",
        "C-0 failed, 1 row waived by jane.doe until 2026-12-31",
    )


def test_an_allowance_is_spent_on_what_is_not_waived(flawed):
    """One of twenty rows may fail, and one is waived."""
    outcome = run(flawed, BLANK | {"on_fail": "stop", "allow": "5%"}, standing(rows=["t-0003"]))

    assert (outcome.decision, outcome.findings[0].status) == ("pass_with_warnings", "waived")


def test_rows_waived_within_an_allowance_go_on_too(flawed):
    """The check held without the waiver; the rows would have been set aside."""
    outcome = run(flawed, BLANK | {"allow": "10%"}, standing(rows=["t-0003"]))

    assert (outcome.findings[0].status, outcome.quarantined) == ("passed", {"t-0004": ("C-0",)})
    assert outcome.reasons[1] == "C-0 held, 1 row waived by jane.doe until 2026-12-31"


def test_personal_data_are_waived_row_by_row_only(records):
    """Nobody can answer for rows that nobody has named."""
    records[3] = record(3, prompt="write to anna@example.com")

    assert run(records, RESIDUAL, standing()).quarantined == {"t-0003": ("C-0",)}
    assert run(records, RESIDUAL, standing(rows=["t-0003"])).quarantined == {}


def test_a_check_that_could_not_run_is_not_waived(records):
    """Nobody knows what would be let pass."""
    outcome = run(records, BLANK | {"column": "absent"}, standing())

    assert (outcome.decision, outcome.findings[0].waiver) == ("stop", None)


def test_a_check_that_names_no_row_is_waived_as_a_whole(records):
    """A waiver that names rows has nothing to say of it."""
    whole = run(records, COUNT | {"on_fail": "stop"}, standing())

    assert (whole.decision, whole.findings[0].status) == ("pass_with_warnings", "waived")
    assert whole.reasons == ("C-0 failed, waived by jane.doe until 2026-12-31",)
    assert run(records, COUNT | {"on_fail": "stop"}, standing(rows=["t-0003"])).decision == "stop"


def test_near_duplicates_are_waived_by_row(records):
    """What is left is held against the share."""
    few = [record(i, prompt=text) for i, text in enumerate(["a", "A", "b", "B"])]

    assert run(few, TWINS | {"on_fail": "stop"}, standing(rows=["t-0001"])).decision == "stop"
    assert run(few, TWINS | {"on_fail": "stop"}, standing(rows=["t-0001", "t-0003"])).decision == "pass_with_warnings"


def test_of_two_waivers_the_one_that_covers_more_applies(flawed):
    """One waiver, one person who answers for it."""
    outcome = run(flawed, BLANK, standing(rows=["t-0003"], who="john"), standing(rows=["t-0003", "t-0004"], who="jane"))

    assert outcome.findings[0].waiver.who == "jane"


def test_a_check_that_passes_needs_no_waiver(records):
    """It is shown, and does nothing."""
    outcome = run(records, BLANK | {"on_fail": "stop"}, standing())

    assert (outcome.decision, outcome.findings[0].status, len(outcome.waivers)) == ("pass", "passed", 1)
