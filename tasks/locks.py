"""Locks: one holder at a time, on this machine and on all that share ``ASSAY_HOME``, however its holders end.

The kernel holds them (``flock``), so none is left behind by a process that was killed.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO

from tasks.places import device_name, folder
from tasks.unwanted import refuse_unwanted, this_run

EVERY = 0.2
"""Seconds between two looks at a lock that another holds."""


@contextmanager
def held(name: str) -> Iterator[IO[str]]:
    """Hold a lock; who inherits the open file holds it too, until the last of them is gone.

    It is asked for again and again: a thread that sleeps in the kernel would not hear that its run is over. What the
    file says is its holders' business: it is given as it was left.
    """
    run = this_run()
    with (folder("locks") / name).open("a+") as file:
        while not _locked(file):
            refuse_unwanted(run)
            time.sleep(EVERY)
        yield file


@contextmanager
def held_if_free(name: str) -> Iterator[bool]:
    """Hold a lock, or say that another does."""
    with (folder("locks") / name).open("a+") as file:
        yield _locked(file)


def device() -> AbstractContextManager[IO[str]]:
    """Hold this machine's device: ``ASSAY_DEVICE`` names it if there are several."""
    return held(f"device-{device_name()}")


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
