"""Personal data that is left in a text, told by its form or by what the source said of the subject.

Strict on purpose: redaction finds, this only makes sure. Card numbers are told by ISO/IEC 7812-1 prefixes
and check digit (Luhn), bank accounts by ISO 13616 length and check digits (mod 97), telephone numbers by
the spellings of ITU-T E.123 and their national kin, United States social security numbers by their three
groups, addresses by the shape of RFC 5321 mailboxes.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from expectations.parameters import KINDS

VERSION = 2  # Raise on any change that could change which rows fail.

MARKER = re.compile(r"\[[A-Z]+(?:_[A-Z]+)*_\d+\]")
"""A placeholder that redaction left, such as ``[PERSON_1]``."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([bfnrt])|([\"\\/]))")
_EMAIL = re.compile(r"(?<=[\w.!#$%&'*+/=?^`{|}~-])@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}")
"""One character before the ``@`` is enough to tell; to look for more from each would take time by the square."""

_CARD = re.compile(r"(?<![\d.])[2-6](?:[ -]?\d){12,18}(?!\d)")
_IBAN = re.compile(r"(?<![^\W_])([A-Za-z]{2})[ -]?(\d{2}(?:[ -]?[A-Za-z0-9]){11,30})")
_PHONE = re.compile(
    r"""
    (?<![\w+.]) (?: \+ | 00(?=[1-9]) ) \(?[1-9]\d{0,3}\)? (?: [ ()./-]{0,3} \d ){6,13} (?!\w)   # international
  | (?<![\w.-]) \(0?\d{2,5}\) [ -]? \d{3,4} (?: [ -]? \d{2,5} ){1,3} (?![\w-])                  # (area) number
  | (?<![\w.-]) 0\d{2,4} (?: [ /-] \d{3,8} ){1,3} (?![\w-])                                     # trunk prefix
  | (?<![\w.-]) 0[1-9] (?: [ .-] \d\d ){4} (?![\w-])                                         # in pairs, as in France
  | (?<![\w.-]) 0[1-9]\d{8,9} (?!\w)                                                            # the same, run together
  | (?<![\w.-]) [2-9]\d{2} ([ .-]) [2-9]\d{2} \1 \d{4} (?![\w-])                                # North America
    """,
    re.VERBOSE,
)
_SSN = re.compile(r"(?<![\w-])(?!000|666)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ BY CR CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
    }.items()
    for country in countries.split()
}


def holds_no_personal_data(cell: str, kinds: Sequence[str] = KINDS) -> bool:
    """Whether no address, card, account or telephone number stands in ``cell``, by form alone."""
    plain = MARKER.sub(" ", _plain(cell))
    # Most texts hold no sign of most kinds, and to look for the sign takes a tenth of the time.
    return not any(_SIGNS[kind](plain) and _FINDERS[kind](plain) for kind in kinds)


def holds_no_known_value(cell: str, known: Sequence[str], min_characters: int = 3) -> bool:
    """Whether no value of ``known``, of at least ``min_characters``, stands in ``cell`` as whole words.

    Case, width and white space are folded. Placeholders are not looked into.

    Raises:
        TypeError: ``known`` is no list: nobody has said what is known.
    """
    if not isinstance(known, list | tuple):
        raise TypeError("expected a list of values")
    folded = _folded(MARKER.sub(" ", _plain(cell)))
    values = (_folded(_plain(value)) for value in known)
    return not any(_stands_in(value, folded) for value in values if len(value) >= max(1, min_characters))


def _stands_in(value: str, text: str) -> bool:
    # A pattern is made only if the characters are there at all: one for each row would be compiled each time.
    return value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _plain(text: str) -> str:
    """``text`` as a reader sees it: JSON's escapes undone, widths folded, invisible characters gone."""
    if "\\" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[3] or " ", text)
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _has_card(text: str) -> bool:
    return any(_luhn(re.sub(r"\D", "", match[0])) for match in _CARD.finditer(text))


def _luhn(digits: str) -> bool:
    doubled = (int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0  # noqa: PLR2004


def _has_iban(text: str) -> bool:
    for match in _IBAN.finditer(text):
        country = match[1].upper()
        length = _IBAN_LENGTHS.get(country, 0)
        account = (country + re.sub(r"[ -]", "", match[2]).upper())[:length]
        if account and len(account) == length and _mod_97(account) == 1:
            return True
    return False


def _mod_97(account: str) -> int:
    return int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97


_FINDERS: Mapping[str, Callable[[str], object]] = {
    "email": _EMAIL.search,
    "card": _has_card,
    "iban": _has_iban,
    "phone": _PHONE.search,
    "ssn": _SSN.search,
}

_PREFIX = re.compile(r"[0+(](?<!\w0)\(?\d")
_GROUPS = re.compile(r"\d[ .-]\d{3}[ .-]\d{4}")
_SIGNS: Mapping[str, Callable[[str], object]] = {
    "email": lambda text: "@" in text,
    "card": re.compile(r"\d(?:[ -]?\d){12}").search,
    "iban": re.compile(r"\d\d(?:(?<=(?<![^\W_])[A-Za-z]{2}\d\d)|(?<=(?<![^\W_])[A-Za-z]{2}[ -]\d\d))").search,
    "phone": lambda text: _PREFIX.search(text) or _GROUPS.search(text),
    "ssn": re.compile(r"\d[- ]\d\d[- ]\d").search,
}
"""What stands in every text in which the finder of a kind finds something."""
