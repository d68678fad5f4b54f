"""Everything that a gate asks for is judged on its own items, and what was not measured is no pass."""

from dataclasses import replace

import numpy as np
import pytest

from assay.errors import IncomparableError
from assay.evaluation.comparison import compare
from assay.evaluations import Arm, Criterion, Verdict
from assay.outcomes import Choice, TextLoss, Timing
from tests.assay.evaluation.test_comparison import ABLE, GATE, arm
from tests.assay.evaluation.test_intervals import shares

ASKED = {
    "further_targets": {"field_accuracy": 0.02},
    "max_perplexity_ratio": 1.2,
    "safety_margin": 0.1,
    "over_refusal_margin": 0.1,
    "slice_margin": 0.05,
    "robustness_margin": 0.1,
}
WHOLE = GATE.model_copy(update=ASKED)
NAMES = [
    *("target", "target:field_accuracy", "format_adherence", "general_ability", "perplexity", "safety"),
    "over_refusal",
    *("slice:channel=mail", "slice:channel=phone", "slice:channel=web", "robustness", "latency"),
]


def whole(model: str, right: np.ndarray, *, worse: float = 0.0, slow: float = 1.0, broken: int = 0) -> Arm:
    """A model with items for everything; ``worse`` in nats a token, ``broken`` of sixty records in capitals."""
    draw = np.random.default_rng(ord(model))
    given = arm(model, right, ABLE)
    for i, answer in enumerate(given.answers):
        answer.attributes.update(channel=("web", "mail", "phone")[i % 3] if i > 5 else "fax")
    texts = [
        TextLoss(id=f"t{i}", group="prose", tokens=50 + i, nats=(50 + i) * (3 + worse * (1 + draw.normal() / 2)))
        for i in range(120)
    ]
    return Arm(
        given.evaluation.model_copy(update={"slices": {"channel": {}}}),
        given.answers,
        given.choices,
        texts=texts,
        probes=[
            Choice(id=f"p{i}", group=f"g{i % 50}", kind=("harmful", "benign")[i // 100], correct=i % 4 > 0, margin=0.0)
            for i in range(200)
        ],
        variants=[
            replace(
                answer,
                id=f"{answer.id}:case",
                attributes={"of": answer.id, "variant": "case"},
                scores={**answer.scores, "exact_match": answer.scores["exact_match"] * (i >= broken)},
            )
            for i, answer in enumerate(given.answers[:60])
        ],
        timings=[
            Timing(
                id=f"q{i}", first_ms=9.0, total_ms=(90 + i) * slow * draw.lognormal(0, 0.03), tokens=9, prompt_tokens=40
            )
            for i in range(40)
        ],
    )


BASELINE = whole("a", shares(300, 0.1))
GOOD = whole("b", shares(300, 0.8), worse=0.02, slow=1.05)


def test_every_demand_has_its_criterion_and_a_good_candidate_meets_all():
    """In the order in which they are read, the target first; a slice of six records is not judged."""
    verdict = compare(BASELINE, GOOD, WHOLE)

    assert [criterion.name for criterion in verdict.criteria] == NAMES
    assert verdict.decision == "accepted", verdict.sentence
    demanded = (
        "field accuracy, format, general ability, perplexity, safety, over refusal, 3 slices, robustness and latency"
    )
    assert verdict.sentence.endswith(f"and {demanded} are as demanded.")
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_what_is_not_asked_is_not_judged():
    """A gate without margins judges what it did before there were any."""
    verdict = compare(BASELINE, GOOD, GATE)

    assert [criterion.name for criterion in verdict.criteria] == [
        *("target", "format_adherence", "general_ability", "latency"),
    ]


@pytest.mark.parametrize(
    ("name", "worse"),
    [("perplexity", {"worse": 0.3}), ("latency", {"slow": 1.4}), ("robustness", {"broken": 60})],
)
def test_what_got_worse_than_allowed_is_refused(name, worse):
    """Each by its own items, and by no other."""
    verdict = compare(BASELINE, whole("c", shares(300, 0.8), **worse), WHOLE)

    assert [criterion.name for criterion in verdict.criteria if criterion.decision == "refused"] == [name]
    assert verdict.decision == "refused"


def test_a_slice_that_is_lost_refuses_though_the_whole_is_won():
    """All other channels gain."""
    right = shares(300, 0.95)
    right[np.arange(300) % 3 == 2] = False
    baseline = whole("a", shares(300, 0.4))

    verdict = compare(baseline, whole("b", right), WHOLE)

    assert verdict.criterion("target").decision == "accepted"
    assert [c.name for c in verdict.criteria if c.decision == "refused"] == ["slice:channel=phone"]
    assert "exact match where channel is phone went from" in verdict.sentence


def test_perplexity_is_weighted_by_tokens_and_held_against_its_upper_bound():
    """Two nats more on one token weigh less than a tenth of a nat more on a thousand."""
    found = compare(BASELINE, GOOD, WHOLE).criterion("perplexity")
    nats = [sum(text.nats for text in each.texts) for each in (BASELINE, GOOD)]
    tokens = sum(text.tokens for text in BASELINE.texts)

    assert found.estimate == pytest.approx(np.exp((nats[1] - nats[0]) / tokens))
    assert (found.unit, found.kind, found.n) == ("ratio", "ratio", 120)
    assert found.baseline < found.candidate
    assert 1 < found.lower < found.estimate < found.upper < found.threshold


def test_latency_has_an_interval_if_single_requests_were_timed():
    """The same requests of both models, whatever machine the evaluations name."""
    found = compare(BASELINE, GOOD, WHOLE).criterion("latency")

    assert found.lower < found.estimate < found.upper < 1.2
    assert found.p_shown <= 0.05


def test_robustness_is_the_candidate_against_itself():
    """On the same sixty records, as they were and in another form."""
    found = compare(BASELINE, whole("c", shares(300, 0.8), broken=20), WHOLE).criterion("robustness")

    assert (found.baseline, found.n) == (0.8, 60)
    assert found.difference == pytest.approx(-16 / 60)


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"texts": []}, "no held-out texts in both evaluations.*evaluation.held_out_text"),
        ({"probes": []}, "no harmful safety probes.*evaluation.safety"),
        ({"variants": []}, "no changed test records.*evaluation.robustness"),
    ],
)
def test_what_is_asked_for_and_was_not_measured_is_told(missing, says):
    """And not taken for a pass."""
    with pytest.raises(IncomparableError, match=says):
        compare(BASELINE, replace(GOOD, **missing), WHOLE)


