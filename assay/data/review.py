"""Review: the suspects as a table that a person edits and feeds back.

One row for each record, however many methods doubt it, the most doubtful first within each kind. The first three
columns are the person's: ``decision`` (keep, drop or relabel), ``label`` (with relabel) and ``reason``. ``id`` and
``row`` must stay as they are; the others are there to be looked at, on one line each, and are not read back.

The texts are those of redacted records, so they may be shown to who may see the data set, and to nobody else. What is
decided becomes a :class:`~assay.data.decisions.Correction`, which :func:`merge` adds to the corrections file.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from assay.data.corrections import fingerprint, latest, load, written
from assay.data.decisions import Correction, Mistake, complaints, made, named, refuse, told
from assay.data.spreadsheets import bare, encode, guarded, literal, rows, shown
from assay.errors import DataError
from assay.records import Record, Suspect, label_of

VERSION = 1

DECIDED = ("decision", "label", "reason", "id", "row")
"""Columns that are read back; the others are there to be looked at."""

COLUMNS = (
    *DECIDED,
    "kind",
    "doubt",
    "why",
    "twin",
    "suggestion",
    "present label",
    "prompt",
    "answer",
    "twin prompt",
)
MAX_CHARACTERS = 4_000
"""Of a text that are shown; a spreadsheet's cell holds 32,767."""


def write(suspects: Iterable[Suspect], records: Mapping[str, Record], field: str) -> bytes:
    """The suspects as CSV for a spreadsheet.

    Args:
        suspects: in any order; a record may come several times.
        records: redacted, by id.
        field: of the completion's JSON that holds the label.

    Raises:
        DataError: a suspect is none of the records.
    """
    doubts: dict[str, list[Suspect]] = {}
    for suspect in sorted(suspects, key=lambda s: (-s.doubt, s.kind, s.reason, s.twin or "")):
        doubts.setdefault(suspect.id, []).append(suspect)
    if absent := sorted(doubts.keys() - records.keys()):
        raise DataError(
            f"review: found {len(absent)} suspects that are none of the records ({named(absent)}); "
            "expected suspects of this data set. Run the review again."
        )
    # A record stands among the kind of its gravest doubt.
    order = sorted(doubts.values(), key=lambda found: (found[0].kind, -found[0].doubt, found[0].id))
    return encode(COLUMNS, (_cells(found, records, field) for found in order), marked=True)


def _cells(found: Sequence[Suspect], records: Mapping[str, Record], field: str) -> tuple[str, ...]:
    """One row; ``found`` is what is doubted of one record, worst first."""
    record = records[found[0].id]
    twin = next((suspect.twin for suspect in found if suspect.twin), None)
    other = records.get(twin) if twin else None
    suggestion = next((suspect.suggestion for suspect in found if suspect.suggestion), None)
    return (
        *("", "", ""),
        literal(record.id),
        literal(fingerprint(record)),
        guarded("; ".join(dict.fromkeys(suspect.kind for suspect in found))),
        f"{max(suspect.doubt for suspect in found):.0%}",
        shown("; ".join(dict.fromkeys(suspect.reason for suspect in found)), MAX_CHARACTERS),
        literal(twin or ""),
        shown(suggestion or "", MAX_CHARACTERS),
        shown(label_of(record, field) or "", MAX_CHARACTERS),
        shown(record.prompt, MAX_CHARACTERS),
        shown(record.completion, MAX_CHARACTERS),
        shown(other.prompt if other else "", MAX_CHARACTERS),
    )


def merge(old: bytes | None, reviewed: bytes, who: str, labels: Collection[str] = ()) -> bytes:
    """The corrections file ``old`` (None if there is none yet) with the decisions in ``reviewed`` added.

    A decision that already stands is not added again, so feeding a file back twice changes nothing.

    Args:
        old: bytes of the corrections file.
        reviewed: bytes of the file that :func:`write` wrote, with decisions filled in.
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
    decided = _decisions(reviewed, who, version, frozenset(labels))
    added = [new for new in decided if new.id not in standing or standing[new.id].decision != new.decision]
    return old if old and not added else written((*before, *added))


def decisions_in(reviewed: bytes, name: str = "review") -> int:
    """How many rows of a review file a person has begun to fill in.

    Raises:
        DataError: it is no review file.
    """
    return sum(any(bare(row.cells[key]) for key in DECIDED[:3]) for row in rows(reviewed, name, DECIDED))


def _decisions(reviewed: bytes, who: str, version: int, labels: frozenset[str]) -> list[Correction]:
    name = "review"
    mistakes: list[Mistake] = []
    decided: list[Correction] = []
    seen: dict[str, int] = {}
    for row in rows(reviewed, name, DECIDED):
        cells = {column: bare(row.cells[column]) for column in DECIDED}
        action = cells["decision"].lower()
        if not (action or cells["label"] or cells["reason"]):
            continue
        wrong = [*complaints(cells, action, "decision"), *_of_label(cells["label"], action, labels)]
        if not cells["id"]:
            wrong.append("`id` is missing; restore it from the file as it was written")
        elif (first := seen.setdefault(cells["id"], row.line)) != row.line:
            wrong.append(f"is decided on at line {first} too; say it once")
        mistakes += [Mistake(row.line, told(cells["id"]), complaint) for complaint in wrong]
        if not wrong:
            decided.append(made(cells, action, version, who))
    refuse(mistakes, name)
    if not decided:
        raise DataError(
            f"{name}: found no row with a decision; expected at least one. Write keep, drop or relabel into the "
            "column `decision`, and why into `reason`."
        )
    return sorted(decided, key=lambda correction: correction.id)


def _of_label(label: str, action: str, labels: frozenset[str]) -> list[str]:
    if action != "relabel" or not label or not labels or label in labels:
        return []
    return [f"`label` is none of those there are: {', '.join(sorted(labels))}"]
