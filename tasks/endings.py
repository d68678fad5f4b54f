"""Endings: hooks of the flows, which file what came of a run however it ended, and lay its pages out."""

import json
from collections import defaultdict
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from assay.artifacts import Artifact, Checked, Outcome, Validated
from assay.errors import AssayError
from tasks import doorways, measuring, pages, runs, telling, tracing
from tasks.examining import examine
from tasks.judging import account
from tasks.places import home, store
from tasks.publishing import harmless, report_name
from tasks.steps import StepState, answered, observers

steps: defaultdict[str, list[StepState]] = defaultdict(list)
"""Run of this process → its steps, in the order in which they ended."""

passed: defaultdict[str, list[tuple[str, object]]] = defaultdict(list)
"""Run of this process → what its steps answered, by name of the step."""

observers.append(lambda state: steps[state.run].append(state))
answered.append(lambda run, name, answer: passed[run].append((name, answer)))


def completed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a run that came to a verdict."""
    outcome: Outcome = state.result()
    content = telling.read(outcome.content)
    name = report_name(outcome.registered)
    _file(
        flow,
        flow_run,
        state,
        {
            **telling.judged(content),
            "model": outcome.registered.model,
            "version": outcome.registered.version,
            "identity": outcome.registered.identity,
            "adapter_digest": outcome.adapter.digest,
            "report": str(home() / "reports" / name),
            "pages": {
                "report": name,
                "report_digest": outcome.page.digest,
                "content_digest": outcome.content.digest,
            },
            "dataset": pages.dataset(outcome.described),
        },
    )


def failed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File a run that came to none, with the error if it is one of ours: other messages may quote data."""
    try:
        state.result()
    except AssayError as error:
        _file(flow, flow_run, state, {"verdict": None, "error": f"{type(error).__name__}: {error}"})
    except BaseException as error:  # noqa: BLE001  # a crash and a cancellation are filed too
        _file(flow, flow_run, state, {"verdict": None, "error": f"{state.name}: {type(error).__name__}"})


def looked(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """File nothing of a flow that only looked: a trend is made of runs that went the whole path."""
    del flow, state
    _forget(str(flow_run.id))


def _forget(run: str) -> None:
    for kept in (steps, passed, doorways.stopped, measuring.stopped):
        kept.pop(run, None)


def _file(flow: Flow[..., Any], run: FlowRun, state: State[Any], came_of_it: dict[str, Any]) -> None:
    name, start = str(run.id), run.start_time or run.expected_start_time
    try:
        record = {
            "run": name,
            "flow": flow.name,
            "started": start.isoformat(timespec="seconds") if start else None,
            "recipe": run.parameters.get("recipe"),
            "recipe_file": runs.recipe_file(run.parameters.get("recipe")),
            "settings": run.parameters.get("settings"),
            "steps": [
                {"task": s.task, "state": s.state, "seconds": s.seconds, "reason": s.reason} for s in steps[name]
            ],
            "wall_seconds": round((state.timestamp - start).total_seconds(), 1) if start else None,
            "validations": _validations(name),
            **_redaction(name),
            **_cost(name),
            **_fitness(name),
            **tracing.lineage(passed[name]),
            **came_of_it,
        }
    finally:
        _forget(name)
    runs.file(record)
    with harmless():
        if record["verdict"] is None:  # A run that came to a verdict has laid its pages out.
            pages.lay_out(record, runs.every())
        pages.lay_out_index()


def _redaction(run: str) -> dict[str, Any]:
    """How well redaction worked, if the run came so far."""
    judged = [answer for name, answer in passed[run] if name == measuring.judge.name and isinstance(answer, Artifact)]
    if not (filed := measuring.stopped.get(run) or next(iter(judged), None)):
        return {}
    page = pages.of_redaction(run).relative_to(home() / "reports").as_posix()
    return {"redaction": runs.redaction(filed) | {"page": page}}


def _cost(run: str) -> dict[str, Any]:
    """What training took, if the run came so far."""
    filed = [answer for name, answer in passed[run] if name == account.name and isinstance(answer, Artifact)]
    return {"cost": json.loads(store().get(filed[-1]))} if filed else {}


def _fitness(run: str) -> dict[str, Any]:
    """What training would take, as it was told before a device was taken, and what looked unusual in the recipe."""
    filed = [answer for name, answer in passed[run] if name == examine.name and isinstance(answer, Artifact)]
    return {"fitness": json.loads(store().get(filed[-1]))} if filed else {}


def _validations(run: str) -> list[dict[str, Any]]:
    """What each suite found on the way, the one that stopped the run last."""
    stood = {
        name.removeprefix("validate-"): answer.outcome
        for name, answer in passed[run]
        if isinstance(answer, Validated | Checked)
    }
    found = [runs.validation(door, filed) for door, filed in (stood | doorways.stopped.get(run, {})).items()]
    for each in found:
        each["page"] = pages.of_doorway(each["doorway"], run).relative_to(home() / "reports").as_posix()
    return found
