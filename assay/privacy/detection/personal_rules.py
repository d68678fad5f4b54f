"""Personal data that its own form or a checksum gives away.

:func:`find` runs a table of patterns over a text, each the *form* of something: an e-mail address, a card number that
passes Luhn's check, an identifier with its prefix; streets and postcodes stand in
:mod:`assay.privacy.detection.personal_places` and are tried here. What only a preceding word gives away is in
:mod:`assay.privacy.detection.personal_labels`; names are in :mod:`assay.privacy.detection.personal_cues`.

Scores say how far to trust a hit on its own: from :data:`STRICT` on, fully.
Every repetition is bounded or runs over a class that its successor cannot start with, so the time is
linear in the text but for a small factor; nothing here can time out, hence nothing is skipped. Where a form
starts with a digit or a capital, what must not stand before it is looked at after that character: so the engine
can skip to the next digit or capital by itself.

Sources: Luhn's check (ISO/IEC 7812-1, annex B), IBAN mod-97 (ISO 13616-1, ISO 7064), SSN ranges never
issued (SSA, 2011 randomisation), IPv6 text form (RFC 4291) by :mod:`ipaddress`.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator

from assay.privacy.detection import personal_places
from assay.privacy.detection.personal_anchors import Table, rule
from assay.privacy.patterns import Span

VERSION = 2

STRICT = 0.85
"""From this score on, a hit counts even where nothing else in the record supports it."""


_CARD = range(12, 20)
_DIGITS_OF_CODE = 3
_DIGIT_LETTER, _LETTER_DIGIT = re.compile(r"\d[A-Z\d]*[A-Z]"), re.compile(r"[A-Z][A-Z\d]*\d")
_IBAN_LENGTHS = range(15, 35)


def digits(text: str) -> str:
    """The decimal digits of ``text``."""
    return "".join(filter(str.isdecimal, text))


def passes_luhn(text: str) -> bool:
    """Whether 12 to 19 digits end in their Luhn check digit (every second digit from the right is doubled)."""
    number = [int(c) for c in digits(text)]
    doubled = [sum(divmod(2 * d, 10)) for d in number[-2::-2]]
    return len(number) in _CARD and (sum(number[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(number)) > 1


def passes_mod97(text: str) -> bool:
    """Whether an IBAN's check digits hold: moved to the end, letters as 10 … 35, it is 1 modulo 97."""
    compact = "".join(filter(str.isalnum, text)).upper()
    if len(compact) not in _IBAN_LENGTHS or not compact.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _numbered(least: int) -> Callable[[str], bool]:
    """At least so many digits."""
    return lambda text: len(digits(text)) >= least


def _mixed(text: str) -> bool:
    """Letters before digits and digits before letters, as no word with a number has them."""
    return len(digits(text)) >= _DIGITS_OF_CODE and bool(_DIGIT_LETTER.search(text) and _LETTER_DIGIT.search(text))


def _telephone(least: int, most: int) -> Callable[[str], bool]:
    """A check on the count of digits (E.164 allows 15) that also refuses dates and address ranges."""
    return lambda text: least <= len(digits(text)) <= most and not _LIKE_DATE.fullmatch(text.strip())


_LIKE_DATE = re.compile(r"(?:\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)?\d\d|(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2})")

_EXTENSION = r"(?: {0,2}(?:x|ext\.?|extension) ?\d{1,6})?"
_NUMBER = r"\d"
_LONG_NUMBER = r"\d(?:\W{0,4}\d){5}"
"""Six digits with little between them: less is no telephone, card or account."""

