"""Steps small enough to read, on a real Prefect, and what was seen of them."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from assay.artifacts import Artifact
from tasks import steps
from tasks.places import store as found_store
from tasks.steps import Step, StepState, step
from tests.tasks.small_training import Given, prepared


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """A small training, in a home of the file's own."""
    with prepared(tmp_path_factory.mktemp("given")) as made:
        yield made


@pytest.fixture
def seen() -> Iterator[list[StepState]]:
    """What observers were told."""
    states: list[StepState] = []
    steps.observers.append(states.append)
    yield states
    steps.observers.remove(states.append)


@pytest.fixture
def doubling() -> Callable[..., Step]:
    """Makes the step ``double`` over a throwaway method at some version; ``step.calls`` counts how often it ran."""

    def made(version: int = 1, **options: Any) -> Step:
        method = ModuleType("doubling")
        method.VERSION = version
        calls: list[Any] = []

        @step(method, **options)
        def double(text: Artifact | str, times: int = 2) -> Artifact:
            calls.append(text)
            said = found_store().get(text).decode() if isinstance(text, Artifact) else text
            return found_store().put("text", (said * times).encode())

        double.calls = calls
        return double

    return made


def in_flow(function: Callable[[], Any]) -> Any:
    """Run a function as a flow, and give back what it gives."""
    from prefect import flow

    def path() -> Any:
        return function()

    return flow(name="throwaway", persist_result=False)(path)()


def words(states: list[StepState]) -> list[tuple[str, str]]:
    """Names and states."""
    return [(state.task, state.state) for state in states]
