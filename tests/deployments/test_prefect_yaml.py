"""A real server, a real worker: every flow deploys, a schedule comes, and an ad-hoc run ends in a version.

Prefect's metadata allow libraries with which its server does not start, or with which its schedules
never fire and only the server's log says so. This is where that would be seen.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployments.serving import ROOT, Server, eventually, serving
from tests.flows import small


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of our own, with its database in a folder that is thrown away."""
    with serving(tmp_path_factory.mktemp("deployed")) as made:
        yield made


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
    recipe = small.by_rules(small.recipe(tmp_path))
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
