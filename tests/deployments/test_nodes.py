"""Manifests for several nodes name only fields that their API has, and each pod does its part."""

import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

SCRIPT = Path(__file__).parents[2] / "deployments" / "nodes.py"
WORDS = [
    "--name", "triage", "--image", "registry.example/assay:1", "--recipe", "recipes/support_triage",
    "--nodes", "3", "--processes", "8", "--gpus", "8", "--claim", "assay",
]  # fmt: skip


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object that has these fields and no other."""
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def many(item: dict[str, Any]) -> dict[str, Any]:
    """A list of something, with something in it."""
    return {"type": "array", "items": item, "minItems": 1}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
QUANTITIES = {
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"},
}
RESOURCES = closed([], requests=QUANTITIES, limits=QUANTITIES)
METADATA = closed(["name"], name={"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63})
ENVIRONMENT = many(closed(["name", "value"], name={"type": "string", "not": {"pattern": "^PET_"}}, value=TEXT))
VOLUME = closed(
    ["name", "persistentVolumeClaim"], name=TEXT, persistentVolumeClaim=closed(["claimName"], claimName=TEXT)
)
MOUNT = closed(["name", "mountPath"], name=TEXT, mountPath=TEXT)

POD_PATCH = closed([], volumes=many(VOLUME), containers=many(closed(["name"], name=TEXT, volumeMounts=many(MOUNT))))
JOB_PATCH = closed([], spec=closed([], template=closed([], spec=POD_PATCH)))
RUNTIME_PATCH = closed([], replicatedJobs=many(closed(["name"], name=TEXT, template=JOB_PATCH)))
TRAINJOB = closed(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "trainer.kubeflow.org/v1alpha1"},
    kind={"const": "TrainJob"},
    metadata=METADATA,
    spec=closed(
        ["runtimeRef"],
        runtimeRef=closed(["name"], name=TEXT, apiGroup=TEXT, kind=TEXT),
        trainer=closed(
            [],
            image=TEXT,
            command=many(TEXT),
            args=many(TEXT),
            env=ENVIRONMENT,
            numNodes=COUNT,
            resourcesPerNode=RESOURCES,
            numProcPerNode=COUNT,
        ),
        runtimePatches=many(
            closed(
                ["manager"],
                manager=TEXT,
                trainingRuntimeSpec=closed([], template=closed([], spec=RUNTIME_PATCH)),
            )
        ),
    ),
)
"""Fields of the types ``TrainJob``, ``Trainer`` and ``RuntimePatch`` in Kubeflow Trainer 2.2, as far as used."""

EXIT_CODES = closed(
    ["operator", "values"], containerName=TEXT, operator={"enum": ["In", "NotIn"]}, values=many({"type": "integer"})
)
CONDITION = closed(["type", "status"], type={"const": "DisruptionTarget"}, status={"enum": ["True", "False"]})
RULE = closed(
    ["action"],
    action={"enum": ["FailJob", "FailIndex", "Ignore", "Count"]},
    onExitCodes=EXIT_CODES,
    onPodConditions=many(CONDITION),
)
CONTAINER = closed(
    ["name", "image"],
    name=TEXT,
    image=TEXT,
    command=many(TEXT),
    env=ENVIRONMENT,
    resources=RESOURCES,
    volumeMounts=many(MOUNT),
)
POD = closed(
    ["containers", "restartPolicy"],
    restartPolicy={"const": "Never"},  # As a pod failure policy demands.
    subdomain=TEXT,
    volumes=many(VOLUME),
    containers=many(CONTAINER),
)
JOB = closed(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "batch/v1"},
    kind={"const": "Job"},
    metadata=METADATA,
    spec=closed(
        ["template", "completions"],
        completionMode={"enum": ["Indexed", "NonIndexed"]},
        completions=COUNT,
        parallelism=COUNT,
        backoffLimit={"type": "integer", "minimum": 0},
        podFailurePolicy=closed(["rules"], rules=many(RULE)),
        template=closed(["spec"], spec=POD),
    ),
)
SERVICE = closed(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "v1"},
    kind={"const": "Service"},
    metadata=METADATA,
    spec=closed(
        ["ports"],
        clusterIP={"const": "None"},
        publishNotReadyAddresses={"type": "boolean"},
        selector={"type": "object", "additionalProperties": TEXT},
        ports=many(closed(["port"], name=TEXT, port=COUNT)),
    ),
)


def rendered(kind: str) -> list[dict[str, Any]]:
    """What the script prints, as Kubernetes reads it."""
    said = subprocess.run([sys.executable, str(SCRIPT), kind, *WORDS], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(said.stdout))


@pytest.mark.parametrize(("kind", "schemas"), [("trainjob", [TRAINJOB]), ("job", [SERVICE, JOB])])
def test_manifests_have_the_fields_of_their_api_and_no_other(kind: str, schemas: list[dict[str, Any]]):
    """A field that an API does not have is dropped by it without a word."""
    made = rendered(kind)

    for manifest, schema in zip(made, schemas, strict=True):
        Draft202012Validator.check_schema(schema)
        assert [error.message for error in Draft202012Validator(schema).iter_errors(manifest)] == []


def test_both_kinds_start_as_many_processes_as_were_asked_for():
    """On as many nodes, with a GPU each."""
    [trainjob], [_, job] = rendered("trainjob"), rendered("job")

    trainer, container = trainjob["spec"]["trainer"], job["spec"]["template"]["spec"]["containers"][0]
    assert (trainer["numNodes"], trainer["numProcPerNode"]) == (3, 8)
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (3, 3)
    for made, resources in ((trainer, trainer["resourcesPerNode"]), (container, container["resources"])):
        told = {each["name"]: each["value"] for each in made["env"]}
        assert (told["ASSAY_NODES"], told["ASSAY_PROCESSES"]) == ("3", "8")
        assert resources["limits"]["nvidia.com/gpu"] == "8"


def test_pods_meet_under_a_name_that_the_service_gives_them():
    """Job, subdomain and service share it; the first pod's host name is the job's with its number."""
    service, job = rendered("job")

    pod = job["spec"]["template"]["spec"]
    told = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    name = service["metadata"]["name"]
    assert name == job["metadata"]["name"] == pod["subdomain"]
    assert told["ASSAY_RENDEZVOUS"] == f"{name}-0.{name}:{service['spec']['ports'][0]['port']}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder with an ``assay`` that says what was asked of it, and the ``python`` of this test."""
    begin = f"echo $* > {tmp_path}/said; trap 'kill $!; exit 1' TERM; echo > {tmp_path}/ready"
    program = f"{begin}; sleep $WAIT & wait; exit $STATUS"
    (tmp_path / "assay").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "assay").chmod(0o755)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def pod(path: Path, node: int, **told: str) -> "subprocess.Popen[bytes]":
    """What a pod of two starts."""
    environment = {
        "PATH": f"{path}:/usr/bin:/bin",
        "PYTHONPATH": str(SCRIPT.parents[1]),
        "ASSAY_HOME": str(path / "home"),
        "ASSAY_NODES": "2",
        "ASSAY_NODE": str(node),
        "ASSAY_RECIPE": "a recipe",
    }
    return subprocess.Popen(["sh", "-c", runpy.run_path(str(SCRIPT))["ENTRY"]], env=environment | told)


@pytest.mark.parametrize("status", [0, 3])
def test_the_first_pod_runs_the_recipe_and_the_others_end_with_it(path: Path, status: int):
    """With its exit status; theirs is that nothing went wrong."""
    with pod(path, 1) as other, pod(path, 0, STATUS=str(status), WAIT="0.1") as first:
        assert first.wait(60) == status
        assert other.wait(60) == 0

    assert (path / "said").read_text() == "run a recipe\n"


def test_an_evicted_pod_passes_the_word_on_and_the_others_wait_for_the_next(path: Path):
    """A crash is no end: the pod that comes in its place goes on, and they with it."""
    with pod(path, 1) as other:
        with pod(path, 0, STATUS="0", WAIT="60") as first:
            while not (path / "ready").exists():
                time.sleep(0.05)
            first.send_signal(signal.SIGTERM)
            assert first.wait(30) == 1
        time.sleep(1.5)
        assert other.poll() is None
        with pod(path, 0, STATUS="0", WAIT="0") as second:
            assert second.wait(60) == 0
        assert other.wait(60) == 0
