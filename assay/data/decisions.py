"""Decisions: what a person says of one record, and what is wrong with how it was written down.

A decision relabels a record, drops it or keeps it. It is a row of a file that has been through a spreadsheet, where
columns slip: a wrong row is told by its line and by its id, if that looks like one, and no cell of it is quoted.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

from assay.errors import DataError

NAMED = 10
"""Ids that a message names before it only counts."""

MAX_REASON = 300
"""Characters."""

Action = Literal["keep", "drop", "relabel"]
ACTIONS: tuple[Action, ...] = get_args(Action)

_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")
_PERSONAL = re.compile(r"\S@\S|\d(?:[ ().\-]{0,2}\d){8}")
"""An address, or nine digits: what nobody needs to give a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One decision of a person on one record."""

    version: int
    id: str
    row: str
    """:func:`assay.data.corrections.fingerprint` of the record as it was reviewed."""

    action: Action
    label: str = ""
    """Given for ``relabel`` only."""

    reason: str
    """A person's own words: they stay in the file, and no report shows them."""

    who: str
    """Shown in reports."""

    @property
    def decision(self) -> tuple[str, ...]:
        """What was decided on what, whoever did so and when."""
        return self.id, self.row, self.action, self.label, self.reason


class Mistake(NamedTuple):
    """What is wrong with a row of a file."""

    line: int
    who: str
    """The row's id, as :func:`told` gives it."""

    reason: str


def made(cells: Mapping[str, str], action: str, version: int, who: str) -> Correction:
    """The correction in ``cells``, of which nothing is to be complained."""
    return Correction(
        version=version,
        id=cells["id"],
        row=cells["row"],
        action=cast("Action", action),
        label=cells["label"],
        reason=" ".join(cells["reason"].split()),
        who=" ".join(who.split()),
    )


def complaints(cells: Mapping[str, str], action: str, key: str) -> list[str]:
    """What is wrong with a decision, whose ``action`` stands in the column ``key``."""
    said = []
    if action not in ACTIONS:
        said.append(f"`{key}` must be {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}")
    if action == "relabel" and not cells["label"]:
        said.append("`label` is missing; relabel needs the label that is right")
    if action in ("keep", "drop") and cells["label"]:
        said.append(f"`label` has no meaning with {action}; write relabel, or leave it empty")
    reason = cells["reason"]
    if not reason:
        said.append("`reason` is missing; who reads the file later must see why")
    elif len(reason) > MAX_REASON:
        said.append(f"`reason` has {len(reason)} characters, expected at most {MAX_REASON}")
    if _PERSONAL.search(reason):
        said.append("`reason` holds an address or a long number; the file is kept for good, so say it without")
    if not _FINGERPRINT.fullmatch(cells["row"]):
        said.append("`row` must be 12 hex digits; restore it from the file as it was written")
    return said


def refuse(mistakes: Sequence[Mistake], name: str) -> None:
    """Do nothing if there are no mistakes.

    Raises:
        DataError: with one line ``name:line: id: reason`` for each.
    """
    if mistakes:
        raise DataError("\n".join(f"{name}:{m.line}: {m.who}: {m.reason}" for m in sorted(mistakes)))


def told(cell: str) -> str:
    """What stands in the column of ids if it looks like one; ``row`` if a customer might have written it."""
    return cell if _ID.fullmatch(cell) else "row"


def named(ids: Sequence[str]) -> str:
    """The first :data:`NAMED` ids of records, without what a terminal would obey, and how many more there are."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(_printable(id) for id in ids[:NAMED]) + more


def _printable(id: str) -> str:
    return "".join(character for character in id if unicodedata.category(character) != "Cc")
