"""Dynamics: the loss of each example whenever it was visited, kept while it is learned from.

A visit is one example in one optimiser step. Its loss is the mean over its learned tokens, in nats, by the weights of
before that step: the pass that learns computes it anyway, so nothing is computed twice, no random number is drawn and
no weight moves. With dropout or noise it is the loss under them. What such a record is good for is told by dataset
cartography (Swayamdipta et al. 2020, arXiv:2009.10795) and example forgetting (Toneva et al. 2019, arXiv:1812.05159).

Each process keeps what it saw and files it in every checkpoint, so a run that was killed and resumed has the record of
one that was not; at the end the shares of all processes are put together. The file that a run leaves names examples by
their places; :func:`named` gives them the ids of their records.
"""

import io
import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import TrainingError
from assay.model.rows import Example
from assay.store import write_atomically

if TYPE_CHECKING:
    import torch

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

FILE = "visits.parquet"
"""What a run leaves in its folder: ``place``, ``step``, ``loss``."""


class Visits:
    """Visits in columns: many, and no object each."""

    def __init__(self, places: Iterable[int] = (), steps: Iterable[int] = (), losses: Iterable[float] = ()) -> None:
        self.places, self.steps, self.losses = array("i", places), array("i", steps), array("d", losses)

    def add(self, place: int, step: int, loss: float) -> None:
        """One more."""
        self.places.append(place)
        self.steps.append(step)
        self.losses.append(loss)

    def __add__(self, other: "Visits") -> "Visits":
        return Visits(self.places + other.places, self.steps + other.steps, self.losses + other.losses)

    def in_order(self) -> list[tuple[int, int, float]]:
        """By place, then by step."""
        return sorted(zip(self.places, self.steps, self.losses, strict=True))


@dataclass(frozen=True, slots=True)
class Traced:
    """One example's visits, in order."""

    id: str
    replayed: bool
    """Whether it keeps what the base could do, and is none of the task."""

    visits: tuple[tuple[int, float], ...]
    """Step and loss in nats per learned token; none if training ended before."""


class Dynamics:
    """What this process saw of each example."""

    def __init__(self, rows: Sequence[Example]) -> None:
        self._learned = [len(row.input_ids) - row.prompt_length for row in rows]
        self._waiting: list[tuple[Sequence[int], torch.Tensor]] = []
        self.visits = Visits()

    def see(self, places: Sequence[int], losses: "torch.Tensor") -> None:
        """Take the losses [learned tokens] of the examples at ``places``, one after the other.

        They stay where they are until :meth:`settle`, so that a device is not waited for.
        """
        self._waiting.append((places, losses))

    def settle(self, step: int) -> None:
        """Note what was seen as visits of the step that has just been made."""
        for places, losses in self._waiting:
            values, start = losses.tolist(), 0
            for place in places:
                end = start + self._learned[place]
                self.visits.add(place, step, math.fsum(values[start:end]) / (end - start))
                start = end
        self._waiting.clear()

    def save(self, folder: Path) -> None:
        """File what this process saw in a checkpoint, before that is sealed."""
        (folder / _own()).write_bytes(_parquet(self.visits))

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint."""
        self.visits = _visits((folder / _own()).read_bytes())

    def file(self, work: Path) -> None:
        """Leave what all processes saw in ``work``. Each must call it."""
        whole = _of_all(self.visits)
        work.mkdir(parents=True, exist_ok=True)
        write_atomically(work / FILE, _parquet(whole))  # By every process: it is the same in all, wherever they write.


def named(work: Path, ids: Sequence[str], replayed: int = 0) -> bytes:
    """What a run left in ``work`` as a Parquet file with a row for each example: ``id``, ``replayed``, ``visits``.

    Args:
        work: the run's folder.
        ids: of the examples' records, in the order in which they were learned from.
        replayed: how many at the end are replay.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    visits: list[list[dict[str, float]]] = [[] for _ in ids]
    for place, step, loss in _visits((work / FILE).read_bytes()).in_order():
        if place >= len(ids):
            raise TrainingError(f"dynamics: found a visit of example {place}, expected {len(ids)} at most; train again")
        visits[place].append({"step": step, "loss": loss})
    visit = pa.struct([("step", pa.int32()), ("loss", pa.float32())])
    table = pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "replayed": pa.array([place >= len(ids) - replayed for place in range(len(ids))], pa.bool_()),
            "visits": pa.array(visits, pa.list_(visit)),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def read(data: bytes) -> list[Traced]:
    """Decode what :func:`named` wrote."""
    import pyarrow.parquet as pq

    return [
        Traced(row["id"], row["replayed"], tuple((visit["step"], visit["loss"]) for visit in row["visits"]))
        for row in pq.read_table(io.BytesIO(data)).to_pylist()
    ]


def _parquet(visits: Visits) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "place": pa.array(visits.places.tolist(), pa.int32()),
            "step": pa.array(visits.steps.tolist(), pa.int32()),
            "loss": pa.array(visits.losses.tolist(), pa.float64()),  # To the bit: a resumed run reads it again.
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _visits(data: bytes) -> Visits:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    return Visits(*(table.column(name).to_pylist() for name in ("place", "step", "loss")))


def _own() -> str:
    """The file of this process in a checkpoint."""
    return f"visits-{_rank()}.parquet"


def _is_shared() -> bool:
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized()


def _rank() -> int:
    from torch import distributed

    return distributed.get_rank() if _is_shared() else 0


def _of_all(visits: Visits) -> Visits:
    """What every process saw, in the order of their ranks."""
    from torch import distributed

    if not _is_shared():
        return visits
    shares = [Visits()] * distributed.get_world_size()
    distributed.all_gather_object(shares, visits)
    return sum(shares, Visits())
