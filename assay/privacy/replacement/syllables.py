"""Syllables: invented words that whoever has the key can tell from every other word.

A word has four syllables, each one of 16 consonants and one of 5 vowels, and at most one of 7 consonants at its end. Of
its 80⁴ · 8 forms 32,000 are in use: two syllables and the vowel of the third are free, and what is left, the *tag*
(16 · 640), is computed from them under the key. So a word that somebody wrote passes for one of these with a chance of
1 in 10,240, and only if it happens to have such syllables.

Two words have one and the same word in their place with a chance of 1 in 32,000; two full names of two words each with
one of 1 in 1,024 million.
"""

import hmac
import re

VERSION = 1

ONSETS, VOWELS, CODAS = "bdfghjklmnprstvz", "aeiou", ("", "l", "m", "n", "r", "s", "t", "k")

LAST = len(ONSETS) * len(VOWELS) * len(CODAS)
"""Last syllables."""

FREE = (len(ONSETS) * len(VOWELS)) ** 2 * len(VOWELS)
"""Words in use."""

TAGS = len(ONSETS) * LAST
"""A word that is not ours is taken for one of ours with a chance of one in so many."""

_WORD = re.compile(rf"(?<![^\W\d_])(?:[{ONSETS}][{VOWELS}]){{4}}[lmnrstk]?(?![^\W\d_])", re.IGNORECASE)


class Keyed:
    """Numbers and words that depend on a key and on what they stand for, and on nothing else."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._tags: dict[int, int] = {}

    def number(self, below: int, *of: object) -> int:
        """0 … ``below`` - 1: HMAC-SHA256 (RFC 2104) of what it stands for."""
        return int.from_bytes(hmac.digest(self._key, "\0".join(map(str, of)).encode(), "sha256")) % below

    def word(self, *of: object) -> str:
        """A word in small letters, of eight or nine."""
        free = self.number(FREE, "word", *of)
        rest, vowel = divmod(free, len(VOWELS))
        onset, last = divmod(self._tag(free), LAST)
        last, coda = divmod(last, len(CODAS))
        pairs = [*divmod(rest, len(ONSETS) * len(VOWELS)), onset * len(VOWELS) + vowel, last]
        return "".join(ONSETS[pair // len(VOWELS)] + VOWELS[pair % len(VOWELS)] for pair in pairs) + CODAS[coda]

    def words(self, text: str) -> list[tuple[int, int]]:
        """Where words of ours stand in ``text``, in any case."""
        return [match.span() for match in _WORD.finditer(text) if self._is_ours(match[0].lower())]

    def _is_ours(self, word: str) -> bool:
        if not word.isascii():  # The long s and the sign of kelvin match too.
            return False
        one, two, three, four = (_pair(*word[n : n + 2]) for n in range(0, 8, 2))
        onset, vowel = divmod(three, len(VOWELS))
        free = (one * len(ONSETS) * len(VOWELS) + two) * len(VOWELS) + vowel
        return self._tag(free) == onset * LAST + four * len(CODAS) + CODAS.index(word[8:])

    def _tag(self, free: int) -> int:
        if free not in self._tags:
            self._tags[free] = self.number(TAGS, "tag", free)
        return self._tags[free]


def _pair(onset: str, vowel: str) -> int:
    return ONSETS.index(onset) * len(VOWELS) + VOWELS.index(vowel)
