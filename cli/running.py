"""``assay run`` and ``assay plan``: what is typed most."""

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import yaml

from assay.errors import RecipeError
from cli.tables import Steps, before_and_after, spent, unusual, verdict

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import State


def run(recipe: str, settings: list[str], *, as_json: bool) -> str:
    """Run a recipe, print each step as it ends, and return the verdict."""
    started = time.monotonic()
    changed = parse_settings(settings)
    from tasks.inputs import open_recipe

    open_recipe(recipe, changed)  # Whatever is wrong with the recipe is said before a server is started.
    from flows.train_candidate import train_candidate
    from tasks import runs

    out = sys.stderr if as_json else sys.stdout
    print(f"assay run {recipe}", file=out)
    state = followed(train_candidate, (recipe, changed), out)
    record = runs.find(str(state.state_details.flow_run_id))
    record["wall_seconds"] = round(time.monotonic() - started, 1)
    _tell(record, out)
    if as_json:
        print(json.dumps(_line(record)))
    return str(record["verdict"])


def followed(flow: "Flow[..., Any]", given: tuple[object, ...], out: TextIO) -> "State[Any]":
    """Run a flow, print each step as it ends, and give its state, unless it failed.

    Told to end, by a person or a scheduler, it tells what trains to save a checkpoint and go.
    """
    from tasks import launch, pool, publishing, steps

    def interrupted(*_: object) -> None:
        launch.stop_all()
        raise KeyboardInterrupt

    for sign in (signal.SIGINT, signal.SIGTERM):  # While a flow runs the second is Prefect's, and then ours again.
        signal.signal(sign, interrupted)
    shown = Steps(out)
    steps.observers.append(shown.ended)
    publishing.listeners.append(shown.progressed)
    try:
        state: Any = flow(*given, return_state=True)
    finally:
        pool.close()
        shown.close()
    state.result()
    return cast("State[Any]", state)


def plan(recipe: str, settings: list[str]) -> None:
    """Walk the flow without running it, and print what each step would do and why."""
    changed = parse_settings(settings)
    from assay.evaluation.memorisation import reach
    from flows.train_candidate import train_candidate
    from tasks import questions
    from tasks.inputs import open_recipe
    from tasks.steps import planning

    with planning() as states:
        train_candidate.fn(recipe, changed)
    shown = Steps(sys.stdout)
    for state in states:
        shown.ended(state)
    shown.close()
    cached = sum(state.state == "cached" for state in states)
    print(f"\n{cached} of {len(states)} steps are cached; `assay run {recipe}` would run the rest.")
    given = open_recipe(recipe, changed)
    print("\nwhat the gate can show:")
    audit = given.spec.leak_audit
    leaks = reach.shown_by(audit, given.spec.gate) if audit else []
    for sentence in (*questions.shown_by(given.questions, given.spec.gate), *leaks):
        print(f"  - {sentence}")


def parse_settings(settings: list[str]) -> dict[str, object]:
    """``KEY=VALUE`` pairs, values as YAML."""
    changed: dict[str, object] = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key:
            raise RecipeError(f"--set: found {setting!r}; expected KEY=VALUE, such as training.epochs=2.")
        try:
            changed[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):
            raise RecipeError(f"--set {key}: the value is no YAML; expected a number, a word, or a list.") from None
    return changed


def _tell(record: dict[str, Any], out: TextIO) -> None:
    print(file=out)
    print(before_and_after(record["metrics"]["baseline"], record["metrics"]["candidate"]), file=out)
    print(f"\n{verdict(record)}", file=out)
    for line in unusual(record):
        print(f"unusual   {line}", file=out)
    for place, line in enumerate(spent(record["cost"]) if record.get("cost") else []):
        print(f"{'' if place else 'cost':<10}{line}", file=out)
    print(f"version   {record['model']} {record['version']}", file=out)
    print(f"report    {record['report']}", file=out)
    print(f"all pages {Path(record['report']).with_name('index.html')}", file=out)
    print(f"time      {record['wall_seconds']:.1f} s", file=out)


def _line(record: dict[str, Any]) -> dict[str, Any]:
    names = ("verdict", "reasons", "version", "adapter_digest", "report", "wall_seconds")
    return {
        **{name: record[name] for name in names},
        "steps": [{name: step[name] for name in ("task", "state", "seconds")} for step in record["steps"]],
        "metrics": record["metrics"],
        "cost": record.get("cost"),
    }
