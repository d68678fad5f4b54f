"""Runs: what this deployment ran, with each step's state and what came of it.

One JSON file a run under ``ASSAY_HOME/runs``, written when a flow ends in whatever way, by a hook of
the flow, so runs of a worker are listed beside those typed by hand.
"""

import json
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from assay.artifacts import Evaluated, Outcome
from assay.errors import AssayError, RegistryError
from assay.evaluations import Evaluation, Verdict
from assay.store import write_atomically
from tasks.places import folder, home, store
from tasks.publishing import report_name
from tasks.steps import StepState, observers

steps: list[StepState] = []
"""Of the run in this process, in the order in which they ended."""

observers.append(steps.append)


def completed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a run that came to a verdict."""
    del flow
    outcome: Outcome = state.result()
    told = Verdict.model_validate_json(store().get(outcome.verdict))
    _write(
        flow_run,
        {
            "verdict": told.decision,
            "sentence": told.sentence,
            "reasons": list(told.reasons),
            "criteria": [criterion.model_dump(mode="json") for criterion in told.criteria],
            "model": outcome.registered.model,
            "version": outcome.registered.version,
            "identity": outcome.registered.identity,
            "adapter_digest": outcome.adapter.digest,
            "report": str(home() / "reports" / f"{report_name(outcome.registered)}.html"),
            "metrics": {"baseline": _metrics(outcome.baseline), "candidate": _metrics(outcome.candidate)},
        },
    )


def _metrics(evaluated: Evaluated) -> dict[str, float]:
    """Scores and latencies by one flat name each."""
    evaluation = Evaluation.model_validate_json(store().get(evaluated.summary))
    return evaluation.metrics | {
        "latency_p50_ms": evaluation.latency["request_p50_ms"],
        "latency_p95_ms": evaluation.latency["request_p95_ms"],
        "first_token_p50_ms": evaluation.latency["first_token_p50_ms"],
        "tokens_per_second": evaluation.latency["tokens_per_second"],
    }


def failed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a run that came to none, with the error if it is one of ours: other messages may quote data."""
    del flow
    try:
        state.result()
    except AssayError as error:
        _write(flow_run, {"verdict": None, "error": f"{type(error).__name__}: {error}"})
    except BaseException as error:  # noqa: BLE001  # a crash and a cancellation are filed too
        _write(flow_run, {"verdict": None, "error": f"{state.name}: {type(error).__name__}"})


def find(name: str) -> dict[str, Any]:
    """The record of a run by the beginning of its id; ``latest`` is the last one."""
    rows = every()
    found = rows[:1] if name == "latest" else [row for row in rows if row["run"].startswith(name)]
    if len(found) != 1:
        raise RegistryError(f"found {len(found)} runs named {name!r}; expected one. See `assay list`.")
    return found[0]


def every() -> list[dict[str, Any]]:
    """All runs, the latest first."""
    rows = [json.loads(path.read_text()) for path in folder("runs").glob("*.json")]
    return sorted(rows, key=lambda row: str(row["started"]), reverse=True)


def _write(run: FlowRun, came_of_it: dict[str, Any]) -> None:
    start = run.start_time or run.expected_start_time
    record = {
        "run": str(run.id),
        "started": start.isoformat(timespec="seconds") if start else None,
        "recipe": run.parameters.get("recipe"),
        "settings": run.parameters.get("settings"),
        "steps": [{"task": s.task, "state": s.state, "seconds": s.seconds, "reason": s.reason} for s in steps],
        **came_of_it,
    }
    write_atomically(folder("runs") / f"{run.id}.json", json.dumps(record, indent=1).encode())
    steps.clear()
