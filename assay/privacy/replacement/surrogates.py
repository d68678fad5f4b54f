"""Surrogates: in the place of a personal value an invented one of the same shape, the same in the whole corpus.

What a value becomes depends on the value and a key alone, never on its record, so shards and machines agree without
asking each other, and another spelling of the value becomes the same in another spelling: "ANNA KOWALSKA" the same
name in capitals, "AB 1234" the same number as "ab-1234". The key is derived from the deployment's key of values
(HMAC-SHA256, RFC 2104), so a surrogate and a fingerprint do not give each other away.

======================  ====================================================================================
PERSON, CITY, ADDRESS   word by word (:mod:`assay.privacy.replacement.syllables`), so that a first name alone is the
USERNAME                first name of the same person, and one who signs "anna.kowalska92" is so still; titles,
                        particles and kinds of street stay; an initial becomes some letter, a digit a digit
EMAIL, URL              the same words under ``.example``, which no one can register (RFC 2606, RFC 6761)
PHONE, IP_ADDRESS,      numbers from ranges that belong to nobody (:mod:`assay.privacy.replacement.reserved`)
CREDIT_CARD, IBAN,
SSN, DATE_OF_BIRTH
ORDER_ID, ACCOUNT_ID    letters for letters, digits for digits (module ``identifiers``), and so for
and every other type    types of recognisers of one's own
======================  ====================================================================================

A surrogate is told from a value: words and identifiers by what is computed into them under the key, so that something
real passes for one with a chance of 1 in 10,000 at most; numbers by their range, whose values are nobody's. Small
change around a word (initials, house numbers, kinds of street) belongs to it. So text with surrogates can be redacted
again and does not change. A value that has no such surrogate, since it is too short or of no known shape, gets none
(:meth:`Surrogates.invent` answers ``None``) and is masked.

What this does not hide: that two places speak of the same, and how often a name occurs. Where that is too much, mask.
"""

import hmac
import itertools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping

from assay.errors import RedactionError
from assay.privacy.replacement.fingerprints import KEY_BYTES, folded
from assay.privacy.replacement.identifiers import identifier
from assay.privacy.replacement.identifiers import spans as identifiers
from assay.privacy.replacement.reserved import FORMS, PATTERNS, digits, poured
from assay.privacy.replacement.reserved import spans as reserved
from assay.privacy.replacement.syllables import Keyed

VERSION = 1

ATTEMPTS = 8
"""Surrogates that are tried for a value before it is said to have none."""

NUMBERS = 6
"""Digits of the longest number that belongs to the word beside it, as that of a house does."""

WORDED = frozenset({"PERSON", "CITY", "ADDRESS", "USERNAME", "EMAIL", "URL"})
"""Types whose surrogates have words."""

_TITLES = "mr mrs ms miss dr prof sir madam herr frau jr sr jnr snr ii iii iv"
_PARTICLES = "von van der den de del della di da do dos du la le los las bin ibn al el ter y e und et and"
_STREETS = """
street st avenue ave av road rd lane ln drive dr boulevard blvd court ct way place pl terrace square sq parkway pkwy
highway hwy close crescent cres grove gardens row mews circle cir trail trl alley loop plaza walk hill quay route gate
apartment apt unit suite ste flat room floor building bldg lot box no nr po p o rue chemin impasse via viale corso
piazza calle avenida paseo rua travessa ul ulica straße strasse weg gasse platz allee straat laan north south east west
of the
"""
KEPT: Mapping[str, frozenset[str]] = {
    "PERSON": frozenset(f"{_TITLES} {_PARTICLES}".split()),
    "CITY": frozenset(_PARTICLES.split()),
    "ADDRESS": frozenset(f"{_STREETS} {_PARTICLES}".split()),
}
"""Words of a value that stay, by type."""

_BESIDE = frozenset("http https ftp www example at dot".split()).union(*KEPT.values())  # noqa: SIM905
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_IGNORED = re.compile(r"\s*[(\[]?\bat\b[)\]]?\s*", re.IGNORECASE)
_URL = re.compile(
    r"(?P<scheme>[a-z]{2,8}://)?(?P<www>www\.)?(?P<host>[^/?#\s]+)(?P<page>.*)", re.IGNORECASE | re.DOTALL
)
_LOCAL = re.compile(r"[^\w.+-]+")


