"""Packing: a batch as one row of tokens without padding, in which no example sees another.

A batch of ragged examples that begin alike, as those of one recipe do with their system turn, becomes::

    prefix │ rest of example 1 │ rest of example 2 │ …        input_ids       [1, T]
    0 … P-1│ P …               │ P …               │          position_ids    [1, T]

Every linear map, norm and activation then works on T real tokens: nothing is padded, and what all examples share is
computed once. That is exact and no approximation: a causal model's state of a token depends on the tokens before it
alone, so one copy of the prefix serves them all, and its gradient is the sum of theirs.

Only attention must know of the borders. :func:`attend` stands in for the model's own: it lays the rests side by side,
and lets each look at the shared prefix and at itself. Rests of up to :data:`EXPLICIT` tokens are multiplied out, which
on short rows is faster than a fused kernel, above all backward; longer ones go through torch's fused attention, one
example a row, and then no prefix is shared.

Which architecture attends through the interface that transformers offers, and by which rules, is not asked but
tested: :mod:`assay.model.objective` compares the packed loss with the plain one on rows of the run before it is used.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.model.rows import IGNORED, Example, targets

if TYPE_CHECKING:
    import torch

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

NAME = "assay_packed"
"""Of the attention, among those that transformers knows."""

EXPLICIT = 512
"""Tokens of the longest rest up to which scores are multiplied out."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the examples of a packed row stand: B rests of at most S tokens behind a prefix of P."""

    prefix: int
    count: int
    width: int
    spread: "torch.Tensor"
    """[B·S]: place in the row, counted from the prefix's end, of each token of the rests laid side by side; where a
    rest is shorter, its first, which nothing then looks at."""

    gather: "torch.Tensor"
    """[T - P]: the way back."""

    def to(self, device: "torch.device") -> "Layout":
        """The same on ``device``."""
        return Layout(self.prefix, self.count, self.width, self.spread.to(device), self.gather.to(device))


def shared(rows: Sequence[Example]) -> int:
    """Length of the prefix that may be computed once: common to all rows, and short of the token that first predicts.

    None is shared by rows that are too long to be multiplied out.
    """
    longest, limit = max(len(row.input_ids) for row in rows), min(row.prompt_length for row in rows) - 1
    if longest > EXPLICIT or len(rows) == 1:
        return 0
    first = rows[0].input_ids
    for place in range(limit):
        if any(row.input_ids[place] != first[place] for row in rows):
            return place
    return max(limit, 0)


def pack(rows: Sequence[Example], *, shares: bool = True) -> dict[str, Any]:
    """Lay ``rows`` out as one, with what they all begin with once unless ``shares`` is false.

    Returns:
        ``input_ids``, ``position_ids`` and ``shift_labels`` of shape [1, T], where a label is what its place should
        predict; ``labels``, the same, by which transformers counts; and ``layout``, a :class:`Layout`.
    """
    import torch

    prefix = shared(rows) if shares else 0
    ids, positions, labels = list(rows[0].input_ids[:prefix]), list(range(prefix)), [IGNORED] * prefix
    width = max(len(row.input_ids) for row in rows) - prefix
    spread: list[int] = []
    gather: list[int] = []
    for number, row in enumerate(rows):
        start, length = len(ids) - prefix, len(row.input_ids) - prefix
        ids += row.input_ids[prefix:]
        positions += range(prefix, prefix + length)
        labels += targets(row)[prefix:]
        spread += [*range(start, start + length), *[start] * (width - length)]
        gather += range(number * width, number * width + length)
    layout = Layout(prefix, len(rows), width, torch.tensor(spread), torch.tensor(gather))
    inputs = {"input_ids": ids, "position_ids": positions, "shift_labels": labels, "labels": labels}
    return {name: torch.tensor([value]) for name, value in inputs.items()} | {"layout": layout}


class Attention:
    """What transformers calls for each layer of a packed row; it holds the layout of the row that is under way.

    The layout stays until the next row comes: activations that are computed again in the backward pass need it there.
    """

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.asked: dict[int, Any] = {}
        """The modules that came, by identity."""

    def __call__(  # noqa: PLR0913
        self,
        module: Any,  # noqa: ANN401
        query: "torch.Tensor",
        key: "torch.Tensor",
        value: "torch.Tensor",
        _mask: "torch.Tensor | None",
        *,
        scaling: float | None = None,
        dropout: float = 0.0,
        sliding_window: int | None = None,
        softcap: float | None = None,
        **_: object,
    ) -> "tuple[torch.Tensor, None]":
        """Attend within the borders: [1, heads, T, width of a head] to [1, T, heads, width of a head]."""
        if self.layout is None:
            raise RuntimeError("a packed row came without its layout")
        self.asked[id(module)] = module
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        rules = _Rules(scale, dropout if module.training else 0.0, sliding_window, softcap)
        return attend(query[0], key[0], value[0], self.layout, rules).unsqueeze(0), None


@dataclass(frozen=True, slots=True)
class _Rules:
    """How a layer attends: the factor of its scores, its dropout, how far it looks back, and its soft limit."""

    scale: float
    dropout: float
    window: int | None
    softcap: float | None


