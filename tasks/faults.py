"""Faults: what may be told of an error that nobody foresaw."""

import traceback
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


def bare(error: Exception) -> Exception:
    """The error without those that led to it.

    ``from None`` hides them from a traceback and no more: what pickles an error, as Prefect does with the one that ends
    a flow, may keep them (where ``tblib`` is installed it does), and their messages may quote a record.
    """
    error.__cause__ = error.__context__ = None
    return error


def _ours(filename: str) -> bool:
    return "site-packages" not in filename and bool(ROOMS & set(Path(filename).parts))