class Surrogates:
    """Invents values of some types, and finds those that it has invented."""

    def __init__(self, key: bytes, kinds: Collection[str]) -> None:
        """Derive a key of their own.

        Raises:
            RedactionError: the key is shorter than :data:`KEY_BYTES`.
        """
        if len(key) < KEY_BYTES:
            raise RedactionError(
                f"the key of the surrogates has {len(key)} bytes, expected at least {KEY_BYTES}; make one with "
                "`secrets.token_hex(32)`"
            )
        self.kinds = frozenset(kinds)
        self._keyed = Keyed(hmac.digest(key, b"assay surrogates", "sha256"))
        self._known: dict[tuple[str, str], str | None] = {}
        self._coded = not self.kinds <= WORDED | (FORMS.keys() - {"SSN"}) or "USERNAME" in self.kinds
        self._forms: dict[str, Callable[[str, str], str | None]] = {
            "EMAIL": self._email,
            "URL": self._url,
            "USERNAME": self._username,
            "SSN": self._social_security,
        }

    def invent(self, value: str, kind: str) -> str | None:
        """What stands for ``value``, in its spelling; ``None`` if it has no surrogate and is to be masked."""
        if (value, kind) not in self._known:
            self._known[value, kind] = self._first(value, kind)
        return self._known[value, kind]

    def _first(self, value: str, kind: str) -> str | None:
        whole = unicodedata.normalize("NFC", value)
        for attempt in range(ATTEMPTS):
            candidate = self._invented(whole, kind, attempt)
            if candidate is None:
                return None
            if folded(candidate) != folded(value) and self.closes(candidate, 0, len(candidate)):
                return candidate
        return None

    def closes(self, text: str, start: int, end: int) -> bool:
        """Whether every letter and digit from ``start`` to ``end`` is seen as part of a surrogate."""
        closed = {place for first, last in self.spans(text) for place in range(first, last)}
        return all(place in closed or not text[place].isalnum() for place in range(start, end))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where surrogates stand in ``text``: ascending and disjoint."""
        return merged(self._places(text))

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        if self.kinds & WORDED and (words := self._keyed.words(text)):
            yield from _grown(text, words)
        for kind in sorted(self.kinds & PATTERNS.keys()):
            yield from reserved(self._keyed, kind, text)
        if self._coded:
            yield from identifiers(self._keyed, text)

    def _invented(self, value: str, kind: str, attempt: int) -> str | None:
        of = f"{folded(value)}/{attempt}"
        if kind in FORMS and not "".join(filter(str.isalnum, value)).isascii():
            return None
        if kind in self._forms:
            return self._forms[kind](value, of)
        if kind in FORMS:
            return FORMS[kind](self._keyed, value, of)
        return self._worded(value, kind, of) if kind in WORDED else identifier(self._keyed, value, of)

    def _worded(self, value: str, kind: str, of: str) -> str | None:
        """Each word another; ``None`` if there is none."""
        attempt = of.rpartition("/")[2]
        count = itertools.count()

        def fresh(match: re.Match[str]) -> str:
            old, place = match[0], next(count)
            if old.isdigit():
                return _number(self._keyed, old, place, of)
            if old.lower() in KEPT.get(kind, ()):
                return old
            if len(old) <= (2 if kind == "ADDRESS" else 1):
                return poured(old, "".join(_letter(self._keyed, old, n, attempt) for n in range(len(old))))
            return _cased(self._keyed.word(folded(old), attempt), old)

        bare = "".join(c for c in value if unicodedata.category(c) != "Mn")
        changed = _TOKEN.sub(fresh, bare)
        return changed if self._keyed.words(changed) else None

    def _email(self, value: str, of: str) -> str | None:
        local, at, domain = value.rpartition("@")
        if not at and not _IGNORED.search(value):
            return self._worded(value, "USERNAME", of)
        local = _LOCAL.sub("", local) or _IGNORED.split(value)[0]
        named = self._worded(local, "USERNAME", of) or self._keyed.word("local", of)
        return f"{_LOCAL.sub('', named)}@{self._keyed.word('host', folded(domain), of.rpartition('/')[2])}.example"

    def _url(self, value: str, of: str) -> str | None:
        found = _URL.fullmatch(value)
        if found is None:
            return None
        attempt = of.rpartition("/")[2]
        host = self._keyed.word("host", folded(found["host"]), attempt)
        page = found["page"].strip("/")
        path = f"/{self._keyed.word('page', folded(page), attempt)}" if page else ""
        return f"{found['scheme'] or ''}{found['www'] or ''}{host}.example{path}"

    def _username(self, value: str, of: str) -> str | None:
        return self._worded(value, "USERNAME", of) or identifier(self._keyed, value, of)

    def _social_security(self, value: str, of: str) -> str | None:
        return FORMS["SSN"](self._keyed, value, of) or identifier(self._keyed, value, of)


def merged(spans: Collection[tuple[int, int]] | Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans without overlap, in order."""
    disjoint: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if disjoint and start < disjoint[-1][1]:
            disjoint[-1] = (disjoint[-1][0], max(end, disjoint[-1][1]))
        else:
            disjoint.append((start, end))
    return disjoint


def _grown(text: str, words: Collection[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Words of ours with the small change around them."""
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    number = {token: place for place, token in enumerate(tokens)}
    ours = set(words)
    for word in words:
        first = last = number[word]
        while first > 0 and _belongs(text, tokens[first - 1], tokens[first], tokens[first - 1], ours):
            first -= 1
        while last + 1 < len(tokens) and _belongs(text, tokens[last], tokens[last + 1], tokens[last + 1], ours):
            last += 1
        yield tokens[first][0], tokens[last][1]


def _belongs(
    text: str, one: tuple[int, int], two: tuple[int, int], asked: tuple[int, int], ours: set[tuple[int, int]]
) -> bool:
    """Whether the one of two neighbours that is ``asked`` about belongs to the other."""
    gap, token = text[one[1] : two[0]], text[slice(*asked)]
    if len(gap) > 3 or "\n\n" in gap:  # noqa: PLR2004
        return False
    if asked in ours or len(token) == 1 or token.lower() in _BESIDE:
        return True
    return len(token) <= NUMBERS if token.isdigit() else len(token) == 2 and (token.isupper() or not gap)  # noqa: PLR2004


def _number(keyed: Keyed, old: str, place: int, of: str) -> str:
    """As many digits, of which the first is 0 only if it was."""
    fresh = digits(keyed, len(old), "number", place, of)
    return f"{1 + keyed.number(9, 'first', place, of)}{fresh[1:]}" if old[0] != "0" else f"0{fresh[1:]}"


def _letter(keyed: Keyed, word: str, place: int, attempt: str) -> str:
    """One for an initial."""
    return chr(97 + keyed.number(26, "initial", folded(word), place, attempt))


def _cased(word: str, like: str) -> str:
    """In the case of the other: capitals, small letters, or the first a capital."""
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