def attend(
    query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", layout: Layout, rules: _Rules
) -> "torch.Tensor":
    """Attention of each example to the prefix and to itself.

    Args:
        query: [heads, T, d].
        key: [key heads, T, d]; each serves as many heads as there are more of those.
        value: like ``key``.
        layout: where the examples stand.
        rules: scale, dropout, window, softcap.

    Returns:
        [T, heads, d].
    """
    import torch

    p, kv, d = layout.prefix, key.shape[0], key.shape[-1]
    spread, collect = _moves()
    queries, keys, values = (spread.apply(side[:, p:], layout) for side in (query, key, value))
    if layout.width > EXPLICIT and rules.softcap is None and not (rules.window and rules.window < layout.width):
        return collect.apply(_fused(queries, keys, values, layout, rules), layout)
    q = queries.view(kv, -1, layout.count, layout.width, d).transpose(1, 2)  # kv, B, group, S, d
    k, v = (side.view(kv, layout.count, layout.width, d) for side in (keys, values))
    group = q.shape[2]
    flat = q.reshape(kv, layout.count, group * layout.width, d) * rules.scale
    scores = torch.matmul(flat, k.transpose(-1, -2)).view(kv, layout.count, group, layout.width, layout.width)
    scores = _capped(scores, rules) + _mask(layout.width, layout.width, 0, rules, q)
    if not p:
        weights = _softmax(scores, rules, q.dtype)
        out = torch.matmul(weights.view(kv, layout.count, group * layout.width, layout.width), v)
        return collect.apply(_rows(out.view(kv, layout.count, group, layout.width, d)), layout)
    kp, vp = key[:, :p], value[:, :p]
    before = torch.matmul(flat.view(kv, -1, d), kp.transpose(-1, -2)).view(kv, layout.count, group, layout.width, p)
    before = _capped(before, rules)
    if rules.window and rules.window < p + layout.width:
        before = before + _mask(layout.width, p, p, rules, q)
    weights = _softmax(torch.cat([before, scores], -1), rules, q.dtype)
    own = torch.matmul(weights[..., p:].reshape(kv, layout.count, group * layout.width, layout.width), v)
    out = own.view(kv, -1, d) + torch.matmul(weights[..., :p].reshape(kv, -1, p), vp)
    rest = collect.apply(_rows(out.view(kv, layout.count, group, layout.width, d)), layout)
    return torch.cat([_prefix(query[:, :p], kp, vp, rules), rest])


def _prefix(query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", rules: _Rules) -> "torch.Tensor":
    """The prefix attends to itself: [P, heads, d]."""
    import torch

    kv, p, d = key.shape
    q = (query * rules.scale).reshape(kv, -1, d)
    scores = _capped(torch.matmul(q, key.transpose(-1, -2)).view(kv, -1, p, p), rules)
    weights = _softmax(scores + _mask(p, p, 0, rules, query), rules, query.dtype)
    return torch.matmul(weights.view(kv, -1, p), value).view(-1, p, d).transpose(0, 1)


def _fused(
    query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", layout: Layout, rules: _Rules
) -> "torch.Tensor":
    """One example a row through torch's own kernel; what pads a row lies behind it, where causal attention looks not.

    Returns:
        [B·S, heads, d].
    """
    from torch.nn.functional import scaled_dot_product_attention

    d = query.shape[-1]
    q, k, v = (s.view(-1, layout.count, layout.width, d).transpose(0, 1) for s in (query, key, value))
    out = scaled_dot_product_attention(
        q, k, v, is_causal=True, scale=rules.scale, dropout_p=rules.dropout, enable_gqa=q.shape[1] != k.shape[1]
    )
    return out.transpose(1, 2).reshape(-1, q.shape[1], d)


def _rows(out: "torch.Tensor") -> "torch.Tensor":
    """[kv, B, group, S, d] to [B·S, heads, d]."""
    kv, count, group, width, d = out.shape
    return out.permute(1, 3, 0, 2, 4).reshape(count * width, kv * group, d)


@functools.cache
def _moves() -> tuple[Any, Any]:
    """The ways from a row to its rests side by side, and back. Both are copies there and copies back.

    Left to autograd, the way back would add up what is only moved, an element at a time.
    """
    import torch

    class Spread(torch.autograd.Function):
        """[heads, T - P, d] to [heads, B·S, d]."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor, layout: Layout) -> torch.Tensor:  # noqa: ANN401
            ctx.layout = layout
            return x.index_select(1, layout.spread)

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ANN401
            return g.index_select(1, ctx.layout.gather), None

    class Collect(torch.autograd.Function):
        """[B·S, heads, d] to [T - P, heads, d]; what stands beyond a rest's end gets no gradient."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor, layout: Layout) -> torch.Tensor:  # noqa: ANN401
            ctx.layout, ctx.shape = layout, x.shape
            return x.index_select(0, layout.gather)

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ANN401
            return g.new_zeros(ctx.shape).index_copy_(0, ctx.layout.gather, g), None

    return Spread, Collect


def _mask(rows: int, columns: int, ahead: int, rules: _Rules, like: "torch.Tensor") -> "torch.Tensor":
    """Added to scores: the least number where a token may not look. Row 0 stands ``ahead`` places after column 0."""
    import torch

    away = torch.arange(rows, device=like.device)[:, None] + ahead - torch.arange(columns, device=like.device)
    hidden = away < 0
    if rules.window:
        hidden |= away >= rules.window
    return torch.zeros(rows, columns, device=like.device, dtype=like.dtype).masked_fill(
        hidden, torch.finfo(like.dtype).min
    )


def _capped(scores: "torch.Tensor", rules: _Rules) -> "torch.Tensor":
    return scores if rules.softcap is None else rules.softcap * (scores / rules.softcap).tanh()


def _softmax(scores: "torch.Tensor", rules: _Rules, dtype: "torch.dtype") -> "torch.Tensor":
    import torch
    from torch.nn.functional import dropout, softmax

    weights = softmax(scores, -1, dtype=torch.float32).to(dtype)
    return dropout(weights, rules.dropout) if rules.dropout else weights
