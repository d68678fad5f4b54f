"""Measure how soon a run ends that is cancelled in Prefect: a real server, a real process worker, the real flow.

    python bench/measure_cancelling.py

A small recipe is run through the deployment ``nightly`` and cancelled once its training has saved a checkpoint; then
it is run again, until it says from where it goes on. Prints one JSON object: seconds until Prefect calls the run
cancelled and until no process of it is left, and the steps that were done, saved, and gone on from.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import measure_kills as kills
from tests.deployments.test_prefect_yaml import PREFECT, Server
from tests.flows import small

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = 400


def main() -> int:
    """Start everything, cancel a run, and look what is left."""
    home = Path(tempfile.mkdtemp(prefix="assay-cancelling-"))
    recipe = small.recipe(home / "recipe")
    with serving(home) as server, started([PREFECT, "worker", "start", "--pool", "assay"], server, home / "worker.log"):
        begin(server, recipe)
        work = until(lambda: next(iter(checkpointed(home)), None))
        found = cancel(server, work)
        begin(server, recipe)
        events = until(lambda: [event for event in kills.events(work) if event["event"] == "resumed"])
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
    for work in home.glob("assay/work/*"):
        if any(event["event"] == "checkpoint" for event in kills.events(work)):
            yield work


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server of our own with the deployments of this repository."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "assay" / "results"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "ASSAY_HOME": str(home / "assay"),
        "ASSAY_ROOT": str(ROOT),
        "ASSAY_POOL": "assay",
        "ASSAY_WORKERS": "1",
    }
    (home / "prefect").mkdir()
    server = Server(environment, home)
    command = [PREFECT, "server", "start", "--port", str(port), "--no-ui"]
    with started(command, server, home / "server.log"):
        until(lambda: server.api("GET", "health"))
        server.prefect("work-pool", "create", "assay", "--type", "process")
        server.prefect("deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
        yield server


@contextmanager
def started(command: list[str], server: Server, log: Path) -> Iterator[None]:
    """A process that is ended when this is left."""
    with log.open("w") as out:
        running = subprocess.Popen(command, env=server.environment, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()


def until(found: Callable[[], Any], seconds: float = 600) -> Any:  # noqa: ANN401
    """What ``found`` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if given := found():
                return given
        except (OSError, httpx.HTTPError):
            pass
        time.sleep(0.5)
    sys.exit(f"nothing came within {seconds:g} seconds")


if __name__ == "__main__":
    sys.exit(main())
