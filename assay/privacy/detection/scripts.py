"""Scripts: whether a text is written in letters that the detectors read.

The tagger and the rules know languages of Latin script; a name in Cyrillic or Han would pass both unseen. So a text
of which more than half of the letters are of other scripts is not examined but refused, and so is one that holds such
a paragraph of at least :data:`PASSAGE` letters; a few foreign words inside Latin text pass.

A letter's script is the first word of its Unicode name (Unicode Standard, chapter 4.8), which for Latin, Greek,
Cyrillic and most others is the script's own. Letters of mathematical or full-width forms are not Latin here: the
tagger does not read them either. JSON's escapes count as the letters that they stand for.

Masking takes Latin letters out of a text, and must not turn it into a foreign one: a record that was read is to be read
again. So a placeholder counts as :data:`WORTH` Latin letters, more than nearly every value has, and no Latin word as
more than :data:`LONGEST`, so that a password of hundreds of letters does not vouch for what stands beside it.
"""

import re
import unicodedata
from collections import Counter

from assay.records import PLACEHOLDER

VERSION = 2

PASSAGE = 40
"""Letters from which a paragraph is more than a few words."""

WORTH = 60
"""Latin letters that a placeholder counts as."""

LONGEST = 30
"""Latin letters that a word counts as at the most."""

NAMED = 3
"""Scripts that a reason names."""

_SCRIPTS = {"CJK": "Han", "MATHEMATICAL": "mathematical", "FULLWIDTH": "full-width"}
# Letters outside ASCII, the Latin blocks up to IPA, Latin Extended Additional, and the ligatures.
_OTHER = re.compile("[^\\W\\d_\\u0000-\\u02ff\\u1e00-\\u1eff\\u2c60-\\u2c7f\\ua720-\\ua7ff\\ufb00-\\ufb06]")
_LETTERS = re.compile(r"[^\W\d_]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_PARAGRAPHS = re.compile(r"\n\s*\n")


def unread(text: str) -> str | None:
    """What is wrong with the letters of ``text``, to stand before its name; ``None`` if they can be read."""
    if text.isascii() and "\\u" not in text:
        return None
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if foreign := _foreign(text, least=1):
        return f"more than half of the letters of {{}} are {foreign}, which the detectors do not read"
    for paragraph in _PARAGRAPHS.split(text):
        if foreign := _foreign(paragraph, least=PASSAGE):
            return (
                f"more than half of the letters of a paragraph of {{}} are {foreign}, which the detectors do not read"
            )
    return None


def _foreign(text: str, least: int) -> str:
    """The scripts of most letters, if these are not Latin and there are at least so many letters; or nothing."""
    text, placeholders = PLACEHOLDER.subn(" ", text)
    others = _OTHER.findall(text)
    if not others:
        return ""
    latin = placeholders * WORTH + sum(min(_latin(word), LONGEST) for word in _LETTERS.findall(text))
    if latin + len(others) < least or len(others) <= latin:
        return ""
    counts = Counter(map(_script, others))
    names = sorted(counts, key=lambda name: (-counts[name], name))[:NAMED]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _latin(word: str) -> int:
    """How many of a word's letters are Latin."""
    return len(word) - (0 if word.isascii() else len(_OTHER.findall(word)))


def _script(letter: str) -> str:
    word = unicodedata.name(letter, "unnamed").replace("-", " ").split()[0]
    return _SCRIPTS.get(word, word.capitalize() if word.isupper() else word)
