"""Bases: how a recipe names a model, be it the one that is tuned or one that is only prompted."""

from typing import Literal

from assay.fields import Declared, Located, Sha256, Spec


class BaseSpec(Spec):
    """The model to start from."""

    uri: Located
    """``package:DISTRIBUTION/FILE``, a local folder, a ``.gguf`` file, or ``hub:ORG/NAME``."""

    revision: str | None = None
    """Commit of a hub model."""

    digest: Sha256
    """sha256 of the file, or of the manifest of the folder (`assay digest PATH` prints it)."""

    licence: Declared
    dtype: Literal["float32", "bfloat16"]
    """Weights are converted to this once; training, both evaluations and the merge use it."""
