"""Sweeping: one recipe trained with several settings, and a page on which they are compared.

Every point is trained by the very step that ``assay run`` trains with, so a run of the winner finds it in the cache;
what becomes of each is in :mod:`tasks.points`. A sweep is filed by :mod:`tasks.sweeps` however it ended, and its page
lies at ``ASSAY_HOME/reports/sweeps/RUN.html``.
"""

import datetime as dt
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import Flow, runtime
from prefect.client.schemas.objects import FlowRun, State

from assay import grids
from assay.artifacts import Artifact, Dataset
from assay.errors import AssayError, TrainingError
from assay.evaluation import ranking
from assay.reporting import charts, claims, cost, curves, pages, wording
from assay.reporting import sweep as reporting
from assay.reporting import training as recorded
from tasks import endings, runs, shards, sweeps
from tasks.pages import lay_out_index
from tasks.places import place_page, store
from tasks.points import Ended, named
from tasks.publishing import harmless, link
from tasks.steps import step

VERSION = 3  # Raise on any change here that could change a comparison: it is part of its key.

LOSS = "held_out_loss"

PAGE = (reporting, pages, curves, cost, wording, charts, claims)
"""What a sweep's page is set with, and what that leans on."""


@step("tasks.sweeping", ranking, *PAGE)
def compare_points(
    about: dict[str, str],
    command: str,
    settings: dict[str, Any],
    points: list[Ended],
    validation: Dataset,
    metric: str,
    answers: int,
    price: dict[str, Any] | None,
) -> Artifact:
    """Put the points of a sweep in order, by what the validation side says of each.

    ``metric`` is what they are compared by; ``answers`` is how many records each was asked for it, unless it is the
    loss, which is of all. The price is a plain value: as a spec it would be in no key.

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
    winner, records = shown[ranked.winner], shards.count(validation)
    content = reporting.Content(
        name=about["name"],
        owner=about["owner"],
        metric=metric,
        points=tuple(shown),
        ranking=reporting.Ranking.model_validate(ranked),
        settings=settings,
        validation_records=records,
        asked_records=records if metric == LOSS else min(answers, records),
        price=cost.Price.model_validate(price) if price else None,
        command=command + grids.arguments(winner.settings),
    )
    return store().put("sweep", content.model_dump_json(indent=1).encode())


@step("tasks.sweeping", *PAGE, libraries=("jinja2",))
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
    value = record.kept_loss if metric == LOSS else _kept(record.measured(metric), record.kept_at)
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
        device_hours=cost.hours(record),
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
    run, told = str(runtime.flow_run.id), read(compared)
    record = _record(run, recipe, grid, told.settings) | {
        "points": len(told.points),
        "failed": sum(bool(point.failed) for point in told.points),
        "best": told.winner.settings,
        "sentence": reporting.headline(told),
        "command": told.command,
        "device_hours": _spent(run, told),
        "price": told.price.model_dump() if told.price else None,
        "compared": compared.digest,
        "page": f"sweeps/{run[:12]}.html",
        "page_digest": page.digest,
    }
    sweeps.file(record)
    with harmless():
        link("sweep", lay_out(record), f"{len(told.points)} trainings of {told.name}, compared")
        lay_out_index()
    return compared


def stopped(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a sweep that came to no comparison, with the error if it is one of ours: other messages may quote data."""
    try:
        state.result()
    except AssayError as error:
        reason = f"{type(error).__name__}: {error}"
    except BaseException as error:  # noqa: BLE001  # a crash and a cancellation are filed too
        reason = f"{state.name}: {type(error).__name__}"
    else:
        reason = str(state.name)
    given = flow_run.parameters
    record = _record(str(flow_run.id), given["recipe"], given["grid"], given.get("settings") or {})
    endings.looked(flow, flow_run, state)
    sweeps.file(record | {"error": reason})
    with harmless():
        lay_out_index()


def _record(
    run: str, recipe: str, grid: Mapping[str, Sequence[object]], settings: Mapping[str, object]
) -> dict[str, Any]:
    """What is filed of every sweep, however it ended."""
    return {
        "run": run,
        "ended": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "recipe": recipe,
        "recipe_file": runs.recipe_file(recipe),
        "grid": {path: list(values) for path, values in grid.items()},
        "settings": dict(settings),
        "steps": [
            {"task": each.task, "state": each.state, "seconds": each.seconds, "reason": each.reason}
            for each in endings.steps[run]
        ],
    }


def _spent(run: str, told: reporting.Content) -> float:
    """Device-hours of what was trained now: what came from the cache was paid for by whoever trained it."""
    computed = {each.task for each in endings.steps[run] if each.state == "computed"}
    return sum(point.device_hours or 0.0 for point in told.points if named("train", point.settings) in computed)


def compared(record: Mapping[str, Any]) -> reporting.Content:
    """The comparison of a sweep."""
    return read(Artifact(kind="sweep", digest=record["compared"]))


def lay_out(record: Mapping[str, Any]) -> Path:
    """Lay out the page of a sweep."""
    return place_page(record["page"], store().get(Artifact(kind="sweep-page", digest=record["page_digest"])))


def build() -> None:
    """Lay the pages of all sweeps out anew, as far as there is one and the store still holds it."""
    for record in sweeps.every():
        if "page" in record and store().holds(Artifact(kind="sweep-page", digest=record["page_digest"])):
            lay_out(record)
