"""Compare versions: from two registered versions to a verdict on one beside the other, and a page."""

from functools import partial

from prefect import flow

from assay.artifacts import Artifact, Dataset, Splits
from flows.curate_records import curate
from tasks.caching import ReferenceSerializer
from tasks.comparing import contrast, named, publish_comparison, stopped, timed_in_turn
from tasks.contestants import answers, both, judge, leaks
from tasks.data import split
from tasks.endings import looked
from tasks.inputs import Inputs
from tasks.judging import compare
from tasks.pool import RUNNER
from tasks.telling import report


@flow(
    name="compare-versions",
    persist_result=False,
    result_serializer=ReferenceSerializer(),  # of the error that ends it: Prefect would pickle that
    task_runner=RUNNER,
    on_completion=[looked],
    on_failure=[stopped],
    on_crashed=[stopped],
    on_cancellation=[stopped],
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
            answers that are on file are taken, unless ``settings`` change what is asked.
        settings: Values of that recipe to change, by dotted path.
    """
    before, after = both(first, second, model)
    by = judge(after, recipe, settings or {})
    gate = by.given.spec.gate

    asked = answers(before, after, by, partial(test_side, by.given))
    timed = timed_in_turn(before, after, asked.test, by.given)
    audit = leaks(after, gate)
    verdict = compare(asked.baseline, asked.candidate, gate, timed, audit)
    names = named(before, after, asked, by)
    content = contrast(names, by.given.card, asked.test, asked.baseline, asked.candidate, verdict, timed, audit)
    return publish_comparison(before, after, content, report(content))


def test_side(given: Inputs) -> Dataset:
    """The test side of a recipe, whose data steps already come from the cache if it was run before."""
    sides: Splits = split(curate(given).curated.records, given.spec.split)
    return sides.test
