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
DATE_OF_BIRTH   1800 to 1899: nobody who was born then lives
==============  =====================================================================================

What stands in a range may still be somebody's account number or password. So where a range is so short that ordinary
numbers fall into it, what is ours is told by its last digits (in a date, by the second of day and month), which are
computed from the others under the key. Of other numbers of the same length at most 1 in 10,000 then pass for ours; of
dates before 1900, which are few, 1 in 12 still does. Not computed are the drama numbers of 10 digits and more, of which
at least five say what they are, and IPv4.

A form answers ``None`` where a value has no such shape or no room for that: a telephone number of seven digits or less.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from assay.privacy.detection.personal_rules import passes_luhn, passes_mod97
from assay.privacy.invented import check_digits, luhn_digit
from assay.privacy.replacement.syllables import Keyed

VERSION = 2

TAIL = 4
"""Last digits of a card, a telephone number of no country, and a social security number that are computed."""

LONG = frozenset({"CREDIT_CARD", "IBAN"})
"""Types of which a word behind a number may look like a part of it."""

SECURITY = 9
"""Letters and digits of a social security number."""

Form = Callable[[Keyed, str, str], str | None]
"""From numbers under the key, a value as it is written, and what it is, to another value."""

_BANKS = {"GB": "TEST99", "NL": "TEST", "DE": "99999", "AT": "99999"}
_NOBODY = "QZ"
_PREFIXES = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_MONTHS = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTH = rf"(?:{'|'.join(_MONTHS)}|{'|'.join(month[:3] for month in _MONTHS)})"
_JOINED, _JOINED_BEFORE = re.compile(r"[-./_]\d"), re.compile(r"\d[-./_]$")
_NOWHERE = "999"
_BESIDE = ("st", "nd", "rd", "th", "of")
_DATE_PART = re.compile(r"\d+|[^\W\d_]+")
_EXTENSION = re.compile(r"\s*(?:x|ext\.?|extension)\s*(\d{1,6})$", re.IGNORECASE)
_IBAN = r"(?:GB\d\dTEST99|NL\d\dTEST|(?:DE|AT)\d\d99999|QZ\d\d)[A-Z0-9]*"
_BETWEEN = r"[ ().\/-]{0,3}"


def _spaced(digits: str) -> str:
    """A pattern for digits, ``x`` any one of them, whatever stands between."""
    return _BETWEEN.join("\\d" if digit == "x" else digit for digit in digits)


_DRAMA = ("07700900xxx", "447700900xxx", "063998xxxx", "33639980xxx", "33639981xxx", "493023125xxx", "61255501xxx")
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
        "DATE_OF_BIRTH": r"(?<!\d)(?:\d{1,2}[-/. ]{1,2}\d{1,2}[-/. ]{1,2}18\d\d"
        r"|18\d\d([-/. ])\d{1,2}\1\d{1,2})(?!\d)"
        rf"|(?<!\w)\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH},?[ -]18\d\d(?!\d)"
        rf"|(?<!\w){_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? 18\d\d(?!\d)",
    }.items()
}
"""Where numbers of reserved ranges may stand; :func:`spans` has the last word."""


def spans(keyed: Keyed, kind: str, text: str) -> Iterator[tuple[int, int]]:
    """Where numbers of the ranges of ``kind`` stand in ``text``."""
    for match in PATTERNS[kind].finditer(text):
        start, end = match.span()
        while end > start and not _is_reserved(keyed, kind, text[start:end]):
            shorter = max(text.rfind(" ", start, end), text.rfind("-", start, end))  # A word behind is no part of it.
            end = shorter if kind in LONG else start
        if end > start and (kind == "IP_ADDRESS" or not _is_cut(text, start, end)):
            yield start, end


def _is_cut(text: str, start: int, end: int) -> bool:
    """Whether a mark joins other digits to this range: a part of a number is not that number."""
    return _JOINED_BEFORE.search(text, max(0, start - 2), start) is not None or _JOINED.match(text, end) is not None


def _is_reserved(keyed: Keyed, kind: str, text: str) -> bool:
    compact = "".join(filter(str.isalnum, text)).upper()
    match kind:
        case "CREDIT_CARD":
            return passes_luhn(compact) and compact[-TAIL - 1 : -1] == _tail(keyed, compact[: -TAIL - 1])
        case "IBAN":
            return passes_mod97(compact) and re.fullmatch(_IBAN, compact) is not None
        case "SSN":
            number = compact.rstrip("ABCD")
            return len(compact) == SECURITY and number[-TAIL:] == _tail(keyed, number[:-TAIL])
        case "DATE_OF_BIRTH":
            return _is_birthday(keyed, text)
        case "PHONE":
            number = "".join(filter(str.isdigit, _EXTENSION.sub("", text)))
            return not number.startswith(_NOWHERE) or number[-TAIL:] == _tail(keyed, number[:-TAIL])
        case _:
            groups = [group for group in text.lower().split(":") if group]
            return ":" not in text or groups[-1] == _group(keyed, *groups[2:-1])


