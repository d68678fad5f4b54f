"""From filed answers and timings to rates, differences, a curve and advice."""

import json
from pathlib import Path

import pytest

from assay.artifacts import Artifact
from assay.evaluations import to_jsonl
from assay.outcomes import Answer
from assay.reporting.training import Training
from assay.store import ArtifactStore
from assay.trials import ApproachesSpec
from tasks import weighing
from tasks.approaches import Way

RIGHT = {"zero-shot": 20, "few-shot": 40, "fine-tuned": 160, "fine-tuned on 50 %": 120}
"""Of two hundred requests, the first so many."""


def way(name: str) -> Way:
    """As its name says."""
    return Way(name=name, is_tuned=name.startswith("fine-tuned"), share=0.5 if name.endswith("50 %") else 1.0)


def answered(store: ArtifactStore, folder: Path, name: str) -> Artifact:
    """What the step leaves of a way: two requests of each subject, all in form."""
    answers = [
        Answer(
            id=f"r{place}", subject=f"s{place // 2}", expected="{}", answer="{}", label_expected="a",
            label_predicted="a",
            scores={
                "exact_match": float(place < RIGHT[name]),
                "field_accuracy": (0.5 + float(place < RIGHT[name])) / 1.5,
                "format_adherence": 1.0,
            },
        )
        for place in range(200)
    ]  # fmt: skip
    made = folder / name.replace(" ", "-")
    made.mkdir()
    (made / "answers.jsonl").write_bytes(to_jsonl(answers))
    facts = {"examples": 0.0, "lost": 0, "cut": 0, "prompt_tokens": 90.0, "environment": {"device": "cpu"}}
    (made / "facts.json").write_text(json.dumps(facts))
    return store.put_tree("approach", made)


@pytest.fixture
def panel(store: ArtifactStore, tmp_path: Path) -> weighing.Panel:
    """Four ways, three of them timed; the tuned one is twice as quick as few-shot."""
    row = {"id": "r0", "first_ms": 50.0, "tokens": 20, "prompt_tokens": 90}
    timed = {
        "zero-shot": [row | {"total_ms": 100.0}] * 4,
        "few-shot": [row | {"total_ms": ms} for ms in (150.0, 200.0, 200.0, 250.0)],
        "fine-tuned": [row | {"total_ms": 100.0}] * 4,
    }
    filed = {name: answered(store, tmp_path, name) for name in RIGHT}
    return weighing.Panel([way(name) for name in RIGHT], filed, store.put("t", json.dumps(timed).encode()))


def terms(**fields: object) -> weighing.Terms:
    """The recipe's defaults."""
    return weighing.terms(ApproachesSpec(**fields), "exact_match", 0.95, 0.95, 300.0, None)


def test_a_rate_has_bounds_that_count_subjects_and_not_requests(panel):
    """Two requests of a subject that come out alike are little more than one."""
    found = panel.rate("few-shot", "exact_match", 0.95)
    mean = panel.rate("few-shot", "field_accuracy", 0.95)

    assert found.value == pytest.approx(0.2)
    assert 0.12 < found.lower < 0.155
    assert 0.25 < found.upper < 0.28
    assert mean.value == pytest.approx(0.4667, abs=1e-3)
    assert mean.lower < mean.value < mean.upper


def test_speed_is_of_single_requests(panel):
    """Percentiles and means of what was timed; an untimed way has none."""
    found = panel.speed("few-shot")

    assert (found.p50_ms, found.seconds, found.requests) == (200.0, 0.2, 4)
    assert found.tokens_per_second == pytest.approx(100.0)
    assert found.first_p50_ms == 50.0
    assert panel.speed("fine-tuned on 50 %") is None


def test_an_arm_is_held_against_zero_shot_and_against_the_best_other(panel):
    """Points of the learning curve are nobody's rival."""
    zero, few, tuned, half = (panel.arm(each, "exact_match", 0.95) for each in panel.ways)

    assert zero.over_first is None
    assert few.over_first.mean == pytest.approx(0.1)
    assert (few.over_first.wins, few.over_first.losses) == (20, 0)
    assert few.over_best.against == half.over_best.against == "fine-tuned"
    assert tuned.over_best.against == "few-shot"
    assert tuned.over_best.mean == pytest.approx(0.6)


def test_advice_rests_on_the_pairs_and_what_a_request_saves(panel):
    """Training took three hundred seconds and saves a tenth of one on each request."""
    arms = [panel.arm(each, "exact_match", 0.95) for each in panel.ways]
    found = weighing.recommendation(panel, arms, terms(), "exact_match")

    assert found.advice == "fine_tune"
    assert [(each.tuned, each.prompted, each.break_even) for each in found.tested] == [
        ("fine-tuned", "zero-shot", None), ("fine-tuned", "few-shot", 3000),
    ]  # fmt: skip


def test_p_values_of_a_gap_agree_with_its_bounds(panel):
    """Better by more than the margin exactly where the lower bound is above it; else it is said how many would tell."""
    near = weighing.gap(panel, "few-shot", "zero-shot", "exact_match", terms(margin=0.09), 1)
    far = weighing.gap(panel, "fine-tuned", "zero-shot", "exact_match", terms(), 1)
    many = weighing.gap(panel, "few-shot", "zero-shot", "exact_match", terms(margin=0.09), 6)

    assert far.lower > 0.02
    assert far.p_better < 0.05 < far.p_no_better
    assert far.needed == 201  # No item fewer is advised than were asked.
    assert near.lower < 0.09 < near.upper
    assert near.p_better > 0.05
    assert 200 < near.needed < many.needed


def test_the_curve_is_of_the_plainly_tuned_ways(panel):
    """Examples of the task are counted, replayed ones are not."""
    told = {"steps": 9, "truncated": 0, "tokens": 9, "trainable_parameters": 9, "seconds": 9.0}
    records = {"100 %": Training(examples=1300, replayed=100, **told), "50 %": Training(examples=600, **told)}
    found = weighing.curve(panel, records, ApproachesSpec(learning_curve=(0.5,)), "exact_match", 0.95)

    assert found.examples == (600, 1200)
    assert found.values == pytest.approx((0.6, 0.8))
    assert found.outlook == "pays"
    assert weighing.device_seconds(records["50 %"]) == pytest.approx(9.0)


def test_no_curve_goes_through_shares_that_are_the_same_examples(panel):
    """Half of a few subjects may be all of them."""
    told = {"steps": 9, "truncated": 0, "tokens": 9, "trainable_parameters": 9, "seconds": 9.0}
    records = dict.fromkeys(("100 %", "50 %"), Training(examples=3, **told))

    assert weighing.curve(panel, records, ApproachesSpec(learning_curve=(0.5,)), "exact_match", 0.95) is None
