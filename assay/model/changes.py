"""Changes: the weights that full tuning moved, as a folder of two files that stands where an adapter would.

``changed_weights.safetensors`` holds each changed weight whole, in the base's dtype, under its name in the model;
``changed_weights.json`` says which base they belong to. What rounding to the base's dtype leaves as it was is left
out. Put in place of the base's own they make the model that was trained, up to that rounding: nothing is added up.

Equal weights are equal bytes; nothing says where they were made.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import BaseModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

WEIGHTS = "changed_weights.safetensors"
CONFIG = "changed_weights.json"


def moved(model: "PreTrainedModel", base: "PreTrainedModel") -> "Iterator[tuple[str, torch.Tensor, torch.Tensor]]":
    """Name, trained float32 weight and the base's own of each parameter that training was allowed to move."""
    before = dict(base.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            yield name, parameter.detach().cpu(), before[name].detach()


def write(kept: "dict[str, torch.Tensor]", base_name: str, base_digest: str, out: Path) -> None:
    """Write both files to ``out``, which is made if absent."""
    from safetensors.torch import save_file

    config = {
        "method": "full",
        "base_model_name_or_path": base_name,
        "revision": base_digest,
        "weights": sorted(kept),
    }
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: kept[name].contiguous() for name in sorted(kept)}, out / WEIGHTS, metadata={"format": "pt"})
    (out / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def are_in(folder: Path) -> bool:
    """Whether ``folder`` holds changed weights, and not an adapter."""
    return (folder / CONFIG).is_file()


def put(folder: Path, model: "PreTrainedModel") -> None:
    """Put the changed weights in ``folder`` in place of the model's own; tied ones move together.

    Raises:
        BaseModelError: the model has no such weight, or one is of another shape or not finite.
    """
    import torch
    from safetensors.torch import load_file

    own = dict(model.named_parameters())
    changed = load_file(folder / WEIGHTS)
    with torch.no_grad():
        for name, weight in changed.items():
            if name not in own or own[name].shape != weight.shape:
                raise BaseModelError(f"adapter {folder.name}: found {name}, which does not fit; name the base it is of")
            if not bool(weight.isfinite().all()):
                raise BaseModelError(f"adapter {folder.name}: found {name} not finite, expected numbers; train again")
            own[name].copy_(weight)
