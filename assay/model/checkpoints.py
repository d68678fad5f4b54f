"""Checkpoints: which of the folders that a run left behind may be gone on from.

A process can be killed while it writes. So a checkpoint counts only once it is sealed: a manifest of
its files' digests, written last and under a temporary name. It also says for which run it was made,
so that a folder reused by another recipe never lends it its weights.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import TrainingError
from assay.locations import sha256

if TYPE_CHECKING:
    from torch.nn import Module

MANIFEST = "manifest.json"
PREFIX = "checkpoint-"
BEST = "best-"
WEIGHTS = "weights.safetensors"


def seal(folder: Path, identity: str, seconds: float) -> None:
    """Declare ``folder`` whole.

    Args:
        folder: with every file of the checkpoint in it.
        identity: names the run; only that run will accept it.
        seconds: of training so far, kept for the record.
    """
    files = {file.name: sha256(file) for file in sorted(folder.iterdir()) if file.is_file()}
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


def file_best(model: "Module", work: Path, step_done: int, identity: str) -> None:
    """File what ``model`` has learned so far as the best yet, whole or not at all."""
    from safetensors.torch import save_file

    part, folder = work / f"part-{BEST}{step_done}", work / f"{BEST}{step_done}"
    for each in (part, folder):
        shutil.rmtree(each, ignore_errors=True)
    part.mkdir(parents=True)
    learned = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    save_file(learned, part / WEIGHTS)
    seal(part, identity, 0.0)
    part.rename(folder)


def load_best(model: "Module", work: Path, step_done: int, identity: str) -> None:
    """Put the weights filed at a step back into ``model``.

    Raises:
        TrainingError: they are not there, or not whole.
    """
    import torch
    from safetensors.torch import load_file

    folder = work / f"{BEST}{step_done}"
    if not _is_whole(folder, identity):
        raise TrainingError(
            f"best weights: found none whole of step {step_done}, expected those that were measured; remove the work "
            "folder and train again"
        )
    found = load_file(folder / WEIGHTS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(found[name])


def forget_best(work: Path, after: int, identity: str) -> None:
    """Remove best weights of another run, and those of steps after ``after``, which are to be taken again."""
    for folder in [*work.glob(f"{BEST}*"), *work.glob(f"part-{BEST}*")]:
        if folder.name.startswith("part-") or _step_of_best(folder) > after or not _is_whole(folder, identity):
            shutil.rmtree(folder, ignore_errors=True)


def prune_best(work: Path) -> None:
    """Remove best weights that no checkpoint leads back to: of those before the oldest checkpoint, all but the last."""
    oldest = min((step(folder) for folder in work.glob(f"{PREFIX}*")), default=0)
    filed = sorted(work.glob(f"{BEST}*"), key=_step_of_best)
    before = [folder for folder in filed if _step_of_best(folder) <= oldest]
    for folder in before[:-1]:
        shutil.rmtree(folder, ignore_errors=True)


def _step_of_best(folder: Path) -> int:
    return int(folder.name.removeprefix(BEST))


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
        return manifest["identity"] == identity and all(sha256(folder / name) == found for name, found in files)
    except (OSError, ValueError, KeyError):
        return False
