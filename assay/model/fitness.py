"""Fitness: whether a recipe can be trained on a base at all, told from its configuration before a GPU is taken.

The model is built on torch's meta device, where it has shapes and no weights, and made ready by the very code that
makes it ready for training: what that refuses is refused here, in a second and with no memory, whatever the size.
The rows are those that training takes. Refused as the recipe's mistake:

- rows longer than the model's window, modules that the architecture lacks, more layers than it has, nothing to learn;
- a base whose weights are packed already, which no method here can train;
- a batch of more examples than all epochs have;

and as the data's: no example, one without prompt or completion, one longer than ``max_length``.

What is possible and unusual is a warning: a learning rate of another order than the method is trained with, a warm-up
of most of the run, a rank that makes an update larger than its matrix, a base of which 4 bits would pack little.
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assay.errors import RecipeError
from assay.model import adapter, architecture, costs
from assay.model.rows import Example, check
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

USUAL = {"low-rank": (1e-5, 1e-2), "full": (1e-7, 1e-3)}
"""Learning rates that are trained with. A judgement, two orders around what the methods' papers use (LoRA 1e-4 to
2e-3, full tuning some 1e-6 to 1e-4): outside of it is mostly one method's rate in another's recipe."""

LONG_WARMUP = 0.5


@dataclass(frozen=True, slots=True)
class Laid:
    """One row of tokens, of which only the number is known."""

    input_ids: tuple[int, ...]
    prompt_length: int
    truncated: bool


def laid(shards: Iterable[bytes]) -> Iterator[Laid]:
    """Rows of Parquet files as :func:`assay.model.rows.to_parquet` writes them, without their tokens."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for shard in shards:
        table = pq.read_table(io.BytesIO(shard), columns=["input_ids", "prompt_tokens", "truncated"])
        lengths = pc.list_value_length(table["input_ids"]).to_pylist()
        told = zip(lengths, table["prompt_tokens"].to_pylist(), table["truncated"].to_pylist(), strict=True)
        for length, prompt, truncated in told:
            # Only its length is asked, and a range of a million takes no memory.
            yield Laid(cast("tuple[int, ...]", range(length)), prompt, truncated)


def examine(base: Path, examples: Sequence[Example], held_out: Sequence[Example], spec: TrainingSpec) -> dict[str, Any]:
    """Refuse what cannot be trained, and say what training would take.

    Args:
        base: a prepared base's folder, of which only ``config.json`` is read.
        examples: rows to learn.
        held_out: rows whose loss would be measured; may be empty.
        spec: the recipe's part.

    Returns:
        Parameters, steps, tokens, operations, bytes held between steps with their formula, and warnings.

    Raises:
        RecipeError: the recipe asks for what the base does not have.
        TrainingError: a row cannot be learned.
    """
    check(examples and [*examples, *held_out], spec.max_length)
    _check_batch(len(examples), spec)
    bare, model = _on_meta(base, spec)
    steps = math.ceil(len(examples) * spec.epochs / spec.batch_size)
    tokens = spec.epochs * sum(len(row.input_ids) for row in examples)
    learned = tokens - spec.epochs * sum(row.prompt_length for row in examples)
    spent = costs.operations(model, tokens, learned, steps)
    return {
        "method": spec.method,
        "architecture": type(architecture.base_of(model)).__name__,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "total_parameters": bare,
        "examples": len(examples),
        "longest": max(len(row.input_ids) for row in examples),
        "truncated": sum(row.truncated for row in examples),
        "steps": steps,
        "tokens": tokens,
        "learned_tokens": learned,
        "operations": spent["done"],
        "operations_of_full_tuning": spent["full"],
        "memory_bytes": costs.memory(model, spec),
        "memory_formula": costs.FORMULA,
        "warnings": list(_warnings(model, spec)),
    }


def _check_batch(examples: int, spec: TrainingSpec) -> None:
    if spec.batch_size > examples * spec.epochs:
        raise RecipeError(
            f"training.batch_size: found {spec.batch_size}, expected at most {examples * spec.epochs}: there are "
            f"{examples} examples in {spec.epochs} epochs; lower it"
        )


def _on_meta(base: Path, spec: TrainingSpec) -> tuple[int, Any]:
    """The base's number of parameters, and the base made ready, without weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    if getattr(config, "quantization_config", None):
        raise RecipeError("training.method: found a base whose weights are packed, expected plain ones; choose another")
    architecture.check_window(config, spec)
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=config.dtype or torch.float32)
        return sum(p.numel() for p in model.parameters()), adapter.equip(model, spec)


def _warnings(model: Any, spec: TrainingSpec) -> Iterator[str]:  # noqa: ANN401
    low, high = USUAL["full" if spec.method == "full" else "low-rank"]
    if not low <= spec.learning_rate <= high:
        yield f"learning_rate {spec.learning_rate:g}: {spec.method} is mostly trained within {low:g} and {high:g}"
    if spec.warmup_share > LONG_WARMUP:
        yield f"warmup_share {spec.warmup_share:g}: most of the run is over before the learning rate is reached"
    sides = [architecture.shape(module) for _, module in architecture.adapters(model)]
    if spec.rank and (wide := sum(spec.rank * sum(side) > prod(side) for side in sides)):
        yield f"rank {spec.rank}: in {wide} of {len(sides)} matrices the update has more numbers than the matrix"
    if spec.method == "qlora":
        base = architecture.base_of(model)
        packed = sum(prod(architecture.shape(module)) for _, module in architecture.matrices(base))
        share = packed / sum(p.numel() for p in base.parameters())
        if share < 1 / 2:
            yield f"method qlora: {share:.0%} of the weights stand in matrices that 4 bits pack; lora costs little more"
