"""Sweep candidates: from a recipe and a grid of settings to a page on which their trainings are compared."""

from prefect import flow

from assay.artifacts import Artifact
from flows.curate_records import curate
from tasks.caching import ReferenceSerializer
from tasks.data import engines, split
from tasks.doorways import validate_sides
from tasks.endings import looked
from tasks.inputs import open_recipe
from tasks.models import prepare_base, tokenise
from tasks.points import Tried, open_grid
from tasks.pool import RUNNER
from tasks.replaying import replay
from tasks.sweeping import command, compare_points, publish_sweep, report_points, stopped


@flow(
    name="sweep-candidates",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[looked],
    on_failure=[stopped],
    on_crashed=[stopped],
    on_cancellation=[stopped],
)
def sweep_candidates(recipe: str, grid: dict[str, list[object]], settings: dict[str, object] | None = None) -> Artifact:
    """Train a recipe once for each point of a grid, and compare them on the validation side.

    Args:
        recipe: Path of a recipe.yaml, or of the folder that holds one.
        grid: Values by dotted path, such as {"training.rank": [8, 16]}; each combination is a point.
        settings: Values to change for all points, by dotted path.
    """
    tried = Tried(open_grid(recipe, grid, settings))
    given = open_recipe(recipe, settings)
    spec, suites, waived = given.spec, given.suites, given.waived

    prepared = prepare_base.submit(spec.base)
    data = curate(given)
    sides = split(data.curated.records, spec.split)
    base = prepared.result()
    asked: dict[int, tuple[object, ...]] = {}
    for length in tried.lengths:
        tokens = tokenise(base, sides.train, sides.validation, spec.prompt.system, length)
        tried.examine(length, base, tokens)
        general = given.prompts and tried.together(
            replay, length, base, given.prompts, given.examined, sides.train, spec.base.dtype, length,
            spec.curation.contamination, spec.replay, spec.redaction, engines(spec.redaction),
        )  # fmt: skip
        tried.together(
            validate_sides, length, sides, tokens, "splits", suites["splits"], waived["splits"],
            given.questions.schema_, spec.prompt.label, spec.curation.near_duplicates, general,
        )  # fmt: skip
        asked[length] = (base, tokens, general, sides.validation, spec.base.digest, spec.prompt.system)

    ended, chosen = tried.train(asked), spec.training.selection
    compared = compare_points(
        given.about,
        command(recipe, settings),
        settings or {},
        ended,
        sides.validation,
        chosen.metric,
        chosen.answers,
        given.card["price"],
    )
    return publish_sweep(recipe, grid, compared, report_points(compared))
