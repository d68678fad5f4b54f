"""A record on its way through redaction: what is still to be examined, and what is masked already.

A draft holds a record's segments (:mod:`assay.privacy.replacement.segments`): its turns, its completion, its
attributes. It says which of them are to be examined together, takes what was found, says what stands for it (a
numbered placeholder, or a surrogate; :mod:`assay.privacy.replacement.surrogates`), and writes the record as it then
reads.

Prose is examined first and as a whole, an attribute's by itself; values of JSON and other attributes then, with what
the prose gave away. JSON in a turn or an attribute is input, such as what a tool answered, so its strings are read as
prose too, each with its name as a label. JSON in the completion is the label to learn, so of its strings only those are
read as prose that somebody may have written (:mod:`assay.privacy.replacement.documents`). Two capitalised words are
judged as such an attribute is (:mod:`assay.privacy.replacement.attributes`).

Names in JSON are held against what was found (:mod:`assay.privacy.replacement.keys`), and read if they have a blank.

A surrogate must be seen as one where it stands, or the record would change when it is redacted again. Where it is not,
since its neighbours run into it, and where two values would have the same, the value is masked instead.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from assay.privacy.replacement import attributes
from assay.privacy.replacement.documents import (
    CERTAIN,
    Document,
    alone,
    is_answer,
    is_label,
    is_prose,
    is_sentence,
    is_written,
    may_be_name,
    sentences,
    together,
)
from assay.privacy.replacement.fingerprints import fingerprint
from assay.privacy.replacement.keys import Spoken, personal
from assay.privacy.replacement.segments import Found, Segment, edit, parts, seen, trimmed, written
from assay.privacy.replacement.surrogates import Surrogates, merged
from assay.records import Known, Record, Turn

VERSION = 4

LIKELY = 0.5
"""Score from which a hit is more than a suspicion."""

EXACT = frozenset({"EMAIL", "URL", "IP_ADDRESS", "SECRET", "USERNAME"})
"""Types in whose values punctuation matters; others are compared by their letters and digits alone."""

_NAMED_IN_JSON = "a name in the JSON of {} is personal data, and names are not replaced"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something was masked: characters of the field as it was, and how sure the detector was."""

    field: str
    """``context[0]``, ``context[1]``, …, ``completion``, or ``attributes[NAME]``."""

    start: int
    end: int
    type: str
    bucket: str
    """``low`` under 0.5, ``medium`` under 0.85, ``high`` from there."""

    fingerprint: str = ""
    """Of what was masked, under a key kept elsewhere (:mod:`assay.privacy.replacement.fingerprints`); empty without a
    key."""

    action: str = "mask"
    """What was done: ``mask`` or ``surrogate``."""

    length: int = 0
    """Characters of what stands for it now."""


