"""Merging: the weights that a model is asked with, which are never an adapter beside its base."""

import shutil
from pathlib import Path
from typing import Any

from assay.artifacts import Artifact, digest_of
from assay.model import weights
from tasks.places import checkout


def merged(base: Artifact, adapter: Artifact | None, dtype: Any, folder: Path) -> tuple[Path, str]:  # noqa: ANN401
    """The base, or the base with the adapter merged in under ``folder``; and their digest."""
    if adapter is None:
        return checkout(base), digest_of({"base": base.digest, "adapter": None})
    place = folder / "merged"
    shutil.rmtree(place, ignore_errors=True)
    weights.merge(checkout(base), checkout(adapter), place, dtype)
    return place, digest_of({"base": base.digest, "adapter": adapter.digest})
