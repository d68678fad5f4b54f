"""Personal data that the word before it gives away: "order number …", "my password is …", "born on …".

A label, what may stand between it and its value ("is", ":", "#"), and a value of plausible shape. Where the
value could also be the sentence going on ("my password is wrong"), its form decides: digits, an inner mark
or a mixed case make it a value.

Identifiers of what was bought (orders, tickets, claims, payments) are ORDER_ID; those of who bought it
(accounts, customers, policies, passports, licences) are ACCOUNT_ID.
"""

import re
from collections.abc import Callable, Iterator

from assay.privacy.patterns import Rule, Span

VERSION = 2


_AMOUNT = re.compile(r"\d{1,6}\.\d\d")
_BIRTH_YEARS = range(1915, 2011)


_NOT_NAMES = frozenset(
    """
    wrong correct incorrect not now still being and for the has have had was were will would please that this
    expired invalid required needed locked blocked missing unknown none null true false yes reset changed already
    number closed open active suspended overdue linked empty hacked compromised something always never what working
    showing gone different same also just only here there but with from name names password username
    """.split()  # noqa: SIM905
)
"""Words after "is" that go on with the sentence instead of giving a value."""


def _digits(text: str) -> int:
    """How many decimal digits there are."""
    return sum(map(str.isdecimal, text))


def _secret(text: str) -> bool:
    """A word after "password is": a secret unless it reads like the sentence going on ("wrong", "still not")."""
    return not (text.isalpha() and (text.islower() or text.istitle()))


def _numbered(least: int, length: int = 1) -> Callable[[str], bool]:
    """At least so many digits, and so many characters: an identifier rather than the sentence going on."""
    return lambda text: _digits(text) >= least and len(text) >= length and not _AMOUNT.fullmatch(text)


def _birthday(text: str) -> bool:
    """A date whose year lies in 1915 … 2010; later ones are those of orders and appointments."""
    return any(int(year) in _BIRTH_YEARS for year in re.findall(r"\d{4}", text))


def _handle(text: str) -> bool:
    """A user name after "is": with a digit, an inner mark or inner capital, or else not a common word."""
    return not text.isalpha() or text.lower() not in _NOT_NAMES


def _rule(
    kind: str, score: float, pattern: str, check: Callable[[str], bool] = bool, *, flags: int = re.IGNORECASE
) -> Rule:
    return Rule(kind, score, re.compile(pattern, flags), check)


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = (
    r"(?:\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}"  # 3/12/1985, 1985-12-03
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH},?[ -]\d{{2,4}}"  # 3rd of December 1985
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}})"  # December 3, 1985
)

# What may stand between a label and its value: "order number is: #", "account no. - ", "pin (".
_NUMBER = r"(?:[ _-]?(?:number|num|nr|no|code|id|ref(?:erence)?|#)\b\.?|[ ]?[#№]){0,2}"
_IS = r"(?:[ ]?[:=#№-]{1,2}[ ]?|,?[ ](?:is|was|are|as|of|ending(?: in| with)?|being)[ :]{1,2}|[ ])"
_OPEN = r"[#№'\"(\[]{0,2}"
_CODE = r"(?P<value>[a-z0-9](?:[a-z0-9]|[-_./](?=[a-z0-9])){2,39})"

_ORDER = (
    r"order|purchase|booking|reservation|confirmation|tracking|invoice|bill|receipt|ticket|case|claim|return|rma|"
    r"shipment|delivery|parcel|package|transaction|payment|refund|reference|ref|po|complaint|incident"
)
_ACCOUNT = (
    r"account|acct|a/c|customer|client|user|member(?:ship)?|policy|loyalty|contract|subscri(?:ber|ption)|passport|"
    r"licen[cs]e|permit|routing|sort|bank|tax|vat|employee|student|patient|insurance|card|serial|meter|device|imei"
)

