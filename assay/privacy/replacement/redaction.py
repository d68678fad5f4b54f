"""Redaction: personal data in a record's text replaced, by numbered placeholders such as ``[PERSON_1]`` or surrogates.

One numbering serves the whole record: a value has the same placeholder in the message and in the answer to
learn, whatever its case, white space or (in a number) punctuation, so that the model can still learn to
copy it. Another record's ``[PERSON_1]`` is somebody else.

A completion that is JSON stays JSON: values are replaced inside its strings, never its keys, and everything else keeps
its bytes. In it only values count that were found in the context, that were known, or that a strict rule finds, since
to a tagger of prose a label such as "refund" may look like anything; but what somebody may have written, such as a
reply, is read as prose. The same holds of attributes (:mod:`assay.privacy.replacement.attributes`). JSON in a turn or
an attribute, such as the arguments of a tool call and what a tool answered, stays JSON in the same way; but it is
input, so its strings are read as prose too. A name in JSON that is personal data, such as an e-mail address or a value
found elsewhere, cannot be replaced: the record leaves the pipeline.

Types whose policy is ``surrogate`` get an invented value of the same shape instead
(:mod:`assay.privacy.replacement.surrogates`), the same one in the whole corpus.

Redaction fails closed. A record that cannot be examined, or is longer or holds more JSON than is examined, or whose
masked text cannot be written, or whose letters or language the detectors do not read
(:mod:`assay.privacy.detection.scripts`, :mod:`assay.privacy.detection.languages`), leaves the pipeline with a reason.
Text that a detector finds only once the rest is masked is masked too: detection is repeated until it finds nothing, so
redacting what is redacted changes nothing.

What is filed about it (:class:`Audited`) says where and of which type, never what; with a key also a fingerprint
of each value (:mod:`assay.privacy.replacement.fingerprints`).
"""

import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from assay.errors import RedactionError
from assay.policy import RedactionSpec
from assay.privacy.detection import languages, scripts
from assay.privacy.replacement.documents import Document
from assay.privacy.replacement.drafts import Draft, Mark, columns, fields
from assay.privacy.replacement.segments import Found, Segment, excess, parts
from assay.privacy.replacement.surrogates import Surrogates
from assay.records import PLACEHOLDER, Dropped, Known, Record

VERSION = 4

STEP = "redact"

ROUNDS = 8
"""Times that detection may find more in what it has masked before the record is given up."""

WHOLE = 4
"""Times the characters of one text that all of a record may have, since its turns are examined as one."""

BROKEN = 10
"""Texts that must all have failed before the detector is blamed rather than the texts."""


class Find(Protocol):
    """A detector: for each text, with the values known about it, ascending disjoint spans."""

    def __call__(
        self, texts: Sequence[str], known: Sequence[Sequence[Known]], *, strict: bool = False
    ) -> Sequence[Sequence[Found]]:
        """Examine each text; ``strict`` counts only what needs no sentence around it."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What was masked in a record, without any of it."""

    id: str
    counts: dict[str, int] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()


def redact(
    records: Sequence[Record], spec: RedactionSpec, find: Find, key: bytes | None = None
) -> tuple[list[Record], list[Dropped], list[Audited]]:
    """Mask what ``find`` finds in every record.

    Args:
        records: With their known values.
        spec: What to mask, and how long a text may be.
        find: The detector.
        key: Secret behind the surrogates, and behind the fingerprints in the audit; without one these are empty.

    Returns:
        ``(redacted, dropped, audited)``; a record is in the first and the last, in input order, or in the
        second. Redacted records have no known values; identity and side are unchanged.

    Raises:
        RedactionError: detection failed on every one of at least :data:`BROKEN` texts, the key is too short, or the
            policy asks for surrogates and there is none.
    """
    surrogates = _surrogates(spec, key)
    dropped: dict[int, Dropped] = {}
    drafts: dict[int, Draft] = {}
    for number, record in enumerate(records):
        if fault := _fault(record, spec, surrogates):
            dropped[number] = Dropped(record.id, STEP, fault)
        else:
            drafts[number] = Draft(record, spec.types, surrogates)
    for number, reason in _mask(drafts, find).items():
        del drafts[number]
        dropped[number] = Dropped(records[number].id, STEP, reason)
    kept = [draft.result() for draft in drafts.values()]
    audited = [_audited(records[number], draft, key) for number, draft in drafts.items()]
    return kept, [dropped[number] for number in sorted(dropped)], audited


def _surrogates(spec: RedactionSpec, key: bytes | None) -> Surrogates | None:
    if not spec.surrogates:
        return None
    if key is None:
        raise RedactionError(
            f"the policy asks for surrogates of {', '.join(sorted(spec.surrogates))}, and found no key; expected one, "
            "under which they are invented. Give the deployment's key of values, or mask these types."
        )
    return Surrogates(key, spec.surrogates)


def _audited(record: Record, draft: Draft, key: bytes | None) -> Audited:
    marks = draft.marks(key)
    return Audited(record.id, dict(sorted(Counter(mark.type for mark in marks).items())), marks)


