"""A pull request and a machine are told what the page tells, and no record's text."""

import json
import math

import pytest

from assay.reporting import machine, markdown
from assay.reporting.content import Change
from tests.assay.reporting import verdicts
from tests.assay.reporting.test_hard import HARD
from tests.assay.reporting.test_report import MARKUP, poisoned


def many() -> tuple:
    """Forty criteria, more than a summary has lines for."""
    return (
        *verdicts.every(),
        *(verdicts.criterion(f"slice:day={i}", "non_inferiority", "exact_match") for i in range(40)),
    )


def test_markdown_says_the_verdict_first_and_every_criterion():
    """In a sentence, then in a table: what was not met comes first."""
    lines = markdown.summary(verdicts.content()).splitlines()
    rows = [line for line in lines if line.startswith("| ") and "Criterion" not in line]

    assert lines[0] == "### ✕ Refused: a candidate of support-triage"
    assert lines[2] == "Falls short on slice channel = app: 1 of 25 criteria."
    assert len(rows) == 25
    assert rows[0].startswith("| ✕ refused, p 0.002 corrected | Slice channel = app |")
    assert [row.split(" ")[1] for row in rows[:5]] == ["✕", "?", "?", "?", "✓"]


@pytest.mark.parametrize("given", [verdicts.content(), verdicts.content(many()), verdicts.versions()])
def test_markdown_is_short(given):
    """Nobody scrolls through a pull request."""
    written = markdown.summary(given)

    assert len(written.splitlines()) < markdown.LINES


def test_what_is_cut_is_counted():
    """And is never what was not met."""
    written = markdown.summary(verdicts.content(many()))

    assert f"| | and {65 - markdown.SHOWN_CRITERIA} more, met | | | | | | |" in written
    assert written.count("| ? inconclusive |") == 3


def test_slices_that_may_have_lost_are_named():
    """The largest loss first; where none is, that is said."""
    lost = Change(name="fax", before=0.6, after=0.5, lower=-0.2, upper=0.01, n=80)
    written = markdown.summary(verdicts.content(slices={"channel": (verdicts.sliced("email", 60), lost)}))

    assert "**Slices that may have lost** (1 of 2" in written
    assert "- channel = fax: \u221210.0 points (\u221220.0 to +1.0) on 80 items" in written
    assert "none of 6 has lost" in markdown.summary(verdicts.content())


def test_markup_in_any_text_is_no_markup_in_a_pull_request():
    """Whoever names a recipe makes no table, no link, no mention and no picture."""
    hostile = "a|b <img src=x> [x](http://y.example) @somebody #1 `c`\n# heading"
    given = verdicts.content(recipe=verdicts.RECIPE | {"name": hostile})
    first, *_ = markdown.summary(given).splitlines()

    assert "<img" not in first
    assert "@" not in first
    assert "://" not in first
    assert "\\|" in first
    assert "\\[x\\]" in first
    assert "\\`c\\`" in first
    assert "<img" not in markdown.summary(type(given).model_validate(poisoned(given.model_dump(mode="json"))))


def test_json_names_its_form_and_keeps_every_number():
    """What a pipeline reads is not rounded."""
    told = json.loads(machine.summary(verdicts.content(hard=HARD)))

    assert told["schema"] == "assay-report/1"
    assert told["decision"] == "refused"
    assert len(told["criteria"]) == 25
    assert told["criteria"][0]["lower"] == 0.595
    assert (told["self_test"]["resamples"], told["self_test"]["upper"]) == (1000, 0.0412)
    assert (told["wins"], told["losses"]) == (206, 1)
    assert told["hard"] == {"examples": 75, "never_learned": 14, "learned_last": 1, "unjudged": 3}
    assert told["leaks"] is None
    assert told["cost_per_1000"]["after"] == pytest.approx(0.00536, abs=1e-5)


def test_neither_holds_a_records_text():
    """Prompts and answers are on the page only, where redaction has passed them and a person reads them."""
    given = verdicts.content()
    written = markdown.summary(given) + machine.summary(given).decode()

    assert "Hello, [PERSON" not in written
    assert "Sorry to hear" not in written


def test_json_has_no_nan_and_equal_content_gives_equal_bytes():
    """Strict readers refuse NaN; a digest of the file should mean something."""
    odd = verdicts.content(metrics=(Change(name="x", before=math.nan, after=1.0),))

    assert json.loads(machine.summary(odd))["metrics"][0]["before"] is None
    assert machine.summary(verdicts.content()) == machine.summary(verdicts.content())


def test_a_comparison_of_versions_says_which():
    """Both by name."""
    assert json.loads(machine.summary(verdicts.versions()))["of"] == {
        "kind": "versions",
        "before": "support-triage 2",
        "after": "support-triage 3",
    }
    assert "support-triage 3 beside support-triage 2" in markdown.summary(verdicts.versions())
    assert MARKUP not in markdown.summary(verdicts.versions())
