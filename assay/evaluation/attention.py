"""Attention: the product of queries with keys as a model is asked, where heads share keys.

On a CPU torch's fused attention has no quick way for a mask together with heads that share keys and values (grouped
queries, Ainslie et al. 2023, arXiv:2305.13245): each is copied for every head that reads it, or read in small blocks.
Here the heads of a group are rows of one product instead. For one token of 32 rows over 128 others in bfloat16 (9
heads, 3 of keys, width 64, one thread of Zen 5) that takes 0.17 ms, the fused kind 0.58 ms, and with copies 4.3 ms.

Only while a model is asked by this wing, and only on a CPU: :func:`grouped` puts back what was there. Long prompts go
to the fused kind, which never holds all scores at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

VERSION = 1

NAME = "assay_grouped"
"""Under which transformers knows it."""

MOST = 1 << 20
"""Scores of one head that are held at once: 2 MB of bfloat16 a row and head."""

Model = Any
Tensor = Any


@contextmanager
def grouped(model: Model) -> Iterator[None]:
    """Let ``model`` attend by :func:`attend` for a while, if it is one that can.

    That is a model on a CPU whose layers look their attention up by name, and that has a fused kind, so a plain one.
    """
    from transformers import AttentionInterface

    config = model.config.get_text_config()
    before = config._attn_implementation  # noqa: SLF001  # it has no public name
    able = getattr(model, "_supports_attention_backend", False) and getattr(model, "_supports_sdpa", False)
    if not able or model.device.type != "cpu" or before not in {"sdpa", "eager"}:
        yield
        return
    AttentionInterface.register(NAME, attend)
    config._attn_implementation = NAME  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = before  # noqa: SLF001


def attend(  # noqa: PLR0913  # transformers fixes the signature
    module: Any,  # noqa: ANN401
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    *,
    scaling: float | None = None,
    softcap: float | None = None,
    **others: Any,  # noqa: ANN401
) -> tuple[Tensor, None]:
    """Attention of ``query`` [rows, heads, tokens, width] to keys [rows, key heads, columns, width].

    ``attention_mask`` [rows or 1, 1, tokens, columns] is added to the scores.
    """
    import torch

    rows, heads, tokens, width = query.shape
    shared, columns = key.shape[1:3]
    if tokens * columns > MOST and softcap is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        found, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
        return found, None
    scale = width**-0.5 if scaling is None else scaling
    scores = (query.reshape(rows, shared, -1, width) @ key.transpose(-1, -2)).mul_(scale)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    scores = scores.view(rows, shared, heads // shared, tokens, columns).add_(attention_mask[:, :, None])
    weights = scores.softmax(dim=-1).view(rows, shared, -1, columns)
    return (weights @ value).view(rows, heads, tokens, width).transpose(1, 2).contiguous(), None


def masks(model: Model, seen: Tensor, distance: Tensor) -> Any:  # noqa: ANN401  # a tensor, or one for each kind of layer
    """What is added to the scores of each kind of layer that ``model`` has.

    Args:
        model: A causal model of transformers.
        seen: bool [rows, tokens, columns], whether a token may read a column.
        distance: [rows, tokens, columns], by how many positions a column stands before a token; layers with a sliding
            window read no further than that.
    """
    window = getattr(model.config.get_text_config(), "sliding_window", None)
    if window is None or bool((distance < window)[seen].all()):
        return _added(model, seen)
    near = _added(model, seen & (distance < window))
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    return {kind: near if "sliding" in kind else _added(model, seen) for kind in kinds} if kinds else near


def _added(model: Model, seen: Tensor) -> Tensor:
    import torch

    hidden = torch.finfo(model.dtype).min
    return torch.zeros(seen.shape, dtype=model.dtype, device=seen.device).masked_fill_(~seen, hidden)[:, None]