RULES = Table(
    (
        # "jane at example dot com" as dictated
        rule(
            "EMAIL",
            0.9,
            r"\b[\w.+-]{2,40} ?[(\[]?\bat\b[)\]]? ?\w[\w-]{1,40} ?[(\[]?\bdot\b[)\]]? ?"
            r"(?:com|org|net|edu|io|co)\b",
            gate=r"[dD][oO][tT]\b",
        ),
        rule("URL", 1.0, r"\b(?:https?|ftp)://[^\s<>\"'\]\[{}]{3,2000}(?<![.,;:!?)])", at="http ftp"),
        rule(
            "URL",
            0.9,
            r"(?<![\w@.-])www\.[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?:/[^\s<>\"'\]\[{}]{0,500})?(?<![.,;:!?)])",
            at="www",
        ),
        # a bare domain: only under endings that are not also file names or sentence ends
        rule(
            "URL",
            0.6,
            r"(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,3}(?:com|org|net|edu|gov|io|info|biz|"
            r"co\.uk|de|fr|eu|app|dev)\b(?:/[^\s<>\"']{0,500})?(?![\w@])(?<![.,;:!?)])",
            gate=r"\.[a-zA-Z]",
        ),
        # separators are single, so digits of two numbers in a list do not fuse; Luhn decides
        rule("CREDIT_CARD", 1.0, r"\d(?<![\w.]\d)(?:[ -]?\d){11,18}(?!\d)", passes_luhn, gate=_LONG_NUMBER),
        # in its own groups, or whole, whatever number follows after a space: "4111 1111 1111 1111 12/27"
        rule(
            "CREDIT_CARD",
            1.0,
            r"\d(?<![\w.]\d)(?:\d{3}([ -])\d{4}\1\d{4}\1\d{4}|\d{3}[ -]\d{6}[ -]\d{5}|\d{12,15})(?!\d)",
            passes_luhn,
            gate=_LONG_NUMBER,
        ),
        rule(
            "IP_ADDRESS", 1.0, r"\d(?<![\w.]\d)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w]|\.\d)", is_address, gate=_NUMBER
        ),
        rule(
            "IP_ADDRESS",
            1.0,
            r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{0,4}|(?:\d{1,3}\.){3}\d{1,3})(?![\w:])",
            lambda t: t != "::" and is_address(t),
            gate=r":[0-9a-fA-F]{0,4}:",
        ),
        # also of areas that were never issued: nothing else is written so, and tax numbers of foreigners are
        rule("SSN", 1.0, r"\d(?<![\w-]\d)\d\d-\d\d-\d{4}(?![\w-])", gate=_LONG_NUMBER),
        rule(
            "SSN",
            1.0,
            r"\d(?<![\w-]\d)(?!(?<=0)00|(?<=6)66)\d\d([ .])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])",
            gate=_LONG_NUMBER,
        ),
        # UK national insurance
        rule(
            "SSN",
            0.9,
            r"\b[a-ceghj-prstw-z][a-ceghj-nprstw-z] ?\d\d ?\d\d ?\d\d ?[a-d]\b",
            gate=r"\d\d ?\d\d ?\d\d ?[a-dA-D]\b",
        ),
        # credentials that carry their issuer's prefix
        rule(
            "SECRET",
            1.0,
            r"\b(?:sk|pk|rk)[-_](?:proj-|live_|test_|ant-)?[\w-]{16,200}|\bgh[pousr]_\w{20,100}|"
            r"\bglpat-[\w-]{16,60}|\bxox[abprs]-[\w-]{10,100}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,50}|"
            r"\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{0,1000}|\bhf_\w{20,60}",
            flags=0,
            at="sk- sk_ pk- pk_ rk- rk_ gho ghp ghr ghs ghu glp xox aki aiz eyj hf_",
        ),
        rule(
            "SECRET",
            1.0,
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w\s+/=]{0,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
            flags=0,
        ),
        # shapes that are only ever identifiers: known prefixes, a hash, a letter-digit code, long runs of digits
        rule(
            "ORDER_ID",
            0.9,
            r"\b(?:ord|order|inv|invoice|po|rma|tkt|ticket|ref|case|cs|bk|trk|shp|txn|ret|"
            r"so|sub|pay)[-_#]{1,2}[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,3}\b",
            _numbered(2),
            at="ord inv po- po_ po# rma tkt ticket ref case cs- cs_ cs# bk- bk_ bk# trk shp txn ret so- so_ so# sub "
            "pay",
        ),
        rule(
            "ACCOUNT_ID",
            0.9,
            r"\b(?:cust|customer|acc|acct|account|usr|user|mem|cid|uid)[-_#]{1,2}[a-z0-9]{2,20}"
            r"(?:-[a-z0-9]{1,20}){0,3}\b",
            _numbered(2),
            at="customer account usr user mem cid uid",
        ),
        rule("ORDER_ID", 0.85, r"[#№](?<!\w.)[ ]?(?P<value>[a-z0-9-]{3,24})(?!\w)", _numbered(3), gate=_NUMBER),
        rule(
            "ORDER_ID",
            0.85,
            r"[A-Z](?<![\w-].)[A-Z]{0,4}-?\d{5,14}(?:-[A-Z0-9]{1,10})?(?![\w-])",
            flags=0,
            gate=_NUMBER,
        ),
        rule(
            "ORDER_ID",
            0.85,
            r"[A-Z](?<![\w-].)[A-Z]{1,4}-\d{2,5}-[A-Z0-9]{2,10}(?:-[A-Z0-9]{1,10})?(?![\w-])",
            flags=0,
            gate=_NUMBER,
        ),
        rule("ORDER_ID", 0.85, r"\d(?<![\w-]\d)\d\d-\d{7}-\d{7}(?!\w)", gate=_LONG_NUMBER),
        # a number, then letters behind a hyphen; units and sizes have fewer of either
        rule(
            "ORDER_ID",
            0.85,
            r"\d(?<![\w.,$€£/-]\d)\d{3}(?:\d{1,8}-[A-Z]{2,8}|-[A-Z]{4,8})(?:-[A-Z0-9]{1,10})?(?![\w-])",
            flags=0,
            gate=_NUMBER,
        ),
        # letters, then two groups or more of four digits, as on a customer's card
        rule(
            "ACCOUNT_ID",
            0.85,
            r"[A-Z](?<![\w-].)[A-Z]{0,3} \d{4} \d{4}(?: \d{2,4}){0,3}(?![\w-])",
            flags=0,
            gate=_LONG_NUMBER,
        ),
        rule("ACCOUNT_ID", 0.85, r"\d(?<![\w.,$€£/-]\d)\d{6,23}(?![\w%/]|[.,]\d)", gate=_LONG_NUMBER),
        rule(
            "ACCOUNT_ID",
            0.85,
            r"[0-9a-fA-F](?<!\w.)[0-9a-fA-F]{7}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?!\w)",
            flags=0,
            gate=_NUMBER,
        ),
        # letters and digits mixed twice over, as in licence or reservation codes
        rule("ACCOUNT_ID", 0.6, r"[A-Z0-9](?<![\w-].)[A-Z0-9]{6,19}(?![\w-])", _mixed, flags=0, gate=_NUMBER),
        rule(
            "CREDIT_CARD",
            0.9,
            r"[xX*•](?<!\w.)[xX*•]{1,3}(?:[ -]?[xX*•]{4}){0,3}[ -]?(?P<value>\d{3,4})(?!\w)",
            flags=0,
            gate=_NUMBER,
        ),
        # -- telephones ------------------------------------------------------------------------------------------
        rule(
            "PHONE",
            0.9,
            r"[+0](?<![\w+].)(?:(?<=\+)|0)[ ]?\(?\d{1,3}\)?(?:[ ./-]{0,2}\(?\d{1,5}\)?){1,7}(?: ?"
            r"(?:x|ext\.?|extension) ?\d{1,6})?(?!\w)",
            _telephone(7, 21),
            gate=_LONG_NUMBER,
        ),
        rule(
            "PHONE",
            0.9,
            r"[\d(](?<![\w.-].)(?:(?<=1)[ .-]?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])|(?<=\()\d{3}\)[ .-]?|(?<=\d)\d\d[ .-])"
            rf"\d{{3}}[ .-]\d{{4}}{_EXTENSION}(?!\w)",
            gate=_LONG_NUMBER,
        ),
        rule(
            "PHONE",
            0.85,
            r"[(0](?<![\w.+-].)(?:(?<=0)|0)\d{1,5}\)?(?:[ ./-]{1,2}\d{2,8}){1,5}(?!\w)",
            _telephone(8, 13),
            gate=_LONG_NUMBER,
        ),
        rule("PHONE", 0.85, r"0(?<![\w+.]0)\d{8,11}(?!\w)", gate=_LONG_NUMBER),
        rule(
            "PHONE",
            0.6,
            r"[\d(](?<![\w.,$€£+-].)(?:(?<=\()\d)?\d{1,4}\)?(?:[ .-]\d{2,5}){2,5}(?![\w%-]|[.,]\d)",
            _telephone(8, 13),
            gate=_LONG_NUMBER,
        ),
        rule("PHONE", 0.6, r"\d(?<![\w.,$€£+/-]\d)\d\d[ -]\d{4}(?![\w%-]|[.,]\d)", gate=_LONG_NUMBER),
        *personal_places.ROWS,
    )
)

