"""The row that travels through the pipeline, and its bytes on disk.

Records are kept as Parquet shards. A record's text is its ``context`` (what was said before) and
its ``completion`` (the answer to learn). ``known`` holds personal data from the record's own
columns; it exists in raw records only and redaction empties it.
"""

import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")

PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]{0,39})_[0-9]{1,6}\]")
"""What redaction leaves in place of a value: its type, which is the group, and a number, as in ``[PERSON_2]``."""

BUCKETS = 4096
"""Subjects fall into this many buckets; a split orders buckets, so it needs no name."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Known:
    """A value known to be personal data about the subject, such as a CRM field."""

    type: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One example to learn from or to be asked."""

    id: str
    """Unique in the data set, never personal data."""

    subject: str
    """Keyed pseudonym of who it is about."""

    bucket: int
    """0 … :data:`BUCKETS` - 1, from the subject without a key, too coarse to name anybody."""

    source: str
    """Name of the source in the recipe."""

    side: Side | None = None
    """Set if the source is pinned to a side."""

    context: tuple[Turn, ...] = field(repr=False)
    completion: str = field(repr=False)
    attributes: dict[str, str] = field(default_factory=dict)
    known: tuple[Known, ...] = field(default=(), repr=False)

    @property
    def prompt(self) -> str:
        """What was said before the completion, turns joined by blank lines."""
        return "\n\n".join(turn.content for turn in self.context)

    @property
    def text(self) -> str:
        """All of the record's text."""
        return f"{self.prompt}\n\n{self.completion}"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that left the pipeline, and a reason that names no personal data."""

    id: str
    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A record that a person should look at, and why."""

    id: str
    kind: str
    """What is doubted: ``near_duplicate``, ``disagreement``, ``label_noise``, ``length``, ``language``,
    ``never_learned`` or ``learned_last``."""

    doubt: float
    """0 … 1; what is worth looking at first is highest."""

    reason: str
    """Names no personal data and quotes no text."""

    twin: str | None = None
    """The record that it is like."""

    suggestion: str | None = None
    """The label that the others speak for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a curation method says of a data set: who leaves, and who should be looked at."""

    dropped: tuple[Dropped, ...] = ()
    suspects: tuple[Suspect, ...] = ()


def said(record: Record) -> str:
    """What a record says beside its answer: all turns but the system's, which are the same in every record."""
    return "\n\n".join(turn.content for turn in record.context if turn.role != "system")


def label_of(record: Record, field: str) -> str | None:
    """The label in the record's completion: the text of ``field`` of its JSON object; None if there is none."""
    try:
        value = json.loads(record.completion)[field]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return value if isinstance(value, str) else None if value is None else json.dumps(value)


_TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_PAIRS = pa.list_(pa.struct([("type", pa.string()), ("value", pa.string())]))
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("subject", pa.string()),
        ("bucket", pa.int16()),
        ("source", pa.string()),
        ("side", pa.string()),
        ("context", _TURNS),
        ("completion", pa.string()),
        ("attributes", _PAIRS),
        ("known", _PAIRS),
    ]
)


def to_parquet(records: Iterable[Record]) -> bytes:
    """Encode records as one Parquet file; equal records give equal bytes for one pyarrow version."""
    rows = [
        {
            "id": r.id,
            "subject": r.subject,
            "bucket": r.bucket,
            "source": r.source,
            "side": r.side,
            "context": [{"role": t.role, "content": t.content} for t in r.context],
            "completion": r.completion,
            "attributes": [{"type": k, "value": v} for k, v in sorted(r.attributes.items())],
            "known": [{"type": k.type, "value": k.value} for k in r.known],
        }
        for r in records
    ]
    return _encode(pa.Table.from_pylist(rows, schema=SCHEMA))


def from_parquet(data: bytes) -> list[Record]:
    """Decode records written by :func:`to_parquet`."""
    return [
        Record(
            id=row["id"],
            subject=row["subject"],
            bucket=row["bucket"],
            source=row["source"],
            side=row["side"],
            context=tuple(Turn(t["role"], t["content"]) for t in row["context"]),
            completion=row["completion"],
            attributes={pair["type"]: pair["value"] for pair in row["attributes"]},
            known=tuple(Known(pair["type"], pair["value"]) for pair in row["known"]),
        )
        for row in pq.read_table(io.BytesIO(data)).to_pylist()
    ]


def dropped_to_parquet(rows: Sequence[Dropped]) -> bytes:
    """Encode what left the pipeline."""
    schema = pa.schema([("id", pa.string()), ("step", pa.string()), ("reason", pa.string())])
    return _encode(
        pa.Table.from_pylist([{"id": d.id, "step": d.step, "reason": d.reason} for d in rows], schema=schema)
    )


def dropped_from_parquet(data: bytes) -> list[Dropped]:
    """Decode what :func:`dropped_to_parquet` wrote."""
    return [Dropped(row["id"], row["step"], row["reason"]) for row in pq.read_table(io.BytesIO(data)).to_pylist()]


_SUSPECTS = pa.schema(
    [
        ("id", pa.string()),
        ("kind", pa.string()),
        ("doubt", pa.float64()),
        ("reason", pa.string()),
        ("twin", pa.string()),
        ("suggestion", pa.string()),
    ]
)


def suspects_to_parquet(rows: Sequence[Suspect]) -> bytes:
    """Encode who should be looked at."""
    return _encode(pa.Table.from_pylist([asdict(row) for row in rows], schema=_SUSPECTS))


def suspects_from_parquet(data: bytes) -> list[Suspect]:
    """Decode what :func:`suspects_to_parquet` wrote."""
    return [Suspect(**row) for row in pq.read_table(io.BytesIO(data)).to_pylist()]


def _encode(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
