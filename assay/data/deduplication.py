"""Exact duplicates: records that say the same once case and white space are folded.

Redaction has run before, so two records that differed only in a name are the same here. The first
one stays. Evaluation records are compared with one another only: one that is asked twice would count
twice, but a training record that repeats one is contamination, and it is that one that must go.
"""

import hashlib
from collections.abc import Iterable, Mapping

from assay.records import Dropped, Record

VERSION = 2


def fingerprint(record: Record) -> bytes:
    """Equal for records that say the same."""
    folded = "\x1f".join(" ".join(text.casefold().split()) for text in (record.prompt, record.completion))
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).digest()[:16]


def find(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool]) -> list[Dropped]:
    """Records that repeat an earlier one, in order, each with the id of the first that says the same."""
    first: dict[tuple[bool, bytes], str] = {}
    dropped: list[Dropped] = []
    for shard in shards:
        for record in shard:
            said = (is_evaluation[record.id], fingerprint(record))
            if said in first:
                dropped.append(Dropped(record.id, "deduplicate", f"exact duplicate of {first[said]}"))
            else:
                first[said] = record.id
    return dropped
