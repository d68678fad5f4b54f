"""Identifiers and passwords whose label is misspelt: "the oeder id is …", "my acount numbr: …", "pasword is …".

A label of at least :data:`SHORTEST` letters counts if it is one edit from the word it should be (restricted
Damerau-Levenshtein distance, Damerau 1964: a letter too many, too few, wrong, or two exchanged), and so does the
"number" behind it. Because a word so near may be another word, only what stands between the two and a value with
digits makes it a label: a "number", "id" or "reference", or "is", ":", "=" or "#".

Scores lie between a shape that is one type's by habit and one that carries its type in its prefix, so a misspelt
label names what its value's form leaves open, and no more.
"""

import re
from collections.abc import Iterator

from assay.privacy.patterns import Span

VERSION = 1

SHORTEST = 5
"""Letters of a label from which an edit leaves it recognisable."""

REACH = 56
"""Characters before a value in which its label may start."""

SCORE = 0.87
"""Above a code of capitals and digits, which may be anything's; below one with a telling prefix."""

DIGITS = 3
"""In an identifier."""

LABELS = {
    "ORDER_ID": frozenset(
        """
        order purchase booking reservation confirmation tracking invoice receipt ticket shipment delivery parcel
        package transaction payment refund reference complaint
        """.split()  # noqa: SIM905
    ),
    "ACCOUNT_ID": frozenset(
        """
        account customer client member membership policy contract subscription passport licence license insurance
        """.split()  # noqa: SIM905
    ),
}
"""By type, the words that may be misspelt."""

PASSWORDS = ("password", "passcode")

WORDS = frozenset(
    """
    older border preservation conformation looking cooking hooking cracking trucking ticked wicket picket
    thicket deliver preference compliant complain police contact contrast
    """.split()  # noqa: SIM905
)
"""Words of their own that are one edit from a label."""

_NOUNS = frozenset({"number", "num", "nr", "no", "code", "id", "ref", "reference", "#"})
_LONG_NOUNS = ("number", "reference")
_VALUE = re.compile(r"(?<![\w./@-])(?=[a-z._/-]{0,12}\d)[a-z0-9](?:[a-z0-9]|[-_./](?=[a-z0-9])){2,39}", re.IGNORECASE)
_LINK = r"(?P<link>[ ]?[:=#№-]{1,2}[ ]?|,?[ ](?:is|was|as|of|being)[ :]{1,2}|[ ])[#№'\"(\[]{0,2}$"
_NAMED = re.compile(
    rf"(?<!\w)(?P<label>[a-z]{{4,13}})[ _-]?(?P<noun>#|(?<=[ _-])[a-z]{{2,10}}\b\.?){_LINK}", re.IGNORECASE
)
_PLAIN = re.compile(rf"(?<!\w)(?P<label>[a-z]{{4,13}}){_LINK}", re.IGNORECASE)
_SECRET = re.compile(
    r"\b(?=\w?p)(?P<label>[a-z]{7,9})(?:[ ]?[:=][ ]?|[ ](?:is|was)[ :][ ]?)['\"]?"
    r"(?P<value>[^\s'\",;<>]{3,200}(?<![.,?)]))",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\d{1,6}\.\d\d")


def find(text: str) -> list[Span]:
    """Every value behind a misspelt label, in order."""
    return [*_identifiers(text), *_passwords(text)]


def within_one_edit(word: str, other: str) -> bool:
    """Whether one letter too many, too few or wrong, or two exchanged, are all that tells the two apart."""
    start = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    a, b = word[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _identifiers(text: str) -> Iterator[Span]:
    for match in _VALUE.finditer(text):
        if sum(map(str.isdecimal, match[0])) < DIGITS or _AMOUNT.fullmatch(match[0]):
            continue
        before = text[max(0, match.start() - REACH) : match.start()]
        if kind := _announced(before):
            yield Span(match.start(), match.end(), kind, SCORE)


def _announced(before: str) -> str | None:
    """The type that the words at the end of ``before`` announce."""
    if (named := _NAMED.search(before)) and _is_noun(named["noun"].lower().rstrip(".")):
        return _type(named["label"].lower())
    plain = _PLAIN.search(before)
    return _type(plain["label"].lower()) if plain and plain["link"] != " " else None


def _is_noun(word: str) -> bool:
    return word in _NOUNS or any(within_one_edit(word, noun) for noun in _LONG_NOUNS)


def _type(label: str) -> str | None:
    if label in WORDS:
        return None
    return next((kind for kind, words in LABELS.items() if any(_misspells(label, word) for word in words)), None)


def _misspells(label: str, word: str) -> bool:
    """Whether ``label`` is ``word`` with at most one slip; an ending more makes it another form, not a slip."""
    return len(word) >= SHORTEST and within_one_edit(label, word) and (label == word or not label.startswith(word))


def _passwords(text: str) -> Iterator[Span]:
    for match in _SECRET.finditer(text):
        value = match["value"]
        goes_on = value.isalpha() and (value.islower() or value.istitle())
        if not goes_on and any(_misspells(match["label"].lower(), word) for word in PASSWORDS):
            yield Span(match.start("value"), match.end("value"), "SECRET", SCORE)
