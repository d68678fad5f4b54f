"""Surrogates: in the place of a personal value an invented one of the same shape, the same in the whole corpus.

What a value becomes depends on the value and a key alone, never on its record, so shards and machines agree without
asking each other, and another spelling of the value becomes the same in another spelling: "ANNA KOWALSKA" the same
name in capitals, "AB 1234" the same number as "ab-1234". The key is derived from the deployment's key of values
(HMAC-SHA256, RFC 2104), so a surrogate and a fingerprint do not give each other away.

======================  ====================================================================================
PERSON, CITY, ADDRESS   word by word (:mod:`assay.privacy.replacement.syllables`), so that a first name alone is the
USERNAME                first name of the same person, and one who signs "anna.kowalska92" is so still; titles,
                        kinds of street, and a particle with a word that is replaced behind it ("van der") stay, but
                        never the last word of a name; an initial becomes some letter, a digit a digit
EMAIL, URL              the same words under ``.example``, which no one can register (RFC 2606, RFC 6761)
PHONE, IP_ADDRESS,      numbers from ranges that belong to nobody (:mod:`assay.privacy.replacement.reserved`)
CREDIT_CARD, IBAN,
SSN, DATE_OF_BIRTH
ORDER_ID, ACCOUNT_ID    letters for letters, digits for digits (module ``identifiers``), and so for
and every other type    types of recognisers of one's own
======================  ====================================================================================

A surrogate is told from a value by what is computed into it under the key, and numbers by their range besides, whose
values are nobody's: a word, an identifier, or a number of such a range that is real passes for a surrogate with a
chance of 1 in 10,000 at most (of a text, that is the chance for each of its words and numbers). Small change around a
word of ours belongs to it: initials, kinds of street, and numbers of one or two digits. One of three to six is computed
from the nearest word, so that a real one there passes once in as many as there are of its length: in 1,000 if it has
three digits, in 10,000 and more else, and twice that between two of our words. So text with surrogates can be redacted
again and does not change. A value that has no such surrogate, since it is too short or of no known shape, gets none
(:meth:`Surrogates.invent` answers ``None``) and is masked.

What this does not hide: that two places speak of the same, and how often a name occurs. Where that is too much, mask.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from assay.errors import RedactionError
from assay.privacy.replacement.fingerprints import KEY_BYTES, folded
from assay.privacy.replacement.identifiers import identifier
from assay.privacy.replacement.identifiers import spans as identifiers
from assay.privacy.replacement.reserved import FORMS, PATTERNS, digits, poured
from assay.privacy.replacement.reserved import spans as reserved
from assay.privacy.replacement.syllables import Keyed

VERSION = 2

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
    "PERSON": frozenset(_TITLES.split()),
    "ADDRESS": frozenset(_STREETS.split()),
}
"""Words of a value that stay wherever they stand, but at the end of a name, by type."""

PARTICLES = frozenset(_PARTICLES.split())
"""Words of a name or a place that stay before a word that is replaced."""

SMALL = 2
"""Digits of a number that belongs to the word beside it, whatever it is."""

NAMED = frozenset({"PERSON", "CITY", "ADDRESS"})
"""Types whose values have particles."""

_ADDRESSED = frozenset("http https ftp www example at dot".split())  # noqa: SIM905
_JOINT = re.compile(r"\s+|['\u2019-]")
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
        self._beside = _ADDRESSED.union(*(KEPT[kind] for kind in sorted(self.kinds & KEPT.keys())))
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
            yield from Neighbours(self._keyed, text, words, self._beside).grown()
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
        bare = "".join(c for c in value if unicodedata.category(c) != "Mn")
        tokens = list(_TOKEN.finditer(bare))
        kept, attempt = _kept(bare, tokens, kind), of.rpartition("/")[2]
        least = 3 if kind == "ADDRESS" else 2
        fresh = [
            match[0] if place in kept or match[0].isdigit() else self._word(match[0], least, attempt)
            for place, match in enumerate(tokens)
        ]
        ours = [place for place, match in enumerate(tokens) if self._keyed.words(fresh[place])]
        for place, match in enumerate(tokens):
            if match[0].isdigit() and ours:
                anchor = next((each for each in ours if each > place), ours[-1])
                fresh[place] = _number(self._keyed, match[0], place, fresh[anchor], of)
        given = iter(fresh)
        return _TOKEN.sub(lambda _: next(given), bare) if ours else None

    def _word(self, old: str, least: int, attempt: str) -> str:
        """For a word another; for one of fewer letters than ``least`` as many."""
        if len(old) < least:
            return poured(old, "".join(_letter(self._keyed, old, n, attempt) for n in range(len(old))))
        return _cased(self._keyed.word(folded(old), attempt), old)

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


def _kept(value: str, tokens: Sequence[re.Match[str]], kind: str) -> set[int]:
    """Words of a value that stay, by their place.

    A particle may be a surname ("Anna Le", "Do Minh", "Van Nguyen"). It is taken for a particle before a word that is
    replaced if another such word stands before it, or if it alone of the two is in small letters ("van der Berg").
    """
    kept = {
        place
        for place, match in enumerate(tokens[: -1 if kind == "PERSON" else None])
        if match[0].lower() in KEPT.get(kind, ())
    }
    free = [n for n, match in enumerate(tokens) if n not in kept and match[0].lower() not in PARTICLES]
    words = [n for n in free if len(tokens[n][0]) > 2 and not tokens[n][0].isdigit()]  # noqa: PLR2004
    behind = set(words)
    for place in range(len(tokens) - 2 if kind in NAMED else -1, -1, -1):
        token, joint = tokens[place][0], value[tokens[place].end() : tokens[place + 1].start()]
        if token.lower() in PARTICLES and place + 1 in behind and _JOINT.fullmatch(joint):
            word = next(tokens[n][0] for n in words if n > place)
            if words[0] < place or (token.islower() and word[0].isupper()):
                behind.add(place)
    return kept | (behind - set(words))


class Neighbours:
    """The letters and numbers of a text, and which of them belong to words of ours."""

    def __init__(self, keyed: Keyed, text: str, words: Collection[tuple[int, int]], beside: Collection[str]) -> None:
        self._keyed, self._text, self._beside = keyed, text, beside
        self._tokens = [match.span() for match in _TOKEN.finditer(text)]
        self._ours = set(words)

    def grown(self) -> Iterator[tuple[int, int]]:
        """Words of ours with the small change around them."""
        for number, token in enumerate(self._tokens):
            if token in self._ours:
                yield self._tokens[self._last(number, -1)][0], self._tokens[self._last(number, 1)][1]

    def _last(self, place: int, step: int) -> int:
        """The last that belongs to the word at ``place`` before it, or behind it."""
        word = self._text[slice(*self._tokens[place])].lower()
        while 0 <= place + step < len(self._tokens) and self._belongs(place, place + step, word):
            place += step
            if self._tokens[place] in self._ours:
                break
        return place

    def _belongs(self, one: int, two: int, word: str) -> bool:
        """Whether the second of two neighbours belongs to the first, as part of what ``word`` is in."""
        first, last = sorted((self._tokens[one], self._tokens[two]))
        gap, token = self._text[first[1] : last[0]], self._text[slice(*self._tokens[two])]
        if len(gap) > 3 or "\n\n" in gap:  # noqa: PLR2004
            return False
        if token.isdigit():
            return len(token) <= SMALL or (len(token) <= NUMBERS and token == _numbered(self._keyed, token, word))
        if self._tokens[two] in self._ours or len(token) == 1 or token.lower() in self._beside:
            return True
        return (two < one and token.lower() in PARTICLES) or (len(token) == 2 and (token.isupper() or not gap))  # noqa: PLR2004


def _number(keyed: Keyed, old: str, place: int, word: str, of: str) -> str:
    """As many digits, of which the first is 0 only if it was; such of the nearest word as say that they are ours."""
    if SMALL < len(old) <= NUMBERS:
        return _numbered(keyed, old, word.lower())
    fresh = digits(keyed, len(old), "number", place, of)
    return f"{1 + keyed.number(9, 'first', place, of)}{fresh[1:]}" if old[0] != "0" else f"0{fresh[1:]}"


def _numbered(keyed: Keyed, old: str, word: str) -> str:
    """The number of that length that belongs to ``word``."""
    return digits(keyed, len(old), "beside", word)


def _letter(keyed: Keyed, word: str, place: int, attempt: str) -> str:
    """One for an initial."""
    return chr(97 + keyed.number(26, "initial", folded(word), place, attempt))


def _cased(word: str, like: str) -> str:
    """In the case of the other: capitals, small letters, or the first a capital."""
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
