"""Remembered: what a model made of single items, so that a larger test set costs its new items only.

A step's own answer is cached as a whole: one more record, and it is another question. Below that, each item's result is
kept under a digest of all that it depends on (:func:`assay.evaluation.generation.key` and its likes), in one file for
each model and way of asking, ``ASSAY_HOME/remembered/KIND/DIGEST.jsonl``: a first line that says what was asked of
whom, then a line for each item with its own checksum.

A line is appended as soon as its item is known, in one write at the file's end. So a run that is killed has lost
nothing, two at once write line after line, and a line that is torn or damaged is an item that is asked again. Nothing
is ever changed in place. A file that nobody has opened for ``ASSAY_WORK_DAYS`` is removed when another is opened.
They lie under ``ASSAY_HOME`` in plain text, so ``assay verify leaks`` reads them like any other file.
"""

import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from assay.artifacts import JSON, digest_of
from assay.evaluation import attention, batching, generation, seats
from tasks import merging
from tasks.places import folder, threads, work_days

LAYING = (attention, batching, seats)
"""How items are laid side by side, on which no result hangs but by rounding."""

LIBRARIES = ("torch", "transformers", "tokenizers", *merging.LIBRARIES)
"""Libraries whose release may move a token."""

DAY = 24 * 3600.0
CHECK = 16
"""Characters of a line's checksum."""


class Remembered(MutableMapping[str, str]):
    """Item → what came of it, on disk as soon as it is set. Nothing is forgotten: deleting is refused."""

    def __init__(self, path: Path, asked: Mapping[str, JSON]) -> None:
        self._known = _read(path)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # Whoever wrote last was killed over it.
        if not size:
            self._append(json.dumps({"asked": dict(asked)}, sort_keys=True))

    def __getitem__(self, key: str) -> str:
        return self._known[key]

    def __setitem__(self, key: str, value: str) -> None:
        if self._known.get(key) == value:
            return
        self._append(json.dumps([key, value, _check(key, value)], ensure_ascii=False))
        self._known[key] = value

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"found a wish to forget {key}; expected none: an item's result depends on its key alone.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)

    def _append(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


@contextmanager
def remembered(kind: str, model: str, asked: Mapping[str, JSON]) -> Iterator[Remembered]:
    """What is known of one model's items, to be read and added to.

    Args:
        kind: Of items, such as ``answers``; names the folder.
        model: Digest of the weights asked, merged.
        asked: All else that a result depends on and its key does not hold, from :func:`way`.
    """
    whole: dict[str, JSON] = {"kind": kind, "model": model, **asked}
    path = folder(f"remembered/{kind}") / f"{digest_of(whole)}.jsonl"
    _prune(path)
    found = Remembered(path, whole)
    with suppress(OSError):
        os.utime(path)
    try:
        yield found
    finally:
        found.close()


def way(model: Any, method: ModuleType) -> dict[str, JSON]:  # noqa: ANN401 — of transformers
    """All that an item's result may hang on beside its key and what the weights are made of.

    Args:
        model: Who is asked.
        method: What asks, such as :mod:`assay.evaluation.generation`.
    """
    asking = (method, *LAYING, merging, *merging.METHODS)
    return {
        "methods": {each.__name__: int(each.VERSION) for each in asking},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "dtype": str(model.dtype),
        **machine(model),
    }


def machine(model: Any) -> dict[str, JSON]:  # noqa: ANN401 — of transformers
    """What of this machine moves a result in its last digits: threads, the CPU's instructions, the device by name."""
    import torch

    device = str(model.device.type)
    if device == "cuda":
        device = f"cuda: {torch.cuda.get_device_name(model.device)}"
    return {"threads": threads(), "cpu": generation.capability(), "device": device}


def _read(path: Path) -> dict[str, str]:
    """Every whole line; of two with one key the later."""
    known: dict[str, str] = {}
    with suppress(FileNotFoundError):
        for line in path.read_bytes().split(b"\n"):
            try:
                key, value, check = json.loads(line)
            except (ValueError, TypeError):
                continue
            if isinstance(key, str) and isinstance(value, str) and check == _check(key, value):
                known[key] = value
    return known


def _check(key: str, value: str) -> str:
    return hashlib.sha256(f"{key} {value}".encode()).hexdigest()[:CHECK]


def _prune(current: Path) -> None:
    """Remove files that nobody has opened for long."""
    until = time.time() - work_days() * DAY
    for path in current.parent.parent.glob("*/*.jsonl"):
        with suppress(OSError):  # Another process removes it meanwhile.
            if path != current and path.stat().st_mtime < until:
                path.unlink()
