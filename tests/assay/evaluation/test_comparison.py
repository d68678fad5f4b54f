"""The gate accepts what is shown, refuses what is ruled out, and admits what it cannot tell."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from assay.errors import IncomparableError
from assay.evaluation.comparison import compare, family
from assay.evaluations import Arm, Evaluation, Verdict
from assay.outcomes import Answer, Choice, Timing
from assay.trials import GateSpec
from tests.assay.evaluation.test_intervals import shares, simulated

GATE = GateSpec(
    confidence=0.95,
    target="exact_match",
    min_gain=0.05,
    min_format_adherence=0.9,
    ability_margin=0.03,
    max_latency_ratio=1.2,
)
QUESTION = {"items": "1" * 64, "prompt": {"template": "a" * 64, "system": "b" * 64}, "dtype": "bfloat16"}


def evaluation(model: str, *, question: dict = QUESTION) -> Evaluation:
    """An evaluation with only what a comparison reads."""
    return Evaluation(
        question=question,
        model=model,
        metrics={},
        fields={},
        slices={},
        ability_groups={},
        environment={},
    )


def answers(right, *, adherent=None, subjects=None) -> list[Answer]:
    """One answer per score in ``right``."""
    adherent = np.ones(len(right)) if adherent is None else adherent
    subjects = range(len(right)) if subjects is None else subjects
    return [
        Answer(
            id=f"r{i}",
            subject=f"s{s}",
            expected="{}",
            answer="{}",
            scores={"exact_match": float(r), "format_adherence": float(a), "field_accuracy": float(r) / 2},
            label_expected="x",
            label_predicted="x",
        )
        for i, (r, a, s) in enumerate(zip(right, adherent, subjects, strict=True))
    ]


def timings(p50: float) -> list[Timing]:
    """Thirty requests about that median."""
    return [
        Timing(id=f"q{i}", first_ms=9.0, total_ms=p50 * (1 + (i - 14.5) / 100), tokens=9, prompt_tokens=40)
        for i in range(30)
    ]


def choices(right, groups: int = 200) -> list[Choice]:
    """One outcome per entry of ``right``, dealt to groups."""
    return [Choice(id=f"c{i}", group=f"g{i % groups}", correct=bool(r), margin=0.0) for i, r in enumerate(right)]


def arm(model: str, task, ability, **options) -> Arm:
    """A model with its right and wrong items."""
    adherent, p50 = options.pop("adherent", None), options.pop("p50", 100.0)
    given = answers(task, adherent=adherent)
    return Arm(evaluation(model * 64, **options), given, choices(ability), timings=timings(p50))


ABLE = shares(1400, 0.6)
BASELINE = arm("a", shares(300, 0.1), ABLE)
BETTER = arm("b", shares(300, 0.8), ABLE)


def test_a_better_candidate_that_has_lost_nothing_is_accepted():
    """Seventy points won, the format kept, one ability item in a hundred changed either way."""
    ability = ABLE.copy()
    ability[:14] = ~ability[:14]

    verdict = compare(BASELINE, arm("b", shares(300, 0.8), ability), GATE)

    assert verdict.decision == "accepted", verdict.reasons
    assert [c.decision for c in verdict.criteria] == ["accepted"] * 4
    assert verdict.sentence.startswith(
        "Accepted: exact match on 300 test records is 80.0 % where the baseline's was 10"
    )
    assert (len(verdict.wins), len(verdict.losses)) == (verdict.criterion("target").wins, 0)


def test_a_candidate_that_lost_general_ability_is_refused_whatever_it_won():
    """Eight points lost cannot be a loss of less than three."""
    worse = ABLE.copy()
    worse[np.flatnonzero(worse)[:112]] = False

    verdict = compare(BASELINE, arm("b", shares(300, 0.9), worse), GATE)

    assert verdict.decision == "refused"
    assert verdict.criterion("general_ability").decision == "refused"
    assert verdict.criterion("target").decision == "accepted"
    assert verdict.sentence.startswith(
        "Refused: general ability went from 60.0 % to 52.0 %, by \N{MINUS SIGN}8.0 points"
    )


def test_a_candidate_that_learned_nothing_is_refused():
    """The upper bound of its gain is below the gain asked for."""
    few = shares(1000, 0.1)
    baseline = arm("a", few, ABLE)

    verdict = compare(baseline, arm("b", np.roll(few, 1), ABLE), GATE.model_copy(update={"min_gain": 0.2}))

    assert verdict.criterion("target").decision == "refused"
    assert verdict.decision == "refused"


def test_thirty_items_are_inconclusive_and_say_how_many_would_do():
    """A gain of ten points on thirty items may be luck."""
    baseline = arm("a", shares(30, 0.4), ABLE)

    verdict = compare(baseline, arm("b", shares(30, 0.5), ABLE), GATE.model_copy(update={"min_format_adherence": 0.5}))

    target = verdict.criterion("target")
    assert verdict.decision == target.decision == "inconclusive"
    assert target.needed > 300
    assert f"about {target.needed:,} would" in verdict.sentence
    assert target.detectable > 0.1


def test_as_many_items_as_advised_decide():
    """At the same estimate, the advised number is enough."""
    before, after = shares(60, 0.4), shares(60, 0.6)
    first = compare(arm("a", before, ABLE), arm("b", after, ABLE), GATE).criterion("target")
    times = math.ceil(first.needed / 60)

    second = compare(arm("a", np.tile(before, times), ABLE), arm("b", np.tile(after, times), ABLE), GATE)

    assert first.decision == "inconclusive"
    assert second.criterion("target").decision == "accepted"


def test_answers_out_of_format_are_refused():
    """Wilson's upper bound for 240 of 300 is 83.5 %, under a floor of 90 %."""
    sloppy = arm("b", shares(300, 0.7), ABLE, adherent=shares(300, 0.8))

    verdict = compare(BASELINE, sloppy, GATE)

    assert verdict.criterion("format_adherence").decision == "refused"
    assert verdict.criterion("format_adherence").upper == pytest.approx(0.8351, abs=5e-4)


