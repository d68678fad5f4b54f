"""Names of people and places, put together from syllables of several languages.

Surnames are invented so that each belongs to one household and a search for its bytes means something.
"""

from dataclasses import dataclass
from functools import cache
from random import Random

from bench.generate_support_triage.wordings import sections


@dataclass(frozen=True, slots=True)
class Origin:
    """Syllables and given names of one part of the world."""

    heads: tuple[str, ...]
    tails: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]


@cache
def origins() -> tuple[Origin, ...]:
    """All parts of the world that names are drawn from."""
    found = [name.removesuffix(".heads") for name in _words() if name.endswith(".heads")]
    return tuple(Origin(*(words(f"{name}.{kind}") for kind in ("heads", "tails", "women", "men"))) for name in found)


def words(section: str) -> tuple[str, ...]:
    """The comma-separated words of one section of the names file."""
    return _words()[section]


def surname(random: Random, origin: Origin, *, long: bool = False) -> str:
    """A head and a tail, such as ``Orlemann``; a long one has two heads, for casts that used up the short ones."""
    heads = random.sample(origin.heads, 2 if long else 1)
    return "".join(heads).capitalize() + random.choice(origin.tails)


@cache
def _words() -> dict[str, tuple[str, ...]]:
    return {section: tuple(" ".join(lines).split(", ")) for section, lines in sections("names")}
