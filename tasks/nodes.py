"""Nodes: one training in several processes, on one machine or on several that share ``ASSAY_HOME`` and the store.

With ``ASSAY_PROCESSES`` or ``ASSAY_NODES`` over one, ``torchrun`` starts the ranks; it sets their place (``RANK``, the
``WORLD_SIZE``, where they meet), which is all that differs between them, and ends all when one dies. It is preferred
over ``accelerate launch``, which starts it too and would read a configuration of its own from the user's home.

On several machines the first runs the flow and calls the others for each training that it starts: the call is a file
below ``ASSAY_HOME``, named by ``ASSAY_SHARED_RUN``. The last call says that there will be no more; one that an earlier
run of the same name left is cleared when the first machine starts, for which the others wait :data:`PATIENCE` seconds.
What is to be run where:

    ASSAY_NODE=0    python -m tasks.nodes lead assay run RECIPE
    ASSAY_NODE=1…   python -m tasks.nodes follow

``deployments/nodes.py`` renders this for Kubernetes.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from assay.errors import RecipeError
from assay.store import write_atomically
from tasks.places import folder, home, node, nodes, processes, rendezvous, shared_run, threads

_LAUNCHERS = ("PET_", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_")
"""Variables by which another launcher, such as Kubeflow's, places processes: a child of ours is placed by ours."""

EVERY = 1.0
"""Seconds between two looks for a call."""

CRASHED = 1
"""Exit status of ``assay run`` after which the same command goes on."""

PATIENCE = 300.0
"""Seconds in which a node that starts upon word from before it that all is over waits for the first node to start: the
word may be an earlier run's. If nothing comes, the run was over before this node was there."""

GRACE = 20.0
"""Seconds a training has to save a checkpoint when it is told to stop: Prefect and Kubernetes give 30 before they kill.
A step that takes longer is lost, back to the checkpoint before."""


def rank() -> int:
    """Place of this process among those that share a training; the first one speaks for all."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes share this training, on all nodes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def ranks() -> int:
    """How many processes this deployment lets share a training."""
    return processes() * nodes()


def take_device() -> None:
    """Let what this process puts on "the GPU" land on its own: the one of its place on the node."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))


def shared(kind: str) -> bool:
    """Whether several processes do this kind of job together."""
    return kind == "train" and ranks() > 1


def command(kind: str, work: Path) -> list[str]:
    """What to start for a job: its process, or what starts all of this node's if it is shared."""
    return [sys.executable, "-m", "tasks.nodes" if shared(kind) else "tasks.jobs", kind, str(work), str(os.getpid())]


def share(batch: int) -> int:
    """How many examples of a batch are each process's.

    Raises:
        RecipeError: it is no whole number, or the environment does not say where nodes meet.
    """
    if nodes() > 1:
        node(), rendezvous()
    each, rest = divmod(batch, ranks())
    if rest:
        raise RecipeError(
            f"ASSAY_PROCESSES: found {processes()} on each of {nodes()} nodes; expected them to divide "
            f"training.batch_size, {batch}. Mend the environment."
        )
    return each


