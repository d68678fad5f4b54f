"""Fingerprints: what was masked, in a form that can be compared and not be read.

HMAC-SHA256 (RFC 2104) of the folded value under a key that is kept apart from everything it marks, cut to
:data:`LENGTH` hexadecimal digits. Two spellings of one value have one fingerprint, whatever type either was taken
for; whoever has the key can ask whether a text holds a masked value, and nobody else can. While the key exists a
fingerprint is personal data still; destroy the key and it is a random number.

All that a redaction masked can be sealed: its fingerprints with their types and in how many records they stood (no
ids), the fingerprint of the key and the digest of the policy, under an HMAC whose key is derived from that of the
fingerprints. So nobody takes one out, adds one or mistakes the set for another's without that being seen by who opens
it. A :class:`Matcher` then finds which of them a text holds: in given spans, or, so that no detector has to be
believed, in every run of one to six words.
"""

import hashlib
import hmac
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from assay.artifacts import canonical, digest_of
from assay.errors import RedactionError
from assay.policy import RedactionSpec

VERSION = 2

LENGTH = 12
"""Hexadecimal digits: of a million values two share a fingerprint with a chance of one in 560."""

KEY_BYTES = 16
"""Fewest bytes of a key; telephone numbers under a short one could be tried out."""

WORDS = 6
"""Most words of a run of text that is compared: a bank account in groups of four, a postal address."""

FORMAT = "assay fingerprints 1"

_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'"})
# Letters, digits and what stands between the groups of a number; but the dots of an IPv4 address tell it apart.
_NUMBER = re.compile(r"(?=\D*\d)(?!\d{1,3}(?:\.\d{1,3}){3}$)[+(#]*[^\W_][\w()+#/.-]*")
_BETWEEN_BLANKS = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W_]+")
_EDGES = "\"'`.,;:!?()[]{}<>\u2018\u2019\u201c\u201d\u2026"


class Masked(Protocol):
    """A place that was masked."""

    @property
    def type(self) -> str:
        """Entity type."""

    @property
    def fingerprint(self) -> str:
        """Of what stood there; empty if none was made."""


class Audited(Protocol):
    """What was masked in one record."""

    @property
    def marks(self) -> tuple[Masked, ...]:
        """Each place."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a redaction masked, opened."""

    key: str
    """Fingerprint of the key."""

    policy: str
    """Digest of the policy."""

    types: Mapping[str, Mapping[str, int]]
    """Type → fingerprint → records."""


@dataclass(frozen=True, slots=True)
class Match:
    """Characters ``start`` to ``end`` of a text are a value that was masked."""

    start: int
    end: int
    types: tuple[str, ...]
    records: int
    """In how many it was masked, under the type that has most."""


def folded(value: str) -> str:
    """``value`` without its case, width and white space, and if it is a number without its punctuation."""
    plain = unicodedata.normalize("NFKC", value).casefold().translate(_APOSTROPHES)
    compact = "".join(plain.split())
    return "".join(filter(str.isalnum, compact)) if _NUMBER.fullmatch(compact) else compact


def fingerprint(value: str, key: bytes) -> str:
    """The fingerprint of ``value`` under ``key``.

    Raises:
        RedactionError: the key is shorter than :data:`KEY_BYTES`.
    """
    return hmac.digest(_long_enough(key), folded(value).encode(), "sha256").hex()[:LENGTH]


def _long_enough(key: bytes) -> bytes:
    if len(key) < KEY_BYTES:
        raise RedactionError(
            f"the key of the fingerprints has {len(key)} bytes, expected at least {KEY_BYTES}; make one with "
            "`secrets.token_hex(32)`"
        )
    return key


def of_key(key: bytes) -> str:
    """Tells one key from another without giving either away."""
    return hashlib.sha256(b"assay value key fingerprint:" + key).hexdigest()[:16]


