"""Compiling: what stands between the attentions of a model as kernels that are made for it (``torch.compile``).

Norms and feed-forward parts of the layers that learn are compiled; the attention over packed rows is not, since its
borders change with each batch. Lengths are left open, so one kernel serves all batches, and a run that was resumed
computes what it would have computed. Compiled sums round otherwise: so the recipe says it, and not the machine.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from assay.errors import RecipeError
from assay.model import architecture

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.


@contextmanager
def compiled(model: Any, attentions: Mapping[int, Any]) -> Iterator[int]:  # noqa: ANN401
    """Compile what stands beside ``attentions`` in the layers of ``model`` that learn; yields how many parts.

    Raises:
        RecipeError: training runs on a CPU, and there is no compiler of C++.
    """
    _check_compiler()
    found = list(_beside(model, attentions.keys()))
    for part in found:
        part.compile(dynamic=True)
    try:
        yield len(found)
    finally:
        for part in found:
            part._compiled_call_impl = None  # noqa: SLF001  # there is no other way back


def _beside(model: Any, attentions: Collection[int]) -> Iterator[Any]:  # noqa: ANN401
    base = architecture.base_of(model)
    first = architecture.first_learned(base)
    for name, module in base.named_modules():
        if id(module) in attentions and architecture.layer(name) >= first:
            layer = base.get_submodule(name.rpartition(".")[0])
            yield from (part for part in layer.children() if part is not module)


def _check_compiler() -> None:
    import torch

    if not torch.cuda.is_available() and not any(map(shutil.which, ("g++", "clang++"))):
        raise RecipeError(
            "training.compile: found no compiler of C++ on this machine, expected g++ or clang++; install one, or "
            "train without `compile`"
        )
