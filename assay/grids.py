"""Grids: every combination of some values of a recipe's settings, each checked as the recipe that it makes.

Only what a model is taught by may differ between points: they share data, base and measurement, or they could not be
compared.
"""

import itertools
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from assay import recipes
from assay.artifacts import Reference
from assay.errors import RecipeError
from assay.spec import RunSpec
from assay.tuning import TrainingSpec

MOST_POINTS = 64
"""Each is a whole training."""

PREFIX = "training."

MEASURING = ("metric", "answers", "max_new_tokens")
"""Of ``training.selection``: what says how points are measured, so that it must be the same for all."""


class Point(Reference):
    """One place in a grid."""

    settings: dict[str, Any]
    """Dotted path → value, as the recipe reads it."""

    spec: TrainingSpec


def points(data: bytes, name: str, grid: Mapping[str, Sequence[object]], settings: Mapping[str, object]) -> list[Point]:
    """Every point of a grid; the last key changes fastest.

    Args:
        data: The recipe's bytes.
        name: Of its file, for messages.
        grid: Dotted path → values.
        settings: What is changed for all points.

    Raises:
        RecipeError: the grid varies what it must not, is empty or too large, names a point twice, or one is no recipe.
    """
    _refuse(grid, settings)
    recipe = recipes.parse(data, name, settings)  # What is wrong with all points is said of none.
    found = [
        _point(data, name, settings, dict(zip(grid, values, strict=True)))
        for values in itertools.product(*grid.values())
    ]
    _refuse_measured_otherwise(found, recipe)
    seen: set[TrainingSpec] = set()
    for point in found:
        if point.spec in seen:
            raise RecipeError(f"--grid: found {named(point.settings)} twice; expected each point once. Remove one.")
        seen.add(point.spec)
    return found


def arguments(settings: Mapping[str, object]) -> str:
    """Settings as ``--set`` takes them on a command line, with a space before each."""
    return "".join(f" --set {shlex.quote(named({path: value}))}" for path, value in settings.items())


def named(settings: Mapping[str, object]) -> str:
    """Settings in a line."""
    return ", ".join(f"{path}={_written(value)}" for path, value in settings.items())


def _refuse(grid: Mapping[str, Sequence[object]], settings: Mapping[str, object]) -> None:
    if not grid or not all(grid.values()):
        raise RecipeError("--grid: found no values; expected some, such as training.rank=8,16.")
    if others := sorted(path for path in grid if not path.startswith(PREFIX)):
        raise RecipeError(
            f"--grid: found {', '.join(others)}; expected keys under {PREFIX[:-1]}: points share data, base and "
            "measurement, or they could not be compared. Change it with --set, for all points."
        )
    if both := sorted(grid.keys() & settings.keys()):
        raise RecipeError(f"--grid: found {', '.join(both)} in --set too; expected it in one of them. Remove one.")
    if (count := math.prod(map(len, grid.values()))) > MOST_POINTS:
        raise RecipeError(
            f"--grid: found {count:,} points; expected at most {MOST_POINTS}, since each is a whole training. Name "
            "fewer values."
        )


def _refuse_measured_otherwise(points: Sequence[Point], recipe: RunSpec) -> None:
    """Whether it is named by itself or as part of ``training.selection``; the recipe's own is what the page says."""
    for point in points:
        for name in MEASURING:
            here, there = (getattr(spec.selection, name) for spec in (point.spec, recipe.training))
            if here != there:
                raise RecipeError(
                    f"--grid: found training.selection.{name} {here} at point {named(point.settings)}, where the "
                    f"recipe has {there}; expected what is learned, not how it is measured: points are compared by "
                    "that. Change it with --set, for all points."
                )


def _point(data: bytes, name: str, settings: Mapping[str, object], changed: Mapping[str, object]) -> Point:
    try:
        spec = recipes.parse(data, name, {**settings, **changed})
    except RecipeError as error:
        raise RecipeError(f"--grid: point {named(changed)}: {error}") from None
    return Point(settings={path: _read(spec, path) for path in changed}, spec=spec.training)


def _read(spec: RunSpec, path: str) -> object:
    """The value at a dotted path, as the recipe reads it: ``1e-3`` is a number there."""
    node: Any = spec.model_dump(mode="json")
    for part in path.split("."):
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
