"""A recipe trained with several settings: what is refused before anything runs, and what a sweep leaves behind."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.errors import RecipeError, TrainingError
from assay.reporting.sweep import Content
from cli.running import parse_settings
from flows.sweep_candidates import sweep_candidates
from flows.train_candidate import train_candidate
from tasks import launch, runs, steps, sweeping, sweeps
from tasks.places import folder
from tests.flows import small
from tests.tasks.small_training import ROOT, checkpointed, processes, until

pytestmark = pytest.mark.slow

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
    record = sweeps.find(str(state.state_details.flow_run_id))
    return Swept(recipe, record, sweeping.compared(record), states)


@pytest.fixture(scope="module")
def swept(path_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """The small recipe with three learning rates, of which one is out of all reason."""
    return sweep(small.by_rules(small.recipe(tmp_path_factory.mktemp("recipe"))), GRID, **SHORT)


def trainings(states: list) -> list[str]:
    """What became of each training."""
    return sorted(state.state for state in states if state.task.startswith("train"))


def test_each_point_is_trained_and_the_data_path_is_walked_once(swept):
    """Three trainings; every other step once, but for those that are mapped over shards."""
    assert trainings(swept.states) == ["computed", "computed", "failed"]
    assert [state.task for state in swept.states].count("split") == 1
    assert not {"evaluate-baseline", "evaluate-candidate", "register"} & {state.task for state in swept.states}


def test_each_training_is_named_by_its_point(swept):
    """In Prefect and in the terminal, in the words of the table; each was examined before."""
    names = [f"learning_rate {rate}, rank 4" for rate in ("0.001", "0.01", "1e+300")]

    told = [state.task for state in swept.states]
    assert sorted(name for name in told if name.startswith("train")) == [f"train {name}" for name in names]
    assert [name for name in told if name.startswith("examine")] == [f"examine {name}" for name in names]


STRICT = (
    small.SPLITS
    + """\
  - id: splits-3
    expect: column_token_counts_to_be_between
    column: input_ids
    parameters: {min_value: 2, max_value: 100}
    where: {column: side, in: [train, validation]}
    why: It is what this test is about.
    on_fail: stop
"""
)


def test_a_length_that_cannot_be_trained_on_fails_for_itself_and_takes_no_device(swept):
    """Over the model's window, too short for an answer, or not what the suite lets pass: the others go on."""
    (swept.recipe.parent / "strict.yml").write_text(STRICT)

    found = sweep(
        swept.recipe, {"training.max_length": [100, 192, 4096, 8]}, **SHORT, **{"expectations.splits": "strict.yml"}
    )

    good, stopped, over, under = found.content.points
    assert good.value is not None
    assert "splits-3" in stopped.failed
    assert "training.max_length: found 4096, expected at most the model's 256" in over.failed
    assert "examples are longer than 8 tokens" in under.failed
    assert trainings(found.states) == ["computed"]
    assert [state.task for state in found.states if state.state == "failed"] == [
        "examine max_length 8", "validate-splits", "examine max_length 4096",
    ]  # fmt: skip


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


def test_a_sweep_is_no_run_and_is_listed_beside_them(swept):
    """With what it computed itself, and the page that the index leads to."""
    assert runs.every() == []
    assert swept.record["points"] == 3
    assert swept.record["failed"] == 1
    trained = [point.device_hours for point in swept.content.points if not point.failed]
    assert swept.record["device_hours"] == pytest.approx(sum(trained))
    assert f'href="./{swept.record["page"]}"' in (folder("reports") / "index.html").read_text()


def test_a_sweep_of_which_every_point_fails_fails_with_the_first_reason(swept):
    """There is nothing to compare; it is on record as a sweep that failed, and `latest` is a run still."""
    with pytest.raises(TrainingError, match=r"2 points, of which every one failed.*learning_rate"):
        sweep(swept.recipe, {"training.learning_rate": [1e300, 1e301]}, **SHORT)

    record = sweeps.every()[0]
    assert record["error"].startswith("TrainingError: found 2 points")
    assert [step["state"] for step in record["steps"] if step["task"].startswith("train")] == ["failed"] * 2
    assert runs.every() == []
    assert "of which every one failed" in (folder("reports") / "index.html").read_text()
    sweeping.build()


def test_a_sweep_that_is_told_to_end_saves_first_and_leaves_no_process(swept):
    """By a scheduler's word, as any run is: within seconds, and the training that was under way can go on."""
    from prefect.settings import get_current_settings

    home = folder("work").parent
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "ASSAY_CHECKPOINT_STEPS": "2",
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_API_URL": str(get_current_settings().api.url),
    }
    command = [sys.executable, "-m", "cli.main", "sweep", str(swept.recipe), "--grid", "training.epochs=500,501"]
    before = set(home.glob("work/*"))
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        until(lambda: [work for work in set(home.glob("work/*")) - before if checkpointed(work)])
        told = time.monotonic()
        running.send_signal(signal.SIGTERM)
        running.wait(60)
        took = time.monotonic() - told

    [work] = [work for work in set(home.glob("work/*")) - before if checkpointed(work)]
    assert took < launch.GRACE
    assert running.returncode
    assert not processes(work)
    events = [json.loads(line) for line in (work / "progress.jsonl").read_text().splitlines()]
    assert checkpointed(work) == max(event["step"] for event in events if event["event"] == "step")
    assert "compared" not in sweeps.every()[0]


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
