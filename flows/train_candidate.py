"""Train a candidate: from a recipe to a registered version with a verdict."""

from prefect import flow, unmapped

from assay.artifacts import Outcome
from tasks.data import decontaminate, deduplicate, gather, ingest, redact, split, validate
from tasks.inputs import open_recipe
from tasks.judging import compare, report
from tasks.models import evaluate, prepare_base, train
from tasks.places import subject_key_fingerprint
from tasks.pool import RUNNER
from tasks.publishing import publish
from tasks.registry import register
from tasks.runs import completed, failed


@flow(
    name="train-candidate",
    persist_result=False,
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
    spec = given.spec

    base = prepare_base(spec.base)
    ingested = ingest(spec.sources, subject_key_fingerprint())
    raw = validate(ingested, "raw", given.raw, given.schema_)
    shards = redact.map(raw.records.shards, unmapped(spec.redaction))
    redacted = gather([shard.result() for shard in shards])
    clean = validate(redacted.records, "redacted", given.redacted, given.schema_)
    unique = deduplicate(clean.records)
    screened = decontaminate(unique.kept, given.benchmark, spec.curation, spec.split)
    curated = validate(screened.kept, "curated", given.curated, given.schema_)
    sides = split(curated.records, spec.split)

    asked = (sides.test, given.benchmark, given.schema_, spec.base.dtype, spec.prompt, spec.evaluation)
    before = evaluate.submit(base, None, *asked)
    training = train.submit(base, sides.train, sides.validation, spec.base.digest, spec.prompt.system, spec.training)
    trained = training.result()
    candidate = evaluate(base, trained.adapter, *asked)
    baseline = before.result()

    verdict = compare(baseline, candidate, spec.gate)
    page = report(given.card, ingested, [raw, clean, curated], redacted, [unique, screened], sides, trained, baseline,
                  candidate, verdict)  # fmt: skip
    registered = register(spec.release, given.card, base, sides, trained, candidate, verdict, page)
    return publish(registered, trained, baseline, candidate, verdict, page)
