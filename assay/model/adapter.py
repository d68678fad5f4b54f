"""Adapter: the low-rank update that is learned, and the two files that hold it.

LoRA (Hu et al. 2021, arXiv:2106.09685): each adapted matrix W becomes W + (alpha / rank) · B·A. W
stays frozen in the base's dtype; A and B are float32, drawn from the recipe's seed with B = 0, so
an untrained adapter changes nothing. Which matrices are adapted is decided by the ends of their
names and by layer, and written out in full, so it holds for any causal language model.

The files say nothing of the machine that wrote them: equal weights are equal bytes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import RecipeError, TrainingError
from assay.model.rows import IGNORED
from assay.spec import TrainingSpec

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig, PeftModel
    from transformers import PreTrainedModel

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def attach(base: Path, spec: TrainingSpec) -> "PeftModel":
    """Load a prepared base and put a fresh adapter on it; its forward takes labels and returns their mean loss.

    Raises:
        RecipeError: the base has no such module or fewer layers, or reads less than ``max_length`` tokens.
    """
    from peft import get_peft_model
    from transformers import set_seed

    model = _load(base, spec)
    config = _config(model, spec, modules(model, spec))
    _score_learned_only(model)
    set_seed(spec.seed)
    return get_peft_model(model, config)


def modules(model: "PreTrainedModel", spec: TrainingSpec) -> list[str]:
    """Full names of the matrices to adapt: ``target_modules`` in the last ``last_layers`` layers.

    Raises:
        RecipeError: there is no such module, or there are fewer layers.
    """
    names = list(_matrices(model))
    kinds = {_kind(name) for name in names}
    if absent := sorted(set(spec.target_modules) - kinds):
        raise RecipeError(
            f"training.target_modules: found no {absent} in {type(model).__name__}, expected some of {sorted(kinds)}"
        )
    layers = sorted({_layer(name) for name in names} - {-1})
    if spec.last_layers and spec.last_layers > len(layers):
        raise RecipeError(f"training.last_layers: found {spec.last_layers}, expected at most {len(layers)}")
    chosen = layers[-spec.last_layers :] if spec.last_layers else [-1, *layers]
    return sorted(name for name in names if _kind(name) in spec.target_modules and _layer(name) in chosen)


def save(model: "PeftModel", base_name: str, base_digest: str, out: Path) -> None:
    """Write ``adapter_model.safetensors`` and ``adapter_config.json``, and nothing else, to ``out``.

    Args:
        model: adapted and trained.
        base_name: what the base is called in public, never a path.
        base_digest: sha256 of the base, kept as the revision that the adapter belongs to.
        out: made if absent.

    Raises:
        TrainingError: the adapter changes nothing, or not by finite numbers.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    _check_delta(state)
    config = {
        **model.peft_config["default"].to_dict(),
        "target_modules": sorted(_adapted(model)),
        "base_model_name_or_path": base_name,
        "revision": base_digest,
        "inference_mode": True,
    }
    out.mkdir(parents=True, exist_ok=True)
    kept = {name: state[name].detach().cpu().float().contiguous() for name in sorted(state)}
    save_file(kept, out / WEIGHTS, metadata={"format": "pt"})
    (out / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True, default=sorted) + "\n")


def operations(model: "PeftModel", tokens: int, learned_tokens: int) -> dict[str, int]:
    """Count the floating-point operations of training, by arithmetic and not by measurement.

    A weight costs 2 per token forward and 4 backward ("6ND"). A frozen matrix saves the 2 of its own
    gradient ("4N"), one below the first adapted layer saves the other 2 as well, and the head is
    computed for learned tokens only. Attention's products are left out, as they are in 6ND.

    Returns:
        ``done``, and ``full``: what full fine-tuning would have cost at 6ND, the head on every token.
    """
    base = model.get_base_model()
    head = base.get_output_embeddings().weight.numel()
    first = min(_layer(name) for name in _adapted(model))
    weights = {name: base.get_submodule(name).weight.numel() for name in _matrices(base) if ".lora_" not in name}
    body = sum(weights.values())
    above = sum(count for name, count in weights.items() if _layer(name) >= first)
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    done = (2 * body + 2 * above + 6 * learned) * tokens + 4 * head * learned_tokens
    return {"done": done, "full": 6 * (body + head) * tokens}


def _load(base: Path, spec: TrainingSpec) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype="auto",
        local_files_only=True,
        trust_remote_code=False,
        # On short rows a CPU's fused attention is slower than the plain one, above all backward.
        attn_implementation="sdpa" if torch.cuda.is_available() else "eager",
    )
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if limit and spec.max_length > limit:
        raise RecipeError(f"training.max_length: found {spec.max_length}, expected at most the model's {limit}")
    return model


def _score_learned_only(base: Any) -> None:  # noqa: ANN401
    """Replace the base's forward by one that runs the head on learned positions and returns the loss.

    It is the base that is patched and the wrapped model that is called, so that data-parallel hooks
    fire; a loss computed beside the wrapper trains ranks apart without a word.
    """
    from torch.nn.functional import cross_entropy, pad

    whole, head = base.forward, base.get_output_embeddings()

    def forward(labels: "torch.Tensor", num_items_in_batch: Any = None, **inputs: Any) -> dict[str, Any]:  # noqa: ANN401
        learned = labels[:, 1:] != IGNORED
        before = pad(learned, (0, 1))
        hook = head.register_forward_pre_hook(lambda _, args: (args[0][before],))
        try:
            logits = whole(**inputs | {"use_cache": False}).logits
        finally:
            hook.remove()
        total = cross_entropy(logits.float(), labels[:, 1:][learned], reduction="sum")
        return {"loss": total / (learned.sum() if num_items_in_batch is None else num_items_in_batch)}

    base.forward = forward


def _config(model: "PreTrainedModel", spec: TrainingSpec, names: list[str]) -> "LoraConfig":
    from peft import LoraConfig

    return LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=names,
        task_type="CAUSAL_LM",
        fan_in_fan_out=type(model.get_submodule(names[0])).__name__ == "Conv1D",
    )


def _matrices(model: "PreTrainedModel") -> Iterator[str]:
    """Names of the linear maps, the language-model head left out."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, Linear | Conv1D) and module is not head:
            yield name


def _adapted(model: "PeftModel") -> Iterator[str]:
    """Names of the adapted matrices, in full: peft may have abbreviated those in its configuration."""
    for name, module in model.get_base_model().named_modules():
        if hasattr(module, "lora_A"):
            yield name


def _check_delta(state: "dict[str, torch.Tensor]") -> None:
    """B starts at zero: if it still is, nothing was learned."""
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise TrainingError("adapter: found weights that are not finite, expected numbers; lower the learning rate")
    if not any(bool(tensor.any()) for name, tensor in state.items() if ".lora_B" in name):
        raise TrainingError("adapter: found a zero update, expected a learned one; raise the learning rate or epochs")


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _layer(name: str) -> int:
    """The first number in a module's name; -1 if it stands outside of the layers."""
    return next((int(part) for part in name.split(".") if part.isdigit()), -1)
