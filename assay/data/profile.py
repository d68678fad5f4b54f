"""Profile: what a dataset version looks like, in numbers that can be shown to anybody and compared with the next one.

For each side: rows, subjects, how long the texts are, which labels and attributes there are and how often, and how many
placeholders redaction left. Nothing in a profile is a text of a record, and no value that only a few people have: a
value of a label or an attribute is named if at least five subjects over all sides have it, however many rows they have
(:mod:`assay.data.naming`), and is otherwise counted under "other". A column with more than :data:`MOST_VALUES` values
(:data:`MOST_LABELS` for the label) is too fine to be shown; only the number of its values is.

Lengths are counted in bins with fixed edges, two to every doubling: 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on. They do not
depend on the data, so that two versions can be laid over one another. A word is what stands between white space.

Shards stream through: what is kept is one count for each length, bin and value, eight bytes for each subject, and for
each value eight for each of five who have it.
"""

import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from assay.data.naming import Holders, short
from assay.records import PLACEHOLDER, Record, label_of

VERSION = 1

MOST_VALUES = 20
"""An attribute with more values is told by their number alone."""

MOST_LABELS = 200
"""A label with more values is told by their number alone."""

EDGES: tuple[int, ...] = (0, 1, *sorted(step << power for power in range(20) for step in (2, 3)))
"""Lower edges of the bins of a length; the last one has no upper edge."""


class Part(BaseModel):
    """Frozen, and closed to unknown keys, so that what is read back is what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lengths(Part):
    """How long texts are."""

    bins: tuple[tuple[int, int], ...]
    """Lower edge, one of :data:`EDGES`, and texts in the bin; empty bins are left out."""

    least: int
    median: int
    high: int
    """The 95th percentile: the smallest length that at least so many texts do not exceed."""

    most: int


class Column(Part):
    """How often each value of a label or an attribute occurs."""

    name: str
    distinct: int
    """Values over all sides; a row that has none does not count."""

    values: tuple[tuple[str, int], ...]
    """Those that are named, with their rows on this side; the most frequent over all sides first."""

    other: int = 0
    """Rows on this side with a value that is not named."""

    unnamed: int = 0
    """Values, over all sides, that are not named."""

    absent: int = 0
    """Rows on this side without one."""


class Side(Part):
    """One side of the split."""

    name: str
    rows: int
    subjects: int
    words: Lengths
    """Of what was said before the completion."""

    characters: Lengths
    """Of the completion."""

    labels: Column
    attributes: tuple[Column, ...]
    placeholders: tuple[tuple[str, int], ...]
    """Entity type and placeholders of it in prompts and completions."""

    masked: int
    """Rows with at least one placeholder."""


class Profile(Part):
    """A dataset version in numbers."""

    sides: tuple[Side, ...]
    edges: tuple[int, ...] = EDGES
    """Lower edges that the bins of lengths may have."""

    subjects: int
    """Over all sides."""

    torn: int
    """Subjects that are on more than one side; a split leaves none."""

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls.model_validate_json(data)

    def to_json(self) -> bytes:
        """Canonical bytes: equal profiles have equal ones."""
        return self.model_dump_json(indent=1).encode() + b"\n"


def profile(sides: Mapping[str, Iterable[list[Record]]], field: str, attributes: Sequence[str]) -> Profile:
    """Describe records in one pass, a shard at a time.

    Args:
        sides: Side → its shards.
        field: Field of the completion's JSON object that holds the label.
        attributes: Names of the attributes to count.
    """
    labels, columns = _Values(field, MOST_LABELS), [_Values(name, MOST_VALUES) for name in attributes]
    counts = {side: _Counts() for side in sides}
    for side, shards in sides.items():
        for record in (record for shard in shards for record in shard):
            counts[side].add(record)
            labels.add(side, label_of(record, field), record.subject)
            for column in columns:
                column.add(side, record.attributes.get(column.name) or None, record.subject)
    subjects = [seen.subjects for seen in counts.values()]
    every = set[bytes]().union(*subjects)
    return Profile(
        sides=tuple(
            seen.described(side, labels.column(side), tuple(column.column(side) for column in columns))
            for side, seen in counts.items()
        ),
        subjects=len(every),
        torn=sum(sum(one in seen for seen in subjects) > 1 for one in every),
    )


def bin_of(length: int) -> int:
    """The lower edge of the bin that a length falls into: the largest edge that is not above it."""
    return EDGES[bisect.bisect_right(EDGES, length) - 1]


class _Counts:
    """What one side's records add up to."""

    def __init__(self) -> None:
        self.subjects = set[bytes]()
        self.words, self.characters, self.placeholders = Counter[int](), Counter[int](), Counter[str]()
        self.masked = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        self.subjects.add(short(record.subject))
        self.words[len(record.prompt.split())] += 1
        self.characters[len(record.completion)] += 1
        found = PLACEHOLDER.findall(record.text)
        self.placeholders.update(found)
        self.masked += bool(found)

    def described(self, name: str, labels: Column, attributes: tuple[Column, ...]) -> Side:
        """The side in numbers."""
        return Side(
            name=name,
            rows=self.words.total(),
            subjects=len(self.subjects),
            words=_lengths(self.words),
            characters=_lengths(self.characters),
            labels=labels,
            attributes=attributes,
            placeholders=tuple(sorted(self.placeholders.items())),
            masked=self.masked,
        )


class _Values:
    """The values of a column on every side; once there are too many to show, only which there are."""

    def __init__(self, name: str, most: int) -> None:
        self.name, self._most = name, most
        self._seen, self._holders = set[bytes](), Holders()
        self._sides: dict[str, Counter[str]] = {}
        self._given, self._absent = Counter[str](), Counter[str]()

    def add(self, side: str, value: str | None, subject: str) -> None:
        """Count a value of a subject's, or that there is none."""
        if value is None:
            self._absent[side] += 1
            return
        self._given[side] += 1
        self._seen.add(short(value))
        if len(self._seen) <= self._most:
            self._sides.setdefault(side, Counter())[value] += 1
            self._holders.add(value, subject)
        else:
            self._sides.clear()
            self._holders.clear()

    def column(self, side: str) -> Column:
        """The column on one side."""
        rows = sum(self._sides.values(), Counter[str]())
        named = sorted((value for value in rows if value in self._holders), key=lambda v: (-rows[v], v))
        here = self._sides.get(side, Counter())
        return Column(
            name=self.name,
            distinct=len(self._seen),
            values=tuple((value, here[value]) for value in named),
            other=self._given[side] - sum(here[value] for value in named),
            unnamed=len(self._seen) - len(named),
            absent=self._absent[side],
        )


def _lengths(counted: Counter[int]) -> Lengths:
    bins = Counter[int]()
    for length, texts in counted.items():
        bins[bin_of(length)] += texts
    return Lengths(
        bins=tuple(sorted(bins.items())),
        least=min(counted, default=0),
        median=_percentile(counted, 50),
        high=_percentile(counted, 95),
        most=max(counted, default=0),
    )


def _percentile(counted: Counter[int], percent: int) -> int:
    """The smallest length that at least so many per cent of the texts do not exceed; no interpolation."""
    passed, total = 0, counted.total()
    for length in sorted(counted):
        passed += counted[length]
        if 100 * passed >= percent * total:
            return length
    return 0
