"""Checkpoints: which of the folders that a run left behind may be gone on from.

A process can be killed while it writes. So a checkpoint counts only once it is sealed: a manifest of
its files' digests, written last and under a temporary name. It also says for which run it was made,
so that a folder reused by another recipe never lends it its weights.
"""

import hashlib
import json
import shutil
from pathlib import Path

MANIFEST = "manifest.json"
PREFIX = "checkpoint-"


def seal(folder: Path, identity: str, seconds: float) -> None:
    """Declare ``folder`` whole.

    Args:
        folder: with every file of the checkpoint in it.
        identity: names the run; only that run will accept it.
        seconds: of training so far, kept for the record.
    """
    files = {file.name: _sha256(file) for file in sorted(folder.iterdir()) if file.is_file()}
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps({"files": files, "identity": identity, "seconds": seconds}, indent=2, sort_keys=True))
    part.replace(folder / MANIFEST)


def last_whole(work: Path, identity: str) -> Path | None:
    """Return the latest checkpoint in ``work`` to go on from, after removing those that are torn or another run's."""
    whole = []
    for folder in work.glob(f"{PREFIX}*"):
        if _is_whole(folder, identity):
            whole.append(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return max(whole, key=step, default=None)


def step(folder: Path) -> int:
    """Optimiser steps done when the checkpoint was made."""
    return int(folder.name.removeprefix(PREFIX))


def seconds(folder: Path) -> float:
    """Seconds of training done when the checkpoint was made."""
    return float(json.loads((folder / MANIFEST).read_text())["seconds"])


def _is_whole(folder: Path, identity: str) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        files = manifest["files"].items()
        return manifest["identity"] == identity and all(_sha256(folder / name) == found for name, found in files)
    except (OSError, ValueError, KeyError):
        return False


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
