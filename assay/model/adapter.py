"""Adapter: what is learned of a model by each method, and the two files that hold it.

| method | each adapted matrix W becomes | learned |
|---|---|---|
| ``lora`` (Hu et al. 2021, arXiv:2106.09685) | W + (alpha / rank) · B·A | A, B |
| ``rslora`` (Kalajdzievski 2023, arXiv:2312.03732) | W + (alpha / √rank) · B·A | A, B |
| ``dora`` (Liu et al. 2024, arXiv:2402.09353) | m · V / ‖V‖ by output, where V is what ``lora`` makes of W | A, B, m |
| ``qlora`` (Dettmers et al. 2023, arXiv:2305.14314) | as ``lora``, over W in 4 bits | A, B |
| ``full`` | W | W |

W stays frozen in the base's dtype. What is learned is float32; A is drawn from the recipe's seed, B = 0 and m = ‖W‖,
so an untrained adapter changes nothing. Which matrices are adapted is decided by the ends of their names and by layer,
and written out in full, so it holds for any causal language model. ``qlora`` is merged into the base as it was before
it was rounded to 4 bits: what is evaluated and released is that sum. ``full`` learns float32 copies, which are rounded
to the base's dtype once, at the end: a bf16 weight of 1 would forget every step smaller than 1/512.

The files say nothing of the machine that wrote them: equal weights are equal bytes.
"""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from assay.errors import RecipeError, TrainingError
from assay.model import architecture, changes, costs
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig, PeftModel
    from transformers import PreTrainedModel

VERSION = 2  # Raise on any change that could change an output: it is part of the cache key.

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"

operations = costs.operations


def attach(base: Path, spec: TrainingSpec) -> "PeftModel | PreTrainedModel":
    """Load a prepared base and make ready what the method learns.

    Raises:
        RecipeError: the base has no such module or fewer layers, or reads less than ``max_length`` tokens; or
            ``qlora`` is asked for where there is no CUDA device or no bitsandbytes.
    """
    from transformers import set_seed

    model = _load(base, spec)
    set_seed(spec.seed)
    return equip(model, spec)


def equip(model: "PreTrainedModel", spec: TrainingSpec) -> "PeftModel | PreTrainedModel":
    """Put a fresh adapter on a model, or free the weights that full tuning learns. It may be on the meta device.

    Raises:
        RecipeError: it has no such module, or fewer layers.
    """
    from peft import get_peft_model

    if spec.method != "full":
        return get_peft_model(model, _config(model, spec))
    free = set(architecture.learned(model, spec))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in free)
    return model


def save(model: "PeftModel | PreTrainedModel", base_name: str, base_digest: str, out: Path) -> None:
    """Write a configuration and the learned weights, and nothing else, to ``out``.

    An adapter is ``adapter_config.json`` and ``adapter_model.safetensors``, as peft reads them; what full tuning
    changed is as :mod:`assay.model.changes` says.

    Args:
        model: as :func:`attach` gave it, trained; its base must still be where it was.
        base_name: what the base is called in public, never a path.
        base_digest: sha256 of the base, kept as the revision that the adapter belongs to.
        out: made if absent.

    Raises:
        TrainingError: nothing was trained, it changes nothing, or not by finite numbers.
    """
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TrainingError("adapter: found no trainable parameter, expected some; name modules that the base has")
    if _is_adapter(model):
        _save_adapter(model, base_name, base_digest, out)
    else:
        changes.write(_changed(model), base_name, base_digest, out)


def update_size(model: "PeftModel | PreTrainedModel") -> dict[str, Any]:
    """How far training moved the matrices: ‖update‖ / ‖weight‖ of each (Frobenius norms), whatever the method.

    A size, not a verdict: a useful update of low rank is mostly within some hundredths, and one near 1 has replaced
    what the base knew. Nothing is refused for it, because what it did to the model is measured on its answers and
    judged at the gate; a number that is not finite is refused by :func:`save`.

    Returns:
        ``median`` and ``max`` over the matrices, the ``module`` of the latter, how many ``matrices`` there were,
        and how many of them are ``unmoved``, which no gradient reached.
    """
    sizes = dict(_updates(model) if _is_adapter(model) else _moves(model))
    largest = max(sizes, key=lambda name: sizes[name])
    return {
        "median": median(sizes.values()),
        "max": sizes[largest],
        "module": largest,
        "matrices": len(sizes),
        "unmoved": sum(size == 0 for size in sizes.values()),
    }


def _load(base: Path, spec: TrainingSpec) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    if spec.method == "qlora":
        _check_four_bits()
    model = AutoModelForCausalLM.from_pretrained(
        base,
        **_held(base, spec),
        local_files_only=True,
        trust_remote_code=False,
        # On short rows a CPU's fused attention is slower than the plain one, above all backward.
        attn_implementation="sdpa" if torch.cuda.is_available() else "eager",
    )
    architecture.check_window(model.config, spec)
    model.computes_in = _dtype(base)
    return model


