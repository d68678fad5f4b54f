"""Seeding: records in which it is known where every personal value stands, to measure redaction on.

They are made from the data set's own *redacted* records. What redaction left as ``[PERSON_1]`` is filled with a person
who does not exist (:mod:`assay.privacy.measurement.invented`), the same one wherever the placeholder stands, in small
letters or capitals where the record is written so. To reach enough values of every type, also of those that the data
seem to lack, sentences of our own (:mod:`assay.privacy.measurement.carriers`) are added to every second of them. Apart
from those there are records without personal data. No raw record is read, so no personal data are used beyond what
redaction left.

Which records are taken depends on their own digests and the seed alone, not on their order, and adding records changes
the sample by no more than what enters it (bottom-k sampling; Cohen and Kaplan 2007, doi:10.1145/1281100.1281133).

What this cannot show: a value that redaction missed leaves no placeholder, so a context in which it always fails
is never a place to fill; the recall in own places is that in contexts where something is found. The sentences of our
own know nothing of what redaction finds, and the result tells the two apart. Values known from a record's columns
are not given here, so the recall is that of what nobody knew beforehand.
"""

import dataclasses
import hashlib
import heapq
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from assay.errors import RedactionError
from assay.privacy.measurement import carriers
from assay.privacy.measurement.invented import Inventor, Shapes
from assay.records import PLACEHOLDER, Record, Turn

VERSION = 1

LEAST = 60
"""Values of a type that go far enough for most: with 59 a recall of 0.95 can be shown at 95 % confidence."""

PLAIN_SHARE = 6
"""One record in so many holds nothing personal."""

ADDED_SHARE = 4
"""One in so many of the least values stands in a sentence of our own, even of types that the data have plenty of."""

ADDED = 500_000
"""Numbers of placeholders from here on are ours."""

FOLLOWS_CASE = frozenset({"PERSON", "CITY", "ADDRESS"})
"""Types that people write in small letters where they write everything so."""

_DRAWS = 1000
"""Values drawn at most until one is new to its record."""

_SLOT = re.compile(PLACEHOLDER.pattern.replace("[0-9]+", "([0-9]{1,6})"))


@dataclass(frozen=True, slots=True)
class Value:
    """A seeded value: characters ``start`` to ``end`` of a field."""

    field: str
    """``context[0]``, ``context[1]``, …, or ``completion``."""

    start: int
    end: int
    type: str
    text: str = dataclasses.field(repr=False)
    added: bool
    """Whether it stands in a sentence of ours, not where the data had one."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A record to redact, and where its personal values are: all that are known, in order."""

    record: Record
    values: tuple[Value, ...]
    plain: bool = False
    """Whether it is one of ours that holds nothing personal."""


def planted(
    records: Iterable[Record],
    count: int,
    seed: int,
    wanted: Mapping[str, int],
    shapes: Shapes = MappingProxyType({}),
) -> list[Planted]:
    """Make ``count`` seeded records from redacted ones.

    Args:
        records: redacted, from any side; at most ``count`` of them are held at once.
        count: how many to make, one in :data:`PLAIN_SHARE` of them without personal data.
        seed: other seeds take other records and invent other values.
        wanted: of each type to plant, how many values at the least (:data:`LEAST` is a good number), which a type that
            the data have plenty of exceeds. Placeholders of other types stay.
        shapes: the forms of a type's values, where they are known; an order number is what a company says it is.

    Raises:
        RedactionError: there is no record, a type cannot be invented, or ``count`` is too small for both kinds.
    """
    if unknown := sorted(set(wanted) - set(carriers.SENTENCES)):
        raise RedactionError(f"{unknown} cannot be seeded; what can is {sorted(carriers.SENTENCES)}")
    if count < PLAIN_SHARE:
        raise RedactionError(f"{count} seeded records were asked for; expected at least {PLAIN_SHARE}")
    carrying = count - count // PLAIN_SHARE
    chosen = heapq.nsmallest(carrying, ((_rank(record, seed), record) for record in records), key=lambda pair: pair[0])
    if not chosen:
        raise RedactionError(
            "found no redacted record to seed; expected at least one. Look at what was dropped, and why"
        )
    drawn = list(itertools.islice(itertools.cycle(chosen), carrying))
    added = _added([record for _, record in drawn], wanted)
    seeded = [
        _seeded(record, number, added[number], _Filler(wanted, shapes, f"{rank}/{number // len(chosen)}"))
        for number, (rank, record) in enumerate(drawn)
    ]
    return seeded + [_plain(number, seed) for number in range(carrying, count)]


def _rank(record: Record, seed: int) -> str:
    """Where a record stands in the draw."""
    text = [record.id, [[turn.role, turn.content] for turn in record.context], record.completion]
    return hashlib.sha256(json.dumps([seed, text]).encode()).hexdigest()


