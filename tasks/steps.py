"""A step: a Prefect task that is cached by content, retried with judgement, and can be planned.

``@step(method, …)`` makes one. Calling it in a flow runs it; calling it under :func:`planning`
only asks whether its answer is already there, so ``assay plan`` walks the very flow that would run.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import unmapped
from prefect.utilities.callables import get_call_parameters

from assay.artifacts import digest_of
from assay.errors import (
    AssayError,
    StoreError,
    TrainingCrashError,
    UnexpectedError,
)
from tasks import launch
from tasks.caching import ByContent, ReferenceSerializer, answer_to, changes, reason, slot, why
from tasks.faults import bare, described

TRANSIENT = (OSError, BrokenProcessPool, TrainingCrashError, StoreError)
"""What can pass the second time. A failed gate or bad input cannot."""

FINAL = (TimeoutError, FileNotFoundError, PermissionError)
"""What cannot, of those."""


@dataclass(frozen=True)
class StepState:
    """What became of one step, in a run or in a plan."""

    task: str
    state: str
    """``computed``, ``cached``, ``failed``; in a plan ``cached``, ``would run`` or ``waits``."""

    seconds: float
    reason: str = ""
    """Why it was not taken from the cache."""

    run: str = ""
    """Id of the flow run it belongs to."""


observers: list[Callable[[StepState], None]] = []
"""Called as each step of a run in this process ends."""

answered: list[Callable[[str, str, object], None]] = []
"""Called with run, name and answer of each step that a flow in this process waits for, cached or not."""

_plan: ContextVar[list[StepState] | None] = ContextVar("plan", default=None)


class Unknown:
    """Stands in a plan for the answer of a step that would have to run; so does everything read from it."""

    def __getattr__(self, name: str) -> "Unknown":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> "Iterator[Unknown]":
        return iter((self,))

    def result(self) -> "Unknown":
        """As of a future."""
        return self


class Answered:
    """Stands in a plan for a future whose answer is on record."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def result(self) -> object:
        """The answer."""
        return self._answer


