"""Reviewing: which redacted rows a person reads, and what can be said of all rows when they were read.

**Sample.** The rows whose keyed digest is smallest (*bottom-k*; Cohen and Kaplan 2007, doi:10.1145/1281100.1281133):
each row is as likely as any other, the order of rows does not matter, and rows that are added to the data displace
few of those that were drawn. The seed is the key; another draws other rows.

**Bound.** Of n rows that were read, k leak; the rate in all rows is at most Clopper and Pearson's upper bound, at
95 % confidence. It holds if the reader missed nothing.

A sample can be judged only if every row was filled in and every row is what was drawn: its digest covers the id and
the text as shown, and the sample's digest covers all rows, so none can be left out.
"""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from assay.artifacts import Reference
from assay.errors import DataError, RedactionError
from assay.privacy.measurement import recall

VERSION = 1

YES = frozenset({"1", "y", "yes", "true", "leak", "x", "j", "ja", "oui", "si"})
NO = frozenset({"0", "n", "no", "false", "none", "clean", "nein", "non"})

MORE = (300, 600, 1_000, 3_000, 10_000)
"""Rows of which it is said what they would show."""

_TOLD = 5


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row to be read."""

    id: str
    cells: tuple[str, ...] = field(repr=False)
    """The texts of a redacted record, as they are shown."""

    @property
    def digest(self) -> str:
        """Of the id and the texts, whatever a spreadsheet does to blanks and to apostrophes before them."""
        plain = [self.id, *(" ".join(cell.strip().removeprefix("'").split()) for cell in self.cells)]
        return hashlib.sha256("\0".join(plain).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Read:
    """A row as it came back."""

    line: int
    row: Drawn
    leak: str
    """What the person wrote."""


class Reviewed(Reference):
    """What a review showed. It holds no text."""

    rows: int
    leaks: int
    rate: float
    upper: float
    """Of the rate in all rows, at most so much."""

    confidence: float
    of: int
    """Rows that it was drawn from."""

    seed: int
    sample: str
    """Digest of the sample."""

    leaking: tuple[str, ...]
    """Ids of rows in which something was left."""


def sample(ids: Collection[str], rows: int, seed: int) -> list[str]:
    """The ids of the rows to read, in the order in which they are drawn.

    Raises:
        RedactionError: fewer than one row is asked for, or there are none.
    """
    if rows < 1 or not ids:
        raise RedactionError(
            f"review: found {len(ids)} records to draw {rows} rows from; expected at least one of each. Ask for more, "
            "or look at why the run has none."
        )
    key = f"assay review sample {seed}".encode()
    return sorted(set(ids), key=lambda id: (hmac.digest(key, id.encode(), "sha256"), id))[:rows]


def judge(drawn: Sequence[Drawn], back: Sequence[Read], of: int, seed: int) -> Reviewed:
    """What a sample shows that was read and filled in.

    Args:
        drawn: the sample, drawn anew from the run.
        back: its rows as the person filled them in.
        of: records that it was drawn from.
        seed: by which.

    Raises:
        DataError: a row is missing, foreign, there twice, altered, or not filled in.
    """
    _refuse_altered({row.digest for row in drawn}, back)
    unclear = [row.line for row in back if row.leak.strip().casefold() not in YES | NO]
    if unclear:
        raise DataError(
            f"review: found {len(unclear)} rows without yes or no in `leak` (lines {_lines(unclear)}); expected an "
            "answer in each. Read them, and write yes if anything personal is left in the text, or no."
        )
    leaking = sorted(each.row.id for each in back if each.leak.strip().casefold() in YES)
    share = recall.share(len(leaking), len(back))
    return Reviewed(
        rows=len(back),
        leaks=len(leaking),
        rate=share.rate,
        upper=share.upper,
        confidence=recall.CONFIDENCE,
        of=of,
        seed=seed,
        sample=hashlib.sha256("\n".join(sorted(each.row.digest for each in back)).encode()).hexdigest(),
        leaking=tuple(leaking),
    )


def _refuse_altered(drawn: Collection[str], back: Sequence[Read]) -> None:
    """Refuse rows that are not those that were drawn, each once."""
    foreign = [each.line for each in back if each.row.digest not in drawn]
    seen: dict[str, int] = {}
    twice = [each.line for each in back if seen.setdefault(each.row.digest, each.line) != each.line]
    missing = len(set(drawn) - seen.keys())
    if foreign or twice or missing:
        where = f" (lines {_lines(foreign + twice)})" if foreign or twice else ""
        raise DataError(
            f"review: found {len(foreign)} rows that were altered or are of another run, {len(twice)} twice, and "
            f"{missing} missing of {len(drawn)}{where}; expected the rows as they were written, with only `leak` "
            "filled in. Restore them, or write the sample anew."
        )


def _lines(lines: Sequence[int]) -> str:
    told = ", ".join(map(str, sorted(lines)[:_TOLD]))
    return told if len(lines) <= _TOLD else f"{told}, …"


def more(reviewed: Reviewed) -> list[tuple[int, float]]:
    """Rows, and the upper bound that they would show if as large a share of them leaked: what more reading buys."""
    larger = [rows for rows in MORE if rows > reviewed.rows and rows <= reviewed.of]
    return [(rows, recall.share(round(reviewed.rate * rows), rows).upper) for rows in larger]
