"""Rows: tokens as training takes them, which of them are learned, and in which order.

A row is any object with token ids and the number of those that are prompt. The prompt is read and
not learned; completion and end of turn are. This is told by position, since the token that pads is
in many vocabularies the one that ends a turn.

The order of all epochs is laid out before the first step, from the seed alone. A run that goes on
from a checkpoint then only has to skip rows; a sampler that draws as it goes would need the state
of its generator at the start of the epoch, which a checkpoint from within an epoch does not hold.
"""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assay.errors import TrainingError

if TYPE_CHECKING:
    import torch

VERSION = 2  # Raise on any change that could change an output: it is part of the cache key.

IGNORED = -100
"""The label of a token that is not learned."""

GROUPED = 50
"""So many batches are sorted by length together: enough that little is padding, few enough to stay mixed."""


class Example(Protocol):
    """One row of tokens, of which the first ``prompt_length`` are not learned."""

    @property
    def input_ids(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def prompt_length(self) -> int: ...  # noqa: D102
    @property
    def truncated(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Row:
    """An :class:`Example` and nothing more."""

    input_ids: tuple[int, ...]
    prompt_length: int
    truncated: bool = False


def labels(row: Example) -> list[int]:
    """What is learned at each position: :data:`IGNORED` for the prompt, then the completion's own ids."""
    return [IGNORED] * row.prompt_length + list(row.input_ids[row.prompt_length :])


def targets(row: Example) -> list[int]:
    """What each position should predict: :func:`labels`, one to the left."""
    return [*labels(row)[1:], IGNORED]


def _features(row: Example) -> dict[str, list[int]]:
    ids, wanted = list(row.input_ids), targets(row)
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "shift_labels": wanted, "labels": wanted}


def pad(rows: Sequence[Example]) -> "dict[str, torch.Tensor]":
    """Stack ``rows``, padded on the right with what is neither attended to nor learned: rows by longest.

    Returns:
        ``input_ids``, ``attention_mask``, and ``shift_labels``, what each place should predict; ``labels``, the same,
        by which transformers counts.
    """
    import torch

    length = max(len(row.input_ids) for row in rows)
    fill = {"input_ids": 0, "attention_mask": 0, "shift_labels": IGNORED, "labels": IGNORED}
    found = [_features(row) for row in rows]
    return {k: torch.tensor([row[k] + [v] * (length - len(row[k])) for row in found]) for k, v in fill.items()}


def by_length(rows: Sequence[Example], size: int) -> list[list[int]]:
    """Places of the rows, shortest first, ``size`` at a time: each row once, little padding, nothing drawn."""
    ordered = sorted(range(len(rows)), key=lambda place: len(rows[place].input_ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def order(lengths: Sequence[int], batch_size: int, epochs: int, seed: int) -> list[int]:
    """Places of the rows in the order of training, to be cut into batches of ``batch_size`` from the start.

    Every epoch holds every row once, shuffled; rows of like length share a batch and batches are
    shuffled again. What does not fill an epoch's last batch opens the next epoch, so only the very
    last batch may be smaller.
    """
    draw = random.Random(seed)  # noqa: S311
    ordered: list[int] = []
    waiting: list[int] = []
    for epoch in range(1, epochs + 1):
        pool = waiting + draw.sample(range(len(lengths)), len(lengths))
        whole = len(pool) if epoch == epochs else len(pool) // batch_size * batch_size
        pool, waiting = pool[:whole], pool[whole:]
        ordered += [place for batch in _grouped(pool, lengths, batch_size, draw) for place in batch]
    return ordered


def _grouped(pool: list[int], lengths: Sequence[int], size: int, draw: random.Random) -> list[list[int]]:
    full = len(pool) // size * size
    batches: list[list[int]] = []
    for start in range(0, full, GROUPED * size):
        group = sorted(pool[start : min(start + GROUPED * size, full)], key=lambda place: lengths[place])
        batches += [group[place : place + size] for place in range(0, len(group), size)]
    draw.shuffle(batches)
    return [*batches, pool[full:]]


def to_parquet(rows: Sequence[Example], ids: Sequence[str]) -> bytes:
    """File rows beside their records' ids: ``id``, ``input_ids``, ``labels``, ``prompt_tokens``, ``truncated``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "input_ids": pa.array([list(row.input_ids) for row in rows], pa.list_(pa.int32())),
            "labels": pa.array([labels(row) for row in rows], pa.list_(pa.int32())),
            "prompt_tokens": pa.array([row.prompt_length for row in rows], pa.int32()),
            "truncated": pa.array([row.truncated for row in rows], pa.bool_()),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def ids(data: bytes) -> list[str]:
    """The records' ids that :func:`to_parquet` filed."""
    import pyarrow.parquet as pq

    found: list[str] = pq.read_table(io.BytesIO(data), columns=["id"]).column("id").to_pylist()
    return found


def check(rows: Sequence[Example], max_length: int) -> None:
    """Refuse rows that cannot be learned, before a machine is taken.

    Raises:
        TrainingError: there is none, one has no prompt or no completion, or one is too long.
    """
    if not rows:
        raise TrainingError("found no training example, expected at least one; see what was dropped, and why")
    if empty := sum(not 0 < row.prompt_length < len(row.input_ids) for row in rows):
        raise TrainingError(f"{empty} of {len(rows)} examples lack a prompt or a completion; drop them at the raw door")
    if long := sum(len(row.input_ids) > max_length for row in rows):
        raise TrainingError(
            f"{long} of {len(rows)} examples are longer than {max_length} tokens even without the user's text; "
            "drop them or raise `training.max_length`"
        )


def from_parquet(data: bytes) -> list[Row]:
    """Rows as :func:`to_parquet` filed them."""
    import pyarrow.parquet as pq

    columns = pq.read_table(io.BytesIO(data), columns=["input_ids", "prompt_tokens", "truncated"]).to_pydict()
    return [
        Row(tuple(ids), prompt, truncated=truncated)
        for ids, prompt, truncated in zip(
            columns["input_ids"], columns["prompt_tokens"], columns["truncated"], strict=True
        )
    ]
