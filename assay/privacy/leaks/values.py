"""Leaks: whether a value that was masked stands in anything that a run left behind.

The values are derived in memory: from the raw records and the places that redaction marked in them (the audit), and
from what the source knew of each record's subject. Of a name its words are looked for too. Left out, and counted by
type with the reason, is what would say nothing if it were found:

- a value of under four letters and digits, or a number of under six: house numbers, ages, years;
- a value that is also a surrogate, and stands where it should;
- an ordinary word, which stands in Assay's own text or the recipe's, or unmasked and in small letters in raw records
  of three subjects or more: "rose", "will", "bill".
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from assay.privacy.leaks.spellings import alone
from assay.privacy.replacement.drafts import Mark, columns, fields
from assay.privacy.replacement.fingerprints import fingerprint, folded
from assay.privacy.replacement.surrogates import Surrogates
from assay.records import Record

VERSION = 2

SHORTEST, SHORTEST_NUMBER = 4, 6
"""Letters and digits of the shortest value, and digits of the shortest number, that are looked for."""

SUBJECTS = 3
"""So many subjects who use a word in small letters make it an ordinary one."""

SURE = "high"
"""The bucket of marks that need nothing beside them."""

CANARY = "CANARY"
"""The type of values that somebody planted."""

SHORT = f"under {SHORTEST} letters and digits"
SHORT_DIGITS = f"a number of under {SHORTEST_NUMBER} digits"
OWN_TEXT = "stands in Assay's own text or the recipe's"
ORDINARY = "an ordinary word in these records"

INVENTED = "a surrogate too, which stands for another value"

WORD = re.compile(r"[^\W_]+")
_DEPTH = 4
"""Times that JSON may have escaped a text."""

_WIDE = "\u2e80"
"""From here on, letters of Chinese, Japanese and Korean say as much as two others."""

_BESIDE = 24
"""Characters on either side of a value that are read for the words beside it."""


@dataclass(frozen=True, slots=True)
class Value:
    """Something that was masked, or that a source knew."""

    type: str
    text: str = field(repr=False)
    near: frozenset[str] = field(default=frozenset(), repr=False)
    """Words that stood before or behind it."""

    is_certain: bool = True
    """Whether somebody knew it or planted it, or one of its marks was sure of it (bucket ``high``)."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for, and how much is not."""

    values: tuple[Value, ...] = field(repr=False)
    left_out: dict[str, dict[str, int]]
    """Reason → type → values."""

    unproven: int = 0
    """Marks whose place does not hold what was masked there: raw records or key are others than at the time."""

    @property
    def counts(self) -> dict[str, int]:
        """Type → values looked for."""
        return dict(sorted(Counter(value.type for value in self.values).items()))


def masked(record: Record, marks: Iterable[Mark], key: bytes | None = None) -> tuple[list[Value], int]:
    """What was masked in a raw record, and how many marks do not fit it.

    A mark fits if the fingerprint of what stands in its place is its own; without a key, if anything stands there.
    """
    texts = {**dict(fields(record)), **dict(columns(record))}
    found, unproven = [], 0
    for mark in marks:
        whole = texts.get(mark.field, "")
        readings = list(_readings(whole[mark.start : mark.end]))
        is_marked = bool(key and mark.fingerprint)
        proven = [text for text in readings if not is_marked or fingerprint(text, key or b"") == mark.fingerprint]
        unproven += not proven
        near = _near(whole, mark.start, mark.end)
        found += [Value(mark.type, text, near, mark.bucket == SURE) for text in proven[:1] or readings]
    return found, unproven


def invented(values: Iterable[Value], key: bytes, kinds: Collection[str]) -> Iterator[str]:
    """Surrogates that stand for values of these types, and the words of those that are names."""
    surrogates = Surrogates(key, kinds)
    for value in values:
        if value.type in kinds and (new := surrogates.invent(value.text, value.type)):
            yield from (each.text for each in (Value(value.type, new), *_words_of(Value(value.type, new))))


def known(record: Record, kept: Collection[str] = ()) -> list[Value]:
    """What the source knew of a record's subject, but for types that the policy keeps."""
    text = "\n".join(value for _, value in (*fields(record), *columns(record)))
    found = []
    for each in record.known:
        if each.type not in kept and each.value.strip():
            start = text.find(each.value)
            near = _near(text, start, start + len(each.value)) if start >= 0 else frozenset()
            found.append(Value(each.type, each.value.strip(), near))
    return found


def _readings(text: str) -> Iterator[str]:
    """What was meant by characters of a field: themselves, or, as JSON writes them, escaped once or more."""
    for _ in range(_DEPTH):
        plain = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
        if plain:
            yield plain
        try:
            unescaped = json.loads(plain if plain[:1] == plain[-1:] == '"' != plain else f'"{plain}"')
        except ValueError:
            return
        if not isinstance(unescaped, str) or unescaped == plain:
            return
        text = unescaped