def _added(drawn: Sequence[Record], wanted: Mapping[str, int]) -> list[list[str]]:
    """For each record the types to add a sentence of: none in the first half, which stays as dense as the data."""
    held = Counter(kind for record in drawn for kind, _ in _slots(record))
    lacking = {kind: max(n - held[kind], -(-n // ADDED_SHARE)) for kind, n in sorted(wanted.items())}
    queue = [kind for turn in range(max(lacking.values(), default=0)) for kind in lacking if lacking[kind] > turn]
    as_dense = len(drawn) // 2
    return [[]] * as_dense + [queue[number :: len(drawn) - as_dense] for number in range(len(drawn) - as_dense)]


def _slots(record: Record) -> set[tuple[str, str]]:
    """Type and number of each placeholder."""
    return set(_SLOT.findall(record.text))


def _seeded(record: Record, number: int, added: Sequence[str], filler: "_Filler") -> Planted:
    filler.case = _case(record)
    turns = _with_sentences(record.context, added, filler.random)
    turns = tuple(Turn(turn.role, filler.fill(f"context[{i}]", turn.content)) for i, turn in enumerate(turns))
    completion = filler.fill("completion", record.completion)
    changed = dataclasses.replace(
        record, id=f"seeded-{number:06}", subject="seeded", bucket=0, context=turns, completion=completion,
        attributes={}, known=(),
    )  # fmt: skip
    return Planted(changed, tuple(filler.values))


class _Filler:
    """Fills the placeholders of one record, field by field."""

    def __init__(self, types: Iterable[str], shapes: Shapes, seed: str) -> None:
        self._types = frozenset(types)
        self.random = Random(seed)  # noqa: S311
        self.case = "mixed"
        self._inventor = Inventor(self.random, shapes)
        self._invented: dict[str, str] = {}
        self.values: list[Value] = []

    def fill(self, name: str, text: str) -> str:
        """The text with values, which are noted."""
        parts, position, length = [], 0, 0
        for match in _SLOT.finditer(text):
            if match[1] in self._types:
                value = self._value(match[0], match[1])
                parts += [text[position : match.start()], value]
                start = length + match.start() - position
                position, length = match.end(), start + len(value)
                self.values.append(Value(name, start, length, match[1], value, int(match[2]) >= ADDED))
        return "".join([*parts, text[position:]])

    def _value(self, slot: str, kind: str) -> str:
        if slot not in self._invented:
            drawn = (self._inventor.value(kind) for _ in range(_DRAWS))
            cased = (_in_case(value, self.case) if kind in FOLLOWS_CASE else value for value in drawn)
            taken = set(self._invented.values())
            self._invented[slot] = next((value for value in cased if value not in taken), self._inventor.value(kind))
        return self._invented[slot]


def _with_sentences(context: tuple[Turn, ...], added: Sequence[str], random: Random) -> tuple[Turn, ...]:
    """A sentence for each type, in turns that are not the system's; each with a placeholder of its own."""
    turns = list(context) if any(turn.role != "system" for turn in context) else [*context, Turn("user", "")]
    places = [number for number, turn in enumerate(turns) if turn.role != "system"]
    for number, kind in enumerate(added, ADDED):
        place = random.choice(places)
        turn = turns[place]
        sentence = random.choice(carriers.SENTENCES[kind])
        if _case_of(turn.content) == "lower":
            sentence = sentence.lower()
        turns[place] = Turn(turn.role, _beside(turn.content, sentence.format(f"[{kind}_{number}]"), random))
    return tuple(turns)


def _beside(text: str, sentence: str, random: Random) -> str:
    """One after the other, on one line only where a sentence ends."""
    if not text:
        return sentence
    first, second = random.choice(((text, sentence), (text, sentence), (sentence, text)))
    closed = first.rstrip().endswith((".", "!", "?"))
    return first + (random.choice((" ", "\n")) if closed else "\n") + second


def _case(record: Record) -> str:
    return _case_of(" ".join(turn.content for turn in record.context if turn.role != "system"))


def _case_of(text: str) -> str:
    """``lower`` or ``upper`` if all letters outside placeholders are so, else ``mixed``."""
    written = PLACEHOLDER.sub("", text)
    return "lower" if written.islower() else "upper" if written.isupper() else "mixed"


def _in_case(value: str, case: str) -> str:
    return value.lower() if case == "lower" else value.upper() if case == "upper" else value


def _plain(number: int, seed: int) -> Planted:
    """A record without anything personal, one in six of them in small letters."""
    random = Random(f"plain/{seed}/{number}")  # noqa: S311
    text = carriers.plain(random, random.randrange(3, 7))
    text = text.lower() if random.random() < 1 / PLAIN_SHARE else text
    record = Record(
        id=f"plain-{number:06}", subject="seeded", bucket=0, source="seeded", context=(Turn("user", text),),
        completion="Noted.",
    )  # fmt: skip
    return Planted(record, (), plain=True)


def to_json(documents: Iterable[Planted]) -> bytes:
    """Encode where the values of each record are, without the records."""
    rows = [
        {"id": each.record.id, "plain": each.plain, "values": [dataclasses.asdict(value) for value in each.values]}
        for each in documents
    ]
    return json.dumps(rows, sort_keys=True).encode()


def from_json(data: bytes, records: Iterable[Record]) -> list[Planted]:
    """Put seeded records together again with what :func:`to_json` wrote of them.

    Raises:
        RedactionError: they are not the records that it was written of.
    """
    told, held = json.loads(data), {record.id: record for record in records}
    if {row["id"] for row in told} != held.keys():
        raise RedactionError(
            f"found {len(held)} seeded records beside the values of {len(told)}; expected those of the same. Seed anew"
        )
    return [
        Planted(held[row["id"]], tuple(Value(**value) for value in row["values"]), plain=row["plain"]) for row in told
    ]


def distinct(values: Iterable[Value]) -> Iterator[tuple[Value, ...]]:
    """Values of one record, those with the same type and text together: one value, wherever it stands."""
    found: dict[tuple[str, str], list[Value]] = {}
    for value in values:
        found.setdefault((value.type, value.text), []).append(value)
    yield from map(tuple, found.values())
