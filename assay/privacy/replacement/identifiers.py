"""Identifiers: numbers and codes of the same shape as a given one, which whoever has the key can tell from all others.

Digits become digits and letters letters; a prefix that only says what is numbered ("ORD-", "INV-") stays. The last
characters are computed from the others under the key, as many as make one of 1,000,000 different endings, so long as
that leaves 10,000 beginnings (ten digits); in shorter ones of 100,000 or 10,000 (:data:`ROOM`). A value with fewer than
100 beginnings left has no room for that and gets none: ``77-1``, a PIN, four digits of a card.

A text is asked only for whole numbers: what no mark parts from its neighbours, and what a space parts from others that
look like codes. So a number that somebody wrote passes for one of these with a chance of 1 in 10,000 at most, one of
ten digits with 1 in 1,000,000, and no part of a longer one does; where several stand in a row, each is asked for.
"""

import math
import re
from collections.abc import Iterator

from assay.privacy.replacement.reserved import poured
from assay.privacy.replacement.syllables import Keyed

VERSION = 2

ROOM = ((1_000_000, 10_000), (100_000, 10_000), (10_000, 100))
"""Different endings at the least, if they leave so many beginnings; the first pair that fits counts."""

SHORTEST, LONGEST = 6, 64
"""Letters and digits of the shortest identifier that has room, and of the longest that is looked for."""

PREFIXES = frozenset(
    """
    acc account acct bk case cid client cs cust customer doc ex id inv invoice mem member nr no num number ord order pay
    po ref req ret return rma shp so sub ticket tkt tn trk txn uid user usr
    """.split()  # noqa: SIM905
)
"""Prefixes that stay."""

_RUN = re.compile(r"[a-z]+|\d+")
_DIGIT = re.compile(r"\d", re.ASCII)
_CODE = r"(?:[A-Za-z]*\d[A-Za-z0-9]*|[A-Z]+)"
# Groups that stand together by a mark, and such clusters that a space parts if both its neighbours look like a code.
_CHAIN = re.compile(
    rf"(?:{_CODE}|[A-Za-z]+(?=[-_./#:])|[A-Za-z]{{1,4}}(?= \d))"
    rf"(?:[-_./#:]{{1,2}}[A-Za-z0-9]+| (?={_CODE}(?![a-z]))[A-Za-z0-9]+)*"
)
_CLUSTER = re.compile(r"[^ ]+")
_HEX = re.compile(r"[0-9a-f]{32}")


def identifier(keyed: Keyed, value: str, of: str) -> str | None:
    """Another identifier of the shape of ``value``; ``None`` if it has no room, or letters beyond a to z."""
    compact = _compact(value)
    places = _places(value, compact)
    if places is None or len(compact) > LONGEST:
        return None
    fresh = list(compact)
    for place, size in places.items():
        fresh[place] = _character(compact[place], size, keyed.number(size, "place", place, of))
    if compact[0] in "123456789" and fresh[0] == "0":
        fresh[0] = "5"
    ends = _endings(places)
    shape = _shape("".join(fresh), ends)
    for place in ends:
        fresh[place] = _ending(keyed, compact[place], places[place], place, shape)
    return poured(value, "".join(fresh))


def spans(keyed: Keyed, text: str) -> Iterator[tuple[int, int]]:
    """Where identifiers of ours stand."""
    for chain in _CHAIN.finditer(text):
        if len(chain[0]) >= SHORTEST and _DIGIT.search(chain[0]):
            yield from _within(keyed, text, chain.start(), chain.end())


def _within(keyed: Keyed, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """All of a chain, or without the word before it, or clusters of it."""
    clusters = [match.span() for match in _CLUSTER.finditer(text, start, end)]
    wholes = [(start, end)]
    if len(clusters) > 2 and text[start : clusters[0][1]].isalpha():  # noqa: PLR2004
        wholes.append((clusters[1][0], end))
    for begin, last in wholes:
        if is_identifier(keyed, text[begin:last]):
            yield begin, last
            return
    yield from (cluster for cluster in clusters if len(clusters) > 1 and is_identifier(keyed, text[slice(*cluster)]))


def is_identifier(keyed: Keyed, value: str) -> bool:
    """Whether it is one of ours."""
    compact = _compact(value)
    if len(compact) < SHORTEST or len(compact) > LONGEST or not _DIGIT.search(compact):
        return False
    places = _places(value, compact)
    if places is None:
        return False
    ends = _endings(places)
    shape = _shape(compact, ends)
    return all(compact[place] == _ending(keyed, compact[place], places[place], place, shape) for place in ends)


def _compact(value: str) -> str:
    return "".join(filter(str.isalnum, value)).lower()


def _places(value: str, compact: str) -> dict[int, int] | None:
    """Which characters change → how many others there are for each; ``None`` if that leaves no room."""
    if not compact.isascii() or len(compact) > len(value):
        return None
    letters = 6 if _HEX.fullmatch(compact) else 26
    kept = {
        place
        for run in _RUN.finditer(compact)
        if letters != 6 and run[0] in PREFIXES  # noqa: PLR2004
        for place in range(*run.span())
    }
    places = {n: 10 if c.isdigit() else letters for n, c in enumerate(compact) if n not in kept}
    return places if _endings(places) else None


def _endings(places: dict[int, int]) -> list[int]:
    """The last places, as many as are needed; none if there are too few."""
    for endings, beginnings in ROOM:
        room, left = 1, list(places)
        while left and room < endings:
            room *= places[left.pop()]
        if room >= endings and math.prod(places[place] for place in left) >= beginnings:
            return [place for place in places if place not in left]
    return []


def _shape(compact: str, ends: list[int]) -> str:
    """All but the ending, of which only where digits and letters are."""
    return "".join("#" if n in ends and c.isdigit() else "?" if n in ends else c for n, c in enumerate(compact))


def _ending(keyed: Keyed, old: str, size: int, place: int, shape: str) -> str:
    """One character of the ending that belongs to the rest."""
    return _character(old, size, keyed.number(size, "ending", place, shape))


def _character(old: str, size: int, number: int) -> str:
    """A digit for a digit, a letter for a letter."""
    return str(number % 10) if old.isdigit() else "abcdefghijklmnopqrstuvwxyz"[number % size]
