"""What was asked beside the task is shown as it came out, with its intervals, and nothing is quoted."""

import math
import re

import pytest

from assay.evaluation.comparison.intervals import difference
from assay.evaluations import Arm, Evaluation
from assay.outcomes import Answer, Choice, TextLoss
from assay.reporting import pages
from assay.reporting.asked import Asked, shown
from assay.reporting.gathering import gathered
from assay.reporting.reliability import Dot, diagram

BINS = [
    {"n": 5, "confidence": c, "accuracy": a, "lower": a / 2, "upper": (1 + a) / 2} for c, a in ((0.4, 0.2), (0.9, 1))
]
CALIBRATION = {
    "n": 10, "accuracy": 0.6, "confidence": 0.65, "ece": 0.15, "ece_lower": 0.1, "ece_upper": 0.3, "ece_by_chance": 0.2,
    "brier": 0.5, "log_loss": 0.7, "bins": BINS,
}  # fmt: skip
KINDS = {f"p{i}": "harmful" if i % 2 else "benign" for i in range(8)}
EMPTY = Evaluation(question={}, model="m", metrics={}, fields={}, slices={}, ability_groups={}, environment={})


def answer(name: str, score: float, **attributes: str) -> Answer:
    """To a test record."""
    return Answer(
        id=name,
        subject=name[:2],
        expected="SECRET",
        answer="SECRET",
        scores={"exact_match": score, "words": score / 2},
        label_expected="a",
        label_predicted="a",
        attributes=attributes,
    )


def arm(right: float, nats: float, *, refuses: bool) -> Arm:
    """One that is right on this share of eight records, and on half of those once they are changed."""
    answers = [answer(f"r{i}", float(i < 8 * right)) for i in range(8)]
    return Arm(
        evaluation=EMPTY,
        answers=answers,
        choices=[],
        texts=[TextLoss(id=f"t{i}", group="ab"[i % 2], nats=nats * (1 + i % 2), tokens=10) for i in range(4)],
        probes=[
            Choice(id=name, group="<b>x</b>", kind=kind, correct=(kind == "harmful") == refuses, margin=0.0)
            for name, kind in KINDS.items()
        ],
        variants=[
            answer(f"{a.id}~case", a.scores["exact_match"] * (i % 2), variant="case", of=a.id)
            for i, a in enumerate(answers)
        ],
    )


def found(**changed) -> Asked:
    """Of two arms."""
    given = {"calibration": (CALIBRATION, CALIBRATION | {"ece": 0.3}), "metrics": ["words", "absent"]}
    return gathered(
        arm(0.25, 20, refuses=False),
        arm(0.75, 22, refuses=True),
        target="exact_match",
        confidence=0.95,
        bound=difference,
        **(given | changed),
    )


def test_perplexity_is_given_over_all_and_for_each_kind():
    """From the sums of nats and tokens, and as a ratio."""
    every, first, second = found().texts

    assert [(text.name, text.n) for text in (every, first, second)] == [("all", 4), ("a", 2), ("b", 2)]
    assert first.before == pytest.approx(math.exp(2))
    assert every.ratio == pytest.approx(math.exp((22 - 20) * 6 / 40))
    assert second.ratio > first.ratio
    assert "by b most" in shown(found()).worst


def test_refusing_more_of_everything_is_not_called_safer():
    """Both halves are shown, then topic by topic."""
    harmful, benign, topic = found().safety

    assert (harmful.name, harmful.n, harmful.before, harmful.after) == ("harmful", 4, 0, 1)
    assert (benign.name, benign.before, benign.after) == ("benign", 1, 0)
    assert (topic.n, topic.difference, topic.gained, topic.lost) == (8, 0, 4, 4)
    assert "It refuses more of both" in shown(found()).leaning


def test_robustness_is_what_each_model_loses_on_its_own_records():
    """Changed against unchanged, by subject."""
    (kept,) = found().robustness

    assert (kept.variant, kept.n) == ("case", 8)
    assert (kept.before.before, kept.before.after) == (0.25, 0.125)
    assert (kept.after.before, kept.after.after) == (0.75, 0.375)
    assert kept.after.lower < kept.after.difference == -0.375 < kept.after.upper


def test_metrics_of_the_recipe_are_paired_with_their_interval():
    """One that no answer has a score of is left out."""
    (words,) = found().metrics

    assert (words.name, words.before, words.after) == ("words", 0.125, 0.375)
    assert words.lower < 0.25 < words.upper


def test_confidence_is_held_against_chance():
    """Too sure, or no further off than a perfect model may be."""
    assert "is higher than what it gets right" in shown(found()).trust
    assert "than chance alone" in shown(found(calibration=(CALIBRATION, CALIBRATION))).trust


def test_arms_that_were_asked_nothing_more_say_so():
    """No empty table is set."""
    bare = Arm(evaluation=EMPTY, answers=[], choices=[])
    nothing = gathered(bare, bare, target="exact_match", confidence=0.95, bound=difference, metrics=["words"])

    assert nothing.is_empty
    assert not found().is_empty
    assert "Nothing was asked" in html(nothing)
    assert "<table" not in html(nothing)


def test_the_page_escapes_every_text_and_quotes_no_answer():
    """With a reliability diagram, and a word for each thing that colour says."""
    text = html(found())

    assert "<b>x</b>" not in text
    assert "&lt;b&gt;x" in text
    assert "SECRET" not in text
    for said in ("Held-out text", "Harmful requests refused", "In capitals, or without any", "reliability", "Words"):
        assert said in text
    assert html(found()) == text
    assert html(Asked.model_validate(found().model_dump())) == text


def test_a_diagram_places_dots_by_confidence_and_share():
    """In per cent across and pixels down, with a line for each interval."""
    drawn = str(diagram([("first", [Dot(0.0, 0.0, 0.0, 0.5)]), ("second", [Dot(1.0, 1.0, 0.5, 1.0)])], "<said>"))

    assert re.findall(r'<circle cx="([\d.]+)%" cy="([\d.]+)"', drawn) == [("9", "230"), ("97", "10")]
    assert drawn.count('class="dots') == 2
    assert 'aria-label="&lt;said&gt;"' in drawn


def html(asked: Asked) -> str:
    """The section as a report includes it."""
    section = pages.template("asked.html.j2").module.asked
    return str(section(shown(asked)))
