"""Splitting: each subject on one side, stably under growth.

The side is a function of the subject's bucket and the salt alone, so records that are added,
removed or erased move nobody else. A record pinned by its source stays where its source says.
"""

import hashlib
from collections.abc import Iterable

from assay.errors import SplitError
from assay.records import SIDES, Record, Side
from assay.spec import SplitSpec

VERSION = 1


def side(record: Record, spec: SplitSpec) -> Side:
    """The side ``record`` is on."""
    if record.side is not None:
        return record.side
    digest = hashlib.sha256(f"{spec.salt}:{record.bucket}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    if position < spec.train:
        return "train"
    return "validation" if position < spec.train + spec.validation else "test"


def split(records: Iterable[Record], spec: SplitSpec) -> dict[Side, list[Record]]:
    """Partition ``records`` by side, keeping input order."""
    sides: dict[Side, list[Record]] = {name: [] for name in SIDES}
    for record in records:
        sides[side(record, spec)].append(record)
    return sides


def refuse_torn(records: Iterable[Record], spec: SplitSpec, homes: dict[str, Side]) -> None:
    """Raise :class:`SplitError` if a subject is on two sides, which only a pinned source can bring about.

    Args:
        records: One shard.
        spec: The split.
        homes: Subject → side of the shards before; this shard's are added.
    """
    for record in records:
        if homes.setdefault(record.subject, side(record, spec)) != side(record, spec):
            raise SplitError(
                f"found a subject with records in {homes[record.subject]} and, pinned by source {record.source}, in "
                f"{side(record, spec)}; expected each subject on one side. Leave one of the sources out, or unpin it."
            )


def refuse_empty(counts: dict[Side, int]) -> None:
    """Raise :class:`SplitError` unless every side holds a record."""
    if empty := [name for name in SIDES if not counts[name]]:
        found = ", ".join(f"{name} {counts[name]}" for name in SIDES)
        raise SplitError(
            f"the split leaves {' and '.join(empty)} empty: found {found}; expected records on every side. "
            "Change the shares, pin a source with `side`, or add subjects."
        )