def fields(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of what is read as prose: each turn, then the completion."""
    for number, turn in enumerate(record.context):
        yield f"context[{number}]", turn.content
    yield "completion", record.completion


def columns(record: Record) -> Iterator[tuple[str, str]]:
    """Names and texts of the attributes, by name."""
    for name, value in sorted(record.attributes.items()):
        yield f"attributes[{name}]", value


class Draft:
    """A record being redacted."""

    def __init__(self, record: Record, types: Sequence[str], surrogates: Surrogates | None = None) -> None:
        self._record, self._surrogates = record, surrogates
        self._fixed = re.compile(rf"\[({'|'.join(map(re.escape, types))})_(\d{{1,6}})\]")
        self._placeholders: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        """Surrogate → the value that it stands for, both without case and punctuation."""
        self._refused: set[str] = set()
        """Values that are masked whatever the policy says of their type."""
        self._numbers: Counter[str] = Counter()
        self._known = [Known(each.type, _plain(each.value)) for each in record.known]
        self._parts = [part for field, text in fields(record) for part in parts(field, text)]
        self._columns = [
            parts(field, text, attributes.label(name))
            for name, (field, text) in zip(sorted(record.attributes), columns(record), strict=True)
        ]
        self.fault: str | None = None
        """Why the record cannot be redacted, if so."""
        for segment in self._segments:
            self._fix(segment)

    @property
    def _segments(self) -> list[Segment]:
        return [*self._parts, *chain.from_iterable(self._columns)]

    def _fix(self, segment: Segment) -> None:
        """Note what of a segment is no personal value but stands for one."""
        placed = list(self._fixed.finditer(segment.text))
        for match in placed:
            self._numbers[match[1]] = max(self._numbers[match[1]], int(match[2]))
        invented = self._surrogates.spans(segment.text) if self._surrogates else []
        segment.fixed = merged([*(match.span() for match in placed), *invented])

    def documents(self, *, strict: bool) -> Iterator[Document]:
        """What is to be examined next, as it now reads."""
        self._decide()
        if not strict:
            prose = [segment for segment in self._parts if is_prose(segment)]
            yield self._document(prose, self._known + self._told(), is_read=True)
            for column in self._columns:
                if read := sentences(column):
                    yield self._document(read, self._known, is_read=True)
            for segment in self._short():
                yield alone(segment)
            yield from self._spoken_keys()
            return
        found = [
            (m, _plain(segment.text[slice(*place)]))
            for segment, place, m in self._masked()
            if not is_answer(segment) or is_written(segment)
        ]
        self._judge_keys()
        for held in (self._parts, *self._columns):
            yield from self._strings(held, found)
        yield from self._column_documents([Known(m.type, value) for m, value in found if _speaks(m)])

    def _told(self) -> list[Known]:
        """Whole names that were found in attributes and answers alone, and so may stand unseen in the turns."""
        inside, beside = set(), {}
        for segment, place, mask in self._masked():
            value = _plain(segment.text[slice(*place)])
            if is_answer(segment) or segment.field.startswith("attributes["):
                if mask.type == "PERSON" and mask.score >= attributes.BELIEVED and attributes.may_be_name(value):
                    beside[_key(value, mask.type)] = Known(mask.type, value)
            else:
                inside.add(_key(value, mask.type))
        return [known for key, known in sorted(beside.items()) if key not in inside]

    def _short(self) -> Iterator[Segment]:
        """Attributes and strings of an answer that are nothing but a few words, which may be a name."""
        for segment in chain.from_iterable(self._columns):
            if not segment.literal and not is_sentence(segment) and may_be_name(segment):
                yield segment
        for segment in self._parts:
            if is_answer(segment) and may_be_name(segment) and not segment.is_name and not is_written(segment):
                yield segment

    def _spoken_keys(self) -> Iterator[Document]:
        """Names in JSON that have a blank, each by itself."""
        for segment in {segment.text: segment for segment in self._segments if segment.is_name}.values():
            if attributes.is_prose(segment.text):
                yield self._document([segment], self._known, is_read=True)
            elif may_be_name(segment):
                yield alone(segment)

    def _judge_keys(self) -> None:
        """See whether what was found is a name in JSON."""
        names = [segment for segment in self._segments if segment.is_name]
        values = [Spoken(m.type, _plain(s.text[slice(*place)]), m.score >= CERTAIN) for s, place, m in self._masked()]
        known = [Spoken(each.type, each.value, is_certain=True) for each in self._known]
        hit = personal([segment.text for segment in names], [*values, *known]) if names else None
        if hit is not None:
            self.fault = _NAMED_IN_JSON.format(next(segment.field for segment in names if segment.text == hit))

    def _strings(self, held: list[Segment], found: list[tuple[Found, str]]) -> Iterator[Document]:
        """Of one text the values of its JSON: labels with what is certain, others with all that was found."""
        certain = [Known(m.type, value) for m, value in found if m.score >= CERTAIN]
        labels = [segment for segment in held if segment.literal and is_label(segment)]
        names = [segment for segment in held if segment.is_name and not segment.is_plain]
        values = [s for s in held if s.literal and not is_label(s) and not s.is_name]
        if labels:
            yield self._document(labels, self._known + certain)
        if names:
            yield self._document(names, self._known + certain)
        if values:
            yield self._document(values, self._known + [Known(m.type, value) for m, value in found])

    def _column_documents(self, found: list[Known]) -> Iterator[Document]:
        """Each attribute by itself, so that no column is read as the label of the next."""
        for segment in chain.from_iterable(self._columns):
            fixed = segment.key is None and attributes.is_fixed(segment.text)
            known = attributes.same(segment.text, self._known, found) if fixed else self._known + found
            whole = (0, len(segment.text)) in segment.masks
            if segment.text and not segment.literal and not whole and (known or not fixed):
                yield self._document([segment], known)

    def _document(self, segments: Sequence[Segment], known: list[Known], *, is_read: bool = False) -> Document:
        return together(segments, known, self._written, is_read=is_read)

    def _decide(self) -> None:
        """Say of each value found whether a surrogate stands for it, before anything is written."""
        surrogates, refused = self._surrogates, -1
        while surrogates is not None and refused != len(self._refused):
            refused = len(self._refused)
            for segment, place, mask in self._masked():
                self._choose(_plain(segment.text[slice(*place)]), mask.type, surrogates)
            for segment in self._segments:
                if segment.masks:
                    self._refused |= self._unseen(segment, surrogates)

    def _choose(self, value: str, kind: str, surrogates: Surrogates) -> None:
        """A surrogate for one value, unless it has none or another value has the same."""
        key = _key(value, kind)
        invented = surrogates.invent(value, kind) if kind in surrogates.kinds else None
        if invented is None or self._taken.setdefault(_key(invented, kind), key) != key:
            self._refused.add(key)

    def _unseen(self, segment: Segment, surrogates: Surrogates) -> set[str]:
        """Values whose surrogates nobody would see as such between their neighbours."""
        text, places = "", []
        for start, end, is_open in segment.pieces():
            piece = segment.text[start:end] if is_open else self._written(segment, start, end)
            mask = segment.masks.get((start, end))
            if mask is not None and mask.type in surrogates.kinds:
                places.append((len(text), len(text) + len(piece), _key(_plain(segment.text[start:end]), mask.type)))
            text += piece
        places = [place for place in places if place[2] not in self._refused]
        closed = {n for start, end in (surrogates.spans(text) if places else ()) for n in range(start, end)}
        return {
            key for start, end, key in places if any(n not in closed and text[n].isalnum() for n in range(start, end))
        }

    def _written(self, segment: Segment, start: int, end: int) -> str:
        """What stands for a closed range: a placeholder or surrogate, or itself if it is one already."""
        value = segment.text[start:end]
        mask = segment.masks.get((start, end))
        if mask is None:
            return _plain(value)
        if self._action(value, mask) == "surrogate" and self._surrogates:
            return self._surrogates.invent(_plain(value), mask.type) or ""
        key = _key(_plain(value), mask.type)
        if key not in self._placeholders:
            self._numbers[mask.type] += 1
            self._placeholders[key] = f"[{mask.type}_{self._numbers[mask.type]}]"
        return self._placeholders[key]

    def _action(self, value: str, mask: Found) -> str:
        """What is done with a value: ``mask`` or ``surrogate``."""
        if self._surrogates is None or mask.type not in self._surrogates.kinds:
            return "mask"
        return "mask" if _key(_plain(value), mask.type) in self._refused else "surrogate"

    def accept(self, document: Document, found: Sequence[Found]) -> bool:
        """Mask what was found in open pieces; whether there was any."""
        anything = False
        for span, origin in document.counted(found):
            first, last = max(origin.start, span.start), min(origin.end, span.end)
            self._mask(origin.segment, origin.within(first, last), span)
            anything = True
        return anything

    def _mask(self, segment: Segment, place: tuple[int, int], span: Found) -> None:
        if segment.is_name:
            self.fault = _NAMED_IN_JSON.format(segment.field)
        is_number = bool(segment.literal) and not segment.is_string
        segment.masks[(0, len(segment.text)) if is_number else trimmed(segment.text, *place)] = span

    def result(self) -> Record:
        """The record as it now reads."""
        edits: dict[str, list[tuple[Segment, tuple[int, int], str]]] = {}
        for segment, place, _ in self._masked():
            edits.setdefault(segment.field, []).append((segment, place, self._written(segment, *place)))
        texts = {name: written(text, edits.get(name, ())) for name, text in fields(self._record)}
        beside = {name: written(text, edits.get(name, ())) for name, text in columns(self._record)}
        turns = zip(self._record.context, texts.values(), strict=False)
        return dataclasses.replace(
            self._record,
            context=tuple(Turn(turn.role, text) for turn, text in turns),
            completion=texts["completion"],
            attributes={name: beside[f"attributes[{name}]"] for name in self._record.attributes},
            known=(),
        )

    def _masked(self) -> Iterator[tuple[Segment, tuple[int, int], Found]]:
        for segment in self._segments:
            for place, mask in sorted(segment.masks.items(), key=lambda item: item[0]):
                yield segment, place, mask

    def marks(self, key: bytes | None = None) -> tuple[Mark, ...]:
        """Where what was replaced, field by field; with fingerprints under ``key``."""
        return tuple(self._mark_of(segment, place, mask, key) for segment, place, mask in self._masked())

    def _mark_of(self, segment: Segment, place: tuple[int, int], mask: Found, key: bytes | None) -> Mark:
        value, new = segment.text[slice(*place)], self._written(segment, *place)
        start, end, stands = edit(segment, *place, new)
        return Mark(
            field=segment.field,
            start=start,
            end=end,
            type=mask.type,
            bucket=_bucket(mask.score),
            fingerprint="" if key is None else fingerprint(_plain(value), key),
            action=self._action(value, mask),
            length=len(stands),
        )


def _plain(value: str) -> str:
    """Without what nobody sees."""
    return seen(value)[0]


def _key(value: str, kind: str) -> str:
    """What two spellings of one value have in common."""
    return value.casefold() if kind in EXACT else "".join(filter(str.isalnum, value.casefold()))


def _speaks(mask: Found) -> bool:
    """Whether what was found in the text is so in an attribute too; an uncertain city may be a region."""
    return mask.score >= CERTAIN or mask.type != "CITY"


def _bucket(score: float) -> str:
    if score >= CERTAIN:
        return "high"
    return "medium" if score >= LIKELY else "low"
