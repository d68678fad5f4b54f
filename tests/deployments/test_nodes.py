"""Manifests for several nodes name only fields that their API has, and say the same of both kinds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

SCRIPT = Path(__file__).parents[2] / "deployments" / "nodes.py"
WORDS = [
    "--name", "triage", "--image", "registry.example/assay:1", "--recipe", "recipes/support_triage",
    "--nodes", "3", "--processes", "8", "--gpus", "8", "--claim", "assay",
    "--secret", "keys", "ASSAY_SUBJECT_KEY", "ASSAY_VALUE_KEY", "--secret", "bucket", "AWS_SECRET_ACCESS_KEY",
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
VARIABLE = {"type": "string", "not": {"pattern": "^PET_"}}
ENTRY_OF_SECRET = closed(["name", "key"], name=TEXT, key=TEXT)
SOURCE = closed([], fieldRef=closed(["fieldPath"], fieldPath=TEXT), secretKeyRef=ENTRY_OF_SECRET)
ENVIRONMENT = many(
    closed(["name"], name=VARIABLE, value=TEXT, valueFrom=SOURCE) | {"minProperties": 2, "maxProperties": 2}
)
VOLUME = closed(
    ["name"],
    name=TEXT,
    persistentVolumeClaim=closed(["claimName"], claimName=TEXT),
    emptyDir=closed([], medium={"const": "Memory"}),
) | {"minProperties": 2, "maxProperties": 2}
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


def parts(kind: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Variables, volumes and mounts of a pod, wherever its manifest has them."""
    spec = rendered(kind)[-1]["spec"]
    if kind == "job":
        pod = spec["template"]["spec"]
        [container] = pod["containers"]
        return container["env"], pod["volumes"], container["volumeMounts"]
    [patched] = spec["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    pod = patched["template"]["spec"]["template"]["spec"]
    return spec["trainer"]["env"], pod["volumes"], pod["containers"][0]["volumeMounts"]


@pytest.mark.parametrize("kind", ["trainjob", "job"])
def test_pods_have_the_shared_memory_that_gradients_pass_through(kind: str):
    """What a container has by default holds less than NCCL asks for."""
    _, volumes, mounts = parts(kind)

    assert {"name": "shm", "emptyDir": {"medium": "Memory"}} in volumes
    assert {"name": "shm", "mountPath": "/dev/shm"} in mounts
    assert {each["name"] for each in mounts} == {each["name"] for each in volumes}


@pytest.mark.parametrize("kind", ["trainjob", "job"])
def test_keys_come_from_secrets_and_are_in_no_manifest(kind: str):
    """By name: a manifest lies in a repository."""
    variables = {each["name"]: each.get("valueFrom", {}).get("secretKeyRef") for each in parts(kind)[0]}

    assert variables["ASSAY_VALUE_KEY"] == {"name": "keys", "key": "ASSAY_VALUE_KEY"}
    assert variables["AWS_SECRET_ACCESS_KEY"] == {"name": "bucket", "key": "AWS_SECRET_ACCESS_KEY"}


def test_a_secret_of_which_no_entry_is_named_is_refused():
    """It would give nothing."""
    command = [sys.executable, str(SCRIPT), "job", *WORDS, "--secret", "keys"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)

    assert said.returncode == 2
    assert "--secret keys: found no entry of it" in said.stderr


@pytest.mark.parametrize("kind", ["trainjob", "job"])
def test_pods_of_a_job_that_was_made_anew_hear_nothing_of_the_one_before(kind: str):
    """They call one another by the job's own id, which another job of the same name has not."""
    variables = parts(kind)[0]
    names = [each["name"] for each in variables]
    [shared] = [each["value"] for each in variables if each["name"] == "ASSAY_SHARED_RUN"]

    assert shared == "triage-$(JOB_UID)"
    assert names.index("JOB_UID") < names.index("ASSAY_SHARED_RUN")  # Only what came before is put in.


def test_both_kinds_start_as_many_processes_as_were_asked_for():
    """On as many nodes, with a GPU each."""
    [trainjob], [_, job] = rendered("trainjob"), rendered("job")

    trainer, container = trainjob["spec"]["trainer"], job["spec"]["template"]["spec"]["containers"][0]
    assert (trainer["numNodes"], trainer["numProcPerNode"]) == (3, 8)
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (3, 3)
    for made, resources in ((trainer, trainer["resourcesPerNode"]), (container, container["resources"])):
        told = {each["name"]: each.get("value") for each in made["env"]}
        assert (told["ASSAY_NODES"], told["ASSAY_PROCESSES"]) == ("3", "8")
        assert resources["limits"]["nvidia.com/gpu"] == "8"


def test_pods_meet_under_a_name_that_the_service_gives_them():
    """Job, subdomain and service share it; the first pod's host name is the job's with its number."""
    service, job = rendered("job")

    pod = job["spec"]["template"]["spec"]
    told = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    name = service["metadata"]["name"]
    assert name == job["metadata"]["name"] == pod["subdomain"]
    assert told["ASSAY_RENDEZVOUS"] == f"{name}-0.{name}:{service['spec']['ports'][0]['port']}"
