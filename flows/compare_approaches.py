"""Compare approaches: from a recipe to a recommendation whether to fine-tune, prompt or retrieve."""

from prefect import flow

from assay.artifacts import Artifact
from flows.curate_records import curate
from tasks.approaches import Material, ask_all, choose, draw, retrieve, time_all, train_shares, wanted, ways
from tasks.caching import ReferenceSerializer
from tasks.data import split
from tasks.deciding import command, publish_decision, report_decision, stopped, weigh
from tasks.doorways import validate_sides
from tasks.endings import looked
from tasks.examining import examine
from tasks.inputs import open_recipe
from tasks.models import prepare_base, tokenise
from tasks.pool import RUNNER
from tasks.replaying import replayed


@flow(
    name="compare-approaches",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[looked],
    on_failure=[stopped],
    on_crashed=[stopped],
    on_cancellation=[stopped],
)
def compare_approaches(recipe: str, settings: dict[str, object] | None = None) -> Artifact:
    """Ask one locked set in every way that a recipe names, and recommend one of them.

    Args:
        recipe: Path of a recipe.yaml, or of the folder that holds one.
        settings: Values to change, by dotted path, such as {"approaches.records": 400}.
    """
    given = open_recipe(recipe, settings)
    spec, tried, label = given.spec, wanted(given.spec), given.spec.prompt.label
    schema, twins = given.questions.schema_, spec.curation.near_duplicates

    prepared = [prepare_base.submit(base) for base in (spec.base, *tried.bases)]
    data = curate(given)
    sides = split(data.curated.records, spec.split)
    bases = tuple(each.result() for each in prepared)
    base = bases[0]

    locked = draw(sides.test, tried.records, tried.seed)
    few = choose(sides.train, locked, label, tried.shots, tried.seed)
    nearest = retrieve(sides.train, locked, tried.retrieved)

    tokens = tokenise(base, sides.train, sides.validation, spec.prompt.system, spec.training.max_length)
    examine(base, tokens, spec.training)
    general = replayed(
        base, given.prompts, given.examined, sides.train, spec.base.dtype, spec.training.max_length,
        spec.curation.contamination, spec.replay, spec.redaction,
    )  # fmt: skip
    validate_sides(
        sides, tokens, "splits", given.suites["splits"], given.waived["splits"], schema, label, twins, general
    )
    asked = (base, tokens, general, sides.validation, spec.base.digest, spec.prompt.system)
    trained = train_shares(asked, sides.train, spec)

    material = Material(
        bases=bases,
        adapters={part: each.adapter for part, each in trained.items()},
        locked=locked,
        train=sides.train,
        few=few,
        nearest=nearest,
    )
    found = ways(tried, bound=spec.evaluation.constrained)
    answered = ask_all(found, spec, material, schema)
    timed = time_all(found, spec, material, schema)
    weighed = weigh(
        given.about, command(recipe, settings), settings or {}, found, answered, timed, trained, sides.train, tried,
        spec.gate, given.card["price"],
    )  # fmt: skip
    return publish_decision(recipe, settings, weighed, report_decision(weighed))
