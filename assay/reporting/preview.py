"""Preview: what redaction made of a few rows, side by side, for a data steward to judge before a whole file is used.

Left the text as it was, with what was found marked and named by type; right the text as it is written. The page **holds
personal data**: it says so, it is shown and never stored, and whoever asked for it deletes it. It is the one page of
this wing that does. Offsets are characters (code points) of the text as it was. Equal input gives equal bytes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from assay.records import PLACEHOLDER
from assay.reporting import pages

VERSION = 2

GROUPS = {
    "who": ("PERSON", "USERNAME", "DATE_OF_BIRTH"),
    "reach": ("EMAIL", "PHONE", "URL", "IP_ADDRESS"),
    "where": ("ADDRESS", "CITY"),
    "money": ("CREDIT_CARD", "IBAN", "SSN", "ACCOUNT_ID"),
    "thing": ("ORDER_ID",),
    "secret": ("SECRET",),
}
"""Types that share a colour. The colour only helps: each mark also bears the name of its type."""

OTHER = "thing"
"""The colour of a type that is in no group."""

_TEMPLATE, _STYLE = "preview.html.j2", "preview.css"
_COLOURS = {kind: group for group, kinds in GROUPS.items() for kind in kinds}


class Span(NamedTuple):
    """Characters ``start`` to ``end`` of a text, as an entity type, and what stands for them."""

    start: int
    end: int
    type: str
    length: int = 0
    """Characters of what stands there now; 0 if that is not known."""

    is_surrogate: bool = False
    """Whether that is an invented value rather than a placeholder."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A column's text before and after."""

    column: str
    original: str
    redacted: str
    spans: tuple[Span, ...]
    """Ascending and disjoint, in ``original``."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row."""

    id: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the whole file."""

    source: str
    """Name of the file."""

    rows: int
    touched: int
    quarantined: int
    placeholders: dict[str, int]
    """Type → places in which one stands."""

    surrogates: dict[str, int] = field(default_factory=dict)
    """Type → places in which an invented value stands."""


class Piece(NamedTuple):
    """A stretch of text; one with a type is highlighted."""

    text: str
    type: str = ""
    colour: str = ""


def page(rows: Sequence[Shown], totals: Totals) -> bytes:
    """The page, UTF-8. It holds personal data: write it where only its reader can read, and nowhere else."""
    replaced = Counter(totals.placeholders) + Counter(totals.surrogates)
    counts = sorted(replaced.items(), key=lambda item: (-item[1], item[0]))
    written = pages.template(_TEMPLATE).render(
        style=_STYLE,
        totals=totals,
        counts=[(kind, colour(kind), count) for kind, count in counts],
        rows=[(row, [(p.column, list(before(p)), list(after(p))) for p in row.passages]) for row in rows],
    )
    return written.encode(errors="backslashreplace")


def colour(kind: str) -> str:
    """The class of style in which a type is shown."""
    return _COLOURS.get(kind, OTHER)


def before(passage: Passage) -> Iterator[Piece]:
    """The text as it was, cut at its spans."""
    position = 0
    for span in passage.spans:
        if span.start > position:
            yield Piece(passage.original[position : span.start])
        yield Piece(passage.original[span.start : span.end], span.type, colour(span.type))
        position = span.end
    if position < len(passage.original):
        yield Piece(passage.original[position:])


def after(passage: Passage) -> Iterator[Piece]:
    """The text as it is written, cut at what stands for something."""
    position = 0
    for start, end, kind in _replaced(passage):
        if start > position:
            yield Piece(passage.redacted[position:start])
        yield Piece(passage.redacted[start:end], kind, colour(kind))
        position = end
    if position < len(passage.redacted):
        yield Piece(passage.redacted[position:])


def _replaced(passage: Passage) -> list[tuple[int, int, str]]:
    """Where in the redacted text which type was replaced: told by lengths, or else by what placeholders look like."""
    places, shift = [], 0
    for span in passage.spans:
        start = span.start + shift
        places.append((start, start + span.length, span.type))
        shift += span.length - (span.end - span.start)
    if all(span.length for span in passage.spans) and len(passage.original) + shift == len(passage.redacted):
        return sorted({*places, *_placeholders(passage.redacted, places)})
    return _placeholders(passage.redacted, [])


def _placeholders(text: str, places: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Placeholders that stand outside those places."""
    taken = {n for start, end, _ in places for n in range(start, end)}
    return [(*m.span(), m[1]) for m in PLACEHOLDER.finditer(text) if m.start() not in taken]
