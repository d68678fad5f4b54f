"""Attributes: a record's columns beside its text, such as its channel or its region, and what in them is examined.

Most are one of a few fixed values, which no detector of prose should judge: a category ("email", "eu") or a moment
("2026-01-05T10:25:00Z") is personal only if it is, as a whole, a value known to be. Every other value is examined
for what strict rules find, for known values, and for what was found in the record's text. A column's name helps
only where it says that it holds personal data ("customer_id"): "licence: internal-support-2026" is no licence number.

A value that is nothing but a few capitalised words may be a name in the wrong column ("region: Anna Kowalska") or a
category ("North America"). The detector that reads prose tells the two apart if it is given the value alone and
believed from :data:`BELIEVED`: of 571 names it so knew 494, of 90 categories it mistook none. A value with a word in
small letters, or of more than :data:`NAMED` words, is prose ("Customer Anna Kowalska called"), and is read as such, by
itself; so is one in which something personal stands already. JSON in a column is
read as JSON in a turn is.
"""

import re
from collections.abc import Iterable

from assay.records import Known

VERSION = 2

BELIEVED = 0.6
"""Score from which a value of a few capitalised words is taken for a name."""

NAMED = 6
"""Words that a name has at the most."""

_MARKS = ".,;:!?()\"'\u2019\u201c\u201d"
_CATEGORY = re.compile(r"[a-z]{1,40}(?:[ _/&-]{1,3}[a-z]{1,40}){0,4}|[A-Z]{1,5}")
_MOMENT = re.compile(
    r"(?:19|20)\d\d(?:-?(?:0[1-9]|1[0-2])(?:-?(?:0[1-9]|[12]\d|3[01]))?)?"
    r"(?:[T ][0-2]\d(?::?[0-5]\d){1,2}(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?(?:\d\d)?)?)?"
)
_PERSONAL = re.compile(
    r"(?:(?:full|first|last|given|family|sur|maiden|customer|client|user|contact|holder|agent) ?)?name"
    r"|.*\b(?:birthday|birth|born|dob)\b.*|(?:login|handle|skype)(?: (?:id|name))?"
    r"|(?:.* )?(?:phone|telephone|mobile|fax|ssn|iban|passport|password|order|ticket|invoice|case|account|acct|customer"
    r"|client|user|member|policy|card|tax|employee|patient|bank)(?: (?:id|no|nr|number|ref|reference))"
    r"|(?:.* )?(?:phone|telephone|fax|ssn|iban|password|(?:zip|postal|post) ?code)"
)

_NAME = re.compile(r"[^\W\d_a-zß-öø-ÿ][^\W\d_'\u2019.-]{0,30}(?:[ '\u2019.,-]{1,3}[^\W\d_]{1,30}){1,5}\.?")


def is_fixed(value: str) -> bool:
    """Whether ``value`` looks like one of a fixed set, or like a date and time."""
    return bool(_CATEGORY.fullmatch(value) or _MOMENT.fullmatch(value))


def may_be_name(value: str) -> bool:
    """Whether ``value`` is two to six words of letters, of which the first is capitalised, and nothing else."""
    return _NAME.fullmatch(value) is not None


def is_prose(value: str) -> bool:
    """Whether somebody may have written ``value``, rather than chosen it: it has small words, or many."""
    words = value.split()
    if len(words) < 2 or is_fixed(value):  # noqa: PLR2004 - one word is no sentence
        return False
    return len(words) > NAMED or any(word.islower() and word.strip(_MARKS).isalpha() for word in words)


def label(name: str) -> str | None:
    """The words of a column's name, if they say that its values are personal data."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.-]+", " ", name).casefold()
    return words if _PERSONAL.fullmatch(words) else None


def same(value: str, known: Iterable[Known], found: Iterable[Known]) -> list[Known]:
    """Those that ``value`` is as a whole; a name of one word, found in a text, is too easily a category's."""
    surer = [each for each in found if each.type != "PERSON" or " " in each.value.strip()]
    return [each for each in (*known, *surer) if _folded(each.value) == _folded(value)]


def _folded(value: str) -> str:
    return " ".join(value.casefold().split())