def seal(audited: Iterable[Audited], policy: RedactionSpec, key: bytes) -> bytes:
    """The fingerprints of all that was masked, sealed; equal sets give equal bytes.

    Args:
        audited: what redaction filed for each record.
        policy: by which it masked.
        key: behind the fingerprints.

    Raises:
        RedactionError: the key is too short.
    """
    records: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in audited:
        for kind, found in sorted({(mark.type, mark.fingerprint) for mark in row.marks if mark.fingerprint}):
            records[kind][found] += 1
    content = {
        "format": FORMAT,
        "key": of_key(_long_enough(key)),
        "policy": digest_of(canonical(policy)),
        "types": records,
    }
    return _written({**content, "seal": _seal_of(content, key)})


# This and Matcher are for who asks whether a model has learned any of it; nothing else in Assay opens a sealed set.
def unseal(data: bytes, key: bytes) -> Sealed:
    """Open what :func:`seal` wrote.

    Raises:
        RedactionError: it is no sealed set, was sealed under another key, or was changed since.
    """
    content = _read(data)
    if content["key"] != (own := of_key(_long_enough(key))):
        raise RedactionError(
            f"fingerprints: found a set sealed under key {content['key']}; expected {own}. Give the key of that run "
            "(ASSAY_VALUE_KEY)."
        )
    found = content.pop("seal", "")
    if not hmac.compare_digest(str(found), _seal_of(content, key)):
        raise RedactionError(
            "fingerprints: found bytes that do not fit their seal; expected them as they were written. Somebody "
            "changed the set: take it from the store again, or run the recipe again."
        )
    return Sealed(content["key"], content["policy"], content["types"])


def count(data: bytes) -> int:
    """How many values a sealed set holds, which can be told without its key, and is not proved.

    Raises:
        RedactionError: it is no sealed set.
    """
    return len({found for records in _read(data)["types"].values() for found in records})


def _read(data: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(data)
        if content["format"] == FORMAT and {"key", "policy", "types"} <= content.keys():
            return content
    except (ValueError, TypeError, KeyError):
        pass
    raise RedactionError(
        f"fingerprints: found no sealed set; expected one in the format {FORMAT!r}. Name another file."
    )


def _written(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _seal_of(content: Mapping[str, object], key: bytes) -> str:
    """HMAC-SHA256 under a key of its own, derived from that of the fingerprints."""
    derived = hmac.digest(key, b"assay seal of fingerprints", "sha256")
    return hmac.digest(derived, _written(content), "sha256").hex()


class Matcher:
    """Finds values that were masked in text that a model wrote."""

    def __init__(self, sealed: Sealed, key: bytes) -> None:
        if sealed.key != of_key(key):
            raise RedactionError(
                f"fingerprints: found key {of_key(key)}; expected {sealed.key}, of the set. Give the key of that run."
            )
        self._key = key
        self._known: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for kind, records in sorted(sealed.types.items()):
            for found, times in records.items():
                self._known[found][kind] = times

    def spans(self, text: str, spans: Iterable[tuple[int, int]]) -> list[Match]:
        """Those of the ``spans`` of ``text``, such as a detector finds, that are a value that was masked."""
        return [match for start, end in spans if (match := self._match(text, start, end))]

    def anywhere(self, text: str, words: int = WORDS) -> list[Match]:
        """Every run of one to so many words of ``text`` that is a value that was masked, by its start.

        Words are what stands between blanks, with and without the punctuation at its edges, and runs of letters and
        digits, so that a value is found in JSON and behind a label too.
        """
        found = {span: self._match(text, *span) for span in _runs(text, words)}
        return [match for _, match in sorted(found.items()) if match]

    def _match(self, text: str, start: int, end: int) -> Match | None:
        kinds = self._known.get(fingerprint(text[start:end], self._key))
        return Match(start, end, tuple(kinds), max(kinds.values())) if kinds else None


def _runs(text: str, words: int) -> Iterator[tuple[int, int]]:
    for pattern in (_BETWEEN_BLANKS, _LETTERS):
        places = [match.span() for match in pattern.finditer(text)]
        for first, (start, _) in enumerate(places):
            for _, end in places[first : first + words]:
                yield start, end
                held = text[start:end]
                left, right = held.lstrip(_EDGES), held.rstrip(_EDGES)
                if left and len(left) + len(right) < 2 * len(held):
                    yield end - len(left), start + len(right)
