"""Names given away by their look: on a card, or by letters that the words around them do not have.

A *card* is a line of two to four words with capitals, then short lines of which one of the next holds a number or an
at sign: the first line of an address, or of a signature. Letters that the tagger's languages do not have ("ł", "ř",
"ğ") make a capitalised word a name in an English text; letters that some of them have ("á", "ñ") do so where two
such words stand side by side.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

VERSION = 1

FORM = frozenset(
    """
    address billing booking business card city code company contact credit customer delivery departure details device
    document error event full hotel information invoice item items line list model new note number office old order part
    payment personal phone product products purchase receipt reference report room section serial service shipping
    shop shopping status step store street subject summary support table ticket title total tracking transaction travel
    type update user version
    """.split()  # noqa: SIM905
)
"""Words of headings and forms, which look like a name on a card."""

_PARTICLES = frozenset(
    {"de", "da", "del", "della", "di", "dos", "du", "van", "von", "der", "den", "ter", "al", "el", "la"}
)
_ENGLISH = re.compile(r"\b(?:the|to|is|and|of|my|you|i|in|for|at|it|please|name)\b", re.IGNORECASE)
# A card: a line of a name, then short lines of which one of the next holds a number of at least three digits or an @.
_CARD = re.compile(
    r"(?<![^\n])[> ]{0,2}(?P<value>[^\W\d_a-zß-öø-ÿ][^\W\d_]{1,20}(?:[ ](?:[^\W\d_]\.|[^\W\d_]{1,20})){1,3})[ ]?\n"
    r"(?:[^\n]{0,40}\n){0,3}[^\n]{0,40}?(?:\d{3}|@)"
)
_LETTER = "ÁÍÓÚÝÐÞÆØÅ\u0100-\u017f\u0180-\u0233áíóúýðþæøå"
_RARE = "ÝÐÞÆØÅ\u0100-\u0130\u0134-\u0151\u0154-\u017f\u0180-\u0233ýðþæøå"
_WORDLY = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]{1,24}"
_FOREIGN = re.compile(
    rf"(?:[{_RARE}](?<!\w.)|[^\W\d_a-zß-öø-ÿ](?<!\w.)(?=[^\W\d_]{{0,24}}[{_RARE}]))[^\W\d_]{{2,24}}"
    rf"(?:[ ]{_WORDLY}){{0,2}}"
    rf"|[^\W\d_a-zß-öø-ÿ](?<!\w.)[^\W\d_]{{1,24}}[ ](?=[^\W\d_a-zß-öø-ÿ][^\W\d_]{{0,24}}[{_LETTER}]){_WORDLY}"
    rf"|[^\W\d_a-zß-öø-ÿ](?<!\w.)(?=[^\W\d_]{{0,24}}[{_LETTER}])[^\W\d_]{{1,24}}[ ]{_WORDLY}"
)
_HAS_FOREIGN = re.compile(f"[{_LETTER}]")


def cards(text: str, words: AbstractSet[str]) -> Iterator[tuple[int, int]]:
    """Where the first line of a card is a name, and none of its words is one of these or of :data:`FORM`."""
    for match in _CARD.finditer(text):
        name = match["value"].split()
        lowered = {word.lower() for word in name}
        if all(w[0].isupper() or w in _PARTICLES for w in name) and not lowered & FORM and not lowered & words:
            yield match.span("value")


def foreign(text: str) -> Iterator[tuple[int, int]]:
    """Where capitalised words have letters that the words of an English message do not have."""
    if _HAS_FOREIGN.search(text) and _ENGLISH.search(text):
        yield from (match.span() for match in _FOREIGN.finditer(text))
