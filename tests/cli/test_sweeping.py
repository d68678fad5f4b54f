"""A grid is typed as keys and values; what is wrong with it is said in a line, before anything is started."""

import json
import sys
from pathlib import Path

import pytest

from assay.errors import RecipeError
from assay.reporting.sweep import Content
from cli import sweeping
from cli.main import main
from tests.assay.reporting.test_sweep import content, seeded

RECIPE = str(Path(__file__).parents[2] / "recipes" / "support_triage")


def test_values_stand_between_commas_and_are_yaml():
    """Numbers, words, lists."""
    given = [
        "training.rank=8,16",
        "training.schedule=cosine, linear",
        "training.target_modules=[q_proj],[q_proj, v_proj]",
    ]

    assert sweeping.parse_grid(given) == {
        "training.rank": [8, 16],
        "training.schedule": ["cosine", "linear"],
        "training.target_modules": [["q_proj"], ["q_proj", "v_proj"]],
    }


@pytest.mark.parametrize("given", [["training.rank"], ["=8,16"], ["training.rank=8", "training.rank=16"]])
def test_what_is_no_key_with_values_is_refused(given):
    """Nothing after the key, no key, or one key twice."""
    with pytest.raises(RecipeError, match="expected KEY=VALUE,VALUE"):
        sweeping.parse_grid(given)


def test_values_that_are_no_yaml_are_refused():
    """A bracket that is not closed."""
    with pytest.raises(RecipeError, match=r"--grid training.rank: the values are no YAML"):
        sweeping.parse_grid(["training.rank=8,[16"])


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("split.train=0.7,0.8", "expected keys under training"),
        ("training.rank=8,0", "--grid: point training.rank=0: recipe.yaml: training.rank"),
        ("training.seed=" + ",".join(map(str, range(65))), "found 65 points; expected at most 64"),
    ],
)
def test_a_grid_that_is_wrong_is_bad_input_and_nothing_is_written(home, capsys, grid, said):
    """Exit status 2, one line, no run."""
    assert main(["sweep", RECIPE, "--grid", grid]) == 2

    assert said in capsys.readouterr().err
    assert not list(home.glob("runs/*"))


def test_a_recipe_that_is_not_there_is_bad_input(home, capsys, tmp_path):
    """With the path."""
    assert main(["sweep", str(tmp_path / "none.yaml"), "--grid", "training.rank=8"]) == 2

    assert "none.yaml" in capsys.readouterr().err


def told(found: Content, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed of a sweep."""
    sweeping.tell(found, sys.stdout)
    return capsys.readouterr().out


def test_the_points_are_printed_best_first_with_what_runs_the_best(capsys):
    """A failed one says why; the command can be pasted."""
    lines = told(content(), capsys).splitlines()

    assert lines[1].startswith("SETTINGS")
    assert [line.split("  ")[0] for line in lines[2:5]] == [
        f"learning_rate {rate}" for rate in ("0.002", "0.001", "0.1")
    ]
    assert "failed    learning_rate 0.1: step 3: found loss nan, expected finite numbers" in lines
    assert lines[1].split("  ")[-1] == "DEVICE HOURS"
    assert any(line.startswith("run it    assay run small --set training.learning_rate=0.002") for line in lines)


def test_another_metric_than_the_loss_has_a_column(capsys):
    """A failed point has none of it."""
    lines = told(content(metric="exact_match"), capsys).splitlines()

    assert lines[1].split()[1] == "EXACT_MATCH"
    assert lines[4].split()[2:5] == ["-", "failed", "-"]


def test_seeds_are_printed_with_what_they_moved(capsys):
    """The lead against the deviation."""
    assert "no more than seeds moved it" in told(seeded(0.1, 0.2), capsys)


def test_a_machine_reads_the_same_as_one_line():
    """Points with their settings, the best, its lead and its command."""
    line = json.loads(json.dumps(sweeping.line(content())))

    assert line["best"] == {"training.learning_rate": 0.002}
    assert line["points"][0]["value"] == 0.4
    assert line["points"][2]["failed"]
    assert "held_out_losses" not in line["points"][0]


def test_a_run_that_is_not_there_cannot_be_trained_again(home, capsys):
    """Bad input, as everywhere."""
    assert main(["verify", "retrain", "nosuch"]) == 2

    assert "found 0 runs named 'nosuch'" in capsys.readouterr().err
