"""Measure how soon a run ends that is cancelled in Prefect: a real server, a real process worker, the real flow.

    python bench/measure_cancelling.py

A small recipe is run through the deployment ``nightly`` and cancelled once its training has saved a checkpoint; then
it is run again, until it says from where it goes on. Prints one JSON object: seconds until Prefect calls the run
cancelled and until no process of it is left, and the steps that were done, saved, and gone on from.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import measure_kills as kills
from tests.deployments.serving import PREFECT, Server, eventually, serving, started
from tests.flows import small

EPOCHS = 400
PATIENCE = 600.0
"""Seconds until a run must have come to its training."""


def main() -> int:
    """Start everything, cancel a run, and look what is left."""
    home = Path(tempfile.mkdtemp(prefix="assay-cancelling-"))
    recipe = small.recipe(home / "recipe")
    with serving(home) as server, started([PREFECT, "worker", "start", "--pool", "assay"], server, home / "worker.log"):
        begin(server, recipe)
        work = eventually(lambda: next(iter(checkpointed(home)), None), PATIENCE)
        found = cancel(server, work)
        begin(server, recipe)
        events = eventually(lambda: [each for each in kills.events(work) if each["event"] == "resumed"], PATIENCE)
        found["resumed_from_step"] = events[0]["step"]
        cancel(server, work)
    print(json.dumps(found, indent=1))
    return 0


def begin(server: Server, recipe: Path) -> None:
    """Ask for a run that trains for long."""
    parameters = {"recipe": str(recipe), "settings": {"training.epochs": EPOCHS}}
    server.prefect("deployment", "run", "train-candidate/nightly", "--params", json.dumps(parameters))


def cancel(server: Server, work: Path) -> dict[str, Any]:
    """Cancel the run that is under way, and wait until nothing of it is left."""
    running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
    [run] = server.api("POST", "flow_runs/filter", **running)
    steps = max(kills.steps(work), default=0)
    began = time.monotonic()
    server.api("POST", f"flow_runs/{run['id']}/set_state", state={"type": "CANCELLING"})
    seconds: dict[str, float] = {}
    while len(seconds) < 2:
        if not list(kills.children(work)):
            seconds.setdefault("seconds_until_no_process", round(time.monotonic() - began, 1))
        state = server.api("GET", f"flow_runs/{run['id']}")["state"]["name"]
        if state not in {"Running", "Cancelling"}:
            seconds.setdefault("seconds_until_state", round(time.monotonic() - began, 1))
        time.sleep(0.2)
    saved = max((event["step"] for event in kills.events(work) if event["event"] == "checkpoint"), default=0)
    done = max(kills.steps(work), default=0)
    return {"state": state, **seconds, "step_when_cancelled": steps, "steps_done": done, "saved_at_step": saved}


def checkpointed(home: Path) -> Iterator[Path]:
    """Folders in which a training has saved a checkpoint."""
    for work in (home / "assay" / "work").glob("*"):
        if any(event["event"] == "checkpoint" for event in kills.events(work)):
            yield work


if __name__ == "__main__":
    sys.exit(main())
