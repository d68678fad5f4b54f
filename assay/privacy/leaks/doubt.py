"""Doubt: words that redaction took for a name in one record and left in another.

A tagger reads a word in its sentence. It may take a misspelt word for a name where it opens a line, and rightly leave
it where somebody else mistyped it. That other record then holds the word, redacted and wherever it is quoted, though
nothing carried it there: redaction judged its own text otherwise. So a word found in what is made of records is in
*doubt*, and no leak, if

- it is a single word of letters, and every mark on it had a score under 0.85: a model's word, with no rule, no known
  value and no certain mark, on it or on a name that it is part of, beside it; and
- it stands unmasked in the raw text of another record that redaction examined, and, in a shard of redacted records, in
  no record but such ones.

E-mail addresses, numbers, known values, canaries, what was masked with certainty, and names of two words and more are
never in doubt; nor is a word in a log, a database or an audit, which quote no record.

The limit: a real name that the tagger saw in one record and missed in another is in doubt too. Nobody can tell it from
a misspelling without reading it. How often redaction misses is what measured recall says (:mod:`assay.privacy.
measurement.recall`), and the ids of the records are told, so that a person can look.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.privacy.leaks.values import WORD, Value, unmasked
from assay.privacy.replacement.drafts import Mark, columns, fields
from assay.records import Record

VERSION = 1

QUOTING = frozenset({"records", "answers", "report", "data-card", "profile"})
"""Kinds of artefacts that hold records or quote them."""


def word_of(value: Value) -> str | None:
    """The word that ``value`` is, if it may be in doubt."""
    words = WORD.findall(value.text.casefold())
    return words[0] if len(words) == 1 and words[0].isalpha() and not value.is_certain else None


@dataclass(slots=True)
class Judged:
    """In which raw records some words were masked, and in which they were left."""

    words: frozenset[str] = field(repr=False)
    masked: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)
    """Word → ids."""

    left: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)

    def read(self, record: Record, marks: Sequence[Mark]) -> None:
        """Take in a raw record that redaction examined."""
        texts = {**dict(fields(record)), **dict(columns(record))}
        masked = self._of(texts.get(mark.field, "")[mark.start : mark.end] for mark in marks)
        for word in masked:
            self.masked[word].add(record.id)
        for word in self._of(unmasked(texts.items(), marks)) - masked:
            self.left[word].add(record.id)

    def explains(self, word: str, rows: Iterable[Record] | None) -> bool:
        """Whether the word's being in a file is a matter of what stood in other records.

        Args:
            word: in small letters.
            rows: the records in the file, if it is a shard of them.
        """
        if rows is None:
            return bool(self.left[word])
        holding = {row.id for row in rows if word in self._of(text for _, text in (*fields(row), *columns(row)))}
        return bool(holding) and holding <= self.left[word]

    def _of(self, texts: Iterable[str]) -> frozenset[str]:
        return self.words.intersection(word for text in texts for word in WORD.findall(text.casefold()))


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A word in doubt, told by where to look."""

    type: str
    masked: tuple[str, ...]
    """Ids of the records in which it was masked."""

    left: tuple[str, ...]
    """Ids of those in which it was left."""


def told(values: Mapping[str, str], judged: Judged) -> list[Doubtful]:
    """Words in doubt with their types, as what can be told of them: never the word."""
    rows = [
        Doubtful(kind, tuple(sorted(judged.masked[word])), tuple(sorted(judged.left[word])))
        for word, kind in values.items()
    ]
    return sorted(rows, key=lambda row: (row.type, row.masked, row.left))
