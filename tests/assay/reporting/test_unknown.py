"""What is not known is what nobody asked in this run, and what its items leave open."""

import pytest

from assay.reporting import unknown
from assay.reporting.report import page
from tests.assay.reporting import verdicts
from tests.assay.reporting.test_report import content

BARE = tuple(each for each in verdicts.every() if each.name in {"target", "general_ability"})


def test_what_is_not_known_is_said_with_what_this_run_leaves_open():
    """The standing list, a slice too small to read, and a criterion that the items cannot decide."""
    given = content("inconclusive")
    written = page(given)

    for standing in unknown.open_always(given):
        assert standing.partition(":")[0] in written
    assert "fewer than 30 items for channel = values of fewer than 5 subjects" in written
    assert "Check RAW-2 of suite raw could not run:" in written
    assert "General ability:</strong> these 800 items cannot tell" in written


def test_a_criterion_that_was_never_measured_says_why_and_not_that_more_would_not_help():
    """Its reason says what to do."""
    why = "Cannot tell: found 12 test records at most of one value, expected 30 (gate.min_slice)."
    left = verdicts.every()[0].model_copy(update={"decision": "inconclusive", "n": 0, "needed": None, "reason": why})
    told = list(unknown.found(verdicts.content((left,))))

    assert any(said.endswith(f": {why}") for said in told)
    assert not any("would not either" in said for said in told)


@pytest.mark.parametrize(
    ("name", "unasked"),
    [
        ("safety", unknown.SAFETY),
        ("leak_generations", unknown.LEAKS),
        ("robustness", unknown.ROBUSTNESS),
        ("robustness:typos", unknown.ROBUSTNESS),
        ("robustness:paraphrase", unknown.PARAPHRASES),
        ("latency", unknown.LATENCY_POINT),
    ],
)
def test_a_sentence_goes_when_its_question_was_asked(name, unasked):
    """Whoever probed safety must not read that nobody did; whoever did not, must."""
    judged = next(each for each in verdicts.every() if each.name.startswith(name)).model_copy(update={"name": name})

    assert unasked in unknown.open_always(verdicts.content(BARE))
    assert unasked not in unknown.open_always(verdicts.content((*BARE, judged)))


def test_a_robustness_that_is_asked_and_not_judged_is_asked_all_the_same():
    """The recipe says which forms were tried, and the page which were not."""
    asked = {"evaluation": {"robustness": {"variants": ["typos", "case"], "records": 80}}}
    told = unknown.open_always(verdicts.content(BARE, recipe=verdicts.RECIPE | asked))

    assert unknown.ROBUSTNESS not in told
    assert any("typing errors, case were tried" in said for said in told)


def test_other_ways_are_left_to_another_command():
    """A run tries one way; whoever wants to know of others is told how."""
    assert any("assay decide" in said for said in unknown.open_always(verdicts.content()))


def test_a_comparison_of_versions_sends_the_reader_to_their_own_reports():
    """It says nothing of seeds or labels: nothing was trained for it."""
    told = unknown.open_always(verdicts.versions())

    assert unknown.ORIGIN in told
    assert not {unknown.SEEDS, unknown.LABELS} & set(told)
    assert not any("Redaction" in said for said in unknown.found(verdicts.versions()))