def _is_birthday(keyed: Keyed, text: str) -> bool:
    """Whether the second of day and month belongs to the first and the year."""
    found = _DATE_PART.findall(text.lower())
    year = next((part for part in found if len(part) == 4 and part.isdigit()), None)  # noqa: PLR2004
    named = [int(part) if part.isdigit() else _month(part) for part in found if part != year and _is_told(part)]
    return (
        year is not None
        and len(named) == 2  # noqa: PLR2004
        and named[0] in range(1, 13)
        and named[1] == _second(keyed, year, named[0])
    )


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
    shape = shapes.get((code[:2], len(code)), f"{_NOWHERE}{'x' * (len(code) - 3)}")
    if len(code) not in range(8, 16):
        return None
    body = _filled(keyed, shape, of)
    return body[:-TAIL] + _tail(keyed, body[:-TAIL]) if body.startswith(_NOWHERE) else body


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
        groups = [_group(keyed, place, of) for place in range(3)]
        return f"2001:db8:{':'.join(groups[:2])}::{groups[2]}:{_group(keyed, *groups)}"
    network = ("192.0.2", "198.51.100", "203.0.113")[keyed.number(3, "network", of)]
    return f"{network}.{1 + keyed.number(254, 'host', of)}"


def _group(keyed: Keyed, *of: object) -> str:
    return f"{keyed.number(65_536, 'group', *of):x}"


def card(keyed: Keyed, value: str, of: str) -> str | None:
    """A card for tests of as many digits; one of 13 or more."""
    count = sum(map(str.isdigit, value))
    if count not in range(13, 20) or any(map(str.isalpha, value)):
        return None
    body = "400000" + digits(keyed, count - 7 - TAIL, "card", of)
    body += _tail(keyed, body)
    return poured(value, body + luhn_digit(body))


def _tail(keyed: Keyed, body: str) -> str:
    """The last digits that belong to the others."""
    return digits(keyed, TAIL, "tail", body)


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
    if re.fullmatch(r"\d{3}([- ])\d\d\1\d{4}", value):
        body = f"{900 + keyed.number(100, 'area', of)}{1 + keyed.number(49, 'group', of):02}"
        return poured(value, body + _tail(keyed, body))
    if re.fullmatch(r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", value, re.IGNORECASE):
        body = _PREFIXES[keyed.number(len(_PREFIXES), "prefix", of)] + digits(keyed, 2, "serial", of)
        return poured(value, body + _tail(keyed, body) + "ABCD"[keyed.number(4, "suffix", of)])
    return None


def birthday(keyed: Keyed, value: str, of: str) -> str | None:
    """A day before 1900; both numbers beside the year are at most 12, whichever of them is the month."""
    parts = [part.lower() for part in _DATE_PART.findall(value)]
    years = [part for part in parts if re.fullmatch(r"(?:19|20)\d\d", part)]
    told = [part for part in parts if _is_told(part)]
    if len(years) != 1 or len(told) != 3 or not all(_is_told(part) or part in _BESIDE for part in parts):  # noqa: PLR2004
        return None
    year, first = f"{1800 + keyed.number(100, 'year', of)}", 1 + keyed.number(12, "first", of)
    numbers = iter((first, _second(keyed, year, first)))

    def fresh(match: re.Match[str]) -> str:
        old = match[0]
        if not _is_told(old.lower()):
            return "" if old.lower() != "of" else old
        if old.isdigit():
            return year if old == years[0] else f"{next(numbers):0{len(old)}}"
        name = _MONTHS[next(numbers) - 1][: None if old.lower() in _MONTHS else 3]
        return name.upper() if old.isupper() else name.capitalize() if old[0].isupper() else name

    return _DATE_PART.sub(fresh, value)


def _second(keyed: Keyed, year: str, first: int) -> int:
    """The second of day and month."""
    return 1 + keyed.number(12, "second", year, first)


def _is_told(word: str) -> bool:
    """Whether a part of a date, in small letters, is a number or a month."""
    return word.isdigit() or _month(word) > 0


def _month(word: str) -> int:
    """1 for January, in full or its first three letters, to 12; 0 for any other word."""
    names = [name[: len(word)] if len(word) == 3 else name for name in _MONTHS]  # noqa: PLR2004
    return names.index(word) + 1 if word in names else 0


FORMS: Mapping[str, Form] = {
    "PHONE": phone,
    "IP_ADDRESS": internet,
    "CREDIT_CARD": card,
    "IBAN": iban,
    "SSN": social_security,
    "DATE_OF_BIRTH": birthday,
}
