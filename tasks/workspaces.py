"""Workspaces: the folder that a question is worked on in, below ``work`` in ``ASSAY_HOME``, one process at a time.

It is kept if the work fails, so that the same question goes on from what lies there, and is removed once it is
answered. Whoever waited meanwhile for the same question takes the answer of whoever worked on it: Prefect files that
only after the folder is free, so the lock's own file hands it on. An answer from before this step began is none: it
would be a cache that forgets nothing.

A step outside of any run has no question, and nobody goes on from its folder: that goes with it. What failed or
abandoned work has left for ``ASSAY_WORK_DAYS`` is removed when other work begins.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar, cast

from prefect.context import TaskRunContext
from prefect.transactions import get_transaction

from assay.artifacts import Reference
from tasks.caching import ReferenceSerializer
from tasks.locks import held, held_if_free
from tasks.places import folder, work_days

Made = TypeVar("Made", bound=Reference)

DAY = 24 * 3600.0
NAMED = 32
"""Characters of a question's key that name its folder."""

UNKEYED = "unkeyed-"
"""What the folder's name of a step outside of any run begins with."""


def once(key: str, make: Callable[[Path], Made]) -> Made:
    """What ``make`` makes in the folder of a question; or, if that was awaited, what another process has made there.

    Args:
        key: Of the folder, as :func:`work_key` gives it.
        make: Given the folder; its answer must be in the store.
    """
    began = _began()
    with _workspace(key) as (work, lock):
        if (answer := _answer(lock, began)) is not None:
            return cast("Made", answer)
        made = make(work)
        _leave(lock, made)
        return made


@contextmanager
def workspace(key: str) -> Iterator[Path]:
    """The folder of one question, for work whose answer nobody waits for."""
    with _workspace(key) as (work, _):
        yield work


def work_key() -> str:
    """Names the same folder for every attempt at the same question, in any process."""
    transaction = get_transaction()
    return ((transaction.key if transaction else None) or f"{UNKEYED}{time.time_ns()}")[:NAMED]


def resumes(work: Path) -> bool:
    """Whether the same command would go on from what lies in a folder."""
    return not work.name.startswith(UNKEYED)


@contextmanager
def _workspace(key: str) -> Iterator[tuple[Path, IO[str]]]:
    work = folder("work") / key
    with held(f"work-{key}") as lock:
        _remove_abandoned(work)
        work.mkdir(exist_ok=True)
        try:
            yield work, lock
        except BaseException:
            if not resumes(work):
                shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work)


def _remove_abandoned(current: Path) -> None:
    """Remove folders that nobody holds and nobody has written to for long: they hold states of whole models."""
    until = time.time() - work_days() * DAY
    for work in current.parent.iterdir():
        if work == current or work.is_symlink() or not work.is_dir() or _touched(work) > until:
            continue
        with held_if_free(f"work-{work.name}") as is_ours, held_if_free(f"child-{work.name}") as is_alone:
            if is_ours and is_alone:
                shutil.rmtree(work, ignore_errors=True)


def _touched(work: Path) -> float:
    """When something in a folder was last written, in seconds since 1970."""
    found = 0.0
    with suppress(OSError):  # Another process removes it meanwhile.
        for path in (work, *work.rglob("*")):
            found = max(found, path.stat().st_mtime)
    return found


def _began() -> float:
    """When this step began, before it looked whether its question was answered already."""
    context = TaskRunContext.get()
    return context.start_time.timestamp() if context else time.time()


def _answer(lock: IO[str], began: float) -> Reference | None:
    lock.seek(0)
    try:
        left = json.loads(lock.read())
        answer = ReferenceSerializer().loads(left["answer"].encode())
        return answer if left["when"] >= began and isinstance(answer, Reference) else None
    except (ValueError, KeyError):  # Nobody has left one, or was killed over it.
        return None


def _leave(lock: IO[str], answer: Reference) -> None:
    lock.truncate(0)
    said = ReferenceSerializer().dumps(answer).decode()
    lock.write(json.dumps({"when": time.time(), "answer": said}))
    lock.flush()
