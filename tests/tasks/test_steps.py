"""A step is tried again only if that can help, a plan runs nothing, and a key names all that it stands for."""

import importlib

import pytest
from prefect import unmapped
from prefect.client.schemas.objects import State
from prefect.states import Completed

from assay.artifacts import Artifact
from assay.errors import (
    ArtifactMissingError,
    ExpectationError,
    SourceError,
    StoreError,
    TrainingCrashError,
    TrainingError,
)
from assay.store import ArtifactStore
from bench.pin_versions import leans_on
from tasks.caching import ByContent
from tasks.steps import Step, Unknown, planned, planning, step
from tests.tasks.conftest import in_flow, words

MODULES = (
    "tasks.data",
    "tasks.curation",
    "tasks.doorways",
    "tasks.models",
    "tasks.describing",
    "tasks.judging",
    "tasks.examining",
    "tasks.replaying",
    "tasks.sweeping",
    "tasks.timing",
    "tasks.telling",
    "tasks.auditing",
    "tasks.noticing",
    "tasks.comparing",
    "tasks.approaches",
    "tasks.deciding",
)


def failing(error: BaseException, times: int = 99) -> Step:
    """A step that fails some times before it does not; ``step.calls`` counts."""
    calls: list[int] = []

    @step()
    def fails() -> None:
        calls.append(1)
        if len(calls) <= times:
            raise error

    fails.calls = calls
    fails.retry_delay_seconds = 0
    return fails


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(
    "error",
    [SourceError("x"), ExpectationError("x"), TrainingError("x"), ArtifactMissingError("x"), FileNotFoundError("x")],
    ids=lambda error: type(error).__name__,
)
def test_what_fails_the_second_time_too_is_not_tried_a_second_time(error: Exception, seen):
    """A failed gate and bad input are answers."""
    fails = failing(error)

    with pytest.raises(type(error), match="x"):
        in_flow(fails)

    assert len(fails.calls) == 1
    assert words(seen) == [("fails", "failed")]


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(
    "error",
    [OSError("x"), StoreError("x"), TrainingCrashError("x")],
    ids=lambda error: type(error).__name__,
)
def test_what_can_pass_the_second_time_is_tried_again(error: Exception, seen):
    """A network, a disk, a process that was killed."""
    fails = failing(error, times=2)

    in_flow(fails)

    assert len(fails.calls) == 3
    assert words(seen) == [("fails", "computed")]


@pytest.mark.usefixtures("prefect")
def test_after_three_attempts_the_error_comes_through():
    """As it is, so that the command line can say it."""
    fails = failing(OSError("disk on fire"))

    with pytest.raises(OSError, match="disk on fire"):
        in_flow(fails)

    assert len(fails.calls) == 3


@pytest.mark.usefixtures("prefect")
def test_a_step_without_a_method_always_runs(seen):
    """It acts on the world outside the store."""
    acts = failing(OSError("x"), times=0)

    in_flow(lambda: (acts(), acts()))

    assert len(acts.calls) == 2
    assert words(seen) == [("fails", "computed")] * 2


@pytest.mark.usefixtures("prefect")
def test_a_step_that_names_its_own_state_still_gives_its_answer(seen):
    """Called or submitted; registering says "cached" of itself."""
    answer = Artifact(kind="text", digest="0" * 64)

    @step()
    def knows() -> State[Artifact]:
        return Completed(name="Cached", data=answer)

    assert in_flow(lambda: (knows(), knows.submit().result())) == (answer, answer)
    assert words(seen) == [("knows", "cached")] * 2


@pytest.mark.usefixtures("prefect")
def test_a_mapped_step_is_cached_for_each_of_its_inputs(doubling, seen, store: ArtifactStore):
    """One shard more is one computation more."""
    double = doubling()
    in_flow(lambda: [future.result() for future in double.map(["a", "b"], unmapped(3))])

    found = in_flow(lambda: [future.result() for future in double.map(["a", "c", "b"], unmapped(3))])

    assert [store.get(artifact) for artifact in found] == [b"aaa", b"ccc", b"bbb"]
    assert sorted(double.calls) == ["a", "b", "c"]
    assert sorted(state.state for state in seen[2:]) == ["cached", "cached", "computed"]


@pytest.mark.usefixtures("prefect")
def test_a_plan_says_what_a_run_would_find_and_runs_nothing(doubling, store: ArtifactStore):
    """Cached up to the change, the change by name, and what comes after waits for it."""
    double, other = doubling(), doubling(2)
    outer = in_flow(lambda: double(double("a")))
    ran = list(double.calls)

    with planning() as states:
        assert planned()
        assert double(double("a")) == outer
        assert isinstance(double(other(double("a"))), Unknown)

    assert not planned()
    assert [(state.task, state.state, state.reason) for state in states] == [
        ("double", "cached", ""),
        ("double", "cached", ""),
        ("double", "cached", ""),
        ("double", "would run", "versions.doubling: 1 → 2"),
        ("double", "waits", "an earlier step would run first"),
    ]
    assert (double.calls, other.calls) == (ran, [])


@pytest.mark.usefixtures("prefect")
def test_a_plan_maps_submits_and_gathers_like_the_flow(doubling):
    """It walks the very flow that would run."""
    double = doubling()
    first = in_flow(lambda: [future.result() for future in double.map(["a", "b"], unmapped(2))])

    with planning() as states:
        known = [future.result() for future in double.map(["a", "b"], unmapped(2))]
        partly = [future.result() for future in double.map(["a", "c"], times=unmapped(2))]
        later = double.submit(partly[1]).result()
        after = [future.result() for future in double.map(later.records.shards, unmapped(2))]

    assert known == first
    assert partly[0] == first[0]
    assert all(isinstance(value, Unknown) for value in (partly[1], later, *after))
    assert [state.state for state in states] == ["cached", "cached", "cached", "would run", "waits", "waits"]


@pytest.mark.usefixtures("home")
def test_a_plan_before_the_first_run_needs_no_server_and_no_home(doubling):
    """Asking costs nothing."""
    acts = failing(OSError("x"))

    with planning() as states:
        doubling()("a")
        acts()

    assert [(state.state, state.reason) for state in states] == [
        ("would run", "first time"),
        ("would run", "never cached"),
    ]
    assert acts.calls == []


@pytest.mark.usefixtures("prefect")
def test_a_question_that_was_only_planned_is_not_remembered(doubling):
    """A plan may be asked a hundred times; it is not what was run before."""
    for _ in range(2):
        with planning() as states:
            doubling()("a")

    assert [state.reason for state in states] == ["first time"]


def steps_with_keys() -> list[Step]:
    """Every cached step there is."""
    modules = [importlib.import_module(name) for name in MODULES]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Step)]
    return [each for each in found if isinstance(each.cache_policy, ByContent)]


@pytest.mark.parametrize("each", steps_with_keys(), ids=lambda each: each.name)
def test_a_key_holds_the_version_of_all_that_its_methods_lean_on(each: Step):
    """If this fails, name the missing methods in ``@step(…)``: raising their VERSION changes nothing otherwise."""
    named = {name for name in each.cache_policy.versions if name.startswith(("assay.", "expectations."))}

    assert set().union(*map(leans_on, named)) - named == set()
