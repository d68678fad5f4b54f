"""Reserved: numbers of the shape of a given one, from ranges that belong to nobody, and where such stand in a text.

==============  =====================================================================================
type            range
==============  =====================================================================================
PHONE           kept for drama: UK 07700 900xxx (Ofcom), US and Canada 555-01xx (NANPA), Germany
                030 23125xxx (Bundesnetzagentur), France 06 39 98 xx xx (Arcep), Australia 02 5550 xxxx
                (ACMA); of other countries +999, a code that the ITU has given to none (E.164)
IP_ADDRESS      networks kept for documentation (RFC 5737, RFC 3849)
CREDIT_CARD     400000, Visa's prefix for tests, with a valid check digit (ISO/IEC 7812-1, annex B)
IBAN            banks that do not exist (TEST in GB and NL, 99999 in DE and AT); of other countries a
                country QZ, which is left to users (ISO 3166-1); valid check digits (ISO 13616-1)
SSN             US areas from 900 with a group under 50; UK prefixes that HMRC does not use
DATE_OF_BIRTH   1850 to 1899: nobody who was born then lives
==============  =====================================================================================

A form answers ``None`` where a value has no such shape, as a telephone number of four digits has none.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from assay.privacy.detection.personal_rules import passes_luhn, passes_mod97
from assay.privacy.measurement.invented import check_digits, luhn_digit
from assay.privacy.replacement.syllables import Keyed

VERSION = 1

Form = Callable[[Keyed, str, str], str | None]
"""From numbers under the key, a value as it is written, and what it is, to another value."""

_BANKS = {"GB": "TEST99", "NL": "TEST", "DE": "99999", "AT": "99999"}
_NOBODY = "QZ"
_PREFIXES = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_MONTHS = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTH = rf"(?:{'|'.join(_MONTHS)}|{'|'.join(month[:3] for month in _MONTHS)})"
_EXTENSION = re.compile(r"\s*(?:x|ext\.?|extension)\s*(\d{1,6})$", re.IGNORECASE)
_IBAN = r"(?:GB\d\dTEST99|NL\d\dTEST|(?:DE|AT)\d\d99999|QZ\d\d)[A-Z0-9]*"
_BETWEEN = r"[ ().\/-]{0,3}"


def _spaced(digits: str) -> str:
    """A pattern for digits, ``x`` any one of them, whatever stands between."""
    return _BETWEEN.join("\\d" if digit == "x" else digit for digit in digits)


_DRAMA = (
    "07700900xxx", "447700900xxx", "063998xxxx", "33639980xxx", "33639981xxx", "493023125xxx", "61255501xxx", "55501xx",
)  # fmt: skip
_PHONE = "|".join(
    [*map(_spaced, _DRAMA), rf"(?:1{_BETWEEN})?[2-9]{_BETWEEN}[0-8]{_BETWEEN}\d{_BETWEEN}{_spaced('55501xx')}"]
)

PATTERNS: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(form, re.IGNORECASE)
    for kind, form in {
        "PHONE": rf"(?<!\w)(?:\+|00)?\(?(?:{_PHONE}|(?<=\+){_spaced('999')}(?:{_BETWEEN}\d){{5,12}})(?!\d)"
        r"(?:\s*(?:x|ext\.?|extension)\s*\d{1,6})?",
        "IP_ADDRESS": r"(?<![\w.])(?:(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}|2001:0?db8:[0-9a-f:]+)(?!\w)",
        "CREDIT_CARD": rf"(?<!\d){'[ -]?'.join('400000')}(?:[ -]?\d){{6,13}}(?!\d)",
        "IBAN": r"(?<!\w)(?:GB|NL|DE|AT|QZ)\d\d(?:[ -]?[A-Z0-9]){11,30}(?!\w)",
        "SSN": r"(?<!\d)9\d\d([- ])[0-4]\d\1\d{4}(?!\d)"
        rf"|(?<!\w)(?:{'|'.join(_PREFIXES)}) ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)",
        "DATE_OF_BIRTH": r"(?<!\d)(?:\d{1,2}[-/. ]{1,2}\d{1,2}[-/. ]{1,2}18[5-9]\d"
        r"|18[5-9]\d([-/. ])\d{1,2}\1\d{1,2})(?!\d)"
        rf"|(?<!\w)\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH},?[ -]18[5-9]\d(?!\d)"
        rf"|(?<!\w){_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? 18[5-9]\d(?!\d)",
    }.items()
}
"""Where numbers of reserved ranges may stand; :func:`spans` has the last word."""


def spans(keyed: Keyed, kind: str, text: str) -> Iterator[tuple[int, int]]:
    """Where numbers of the ranges of ``kind`` stand in ``text``."""
    for match in PATTERNS[kind].finditer(text):
        start, end = match.span()
        while end > start and not _is_reserved(keyed, kind, text[start:end]):
            end = max(text.rfind(" ", start, end), text.rfind("-", start, end))  # A word behind is no part of it.
        if end > start:
            yield start, end


def _is_reserved(keyed: Keyed, kind: str, text: str) -> bool:
    compact = "".join(filter(str.isalnum, text)).upper()
    if kind == "CREDIT_CARD":
        return passes_luhn(compact) and compact[-5:-1] == _tail(keyed, compact[:-5])
    return kind != "IBAN" or (passes_mod97(compact) and re.fullmatch(_IBAN, compact) is not None)


def poured(value: str, characters: str) -> str:
    """``value`` with other letters and digits, in its own case."""
    fresh = iter(characters)
    return "".join((_cased(next(fresh), c) if c.isalnum() else c) for c in value)


def _cased(new: str, old: str) -> str:
    return new.lower() if old.islower() else new.upper() if old.isupper() else new


def digits(keyed: Keyed, count: int, *of: object) -> str:
    """So many digits."""
    return "".join(str(keyed.number(10, "digit", place, *of)) for place in range(count))


def phone(keyed: Keyed, value: str, of: str) -> str | None:
    """A number kept for drama, with an extension if there was one."""
    extension = _EXTENSION.search(value)
    main = value[: extension.start()] if extension else value
    number = "".join(filter(str.isdigit, main))
    if any(map(str.isalpha, main)):
        return None
    abroad = main.lstrip("( ").startswith("+") or number.startswith("00")
    code = number.removeprefix("00") if abroad else number
    drama = _abroad(keyed, code, of) if abroad else _at_home(keyed, code, of)
    if drama is None or len(drama) != len(code):
        return None
    tail = extension[0] if extension else ""
    changed = digits(keyed, sum(map(str.isdigit, tail)), "extension", of)
    return poured(main, number[: len(number) - len(code)] + drama) + _numbered(tail, changed)


def _numbered(text: str, fresh: str) -> str:
    """``text`` with other digits."""
    given = iter(fresh)
    return "".join(next(given) if c.isdigit() else c for c in text)


def _abroad(keyed: Keyed, code: str, of: str) -> str | None:
    shapes = {
        ("44", 12): "447700900xxx",
        ("49", 12): "493023125xxx",
        ("33", 11): "33639980xxx",
        ("61", 11): "61255501xxx",
    }
    if code.startswith("1") and len(code) == 11:  # noqa: PLR2004
        return "1" + _american(keyed, of)
    shape = shapes.get((code[:2], len(code)), f"999{'x' * (len(code) - 3)}")
    return _filled(keyed, shape, of) if len(code) in range(8, 16) else None


def _at_home(keyed: Keyed, code: str, of: str) -> str | None:
    match len(code), code[:1]:
        case 11, "1":
            return "1" + _american(keyed, of)
        case 11, "0":
            return _filled(keyed, "07700900xxx", of)
        case 10, "0":
            return _filled(keyed, "063998xxxx", of)
        case 10, _:
            return _american(keyed, of)
        case 7, _:
            return _filled(keyed, "55501xx", of)
        case _:
            return None


def _american(keyed: Keyed, of: str) -> str:
    area = (2 + keyed.number(8, "area 1", of), keyed.number(9, "area 2", of), keyed.number(10, "area 3", of))
    return "".join(map(str, area)) + _filled(keyed, "55501xx", of)


def _filled(keyed: Keyed, shape: str, of: str) -> str:
    return shape.rstrip("x") + digits(keyed, shape.count("x"), shape, of)


def internet(keyed: Keyed, value: str, of: str) -> str:
    """An address of a network kept for documentation."""
    if ":" in value and value.count(".") != 3:  # noqa: PLR2004
        groups = [f"{keyed.number(65_536, 'group', place, of):x}" for place in range(4)]
        return f"2001:db8:{':'.join(groups[:2])}::{':'.join(groups[2:])}"
    network = ("192.0.2", "198.51.100", "203.0.113")[keyed.number(3, "network", of)]
    return f"{network}.{1 + keyed.number(254, 'host', of)}"


def card(keyed: Keyed, value: str, of: str) -> str | None:
    """A card for tests of as many digits; one of 13 or more."""
    count = sum(map(str.isdigit, value))
    if count not in range(13, 20) or any(map(str.isalpha, value)):
        return None
    body = "400000" + digits(keyed, count - 11, "card", of)
    body += _tail(keyed, body)
    return poured(value, body + luhn_digit(body))


def _tail(keyed: Keyed, body: str) -> str:
    return digits(keyed, 4, "card's tail", body)


def iban(keyed: Keyed, value: str, of: str) -> str | None:
    """An account at no bank."""
    compact = "".join(filter(str.isalnum, value)).upper()
    if len(compact) not in range(15, 35) or not compact.isascii():
        return None
    code, bank = (compact[:2], _BANKS[compact[:2]]) if compact[:2] in _BANKS else (_NOBODY, "")
    rest = compact[4 + len(bank) :]
    fresh = digits(keyed, len(rest), "account", of)
    letters = "".join(chr(65 + keyed.number(26, "letter", place, of)) for place in range(len(rest)))
    body = bank + "".join(
        letter if old.isalpha() else digit for old, digit, letter in zip(rest, fresh, letters, strict=True)
    )
    return poured(value, code + check_digits(code, body) + body)


def social_security(keyed: Keyed, value: str, of: str) -> str | None:
    """A US number with its two marks, or a UK one, that is never issued."""
    serial = f"{1 + keyed.number(9_999, 'serial', of):04}"
    if re.fullmatch(r"\d{3}([- ])\d\d\1\d{4}", value):
        return poured(value, f"{900 + keyed.number(100, 'area', of)}{1 + keyed.number(49, 'group', of):02}{serial}")
    if re.fullmatch(r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", value, re.IGNORECASE):
        prefix = _PREFIXES[keyed.number(len(_PREFIXES), "prefix", of)]
        return poured(value, prefix + digits(keyed, 2, "pair", of) + serial + "ABCD"[keyed.number(4, "suffix", of)])
    return None


def birthday(keyed: Keyed, value: str, of: str) -> str | None:
    """A day before 1900; both numbers beside the year are at most 12, whichever of them is the month."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", value)]
    if len(re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", value)) != 1 or any(not _is_date_word(word) for word in words):
        return None
    year, month = f"{1850 + keyed.number(50, 'year', of)}", _MONTHS[keyed.number(12, "month", of)]
    numbers = iter((1 + keyed.number(12, "first", of), 1 + keyed.number(12, "second", of)))

    def fresh(match: re.Match[str]) -> str:
        old = match[0]
        if old.isdigit():
            return year if len(old) == 4 else f"{next(numbers):0{len(old)}}"  # noqa: PLR2004
        if old.lower()[:3] in {name[:3] for name in _MONTHS}:
            name = month if old.lower() in _MONTHS else month[:3]
            return name.upper() if old.isupper() else name.capitalize() if old[0].isupper() else name
        return "" if old.lower() != "of" else old

    return re.sub(r"\d+|[^\W\d_]+", fresh, value) if len(re.findall(r"\d+", value)) <= 3 else None  # noqa: PLR2004


def _is_date_word(word: str) -> bool:
    return word in {"st", "nd", "rd", "th", "of", *_MONTHS} or word in {month[:3] for month in _MONTHS}


FORMS: Mapping[str, Form] = {
    "PHONE": phone,
    "IP_ADDRESS": internet,
    "CREDIT_CARD": card,
    "IBAN": iban,
    "SSN": social_security,
    "DATE_OF_BIRTH": birthday,
}
