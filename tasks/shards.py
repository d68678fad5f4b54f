"""Shards: records in the store, one shard in memory at a time."""

import io
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

import pyarrow.parquet as pq

from assay.artifacts import Artifact, Dataset
from assay.records import Record, from_parquet, to_parquet
from tasks.places import store

TOGETHER = 10_000
"""Rows that are held at once where shards are small."""

T = TypeVar("T")


def each(records: Dataset) -> Iterator[list[Record]]:
    """The shards of a data set, in order."""
    return (read(shard) for shard in records.shards)


def read(shard: Artifact) -> list[Record]:
    """The records of one shard."""
    return from_parquet(store().get(shard))


def ids(shard: Artifact) -> list[str]:
    """The ids of one shard's records, in order."""
    return [str(id) for id in pq.read_table(io.BytesIO(store().get(shard)), columns=["id"])["id"].to_pylist()]


def count(records: Dataset) -> int:
    """Rows, as the shards themselves say."""
    return sum(pq.ParquetFile(io.BytesIO(store().get(shard))).metadata.num_rows for shard in records.shards)


def file(records: list[Record]) -> Artifact:
    """Store records as one shard."""
    return store().put("records", to_parquet(records))


def together(items: Iterable[tuple[bytes, T]], rows: int = TOGETHER) -> Iterator[tuple[list[bytes], list[T]]]:
    """Small shards, each with what belongs to it, in groups of about so many rows; a large one is a group by itself."""
    shards: list[bytes] = []
    beside: list[T] = []
    held = 0
    for shard, item in items:
        shards.append(shard)
        beside.append(item)
        held += pq.ParquetFile(io.BytesIO(shard)).metadata.num_rows
        if held >= rows:
            yield shards, beside
            shards, beside, held = [], [], 0
    if shards:
        yield shards, beside


def without(records: Dataset, gone: Collection[str]) -> Dataset:
    """The data set without the records of these ids; a shard that holds none of them stays the file it is."""
    shards: list[Artifact] = []
    for shard in records.shards:
        rows = read(shard)
        kept = [row for row in rows if row.id not in gone]
        if kept:
            shards.append(shard if len(kept) == len(rows) else file(kept))
    return Dataset(shards=tuple(shards))
