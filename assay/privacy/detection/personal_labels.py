"""Personal data that the word before it gives away: "order number …", "call me at …", "born on …".

A label, what may stand between it and its value ("is", ":", "#"), and a value of plausible shape. User names and
secrets have labels too; their rules are in :mod:`assay.privacy.detection.personal_credentials`, and are tried here.

Identifiers of what was bought (orders, tickets, claims, payments) are ORDER_ID; those of who bought it
(accounts, customers, policies, passports, licences) are ACCOUNT_ID.
"""

import re
from collections.abc import Callable

from assay.privacy.detection import personal_credentials
from assay.privacy.detection.personal_anchors import Table, rule
from assay.privacy.patterns import Span

VERSION = 3

_AMOUNT = re.compile(r"\d{1,6}\.\d\d")
_BIRTH_YEARS = range(1915, 2011)


_SHORT_WORDS = frozenset("a an and are as at by for from in is it my no not of on or so the to was were with".split())  # noqa: SIM905


def _digits(text: str) -> int:
    """How many decimal digits there are."""
    return sum(map(str.isdecimal, text))


def _numbered(least: int, length: int = 1) -> Callable[[str], bool]:
    """At least so many digits, and so many characters: an identifier rather than the sentence going on."""
    return lambda text: _digits(text) >= least and len(text) >= length and not _AMOUNT.fullmatch(text)


def _birthday(text: str) -> bool:
    """A date whose year lies in 1915 … 2010; later ones are those of orders and appointments."""
    return any(int(year) in _BIRTH_YEARS for year in re.findall(r"\d{4}", text))


def _reference(text: str) -> bool:
    """Letters and groups of digits; not the end of a sentence and a count ("order of 100 200")."""
    return text.split(maxsplit=1)[0].lower() not in _SHORT_WORDS


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE_OF_DIGITS = (  # 3/12/1985, 1985-12-03, 3rd of December 1985
    r"(?:\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH},?[ -]\d{{2,4}})"
)
_DATE_OF_MONTH = rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}}"  # December 3, 1985
_DATE = rf"(?:{_DATE_OF_DIGITS}|{_DATE_OF_MONTH})"
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"

# What may stand between a label and its value: "order number is: #", "account no. - ", "pin (".
_NUMBER = r"(?:[ _-]?(?:number|num|nr|no|code|id|ref(?:erence)?|#)\b\.?|[ ]?[#№]){0,2}"
_IS = r"(?:[ ]?[:=#№-]{1,2}[ ]?|,?[ ](?:is|was|are|as|of|ending(?: in| with)?|being)[ :]{1,2}|[ ])"
_OPEN = r"[#№'\"(\[]{0,2}"
_CODE = r"(?P<value>[a-z0-9](?:[a-z0-9]|[-_./](?=[a-z0-9])){2,39})"