def environment(kind: str) -> dict[str, str]:
    """What torch and its allocator read before they are imported; none of it changes a result."""
    count = str(max(1, threads() // (processes() if kind == "train" else 1)))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_LAUNCHERS)}
    return inherited | {
        "ASSAY_HOME": str(home()),
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        # Threads that wait spin for a moment and then sleep: on two idle cores a quarter faster than sleeping at once
        # (1,117 against 890 tokens/s), and on busy ones not six times slower, as spinning on is (512 against 193).
        "OMP_WAIT_POLICY": "ACTIVE",
        "GOMP_SPINCOUNT": "2000",
        # Tensors of some megabytes are asked for and given back all the time: keep them in the process.
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": "34359738368",
        "MALLOC_TOP_PAD_": "268435456",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_EVALUATE_OFFLINE": "1",
        "HF_HOME": str(folder("cache") / "huggingface"),
        "PYTHONHASHSEED": "0",
    }


def die_with(parent: int, how: signal.Signals) -> None:
    """Ask Linux to signal this process when its parent is gone, so that no orphan holds a device.

    A program that takes this one's place (``exec``) keeps the wish.
    """
    set_parent_death_signal = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(set_parent_death_signal, how)
        if os.getppid() != parent:
            sys.exit(1)


def main(words: list[str]) -> int:
    """``train FOLDER PARENT``, ``join FOLDER HOST:PORT PARENT``, ``lead COMMAND`` or ``follow``."""
    match words:
        case ["train", work, parent]:
            die_with(int(parent), signal.SIGTERM)
            at = rendezvous() if nodes() > 1 else None
            if at:
                _call({"work": Path(work).name, "at": at, "number": time.time_ns()})
            _become_ranks(Path(work), at)
        case ["join", work, at, parent]:
            die_with(int(parent), signal.SIGTERM)
            _become_ranks(Path(work), at)
        case ["lead", *command] if command:
            return lead(command)
        case ["follow"]:
            return follow()
        case _:
            sys.stderr.write("usage: python -m tasks.nodes lead COMMAND | follow\n")
    return 2


def lead(command: list[str]) -> int:
    """Run the command whose trainings other nodes follow, and tell them when there will be no more.

    After a crash they wait on, for whoever takes this node's place.
    """
    _call({})
    with subprocess.Popen(command) as running:  # noqa: S603  # whoever may say this may say it to a shell
        signal.signal(signal.SIGTERM, lambda *_: running.terminate())
        status = running.wait()
    if status > CRASHED or not status:
        _call({"over": time.time_ns()})
    return max(status, 0) or int(status < 0)


def follow() -> int:
    """Join each training that the first node calls for, until it says that it was the last."""
    heard: dict[str, Any] = {}
    joined = None
    began, until = time.time_ns(), time.monotonic() + PATIENCE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # The first process of a container must ask to be ended.
    try:
        while not (over := heard.get("over")) or (over < began and time.monotonic() < until):
            if (call := _called()) != heard:
                _end(joined)
                joined = _join(folder("work") / call["work"], call["at"]) if "work" in call else None
                heard = call
            time.sleep(EVERY)
    finally:
        _end(joined)
    return 0


def _join(work: Path, at: str) -> "subprocess.Popen[bytes]":
    """Start this node's ranks of a training that another node leads."""
    command = [sys.executable, "-m", "tasks.nodes", "join", str(work), at, str(os.getpid())]
    return subprocess.Popen(command, env=environment("train"))  # noqa: S603  # our own interpreter and module, no shell


def _become_ranks(work: Path, at: str | None) -> NoReturn:
    """Be replaced by what starts this node's ranks, so that it is what the parent started and signals."""
    meet = ["--standalone"]
    if at:
        host, _, port = at.rpartition(":")
        meet = ["--nnodes", str(nodes()), "--node-rank", str(node()), "--master-addr", host, "--master-port", port]
    run = [sys.executable, "-m", "torch.distributed.run", *meet, "--nproc-per-node", str(processes())]
    os.execv(sys.executable, [*run, "-m", "tasks.jobs", "train", str(work), str(os.getpid())])  # noqa: S606


def _end(joined: "subprocess.Popen[bytes] | None") -> None:
    """End what followed an earlier call; it has no part in this one."""
    if joined is None:
        return
    with suppress(subprocess.TimeoutExpired):
        joined.terminate()
        joined.wait(GRACE)
    joined.kill()
    joined.wait()


def _call(call: dict[str, Any]) -> None:
    write_atomically(folder("nodes") / f"{shared_run()}.json", json.dumps(call).encode())


def _called() -> dict[str, Any]:
    path = folder("nodes") / f"{shared_run()}.json"
    return dict(json.loads(path.read_bytes())) if path.exists() else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
