"""Review: the suspects as a table that a person edits and feeds back.

One row for each record, however many methods doubt it, the most doubtful first within each kind. The first three
columns are the person's: ``decision`` (keep, drop or relabel), ``label`` (with relabel) and ``reason``. ``id`` and
``row`` must stay as they are; the others are there to be looked at, on one line each, and are not read back.

The texts are those of redacted records, so they may be shown to who may see the data set. What is decided becomes
a :class:`~assay.data.corrections.Correction`.
"""

from collections.abc import Iterable, Mapping, Sequence

from assay.data.corrections import DECIDED, NAMED, fingerprint
from assay.data.spreadsheets import encode, guarded, literal, shown
from assay.errors import DataError
from assay.records import Record, Suspect, label_of

VERSION = 1

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
            f"review: found {len(absent)} suspects that are none of the records ({', '.join(absent[:NAMED])}); "
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
