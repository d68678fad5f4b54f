# ruff: noqa: INP001  # a script among manifests
"""Manifests: a run whose training several machines share, for Kubernetes with Kubeflow Trainer or without.

    python deployments/nodes.py trainjob --name triage --image IMAGE --recipe recipes/support_triage \
        --nodes 2 --processes 8 --gpus 8 --claim assay \
        --secret assay-keys ASSAY_SUBJECT_KEY ASSAY_VALUE_KEY | kubectl create -f -

``trainjob`` is a ``TrainJob`` of Kubeflow Trainer 2.2 (``trainer.kubeflow.org/v1alpha1``) on a torch runtime;
``job`` is an Indexed Job (``batch/v1``, Kubernetes 1.31) with a headless Service under which its pods find one
another. In both, the first pod runs the recipe and the others join each training that it starts (``tasks/nodes.py``).

All pods mount one volume claim, which must allow several writers (ReadWriteMany): there ``ASSAY_HOME`` lies. A pod
that is evicted has 30 seconds: training saves a checkpoint in 20 of them, and the pod that takes its place goes on.
Each has ``/dev/shm`` in memory, counted in ``--memory``: NCCL passes gradients through it, and a container has 64 MB.
Keys come from Secrets, one variable for each entry; without them the first pod makes some below the claim.
Nothing here may change a model beyond rounding: that is the recipe's.

All pods hold their GPUs from the first step on, those that read and redact records too, which need none. Take those
steps before, where GPUs are not: ``assay curate review RECIPE`` (the flow ``curate-records``) in one pod of the same
image, with the same claim as ``ASSAY_HOME``, recipe and keys. This run then takes their answers from the cache. The
base's answers before and after training are asked for by the first pod alone; the others' GPUs wait.
"""

import argparse
import sys
from typing import Any

import yaml

HOME = "/var/lib/assay"
PORT = 29500
FINAL = [2, 3, 4]
"""Exit statuses of ``assay run`` that another try would not change: bad input, refused, inconclusive."""

OWNER = "batch.kubernetes.io/controller-uid"
"""Label that Kubernetes gives to all pods of one Job: a Job of the same name that was made anew has another."""

SHARED_MEMORY = {"name": "shm", "emptyDir": {"medium": "Memory"}}
MOUNTS = [{"name": "home", "mountPath": HOME}, {"name": "shm", "mountPath": "/dev/shm"}]  # noqa: S108  # not for files

ENTRY = """\
if [ "$ASSAY_NODE" = 0 ]; then exec python -m tasks.nodes lead assay run "$ASSAY_RECIPE"; fi
exec python -m tasks.nodes follow
"""
"""What each pod runs. A shell would pass no signal on, so it makes way."""

FROM_KUBEFLOW = 'export ASSAY_NODE="$PET_NODE_RANK" ASSAY_RENDEZVOUS="$PET_MASTER_ADDR:$PET_MASTER_PORT"\n'
"""Trainer tells each pod its place in torchrun's own variables, which a TrainJob may not set itself."""

FROM_INDEX = 'export ASSAY_NODE="$JOB_COMPLETION_INDEX"\n'


def main() -> int:
    """Print the manifests that were asked for."""
    options = parse(sys.argv[1:])
    made = [trainjob(options)] if options.kind == "trainjob" else [service(options), job(options)]
    sys.stdout.write(yaml.safe_dump_all(made, sort_keys=False))
    return 0


def trainjob(options: argparse.Namespace) -> dict[str, Any]:
    """A ``TrainJob``; its runtime must be one of torch, such as ``torch-distributed``, which Trainer brings."""
    mounted = {"name": "node", "volumeMounts": MOUNTS}
    pod = {"volumes": [_volume(options), SHARED_MEMORY], "containers": [mounted]}
    patched = {"replicatedJobs": [{"name": "node", "template": {"spec": {"template": {"spec": pod}}}}]}
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": options.name},
        "spec": {
            "runtimeRef": {"name": options.runtime},
            "trainer": {
                "image": options.image,
                "command": ["sh", "-c", FROM_KUBEFLOW + ENTRY],
                "numNodes": options.nodes,
                "numProcPerNode": options.processes,
                "resourcesPerNode": _resources(options),
                "env": _environment(options),
            },
            "runtimePatches": [{"manager": "assay/nodes", "trainingRuntimeSpec": {"template": {"spec": patched}}}],
        },
    }


