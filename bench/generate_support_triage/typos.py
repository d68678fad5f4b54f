"""Slips of the hand: a neighbouring key, a letter left out, doubled or swapped with the next."""

import re
from random import Random

NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
WORD = re.compile(r"[A-Za-z]{4,}")


def misspell(random: Random, text: str) -> str:
    """``text`` with one slip in one of its longer words, or as it was if it has none."""
    words = list(WORD.finditer(text))
    if not words:
        return text
    word = random.choice(words)
    at = random.randrange(word.start() + 1, word.end() - 1)
    letter = text[at]
    slip = random.choice(
        (random.choice(NEIGHBOURS.get(letter.lower(), letter)), "", letter * 2, text[at + 1] + letter),
    )
    swapped = len(slip) == 2 and slip != letter * 2
    return text[:at] + slip + text[at + 1 + swapped :]
