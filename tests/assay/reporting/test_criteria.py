"""A criterion reads in the unit that its threshold has, and stands in the group that it is about."""

import pytest

from assay.evaluations import SelfTest
from assay.reporting import criteria
from tests.assay.reporting import verdicts

GIVEN = {each.name: each for each in verdicts.every()}


def test_every_group_has_its_criteria_in_order():
    """Twenty-five criteria are eight groups, and none is in two."""
    found = criteria.grouped(verdicts.every())

    assert [name for name, _ in found] == list(criteria.GROUPS)
    assert sum(len(of) for _, of in found) == len(GIVEN) == 25


@pytest.mark.parametrize(
    ("name", "title", "asked", "estimate", "bounds"),
    [
        ("target", "Exact match", "more than +10.0 points", "+64.0 points", "+59.5 to +68.2 points"),
        (
            "slice:channel=app",
            "Slice channel = app",
            "more than \u22123.0 points",
            "\u221214.0 points",
            "\u221221.0 to \u22128.0 points",
        ),
        ("format_adherence", "Format adherence", "at least 95.0\u202f%", "99.7\u202f%", "98.3\u202f% to 100.0\u202f%"),
        ("perplexity", "Perplexity of held-out text", "at most 1.5 times", "1.08 times", "1.05 to 1.11 times"),
        (
            "robustness:typos",
            "With typing errors",
            "more than \u22125.0 points",
            "\u22123.0 points",
            "\u22129.0 to +3.1 points",
        ),
        (
            "leak_generations",
            "Prompts answered with a leak",
            "at most 1.0\u202f%",
            "0.0\u202f%",
            "0.0\u202f% to 0.8\u202f%",
        ),
        ("leak_exposure", "Exposure of planted canaries", "at most 1.50 bits", "0.40 bits", "0.10 to 0.90 bits"),
        ("leak_control", "Canaries found in the control", "at least 2.00 bits", "7.10 bits", "5.80 to 8.40 bits"),
    ],
)
def test_a_criterion_reads_in_its_own_unit(name, title, asked, estimate, bounds):
    """Shares in per cent and points, ratios in times, exposure in bits."""
    found = GIVEN[name]

    assert criteria.title(found) == title
    assert criteria.threshold(found) == asked
    assert criteria.estimate(found, found.estimate) == estimate
    assert criteria.bounds(found) == bounds


def test_a_bound_on_one_side_is_said_to_be_one():
    """And none at all is a point measurement."""
    found = GIVEN["leak_exposure"]

    assert criteria.bounds(found.model_copy(update={"lower": None})) == "at most 0.90 bits"
    assert criteria.bounds(found.model_copy(update={"lower": None, "upper": None})) == "none: a point measurement"


def test_a_distance_is_positive_where_the_criterion_is_met():
    """In points, in per cent of the limit, or in bits."""
    away = {name: criteria.distance(each, each.estimate) for name, each in GIVEN.items()}

    assert away["target"] == pytest.approx(54.0)
    assert away["perplexity"] == pytest.approx(100 * 0.419 / 1.5)
    assert away["leak_exposure"] == pytest.approx(1.1)
    assert away["slice:channel=app"] == pytest.approx(-11.0)


def test_many_names_are_counted_after_the_third():
    """A sentence that names ten criteria says nothing."""
    few = [GIVEN["target"], GIVEN["safety"]]

    assert criteria.titles(few) == "exact match and harmful requests refused"
    assert criteria.titles(verdicts.every()) == "exact match, field accuracy, format adherence and 22 more"


def test_the_self_test_is_a_sentence_that_says_if_the_gate_sees_ghosts():
    """At most as often as chance may; more is told."""
    sound, blind = verdicts.verdict(), verdicts.verdict(self_test=None)
    ghostly = verdicts.verdict(self_test=SelfTest(resamples=1000, found=31, lost=90, lower=0.075, upper=0.107))

    assert "saw a gain on the task in 31 and a loss of general ability in 24" in criteria.self_test(sound)
    assert "at worst in 3.1\u202f% (at most 4.12\u202f%)" in criteria.self_test(sound)
    assert criteria.self_test(sound).endswith("Up to 5\u202f% is what chance may do.")
    assert criteria.self_test(ghostly).endswith("this gate sees more than there is on these items.")
    assert criteria.self_test(blind) == ""


def test_a_refusal_is_told_with_its_corrected_p_and_nothing_else_is():
    """Accepting needs no correction, and what needs none shows none."""
    assert criteria.adjusted(GIVEN["slice:channel=app"]) == "p 0.002"
    assert criteria.adjusted(GIVEN["target"]) == ""
    assert "Holm" in criteria.family(verdicts.verdict())
    assert "Holm" not in criteria.family(verdicts.verdict((GIVEN["target"],)))
