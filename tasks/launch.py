"""Launch: a model runs in a process of its own, so that its crash is an error here and not an end.

The child gets one job file and reports through one progress file, a JSON object a line. What it
raises comes back as the same error; a child that dies, is killed or falls silent comes back as a
:class:`TrainingCrashError`, which is worth another try, or as an :class:`OutOfMemoryError`, which is
worth another try with less at once. On one device one child runs at a time: a lock that the kernel
releases however its holders end.

A child that is not wanted any more is told to end: a training by SIGTERM, upon which it finishes its
step, saves a checkpoint and goes within :data:`GRACE` seconds; any other at once, since it has nothing
to save. It is told so when its run fails, when the run is cancelled or interrupted, and by the kernel
when this process is gone. Until it is gone it holds its folder and its device, so the same command
may be given at once and waits for it.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from assay.errors import AssayError, OutOfMemoryError, TrainingCrashError
from assay.store import write_atomically
from tasks import locks, nodes, unwanted
from tasks.caching import error_named
from tasks.faults import killed_for_memory
from tasks.nodes import GRACE
from tasks.unwanted import refuse_unwanted, this_run
from tasks.workspaces import resumes

Event = dict[str, Any]
Listener = Callable[[Event], None]

SILENCE = 6 * 3600.0
"""Seconds without a progress line after which a child is taken for dead: more than loading, converting or merging a
large model takes."""

EVERY = 0.2
"""Seconds between two looks at a child."""


@dataclass(eq=False)
class Child:
    """A process that works for a step of a run."""

    process: subprocess.Popen[bytes]
    kind: str
    """Of its job."""

    run: str
    """Id of the run that wants it; empty if there is none."""

    patience: float = float("inf")
    """Until when it may go on, on the monotonic clock; finite once it was told to end."""

    def end(self) -> None:
        """Tell it to end, once: a second signal would meet it while it saves."""
        if self.told:
            return
        saves = self.kind == "train"
        self.patience = time.monotonic() + (GRACE if saves else 0)
        self.signal(signal.SIGTERM if saves else signal.SIGKILL)

    @property
    def told(self) -> bool:
        """Whether it was told to end."""
        return self.patience < float("inf")

    def signal(self, sign: signal.Signals) -> None:
        """Send its whole group a signal, if it is still there."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, sign)

    def wait(self) -> None:
        """Tell it to end, and wait until it has or its patience is over."""
        if self.process.poll() is not None:
            return
        self.end()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, self.patience - time.monotonic()))
        self.signal(signal.SIGKILL)
        self.process.wait()


_children: set[Child] = set()


def launch(kind: str, job: dict[str, Any], work: Path, listener: Listener) -> None:
    """Run ``tasks.jobs`` for ``job`` in ``work`` and wait; whatever it made lies in ``work``.

    Args:
        kind: ``prepare``, ``replay``, ``train`` or ``evaluate``.
        job: What the child needs, as JSON values.
        work: Its folder; also where checkpoints outlive a crash.
        listener: Called with each progress event.

    Raises:
        AssayError: what the child raised.
        OutOfMemoryError: training found too little memory.
        TrainingCrashError: the child died without a word.
    """
    run = this_run()
    with (
        locks.device() as device,
        locks.held(f"child-{work.name}") as place,
        (work / "output.log").open("ab") as output,
    ):
        refuse_unwanted(run)
        for path in [work / "progress.jsonl", *work.glob("error*.json")]:
            path.unlink(missing_ok=True)
        write_atomically(work / "job.json", json.dumps(job, sort_keys=True).encode())
        killed = killed_for_memory()
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
            nodes.command(kind, work),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=nodes.environment(kind),
            start_new_session=True,
            pass_fds=(device.fileno(), place.fileno()),
        )
        child = Child(process, kind, run)
        _children.add(child)
        if unwanted.stopped.is_set() or run in unwanted.failed:  # Between the last look and this one.
            child.end()
        try:
            spoke = _watch(child, work / "progress.jsonl", listener)
        finally:
            child.wait()
            _children.discard(child)
    refuse_unwanted(run)
    if not spoke:
        raise TrainingCrashError(
            f"the {kind} process said nothing for {SILENCE / 3600:g} hours and was ended; expected progress. "
            + remedy(kind, work)
        )
    if process.returncode != 0:
        raise _failure(child, work, of_memory=killed_for_memory() > killed)


def end_unwanted(run: str, error: BaseException) -> None:
    """End the children of a run that has failed, so that its error is told now; it becomes theirs too."""
    if not run:  # A step on its own belongs to no run, and must not speak for the next one that does.
        return
    unwanted.failed.setdefault(run, error)
    for child in list(_children):
        if child.run == run:
            child.end()


def stop_all() -> None:
    """Tell every child to end, and start no other: a person or a scheduler wants this process to end."""
    unwanted.stopped.set()
    for child in list(_children):
        child.end()


def _watch(child: Child, progress: Path, listener: Listener) -> bool:
    """Follow a child to its end; false if it fell silent before."""
    read, heard = 0, time.monotonic()
    while True:
        over = child.process.poll() is not None
        for size, event in _lines(progress, read):
            read += size
            heard = time.monotonic()
            listener(event)
        if over:
            return True
        if time.monotonic() > child.patience:
            child.signal(signal.SIGKILL)
        if time.monotonic() - heard > SILENCE:
            return False
        time.sleep(EVERY)


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


def _failure(child: Child, work: Path, *, of_memory: bool) -> AssayError:
    """The error of a child that ended with one.

    Args:
        child: It.
        work: Where it, or each of several ranks, left word of what it raised.
        of_memory: The kernel has killed a process for want of memory while it ran.
    """
    told = [json.loads(path.read_text()) for path in sorted(work.glob("error*.json"))]
    for each in sorted(told, key=lambda each: each["type"] != OutOfMemoryError.__name__):
        # A rank whose neighbour died is stopped or fails in ways of its own: what one meant to say comes first.
        echo = each["stopped"] or each["type"] in {"UnexpectedError", "TrainingCrashError"}
        if not (nodes.shared(child.kind) and echo):
            return error_named(each["type"], each["message"])
    if child.kind == "train" and of_memory:
        return OutOfMemoryError("the kernel ended training for want of memory; expected enough for one pass.")
    if told:
        return TrainingCrashError(
            f"one of {nodes.ranks()} training processes died: {told[0]['message'].rstrip('.')}. "
            + remedy(child.kind, work)
        )
    code = child.process.returncode
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
    memory = " The kernel may have found no memory for it." if code == -signal.SIGKILL else ""
    return TrainingCrashError(
        f"the {child.kind} process {how} without a word; expected it to finish.{memory} {remedy(child.kind, work)}"
    )


def remedy(kind: str, work: Path) -> str:
    """Where to look, and what the same command would do about a child that died."""
    if not resumes(work):
        return "Give the same command again: it begins anew, and nothing of this is kept."
    again = "goes on from its last checkpoint" if kind == "train" else "asks for it again, from its beginning"
    return f"See {work / 'output.log'}; the same command {again}."