def _fault(record: Record, spec: RedactionSpec, surrogates: Surrogates | None) -> str | None:
    """Why a record cannot be examined, if so."""
    texts = [*fields(record), *columns(record)]
    if fault := _too_long(texts, spec):
        return fault
    for name, text in texts:
        if fault := _unwritable(text):
            return f"{name} contains {fault}"
    held = {name: parts(name, text) for name, text in texts}
    for name, text in texts:
        if fault := next(filter(None, (_unwritable(part.text) for part in held[name] if part.literal)), None):
            return f"{name} contains {fault}"
        if fault := excess(text, held[name]):
            return f"{name} {fault}"
    words = {name: "\n".join(_words(each, surrogates)) for name, each in held.items()}
    faults = ((name, scripts.unread(text, spec.types)) for name, text in texts)
    return next((fault.format(name) for name, fault in faults if fault), None) or _foreign(record, words, spec)


def _too_long(texts: Sequence[tuple[str, str]], spec: RedactionSpec) -> str | None:
    limit, lengths = spec.max_characters, {name: _length(text, spec.types) for name, text in texts}
    for name, length in lengths.items():
        if length > limit:
            return f"{name} has {length} characters, more than the {limit} that are examined"
    if (length := sum(lengths.values())) > WHOLE * limit:
        return f"the record has {length} characters, more than the {WHOLE * limit} that are examined together"
    return None


def _length(text: str, types: Collection[str]) -> int:
    """In characters, a placeholder for one: what a first pass kept, a second must not refuse for being longer."""
    return len(PLACEHOLDER.sub(lambda match: "." if match[1] in types else match[0], text))


def _unwritable(text: str) -> str | None:
    """What no text may hold, as it is or behind the escapes of JSON."""
    if "\0" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return None


def _foreign(record: Record, words: Mapping[str, str], spec: RedactionSpec) -> str | None:
    """What is wrong with the language of a text, or of all that was said together, in turns too short."""
    system = {f"context[{number}]" for number, turn in enumerate(record.context) if turn.role == "system"}
    said = " ".join(" ".join(words[name].split()) for name, _ in fields(record) if name not in system)
    for name, text in [*words.items(), ("the record", said)]:
        if fault := languages.unread(text, spec.languages):
            return fault.format(name)
    return None


def _words(held: Sequence[Segment], surrogates: Surrogates | None) -> Iterator[str]:
    """What of a text somebody may have written: of JSON its strings, neither names nor labels; and no surrogates."""
    for part in held:
        if not part.literal or (part.is_string and not part.is_label and not part.is_name):
            text = part.text
            for start, end in reversed(surrogates.spans(text) if surrogates else []):
                text = f"{text[:start]} {text[end:]}"
            yield text


def _mask(drafts: Mapping[int, Draft], find: Find) -> dict[int, str]:
    """Examine drafts until nothing more is found; the reasons for which some must be dropped."""
    failed: dict[int, str] = {}
    pending = set(drafts)
    for _ in range(ROUNDS):
        changed: set[int] = set()
        for strict in (False, True):
            documents = [(n, d) for n in sorted(pending) for d in drafts[n].documents(strict=strict)]
            failed |= {n: fault for n in pending if (fault := drafts[n].fault)}
            for (number, document), result in zip(documents, _examine(find, documents, strict=strict), strict=True):
                if isinstance(result, str):
                    failed[number] = result
                elif drafts[number].accept(document, result):
                    changed.add(number)
        failed |= {n: fault for n in changed if (fault := drafts[n].fault)}
        pending = changed - set(failed)
    return {**dict.fromkeys(pending, f"detection still found more after {ROUNDS} rounds"), **failed}


def _examine(find: Find, documents: Sequence[tuple[int, Document]], *, strict: bool) -> list[Sequence[Found] | str]:
    """Spans for each document; where detection raises, the reason, by class only: a message may quote the text."""
    if not documents:
        return []
    texts, known = [d.text for _, d in documents], [d.known for _, d in documents]
    try:
        found = list(find(texts, known, strict=strict))
    except Exception as error:  # noqa: BLE001 - whatever it is, the text was not examined
        if len(documents) == 1:
            return [f"detection failed with {type(error).__name__}"]
        results = [result for document in documents for result in _examine(find, [document], strict=strict)]
        if len(results) >= BROKEN and all(isinstance(result, str) for result in results):
            raise RedactionError(
                f"detection failed on each of {len(results)} texts ({type(error).__name__}): the detector is broken, "
                "not a text. Run it on one text by hand."
            ) from None
        return results
    if len(found) != len(documents):
        return ["detection answered for another number of texts"] * len(documents)
    return list(found)


_MARKS = pa.list_(
    pa.struct(
        [
            ("field", pa.string()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("type", pa.string()),
            ("bucket", pa.string()),
            ("fingerprint", pa.string()),
            ("action", pa.string()),
            ("length", pa.int64()),
        ]
    )
)
_COUNTS = pa.list_(pa.struct([("type", pa.string()), ("count", pa.int64())]))
_AUDIT = pa.schema([("id", pa.string()), ("counts", _COUNTS), ("marks", _MARKS)])


def audit_to_parquet(rows: Sequence[Audited]) -> bytes:
    """Encode what was masked; equal rows give equal bytes for one pyarrow version."""
    table = pa.Table.from_pylist(
        [
            {
                "id": row.id,
                "counts": [{"type": kind, "count": count} for kind, count in sorted(row.counts.items())],
                "marks": [asdict(mark) for mark in row.marks],
            }
            for row in rows
        ],
        schema=_AUDIT,
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def audit_from_parquet(data: bytes) -> list[Audited]:
    """Decode what :func:`audit_to_parquet` wrote."""
    return [
        Audited(row["id"], {c["type"]: c["count"] for c in row["counts"]}, tuple(Mark(**m) for m in row["marks"]))
        for row in pq.read_table(io.BytesIO(data)).to_pylist()
    ]
