"""Costs: what training asks of a machine, by arithmetic and not by measurement.

Of operations, a weight costs 2 per token forward and 4 backward: 2 for the gradient of what came in, 2 for its own
("6ND", Kaplan et al. 2020, arXiv:2001.08361). By method:

- frozen weights are spared the 2 of their own ("4N"), and below the first layer where anything is learned both.
- A and B cost 6. In ``qlora`` as in ``lora``: to unpack 4 bits is no product.
- ``dora``: each pass multiplies B·A out for its norm, 2 · rank · inputs · (inputs + outputs); with dropout each adapted
  matrix is met a second time, 4 per weight and token.
- ``full``: 6 per learned weight.
- the head is computed for learned tokens only: 4 per weight, or 6 if it is learned.

Attention's products are left out, as they are in 6ND. Experts count by the share of them that a token meets.

Of memory, what is counted is what training holds between two steps. Activations come on top and are no matter of
the recipe alone: they grow with the tokens that pass at once, and shrink by computing them again.
"""

from math import prod
from typing import Any

from assay.model import architecture
from assay.tuning import TrainingSpec

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

LEARNED = {"weights": 4, "gradients": 4, "optimizer": 8}
"""Bytes per learned weight: float32 throughout, AdamW with two moments."""

FOUR_BITS = (4 + 8 / 64 + 32 / (64 * 256)) / 8
"""Bytes per weight in NF4: a scale of 8 bits for each 64, one of 32 bits for each 256 of those (arXiv:2305.14314)."""

FORMULA = (
    "frozen weights in the base's dtype (in 4.127 bits under qlora, in 4 bytes under full); 4 + 4 + 8 bytes for each "
    "learned one, its gradient and its two moments; activations come on top"
)


def operations(model: Any, tokens: int, learned_tokens: int, passes: int = 0) -> dict[str, int]:  # noqa: ANN401
    """Count the floating-point operations of training.

    Args:
        model: a model as it is trained, with an adapter or with weights set free.
        tokens: read in training, padding left out.
        learned_tokens: those among them that have a label.
        passes: forward passes, each of one micro-batch; only ``dora`` asks.

    Returns:
        ``done``, and ``full``: what full tuning would have cost at 6ND, the head on every token.
    """
    base = architecture.base_of(model)
    head = base.get_output_embeddings().weight
    met = architecture.met(base)
    first = architecture.first_learned(base)
    body = sum(count for count, _ in met.values())
    above = sum(count for name, (count, _) in met.items() if architecture.layer(name) >= first)
    own = sum(count for count, weight in met.values() if weight.requires_grad)
    low_rank = sum(p.numel() for name, p in base.named_parameters() if p.requires_grad and _is_low_rank(name))
    again, spent = _of_dora(model)
    done = (2 * body + 2 * above + 2 * own + 6 * low_rank + again) * tokens + passes * spent
    done += (6 if head.requires_grad else 4) * head.numel() * learned_tokens
    return {"done": int(done), "full": int(6 * (body + head.numel()) * tokens)}


def memory(model: Any, spec: TrainingSpec) -> dict[str, int]:  # noqa: ANN401
    """Bytes of weights, gradients and optimiser on one device that holds all of them; activations come on top.

    Args:
        model: as it is trained, on the meta device or not; under ``qlora`` not yet packed.
        spec: the recipe's part.
    """
    base = architecture.base_of(model)
    packed = {f"{name}.weight" for name, _ in architecture.matrices(base)} if spec.method == "qlora" else set()
    size = architecture.computes_in(model).itemsize if spec.method != "full" else LEARNED["weights"]
    learned = sum(p.numel() for p in base.parameters() if p.requires_grad)
    frozen = sum(
        p.numel() * (FOUR_BITS if name in packed else size)
        for name, p in base.named_parameters()
        if not p.requires_grad
    )
    counted = {kind: each * learned for kind, each in LEARNED.items()}
    counted["weights"] += int(frozen)
    return counted | {"total": sum(counted.values())}


def _is_low_rank(name: str) -> bool:
    return ".lora_A." in name or ".lora_B." in name


def _of_dora(model: Any) -> tuple[int, int]:  # noqa: ANN401
    """What magnitudes cost further: per token, and per pass."""
    found = [module for _, module in architecture.adapters(model) if getattr(module, "lora_magnitude_vector", None)]
    sides = [architecture.shape(module) for module in found]
    dropout = bool(found) and model.peft_config["default"].lora_dropout > 0
    again = 4 * sum(prod(side) for side in sides) if dropout else 0
    spent = sum(2 * each.r["default"] * n * (n + m) for each, (n, m) in zip(found, sides, strict=True))
    return again, spent
