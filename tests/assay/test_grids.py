"""A grid's points are recipes; what cannot be compared, or is too much, is refused."""

import shlex
from pathlib import Path

import pytest
import yaml

from assay import grids, recipes
from assay.errors import RecipeError

RECIPE = Path(__file__).parents[2] / "recipes" / "support_triage" / "recipe.yaml"
DATA = RECIPE.read_bytes()


def test_every_combination_is_a_point_as_the_recipe_reads_it():
    """The last key changes fastest; a number that YAML takes for a word is a number in the recipe."""
    found = grids.points(DATA, "r.yaml", {"training.learning_rate": ["1e-3", 2e-3], "training.rank": [8, 16]}, {})

    assert [point.settings for point in found] == [
        {"training.learning_rate": rate, "training.rank": rank} for rate in (0.001, 0.002) for rank in (8, 16)
    ]
    assert [(point.spec.learning_rate, point.spec.rank) for point in found[:2]] == [(0.001, 8), (0.001, 16)]


def test_how_often_is_measured_and_what_is_kept_may_differ():
    """That decides which weights are chosen, and not how they are compared."""
    grid = {"training.selection": [{"every": 5, "keep": "best"}, {"every": 9}]}

    assert [point.spec.selection.every for point in grids.points(DATA, "r.yaml", grid, {})] == [5, 9]


def test_settings_hold_for_every_point():
    """They are changed first, and the point over them."""
    found = grids.points(DATA, "r.yaml", {"training.rank": [8, 16]}, {"training.epochs": 7})

    assert [(point.spec.epochs, point.spec.rank) for point in found] == [(7, 8), (7, 16)]


def test_arguments_make_the_same_recipe_however_a_value_is_written():
    """What a shell reads and YAML parses is the value that was trained with."""
    settings = {
        "training.learning_rate": 2e-05,
        "training.target_modules": ["q_proj", "v_proj"],
        "purpose": "it's & so",
    }

    words = [word for word in shlex.split(grids.arguments(settings)) if word != "--set"]
    typed = {path: yaml.safe_load(value) for path, _, value in (word.partition("=") for word in words)}

    assert recipes.parse(DATA, "r.yaml", typed) == recipes.parse(DATA, "r.yaml", settings)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"split.train": [0.7, 0.8]}, "found split.train; expected keys under training"),
        ({"training.rank": [4, 0]}, r"point training.rank=0: r.yaml: training.rank: .*greater than"),
        ({"training.rnk": [4]}, r"point training.rnk=4: r.yaml: training.rnk: unknown key"),
        ({"training.rank": [*range(1, 10)], "training.seed": [*range(10)]}, "found 90 points; expected at most 64"),
        ({"training.rank": [4, 4]}, "found training.rank=4 twice"),
        ({"training.learning_rate": [0.001, "1e-3"]}, r"found training.learning_rate=0\.001 twice"),
        ({"training.rank": []}, "found no values"),
        ({}, "found no values"),
        ({"training.epochs": [1, 2]}, "found training.epochs in --set too"),
        (
            {"training.selection.answers": [0, 8]},
            r"selection.answers 8 at point training.selection.answers=8, .* has 0; .*not how it is measured",
        ),
        (
            {"training.selection": [{"every": 5}, {"metric": "exact_match", "answers": 8}]},
            "selection.metric exact_match at point .*not how it is measured",
        ),
        ({"training.selection": [{"max_new_tokens": 8}]}, r"selection.max_new_tokens 8 .* the recipe has 64"),
    ],
)
def test_a_grid_that_cannot_be_compared_is_refused(grid, said):
    """With the key or the point that is wrong by name."""
    with pytest.raises(RecipeError, match=said):
        grids.points(DATA, "r.yaml", grid, {"training.epochs": 1})


def test_what_is_wrong_with_all_points_is_said_of_none():
    """A bad ``--set`` is one mistake, and not one of each point."""
    with pytest.raises(RecipeError, match=r"^r.yaml: training.epochs"):
        grids.points(DATA, "r.yaml", {"training.rank": [4, 8]}, {"training.epochs": 0})
