"""Launch: a model runs in a process of its own, so that its crash is an error here and not an end.

The child gets one job file and reports through one progress file, a JSON object a line. What it
raises comes back as the same error; a child that dies, is killed or falls silent comes back as a
:class:`TrainingCrashError`, which is worth another try. On one device one child runs at a time: a
lock that the kernel releases however the holder ends.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from prefect.runtime import flow_run

from assay.errors import AssayError, TrainingCrashError, TrainingError
from assay.store import write_atomically
from tasks.caching import error_named
from tasks.places import folder, home, threads

Event = dict[str, Any]
Listener = Callable[[Event], None]

SILENCE = 6 * 3600.0
"""Seconds without a progress line after which a child is taken for dead: more than loading, converting or merging a
large model takes."""

_children: dict[subprocess.Popen[bytes], tuple[str, str]] = {}
"""Each with the kind of its job and the run that wants it."""

_stopped = threading.Event()
_failed: dict[str, BaseException] = {}
"""Run → the error of the first of its steps that failed: no child of that run is wanted any more."""

GRACE = 20.0
"""Seconds a child has to save a checkpoint when it is told to stop."""


def launch(kind: str, job: dict[str, Any], work: Path, listener: Listener) -> None:
    """Run ``tasks.jobs`` for ``job`` in ``work`` and wait; whatever it made lies in ``work``.

    Args:
        kind: ``prepare``, ``train`` or ``evaluate``.
        job: What the child needs, as JSON values.
        work: Its folder; also where checkpoints outlive a crash.
        listener: Called with each progress event.

    Raises:
        AssayError: what the child raised.
        TrainingCrashError: the child died without a word.
    """
    for name in ("progress.jsonl", "error.json"):
        (work / name).unlink(missing_ok=True)
    write_atomically(work / "job.json", json.dumps(job, sort_keys=True).encode())
    run = str(flow_run.id or "")
    with _device(), (work / "output.log").open("ab") as output:
        _refuse_unwanted(kind, run)
        child = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "tasks.jobs", kind, str(work), str(os.getpid())],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        _children[child] = (kind, run)
        if run in _failed:  # Between the last look and this one.
            _kill(child, kind)
        try:
            spoke = _watch(child, work / "progress.jsonl", listener)
        finally:
            _end(child)
            _children.pop(child, None)
    _refuse_unwanted(kind, run)
    if not spoke:
        raise TrainingCrashError(f"the {kind} process said nothing for {SILENCE / 3600:g} hours and was ended.")
    if child.returncode != 0:
        raise _failure(kind, child.returncode, work)


@contextmanager
def workspace(key: str) -> Iterator[Path]:
    """The folder of one question: held by one process at a time, kept if it fails, removed once its answer is filed."""
    work = folder("work") / key
    with (folder("locks") / f"work-{key}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        work.mkdir(exist_ok=True)
        yield work
        shutil.rmtree(work)


def _refuse_unwanted(kind: str, run: str) -> None:
    if _stopped.is_set():
        raise TrainingError(f"the {kind} process was stopped; the same command goes on from where it was.")
    if run in _failed:
        raise _failed[run]


def end_unwanted(run: str, error: BaseException) -> None:
    """End the children of a run that has failed, so that its error is told now; it becomes theirs too."""
    if not run:  # A step on its own belongs to no run, and must not speak for the next one that does.
        return
    _failed.setdefault(run, error)
    for child, (kind, wanted_by) in list(_children.items()):
        if wanted_by == run:
            _kill(child, kind)


def _kill(child: subprocess.Popen[bytes], kind: str) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM if kind == "train" else signal.SIGKILL)


def stop_all() -> None:
    """Tell every child to save and end, and start no other: a person wants this process to end."""
    _stopped.set()
    for child in list(_children):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)


def _watch(child: subprocess.Popen[bytes], progress: Path, listener: Listener) -> bool:
    """Follow a child to its end; false if it fell silent before."""
    read, heard = 0, time.monotonic()
    while True:
        over = child.poll() is not None
        for size, event in _lines(progress, read):
            read += size
            heard = time.monotonic()
            listener(event)
        if over:
            return True
        if time.monotonic() - heard > SILENCE:
            return False
        time.sleep(0.2)


def _lines(progress: Path, start: int) -> Iterator[tuple[int, Event]]:
    """Whole lines from byte ``start`` on; a torn last line waits for its end."""
    if not progress.exists():
        return
    with progress.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield len(line), cast("Event", json.loads(line))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child's process group to stop, then make it."""
    if child.poll() is not None:
        return
    for sign, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        try:
            os.killpg(child.pid, sign)
            child.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return


def _failure(kind: str, code: int, work: Path) -> AssayError:
    path = work / "error.json"
    if path.exists():
        told = json.loads(path.read_text())
        return error_named(told["type"], told["message"])
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
    memory = " The kernel may have found no memory for it." if code == -signal.SIGKILL else ""
    return TrainingCrashError(
        f"the {kind} process {how} without a word; expected it to finish.{memory} See {work / 'output.log'}; "
        "the same command goes on from its last checkpoint."
    )


@contextmanager
def _device() -> Iterator[None]:
    """Hold this machine's device: ``ASSAY_DEVICE`` names it if there are several."""
    path = folder("locks") / f"device-{os.environ.get('ASSAY_DEVICE') or 'default'}".replace(":", "-")
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _environment() -> dict[str, str]:
    """What torch and its allocator read before they are imported; none of it changes a result."""
    count = str(threads())
    return os.environ | {
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
