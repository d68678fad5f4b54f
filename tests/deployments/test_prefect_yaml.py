"""A real server, a real worker: every flow deploys, a schedule comes, and an ad-hoc run ends in a version.

Prefect's metadata allow libraries with which its server does not start, or with which its schedules
never fire and only the server's log says so. This is where that would be seen.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows import small

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))


@dataclass(frozen=True)
class Server:
    """A running server, and the environment in which it is the one that is spoken to."""

    environment: dict[str, str]
    home: Path

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Call the server's API."""
        url = f"{self.environment['PREFECT_API_URL']}/{path}"
        answer = httpx.request(method, url, json=body or None, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def prefect(self, *arguments: str) -> str:
        """Run Prefect's command line from the repository's root."""
        command = [PREFECT, "--no-prompt", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of our own on a free port, with its database in a folder that is thrown away."""
    home = tmp_path_factory.mktemp("deployed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "assay" / "results"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "ASSAY_HOME": str(home / "assay"),
        "ASSAY_ROOT": str(ROOT),
        "ASSAY_POOL": "assay",
        "ASSAY_WORKERS": "1",
    }
    (home / "prefect").mkdir()
    running = subprocess.Popen(
        [PREFECT, "server", "start", "--port", str(port), "--no-ui"],
        env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    made = Server(environment, home)
    try:
        eventually(lambda: made.api("GET", "health"), 90)
        made.prefect("work-pool", "create", "assay", "--type", "process")
        made.prefect("deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
        yield made
    finally:
        running.terminate()
        running.wait(30)


def eventually(found: Callable[[], Any], seconds: float) -> Any:
    """What ``found`` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if given := found():
                return given
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    return pytest.fail(f"nothing came within {seconds} seconds")


def test_each_flow_has_a_deployment_with_a_form_of_its_parameters(server: Server):
    """What a person sees when they press run: names, kinds and what they mean."""
    deployments = {found["name"]: found for found in server.api("POST", "deployments/filter")}

    deployed = {Path(found["entrypoint"].partition(":")[0]).stem for found in deployments.values()}
    assert deployed == {path.stem for path in (ROOT / "flows").glob("[!_]*.py")}
    form = deployments["promote"]["parameter_openapi_schema"]["properties"]
    assert form["stage"]["enum"] == ["staging", "production"]
    assert "registered" in form["model"]["description"]
    assert deployments["sweep"]["parameters"]["grid"] == {"training.learning_rate": [0.001, 0.002]}


def test_the_schedule_brings_runs(server: Server):
    """A scheduler that inserts nothing says so nowhere else."""
    scheduled = eventually(
        lambda: server.api("POST", "flow_runs/filter", flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}}), 120
    )

    assert {run["auto_scheduled"] for run in scheduled} == {True}


def test_an_ad_hoc_run_through_a_worker_ends_in_a_version(server: Server, tmp_path: Path):
    """Same flow, other machine: the server shows its tasks, its progress and where its report is."""
    recipe = small.recipe(tmp_path)
    parameters = json.dumps({"recipe": str(recipe)})
    server.prefect("deployment", "run", "train-candidate/nightly", "--params", parameters)

    server.prefect("worker", "start", "--pool", "assay", "--run-once")

    asked = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}}
    [run] = eventually(lambda: server.api("POST", "flow_runs/filter", **asked), 60)
    assert run["state"]["type"] == "COMPLETED", run["state"]
    tasks = {task["name"] for task in server.api("POST", "task_runs/filter")}
    assert {"ingest", "validate-raw", "redact", "evaluate-baseline", "train", "register"} <= tasks
    shown = {artifact["key"] for artifact in server.api("POST", "artifacts/filter")}
    assert {"verdict", "criteria", "report"} <= shown
    records = [json.loads(path.read_text()) for path in (server.home / "assay" / "runs").glob("*.json")]
    assert [record["version"] for record in records] == [1]


def test_a_version_that_was_not_accepted_is_not_promoted(server: Server):
    """The promotion fails where everybody sees it, and names the verdict."""
    server.prefect(
        "deployment", "run", "promote-candidate/promote", "--params", json.dumps({"model": "small", "version": 1})
    )

    server.prefect("worker", "start", "--pool", "assay", "--run-once")

    failed = {"flow_runs": {"state": {"type": {"any_": ["FAILED"]}}}}
    [run] = eventually(lambda: server.api("POST", "flow_runs/filter", **failed), 60)
    assert "expected 'accepted'" in run["state"]["message"]