_ORDER = (
    "order purchase booking reservation confirmation tracking invoice bill receipt ticket case claim return rma "
    "shipment delivery parcel package transaction payment refund reference ref po complaint incident"
)
_ACCOUNT = (
    "account acct a/c customer client user member membership policy loyalty contract subscriber subscription passport "
    "licence license permit routing sort bank tax vat employee student patient insurance card serial meter device imei"
)
_ORDERS, _ACCOUNTS = _ORDER.replace(" ", "|"), _ACCOUNT.replace(" ", "|")
_NUMBERED = r"(?:[ _-]?(?:number|nr|no|id|code)\b\.?|[ ]?[#№])"
_DATED = rf"(?P<value>{_DATE_OF_DIGITS}(?!\w)|{_DATE_OF_MONTH}(?!\w))"
# "ac 1234 5678": a code in groups, where a label says that it is one
_GROUPED = r"(?P<value>[a-z]{1,4}[ ]\d{3,6}(?:[ ]\d{3,6}){1,4})(?![\w-])"
RULES = Table(
    (
        *personal_credentials.ROWS,
        # -- labels: identifiers ---------------------------------------------------------------------------------
        rule("ORDER_ID", 0.95, rf"\b(?:{_ORDERS})s?{_NUMBER}{_IS}{_OPEN}{_CODE}", _numbered(2, 4), at=_ORDER),
        rule(
            "ACCOUNT_ID",
            0.95,
            rf"\b(?:{_ACCOUNTS})s?(?:[ _-]holder)?{_NUMBER}{_IS}{_OPEN}{_CODE}",
            _numbered(3, 4),
            at=_ACCOUNT,
        ),
        rule("ORDER_ID", 0.95, rf"\b(?:{_ORDERS}){_NUMBERED}{_IS}?{_OPEN}{_CODE}", _numbered(1), at=_ORDER),
        rule("ACCOUNT_ID", 0.95, rf"\b(?:{_ACCOUNTS}){_NUMBERED}{_IS}?{_OPEN}{_CODE}", _numbered(1, 3), at=_ACCOUNT),
        rule("ORDER_ID", 0.95, rf"\b(?:{_ORDERS})s?{_NUMBER}{_IS}{_OPEN}{_GROUPED}", _reference, at=_ORDER),
        rule("ACCOUNT_ID", 0.95, rf"\b(?:{_ACCOUNTS})s?{_NUMBER}{_IS}{_OPEN}{_GROUPED}", _reference, at=_ACCOUNT),
        # "id" alone says that a value is an identifier, not of what: less than the value's own form may say
        rule("ACCOUNT_ID", 0.85, rf"\bids?{_NUMBER}{_IS}{_OPEN}{_CODE}", _numbered(3, 4), at="id"),
        rule(
            "ACCOUNT_ID",
            0.85,
            rf"\bid(?:[ _-]?(?:number|nr|no|code)\b\.?|[ ]?[#№]){_IS}?{_OPEN}{_CODE}",
            _numbered(1, 3),
            at="id",
        ),
        rule(
            "ACCOUNT_ID",
            0.85,
            r"\baccount(?: (?:number|id))(?: is|:| =)\s?['\"]?(?P<value>[a-z]{6,16})\b",
            lambda t: t.lower() not in personal_credentials.NO_VALUES and not t.lower().endswith("ly"),
            at="account",
        ),
        rule(
            "CREDIT_CARD",
            0.95,
            r"\b(?:card|visa|mastercard|amex|debit|credit)(?: number| no\.?)?(?: is| was|"
            r":|,)?(?: the one)?(?: that)? ?(?:ending|ends|last (?:four|4)(?: digits)?)"
            r"(?: with| in| is| are|:)? {0,2}(?P<value>\d{3,6})\b",
            at="card visa mastercard amex debit credit",
        ),
        rule(
            "CREDIT_CARD",
            0.95,
            r"\bcard(?: number| no\.?|#)?(?: is|:|,)? {0,2}(?P<value>\d(?:[ -]?\d){11,18})(?!\w)",
            at="card",
        ),
        rule(
            "SSN",
            0.95,
            r"\b(?:ssn|sin|social(?: security)?(?: number| no\.?)?|last (?:four|4)(?: digits)? of "
            rf"(?:my |the )?(?:ssn|social(?: security)?(?: number)?)){_IS}(?:is |number )?"
            rf"(?P<value>\d(?:[ -]?\d){{3,8}})\b",
            at="ssn sin social last",
        ),
        rule(
            "IBAN",
            0.95,
            r"\biban(?: number| no\.?)?(?: is|:|,)? {0,2}(?P<value>[a-z]{2}\d\d(?: ?[a-z0-9]{4}){2,7}"
            r"(?: ?[a-z0-9]{1,3})?)\b",
            _numbered(2),
            at="iban",
        ),
        # -- labels: people's own words --------------------------------------------------------------------------
        rule(
            "DATE_OF_BIRTH",
            0.95,
            rf"\b(?:d\.?o\.?b\.?|(?:date of birth|birth[ _]?date|birthday|born)\b)(?:\W{{1,3}}|"
            rf"[ ](?:is|was|on|in|the|as|of)\b){{0,4}} ?{_DATED}",
            at="dob d.o do. date birth born",
        ),
        rule(
            "DATE_OF_BIRTH",
            0.9,
            rf"(?<!\w)(?P<value>{_DATE})(?= ?,? (?:is|was|as) (?:my|his|her|their|the) "
            r"(?:d\.?o\.?b|date of birth|birth))",
            gate=r"(?:is|was|as|IS|WAS|AS) (?:my|his|her|their|the|MY|HIS|HER|THEIR|THE) [dDbB]",
        ),
        # any full date in the years in which customers are born: far more often a birthday than an errand
        rule(
            "DATE_OF_BIRTH", 0.6, rf"(?P<value>(?=\d)(?<![\w./-]){_DATE_OF_DIGITS})(?![\w/-])", _birthday, gate=r"\d{4}"
        ),
        rule("DATE_OF_BIRTH", 0.6, rf"(?<![\w./-])(?P<value>{_DATE_OF_MONTH})(?![\w/-])", _birthday, at=_MONTHS),
        rule(
            "PHONE",
            0.95,
            r"\b(?:phone|tel|telephone|mobile|cell(?:phone)?|fax|landline|whatsapp|(?:call|"
            r"text|reach|ring|contact) (?:me|us|him|her|them)(?: back)?|callback)(?: ?(?:number|"
            r"no\.?|#))?(?: (?:is|on|at|via|was)| ?[:=.-]){0,2} {0,2}(?P<value>\+?\(?\d"
            r"(?:[ ()./-]{0,2}\d){5,14})(?!\w)",
            _numbered(6),
            at="phone tel mobile cell fax landline whatsapp call text reach ring contact",
        ),
        rule(
            "ADDRESS",
            0.9,
            r"\b(?:zip|postal|post)[ _-]?(?:code)?(?: number)?(?:[ ]?[:=][ ]?| (?:is|was|"
            r"of)[ :] ?| )(?P<value>(?=[a-z -]{0,4}\d)[a-z0-9]{2,5}(?:[ -][a-z0-9]{2,4})?)\b",
            _numbered(2),
            at="zip postal post",
        ),
    )
)


def find(text: str) -> list[Span]:
    """Every hit of every rule in ``text``, unordered and overlapping; the detector resolves them."""
    return list(RULES.find(text))