def test_an_attribute_whose_slices_are_all_too_small_is_inconclusive_beside_one_that_is_judged():
    """A demand that nothing is held to lets all pass."""
    arms = [
        replace(
            one,
            evaluation=one.evaluation.model_copy(update={"slices": {"channel": {}, "region": {}}}),
            answers=[
                replace(each, attributes={**each.attributes, "region": f"r{i % 10}"})
                for i, each in enumerate(one.answers)
            ],
        )
        for one in (BASELINE, GOOD)
    ]

    verdict = compare(*arms, WHOLE.model_copy(update={"min_slice": 60}))

    assert {c.name: c.decision for c in verdict.criteria if c.name.startswith("slice:")} == {
        "slice:channel=mail": "accepted",
        "slice:channel=phone": "accepted",
        "slice:channel=web": "accepted",
        "slice:region": "inconclusive",
    }
    assert "region differs: found 30 test records at most of one value, expected 60" in verdict.sentence


def test_values_of_few_subjects_are_judged_together_and_none_is_named():
    """Forty records of one customer, who alone lives in a village: the village would tell who it is."""
    arms = [
        replace(
            one,
            evaluation=one.evaluation.model_copy(update={"slices": {"region": {}}}),
            answers=[
                replace(each, subject=f"one {min(i // 40, 1) * i}", attributes={"region": f"village {i // 40}"})
                for i, each in enumerate(one.answers)
            ],
        )
        for one in (BASELINE, GOOD)
    ]

    names = [c.name for c in compare(*arms, WHOLE).criteria if c.name.startswith("slice:")]

    assert "slice:region=village 0" not in names
    assert {"slice:region=values of fewer than 5 subjects", "slice:region=village 1"} <= set(names)


def test_no_slices_at_all_are_inconclusive():
    """The gate asks for something that the recipe never named."""
    arms = [replace(one, evaluation=one.evaluation.model_copy(update={"slices": {}})) for one in (BASELINE, GOOD)]

    found = compare(*arms, WHOLE).criterion("slice:any")

    assert (found.decision, found.n) == ("inconclusive", 0)
    assert "evaluation.slices names attributes" in found.reason


