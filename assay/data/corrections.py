"""Corrections: what people decided on single records, kept as a file that is versioned and part of the key.

    version,id,row,action,label,reason,who
    1,T-000005,5f0c2a9be410,relabel,refund,asks for money back,jane.doe@acme.example
    1,T-000031,c41f87d2a6e0,drop,,two requests in one message,jane.doe@acme.example
    2,T-000031,c41f87d2a6e0,keep,,the second request is a remark,john.roe@acme.example

``row`` says what was looked at: a digest of the redacted record (:func:`fingerprint`). A record that reads
otherwise today was never reviewed, so a correction of it is refused rather than applied. Rows are only ever added,
under the next version; of two that speak of one record the later counts.

A correction relabels a record, drops it, or keeps it. Who is kept or relabelled has been looked at by a person, so
no method that only doubts lists or drops it again (:func:`reviewed`). An exact duplicate, a record that quotes an
evaluation text and one too many of a class are no doubts: these leave whatever was decided.

``reason`` is in a person's own words, which may name somebody. It stays in this file: a record that was dropped is
filed as dropped by review, with the version and who decided, and whoever may read the file finds the words there.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from assay.data.decisions import Correction, Mistake, complaints, made, named, refuse, told
from assay.data.relabelling import relabelled
from assay.data.spreadsheets import bare, encode, guarded, literal, rows
from assay.errors import DataError
from assay.records import PLACEHOLDER, Dropped, Found, Record

VERSION = 1

STEP = "review"
COLUMNS = ("version", "id", "row", "action", "label", "reason", "who")


def fingerprint(record: Record) -> str:
    """12 hex digits of sha256 over prompt and completion; which number a placeholder has makes no difference."""
    texts = json.dumps([PLACEHOLDER.sub(r"[\1]", text) for text in (record.prompt, record.completion)])
    return hashlib.sha256(texts.encode()).hexdigest()[:12]


def load(data: bytes, name: str = "corrections.csv") -> tuple[Correction, ...]:
    """Every correction ever made, in the order of the file; :func:`latest` picks those that count.

    No bytes are no corrections: a recipe that names no file has none.

    Raises:
        DataError: with one line ``name:line: id: reason`` for each mistake.
    """
    if not data:
        return ()
    mistakes: list[Mistake] = []
    found: list[Correction] = []
    seen: dict[tuple[str, int], int] = {}
    for row in rows(data, name, COLUMNS):
        cells = {column: bare(row.cells[column]) for column in COLUMNS}
        wrong = [*_of_version(cells["version"], found), *complaints(cells, cells["action"], "action")]
        wrong += [f"`{key}` is missing" for key in ("id", "who") if not cells[key]]
        if not wrong:
            found.append(made(cells, cells["action"], int(cells["version"]), cells["who"]))
            place = (found[-1].id, found[-1].version)
            if (first := seen.setdefault(place, row.line)) != row.line:
                wrong.append(f"`id` is decided on at line {first} in the same version")
        mistakes += [Mistake(row.line, told(cells["id"]), complaint) for complaint in wrong]
    refuse(mistakes, name)
    return tuple(found)


def written(corrections: Iterable[Correction]) -> bytes:
    """The file that :func:`load` reads, plain, for a repository."""
    return encode(COLUMNS, map(_cells, corrections), marked=False)


def latest(corrections: Iterable[Correction]) -> dict[str, Correction]:
    """The correction of each record that counts: its last."""
    return {correction.id: correction for correction in corrections}


def reviewed(corrections: Iterable[Correction]) -> frozenset[str]:
    """Ids that a person has looked at and left in, as they are or under another label: these are not doubted again."""
    return frozenset(c.id for c in latest(corrections).values() if c.action != "drop")


def tally(corrections: Iterable[Correction], ids: Collection[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Action → records among ``ids`` that it counts for; and the ids decided on that are not among them.

    A record that is not there may have left at an earlier step.
    """
    standing = latest(corrections)
    actions = Counter(correction.action for id, correction in standing.items() if id in ids)
    return dict(sorted(actions.items())), tuple(sorted(standing.keys() - set(ids)))


class Corrector:
    """Makes the corrections, shard by shard."""

    def __init__(self, corrections: Iterable[Correction], field: str) -> None:
        """Take corrections as :func:`load` gives them; ``field`` of the completion's JSON holds the label."""
        self._standing = latest(corrections)
        self._field = field
        self._dropped: list[Dropped] = []
        self._stale: list[str] = []
        self._unlabelled: list[str] = []

    def correct(self, records: Iterable[Record]) -> list[Record]:
        """The records of a shard, redacted as they were when they were reviewed, less those dropped.

        Of a record that is relabelled only the label changes; any other that stays is the same object.
        """
        return [after for record in records if (after := self._corrected(record)) is not None]

    def finish(self) -> Found:
        """What was dropped from all shards.

        Raises:
            DataError: some record is not the one that was reviewed, or has no such field.
        """
        said = []
        if self._stale:
            said.append(
                f"corrections: found {len(self._stale)} of records that no longer read as they did "
                f"({named(self._stale)}); expected what was reviewed. Review them again, with `assay curate review`."
            )
        if self._unlabelled:
            said.append(
                f"corrections: found {len(self._unlabelled)} answers to relabel without a field `{self._field}` "
                f"({named(self._unlabelled)}); expected JSON with it. Drop them instead."
            )
        if said:
            raise DataError("\n".join(said))
        return Found(tuple(self._dropped))

    def _corrected(self, record: Record) -> Record | None:
        correction = self._standing.pop(record.id, None)
        if correction is None:
            return record
        if correction.row != fingerprint(record):
            self._stale.append(record.id)
            return record
        if correction.action == "keep":
            return record
        if correction.action == "drop":
            said = f"dropped by review, version {correction.version}, by {correction.who}"
            self._dropped.append(Dropped(record.id, STEP, said))
            return None
        completion = relabelled(record.completion, self._field, correction.label)
        if completion is None:
            self._unlabelled.append(record.id)
            return record
        return replace(record, completion=completion)


def _of_version(version: str, found: Sequence[Correction]) -> list[str]:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        return ["`version` must be a whole number of at least 1"]
    if found and int(version) < found[-1].version:
        return ["`version` is lower than in a row before; rows are only ever added, under a later version"]
    return []


def _cells(c: Correction) -> tuple[str, ...]:
    return str(c.version), literal(c.id), literal(c.row), c.action, guarded(c.label), guarded(c.reason), guarded(c.who)
