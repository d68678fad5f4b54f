"""Every piece of advice that can be given, each from arms made to earn it."""

import pytest

from assay.evaluation.recommending import recommend
from assay.evaluation.recommending.arms import Gap, Option, Recommendation, Terms
from assay.evaluation.recommending.contests import break_even

MARGIN = 0.02
SURE, NOT = 1e-6, 0.6


def option(name: str, quality: float, **fields: object) -> Option:
    """An arm whose answers keep the form; tuned if it is called so."""
    told = {"format_lower": 0.97, "format_upper": 1.0, "prompt_tokens": 90.0, "seconds": 1.0}
    return Option(**{"name": name, "tuned": name.startswith("lora"), "quality": quality, **told, **fields})


def terms(**fields: object) -> Terms:
    """A margin of two points at 95 %."""
    told = {"metric": "exact match", "margin": MARGIN, "confidence": 0.95, "min_format_adherence": 0.95}
    return Terms(**{**told, "training_seconds": 300.0, **fields})


def gap(mean: float, half: float) -> Gap:
    """A difference that is known to ``half`` either way."""

    def p_value(distance: float) -> float:
        return SURE if distance > half else NOT

    return Gap(
        mean, mean - half, mean + half, 200,
        p_better=p_value(mean - MARGIN), p_no_better=p_value(MARGIN - mean),
        p_no_worse=p_value(mean + MARGIN), p_worse=p_value(-MARGIN - mean),
        needed=None if abs(mean - MARGIN) > half else 700,
    )  # fmt: skip


def advise(options: list[Option], half: float = 0.01, **fields: object) -> Recommendation:
    """What is advised if every difference is known to ``half``."""
    gaps = {
        (one.name, other.name): gap(one.quality - other.quality, half)
        for one in options
        for other in options
        if one != other
    }
    return recommend(options, gaps, terms(**fields))


PROMPTED = [option("zero-shot", 0.1), option("few-shot", 0.3, prompt_tokens=400.0, seconds=2.0)]


def test_a_tuned_arm_that_beats_every_prompted_one_is_advised():
    """With how much better it is, what repays it, and at which margin it would be advised no more."""
    found = advise([*PROMPTED, option("lora", 0.7)])

    assert found.advice == "fine_tune"
    assert found.arm == "lora"
    assert found.sentence.startswith("Fine-tune: lora reaches 70.0 % exact match and the best prompted arm, few-shot,")
    assert "by +40.0 points, at least +39.0" in found.sentence
    assert "better than every prompted arm by more than 2 points" in found.sentence
    assert any("A margin of more than 39 points" in said for said in found.would_change)
    assert any("300 requests repay the training of lora against few-shot" in said for said in found.would_change)
    assert len(found.evidence) == len(found.tested) == 2


def test_a_tuned_arm_must_beat_every_prompted_one_and_not_only_the_weaker():
    """Better than zero-shot alone is no reason to tune."""
    found = advise([*PROMPTED, option("lora", 0.305)])

    assert found.advice == "do_not_fine_tune"
    assert found.arm == "few-shot"
    assert "tuning gains no more than 2 points" in found.sentence
    assert any("A margin of less than 1.5 points" in said for said in found.would_change)
    assert not any("A margin of" in said for said in advise([*PROMPTED, option("lora", 0.2)]).would_change)


def test_of_arms_that_are_as_good_the_one_with_the_shorter_prompt_is_advised():
    """Retrieval on top of tuning must show that it is worth its tokens."""
    plain, more = option("lora", 0.7), option("lora + retrieval", 0.71, prompt_tokens=500.0)
    better = option("lora + retrieval", 0.8, prompt_tokens=500.0)

    assert advise([*PROMPTED, plain, more]).arm == "lora"
    assert advise([*PROMPTED, plain, better]).arm == "lora + retrieval"


def test_items_that_cannot_tell_are_no_advice_and_say_how_many_would():
    """No difference found is not none there; until then the prompted arm costs no training."""
    found = advise([*PROMPTED, option("lora", 0.33)], half=0.05)

    assert found.advice == "undecided"
    assert found.arm == "few-shot"
    assert found.needed == 700
    assert "200 records cannot tell whether lora (33.0 % exact match)" in found.sentence
    assert "about 700 would" in found.sentence
    assert "`approaches.records: 700` decides, four times in five." in found.would_change


def test_undecided_names_the_pair_on_which_the_advice_hangs():
    """The best of each kind may be told apart where another prompted arm is not."""
    options = [option("few-shot", 0.5), option("retrieval", 0.49), option("lora", 0.6)]
    gaps = {
        (one.name, other.name): gap(one.quality - other.quality, 0.2 if "retrieval" in one.name + other.name else 0.01)
        for one in options
        for other in options
        if one != other
    }
    found = recommend(options, gaps, terms())

    assert found.advice == "undecided"
    assert "whether lora (60.0 % exact match) is more than 2 points better than retrieval" in found.sentence
    assert found.arm == "few-shot"  # Until it is known.


def test_many_arms_make_it_harder_to_be_sure():
    """A p value that would do for one pair does not for eight: Holm counts them."""
    few = [option("zero-shot", 0.1)]
    many = [option(f"prompted {place}", 0.1) for place in range(8)]

    def advice(prompted: list[Option]) -> str:
        options = [*prompted, option("lora", 0.2)]
        near = Gap(0.1, 0.01, 0.19, 200, p_better=0.03, p_no_better=0.97, p_no_worse=0.01, p_worse=0.99)
        gaps = {(a.name, b.name): near if a.tuned else near.swapped() for a in options for b in options if a != b}
        return recommend(options, gaps, terms()).advice

    assert advice(few) == "fine_tune"
    assert advice(many) == "undecided"


