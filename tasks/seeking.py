"""Seeking: the values to look for in what a run left behind, from its raw records and what redaction said of them.

A raw record that redaction examined gives what was marked in it. Of one that never got there, since a doorway or
redaction let it go, or since the answer of its redaction is gone or was never given, nobody wrote down what is
personal: of it known values are looked for, and what rules find that need no sentence around them. The first is told;
the second means that nothing can be called clean.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.artifacts import Artifact
from assay.errors import DataError
from assay.policy import RedactionSpec
from assay.privacy.leaks import values as leaks
from assay.privacy.replacement.drafts import Mark, columns, fields
from assay.records import Record, dropped_from_parquet
from tasks import shards
from tasks.places import store, value_key
from tasks.tracing import Lineage

ROOMS = ("assay", "expectations", "tasks", "flows", "cli")
WRITTEN = frozenset({".py", ".j2", ".css", ".yaml", ".yml"})


@dataclass(slots=True)
class Known:
    """What can be told of a run's raw records."""

    values: list[leaks.Value] = field(default_factory=list, repr=False)
    ordinary: leaks.Ordinary = field(default_factory=leaks.Ordinary)
    unproven: int = 0
    """Marks that do not fit."""

    dropped: int = 0
    """Records that were let go before or by redaction."""

    unaudited: int = 0
    """Records of which nobody knows whether redaction examined them."""

    shards: set[str] = field(default_factory=set)
    """Digests of the raw shards that hold those."""


def known(record: Mapping[str, Any], traced: Lineage) -> Known:
    """Everything that was masked, or that a source knew, in the raw shards that the store still holds.

    Raises:
        DataError: it holds none of them.
    """
    if not any(map(store().holds, traced.raw)):
        raise DataError(
            f"run {record['run'][:8]}: found none of its {len(traced.raw)} raw shards in the store; expected them, "
            "since what was masked can be told from nothing else. Run the recipe again."
        )
    found, key, dropped = Known(), value_key(), _dropped(traced)
    unread: list[Record] = []
    for shard, row, marks in examined(traced):
        found.values += leaks.known(row, traced.kept)
        if marks is not None:
            masked, others = leaks.masked(row, marks, key)
            found.values += masked
            found.unproven += others
            found.ordinary.read(row, marks)
            continue
        unread.append(row)
        if row.id in dropped:
            found.dropped += 1
        else:
            found.unaudited += 1
            found.shards.add(shard.digest)
    found.values += _detected(unread, traced)
    return found


def examined(traced: Lineage) -> Iterator[tuple[Artifact, Record, Sequence[Mark] | None]]:
    """Every raw record in the store, with its shard, and its marks if redaction is known to have examined it.

    The same record may stand in a shard before the raw doorway and in one behind it; it is given once.
    """
    seen: set[bytes] = set()
    for shard in sorted(filter(store().holds, traced.raw), key=lambda each: each.digest not in traced.audits):
        marks = traced.marks(shard)
        for row in shards.read(shard):
            same = _digest(row)
            if row.id in marks or same not in seen:
                seen.add(same)
                yield shard, row, marks.get(row.id)


def _digest(row: Record) -> bytes:
    told = [row.id, *(part for pair in (*fields(row), *columns(row)) for part in pair)]
    told += [part for each in row.known for part in (each.type, each.value)]
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).digest()


def _dropped(traced: Lineage) -> set[str]:
    """Ids of the records that left at the raw doorway or in redaction."""
    held = filter(store().holds, traced.dropped)
    return {row.id for filed in held for row in dropped_from_parquet(store().get(filed))}


def _detected(rows: Sequence[Record], traced: Lineage) -> Iterator[leaks.Value]:
    """What rules find that need no sentence around it: more would be a guess, and each guess could be called a leak."""
    if not rows:
        return
    from assay.privacy.detection.detector import Detector

    texts = [text for row in rows for _, text in (*fields(row), *columns(row))]
    found = Detector(RedactionSpec(profile="fast")).find(texts, [()] * len(texts), strict=True)
    for text, spans in zip(texts, found, strict=True):
        for span in spans:
            if span.type not in traced.kept:
                yield leaks.Value(span.type, text[span.start : span.end])


def choose(found: Known, traced: Lineage, own: leaks.OwnText, canaries: Sequence[str]) -> leaks.Sought:
    """Those values that mean something if they are found."""
    stand_ins = leaks.invented(found.values, value_key(), traced.surrogates)
    values = [*leaks.as_canaries(canaries), *found.values]
    return leaks.choose(values, own, found.ordinary.words, stand_ins, unproven=found.unproven)


def own_text(record: Mapping[str, Any], traced: Lineage) -> Iterator[str]:
    """Text that can stand in a file without a record having been read: Assay's own, and the recipe's."""
    for room in ROOMS:
        for path in sorted((Path(__file__).parents[1] / room).rglob("*")):
            if path.suffix in WRITTEN:
                yield path.read_text(encoding="utf-8")
    recipe = Path(record.get("recipe_file") or "")
    if recipe.is_file():
        yield recipe.read_text(encoding="utf-8", errors="replace")
    for digest in sorted(traced.without_records):
        if traced.kinds.get(digest) in {"schema", "suite"}:
            yield store().get(Artifact(kind=traced.kinds[digest], digest=digest)).decode("utf-8", "replace")


def planted(traced: Lineage) -> Iterator[str]:
    """Values that measuring redaction invented and put into records, whichever release of it did."""
    for seeded in traced.seeded:
        rows = json.loads(store().get(seeded.values))
        yield from (str(value["text"]) for row in rows for value in row["values"])
