"""Corrections: what a person decided on single records, kept as a file that is versioned and part of the key.

    version,id,row,action,label,reason,who
    1,T-000005,5f0c2a9be410,relabel,refund,asks for money back,jane.doe@acme.example
    1,T-000031,c41f87d2a6e0,drop,,two requests in one message,jane.doe@acme.example
    2,T-000031,c41f87d2a6e0,keep,,the second request is a remark,john.roe@acme.example

``row`` says what was looked at: a digest of the redacted record (:func:`fingerprint`). A record that reads
otherwise today was never reviewed, so a correction of it is refused rather than applied. Rows are only ever added,
under the next version; of two that speak of one record the later counts.

A correction relabels a record, drops it, or keeps it; who is kept or relabelled has been looked at by a person, and
no method lists or drops it again.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, cast, get_args

from assay.data.relabelling import relabelled
from assay.data.spreadsheets import bare, encode, guarded, literal, rows
from assay.errors import DataError
from assay.records import Dropped, Found, Record

VERSION = 1

STEP = "review"
COLUMNS = ("version", "id", "row", "action", "label", "reason", "who")
DECIDED = ("decision", "label", "reason", "id", "row")
"""Columns of a reviewed file that are read back; the others are there to be looked at."""

NAMED = 10
"""Ids that a message names before it only counts."""

MAX_REASON = 300
"""Characters."""

Action = Literal["keep", "drop", "relabel"]
_ACTIONS: tuple[Action, ...] = get_args(Action)
_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]*)_\d+\]")
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")
_PERSONAL = re.compile(r"\S@\S|\d(?:[ ().\-]{0,2}\d){8}")
"""An address, or nine digits: what nobody needs to give a reason, and a report would show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One decision of a person on one record."""

    version: int
    id: str
    row: str
    """:func:`fingerprint` of the record as it was reviewed."""

    action: Action
    label: str = ""
    """Given for ``relabel`` only."""

    reason: str
    """Shown in reports; holds no personal data."""

    who: str

    @property
    def decision(self) -> tuple[str, ...]:
        """What was decided on what, whoever did so and when."""
        return self.id, self.row, self.action, self.label, self.reason


class _Mistake(NamedTuple):
    line: int
    who: str
    reason: str


def fingerprint(record: Record) -> str:
    """12 hex digits of sha256 over prompt and completion; which number a placeholder has makes no difference."""
    said = json.dumps([_PLACEHOLDER.sub(r"[\1]", text) for text in (record.prompt, record.completion)])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def load(data: bytes, name: str = "corrections.csv") -> tuple[Correction, ...]:
    """Every correction ever made, in the order of the file; :func:`latest` picks those that count.

    No bytes are no corrections: a recipe that names no file has none.

    Raises:
        DataError: with one line ``name:line: id: reason`` for each mistake.
    """
    if not data:
        return ()
    mistakes: list[_Mistake] = []
    found: list[Correction] = []
    seen: dict[tuple[str, int], int] = {}
    for row in rows(data, name, COLUMNS):
        cells = {column: bare(row.cells[column]) for column in COLUMNS}
        who = cells["id"] or "row"
        complaints = [*_of_version(cells["version"], found), *_of_decision(cells, cells["action"], "action")]
        complaints += [f"`{key}` is missing" for key in ("id", "who") if not cells[key]]
        if not complaints:
            found.append(_correction(cells, cells["action"], int(cells["version"]), cells["who"]))
            place = (found[-1].id, found[-1].version)
            if (first := seen.setdefault(place, row.line)) != row.line:
                complaints.append(f"`id` is decided on at line {first} in the same version")
        mistakes += [_Mistake(row.line, who, complaint) for complaint in complaints]
    _refuse(mistakes, name)
    return tuple(found)


def latest(corrections: Iterable[Correction]) -> dict[str, Correction]:
    """The correction of each record that counts: its last."""
    return {correction.id: correction for correction in corrections}


def kept(corrections: Iterable[Correction]) -> frozenset[str]:
    """Ids that a person has looked at and kept, as they are or under another label."""
    return frozenset(c.id for c in latest(corrections).values() if c.action != "drop")


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
                f"({_named(self._stale)}); expected what was reviewed. Review them again, with `assay curate review`."
            )
        if self._unlabelled:
            said.append(
                f"corrections: found {len(self._unlabelled)} answers to relabel without a field `{self._field}` "
                f"({_named(self._unlabelled)}); expected JSON with it. Drop them instead."
            )
        if said:
            raise DataError("\n".join(said))
        return Found(tuple(self._dropped))

    @property
    def absent(self) -> tuple[str, ...]:
        """Ids of corrections whose record did not come by; it may have left at an earlier step."""
        return tuple(sorted(self._standing))

    def _corrected(self, record: Record) -> Record | None:
        correction = self._standing.pop(record.id, None)
        if correction is None:
            return record
        if correction.row != fingerprint(record):
            self._stale.append(record.id)
            return record
        if correction.action == "drop":
            self._dropped.append(Dropped(record.id, STEP, f"dropped by review: {correction.reason}"))
            return None
        if correction.action == "keep":
            return record
        completion = relabelled(record.completion, self._field, correction.label)
        if completion is None:
            self._unlabelled.append(record.id)
            return record
        return replace(record, completion=completion)


def merge(old: bytes | None, reviewed: bytes, who: str, labels: Collection[str] = ()) -> bytes:
    """The corrections file ``old`` (None if there is none yet) with the decisions in ``reviewed`` added.

    A decision that already stands is not added again, so feeding a file back twice changes nothing.

    Args:
        old: bytes of the corrections file.
        reviewed: bytes of the file that :mod:`assay.data.review` wrote, with decisions filled in.
        who: answers for the decisions.
        labels: that there are; any is accepted if none is given.

    Raises:
        DataError: no row has a decision, or, with a line for each, decisions are wrong.
    """
    if not who.strip():
        raise DataError("found no name of who decided; expected one. Say who answers for the decisions.")
    before = load(old or b"")
    version = max((correction.version for correction in before), default=0) + 1
    standing = latest(before)
    decided = _decisions(reviewed, who.strip(), version, frozenset(labels))
    added = [new for new in decided if new.id not in standing or standing[new.id].decision != new.decision]
    if old and not added:
        return old
    return encode(COLUMNS, (_cells(correction) for correction in (*before, *added)), marked=False)


def decisions_in(reviewed: bytes, name: str = "review") -> int:
    """How many rows of a review file a person has begun to fill in.

    Raises:
        DataError: it is no review file.
    """
    return sum(any(bare(row.cells[key]) for key in DECIDED[:3]) for row in rows(reviewed, name, DECIDED))


def _decisions(reviewed: bytes, who: str, version: int, labels: frozenset[str]) -> list[Correction]:
    name = "review"
    mistakes: list[_Mistake] = []
    made: list[Correction] = []
    seen: dict[str, int] = {}
    for row in rows(reviewed, name, DECIDED):
        cells = {column: bare(row.cells[column]) for column in DECIDED}
        action = cells["decision"].lower()
        if not (action or cells["label"] or cells["reason"]):
            continue
        complaints = [*_of_decision(cells, action, "decision"), *_of_label(cells["label"], action, labels)]
        if not cells["id"]:
            complaints.append("`id` is missing; restore it from the file as it was written")
        elif (first := seen.setdefault(cells["id"], row.line)) != row.line:
            complaints.append(f"is decided on at line {first} too; say it once")
        mistakes += [_Mistake(row.line, cells["id"] or "row", complaint) for complaint in complaints]
        if not complaints:
            made.append(_correction(cells, action, version, who))
    _refuse(mistakes, name)
    if not made:
        raise DataError(
            f"{name}: found no row with a decision; expected at least one. Write keep, drop or relabel into the "
            "column `decision`, and why into `reason`."
        )
    return sorted(made, key=lambda correction: correction.id)


def _of_version(version: str, found: Sequence[Correction]) -> list[str]:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        return ["`version` must be a whole number of at least 1"]
    if found and int(version) < found[-1].version:
        return [f"`version` {version} follows {found[-1].version}; rows are only ever added, under a later version"]
    return []


def _of_decision(cells: Mapping[str, str], action: str, key: str) -> list[str]:
    """What is wrong with a decision, without quoting its cells: a slipped column may hold a customer's words."""
    complaints = []
    if action not in _ACTIONS:
        complaints.append(f"`{key}` must be {', '.join(_ACTIONS[:-1])} or {_ACTIONS[-1]}")
    if action == "relabel" and not cells["label"]:
        complaints.append("`label` is missing; relabel needs the label that is right")
    if action in ("keep", "drop") and cells["label"]:
        complaints.append(f"`label` has no meaning with {action}; write relabel, or leave it empty")
    reason = cells["reason"]
    if not reason:
        complaints.append("`reason` is missing; every report says why")
    elif len(reason) > MAX_REASON:
        complaints.append(f"`reason` has {len(reason)} characters, expected at most {MAX_REASON}")
    if _PERSONAL.search(reason):
        complaints.append("`reason` holds an address or a long number; it is shown in reports, so say it without")
    if not _FINGERPRINT.fullmatch(cells["row"]):
        complaints.append("`row` must be 12 hex digits; restore it from the file as it was written")
    return complaints


def _of_label(label: str, action: str, labels: frozenset[str]) -> list[str]:
    if action != "relabel" or not label or not labels or label in labels:
        return []
    return [f"`label` is none of those there are: {', '.join(sorted(labels))}"]


def _correction(cells: Mapping[str, str], action: str, version: int, who: str) -> Correction:
    return Correction(
        version=version,
        id=cells["id"],
        row=cells["row"],
        action=cast("Action", action),
        label=cells["label"],
        reason=" ".join(cells["reason"].split()),
        who=who,
    )


def _cells(c: Correction) -> tuple[str, ...]:
    return str(c.version), literal(c.id), literal(c.row), c.action, guarded(c.label), guarded(c.reason), guarded(c.who)


def _refuse(mistakes: Sequence[_Mistake], name: str) -> None:
    if mistakes:
        raise DataError("\n".join(f"{name}:{m.line}: {m.who}: {m.reason}" for m in sorted(mistakes)))


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
