"""What one text must be: seen, long enough, in a language, of a form. Each rule is about one cell.

Languages are told by py3langid (Lui and Baldwin 2012, ACL), JSON schemas by jsonschema. A word is a run of letters and
digits; in the scripts that are written without spaces (Thai, Lao, Myanmar, Khmer, Kana, Han) each letter counts as one,
for otherwise a page of Chinese would be a handful of words.
"""

import functools
import json
import re
import threading
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from py3langid.langid import LanguageIdentifier

UNSPACED = (
    "\u0e00-\u0eff"  # Thai and Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana and Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""Characters of scripts written without spaces, for a class of a regular expression."""

WORD = re.compile(rf"(?!\W)[{UNSPACED}]|[^\W{UNSPACED}]+(?:['\u2019][^\W{UNSPACED}]+)*")
_LOCK = threading.RLock()


def is_not_blank(cell: str) -> bool:
    """Whether anything can be seen: white space, controls and zero-width characters do not count."""
    return any(unicodedata.category(character)[0] not in "ZC" for character in cell)


def has_words(cell: str, min_value: int | None = None, max_value: int | None = None) -> bool:
    """Whether ``cell`` holds ``min_value`` to ``max_value`` words."""
    count = len(WORD.findall(cell))
    return (min_value or 0) <= count and (max_value is None or count <= max_value)


def is_in_language(
    cell: str, languages: Sequence[str], min_words: int | None = None, min_characters: int | None = None
) -> bool:
    """Whether ``cell`` is in one of ``languages`` (ISO 639-1).

    A text is judged if it has ``min_words`` words or ``min_characters`` characters; either is enough, and one that is
    None is not asked. Any other is too short to tell, and passes.
    """
    told = (min_words is not None and has_words(cell, min_words)) or (
        min_characters is not None and len(cell) >= min_characters
    )
    return not told or identifier().classify(cell)[0] in languages


def satisfies(cell: str, schema_text: str) -> bool:
    """Whether ``cell`` is one JSON value that the JSON schema ``schema_text`` accepts.

    Keys given twice and numbers that JSON does not have (NaN, Infinity) are refused.
    """
    value = json.loads(cell, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    return bool(_validator(schema_text).is_valid(value))


def check_schema(schema_text: str) -> None:
    """Raise unless ``schema_text`` is a JSON schema."""
    _validator(schema_text)


def identifier() -> "LanguageIdentifier":
    """What tells languages, read from its file once."""
    with _LOCK:
        return _identifier()


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key is given twice")
    return found


@functools.lru_cache(maxsize=8)
def _validator(schema_text: str) -> "Validator":
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    document = json.loads(schema_text)
    cls = validator_for(document, default=Draft202012Validator)
    cls.check_schema(document)
    # An own registry: the default one would fetch a remote reference.
    return cls(document, registry=Registry())


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