def test_leaks_that_nobody_looked_for_are_inconclusive():
    """Whatever of them the gate names."""
    gate = GATE.model_copy(update={"max_leak_rate": 0.01, "max_exposure": 1.0})

    verdict = compare(BASELINE, GOOD, gate)

    leaks = verdict.criteria[-3:]
    assert [leak.name for leak in leaks] == ["leak_generations", "leak_exposure", "leak_control"]
    assert {(leak.decision, leak.n, leak.p_adjusted) for leak in leaks} == {("inconclusive", 0, None)}
    assert [(leak.kind, leak.unit) for leak in leaks] == [("ceiling", "points"), ("ceiling", "bits"), ("floor", "bits")]
    assert all("no leak audit was run" in leak.reason for leak in leaks)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_a_request_that_was_timed_again_is_no_other_request():
    """Two rounds of twenty are twenty requests; an id that only looks like it is its own."""
    ids = [*(f"q{i}" for i in range(20)), *(f"q{i}#2" for i in range(19)), "z#2"]
    again = [
        replace(one, timings=[replace(t, id=i) for t, i in zip(one.timings, ids, strict=True)])
        for one in (BASELINE, GOOD)
    ]

    assert compare(*again, GATE).criterion("latency").clusters == 21


def test_a_metric_that_nobody_scored_is_told():
    """It may be a misspelt one."""
    with pytest.raises(IncomparableError, match="without a score of 'blue'"):
        compare(BASELINE, GOOD, GATE.model_copy(update={"target": "blue"}))


def test_a_changed_record_of_no_test_record_is_told():
    """It cannot be paired."""
    lost = replace(GOOD, variants=[replace(GOOD.variants[0], attributes={"of": "elsewhere"})])

    with pytest.raises(IncomparableError, match="1 changed records, such as r0:case, are of no test record"):
        compare(BASELINE, lost, WHOLE)


def test_texts_of_other_lengths_are_not_the_same_texts():
    """Another tokenizer's perplexity is another thing."""
    other = replace(GOOD, texts=[replace(text, tokens=text.tokens + 1) for text in GOOD.texts])

    with pytest.raises(IncomparableError, match="120 held-out texts differ"):
        compare(BASELINE, other, WHOLE)


@pytest.mark.parametrize(
    ("decided", "p", "decision"),
    [
        ("accepted", 0.99, "accepted"),
        ("refused", 0.0004, "refused"),
        ("refused", 0.04, "inconclusive"),
        ("inconclusive", 0.3, "inconclusive"),
    ],
)
def test_what_the_leak_audit_refuses_is_held_against_the_whole_family(decided, p, decision):
    """It stands last; its acceptances stay, and so does a refusal that is clear among five."""
    audited = Criterion(
        name="leak_exposure", kind="ceiling", metric="exposure", unit="bits", baseline=0.0, candidate=1.0,
        difference=1.0, estimate=1.0, threshold=2.0, n=16, p_refuted=p, decision=decided, reason="exposure is low",
    )  # fmt: skip
    verdict = compare(BASELINE, GOOD, GATE, [audited])

    assert verdict.criteria[-1].p_adjusted == pytest.approx(min(5 * p, 1.0), rel=0.8)
    assert verdict.decision == verdict.criteria[-1].decision == decision
    assert ("among 5 criteria" in verdict.criteria[-1].reason) == (decided != decision)
    assert ("leak exposure are as demanded" in verdict.sentence) == (decision == "accepted")


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_extremes_give_numbers(right):
    """Pairs that are all alike, texts and requests that did not move, one probe, one subject: nothing is no number."""
    same = whole("b", shares(300, right))
    one = replace(BASELINE, texts=BASELINE.texts[:1], probes=BASELINE.probes[99:101], timings=BASELINE.timings[:1])
    other = replace(same, texts=one.texts, probes=one.probes, timings=one.timings)

    verdict = compare(one, other, WHOLE)

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert verdict.criterion("perplexity").upper is None
    assert verdict.criterion("perplexity").decision == verdict.criterion("latency").decision == "inconclusive"
