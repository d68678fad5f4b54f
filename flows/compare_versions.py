"""Compare versions: from two registered versions to a verdict on one beside the other, and a page."""

from typing import Any

from prefect import flow

from assay.artifacts import Artifact
from flows.curate_records import curate
from tasks.caching import ReferenceSerializer
from tasks.comparing import ON_FILE, asked_anew, contrast, ended, named, publish_comparison, timed_in_turn
from tasks.contestants import Pair, Version, alike, both
from tasks.contestants import recipe as recipe_of
from tasks.data import split
from tasks.inputs import Inputs, open_recipe
from tasks.judging import compare
from tasks.models import evaluate
from tasks.pool import RUNNER
from tasks.telling import report


@flow(
    name="compare-versions",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[ended],
    on_failure=[ended],
    on_crashed=[ended],
    on_cancellation=[ended],
)
def compare_versions(
    first: str,
    second: str,
    model: str | None = None,
    recipe: str | None = None,
    settings: dict[str, object] | None = None,
) -> Artifact:
    """Hold one version against another under a gate.

    Args:
        first: The baseline: a version's number, where it stands, or the run that made it.
        second: The candidate, the same.
        model: Name they are registered under, if there are several.
        recipe: Whose gate judges, and by which both are asked anew; the second's own if none is given, and then
            answers that are on file are taken.
        settings: Values of that recipe to change, by dotted path.
    """
    before, after = both(first, second, model)
    path, changed = (recipe, {}) if recipe else recipe_of(after)
    given = open_recipe(path, {**changed, **(settings or {})})
    asked = None if recipe else alike(before, after)
    told = ON_FILE
    if asked is None:
        asked = ask(before, after, given)
        told = asked_anew(given.spec.name, asked.test)

    timed = timed_in_turn(before, after, asked.test, given)
    verdict = compare(asked.baseline, asked.candidate, given.spec.gate, timed)
    names: dict[str, Any] = named(before, after, told)
    content = contrast(names, given.card, asked.test, asked.baseline, asked.candidate, verdict, timed)
    return publish_comparison(before, after, content, report(content))


def ask(before: Version, after: Version, given: Inputs) -> Pair:
    """Ask both the test side of a recipe: its data steps and what was asked already come from the cache."""
    spec = given.spec
    test = split(curate(given).curated.records, spec.split).test
    asked = (test, given.questions, spec.base.dtype, spec.prompt, spec.evaluation)
    return Pair(evaluate(before.base, before.adapter, *asked), evaluate(after.base, after.adapter, *asked), test)
