"""Languages: whether a text is in a language whose names and addresses the detectors know.

The taggers know seven languages; in Polish or Vietnamese they pass most names unseen. So a text that is clearly in a
language outside the recipe's is not examined but refused, and so is one that holds such a paragraph, or a passage of
:data:`PASSAGE` words in the midst of others. Letters of other scripts are :mod:`assay.privacy.detection.scripts`'
business.

py3langid (Lui and Baldwin 2012, ACL demonstrations, 25-30) says how likely the words are in each of some hundred
languages. A text is clearly in one if that is likelier than any of the recipe's by so many nats for each word as
:data:`MARGINS` asks of a text of its length: a few words, which may be an address abroad, must tell more clearly, and
fewer than any margin is for tell nothing. Between relatives (Catalan and Spanish, Afrikaans and Dutch)
a text with little to tell them by passes.

Neither names nor numbers say which language a text is in, and a masked text should be judged as the text was. So
placeholders, addresses of mailboxes and pages, codes, and words that have a capital within a sentence are left out. A
text of which at least one word in :data:`ENGLISH_SHARE` is an English function word is English without being asked.
"""

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

VERSION = 2

MARGINS = ((12, 2.5), (9, 5.0), (8, 8.5), (6, 10.0))
"""Words of a text, or a paragraph, from which a margin holds → nats a word by which a language must be likelier than
any of the recipe's. From twelve words English texts of tickets, bank customers and labelled personal data stay under
2.0 (and under -0.2 but for lists of addresses); Catalan against Spanish, the closest of 22 languages measured, lies at
3.2 and more for thirty words, the rest above 6. Nine words of 12 other languages lie at 5.0 and more 99 times in 100,
addresses abroad among nine English ones under it; of those 15,966 texts none is refused."""

PASSAGE, STEP = 9, 3
"""Words of a passage, and from the beginning of one to that of the next."""

ENGLISH_SHARE = 4
"""One word in so many."""

NAMES = {
    "af": "Afrikaans", "bg": "Bulgarian", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "gl": "Galician", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay",
    "mt": "Maltese", "nb": "Norwegian", "nl": "Dutch", "nn": "Norwegian", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "tl": "Tagalog", "tr": "Turkish", "vi": "Vietnamese",
}  # fmt: skip
"""ISO 639-1 → English name, of the languages that are met most."""

_ENGLISH = frozenset(
    """
    the and you your my is are was were have has had this that these those with for from not but they their it its
    i'm i've don't didn't can't would could should will what when where which why how been there here please thank
    thanks because about after before of to be by we our us them he she his her if or any all only just still than
    """.split()  # noqa: SIM905
)
_UNTOLD = re.compile(r"\[[A-Z][A-Z_]*_\d+\]|\S*[@\d_/\\#<>{}=]\S*|\bwww\.\S*")
_NAME = re.compile(r"(?<=[^\W\d_A-Z][ ])(?=[^\W\d_])[A-ZÀ-ÖØ-Þ][^\W_]*|(?<=[,;][ ])[A-ZÀ-ÖØ-Þ][^\W_]*")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_PARAGRAPHS = re.compile(r"\n\s*\n")


def unread(text: str, allowed: Sequence[str]) -> str | None:
    """What is wrong with the language of ``text``, ``{}`` standing for its name; ``None`` if nothing tells.

    Args:
        text: A field of a record, before or after masking.
        allowed: The recipe's languages, ISO 639-1.
    """
    if found := foreign(text, allowed):
        return f"{{}} is in {_named(found)}, but the detectors are to read {_listed(allowed)}"
    paragraphs = _PARAGRAPHS.split(text)
    for paragraph in paragraphs if len(paragraphs) > 1 else ():
        if found := foreign(paragraph, allowed):
            return f"a paragraph of {{}} is in {_named(found)}, but the detectors are to read {_listed(allowed)}"
    words = _words(text)
    for start in range(0, len(words) - PASSAGE + STEP, STEP):
        if found := _told(words[start : start + PASSAGE], allowed):
            return f"a passage of {{}} is in {_named(found)}, but the detectors are to read {_listed(allowed)}"
    return None


def foreign(text: str, allowed: Sequence[str]) -> str | None:
    """The language outside ``allowed`` (ISO 639-1) that ``text`` is clearly in, if it is."""
    return _told(_words(text), allowed)


def _told(words: Sequence[str], allowed: Sequence[str]) -> str | None:
    """The language outside ``allowed`` that the words are clearly in, if there are enough of them."""
    margin = next((nats for least, nats in MARGINS if len(words) >= least), None)
    if margin is None or ("en" in allowed and _is_english(words)):
        return None
    ranked: list[tuple[str, float]] = _identifier().rank(" ".join(words))
    best, likelihood = ranked[0]
    if best in allowed:
        return None
    own = max((score for language, score in ranked if language in allowed), default=float("-inf"))
    return best if likelihood - own >= margin * len(words) else None


def _words(text: str) -> list[str]:
    """Words that say which language it is, in lower case."""
    return [word.lower().replace("\u2019", "'") for word in _WORD.findall(_NAME.sub(" ", _UNTOLD.sub(" ", text)))]


def _is_english(words: Sequence[str]) -> bool:
    return ENGLISH_SHARE * sum(word in _ENGLISH for word in words) >= len(words)


def _named(language: str) -> str:
    return NAMES.get(language, f"a language ({language})")


def _listed(allowed: Sequence[str]) -> str:
    *others, last = sorted(map(_named, allowed))
    return f"{', '.join(others)} and {last}" if others else f"{last} only"


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
