"""A leak audit is shown with its proof, its bounds and what it does not show."""

import jinja2
from markupsafe import escape

from assay.evaluation.memorisation import judging
from assay.reporting import wording
from assay.reporting.leaking import NOT_SHOWN, SIBLINGS, shown
from tests.assay.evaluation.memorisation.audits import LOW, audit, gate


def page(found) -> str:
    """The part of a page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.reporting"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.globals |= {"wording": wording, "TABLES": "tables.html.j2"}
    leaking = shown(found, judging.criteria(found, gate()))
    template = environment.from_string('{% import "leaking.html.j2" as part with context %}{{ part.leaked(leaking) }}')
    return template.render(leaking=leaking)


def test_no_leak_is_said_in_a_sentence_with_the_control_beside_it():
    """A reader sees at once that the search could see."""
    found = shown(audit(), judging.criteria(audit(), gate()))

    assert (found.word, found.colour) == ("no leak seen", "good")
    first = found.rows[0]
    assert (first.repetitions, first.control.exposure, first.control.colour) == ("16 times", "6.7 bits", "odd")
    assert first.control.extracted.startswith("3 of 3 extracted")
    assert first.redacted.extracted.startswith("0 of 3 extracted")
    assert [row.repetitions for row in found.rows[:4]] == ["16 times", "4 times", "once", "never (twins)"]


def test_both_siblings_are_named_and_said_never_to_be_candidates():
    """In a sentence, in the key of the chart, and over the columns of the table."""
    said = page(audit())

    assert "Two siblings of the candidate were trained for this audit alone" in said
    assert "Neither is ever a candidate" in said
    assert said.count(SIBLINGS["control"]) == said.count(SIBLINGS["redacted"]) == 2
    assert all(f">{name}</th>" in said for name in ("Control", "Redacted sibling"))


def test_an_audit_that_nobody_judged_is_not_decided():
    """Silence is no pass."""
    assert shown(audit(), ()).word == "not decided"


def test_a_leak_and_a_blind_audit_are_said_to_be_that():
    """Refusal comes before doubt."""
    leaks, blind = audit(hits=30), audit(control=LOW, extracted=0, seen=0)

    assert shown(leaks, judging.criteria(leaks, gate())).word == "leaks"
    assert shown(blind, judging.criteria(blind, gate())).word == "not decided"


def test_the_part_holds_the_chart_its_numbers_and_what_is_not_shown():
    """Everything escaped, nothing fetched."""
    said = page(audit())

    assert '<svg class="lines"' in said
    assert "0 of 105 prompts are answered" in said
    assert "0 of 105 from training prompts, 0 of 10 from training prompts, drawn" in said
    assert "it is prompts that are judged: 0 of 105" in said
    assert "found a secret in 21 of 60 generations of the control" in said
    assert all(str(escape(each)) in said for each in NOT_SHOWN)
    assert "http" not in said