def _held(base: Path, spec: TrainingSpec) -> dict[str, Any]:
    """How a method holds the base's weights."""
    import torch
    from transformers import BitsAndBytesConfig

    match spec.method:
        case "full":
            return {"dtype": torch.float32}
        case "qlora":
            four_bits = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=_dtype(base),
            )
            return {"dtype": "auto", "quantization_config": four_bits}
        case _:
            return {"dtype": "auto"}


def _dtype(base: Path) -> "torch.dtype":
    """Of a prepared base's weights, as its configuration says."""
    import torch

    config = json.loads((base / "config.json").read_text())
    return getattr(torch, config.get("dtype") or config.get("torch_dtype") or "float32")


def _check_four_bits() -> None:
    import torch

    if find_spec("bitsandbytes") is None:
        raise RecipeError(
            "training.method: found qlora without the package that packs weights in 4 bits; install `assay[qlora]` or "
            "choose lora"
        )
    # It runs on CPUs too, but packs anew at the first evaluation, after which a matrix with a bias cannot train.
    if not torch.cuda.is_available():
        raise RecipeError(
            "training.method: found qlora and no CUDA device, expected one; train on a machine that has one or choose "
            "lora"
        )


def _config(model: "PreTrainedModel", spec: TrainingSpec) -> "LoraConfig":
    from peft import LoraConfig

    names = architecture.adapted(model, spec)
    return LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        use_rslora=spec.method == "rslora",
        use_dora=spec.method == "dora",
        target_modules=names,
        task_type="CAUSAL_LM",
        fan_in_fan_out=type(model.get_submodule(names[0])).__name__ == "Conv1D",
    )


def _is_adapter(model: "PeftModel | PreTrainedModel") -> bool:
    return hasattr(model, "get_base_model")


def _save_adapter(model: "PeftModel", base_name: str, base_digest: str, out: Path) -> None:
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    _check_delta(state)
    config = {
        **model.peft_config["default"].to_dict(),
        "target_modules": sorted(name for name, _ in architecture.adapters(model)),
        "base_model_name_or_path": base_name,
        "revision": base_digest,
        "inference_mode": True,
    }
    out.mkdir(parents=True, exist_ok=True)
    kept = {name: state[name].detach().cpu().float().contiguous() for name in sorted(state)}
    save_file(kept, out / WEIGHTS, metadata={"format": "pt"})
    (out / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True, default=sorted) + "\n")


def _check_delta(state: "dict[str, torch.Tensor]") -> None:
    """B starts at zero: if it still is, nothing was learned. The magnitudes of ``dora`` cannot move without it."""
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise TrainingError("adapter: found weights that are not finite, expected numbers; lower the learning rate")
    if not any(bool(tensor.any()) for name, tensor in state.items() if ".lora_B" in name):
        raise TrainingError("adapter: found a zero update, expected a learned one; raise the learning rate or epochs")


def _moved(model: "PreTrainedModel") -> "Iterator[tuple[str, torch.Tensor, torch.Tensor]]":
    from transformers import AutoModelForCausalLM

    # Read again rather than kept: a copy would be held through all of training.
    base = AutoModelForCausalLM.from_pretrained(
        model.name_or_path, dtype="auto", local_files_only=True, trust_remote_code=False
    )
    return changes.moved(model, base)


def _changed(model: "PreTrainedModel") -> "dict[str, torch.Tensor]":
    """Weights that differ from the base's once they are rounded as those are."""
    kept = {}
    for name, learned, before in _moved(model):
        if not bool(learned.isfinite().all()):
            raise TrainingError("adapter: found weights that are not finite, expected numbers; lower the learning rate")
        rounded = learned.to(before.dtype)
        if not bool(rounded.equal(before)):
            kept[name] = rounded
    if not kept:
        raise TrainingError("adapter: found no weight changed, expected some; raise the learning rate or epochs")
    return kept


def _moves(model: "PreTrainedModel") -> Iterator[tuple[str, float]]:
    """Of matrices; of norms and biases only where nothing else is learned, for their sizes are of another kind."""
    least = min(2, max(p.ndim for p in model.parameters() if p.requires_grad))
    for name, learned, before in _moved(model):
        if learned.ndim >= least:
            yield name.removesuffix(".weight"), _ratio(learned - before.float(), before)


def _updates(model: "PeftModel") -> Iterator[tuple[str, float]]:
    from peft.utils.integrations import dequantize_module_weight

    for name, module in architecture.adapters(model):
        weight = dequantize_module_weight(module.get_base_layer()).detach().float()
        update = module.get_delta_weight("default").detach().float()
        if magnitudes := _magnitudes(module):
            across = 0 if module.fan_in_fan_out else 1
            whole = weight + update
            scale = magnitudes.weight.detach().float().unsqueeze(across) / whole.norm(dim=across, keepdim=True)
            update = scale * whole - weight
        yield name, _ratio(update, weight)


def _ratio(update: "torch.Tensor", weight: "torch.Tensor") -> float:
    """Of their norms; an update of a weight that was all zero counts as itself."""
    size = float(update.norm())
    return size / (float(weight.float().norm()) or 1.0)


def _magnitudes(module: Any) -> Any:  # noqa: ANN401  # peft's layers
    """Those of an adapted matrix in ``dora``; None in other methods."""
    held = getattr(module, "lora_magnitude_vector", None)
    return held["default"] if held else None