RULES: tuple[Rule, ...] = (
    # -- labels: identifiers -------------------------------------------------------------------------------------
    _rule("ORDER_ID", 0.95, rf"\b(?:{_ORDER})s?{_NUMBER}{_IS}{_OPEN}{_CODE}", _numbered(2, 4)),
    _rule(
        "ACCOUNT_ID",
        0.95,
        rf"\b(?:{_ACCOUNT})s?(?:[ _-]holder)?{_NUMBER}{_IS}{_OPEN}{_CODE}",
        _numbered(3, 4),
    ),
    _rule(
        "ORDER_ID",
        0.95,
        rf"\b(?:{_ORDER})(?:[ _-]?(?:number|nr|no|id|code)\b\.?|[ ]?[#№]){_IS}?{_OPEN}{_CODE}",
        _numbered(1),
    ),
    _rule(
        "ACCOUNT_ID",
        0.95,
        rf"\b(?:{_ACCOUNT})(?:[ _-]?(?:number|nr|no|id|code)\b\.?|[ ]?[#№]){_IS}?{_OPEN}{_CODE}",
        _numbered(1, 3),
    ),
    # "id" alone says that a value is an identifier, not of what: less than the value's own form may say
    _rule("ACCOUNT_ID", 0.85, rf"\bids?{_NUMBER}{_IS}{_OPEN}{_CODE}", _numbered(3, 4)),
    _rule(
        "ACCOUNT_ID", 0.85, rf"\bid(?:[ _-]?(?:number|nr|no|code)\b\.?|[ ]?[#№]){_IS}?{_OPEN}{_CODE}", _numbered(1, 3)
    ),
    _rule(
        "ACCOUNT_ID",
        0.85,
        r"\baccount(?: (?:number|id))(?: is|:| =)\s?['\"]?(?P<value>[a-z]{6,16})\b",
        lambda t: t.lower() not in _NOT_NAMES,
    ),
    _rule(
        "CREDIT_CARD",
        0.95,
        r"\b(?:card|visa|mastercard|amex|debit|credit)(?: number| no\.?)?(?: is| was|"
        r":|,)?(?: the one)?(?: that)? ?(?:ending|ends|last (?:four|4)(?: digits)?)"
        r"(?: with| in| is| are|:)? {0,2}(?P<value>\d{3,6})\b",
    ),
    _rule("CREDIT_CARD", 0.95, r"\bcard(?: number| no\.?|#)?(?: is|:|,)? {0,2}(?P<value>\d(?:[ -]?\d){11,18})(?!\w)"),
    _rule(
        "SSN",
        0.95,
        r"\b(?:ssn|sin|social(?: security)?(?: number| no\.?)?|last (?:four|4)(?: digits)? of "
        rf"(?:my |the )?(?:ssn|social(?: security)?(?: number)?)){_IS}(?:is |number )?"
        rf"(?P<value>\d(?:[ -]?\d){{3,8}})\b",
    ),
    _rule(
        "IBAN",
        0.95,
        r"\biban(?: number| no\.?)?(?: is|:|,)? {0,2}(?P<value>[a-z]{2}\d\d(?: ?[a-z0-9]{4}){2,7}"
        r"(?: ?[a-z0-9]{1,3})?)\b",
        _numbered(2),
    ),
    # -- labels: people's own words ------------------------------------------------------------------------------
    _rule(
        "DATE_OF_BIRTH",
        0.95,
        rf"\b(?:d\.?o\.?b\.?|(?:date of birth|birth[ _]?date|birthday|born)\b)(?:\W{{1,3}}|"
        rf"[ ](?:is|was|on|in|the|as|of)\b){{0,4}} ?(?P<value>{_DATE})(?!\w)",
    ),
    _rule(
        "DATE_OF_BIRTH",
        0.9,
        rf"(?<!\w)(?P<value>{_DATE})(?= ?,? (?:is|was|as) (?:my|his|her|their|the) (?:d\.?o\.?b|"
        r"date of birth|birth))",
    ),
    # any full date in the years in which customers are born: far more often a birthday than an errand
    _rule("DATE_OF_BIRTH", 0.6, rf"(?<![\w./-])(?P<value>{_DATE})(?![\w/-])", _birthday),
    _rule(
        "USERNAME",
        0.9,
        r"\b(?:sign(?:ed)?|log(?:ged)?|register(?:ed)?)(?: (?:up|in|on))? (?:as|with|under) "
        r"['\"]?(?P<value>[a-z](?:[\w-]|\.(?=\w)){2,39})",
        _numbered(1),
    ),
    # five letters and three digits in one lower-case word: a handle, not a product
    _rule("USERNAME", 0.6, r"(?<![\w.@/-])(?P<value>[a-z]{5,24}(?:[._-][a-z]{1,20})?\d{3,6})(?![\w@-])", flags=0),
    _rule(
        "USERNAME",
        0.95,
        r"\b(?:user[ _-]?name|login(?:[ _-]?(?:name|id))?|user[ _-]?id|screen[ _]?name|"
        r"handle|nickname|skype|telegram|instagram|twitter)(?: (?:on|for|at|in) [a-z ]{2,20}?)?"
        r"(?:[ ]?[:=][ ]?| (?:is|was|"
        r"as)[ :] ?)['\"@]{0,2}(?P<value>[\w@](?:[\w+-]|[.@](?=\w)){1,39})",
        _handle,
    ),
    _rule(
        "USERNAME",
        0.9,
        r"\b(?:user[ _-]?name|login|user|handle) ['\"@]{0,2}(?P<value>(?=[a-z._-]{0,30}\d|"
        r"[a-z]{1,30}_)[a-z](?:[\w-]|\.(?=\w)){2,39})",
    ),
    _rule("USERNAME", 0.85, r"(?<![\w.@/])@(?P<value>[a-z_]\w{2,30})(?![\w@]|\.\w)"),
    _rule(
        "SECRET",
        0.95,
        r"\b(?:pass[ _-]?(?:word|code|phrase)|passwd|pwd|pin(?: ?(?:code|number))?|"
        r"otp|cvv2?|cvc|(?:security|verification|access|one[- ]time|activation|login|"
        r"sms) (?:code|password|pin|answer)|api[ _-]?(?:key|token|secret)|(?:access|"
        r"auth|bearer|secret)[ _-]?(?:key|token)|secret|token|client[ _]secret)(?:[ ]?[:=][ ]?|"
        r" (?:is|was|to|as)[ :] ?| (?=['\"]))['\"]?(?P<value>[^\s'\",;<>]{3,200}(?<![.,?)]))",
        _secret,
    ),
    _rule(
        "SECRET",
        0.95,
        r"\b(?:pass[ _-]?(?:word|code|phrase)|pwd)[ ]?[:=] ?['\"]?(?P<value>[^\s'\"<>]{3,100})",
        lambda t: t.lower().strip(".,!?") not in _NOT_NAMES,
    ),
    _rule(
        "SECRET",
        0.95,
        r"\b(?:pin|otp|cvv2?|cvc|(?:pass|security|verification|access|activation|one[- ]time|"
        r"sms)[ -]?code|code)(?: ?(?:code|number|no\.?))?(?:[ ]?[:=#-][ ]?| (?:is|was)[ :] ?|"
        r" )(?P<value>\d{3,8})(?!\w)",
    ),
    # "the code I got by text was 123456", "the secret word on my file is …": words may come between
    _rule(
        "SECRET",
        0.9,
        r"\b(?:code|pin|password|passcode|otp)\b[^.!?\n:]{1,40}[ ](?:is|was)[ :]{1,2}"
        r"(?P<value>\d{4,8})(?![\w,]|\.\d)",
    ),
    _rule(
        "SECRET",
        0.9,
        r"\b(?:secret|security|memorable|pass|code)[ -]?(?:word|answer|phrase|question)\b[^.!?\n:]{0,40}?"
        r"(?:[ ](?:is|was)|:)"
        r"[ :]{1,2}['\"]?(?P<value>[^\s'\",;<>]{3,100}(?<![.,?)]))",
        _secret,
    ),
    # six digits that end a statement: a one-time code, even if its label is misspelt
    _rule("SECRET", 0.6, r"\b(?:is|was|:)[ ](?P<value>\d{6})(?=[.!;]?[ ]*(?:$|\n|[A-Z]))(?!\.\d)"),
    _rule(
        "PHONE",
        0.95,
        r"\b(?:phone|tel|telephone|mobile|cell(?:phone)?|fax|landline|whatsapp|(?:call|"
        r"text|reach|ring|contact) (?:me|us|him|her|them)(?: back)?|callback)(?: ?(?:number|"
        r"no\.?|#))?(?: (?:is|on|at|via|was)| ?[:=.-]){0,2} {0,2}(?P<value>\+?\(?\d"
        r"(?:[ ()./-]{0,2}\d){5,14})(?!\w)",
        _numbered(6),
    ),
    _rule(
        "ADDRESS",
        0.9,
        r"\b(?:zip|postal|post)[ _-]?(?:code)?(?: number)?(?:[ ]?[:=][ ]?| (?:is|was|"
        r"of)[ :] ?| )(?P<value>(?=[a-z -]{0,4}\d)[a-z0-9]{2,5}(?:[ -][a-z0-9]{2,4})?)\b",
        _numbered(2),
    ),
)


def find(text: str) -> list[Span]:
    """Every hit of every rule in ``text``, unordered and overlapping; :mod:`assay.privacy.detection` resolves them."""
    return [span for rule in RULES for span in _hits(rule, text)]


def _hits(rule: Rule, text: str) -> Iterator[Span]:
    group = "value" if "value" in rule.pattern.groupindex else 0
    for match in rule.pattern.finditer(text):
        if rule.check(match[group]):
            yield Span(match.start(group), match.end(group), rule.type, rule.score)