def test_volume_can_pay_for_a_tuned_arm_that_is_only_as_good():
    """Its requests are cheaper; the price of a device-hour is on both sides and drops out."""
    options = [*PROMPTED, option("lora", 0.3)]

    assert advise(options).advice == "do_not_fine_tune"
    assert advise(options, volume=200).advice == "do_not_fine_tune"
    found = advise(options, volume=10_000)
    assert found.advice == "fine_tune"
    assert found.arm == "lora"
    assert "for the price" in found.sentence
    assert any("Fewer than 300 requests" in said for said in found.would_change)


def test_volume_does_not_pay_for_what_may_be_worse_or_is_dearer():
    """Cheap and worse is no bargain; a request that costs as much repays nothing."""
    worse = advise([*PROMPTED, option("lora", 0.285)], volume=10_000)
    dearer = advise([*PROMPTED, option("lora", 0.3, seconds=2.0)], volume=10_000)

    assert worse.advice == dearer.advice == "do_not_fine_tune"
    assert dearer.tested[1].break_even is None
    assert any("Not volume" in said for said in dearer.would_change)


def test_an_arm_whose_answers_lack_the_form_is_out_however_right_it_is():
    """Only if that is shown; what is in doubt stays and is said."""
    out, doubtful = {"format_lower": 0.8, "format_upper": 0.9}, {"format_lower": 0.9, "format_upper": 0.97}
    found = advise([option("zero-shot", 0.9, **out), option("few-shot", 0.3, **doubtful), option("lora", 0.3)])

    assert found.ruled_out == ("zero-shot",)
    assert found.arm == "few-shot"
    assert any("keeps the form as often as asked is not shown" in said for said in found.evidence)
    assert any("Ruled out" in said and "zero-shot" in said for said in found.evidence)
    tuned = advise([option("zero-shot", 0.9, **out), option("few-shot", 0.3), option("lora", 0.5)])
    assert "better than every prompted arm that keeps the form by more than 2 points" in tuned.sentence
    assert any("zero-shot reaches 90.0 % exact match, but its answers lack the form" in s for s in tuned.would_change)


def test_constrained_decoding_is_not_advised_where_it_was_tried():
    """The way under the schema stands beside the one that is out."""
    bare, bound = option("few-shot", 0.5, format_lower=0.3, format_upper=0.5), option("few-shot, constrained", 0.3)

    assert not any("Constrained decoding" in s for s in advise([bare, bound, option("lora", 0.5)]).would_change)


def test_if_only_one_kind_keeps_the_form_it_is_advised():
    """There is nothing to hold it against."""
    out = {"format_lower": 0.0, "format_upper": 0.1}

    tuned = advise([option("zero-shot", 0.0, **out), option("lora", 0.6), option("lora + retrieval", 0.5)])
    assert tuned.advice == "fine_tune"
    assert "no prompted arm keeps the form" in tuned.sentence
    assert "reaches 60.0 % exact match" in tuned.sentence
    assert advise([option("zero-shot", 0.3), option("lora", 0.6, **out)]).advice == "do_not_fine_tune"


def test_the_right_form_alone_is_no_reason_to_tune():
    """Valid answers of which none is right are worth nothing."""
    out = {"format_lower": 0.0, "format_upper": 0.1}
    found = advise([option("zero-shot", 0.0, **out), option("lora", 0.0, quality_upper=0.015)])

    assert found.advice == "none"
    assert "lora, reaches at most 1.5 % exact match" in found.sentence


def test_if_no_arm_keeps_the_form_none_is_advised():
    """Neither tuning nor prompting, as they were tried."""
    out = {"format_lower": 0.0, "format_upper": 0.1}
    found = advise([option("zero-shot", 0.0, **out), option("lora", 0.0, **out)])

    assert found.advice == "none"
    assert found.arm is None
    assert "at most 10.0 % of its answers, and 95.0 % was asked for" in found.sentence


@pytest.mark.parametrize(
    ("outlook", "said"), [("pays", "would still pay"), ("does_not_pay", "gone flat"), (None, "learning_curve: [0.25")]
)
def test_what_the_learning_curve_says_can_change_advice_against_tuning(outlook: str | None, said: str):
    """More examples are the other way to a better adapter."""
    found = advise([*PROMPTED, option("lora", 0.3)], outlook=outlook)

    assert any(said in change for change in found.would_change)


def test_break_even_is_training_over_what_a_request_saves():
    """In requests, whatever a device costs."""
    dear, cheap = option("few-shot", 0.3, seconds=2.0), option("lora", 0.3, seconds=1.5)

    assert break_even(cheap, dear, terms()) == 600
    assert break_even(dear, cheap, terms()) is None


def test_a_gap_seen_from_the_other_side_is_the_same_gap():
    """Better becomes worse, and its bounds change places."""
    seen = gap(0.1, 0.03)

    assert seen.swapped().lower == pytest.approx(-0.13)
    assert seen.swapped().p_worse == seen.p_better
    assert seen.swapped().swapped().p_no_worse == seen.p_no_worse
