"""The small recipe asked in every way: what is computed, what comes from the cache, and what is left behind."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from assay.errors import RecipeError
from assay.reporting.approaches import Content
from flows.compare_approaches import compare_approaches
from tasks import deciding, ledgers, runs, steps
from tasks.places import folder
from tests.flows import small

pytestmark = pytest.mark.slow

PART = {
    "records": 16,
    "shots": 1,
    "retrieved": 2,
    "constrained": True,
    "learning_curve": [0.5],
    "system": "Reply with JSON: intent, order_id.",
}
WAYS = [
    "zero-shot", "few-shot", "retrieval", "fine-tuned", "fine-tuned + retrieval", "zero-shot, constrained",
    "few-shot, constrained", "retrieval, constrained", "fine-tuned, constrained",
    "fine-tuned + retrieval, constrained", "fine-tuned on 50 %",
]  # fmt: skip


@dataclass(frozen=True)
class Decided:
    """A finished comparison: its recipe, its record, what it says, and its steps."""

    recipe: Path
    record: dict
    content: Content
    states: list


def decide(recipe: Path, **settings: object) -> Decided:
    """Compare the ways of a recipe and collect its steps."""
    states: list[steps.StepState] = []
    steps.observers.append(states.append)
    try:
        state = compare_approaches(str(recipe), settings or None, return_state=True)
        state.result()
    finally:
        steps.observers.remove(states.append)
    record = ledgers.find(deciding.LEDGER, str(state.state_details.flow_run_id))
    return Decided(recipe, record, deciding.weighed(record), states)


@pytest.fixture(scope="module")
def decided(path_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """The small recipe, with every kind of way."""
    recipe = small.by_rules(small.recipe(tmp_path_factory.mktemp("recipe")))
    tree = yaml.safe_load(recipe.read_text()) | {"approaches": PART}
    tree["evaluation"]["max_new_tokens"] = 40
    recipe.write_text(yaml.safe_dump(tree))
    return decide(recipe)


def test_every_way_answers_the_same_locked_requests(decided):
    """Each is a step of its own, named by its way; the digest of the requests is on record."""
    assert [arm.name for arm in decided.content.arms] == WAYS
    assert {f"answer {name}" for name in WAYS} <= {state.task for state in decided.states}
    assert decided.content.records == 16
    assert decided.record["locked"] == decided.content.locked


def test_a_constrained_way_keeps_the_form_and_examples_lengthen_a_prompt(decided):
    """A model that learned nothing fills it as it can; what has no room is counted."""
    arms = {arm.name: arm for arm in decided.content.arms}

    assert arms["zero-shot"].format_adherence.value == 0
    assert arms["zero-shot, constrained"].format_adherence.value > 0.5
    assert arms["retrieval"].prompt_tokens > arms["zero-shot"].prompt_tokens
    assert arms["retrieval"].lost > 0
    assert arms["zero-shot"].examples == 0


def test_all_ways_are_timed_in_turn_but_those_of_the_curve(decided):
    """They differ from the tuned one in their weights alone."""
    timed = {arm.name: arm.speed for arm in decided.content.arms}

    assert timed["fine-tuned on 50 %"] is None
    assert all(speed.requests == 3 and speed.p95_ms >= speed.p50_ms > 0 for speed in timed.values() if speed)
    assert sum(speed is not None for speed in timed.values()) == len(WAYS) - 1


def test_the_curve_has_its_points_and_the_advice_its_pairs(decided):
    """Half the examples and all of them; every tuned way against every prompted one that is not out."""
    half, whole = decided.content.curve.examples
    assert half < whole
    assert decided.content.recommendation.advice in {"none", "undecided", "do_not_fine_tune", "fine_tune"}
    assert decided.record["sentence"] == decided.content.recommendation.sentence


def test_deciding_again_computes_nothing_and_other_terms_only_the_advice(decided):
    """No model is asked for what it has answered; nor is the adapter trained again."""
    again = decide(decided.recipe)
    other = decide(decided.recipe, **{"approaches.volume": 1000})

    assert {state.state for state in again.states} == {"cached"}
    assert again.content == decided.content
    assert {state.task for state in other.states if state.state == "computed"} == {"weigh", "report_decision"}
    assert other.content.volume == 1000


def test_a_run_finds_the_adapter_that_was_compared(decided):
    """By the same step, asked the same; and the other way round."""
    _, states = small.run(decided.recipe)

    assert {state.state for state in states if state.task == "train"} == {"cached"}
    assert len(runs.every()) == 1


def test_the_page_lies_under_the_reports_and_can_be_laid_out_anew(decided):
    """It names nobody, asks nothing of a network, and is made of what the store holds."""
    page = folder("reports") / decided.record["page"]
    written = page.read_text()
    page.unlink()

    deciding.build()

    assert page.read_text() == written
    assert small.SECRET not in written
    assert all(page.parent.joinpath(link).is_file() for link in re.findall(r'href="([^"#]+)', written))


def test_a_comparison_that_fails_is_on_record_with_its_reason(decided):
    """It is no run; ``assay show`` says why."""
    with pytest.raises(RecipeError, match=r"max_length"):
        decide(decided.recipe, **{"training.max_length": 4096})

    record = ledgers.every(deciding.LEDGER)[0]
    assert "max_length" in record["error"]
    assert "weighed" not in record