def service(options: argparse.Namespace) -> dict[str, Any]:
    """Gives each pod of the job a name, before it is ready too: they must meet to become so."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": options.name},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {"batch.kubernetes.io/job-name": options.name},
            "ports": [{"name": "rendezvous", "port": PORT}],
        },
    }


def job(options: argparse.Namespace) -> dict[str, Any]:
    """An Indexed Job: pods with numbers, each replaced by one of the same number."""
    meet = {"name": "ASSAY_RENDEZVOUS", "value": f"{options.name}-0.{options.name}:{PORT}"}
    container = {
        "name": "node",
        "image": options.image,
        "command": ["sh", "-c", FROM_INDEX + ENTRY],
        "env": [*_environment(options), meet],
        "resources": _resources(options),
        "volumeMounts": MOUNTS,
    }
    final = {"action": "FailJob", "onExitCodes": {"containerName": "node", "operator": "In", "values": FINAL}}
    evicted = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    volumes = [_volume(options), SHARED_MEMORY]
    pod = {"restartPolicy": "Never", "subdomain": options.name, "volumes": volumes}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": options.name},
        "spec": {
            "completionMode": "Indexed",
            "completions": options.nodes,
            "parallelism": options.nodes,
            "backoffLimit": 2,
            "podFailurePolicy": {"rules": [final, evicted]},
            "template": {"spec": pod | {"containers": [container]}},
        },
    }


def _environment(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Variables of each pod: what is asked for, which Job it belongs to, and entries of Secrets."""
    owner = {"name": "JOB_UID", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{OWNER}']"}}}
    told = {
        "ASSAY_HOME": HOME,
        "ASSAY_RECIPE": options.recipe,
        "ASSAY_NODES": str(options.nodes),
        "ASSAY_PROCESSES": str(options.processes),
        "ASSAY_THREADS": str(options.cpus),
        "ASSAY_SHARED_RUN": f"{options.name}-$(JOB_UID)",
    }
    secret = [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        for name, *keys in options.secrets
        for key in keys
    ]
    return [owner, *({"name": name, "value": value} for name, value in told.items()), *secret]


def _resources(options: argparse.Namespace) -> dict[str, Any]:
    each = {"cpu": str(options.cpus), "memory": options.memory}
    gpus = {"nvidia.com/gpu": str(options.gpus)} if options.gpus else {}
    return {"requests": each | gpus, "limits": {"memory": options.memory} | gpus}


def _volume(options: argparse.Namespace) -> dict[str, Any]:
    return {"name": "home", "persistentVolumeClaim": {"claimName": options.claim}}


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("trainjob", "job"))
    parser.add_argument("--name", required=True, help="of this run; another run needs another")
    parser.add_argument("--image", required=True, help="with Assay, the recipe and its base, and /bin/sh")
    parser.add_argument("--recipe", required=True, help="its path in the image or below the claim")
    parser.add_argument("--claim", required=True, help="a volume claim that several pods may write to")
    parser.add_argument(
        "--secret", nargs="+", action="append", default=[], dest="secrets", metavar=("NAME", "KEY"),
        help="a Secret, and its entries to be variables of the same names; may be given again",
    )  # fmt: skip
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--processes", type=int, default=1, help="for each node: one for each of its GPUs")
    parser.add_argument("--gpus", type=int, default=0, help="for each node")
    parser.add_argument("--cpus", type=int, default=8, help="for each node")
    parser.add_argument("--memory", default="32Gi", help="for each node")
    parser.add_argument("--runtime", default="torch-distributed", help="of a TrainJob")
    options = parser.parse_args(words)
    if bare := [name for name, *keys in options.secrets if not keys]:
        parser.error(f"--secret {bare[0]}: found no entry of it; expected the names of those to be variables")
    return options


if __name__ == "__main__":
    sys.exit(main())
