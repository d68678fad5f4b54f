"""Merging: the weights that a model is asked with, which are never an adapter beside its base.

Merged weights are named by what they are merged of. How that is done (:data:`VERSION`, :data:`METHODS`, the release of
peft) is no part of the name, so whoever keeps what such weights gave keeps it under that as well, as
:func:`tasks.remembered.way` does.
"""

import shutil
from pathlib import Path
from typing import Any

from assay.artifacts import Artifact, digest_of
from assay.model import changes, weights
from tasks.places import checkout

VERSION = 1  # Raise on any change here that could change merged weights: it is part of the keys of what they give.

METHODS = (weights, changes)
"""Methods that merged weights go through."""

LIBRARIES = ("safetensors", "peft")
"""Libraries whose release may move a merged weight."""


def merged(base: Artifact, adapter: Artifact | None, dtype: Any, folder: Path) -> tuple[Path, str]:  # noqa: ANN401
    """The base, or the base with the adapter merged in under ``folder``; and the digest of what it is made of."""
    if adapter is None:
        return checkout(base), digest_of({"base": base.digest, "adapter": None})
    place = folder / "merged"
    shutil.rmtree(place, ignore_errors=True)
    weights.merge(checkout(base), checkout(adapter), place, dtype)
    return place, digest_of({"base": base.digest, "adapter": adapter.digest})
