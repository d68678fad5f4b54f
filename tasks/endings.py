"""Endings: hooks of the flows, which file what came of a run however it ended, and lay its pages out."""

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from assay.artifacts import Checked, Evaluated, Outcome, Validated
from assay.errors import AssayError
from assay.evaluations import Evaluation, Verdict
from tasks import doorways, pages, runs
from tasks.places import home, store
from tasks.publishing import harmless, report_name
from tasks.steps import StepState, answered, observers

steps: list[StepState] = []
"""Of the run in this process, in the order in which they ended."""

passed: list[tuple[str, object]] = []
"""What the run's steps answered, by name of the step."""

observers.append(steps.append)
answered.append(lambda name, answer: passed.append((name, answer)))


def completed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a run that came to a verdict."""
    del flow
    outcome: Outcome = state.result()
    told = Verdict.model_validate_json(store().get(outcome.verdict))
    name = report_name(outcome.registered)
    _file(
        flow_run,
        state,
        {
            "verdict": told.decision,
            "sentence": told.sentence,
            "reasons": list(told.reasons),
            "criteria": [criterion.model_dump(mode="json") for criterion in told.criteria],
            "model": outcome.registered.model,
            "version": outcome.registered.version,
            "identity": outcome.registered.identity,
            "adapter_digest": outcome.adapter.digest,
            "report": str(home() / "reports" / name),
            "metrics": {"baseline": _metrics(outcome.baseline), "candidate": _metrics(outcome.candidate)},
            "pages": {"report": name},
            "dataset": pages.dataset(outcome.described),
        },
    )


def failed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a run that came to none, with the error if it is one of ours: other messages may quote data."""
    del flow
    try:
        state.result()
    except AssayError as error:
        _file(flow_run, state, {"verdict": None, "error": f"{type(error).__name__}: {error}"})
    except BaseException as error:  # noqa: BLE001  # a crash and a cancellation are filed too
        _file(flow_run, state, {"verdict": None, "error": f"{state.name}: {type(error).__name__}"})


def looked(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File nothing of a flow that only looked: a trend is made of runs that went the whole path."""
    del flow, flow_run, state
    _forget()


def _forget() -> None:
    for kept in (steps, passed, doorways.stopped):
        kept.clear()


def _metrics(evaluated: Evaluated) -> dict[str, float]:
    """Scores and latencies by one flat name each."""
    evaluation = Evaluation.model_validate_json(store().get(evaluated.summary))
    return evaluation.metrics | {
        "latency_p50_ms": evaluation.latency["request_p50_ms"],
        "latency_p95_ms": evaluation.latency["request_p95_ms"],
        "first_token_p50_ms": evaluation.latency["first_token_p50_ms"],
        "tokens_per_second": evaluation.latency["tokens_per_second"],
    }


def _file(run: FlowRun, state: State[Any], came_of_it: dict[str, Any]) -> None:
    start = run.start_time or run.expected_start_time
    stood = [
        (name.removeprefix("validate-"), answer.outcome)
        for name, answer in passed
        if isinstance(answer, Validated | Checked)
    ]
    validations = [runs.validation(doorway, filed) for doorway, filed in [*stood, *doorways.stopped]]
    for found in validations:
        found["page"] = pages.of_doorway(found["doorway"], str(run.id)).relative_to(home() / "reports").as_posix()
    runs.file(
        {
            "run": str(run.id),
            "started": start.isoformat(timespec="seconds") if start else None,
            "recipe": run.parameters.get("recipe"),
            "settings": run.parameters.get("settings"),
            "steps": [{"task": s.task, "state": s.state, "seconds": s.seconds, "reason": s.reason} for s in steps],
            "wall_seconds": round((state.timestamp - start).total_seconds(), 1) if start else None,
            "validations": validations,
            **came_of_it,
        }
    )
    _forget()
    with harmless():
        pages.lay_out_index()
