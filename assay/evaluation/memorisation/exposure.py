"""Exposure: how likely a model holds each of many tails behind one trunk, and the rank of one of them.

The trunk is read once; its keys and values serve all tails, which are read side by side. Of each tail the sum of its
tokens' log-probabilities is taken. What all tails end with is cut off, since it follows whatever the secret was.
"""

import math
from collections.abc import Sequence
from typing import Any

VERSION = 1

TOGETHER = 128
"""Tails read at once."""

POSITIONS = 256
"""Positions put through the output layer at once: 50 MB of float32 logits for a vocabulary of 49,152."""

Model = Any
"""A causal language model of transformers."""

Tensor = Any
Layers = Sequence[tuple[Tensor, Tensor]]
"""Keys and values of the trunk, by layer."""


def exposure(secret: float, others: Sequence[float]) -> float:
    """log2(K + 1) - log2(rank), in bits, from log-probabilities.

    The rank counts the others that are strictly likelier, so that a tie counts against the model.
    """
    rank = 1 + sum(other > secret for other in others)
    return math.log2(len(others) + 1) - math.log2(rank)


def apart(rows: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """What all of ``rows`` begin with, and what each has behind it, without what all end with.

    At least one token is left of every row, and one in the trunk.
    """
    shortest = min(map(len, rows))
    first = next((place for place in range(shortest - 1) if len({row[place] for row in rows}) > 1), shortest - 1)
    first = max(first, 1)
    room = shortest - first - 1
    last = next((back for back in range(room) if len({row[-1 - back] for row in rows}) > 1), max(room, 0))
    return list(rows[0][:first]), [list(row[first : len(row) - last]) for row in rows]


def weigh(model: Model, trunk: Sequence[int], tails: Sequence[Sequence[int]]) -> list[float]:
    """Log-probability of each tail behind the trunk, in nats.

    Args:
        model: In evaluation mode.
        trunk: Token ids, at least one.
        tails: Token ids, each with at least one.
    """
    import torch

    with torch.inference_mode():
        read = model.base_model(input_ids=torch.tensor([list(trunk)], device=model.device), use_cache=True)
        layers = [(layer.keys, layer.values) for layer in read.past_key_values.layers]
        sums: list[float] = []
        for start in range(0, len(tails), TOGETHER):
            sums += _sums(model, layers, read.last_hidden_state[:, -1:], tails[start : start + TOGETHER])
        return sums


def _sums(model: Model, layers: Layers, end: Tensor, tails: Sequence[Sequence[int]]) -> list[float]:
    """Of some tails; ``end`` is the state at the trunk's last token, which predicts the first of each."""
    import torch

    before = layers[0][0].shape[-2]
    lengths = torch.tensor([len(tail) for tail in tails], device=model.device)
    longest = int(lengths.max())
    ids = torch.tensor([[*tail, *[0] * (longest - len(tail))] for tail in tails], device=model.device)
    there = torch.arange(longest, device=model.device)[None] < lengths[:, None]
    hidden = end.expand(len(tails), -1, -1)
    if longest > 1:
        behind = _read(model, layers, ids[:, :-1], there[:, :-1], before)
        hidden = torch.cat([hidden, behind], dim=1)
    found = torch.zeros(ids.shape, dtype=torch.float64, device=model.device)
    found[there] = _log_probabilities(model, hidden[there], ids[there]).double()
    return [float(total) for total in found.sum(dim=1)]


def _read(model: Model, layers: Layers, ids: Tensor, there: Tensor, before: int) -> Tensor:
    """States of the tails behind the trunk that was read."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        cache.update(keys.expand(len(ids), -1, -1, -1), values.expand(len(ids), -1, -1, -1), number)
    seen = torch.ones(len(ids), before, dtype=torch.long, device=ids.device)
    places = torch.arange(before, before + ids.shape[1], device=ids.device)[None].expand(len(ids), -1)
    mask = torch.cat([seen, there.long()], dim=1)
    return model.base_model(
        input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
    ).last_hidden_state


def _log_probabilities(model: Model, hidden: Tensor, targets: Tensor) -> Tensor:
    """Of each target at its position.

    The target's own logit is computed in float32: in bfloat16 it would be rounded to an eighth, and ranks would tie.
    """
    import torch

    weight, parts = model.get_output_embeddings().weight, []
    for h, t in zip(hidden.split(POSITIONS), targets.split(POSITIONS), strict=True):
        logits = (h @ weight.T).float()
        own = (h.float() * weight[t].float()).sum(dim=-1, keepdim=True)
        parts.append((own - logits.scatter_(1, t[:, None], own).logsumexp(dim=-1, keepdim=True))[:, 0])
    return torch.cat(parts)
