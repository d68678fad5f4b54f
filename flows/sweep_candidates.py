"""Sweep candidates: from a recipe and a grid of settings to a page on which their trainings are compared."""

from prefect import flow

from assay.artifacts import Artifact
from flows.curate_records import curate
from tasks.caching import ReferenceSerializer
from tasks.data import split
from tasks.doorways import validate_sides
from tasks.endings import failed, looked
from tasks.inputs import open_recipe
from tasks.models import prepare_base, tokenise
from tasks.pool import RUNNER
from tasks.replaying import replayed
from tasks.sweeping import command, compare_points, lengths, open_grid, publish_sweep, report_points, train_each


@flow(
    name="sweep-candidates",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[looked],
    on_failure=[failed],
    on_crashed=[failed],
    on_cancellation=[failed],
)
def sweep_candidates(recipe: str, grid: dict[str, list[object]], settings: dict[str, object] | None = None) -> Artifact:
    """Train a recipe once for each point of a grid, and compare them on the validation side.

    Args:
        recipe: Path of a recipe.yaml, or of the folder that holds one.
        grid: Values by dotted path, such as {"training.rank": [8, 16]}; each combination is a point.
        settings: Values to change for all points, by dotted path.
    """
    points = open_grid(recipe, grid, settings)
    given = open_recipe(recipe, settings)
    spec, suites, waived = given.spec, given.suites, given.waived

    prepared = prepare_base.submit(spec.base)
    data = curate(given)
    sides = split(data.curated.records, spec.split)
    base = prepared.result()
    asked: dict[int, tuple[object, ...]] = {}
    for length in lengths(points):
        tokens = tokenise(base, sides.train, sides.validation, spec.prompt.system, length)
        validate_sides(
            sides, tokens, "splits", suites["splits"], waived["splits"], given.schema_, spec.prompt.label,
            spec.curation.near_duplicates,
        )  # fmt: skip
        general = replayed(
            base, given.prompts, given.benchmark, sides.train, spec.base.dtype, length, spec.curation.contamination,
            spec.replay,
        )  # fmt: skip
        asked[length] = (base, tokens, general, sides.validation, spec.base.digest, spec.prompt.system)

    ended = train_each(points, asked)
    price = spec.price.model_dump() if spec.price else None
    compared = compare_points(
        given.about,
        command(recipe, settings),
        settings or {},
        ended,
        sides.validation,
        spec.training.selection.metric,
        price,
    )
    return publish_sweep(recipe, grid, compared, report_points(compared))
