"""A recipe trained with several settings: what is refused before anything runs, and what a sweep leaves behind."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.errors import RecipeError, TrainingError
from assay.reporting.sweep import Content
from cli.running import parse_settings
from flows.sweep_candidates import sweep_candidates
from flows.train_candidate import train_candidate
from tasks import runs, steps, sweeping
from tasks.places import folder
from tests.flows import small

GRID = {"training.learning_rate": [1e-3, "1e-2", 1e300], "training.rank": [4]}
SHORT = {"training.epochs": 1}


@dataclass(frozen=True)
class Swept:
    """A finished sweep: its recipe, its record, what it found, and its steps."""

    recipe: Path
    record: dict
    content: Content
    states: list


def sweep(recipe: Path, grid: dict, **settings: object) -> Swept:
    """Sweep a recipe and collect its steps."""
    states: list[steps.StepState] = []
    steps.observers.append(states.append)
    try:
        state = sweep_candidates(str(recipe), grid, settings or None, return_state=True)
        state.result()
    finally:
        steps.observers.remove(states.append)
    record = sweeping.find(str(state.state_details.flow_run_id))
    return Swept(recipe, record, sweeping.compared(record), states)


@pytest.fixture(scope="module")
def swept(path_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """The small recipe with three learning rates, of which one is out of all reason."""
    return sweep(small.recipe(tmp_path_factory.mktemp("recipe")), GRID, **SHORT)


def trainings(states: list) -> list[str]:
    """What became of each training."""
    return sorted(state.state for state in states if state.task == "train")


def test_each_point_is_trained_and_the_data_path_is_walked_once(swept):
    """Three trainings; every other step once, but for those that are mapped over shards."""
    assert trainings(swept.states) == ["computed", "computed", "failed"]
    assert [state.task for state in swept.states].count("split") == 1
    assert not {"evaluate-baseline", "evaluate-candidate", "register"} & {state.task for state in swept.states}


def test_a_point_that_fails_is_a_row_with_its_reason_and_ends_no_other(swept):
    """The learning rate that diverges says so; the others are trained to their end."""
    good, better, bad = swept.content.points

    assert "learning_rate" in bad.failed
    assert bad.value is None
    assert not good.failed
    assert not better.failed
    assert good.adapter != better.adapter


def test_points_are_compared_by_the_held_out_loss_of_what_each_would_hand_on(swept):
    """The smaller loss comes first; a failed point comes last."""
    losses = [point.value for point in swept.content.ranked]

    assert losses[0] < losses[1]
    assert losses[2] is None
    assert swept.content.winner.value == min(losses[:2])
    assert swept.content.winner.held_out_losses


def test_a_run_of_the_winner_takes_its_training_from_the_cache(swept):
    """The command on the page asks the same question, however its values are written."""
    words = shlex.split(swept.content.command)
    settings = parse_settings([words[place + 1] for place, word in enumerate(words) if word == "--set"])

    with steps.planning() as plan:
        train_candidate.fn(words[2], settings)

    assert words[:2] == ["assay", "run"]
    assert words[2] == str(swept.recipe)
    assert [state.state for state in plan if state.task == "train"] == ["cached"]


def test_the_same_sweep_trains_only_what_failed(swept):
    """What failed is tried again; the rest is on record."""
    again = sweep(swept.recipe, GRID, **SHORT)

    assert trainings(again.states) == ["cached", "cached", "failed"]
    assert {state.task for state in again.states if state.state == "computed"} == set()
    assert again.content == swept.content


def test_the_page_lies_under_the_reports_and_can_be_laid_out_anew(swept):
    """It asks nothing of a network, links to what is there, and is made of what the store holds."""
    page = folder("reports") / swept.record["page"]
    written = page.read_text()
    page.unlink()

    sweeping.build()

    assert page.read_text() == written
    assert all(page.parent.joinpath(link).is_file() for link in re.findall(r'href="([^"#]+)', written))
    assert "The test side was not asked" in written
    assert small.SECRET not in written


def test_a_sweep_is_no_run_with_a_verdict(swept):
    """Trends and the index are about runs that went the whole path."""
    assert runs.every() == []


def test_a_sweep_of_which_every_point_fails_fails_with_the_first_reason(swept):
    """There is nothing to compare; the run is on record as failed."""
    with pytest.raises(TrainingError, match=r"2 points, of which every one failed.*learning_rate"):
        sweep(swept.recipe, {"training.learning_rate": [1e300, 1e301]}, **SHORT)

    assert json.loads(next(folder("runs").glob("*.json")).read_text())["flow"] == "sweep-candidates"
    for path in folder("runs").glob("*.json"):
        path.unlink()


def test_a_grid_that_is_wrong_is_refused_before_anything_runs(swept):
    """With the point by name; no step is asked anything."""
    states: list[steps.StepState] = []
    steps.observers.append(states.append)
    try:
        with pytest.raises(RecipeError, match=r"point training.rank=0: recipe.yaml: training.rank"):
            sweep_candidates(str(swept.recipe), {"training.rank": [4, 0]})
    finally:
        steps.observers.remove(states.append)

    assert states == []
