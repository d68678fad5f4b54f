"""Architecture: what a causal language model is made of, as far as teaching it needs to know.

Its matrices are found by their type (``Linear``, and GPT-2's transposed ``Conv1D``), their kind is the end of their
name (``q_proj``) and their layer the first number in it, so nothing here lists architectures. The language-model head
stands apart: it is computed where something is learned, and is often the embeddings over again.

A model may be on torch's meta device, where it has shapes and no weights: all of this is answered as well there.
"""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from assay.errors import RecipeError
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

OUTSIDE = -1
"""The layer of what stands outside of the layers."""

BLOCK = 3
"""Dimensions of a weight that holds the matrices of many experts."""


def base_of(model: Any) -> "PreTrainedModel":  # noqa: ANN401  # a PeftModel or the model itself
    """The language model under an adapter; the model itself if there is none."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def computes_in(model: Any) -> "torch.dtype":  # noqa: ANN401  # a PeftModel or the model itself
    """In what training computes: the prepared base's dtype, though learned weights are held in float32."""
    base = base_of(model)
    return getattr(base, "computes_in", base.dtype)


def kind(name: str) -> str:
    """The end of a module's name."""
    return name.rpartition(".")[2]


def layer(name: str) -> int:
    """The first number in a module's name; :data:`OUTSIDE` if there is none."""
    return next((int(part) for part in name.split(".") if part.isdigit()), OUTSIDE)


def matrices(model: "PreTrainedModel") -> Iterator[tuple[str, Any]]:
    """Names of the linear maps and the maps, the language-model head and an adapter's own left out."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, Linear | Conv1D) and module is not head and ".lora_" not in name:
            yield name, module


def shape(module: Any) -> tuple[int, int]:  # noqa: ANN401  # Linear, in 4 bits too, or Conv1D
    """Inputs and outputs of a linear map, however its weight is stored: packed in 4 bits it has another shape."""
    return (module.in_features, module.out_features) if hasattr(module, "in_features") else tuple(module.weight.shape)


def adapted(model: "PreTrainedModel", spec: TrainingSpec) -> list[str]:
    """Full names of the matrices to adapt: ``target_modules`` in the last ``last_layers`` layers.

    Raises:
        RecipeError: there is no such module, or there are fewer layers, or the two name nothing together.
    """
    return _chosen(model, [name for name, _ in matrices(model)], spec)


def learned(model: "PreTrainedModel", spec: TrainingSpec) -> list[str]:
    """Full names of the parameters that full tuning learns: all, or those of the modules that the recipe names.

    ``last_layers`` leaves out what stands outside of the layers, as it does for an adapter: embeddings, the last
    norm, the head. A tied head has one name, that of the embeddings, and learning it moves both.

    Raises:
        RecipeError: as :func:`adapted`.
    """
    if not (spec.target_modules or spec.last_layers):
        return sorted(name for name, _ in model.named_parameters())
    owners = {
        name: module
        for name, module in model.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    }
    chosen = _chosen(model, list(owners), spec)
    wanted = {id(parameter) for name in chosen for parameter in owners[name].parameters(recurse=False)}
    return sorted(name for name, parameter in model.named_parameters() if id(parameter) in wanted)


def adapters(model: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # a PeftModel or the model itself
    """The adapted matrices by their names in full: peft may have abbreviated those in its configuration."""
    for name, module in base_of(model).named_modules():
        if hasattr(module, "lora_A"):
            yield name, module


def met(model: "PreTrainedModel") -> "dict[str, tuple[float, torch.Tensor]]":
    """How many weights of each matrix a token meets, and the matrix.

    Experts that are held as one block count by the share of them that a token is sent to.
    """
    found = {name: (float(prod(shape(module))), module.weight) for name, module in matrices(model)}
    used = getattr(model.config.get_text_config(), "num_experts_per_tok", None)
    for name, block in model.named_parameters():
        if block.ndim == BLOCK:
            share = min(1.0, used / block.shape[0]) if used else 1.0
            found[name] = block.numel() * share, block
    return found


def first_learned(model: "PreTrainedModel") -> float:
    """The lowest layer where anything is learned; infinite if nothing is.

    What stands outside of the layers and before them is below, what stands after them above.
    """
    last = max((layer(name) for name, _ in model.named_parameters()), default=OUTSIDE)
    lowest, inside = float("inf"), False
    for name, parameter in model.named_parameters():
        place = layer(name)
        inside = inside or place != OUTSIDE
        if parameter.requires_grad:
            lowest = min(lowest, last + 1 if inside and place == OUTSIDE else place)
    return lowest


def check_window(config: "PretrainedConfig", spec: TrainingSpec) -> None:
    """Refuse rows that the model cannot read.

    Raises:
        RecipeError: ``max_length`` is over the positions that the model knows.
    """
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    if limit and spec.max_length > limit:
        raise RecipeError(f"training.max_length: found {spec.max_length}, expected at most the model's {limit}")


def _chosen(model: "PreTrainedModel", names: list[str], spec: TrainingSpec) -> list[str]:
    kinds = {kind(name) for name in names}
    if absent := sorted(set(spec.target_modules) - kinds):
        raise RecipeError(
            f"training.target_modules: found no {absent} in {type(model).__name__}, expected some of {sorted(kinds)}"
        )
    layers = sorted({layer(name) for name in names} - {OUTSIDE})
    if spec.last_layers and spec.last_layers > len(layers):
        raise RecipeError(f"training.last_layers: found {spec.last_layers}, expected at most {len(layers)}")
    within = layers[-spec.last_layers :] if spec.last_layers else [OUTSIDE, *layers]
    wanted = set(spec.target_modules) or kinds
    chosen = sorted(name for name in names if kind(name) in wanted and layer(name) in within)
    if not chosen:
        raise RecipeError(
            f"training: found no trainable parameter: none of {sorted(wanted)} stands in the last {spec.last_layers} "
            "layers; name others in `target_modules` or leave out `last_layers`"
        )
    return chosen