def _near(text: str, start: int, end: int) -> frozenset[str]:
    before = WORD.findall(text[max(0, start - _BESIDE) : start])[-1:]
    behind = WORD.findall(text[end : end + _BESIDE])[:1]
    return frozenset(word.casefold() for word in before + behind if len(word) > 1 and not word.isdigit())


def unmasked(texts: Iterable[tuple[str, str]], marks: Sequence[Mark]) -> Iterator[str]:
    """What was left of fields, which come by name."""
    for name, text in texts:
        pieces, position = [], 0
        for mark in sorted((m for m in marks if m.field == name), key=lambda m: m.start):
            pieces.append(text[position : mark.start])
            position = max(position, mark.end)
        yield " ".join([*pieces, text[position:]])


class Ordinary:
    """Words that stand unmasked and in small letters in raw records, and how many subjects use them."""

    def __init__(self) -> None:
        self._subjects: defaultdict[str, set[str]] = defaultdict(set)

    def read(self, record: Record, marks: Sequence[Mark]) -> None:
        """Take a record in."""
        for text in unmasked(fields(record), marks):
            words = WORD.findall(text)
            for word in {word for word in words if len(word) >= SHORTEST and word.isalpha() and word.islower()}:
                if len(users := self._subjects[word]) < SUBJECTS:
                    users.add(record.subject)

    @property
    def words(self) -> frozenset[str]:
        """Those that are ordinary."""
        return frozenset(word for word, users in self._subjects.items() if len(users) >= SUBJECTS)


class OwnText:
    """Text that holds no record: what stands in it too says nothing."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = f" {' '.join(word for text in texts for word in WORD.findall(text.casefold()))} "
        self._words = frozenset(self._text.split())

    @property
    def words(self) -> frozenset[str]:
        """All words of it."""
        return self._words

    def holds(self, value: str) -> bool:
        """Whether ``value`` stands in it, whatever its case, white space and punctuation."""
        words = WORD.findall(value.casefold())
        return set(words) <= self._words and f" {' '.join(words)} " in self._text


class Invented:
    """Values that were invented and planted: whether one of them is, or holds, a value that was found."""

    def __init__(self, texts: Iterable[str]) -> None:
        given = list(texts)
        self._words = OwnText(given)
        self._numbers = "\n".join(sorted({alone(text) for text in given}))

    def holds(self, value: str) -> bool:
        """Whether ``value`` is among them; a number however it is grouped, and with a prefix or without."""
        plain = alone(value)
        return self._words.holds(value) or (any(map(str.isdigit, plain)) and plain in self._numbers)


def choose(
    values: Iterable[Value],
    own: OwnText,
    ordinary: Collection[str],
    stand_ins: Iterable[str] = (),
    *,
    unproven: int = 0,
) -> Sought:
    """Of all values those that mean something if they are found, each once, with the words of names added.

    Args:
        values: that were masked or known.
        own: text that no record is in.
        ordinary: words that many records use.
        stand_ins: surrogates that were written in place of values.
        unproven: marks that do not fit; handed on.
    """
    new = {folded(each) for each in stand_ins}
    chosen: dict[str, Value] = {}
    left: dict[str, tuple[str, str]] = {}
    for value in values:
        for each in (value, *_words_of(value)):
            name = folded(each.text)
            if name in chosen:
                chosen[name] = _both(chosen[name], each)
            elif name not in left:
                reason = INVENTED if name in new else _meaningless(each.text, own, ordinary)
                if reason:
                    left[name] = (reason, each.type)
                else:
                    chosen[name] = each
    counts: dict[str, dict[str, int]] = {}
    for (reason, kind), count in sorted(Counter(left.values()).items()):
        counts.setdefault(reason, {})[kind] = count
    return Sought(tuple(chosen[name] for name in sorted(chosen)), counts, unproven)


def _both(one: Value, other: Value) -> Value:
    return replace(one, near=one.near | other.near, is_certain=one.is_certain or other.is_certain)


def _words_of(value: Value) -> Iterator[Value]:
    """First and last names may stand alone. Words of other types are no personal data."""
    words = value.text.split()
    if value.type == "PERSON" and len(words) > 1:
        yield from (replace(value, text=word.strip(".,;:'\u2019\"()")) for word in words)


def _meaningless(text: str, own: OwnText, ordinary: Collection[str]) -> str | None:
    plain = alone(text)
    if sum(2 if c >= _WIDE else 1 for c in plain) < SHORTEST:
        return SHORT
    if plain.isdigit() and len(plain) < SHORTEST_NUMBER:
        return SHORT_DIGITS
    if own.holds(text):
        return OWN_TEXT
    return ORDINARY if text.casefold() in ordinary else None


def as_canaries(lines: Iterable[str]) -> list[Value]:
    """Values that somebody planted, to see whether they are found anywhere."""
    return [Value(CANARY, line.strip()) for line in lines if line.strip()]