@pytest.mark.parametrize(("p50", "decision"), [(110.0, "accepted"), (120.0, "inconclusive"), (130.0, "refused")])
def test_latency_is_held_to_its_ratio(p50, decision):
    """Thirty requests tell ten per cent on either side of it."""
    verdict = compare(BASELINE, arm("b", shares(300, 0.9), ABLE, p50=p50), GATE)

    assert verdict.criterion("latency").decision == decision


@pytest.mark.parametrize("missing", ["baseline", "candidate"])
def test_a_missing_arm_is_refused(missing):
    """Without a baseline nothing is "safe to promote"."""
    arms = {"baseline": BASELINE, "candidate": BASELINE, missing: None}
    with pytest.raises(IncomparableError, match=f"no evaluation of the {missing}"):
        compare(arms["baseline"], arms["candidate"], GATE)


def test_a_model_is_not_compared_with_itself():
    """It would always be as good."""
    with pytest.raises(IncomparableError, match="both evaluations are of model aaaaaaaaaaaa"):
        compare(BASELINE, arm("a", shares(300, 0.9), ABLE), GATE)


def test_different_questions_are_refused_and_each_difference_named():
    """Found and expected, by the name of the component."""
    other = {**QUESTION, "prompt": {"template": "c" * 64, "system": "b" * 64}, "batch_size": 8}

    with pytest.raises(IncomparableError) as refusal:
        compare(BASELINE, arm("b", shares(300, 0.9), ABLE, question=other), GATE)

    said = str(refusal.value)
    assert f'prompt.template: found "{"c" * 64}", expected "{"a" * 64}"' in said
    assert "batch_size: found 8, expected nothing" in said
    assert "system" not in said


@pytest.mark.parametrize("part", ["answers", "choices"])
def test_different_items_are_refused(part):
    """Pairs need both halves."""
    candidate = arm("b", shares(300, 0.9), ABLE)
    getattr(candidate, part).pop()

    with pytest.raises(IncomparableError, match=r"1 .*s differ between the evaluations, such as [rc]"):
        compare(BASELINE, candidate, GATE)


@pytest.mark.parametrize("part", ["answers", "choices"])
def test_an_item_that_comes_twice_is_refused(part):
    """It would count double."""
    candidate = arm("b", shares(300, 0.9), ABLE)
    getattr(candidate, part).append(getattr(candidate, part)[0])

    with pytest.raises(IncomparableError, match="each once"):
        compare(BASELINE, candidate, GATE)


def test_no_items_are_refused():
    """There is nothing to decide on."""
    with pytest.raises(IncomparableError, match="found 0 and 0 general-ability items"):
        compare(arm("a", shares(300, 0.1), []), arm("b", shares(300, 0.9), []), GATE)


def test_without_timings_latency_is_inconclusive_and_says_why():
    """Nothing was measured, so nothing is passed."""
    candidate = arm("b", shares(300, 0.9), ABLE)
    candidate.timings.clear()

    verdict = compare(BASELINE, candidate, GATE)

    assert verdict.decision == verdict.criterion("latency").decision == "inconclusive"
    assert "no requests to both models were timed" in verdict.sentence


def test_a_request_that_took_no_time_is_refused():
    """Its clock stood still."""
    with pytest.raises(IncomparableError, match="a request that took no time"):
        compare(BASELINE, arm("b", shares(300, 0.9), ABLE, p50=0.0), GATE)


