"""Train a candidate: from a recipe to a registered version with a verdict."""

from prefect import flow

from assay.artifacts import Outcome
from flows.curate_records import curate
from tasks.auditing import audited, planted
from tasks.caching import ReferenceSerializer
from tasks.data import split
from tasks.describing import describe
from tasks.doorways import validate_answers, validate_sides
from tasks.endings import completed, failed
from tasks.examining import examine
from tasks.inputs import open_recipe
from tasks.judging import account, compare, tell
from tasks.models import evaluate, prepare_base, tokenise, train, train_again
from tasks.noticing import find_hard
from tasks.pool import RUNNER
from tasks.publishing import publish
from tasks.registry import register
from tasks.replaying import replayed
from tasks.telling import report
from tasks.timing import time_requests


@flow(
    name="train-candidate",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[completed],
    on_failure=[failed],
    on_crashed=[failed],
    on_cancellation=[failed],
)
def train_candidate(recipe: str, settings: dict[str, object] | None = None) -> Outcome:
    """Take a recipe to a registered candidate.

    Args:
        recipe: Path of a recipe.yaml, or of the folder that holds one.
        settings: Values to change, by dotted path, such as {"training.epochs": 2}.
    """
    given = open_recipe(recipe, settings)
    spec, suites, waived = given.spec, given.suites, given.waived
    twins = spec.curation.near_duplicates

    prepared = prepare_base.submit(spec.base)
    data = curate(given)
    sides = split(data.curated.records, spec.split)
    base = prepared.result()

    asked = (sides.test, given.questions, spec.base.dtype, spec.prompt, spec.evaluation)
    form = given.questions.schema_
    tokens = tokenise(base, sides.train, sides.validation, spec.prompt.system, spec.training.max_length)
    examine(base, tokens, spec.training)  # Whatever is wrong with the recipe is said before a device is taken.
    canaries = planted(sides.train, spec)
    general = replayed(
        base, given.prompts, given.examined, sides.train, spec.base.dtype, spec.training.max_length,
        spec.curation.contamination, spec.replay, spec.redaction,
    )  # fmt: skip
    learned = validate_sides(
        sides, tokens, "splits", suites["splits"], waived["splits"], form, spec.prompt.label, twins, general
    )
    before = evaluate.submit(base, None, *asked)
    learns = (base, tokens, general, sides.validation, spec.base.digest, spec.prompt.system)
    training = train.submit(*learns, spec.training)
    trained = training.result()
    candidate = evaluate(base, trained.adapter, *asked)
    repeats = train_again(spec.repeat_seeds, learns, spec.training)
    account(trained, repeats, given.card["price"])
    noticed = find_hard(trained, sides.train)
    answered = validate_answers(candidate, "predictions", suites["predictions"], waived["predictions"], form, twins)
    baseline = before.result()

    timed = time_requests(
        base, trained.adapter, sides.test, form, spec.base.dtype, spec.prompt, spec.evaluation, given.questions.releases
    )
    leaks = audited(base, trained, sides.train, data.sealed, spec, canaries)
    verdict = compare(baseline, candidate, spec.gate, timed, leaks)
    doorways = [data.raw, data.clean, data.curated, learned, answered]
    described = describe(
        given.about_data,
        data.ingested,
        doorways[:4],
        data.redacted,
        data.screened,
        sides,
        given.decisions,
        data.redaction,
        general,
    )
    content = tell(
        given.card,
        data.ingested,
        doorways,
        data.redacted,
        data.redaction,
        data.screened,
        sides,
        trained,
        repeats,
        baseline,
        candidate,
        timed,
        leaks,
        noticed,
        verdict,
    )
    page = report(content)
    registered = register(spec.release, given.card, base, sides, trained, candidate, verdict, page)
    return publish(
        registered, trained, baseline, candidate, verdict, page, content, doorways, described, data.redaction
    )
