"""Personal data that its own form or a checksum gives away.

:func:`find` runs a table of patterns over a text, each the *form* of something: an e-mail address, a card
number that passes Luhn's check, a street with its house number, an identifier with its prefix. What only a
preceding word gives away is in :mod:`assay.privacy.personal_labels`; names are in :mod:`assay.privacy.personal_cues`.

Scores say how far to trust a hit on its own: from :data:`STRICT` on, fully.
Every repetition is bounded or runs over a class that its successor cannot start with, so the time is
linear in the text but for a small factor; nothing here can time out, hence nothing is skipped.

Sources: Luhn's check (ISO/IEC 7812-1, annex B), IBAN mod-97 (ISO 13616-1, ISO 7064), SSN ranges never
issued (SSA, 2011 randomisation), IPv6 text form (RFC 4291) by :mod:`ipaddress`.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator

from assay.privacy.patterns import Rule, Span

VERSION = 1

STRICT = 0.85
"""From this score on, a hit counts even where nothing else in the record supports it."""


_ANY_CASE = re.IGNORECASE
_CARD = range(12, 20)
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


def _telephone(least: int, most: int) -> Callable[[str], bool]:
    """A check on the count of digits (E.164 allows 15) that also refuses dates and address ranges."""
    return lambda text: least <= len(digits(text)) <= most and not _LIKE_DATE.fullmatch(text.strip())


def _rule(kind: str, score: float, form: str, check: Callable[[str], bool] = bool, *, flags: int = _ANY_CASE) -> Rule:
    return Rule(kind, score, re.compile(form, flags), check)


_LIKE_DATE = re.compile(r"(?:\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)?\d\d|(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2})")

_STREET = (
    r"street|st|avenue|ave|av|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|"
    r"way|place|pl|terrace|square|sq|parkway|"
    r"pkwy|highway|hwy|close|crescent|cres|grove|gardens|row|mews|circle|cir|trail|"
    r"trl|alley|loop|plaza|walk|hill|quay|"
    r"turnpike|pike|route|bypass|esplanade|parade|gate|rise|view|ridge|run|point|crossing"
)
_STATE = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|"
    r"W[AIVY]|A[AEP]"
)
_UNIT = (
    r"(?:apartment|apt|unit|suite|ste|flat|room|floor|building|bldg|lot|box|no|#)"
    r"\.?[ ]?#?[ ]?[a-z]?\d{1,5}[a-z]?\b"
)
_CAP = r"(?-i:[^\W\d_a-zß-öø-ÿ])[^\W\d_]{1,30}"  # a word that does not start in lower case

# The local part, then labels; every class excludes the first character of what must follow it.
_EMAIL = (
    r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@"
    r"(?:[\w](?:[\w-]{0,61}[\w])?\.){1,5}[a-z][a-z0-9-]{1,23}(?![\w@])"
)

RULES: tuple[Rule, ...] = (
    _rule("EMAIL", 1.0, _EMAIL),
    # "jane at example dot com" as dictated
    _rule(
        "EMAIL",
        0.9,
        r"\b[\w.+-]{2,40} ?[(\[]?\bat\b[)\]]? ?\w[\w-]{1,40} ?[(\[]?\bdot\b[)\]]? ?"
        r"(?:com|org|net|edu|io|co)\b",
    ),
    _rule("URL", 1.0, r"\b(?:https?|ftp)://[^\s<>\"'\]\[{}]{3,2000}(?<![.,;:!?)])"),
    _rule(
        "URL",
        0.9,
        r"(?<![\w@.-])www\.[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?:/[^\s<>\"'\]\[{}]{0,500})?"
        r"(?<![.,;:!?)])",
    ),
    # a bare domain: only under endings that are not also file names or sentence ends
    _rule(
        "URL",
        0.6,
        r"(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,3}(?:com|org|net|edu|gov|io|info|biz|"
        r"co\.uk|de|fr|eu|app|dev)\b(?:/[^\s<>\"']{0,500})?(?![\w@])(?<![.,;:!?)])",
    ),
    # separators are single, so digits of two numbers in a list do not fuse; Luhn decides
    _rule("CREDIT_CARD", 1.0, r"(?<![\w.])\d(?:[ -]?\d){11,18}(?![\w])", passes_luhn),
    _rule("IP_ADDRESS", 1.0, r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", is_address),
    _rule(
        "IP_ADDRESS",
        1.0,
        r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{0,4}|(?:\d{1,3}\.){3}\d{1,3})"
        r"(?![\w:])",
        lambda t: t != "::" and is_address(t),
    ),
    _rule("SSN", 1.0, r"(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])"),
    # UK national insurance
    _rule("SSN", 0.9, r"\b[a-ceghj-prstw-z][a-ceghj-nprstw-z] ?\d\d ?\d\d ?\d\d ?[a-d]\b"),
    # credentials that carry their issuer's prefix
    _rule(
        "SECRET",
        1.0,
        r"\b(?:sk|pk|rk)[-_](?:proj-|live_|test_|ant-)?[\w-]{16,200}|\bgh[pousr]_\w{20,100}|"
        r"\bglpat-[\w-]{16,60}|\bxox[abprs]-[\w-]{10,100}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,50}|"
        r"\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{0,1000}|\bhf_\w{20,60}",
        flags=0,
    ),
    _rule(
        "SECRET",
        1.0,
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w\s+/=]{0,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----"
        r")?",
        flags=0,
    ),
    # shapes that are only ever identifiers: known prefixes, a hash, a letter-digit code, long runs of digits
    _rule(
        "ORDER_ID",
        0.9,
        r"\b(?:ord|order|inv|invoice|po|rma|tkt|ticket|ref|case|cs|bk|trk|shp|txn|ret|"
        r"so|sub|pay)[-_#]{1,2}[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,3}\b",
        _numbered(2),
    ),
    _rule(
        "ACCOUNT_ID",
        0.9,
        r"\b(?:cust|customer|acc|acct|account|usr|user|mem|cid|uid)[-_#]{1,2}[a-z0-9]{2,20}"
        r"(?:-[a-z0-9]{1,20}){0,3}\b",
        _numbered(2),
    ),
    _rule("ORDER_ID", 0.85, r"(?<!\w)[#№][ ]?(?P<value>[a-z0-9-]{3,24})(?!\w)", _numbered(3)),
    _rule("ORDER_ID", 0.85, r"(?<![\w-])[A-Z]{1,5}-?\d{5,14}(?:-[A-Z0-9]{1,10})?(?![\w-])", flags=0),
    _rule(
        "ORDER_ID",
        0.85,
        r"(?<![\w-])[A-Z]{2,5}-\d{2,5}-[A-Z0-9]{2,10}(?:-[A-Z0-9]{1,10})?(?![\w-])|"
        r"(?<![\w-])\d{3}-\d{7}-\d{7}(?!\w)",
        flags=0,
    ),
    _rule("ACCOUNT_ID", 0.85, r"(?<![\w.,$€£/-])\d{7,24}(?![\w%/]|[.,]\d)"),
    _rule("ACCOUNT_ID", 0.85, r"(?<!\w)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w)"),
    # letters and digits mixed twice over, as in licence or reservation codes
    _rule(
        "ACCOUNT_ID",
        0.6,
        r"(?<![\w-])(?=[A-Z0-9]{0,11}\d[A-Z0-9]{0,10}[A-Z])(?=[A-Z0-9]{0,11}[A-Z][A-Z0-9]{0,10}\d)[A-Z0-9]"
        r"{7,20}(?![\w-])",
        _numbered(3),
        flags=0,
    ),
    _rule("CREDIT_CARD", 0.9, r"(?<!\w)[x*•]{2,4}(?:[ -]?[x*•]{4}){0,3}[ -]?(?P<value>\d{3,4})(?!\w)"),
    # -- telephones ----------------------------------------------------------------------------------------------
    _rule(
        "PHONE",
        0.9,
        r"(?<![\w+])(?:\+|00)[ ]?\(?\d{1,3}\)?(?:[ ./-]{0,2}\(?\d{1,5}\)?){1,7}(?: ?"
        r"(?:x|ext\.?|extension) ?\d{1,6})?(?!\w)",
        _telephone(7, 21),
    ),
    _rule(
        "PHONE",
        0.9,
        r"(?<![\w.-])(?:1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}(?: {0,2}"
        r"(?:x|ext\.?|extension) ?\d{1,6})?(?!\w)",
    ),
    _rule("PHONE", 0.85, r"(?<![\w.+-])\(?0\d{1,5}\)?(?:[ ./-]{1,2}\d{2,8}){1,5}(?!\w)", _telephone(8, 13)),
    _rule("PHONE", 0.85, r"(?<![\w+.])0\d{8,11}(?!\w)"),
    _rule("PHONE", 0.6, r"(?<![\w.,$€£+-])\(?\d{2,5}\)?(?:[ .-]\d{2,5}){2,5}(?![\w%-]|[.,]\d)", _telephone(8, 13)),
    _rule("PHONE", 0.6, r"(?<![\w.,$€£+/-])\d{3}[ -]\d{4}(?![\w%-]|[.,]\d)"),
    # -- addresses -----------------------------------------------------------------------------------------------
    # house number, up to five words that are not those of a sentence, a kind of street
    _rule(
        "ADDRESS",
        0.9,
        rf"(?<![\w.$€£#-])\d{{1,6}}(?:[-/]\d{{1,4}})?[a-z]?,?[ ](?:(?!(?:of|the|in|on|"
        r"to|my|and|for|is|was|days?|hours?|minutes?|times?|weeks?|months?|years?|items?|"
        rf"per|off|at|from|by|or|i)\b)[^\W_][\w.'\u2019-]{{0,25}}[ ]){{1,5}}(?:{_STREET})\b\.?"
        rf"(?:[ ](?:[nsew]|ne|nw|se|sw|north|south|east|west)\b)?(?:,?[ ]{_UNIT})?",
    ),
    # where the kind of street is part of its name
    _rule(
        "ADDRESS",
        0.9,
        r"\b(?:(?-i:[A-ZÀ-Þ])[\w.'\u2019-]{1,25}[ ]){0,2}[^\W\d_][\w'\u2019-]{1,25}(?:stra"
        r"(?:ß|ss)e|str\.|gasse|platz|allee|weg|straat|laan|gracht|gatan|v[äe]gen|gata|"
        r"vej|gade|katu|tie|utca)[ ]\d{1,4}(?:[ ]?[a-hj-z])?\b",
    ),
    _rule(
        "ADDRESS",
        0.9,
        rf"(?:\b\d{{1,4}}(?: ?(?:bis|ter))?,?[ ])?\b(?:rue|avenue|boulevard|chemin|impasse|"
        r"via|viale|corso|piazza|calle|avenida|paseo|rua|travessa|ul\.|ulica)[ ](?:"
        rf"(?:de|del|de la|des|du|da|do|della|di|la|le|les|los)[ ]|[dl]['\u2019])?{_CAP}"
        rf"(?:[ -]{_CAP}){{0,3}}(?:,?[ ]\d{{1,4}}[a-z]?\b)?",
        lambda t: any(w[:1].isupper() for w in re.split(r"[ '\u2019]", t)[1:]),
    ),
    _rule("ADDRESS", 0.9, r"\bp\.? ?o\.? ?box[ ]?#?\d{1,7}\b"),
    # military post
    _rule(
        "ADDRESS",
        0.9,
        r"\b(?:psc|cmr|unit|us[a-z]{1,3})[ ][\w ]{1,30}[\s,]{1,3}(?:[adf]po)[ ]a[aep][ ]\d{5}"
        r"(?:-\d{4})?\b",
    ),
    _rule("ADDRESS", 0.85, r"\b(?:apartment|apt\.?|suite|ste\.?|flat)[ ]?#?[ ]?(?:\d{1,5}[a-z]?|[a-z]\d{1,4})\b"),
    # postcodes: US and Australia with the state; United Kingdom, Canada; before a town; Netherlands
    _rule(
        "ADDRESS",
        0.9,
        rf"(?:\b{_CAP}(?:[ ]{_CAP}){{0,2}},[ ]?)?\b(?:{_STATE}),?[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?"
        r"(?!\w)",
        flags=0,
    ),
    _rule("ADDRESS", 0.9, rf"(?:\b{_CAP}[ ]){{0,3}}(?:NSW|VIC|QLD|SA|WA|TAS|NT|ACT)[ ]\d{{4}}(?!\w)", flags=0),
    _rule("ADDRESS", 0.9, r"(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]?[ ]\d[A-Z]{2}|[A-Z]\d[A-Z][ ]\d[A-Z]\d)(?!\w)", flags=0),
    _rule(
        "ADDRESS",
        0.8,
        rf"(?:(?<=[,\n])[ ]?|\b[A-Z]{{1,2}}-)(?P<value>(?:\d{{4}} ?[A-Z]{{2}}|\d{{5}}|"
        rf"\d{{3}} \d{{2}}|\d{{2}}-\d{{3}}|\d{{4}}) {_CAP}(?:[ -]{_CAP}){{0,2}})(?!\w)",
        flags=0,
    ),
    _rule("ADDRESS", 0.7, r"(?<!\w)\d{4} [A-Z]{2}(?!\w)|(?<!\w)\d{5}-\d{4}(?!\w)", flags=0),
)

_IBAN = re.compile(r"(?<!\w)[a-z]{2}\d\d(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,4})?(?!\w)", re.IGNORECASE)


def find(text: str) -> list[Span]:
    """Every hit of every rule in ``text``, unordered and overlapping; :mod:`assay.privacy.detection` resolves them."""
    return [*_ibans(text), *(span for rule in RULES for span in _hits(rule, text))]


def _hits(rule: Rule, text: str) -> Iterator[Span]:
    group = "value" if "value" in rule.pattern.groupindex else 0
    for match in rule.pattern.finditer(text):
        if rule.check(match[group]):
            yield Span(match.start(group), match.end(group), rule.type, rule.score)


def _ibans(text: str) -> Iterator[Span]:
    """Account numbers whose check digits hold, after giving back trailing words that are not part of them."""
    for match in _IBAN.finditer(text):
        end = match.end()
        while end - match.start() >= _IBAN_LENGTHS.start and not passes_mod97(text[match.start() : end]):
            end = max(text.rfind(" ", match.start(), end), text.rfind("-", match.start(), end))
        if end - match.start() >= _IBAN_LENGTHS.start:
            yield Span(match.start(), end, "IBAN", 1.0)