def test_the_order_of_items_does_not_matter():
    """Pairs go by id."""
    candidate = arm("b", shares(300, 0.8), ABLE)
    turned = replace(candidate, answers=candidate.answers[::-1], choices=candidate.choices[::-1])

    assert compare(BASELINE, turned, GATE) == compare(BASELINE, candidate, GATE)


def test_a_verdict_survives_json_and_cannot_be_changed():
    """It is evidence."""
    verdict = compare(BASELINE, arm("b", shares(300, 0.8), ABLE), GATE)

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    with pytest.raises(ValueError, match="frozen"):
        verdict.decision = "refused"


def test_one_subject_with_many_records_is_inconclusive_without_advice():
    """More records of the same subject would not help."""
    one = [0] * 50
    baseline = Arm(evaluation("a" * 64), answers(shares(50, 0.2), subjects=one), choices(ABLE))
    candidate = Arm(evaluation("b" * 64), answers(shares(50, 0.9), subjects=one), choices(ABLE))

    target = compare(baseline, candidate, GATE).criterion("target")

    assert (target.decision, target.needed, target.standard_error) == ("inconclusive", None, None)
    assert "no number of them would, as all are of one subject" in target.reason


def test_one_subject_whose_records_are_all_won_is_inconclusive():
    """Thirty wins of one subject are one win; and its sixty answers in format are one subject in format."""
    one = [0] * 60
    baseline = Arm(evaluation("a" * 64), answers(np.zeros(60), subjects=one), choices(ABLE))
    candidate = Arm(evaluation("b" * 64), answers(np.ones(60), subjects=one), choices(ABLE))

    verdict = compare(baseline, candidate, GATE.model_copy(update={"min_format_adherence": 0.95}))

    for name in ("target", "format_adherence"):
        assert (verdict.criterion(name).decision, verdict.criterion(name).needed) == ("inconclusive", None)


def test_one_subject_whose_answers_all_lack_the_form_refuses_nothing():
    """Sixty of one subject say of the next as little when they fail as when they hold."""
    answered = answers(np.zeros(60), subjects=[0] * 60)
    broken = [replace(each, scores=each.scores | {"format_adherence": 0.0}) for each in answered]
    arms = [Arm(evaluation(digit * 64), answered, choices(ABLE)) for digit in "ab"]

    found = compare(arms[0], replace(arms[1], answers=broken), GATE).criterion("format_adherence")

    assert found.decision == "inconclusive"
    assert (found.lower, found.upper, found.p_shown, found.p_refuted) == (0.0, 1.0, 0.5, 0.5)


def test_general_ability_of_one_group_has_no_bound_and_says_why():
    """Four hundred items of one paradigm are one cluster; documents of no group stand for themselves."""
    same = shares(400, 0.6)
    alone = [replace(BASELINE, choices=choices(same, groups=1)), replace(BETTER, choices=choices(same, groups=1))]
    each = [replace(one, choices=[replace(item, kind="document") for item in one.choices]) for one in alone]

    grouped, documents = (compare(*pair, GATE).criterion("general_ability") for pair in (alone, each))

    assert (grouped.decision, grouped.lower) == ("inconclusive", -1.0)
    assert "as all are of one group, whose items may fail together: more groups would" in grouped.reason
    assert (documents.decision, documents.clusters) == ("accepted", 400)


def test_a_score_that_is_not_right_or_wrong_is_bounded_too():
    """Field accuracy goes by Student's t."""
    gate = GATE.model_copy(update={"target": "field_accuracy"})

    target = compare(BASELINE, arm("b", shares(300, 0.8), ABLE), gate).criterion("target")

    assert target.difference == pytest.approx(0.35)
    assert target.lower < 0.35 < target.upper
    assert target.p_value < 0.01


def test_a_candidate_at_the_margin_is_seldom_accepted_by_the_whole_gate():
    """The same through every door, on whole arms."""
    rng, n = np.random.default_rng(4), 400
    task = simulated(rng, 200, 0.6, 0.7)
    accepted = 0
    for _ in range(60):
        before, after = simulated(rng, n, -0.03, 0.1)
        accepted += compare(arm("a", task[0], before), arm("b", task[1], after), GATE).decision == "accepted"

    assert accepted <= 10


@pytest.mark.parametrize("decisions", itertools.product(["accepted", "refused", "inconclusive"], repeat=2))
def test_one_refusal_refuses_and_one_doubt_leaves_doubt(decisions):
    """The overall decision is the worst one."""
    expected = next(d for d in ("refused", "inconclusive", "accepted") if d in decisions)

    assert family.overall(decisions) == expected
