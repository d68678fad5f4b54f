"""A tiny model whose weights say something, and the plain way to read it."""

from pathlib import Path
from typing import Any

from assay.evaluation import generation
from tests import tiny_model


def load(folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer; five times the weights make likelihoods that differ."""
    import torch

    model, tokenizer = generation.load(tiny_model.build(folder), "float32", 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model, tokenizer


def naive(model: Any, stem: list[int], tail: list[int]) -> float:
    """Log-probability of ``tail`` after ``stem``, each token from all before it."""
    import torch

    total = 0.0
    for place, token in enumerate(tail):
        with torch.inference_mode():
            logits = model(torch.tensor([stem + tail[:place]])).logits[0, -1]
        total += float(logits.log_softmax(dim=-1)[token])
    return total
