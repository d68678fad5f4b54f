"""Sweeping: one recipe trained with several settings, and a page on which they are compared.

Every point is trained by the very step that ``assay run`` trains with, so a run of the winner finds it in the cache. A
point that fails is a row with its reason; the others go on. A sweep is filed as ``ASSAY_HOME/sweeps/RUN.json``, a small
JSON file of settings and digests, and its page lies at ``ASSAY_HOME/reports/sweeps/RUN.html``.
"""

import datetime as dt
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import wait
from prefect.runtime import flow_run

from assay import grids
from assay.artifacts import JSON, Artifact, Dataset, Reference, Trained
from assay.errors import AssayError, RecipeError, RegistryError, TrainingError
from assay.evaluation import ranking
from assay.grids import Point
from assay.reporting import cost, curves, pages, wording
from assay.reporting import sweep as reporting
from assay.reporting import training as recorded
from assay.store import write_atomically
from tasks import runs, shards
from tasks.faults import described
from tasks.models import train
from tasks.pages import lay_out_index
from tasks.places import folder, place_page, store
from tasks.publishing import harmless, link
from tasks.steps import StepState, observers, step

VERSION = 1  # Raise on any change here that could change a comparison: it is part of its key.


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


def lengths(points: Sequence[Point]) -> list[int]:
    """Each ``max_length`` of a grid once: rows are laid out and checked for each."""
    return sorted({point.spec.max_length for point in points})


def train_each(points: Sequence[Point], asked: Mapping[int, Sequence[object]]) -> list[Ended]:
    """Train every point as a mapped run of the step that a candidate is trained by; wait for all of them.

    Args:
        points: Of a grid.
        asked: ``max_length`` → what :func:`train` is given before the recipe's part, in order.
    """
    rows = [(*asked[point.spec.max_length], point.spec) for point in points]
    futures = _patient().map(*(list(column) for column in zip(*rows, strict=True)))
    wait(futures)
    return [_ended(point, future.state) for point, future in zip(points, futures, strict=True)]


def _patient() -> Task[..., Any]:
    """The step ``train``, of the same name and key, whose failure ends no other point of its run."""
    return train.with_options(on_failure=[_told])


def _ended(point: Point, state: State[Any]) -> Ended:
    """What came of a point; a run that is cancelled or crashed is none of its results."""
    if not state.is_failed():
        return Ended(settings=point.settings, trained=cast("Trained", state.result()))
    error = cast("BaseException", state.result(raise_on_failure=False))
    return Ended(settings=point.settings, failed=_reason(error))


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, AssayError) else described(error)


def _told(_task: Task[..., Any], run: TaskRun, state: State[Any]) -> None:
    """Say that a point failed, as every step is told of, and leave the others alone."""
    error = cast("BaseException", state.result(raise_on_failure=False))
    started = run.start_time or state.timestamp
    seconds = round((state.timestamp - started).total_seconds(), 2)
    ended = StepState(run.name, "failed", seconds, _reason(error), str(run.flow_run_id or ""))
    for observer in observers:
        observer(ended)


@step("tasks.sweeping", ranking)
def compare_points(
    about: dict[str, str],
    command: str,
    settings: dict[str, Any],
    points: list[Ended],
    validation: Dataset,
    metric: str,
    price: dict[str, Any] | None,
) -> Artifact:
    """Put the points of a sweep in order, by what the validation side says of each.

    Raises:
        TrainingError: every point failed.
    """
    shown = [_shown(point, metric) for point in points]
    if all(point.failed for point in shown):
        raise TrainingError(
            f"found {len(shown)} points, of which every one failed; expected one that was trained to its end. The "
            f"first said: {shown[0].failed}"
        )
    ranked = ranking.rank([point.settings for point in shown], [point.value for point in shown], metric)
    winner = shown[ranked.winner]
    content = reporting.Content(
        name=about["name"],
        owner=about["owner"],
        metric=metric,
        points=tuple(shown),
        ranking=reporting.Ranking.model_validate(ranked),
        settings=settings,
        validation_records=shards.count(validation),
        price=cost.Price.model_validate(price) if price else None,
        command=command + grids.arguments(winner.settings),
    )
    return store().put("sweep", content.model_dump_json(indent=1).encode())


