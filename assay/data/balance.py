"""Balance: how far the label's classes may differ in size.

A class of training records with more than ``max_ratio`` times the records of the smallest class is thinned to that
many (random undersampling; He and Garcia 2009, doi:10.1109/TKDE.2008.239). Who leaves is decided by a digest of the
id: it depends on neither order nor shards, and records that come or go move few others. Without ``max_ratio`` nobody
leaves.

The smallest class sets the measure for all: one stray label would thin every class to a handful. Let a suite say
which labels there may be, and of each how many there must be.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from assay.records import Dropped, Found, Record, label_of
from assay.spec import BalanceSpec

VERSION = 1

STEP = "balance"


def find(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str, spec: BalanceSpec) -> Found:
    """Training records that leave, by id. Evaluation records and those without a label neither leave nor count."""
    if spec.max_ratio is None:
        return Found()
    members = _members(shards, is_evaluation, field)
    smallest = min(map(len, members.values()), default=0)
    limit = int(spec.max_ratio * smallest)
    over = {label: ids for label, ids in members.items() if len(ids) > limit}
    reason = f"class is more than {spec.max_ratio:g} times the smallest: {{}} of {smallest}"
    return Found(
        tuple(
            Dropped(id, STEP, reason.format(len(ids)))
            for id, ids in sorted((id, ids) for ids in over.values() for id in sorted(ids, key=_order)[limit:])
        )
    )


def counts(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str) -> Counter[str]:
    """Training records of each class."""
    return Counter({label: len(ids) for label, ids in _members(shards, is_evaluation, field).items()})


def _members(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for record in (record for shard in shards for record in shard if not is_evaluation[record.id]):
        label = label_of(record, field)
        if label is not None:
            members.setdefault(label, []).append(record.id)
    return members


def _order(id: str) -> bytes:
    return hashlib.sha256(b"assay balance:" + id.encode()).digest()
