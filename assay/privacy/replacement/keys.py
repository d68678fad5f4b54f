"""Keys: whether the name of a value in JSON is somebody's, such as ``{"Kowalska": {"status": "vip"}}``.

No placeholder can stand for a name in JSON, since whoever reads the JSON asks for it by name; so a record of which one
is personal leaves the pipeline. A name is personal if a run of its words is a value that was found or known elsewhere
in the record, or part of such a person's name. Words end at marks, and at a capital behind a small letter
(``annaKowalska``); case, accents and marks do not count.

Not every value speaks: not one of under :data:`LEAST` letters, nor a number of under :data:`DIGITS` digits, nor an
ordinary word (``price``, though Mark Price wrote; :data:`ORDINARY`). A place that the detector is not certain of may be
a word too (``reading``), so it counts only with its capital.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import NamedTuple

from assay.privacy.detection.personal_cues import PLAIN

VERSION = 1

LEAST = 3
"""Letters and digits of a value that a name may hold by no chance."""

DIGITS = 5
"""Digits of a number that is no year, count or code of a status."""

ORDINARY = PLAIN | frozenset(
    """
    amount author book brand brown category chance city class code count country date day description east field file
    gold grade green hand hill id key label lane language law level line link list long love low mark may media message
    model name north note number order page park part pay price prime province rank reason region rich role room rose
    sales score short size small source south start state status street string summer temple text time title total town
    type user value version way week west white winter word young
    """.split()  # noqa: SIM905
)
"""Words that names in JSON are made of, and that are parts of people's names as well."""

RUN = 6
"""Words of a name of JSON that are looked at together."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


class Spoken(NamedTuple):
    """What a record gave away."""

    type: str
    value: str
    is_certain: bool


def personal(names: Iterable[str], values: Iterable[Spoken]) -> str | None:
    """The first of ``names`` that holds one of ``values``, if any does."""
    whole: set[str] = set()
    capitalised: set[str] = set()
    for each in values:
        if each.type == "CITY" and not each.is_certain:
            capitalised.add("".join(_WORD.findall(each.value)))
        else:
            whole |= _forms(each)
    distinct = dict.fromkeys(names) if whole or capitalised else ()
    return next((name for name in distinct if _holds(name, whole, capitalised)), None)


def _forms(spoken: Spoken) -> set[str]:
    """What a value may be as a run of words: itself, and each part of a person's name."""
    words = _WORD.findall(spoken.value)
    forms = {"".join(words), *(words if spoken.type == "PERSON" else ())}
    return {_folded(form) for form in forms if _tells(form)}


def _tells(form: str) -> bool:
    return len(form) >= (DIGITS if form.isdigit() else LEAST) and form.casefold() not in ORDINARY


def _holds(name: str, whole: Collection[str], capitalised: Collection[str]) -> bool:
    words = _HUMP.sub(" ", " ".join(_WORD.findall(name))).split()
    for first in range(len(words)):
        for last in range(first + 1, min(first + RUN, len(words)) + 1):
            run = "".join(words[first:last])
            if _folded(run) in whole or (run in capitalised and not run.islower()):
                return True
    return False


def _folded(word: str) -> str:
    """Without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if unicodedata.category(c) != "Mn")