_IBAN = re.compile(r"[a-zA-Z](?<!\w.)[a-zA-Z]\d\d(?:[ -]?[a-zA-Z0-9]{4}){2,7}(?:[ -]?[a-zA-Z0-9]{1,4})?(?![a-zA-Z0-9])")

# What stands behind the @ of an e-mail address; what stands before is looked for backwards, over these.
_DOMAIN = re.compile(r"@(?:\w(?:[\w-]{0,61}\w)?\.){1,5}[^\W\d_][\w-]{1,62}")
_LOCAL = frozenset(".!#$%&'*+/=?^_`{|}~-")


def find(text: str) -> list[Span]:
    """Every hit of every rule in ``text``, unordered and overlapping; the detector resolves them."""
    return [*_emails(text), *_ibans(text), *RULES.find(text)]


def _emails(text: str) -> Iterator[Span]:
    """Addresses, whatever letters are glued to them."""
    free = 0
    for match in _DOMAIN.finditer(text):
        start = match.start()
        while start > free and (text[start - 1].isalnum() or text[start - 1] in _LOCAL):
            start -= 1
        while start < match.start() and not (text[start].isalnum() or text[start] == "_"):
            start += 1
        if start < match.start():
            yield Span(start, match.end(), "EMAIL", 1.0)
        free = match.end()


def _ibans(text: str) -> Iterator[Span]:
    """Account numbers whose check digits hold, after giving back trailing words that are not part of them."""
    for match in _IBAN.finditer(text):
        end = match.end()
        while end - match.start() >= _IBAN_LENGTHS.start and not passes_mod97(text[match.start() : end]):
            end = max(text.rfind(" ", match.start(), end), text.rfind("-", match.start(), end))
        if end - match.start() >= _IBAN_LENGTHS.start:
            yield Span(match.start(), end, "IBAN", 1.0)