@step("tasks.sweeping", reporting, pages, curves, cost, wording, libraries=("jinja2",))
def report_points(compared: Artifact) -> Artifact:
    """Set a comparison as one page."""
    return store().put("sweep-page", reporting.page(read(compared)))


def read(compared: Artifact) -> reporting.Content:
    """What a comparison says."""
    return reporting.Content.model_validate_json(store().get(compared))


def command(recipe: str, settings: Mapping[str, object] | None) -> str:
    """What runs the recipe as it was swept; a point's own settings come after."""
    return f"assay run {shlex.quote(recipe)}{grids.arguments(settings or {})}"


def _shown(point: Ended, metric: str) -> reporting.Point:
    """What a page says of a point, from the record of its training."""
    if point.trained is None:
        return reporting.Point(settings=point.settings, failed=point.failed)
    record = recorded.Training.model_validate_json(store().get(point.trained.record))
    value = record.kept_loss if metric == "held_out_loss" else _kept(record.measured(metric), record.kept_at)
    if value is None:
        return reporting.Point(settings=point.settings, failed=f"{metric} was not measured of its weights")
    return reporting.Point(
        settings=point.settings,
        value=value,
        steps=record.steps,
        chosen_step=record.kept_at,
        stopped_early=record.stopped_early,
        held_out_loss=record.kept_loss,
        train_loss=record.learned_loss,
        tokens=record.tokens,
        seconds=record.seconds,
        device_hours=record.seconds * record.devices / 3600,
        adapter=point.trained.adapter.digest,
        adapter_bytes=sum(int(entry["size"]) for entry in store().files(point.trained.adapter).values()),
        trainable_parameters=record.trainable_parameters,
        held_out_losses=tuple(record.held_out),
    )


def _kept(measured: Sequence[tuple[float, float]], step: float) -> float | None:
    """The last value up to the step whose weights are kept."""
    return next((value for at, value in reversed(measured) if at <= step), None)


def publish_sweep(recipe: str, grid: Mapping[str, Sequence[object]], compared: Artifact, page: Artifact) -> Artifact:
    """File a sweep, lay out its page, and link that from the run."""
    run, now = str(flow_run.id), dt.datetime.now(dt.UTC)
    told = read(compared)
    record: dict[str, JSON] = {
        "run": run,
        "ended": now.isoformat(timespec="seconds"),
        "recipe": recipe,
        "recipe_file": runs.recipe_file(recipe),
        "grid": cast("JSON", {path: list(values) for path, values in grid.items()}),
        "settings": cast("JSON", told.settings),
        "best": cast("JSON", told.winner.settings),
        "command": told.command,
        "compared": compared.digest,
        "page": f"sweeps/{run[:12]}.html",
        "page_digest": page.digest,
    }
    write_atomically(folder("sweeps") / f"{run}.json", json.dumps(record, indent=1).encode())
    with harmless():
        link("sweep", lay_out(record), f"{len(told.points)} trainings of {told.name}, compared")
        lay_out_index()
    return compared


def find(run: str) -> dict[str, Any]:
    """The record of a sweep by the id of its run."""
    path = folder("sweeps") / f"{run}.json"
    if not path.is_file():
        raise RegistryError(f"found no sweep {run[:8]}; expected one that ended. See {path.parent}.")
    return cast("dict[str, Any]", json.loads(path.read_text()))


def compared(record: Mapping[str, Any]) -> reporting.Content:
    """The comparison of a sweep."""
    return read(Artifact(kind="sweep", digest=record["compared"]))


def lay_out(record: Mapping[str, Any]) -> Path:
    """Lay out the page of a sweep."""
    return place_page(record["page"], store().get(Artifact(kind="sweep-page", digest=record["page_digest"])))


def every() -> list[dict[str, Any]]:
    """The records of all sweeps, the latest first."""
    found = (json.loads(path.read_text()) for path in folder("sweeps").glob("*.json"))
    return sorted(found, key=lambda record: str(record["ended"]), reverse=True)


def build() -> None:
    """Lay the pages of all sweeps out anew, as far as the store still holds them."""
    for record in every():
        if store().holds(Artifact(kind="sweep-page", digest=record["page_digest"])):
            lay_out(record)
