"""Scripts: whether a text is written in letters that the detectors read.

The tagger and the rules know languages of Latin script; a name in Cyrillic or Han would pass both unseen. So a text
that holds a word of another script, which is two letters of it in a row, is not examined but refused, however much
Latin text stands around it; the reason tells a text that is mostly foreign from one with such a word. A letter alone
passes, as units, formulas and kaomoji have them ("5 μm", "π", "(ツ)"), unless others but for Greek ones follow it one
by one ("王 小 明").

A letter's script is the first word of its Unicode name (Unicode Standard, chapter 4.8), which for Latin, Greek,
Cyrillic and most others is the script's own. Letters of mathematical or full-width forms are not Latin here: the
tagger does not read them either. JSON's escapes count as the letters that they stand for. Emoji, numbers and marks
are no letters, and marks (vowels of Devanagari, accents of Greek) part no word.

Masking takes Latin letters out of a text, and must not turn it into a foreign one: a record that was read is to be read
again. So a placeholder of a type that is known vouches for :data:`WORTH` letters that stand alone, but never for a
word. No Latin word counts as more than :data:`LONGEST` letters, so that a password of hundreds vouches for nothing.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

from assay.policy import ENTITY_TYPES
from assay.records import PLACEHOLDER

VERSION = 3

WORTH = 60
"""Letters alone that a placeholder vouches for."""

LONGEST = 30
"""Latin letters that a word counts as at the most."""

NAMED = 3
"""Scripts that a reason names."""

_SCRIPTS = {"CJK": "Han", "MATHEMATICAL": "mathematical", "FULLWIDTH": "full-width"}
# Letters outside ASCII, the Latin blocks up to IPA, Latin Extended Additional, and the ligatures.
_OTHER = "[^\\W\\d_\\u0000-\\u02ff\\u1e00-\\u1eff\\u2c60-\\u2c7f\\ua720-\\ua7ff\\ufb00-\\ufb06]"
_LETTER = re.compile(_OTHER)
_GREEK = "\\u0370-\\u03ff\\u1f00-\\u1fff"
_WORD = re.compile(
    rf"{_OTHER}{{2,}}|(?![{_GREEK}]){_OTHER}(?:[ \u3000\u00b7\u30fb'\u2019.-]{{1,2}}(?![{_GREEK}]){_OTHER})+"
)
_LETTERS = re.compile(r"[^\W\d_]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def unread(text: str, types: Collection[str] = ENTITY_TYPES) -> str | None:
    """What is wrong with the letters of ``text``, ``{}`` standing for its name; ``None`` if they can be read.

    Args:
        text: A field of a record, before or after masking.
        types: Those whose placeholders are known for such.
    """
    if text.isascii() and "\\u" not in text:
        return None
    text, placeholders = _plain(_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text), types)
    others = _LETTER.findall(text)
    if not others:
        return None
    words = "".join(match[0] for match in _WORD.finditer(text))
    written = _LETTER.findall(words)
    alone = max(0, len(others) - len(written) - placeholders * WORTH)
    if len(written) + alone > sum(min(_latin(word), LONGEST) for word in _LETTERS.findall(text)):
        return f"more than half of the letters of {{}} are {_listed(others)}, which the detectors do not read"
    return f"{{}} has words in {_listed(written)}, which the detectors do not read" if written else None


def _plain(text: str, types: Collection[str]) -> tuple[str, int]:
    """``text`` without placeholders, marks, and numbers that count as letters; and how many placeholders there were."""
    found = 0

    def gone(match: re.Match[str]) -> str:
        nonlocal found
        found += match[1] in types
        return " " if match[1] in types else match[0]

    text = PLACEHOLDER.sub(gone, text)
    return "".join(c for c in text if c.isascii() or unicodedata.category(c) not in _UNSEEN), found


_UNSEEN = frozenset({"Mn", "Mc", "Me", "Cf", "Nl", "No"})
"""Categories of characters that part no word and are no letters (Unicode Standard, chapter 4.5)."""


def _listed(letters: Collection[str]) -> str:
    """Their scripts, the commonest first."""
    counts = Counter(map(_script, letters))
    names = sorted(counts, key=lambda name: (-counts[name], name))[:NAMED]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _latin(word: str) -> int:
    """How many of a word's letters are Latin."""
    return len(word) - (0 if word.isascii() else len(_LETTER.findall(word)))


def _script(letter: str) -> str:
    word = unicodedata.name(letter, "unnamed").replace("-", " ").split()[0]
    return _SCRIPTS.get(word, word.capitalize() if word.isupper() else word)
