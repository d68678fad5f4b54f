"""Exact duplicates: records that say the same once case and white space are folded.

Redaction has run before, so two records that differed only in a name are the same here. The first
one stays. Records pinned to different sides are not compared: a training row that repeats a test
row is contamination, and it is the training row that must go.
"""

import hashlib
from collections.abc import Iterable

from assay.records import Dropped, Record

VERSION = 2


def fingerprint(record: Record) -> bytes:
    """Equal for records that say the same to the same side."""
    folded = "\x1f".join(" ".join(text.casefold().split()) for text in (record.prompt, record.completion))
    return hashlib.sha256(f"{record.side}\x1e{folded}".encode()).digest()[:16]


def find(shards: Iterable[list[Record]]) -> list[Dropped]:
    """Records that repeat an earlier one, in order, each with the id of the first that says the same."""
    first: dict[bytes, str] = {}
    dropped: list[Dropped] = []
    for shard in shards:
        for record in shard:
            said = fingerprint(record)
            if said in first:
                dropped.append(Dropped(record.id, "deduplicate", f"exact duplicate of {first[said]}"))
            else:
                first[said] = record.id
    return dropped
