"""Faults: what may be told of an error that nobody foresaw, and whether it was for want of memory."""

import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOMS = frozenset({"assay", "expectations", "tasks", "flows", "cli"})


def described(error: BaseException) -> str:
    """Its kind, and the last place in our own code that it came through; never its message.

    Such as ``ValueError in tasks/data.py line 61, split``.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _ours(frame.filename)]
    place = "a library"
    if frames:
        last = frames[-1]
        place = f"{'/'.join(Path(last.filename).parts[-2:])} line {last.lineno}, {last.name}"
    return f"{type(error).__name__} in {place}; its message is withheld, since it may quote a record"


def killed_for_memory() -> int:
    """How many processes the kernel has killed for want of memory: in this control group, or else on this machine."""
    text = ""
    for path in _counters():
        with suppress(OSError):
            text = text or path.read_text()
    found = re.search(r"^oom_kill (\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def bare(error: Exception) -> Exception:
    """The error without those that led to it.

    ``from None`` hides them from a traceback and no more: what pickles an error, as Prefect does with the one that ends
    a flow, may keep them (where ``tblib`` is installed it does), and their messages may quote a record.
    """
    error.__cause__ = error.__context__ = None
    return error


def _counters() -> Iterator[Path]:
    """Files that count such kills, the nearest first."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, kinds, group = line.split(":", 2)
            if (number, kinds) == ("0", ""):
                yield Path("/sys/fs/cgroup") / group.lstrip("/") / "memory.events"
            elif "memory" in kinds.split(","):
                yield Path("/sys/fs/cgroup/memory") / group.lstrip("/") / "memory.oom_control"
    yield Path("/sys/fs/cgroup/memory.events")
    yield Path("/sys/fs/cgroup/memory/memory.oom_control")
    yield Path("/proc/vmstat")


def _ours(filename: str) -> bool:
    return "site-packages" not in filename and bool(ROOMS & set(Path(filename).parts))
