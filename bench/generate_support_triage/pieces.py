"""Text with holes: what a message is until the personal values of somebody are put in.

A piece is either wording, which may be misspelt or lower-cased, or a personal slot, which never is.
Because values enter last and whole, the offsets of every one are exact by construction.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from bench.generate_support_triage.people import TYPES

SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Wording, or the name of a personal slot."""

    text: str
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A personal value: characters ``start`` to ``end`` of a text."""

    start: int
    end: int
    type: str
    value: str


def fill(random: Random, template: str, fillers: Mapping[str, tuple[str, ...]]) -> str:
    """``template`` with its impersonal slots filled; personal ones stay. A text is about one product."""
    product = random.choice(fillers["product"])

    def word(match: re.Match[str]) -> str:
        slot = match[1]
        if slot == "amount":
            return amount(random)
        if slot == "product":
            return product
        if slot == "phone":
            return random.choice(("{phone}", "{phone_home}"))
        return random.choice(fillers[slot]) if slot in fillers else match[0]

    return SLOT.sub(word, template)


def amount(random: Random) -> str:
    """A sum of money in one of the usual spellings."""
    whole = random.randrange(15, 480)
    cents = random.choice(("", "", ".90", ".50", ".99"))
    return random.choice((f"{whole}{cents} euros", f"£{whole}{cents}", f"${whole}{cents}", f"EUR {whole}{cents}"))


def cut(template: str) -> list[Piece]:
    """The pieces of a template whose impersonal slots are filled."""
    parts = SLOT.split(template)
    pieces = [Piece(part, personal=bool(i % 2)) for i, part in enumerate(parts)]
    return [piece for piece in pieces if piece.text]


def slots(template: str) -> set[str]:
    """Names of the personal slots of a template."""
    return {name for name in SLOT.findall(template) if name in TYPES}


def put(pieces: Iterable[Piece], values: Mapping[str, str]) -> tuple[str, list[Span]]:
    """The text with ``values`` in its slots, and where each of them stands."""
    text, spans = "", []
    for piece in pieces:
        part = values[piece.text] if piece.personal else piece.text
        if piece.personal:
            spans.append(Span(len(text), len(text) + len(part), TYPES[piece.text], part))
        text += part
    return text, spans


def mask(pieces: Iterable[Piece]) -> str:
    """The text with a placeholder for each personal value."""
    return "".join(f"[{TYPES[piece.text]}]" if piece.personal else piece.text for piece in pieces)
