"""Seats: rows that are answered side by side, each from its own prompt, for as long as it takes.

A model's step costs the same for one row as for a few, so rows that have ended leave and others take their places.
There are always equally many seats of equally many columns, whoever sits in them, and every step reads all of them: so
what a row says does not depend on who sat there before, sits beside it, or comes after
(:mod:`assay.evaluation.batching`).

A seat is laid out as ``[shared prefix][padding][rest of the prompt][answer]``. Keys and values are written where they
stay; nothing is copied as an answer grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.evaluation import attention

VERSION = 1

Model = Any
Tensor = Any
Cache = Any
Layers = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, [rows, key heads, tokens, width]."""


@dataclass(slots=True)
class Row:
    """A prompt that is being answered."""

    place: int
    """Of its prompt in the input."""

    said: list[int] = field(default_factory=list)
    read: Layers = field(default_factory=list)
    """What the model has read of it, the prefix aside, until it is seated: one row of each layer."""

    padding: int = 0
    """Of what was read."""

    ended: bool = False


def read(model: Model, prefix: Sequence[int]) -> Layers:
    """Keys and values of what every prompt begins with, for one row."""
    if not prefix:
        return []
    _, layers = _pass(model, [list(prefix)], [0], [])
    return layers


def begin(model: Model, rests: Sequence[Sequence[int]], length: int, prefix: Layers) -> tuple[Tensor, Layers]:
    """Read prompts, padded to ``length``, behind the prefix.

    Returns:
        Logits of each one's next token [rows, vocabulary], and what was read of them.
    """
    padding = [length - len(rest) for rest in rests]
    logits, layers = _pass(
        model, [[0] * pad + list(rest) for pad, rest in zip(padding, rests, strict=True)], padding, prefix
    )
    return logits, [(keys[:, :, -length:], values[:, :, -length:]) for keys, values in layers]


class Seats:
    """A fixed number of rows with room for a fixed number of tokens each."""

    def __init__(self, model: Model, number: int, columns: int, prefix: Layers) -> None:
        import torch

        self._model, self._number, self._prefix = model, number, prefix
        self._behind = prefix[0][0].shape[2] if prefix else 0
        self._layers: list[_Layer] = []
        self._columns = torch.arange(columns, device=model.device)
        self._at, self._padding, self._next = ([0] * number for _ in range(3))
        self.taken: dict[int, Row] = {}
        """Who sits where."""

    @property
    def free(self) -> list[int]:
        """Seats that nobody sits in."""
        return [seat for seat in range(self._number) if seat not in self.taken]

    def take(self, row: Row) -> None:
        """Seat a row whose first token is said."""
        seat = self.free[0]
        length = row.read[0][0].shape[1]
        if not self._layers:
            self._layers = [self._layer(place, keys, values) for place, (keys, values) in enumerate(row.read)]
        for layer, (keys, values) in zip(self._layers, row.read, strict=True):
            layer.keys[seat, :, self._behind : self._behind + length] = keys
            layer.values[seat, :, self._behind : self._behind + length] = values
        self.taken[seat], row.read = row, []
        self._at[seat], self._padding[seat] = self._behind + length - 1, row.padding

    def step(self) -> Tensor:
        """Logits of the token after the one that each row said last [seats, vocabulary]."""
        import torch
        from transformers import Cache

        for seat, row in self.taken.items():
            self._next[seat] = row.said[-1]
            self._at[seat] += 1
        device = self._model.device
        at, padding = (torch.tensor(each, device=device)[:, None] for each in (self._at, self._padding))
        columns = self._columns[None]
        seen = (columns <= at) & ((columns < self._behind) | (columns >= self._behind + padding))
        positions = torch.where(columns < self._behind, columns, columns - padding)
        for layer in self._layers:
            layer.at = at[:, 0]
        return self._model(
            input_ids=torch.tensor(self._next, device=device)[:, None],
            attention_mask=attention.masks(self._model, seen[:, None], (at - padding - positions)[:, None]),
            position_ids=at - padding,
            past_key_values=Cache(layers=self._layers),
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]

    def leave(self, seat: int) -> None:
        """Its row has ended; until another takes it, the seat reads the same again and again."""
        del self.taken[seat]

    def _layer(self, place: int, keys: Tensor, values: Tensor) -> "_Layer":
        """Room for all seats, with the prefix read in each of them."""
        room = [
            each.new_zeros(self._number, each.shape[0], len(self._columns), each.shape[2]) for each in (keys, values)
        ]
        if self._prefix:
            for whole, part in zip(room, self._prefix[place], strict=True):
                whole[:, :, : self._behind] = part
        return _Layer(*room)


class _Layer:
    """Keys and values of all seats in one layer, as transformers asks for them."""

    is_sliding = is_linear = is_dummy = is_compileable = False
    is_initialized = True

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        import torch

        self.keys, self.values = keys, values
        self.at: Tensor = None
        self._seats = torch.arange(len(keys), device=keys.device)

    def update(self, keys: Tensor, values: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Write one token of each row, and give all that there is room for."""
        self.keys[self._seats, :, self.at] = keys[:, :, 0]
        self.values[self._seats, :, self.at] = values[:, :, 0]
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Columns; positions are always given."""
        return int(self.keys.shape[2])


def _pass(model: Model, rows: list[list[int]], padding: list[int], prefix: Layers) -> tuple[Tensor, Layers]:
    """Read rows of one length behind the prefix: logits of the next token of each, and all that was read."""
    import torch
    from transformers import DynamicCache

    device, cache = model.device, DynamicCache()
    for layer, (keys, values) in enumerate(prefix):
        cache.update(keys.expand(len(rows), -1, -1, -1), values.expand(len(rows), -1, -1, -1), layer)
    behind = prefix[0][0].shape[2] if prefix else 0
    pads = torch.tensor(padding, device=device)[:, None]
    columns = torch.arange(behind + len(rows[0]), device=device)[None]
    tokens = columns[:, behind:]
    real = (columns < behind) | (columns >= behind + pads)
    # Padding reads all before it: a token that reads nothing has no attention to speak of. Nobody reads padding.
    seen = (columns[:, None] <= tokens[:, :, None]) & (real[:, None] | ~real[:, behind:, None])
    positions = torch.where(columns < behind, columns, columns - pads)
    logits = model(
        input_ids=torch.tensor(rows, device=device),
        attention_mask=attention.masks(model, seen, positions[:, behind:, None] - positions[:, None]),
        position_ids=positions[:, behind:].clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    return logits, [(layer.keys, layer.values) for layer in cache.layers]
