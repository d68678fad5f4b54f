"""Seeding: records in which it is known where every personal value stands, to measure redaction on.

They are made from the data set's own *redacted* records. What redaction left as ``[PERSON_1]`` is filled with a person
who does not exist (:mod:`assay.privacy.invented`), the same one wherever the placeholder stands, in small
letters or capitals where the record is written so. To reach enough values of every type, also of those that the data
seem to lack, sentences of our own (:mod:`assay.privacy.measurement.carriers`) are added to every second of them:
beside what was said, inside the texts of a completion that is JSON, and, in one record of ten, in a turn of JSON such
as a tool's call. Apart from those there are records without personal data. No raw record is read, so no personal data
are used beyond what redaction left. Attributes are filled where redaction left a placeholder in them.

Where there are fewer distinct redacted texts than records asked for, each serves several times with other values. That
adds values but no new text around them, so every seeded record says which text it is of
(:attr:`Planted.source`), and bounds go by texts.

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
from assay.policy import PLAIN_SHARE
from assay.privacy.invented import Inventor, Shapes
from assay.privacy.measurement import carriers
from assay.privacy.replacement.drafts import columns, fields
from assay.records import PLACEHOLDER, Record, Turn

VERSION = 2

LEAST = 60
"""Values of a type that go far enough for most: with 59 a recall of 0.95 can be shown at 95 % confidence."""

ADDED_SHARE = 4
"""One in so many of the least values stands in a sentence of our own, even of types that the data have plenty of."""

ADDED = 500_000
"""Numbers of placeholders from here on are ours."""

CALL_SHARE = 5
"""One in so many of the records with sentences of ours has them in a turn of JSON: one in ten of all."""

FOLLOWS_CASE = frozenset({"PERSON", "CITY", "ADDRESS"})
"""Types that people write in small letters where they write everything so."""

_DRAWS = 1000
"""Values drawn at most until one is new to its record."""

_SLOT = re.compile(PLACEHOLDER.pattern.replace("[0-9]{1,6}", "([0-9]{1,6})"))


@dataclass(frozen=True, slots=True)
class Value:
    """A seeded value: characters ``start`` to ``end`` of a field."""

    field: str
    """``context[0]``, ``context[1]``, …, ``completion``, or ``attributes[NAME]``."""

    start: int
    end: int
    type: str
    text: str = dataclasses.field(repr=False)
    """As it stands there; in JSON perhaps with escapes."""

    added: bool
    """Whether it stands in a sentence of ours, not where the data had one."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A record to redact, and where its personal values are: all that are known, in order."""

    record: Record
    values: tuple[Value, ...]
    plain: bool = False
    """Whether it is one of ours that holds nothing personal."""

    source: str = ""
    """Which redacted text it was made of: records of one text have the same. Without one, the record stands alone."""


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
        wanted: of each type to plant, in how many records at the least (:data:`LEAST` is a good number), which a type
            that the data have plenty of exceeds. Placeholders of other types stay.
        shapes: the forms of a type's values, where they are known; an order number is what a company says it is. A type
            that is known nowhere else can be planted if it has one.

    Raises:
        RedactionError: there is no record, a type cannot be invented, or ``count`` is too small for both kinds.
    """
    if unknown := sorted(set(wanted) - set(carriers.SENTENCES) - {kind for kind, forms in shapes.items() if forms}):
        raise RedactionError(
            f"{unknown} cannot be seeded; what can is {sorted(carriers.SENTENCES)}, and any type whose shape is given"
        )
    if count < PLAIN_SHARE:
        raise RedactionError(f"{count} seeded records were asked for; expected at least {PLAIN_SHARE}")
    carrying = count - count // PLAIN_SHARE
    chosen = heapq.nsmallest(carrying, ((_rank(record, seed), record) for record in records), key=lambda pair: pair[0])
    if not chosen:
        raise RedactionError(
            "found no redacted record to seed; expected at least one. Look at what was dropped, and why"
        )
    drawn = list(itertools.islice(itertools.cycle(chosen), carrying))
    sources = _sources(record for _, record in drawn)
    added = _added([record for _, record in drawn], sources, wanted)
    seeded = [
        _seeded(record, number, added[number], _Filler(wanted, shapes, f"{rank}/{number // len(chosen)}"), source)
        for number, ((rank, record), source) in enumerate(zip(drawn, sources, strict=True))
    ]
    return seeded + [_plain(number, seed) for number in range(carrying, count)]


def _rank(record: Record, seed: int) -> str:
    """Where a record stands in the draw."""
    text = [record.id, [[turn.role, turn.content] for turn in record.context], record.completion]
    return hashlib.sha256(json.dumps([seed, text]).encode()).hexdigest()


def _sources(drawn: Iterable[Record]) -> list[str]:
    """Of each record which text it has: the number that its turns and completion were first met under."""
    met: dict[tuple[tuple[Turn, ...], str], str] = {}
    return [met.setdefault((record.context, record.completion), f"text-{len(met):06}") for record in drawn]


def _added(drawn: Sequence[Record], sources: Sequence[str], wanted: Mapping[str, int]) -> list[list[str]]:
    """For each record the types to add a sentence of: none in the first half, which stays as dense as the data.

    A text that holds a value of a type already shows nothing more by another, so other texts come first.
    """
    held = [{kind for kind, _ in _slots(record)} for record in drawn]
    texts = Counter(
        kind for _, kind in {(source, kind) for source, kinds in zip(sources, held, strict=True) for kind in kinds}
    )
    added: list[list[str]] = [[] for _ in drawn]
    for kind, least in sorted(wanted.items()):
        places = sorted(range(len(drawn) // 2, len(drawn)), key=lambda n: (kind in held[n], len(added[n]), n))
        for turn in range(max(least - texts[kind], -(-least // ADDED_SHARE))):
            added[places[turn % len(places)]].append(kind)
    return added


def _slots(record: Record) -> set[tuple[str, str]]:
    """Type and number of each placeholder."""
    return {slot for _, text in (*fields(record), *columns(record)) for slot in _SLOT.findall(text)}


def _seeded(record: Record, number: int, added: Sequence[str], filler: "_Filler", source: str) -> Planted:
    filler.case = _case(record)
    opened = _opened(record, number, added, filler.random)
    turns = tuple(Turn(turn.role, filler.fill(f"context[{i}]", turn.content)) for i, turn in enumerate(opened.context))
    completion = filler.fill("completion", opened.completion)
    filler.case = "mixed"
    beside = {name: filler.fill(f"attributes[{name}]", value) for name, value in sorted(record.attributes.items())}
    changed = dataclasses.replace(
        record, id=f"seeded-{number:06}", subject="seeded", bucket=0, context=turns, completion=completion,
        attributes=beside, known=(),
    )  # fmt: skip
    return Planted(changed, tuple(filler.values), source=source)


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
        escapes = text.isascii() and carriers.is_json(text) and self.random.random() < 1 / 2
        for match in _SLOT.finditer(text):
            if match[1] in self._types:
                value = self._value(match[0], match[1])
                value = json.dumps(value)[1:-1] if escapes else value
                parts += [text[position : match.start()], value]
                start = length + match.start() - position
                position, length = match.end(), start + len(value)
                self.values.append(Value(name, start, length, match[1], value, int(match[2]) >= ADDED))
        return "".join([*parts, text[position:]])

    def _value(self, slot: str, kind: str) -> str:
        if slot not in self._invented:
            drawn = (self._inventor.value(kind) for _ in range(_DRAWS))
            taken = {value.casefold() for value in self._invented.values()}
            new = next((value for value in drawn if value.casefold() not in taken), None)
            self._invented[slot] = new or self._inventor.value(kind)
        value = self._invented[slot]
        return _in_case(value, self.case) if kind in FOLLOWS_CASE else value


def _opened(record: Record, number: int, added: Sequence[str], random: Random) -> Record:
    """The record with a sentence for each type, each with a placeholder of its own."""
    asked = [(kind, f"[{kind}_{slot}]") for slot, kind in enumerate(added, ADDED)]
    if asked and number % CALL_SHARE == 0:
        return dataclasses.replace(record, context=(*record.context, carriers.call(_text(asked, random), random)))
    if asked and random.random() < 1 / 2 and carriers.strings(record.completion):
        completion = carriers.beside_string(record.completion, _text(asked, random), random)
        return dataclasses.replace(record, completion=completion)
    return dataclasses.replace(record, context=_with_sentences(record.context, asked, random))


def _text(asked: Sequence[tuple[str, str]], random: Random) -> str:
    """A sentence for each type and placeholder, by themselves."""
    text = ""
    for kind, slot in asked:
        text = _beside(text, random.choice(carriers.sentences(kind)).format(slot), random)
    return text


def _with_sentences(context: tuple[Turn, ...], asked: Sequence[tuple[str, str]], random: Random) -> tuple[Turn, ...]:
    """A sentence for each type and placeholder, in turns that are not the system's."""
    turns = list(context) if any(turn.role != "system" for turn in context) else [*context, Turn("user", "")]
    places = [number for number, turn in enumerate(turns) if turn.role != "system"]
    for kind, slot in asked:
        place = random.choice(places)
        turn = turns[place]
        sentence = random.choice(carriers.sentences(kind))
        if _case_of(turn.content) == "lower":
            sentence = sentence.lower()
        turns[place] = Turn(turn.role, _beside(turn.content, sentence.format(slot), random))
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
    """A record without anything personal, one in six of them in small letters, one in ten with a turn of JSON."""
    random = Random(f"plain/{seed}/{number}")  # noqa: S311
    text = carriers.plain(random, random.randrange(3, 7))
    text = text.lower() if random.random() < 1 / PLAIN_SHARE else text
    context = [Turn("user", text)]
    if number % (2 * CALL_SHARE) == 0:
        context.append(carriers.call(carriers.plain(random, 2), random))
    record = Record(
        id=f"plain-{number:06}", subject="seeded", bucket=0, source="seeded", context=tuple(context),
        completion="Noted.",
    )  # fmt: skip
    return Planted(record, (), plain=True)


def to_json(documents: Iterable[Planted]) -> bytes:
    """Encode where the values of each record are, without the records."""
    rows = [
        {
            "id": each.record.id,
            "plain": each.plain,
            "source": each.source,
            "values": [dataclasses.asdict(value) for value in each.values],
        }
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
        Planted(held[row["id"]], tuple(Value(**value) for value in row["values"]), row["plain"], row["source"])
        for row in told
    ]


def distinct(values: Iterable[Value]) -> Iterator[tuple[Value, ...]]:
    """Values of one record, those with the same type and text together: one value, wherever it stands."""
    found: dict[tuple[str, str], list[Value]] = {}
    for value in values:
        text = json.loads(f'"{value.text}"') if "\\" in value.text else value.text
        found.setdefault((value.type, text), []).append(value)
    yield from map(tuple, found.values())
