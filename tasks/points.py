"""Points: what becomes of each point of a grid, from the recipe that it makes to what it learned, or why it did not.

A point that fails is a row with its reason, and the others go on: its failure is told as that of every step, and ends
nothing else of the run. Each is examined before a device is taken for any; rows are laid out, checked and replayed once
for each length, and where that fails, so do the points of that length and no others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from prefect import Task
from prefect.client.schemas.objects import State
from prefect.futures import wait
from prefect.runtime import task_run

from assay import grids
from assay.artifacts import Artifact, Reference, Tokenised, Trained
from assay.errors import AssayError, RecipeError
from assay.grids import Point
from assay.reporting.sweep import told
from tasks.examining import examine
from tasks.models import train
from tasks.steps import failed_alone
from tasks.steps import told as why_not


class Ended(Reference):
    """What came of a point: what was trained, or why it was not."""

    settings: dict[str, Any]
    trained: Trained | None = None
    failed: str = ""


def open_grid(recipe: str, grid: Mapping[str, Sequence[object]], settings: Mapping[str, object] | None) -> list[Point]:
    """Every point of a grid, each checked as the recipe that it makes.

    Args:
        recipe: Path of a recipe.yaml, or of the folder that holds one.
        grid: Dotted path → values.
        settings: What is changed for all points.

    Raises:
        RecipeError: there is no such recipe, or the grid is wrong.
    """
    file = Path(recipe)
    file = file / "recipe.yaml" if file.is_dir() else file
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecipeError(f"recipe: found {type(error).__name__} at {file}; expected a file. Check the path.") from None
    return grids.points(data, file.name, grid, settings or {})


class Tried:
    """The points of a sweep, and why some of them are not trained."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self._failed: dict[int, str] = {}

    @property
    def lengths(self) -> list[int]:
        """Each ``max_length`` of the grid once."""
        return sorted({point.spec.max_length for point in self._points})

    def examine(self, length: int, base: Artifact, tokens: Tokenised) -> None:
        """Refuse those points of a length that cannot be trained on these rows; no device is taken for it."""
        patient: Callable[..., Any] = self._patient(examine)
        for place in self._left(length):
            with self._failing([place]):
                patient(base, tokens, self._points[place].spec)

    def together(self, step: Task[..., Any], length: int, *given: object) -> Any:  # noqa: ANN401
        """What a step answers that all points of a length share; None if none of them is left, or now none is."""
        if left := self._left(length):
            with self._failing(left):
                return step.with_options(on_failure=[failed_alone])(*given)
        return None

    def train(self, asked: Mapping[int, Sequence[object]]) -> list[Ended]:
        """Train those that are left as mapped runs of the step that a candidate is trained by; wait for all of them.

        Args:
            asked: ``max_length`` → what :func:`tasks.models.train` is given before the recipe's part, in order.
        """
        left = [place for length in self.lengths for place in self._left(length)]
        rows = [(*asked[self._points[place].spec.max_length], self._points[place].spec) for place in left]
        columns = [list(column) for column in zip(*rows, strict=True)]
        futures = self._patient(train).map(*columns) if left else []
        wait(list(futures))
        ended = {place: _ended(self._points[place], future.state) for place, future in zip(left, futures, strict=True)}
        return [
            ended.get(place) or Ended(settings=point.settings, failed=self._failed[place])
            for place, point in enumerate(self._points)
        ]

    def _left(self, length: int) -> list[int]:
        return [
            place
            for place, point in enumerate(self._points)
            if point.spec.max_length == length and place not in self._failed
        ]

    @contextmanager
    def _failing(self, places: Sequence[int]) -> Iterator[None]:
        """File an error of ours as the reason why points are not trained, and go on."""
        try:
            yield
        except AssayError as error:
            self._failed |= dict.fromkeys(places, str(error))

    def _patient(self, step: Task[..., Any]) -> Task[..., Any]:
        """A step of the same name and key, whose runs are named by their points and end no other by failing."""
        return step.with_options(on_failure=[failed_alone], task_run_name=self._named(step))

    def _named(self, step: Task[..., Any]) -> Callable[[], str]:
        names = {point.spec: named(step.name, point.settings) for point in self._points}
        return lambda: names[cast("dict[str, Any]", task_run.parameters)["spec"]]


def named(step: str, settings: Mapping[str, Any]) -> str:
    """What a step's run for a point is called, in Prefect and in a terminal."""
    return f"{step} {told(settings)}".replace("/", "|")  # A name with a slash is told from its last one on.


def _ended(point: Point, state: State[Any]) -> Ended:
    """What came of a point; a run that is cancelled or crashed is none of its results."""
    if not state.is_failed():
        return Ended(settings=point.settings, trained=cast("Trained", state.result()))
    error = cast("BaseException", state.result(raise_on_failure=False))
    return Ended(settings=point.settings, failed=why_not(error))
