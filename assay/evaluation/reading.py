"""Reading: how likely a model holds each way to go on, whoever is read beside it.

A :class:`Fork` is a stem that is given and tails that could follow. A tail is worth the sum of the log-probabilities
of its tokens, each from all that stands before it in stem and tail. Stem and tails are read as one row, in which each
tail is blind to the others and counted in position as if it came alone.

An item read with others, alone, or in a larger file comes out the same: the shape in which a fork is read follows from
its own length and the recipe alone (:mod:`assay.evaluation.batching`), and so does that of the output layer's helpings,
which are filled up with positions that nobody asks for. So a result may be remembered under a digest (``known``). Only
positions that predict a token of a tail go through the output layer, some hundred at a time.

The target's own logit is computed anew in float32, as in bfloat16 one near 20 is rounded to an eighth; the logarithm of
the softmax over all of them is taken in float32 as well.
"""

import json
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from assay.artifacts import JSON, digest_of
from assay.errors import ModelError
from assay.evaluation import attention, batching

VERSION = 1

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any
Tensor = Any
Known = MutableMapping[str, str]
"""Log-probabilities of tails as JSON, by :func:`key`, all of one model."""

BUDGET = 1024
"""Tokens read together, padding included: a CPU gains nothing from more, and the last batch of a length wastes less."""

STRIDE = 16
"""Tokens to whose multiple a row is padded."""

_POSITIONS = 256
"""Positions put through the output layer at once: 50 MB of float32 logits for SmolLM2."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A stem and the tails that could follow it, in token ids; none is empty."""

    name: str
    """Told in an error: the id of an item, which is no personal data."""

    stem: list[int]
    tails: list[list[int]]


@dataclass(frozen=True, slots=True)
class _Row:
    ids: list[int]
    positions: list[int]
    branch: list[int]
    """0 for the stem, 1 … for the tails."""

    scored: list[tuple[int, int, int]]
    """(tail, place of the token before, token): what is to be predicted from where."""


def log_likelihoods(
    model: Model, forks: Sequence[Fork], batch_size: int, known: Known | None = None
) -> list[list[float]]:
    """Log-probability of each tail of each fork after its stem, in nats.

    Args:
        model: A causal model of transformers with a body and an output layer.
        forks: Any number of them.
        batch_size: Rows read together at most, and no more than :data:`BUDGET` tokens. It may move a result in its last
            digits: hold it fixed.
        known: What this very model gave, by :func:`key`; those forks are not read, and what is computed is added.

    Raises:
        ModelError: a fork has an empty stem or tail, or does not fit the model's window.
    """
    import torch

    known = {} if known is None else known
    rows = [_laid(model, fork) for fork in forks]
    keys = [key(fork, batch_size) for fork in forks]
    wanted = {name: place for place, name in reversed(list(enumerate(keys))) if name not in known}
    lengths = {place: len(rows[place].ids) for place in sorted(wanted.values())}
    with torch.inference_mode(), attention.grouped(model):
        for batch in batching.batches(lengths, STRIDE, BUDGET, batch_size):
            found = _read(model, [rows[place] for place in batch.filled], batch.length)
            known.update(
                (keys[place], json.dumps(sums[: len(forks[place].tails)]))
                for place, sums in zip(batch.places, found, strict=False)
            )
    return [cast("list[float]", json.loads(known[name])) for name in keys]


def key(fork: Fork, batch_size: int) -> str:
    """Name a fork's result by all that it depends on beside the model and this method."""
    return digest_of(cast("JSON", [fork.stem, fork.tails, batch_size]))


def first(tokenizer: Tokenizer) -> list[int]:
    """The token from which a text without context is begun, or nothing if the vocabulary has none."""
    return [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]


def _laid(model: Model, fork: Fork) -> _Row:
    """A fork as one row of tokens, checked."""
    if not fork.stem or not all(fork.tails):
        raise ModelError(
            f"item {fork.name} has nothing to be read after or nothing to be read: expected a token on either side. "
            "Lengthen its text."
        )
    longest = len(fork.stem) + max(map(len, fork.tails))
    window = getattr(model.config, "max_position_embeddings", None)
    if window is not None and longest > window:
        raise ModelError(f"item {fork.name} has {longest} tokens: the model's window is {window}. Shorten it.")
    stem = len(fork.stem)
    row = _Row(list(fork.stem), list(range(stem)), [0] * stem, [])
    for tail, ids in enumerate(fork.tails):
        places = [stem - 1, *range(len(row.ids), len(row.ids) + len(ids))]
        row.scored.extend((tail, before, token) for before, token in zip(places, ids, strict=False))
        row.ids.extend(ids)
        row.positions.extend(range(stem, stem + len(ids)))
        row.branch.extend([tail + 1] * len(ids))
    return row


def _read(model: Model, rows: Sequence[_Row], width: int) -> list[list[float]]:
    """Log-probability of each tail of each row."""
    import torch

    def padded(values: Sequence[list[int]], filler: int) -> Tensor:
        return torch.tensor([row + [filler] * (width - len(row)) for row in values], device=model.device)

    branch, positions = padded([row.branch for row in rows], -1), padded([row.positions for row in rows], 0)
    hidden = model.base_model(
        input_ids=padded([row.ids for row in rows], 0),
        attention_mask=attention.masks(model, _visible(branch), positions[:, :, None] - positions[:, None]),
        position_ids=positions,
        use_cache=False,
    ).last_hidden_state
    places, tails, before, targets = torch.tensor(
        [(place, *wanted) for place, row in enumerate(rows) for wanted in row.scored], device=model.device
    ).T
    found = _log_probabilities(model.get_output_embeddings().weight, hidden[places, before], targets)
    sums = torch.zeros(len(rows), int(tails.max()) + 1, dtype=torch.float64, device=model.device)
    return list(sums.index_put_((places, tails), found.double(), accumulate=True).tolist())


def _visible(branch: Tensor) -> Tensor:
    """Which tokens a token sees: those before it in the stem or in its own tail."""
    mine, theirs = branch[:, :, None], branch[:, None, :]
    return ((theirs == 0) | (theirs == mine)).tril()


def _log_probabilities(weight: Tensor, hidden: Tensor, targets: Tensor) -> Tensor:
    """Log-probability of the target at each position, :data:`_POSITIONS` of them at a time, the last ones filled up."""
    import torch

    missing = -len(targets) % _POSITIONS
    hidden = torch.cat([hidden, hidden[-1:].expand(missing, -1)])
    wanted = torch.cat([targets, targets[-1:].expand(missing)])
    parts = []
    for h, t in zip(hidden.split(_POSITIONS), wanted.split(_POSITIONS), strict=True):
        logits = (h @ weight.T).float()
        own = (h.float() * weight[t].float()).sum(dim=-1, keepdim=True)
        # Not logsumexp: on a CPU that takes six times as long.
        parts.append(logits.scatter_(1, t[:, None], own).log_softmax(dim=-1).gather(1, t[:, None])[:, 0])
    return torch.cat(parts)[: len(targets)]