class Step(Task[..., Any]):
    """A task that, under a plan, answers from its record or not at all."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Run the step; under a plan, look its answer up."""
        if (plan := _plan.get()) is not None:
            return self._look_up(plan, get_call_parameters(self.fn, args, kwargs))
        found = super().__call__(*args, **kwargs)
        # A step that names its own state is handed back as that state, where a future would give its answer.
        answer = found.result() if isinstance(found, State) else found
        for listener in answered:
            listener(str(flow_run.id or ""), slot(self.name, get_call_parameters(self.fn, args, kwargs)), answer)
        return answer

    def submit(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Submit the step; under a plan, look its answer up."""
        if (plan := _plan.get()) is not None:
            found = self._look_up(plan, get_call_parameters(self.fn, args, kwargs))
            return found if isinstance(found, Unknown) else Answered(found)
        return super().submit(*args, **kwargs)

    def map(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Map the step over its first argument; under a plan, look each answer up."""
        if _plan.get() is None:
            return super().map(*args, **kwargs)
        first, *others = args
        plain = [other.value if isinstance(other, unmapped) else other for other in others]
        named = {name: value.value if isinstance(value, unmapped) else value for name, value in kwargs.items()}
        return [self.submit(item, *plain, **named) for item in first]

    def _look_up(self, plan: list[StepState], inputs: dict[str, Any]) -> object:
        plain = {name: _unwrapped(value) for name, value in inputs.items()}
        name = slot(self.name, plain)
        if any(_is_unknown(value) for value in plain.values()):
            plan.append(StepState(name, "waits", 0, "an earlier step would run first"))
            return Unknown()
        if not isinstance(self.cache_policy, ByContent):
            plan.append(StepState(name, "would run", 0, "never cached"))
            return Unknown()
        asked = self.cache_policy.question(self.name, plain)
        if (answer := answer_to(digest_of(asked))) is not None:
            plan.append(StepState(name, "cached", 0))
            return answer
        plan.append(StepState(name, "would run", 0, reason(changes(asked))))
        return Unknown()


@contextmanager
def planning() -> Iterator[list[StepState]]:
    """Within it, steps are looked up, not run; what was found is appended to the list."""
    states: list[StepState] = []
    token = _plan.set(states)
    try:
        yield states
    finally:
        _plan.reset(token)


def planned() -> bool:
    """Whether the flow is only being planned."""
    return _plan.get() is not None


def step(
    *methods: ModuleType | str,
    libraries: Sequence[str] = (),
    tags: Sequence[str] = (),
    retries: int = 2,
    timeout_seconds: float | None = 3600,
) -> Callable[[Callable[..., Any]], Step]:
    """Make a function a step whose key holds the ``VERSION`` of ``methods`` and of ``libraries``.

    Without methods it is never cached: it acts on the world outside the store.
    """
    cached: dict[str, Any] = {
        "cache_policy": ByContent(methods, tuple(libraries)),
        "result_serializer": ReferenceSerializer(),
        "persist_result": True,
    }

    def made(function: Callable[..., Any]) -> Step:
        return Step(
            _told(function),
            tags=list(tags),
            task_run_name=_task_run_name,
            retries=retries,
            retry_delay_seconds=exponential_backoff(2),
            retry_jitter_factor=0.5,
            retry_condition_fn=worth_retrying,
            timeout_seconds=timeout_seconds,
            on_completion=[_ended],
            on_failure=[_ended],
            **(cached if methods else {"persist_result": False}),
        )

    return made


def _told(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, whose unforeseen errors say where they arose and nothing of what they were about.

    Prefect writes an exception's text to its log and its database, and a library's text may quote a record.
    """

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        try:
            return function(*args, **kwargs)
        except (AssayError, *TRANSIENT) as error:
            told: Exception = error
        except Exception as error:  # noqa: BLE001
            told = UnexpectedError(described(error))
        raise bare(told)  # Here, where no other error is being handled, so that none becomes its context again.

    return guarded


def worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether the failure is of a kind that can pass the second time."""
    del task, run
    try:
        state.result()
    except FINAL:
        return False
    except TRANSIENT:
        return True
    except BaseException:  # noqa: BLE001  # whatever else it was, it is no reason to try again
        return False
    return False


def _task_run_name() -> str:
    from prefect.runtime import task_run

    return slot(cast("str", task_run.task_name), cast("dict[str, object]", task_run.parameters))


def failed_alone(_task: Task[..., Any], run: TaskRun, state: State[Any]) -> None:
    """In place of the hook of a step that may fail: say so, as of every step, and end nothing else of the run."""
    error = cast("BaseException", state.result(raise_on_failure=False))
    started = run.start_time or state.timestamp
    seconds = round((state.timestamp - started).total_seconds(), 2)
    ended = StepState(run.name, "failed", seconds, told(error), str(run.flow_run_id or ""))
    for observer in observers:
        observer(ended)


def told(error: BaseException) -> str:
    """What may be said of an error: its message if it is ours."""
    return str(error) if isinstance(error, AssayError) else described(error)


def _ended(task: Task[..., Any], run: TaskRun, state: State[Any]) -> None:
    belongs_to = str(run.flow_run_id or "")
    if state.is_failed():  # No flow of ours outlives a step.
        launch.end_unwanted(belongs_to, cast("BaseException", state.result(raise_on_failure=False)))
    started = run.start_time or state.timestamp
    cached = state.name == "Cached"
    word = "failed" if state.is_failed() else "cached" if cached else "computed"
    changed = why.get(run.id)
    ended = StepState(
        task=run.name.rsplit("/", 1)[-1] or task.name,
        state=word,
        seconds=0.0 if cached else round((state.timestamp - started).total_seconds(), 2),
        reason=reason(changed) if changed is not None and word == "computed" else "",
        run=belongs_to,
    )
    for observer in observers:
        observer(ended)


def _unwrapped(value: object) -> object:
    if isinstance(value, Answered):
        return value.result()
    if isinstance(value, (list, tuple)):
        return type(value)(_unwrapped(item) for item in value)
    return value


def _is_unknown(value: object) -> bool:
    return isinstance(value, Unknown) or (isinstance(value, (list, tuple)) and any(map(_is_unknown, value)))
