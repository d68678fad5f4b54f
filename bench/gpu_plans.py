"""GPU plans: which models, batches and settings :mod:`bench.measure_gpu` measures, and in which order."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Self

LLAMA = {"rms_norm_eps": 1e-5, "max_position_embeddings": 8192}
MODELS: Mapping[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}
    | {"num_key_value_heads": 2, "vocab_size": 512, "tie_word_embeddings": True},
    "135M": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9}
    | {"num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True},
    "1B": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32}
    | {"num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": True},
    "8B": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
    | {"num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": False},
}
"""``LlamaConfig`` of each, by what they are called in the table."""

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Point:
    """Examples per step, and tokens of the longest."""

    batch: int
    length: int
    is_ragged: bool = False
    """Lengths are drawn between an eighth of it and all of it."""

    @classmethod
    def read(cls, said: str) -> Self:
        """Of its name, such as ``8x4096``, or ``32x1024r`` if ragged."""
        batch, length = said.removesuffix("r").split("x")
        return cls(int(batch), int(length), is_ragged=said.endswith("r"))

    def __str__(self) -> str:
        return f"{self.batch}x{self.length}{'r' if self.is_ragged else ''}"


MAIN = {"tiny": "4x32r", "135M": "32x2048", "1B": "8x4096", "8B": "2x4096"}
"""Where Assay and TRL are compared."""

CURVE = {
    "tiny": "2x32",
    "135M": "8x512 32x512 128x512r 64x2048 8x8192",
    "1B": "4x512 16x1024 32x1024r 16x2048 2x8192",
    "8B": "4x512 8x1024r 4x2048 4x4096 1x8192",
}
"""Where Assay alone is measured as well."""

OURS: Sequence[tuple[str, dict[str, Any]]] = (
    ("packed", {}),
    ("padded", {"spec": {"layout": "padded"}}),
    ("packed, activations computed again", {"job": {"checkpoint_activations": True}}),
    ("padded, sdpa", {"spec": {"layout": "padded"}, "attention": "sdpa"}),
    ("padded, eager", {"spec": {"layout": "padded"}, "attention": "eager"}),
    ("padded, flash attention 2", {"spec": {"layout": "padded"}, "attention": "flash_attention_2"}),
)
"""Assay's choices, each against the first; and :data:`COMPILED`."""

COMPILED = ("packed, compiled", {"spec": {"compile": True}})

TRL: Sequence[tuple[str, dict[str, Any]]] = (
    ("padded, sdpa", {"attention": "sdpa"}),
    ("padded, sdpa, compiled", {"attention": "sdpa", "compile": True}),
    ("packed, flash attention 2", {"attention": "flash_attention_2", "layout": "packed"}),
    ("packed, flash attention 2, Liger", {"attention": "flash_attention_2", "layout": "packed", "liger": True}),
    ("packed, flash attention 3", {"attention": "flash_attention_3", "layout": "packed"}),
    ("packed, sdpa", {"attention": "sdpa", "layout": "packed"}),
    ("packed, flex attention, compiled", {"attention": "flex_attention", "layout": "packed", "compile": True}),
    ("padded, sdpa, Liger", {"attention": "sdpa", "liger": True}),
    ("padded, sdpa, activations computed again", {"attention": "sdpa", "recompute": True}),
)
"""What TRL's manual offers; its fused head is on in all."""

NEEDS = {"flash_attention_2": "flash_attn", "flash_attention_3": "flash_attn_interface"}
"""Package of each attention that is no part of torch."""


@dataclass(frozen=True)
class Plan:
    """One run."""

    model: str
    point: Point
    trainer: str
    said: str
    settings: dict[str, Any]
    missing: str = ""
    """A package that it needs and this environment lacks: then it is a row that says so."""


def plans(options: argparse.Namespace) -> Iterator[Plan]:
    """Runs in their order, with what each lacks here."""
    for plan in wanted(options):
        yield plan if plan.missing else replace(plan, missing=lacking(plan.settings))


def wanted(options: argparse.Namespace) -> Iterator[Plan]:
    """What the targets ask first, then choices, then the curve."""
    for model in options.models:
        main = Point.read(MAIN[model])
        yield Plan(model, main, "assay", *OURS[0])
        if options.compile:
            yield Plan(model, main, "assay", *COMPILED)
        has_trl = bool(options.trl or find_spec("trl"))
        if has_trl or not options.smoke:
            offered = TRL[:1] if options.smoke else TRL
            yield from (Plan(model, main, "trl", *each, "" if has_trl else "trl") for each in offered)
    for model in options.models if options.choices else ():
        yield from (Plan(model, Point.read(MAIN[model]), "assay", *each) for each in OURS[1:])
    for model in options.models if options.curve else ():
        yield from (Plan(model, Point.read(said), "assay", *OURS[0]) for said in CURVE[model].split())


def lacking(settings: Mapping[str, Any]) -> str:
    """The first package that settings need and this environment lacks; empty if there is none."""
    needed = [NEEDS.get(settings.get("attention", "")), "liger_kernel" if settings.get("liger") else None]
    return next((package for package in needed if package and not find_spec(package)), "")
