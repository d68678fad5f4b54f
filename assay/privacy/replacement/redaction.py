"""Redaction: personal data in a record's text replaced, by numbered placeholders such as ``[PERSON_1]`` or surrogates.

One numbering serves the whole record: a value has the same placeholder in the message and in the answer to
learn, whatever its case, white space or (in a number) punctuation, so that the model can still learn to
copy it. Another record's ``[PERSON_1]`` is somebody else.

A completion that is JSON stays JSON: values are replaced inside its strings, never its keys, and everything else keeps
its bytes. In it only values count that were found in the context, that were known, or that a strict rule finds, since
to a tagger of prose a label such as "refund" may look like anything. The same holds of attributes
(:mod:`assay.privacy.replacement.attributes`). JSON in a turn, such as the arguments of a tool call and what a tool
answered, stays JSON in the same way; but it is input, so its strings are read as prose too. A name in JSON that is
personal data, such as an e-mail address, cannot be replaced: the record leaves the pipeline.

Types whose policy is ``surrogate`` get an invented value of the same shape instead
(:mod:`assay.privacy.replacement.surrogates`), the same one in the whole corpus.

Redaction fails closed. A record that cannot be examined, or whose masked text cannot be written, or whose letters or
language the detectors do not read (:mod:`assay.privacy.detection.scripts`, :mod:`assay.privacy.detection.languages`),
leaves the pipeline with a reason. Text that a detector finds only once the rest is masked is masked too: detection is
repeated until it finds nothing, so redacting what is redacted changes nothing.

What is filed about it (:class:`Audited`) says where and of which type, never what; with a key also a fingerprint
of each value (:mod:`assay.privacy.replacement.fingerprints`).
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from assay.errors import RedactionError
from assay.policy import RedactionSpec
from assay.privacy.detection import languages
from assay.privacy.detection.scripts import unread
from assay.privacy.replacement.drafts import Document, Draft, Mark, columns, fields
from assay.privacy.replacement.segments import Found, parts
from assay.privacy.replacement.surrogates import Surrogates
from assay.records import PLACEHOLDER, Dropped, Known, Record

VERSION = 3

STEP = "redact"

ROUNDS = 8
"""Times that detection may find more in what it has masked before the record is given up."""


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
        if fault := _fault(record, spec):
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


def _fault(record: Record, spec: RedactionSpec) -> str | None:
    """Why a record cannot be examined, if so."""
    for name, text in (*fields(record), *columns(record)):
        if (length := _length(text)) > spec.max_characters:
            return f"{name} has {length} characters, more than the {spec.max_characters} that are examined"
        if fault := _unwritable(text):
            return f"{name} contains {fault}"
    for name, text in fields(record):
        if fault := next(filter(None, (_unwritable(part.text) for part in parts(name, text) if part.literal)), None):
            return f"{name} contains {fault}"
    faults = ((name, unread(text)) for name, text in fields(record))
    return next((fault.format(name) for name, fault in faults if fault), None) or _foreign(record, spec)


def _length(text: str) -> int:
    """In characters, a placeholder for one: what a first pass kept, a second must not refuse for being longer."""
    return len(PLACEHOLDER.sub(".", text))


def _unwritable(text: str) -> str | None:
    """What no text may hold, as it is or behind the escapes of JSON."""
    if "\0" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return None


def _foreign(record: Record, spec: RedactionSpec) -> str | None:
    """What is wrong with the language of a turn or answer, or of all that was said together, in turns too short."""
    words = {name: "\n".join(_words(name, text)) for name, text in fields(record)}
    system = {f"context[{number}]" for number, turn in enumerate(record.context) if turn.role == "system"}
    said = " ".join(" ".join(text.split()) for name, text in words.items() if name not in system)
    for name, text in [*words.items(), ("the record", said)]:
        if fault := languages.unread(text, spec.languages):
            return fault.format(name)
    return None


def _words(name: str, text: str) -> Iterator[str]:
    """What of a field somebody may have written: of JSON its strings, neither names nor labels."""
    for part in parts(name, text):
        if not part.literal or (part.is_string and not part.is_label and not part.is_name):
            yield part.text


def _mask(drafts: Mapping[int, Draft], find: Find) -> dict[int, str]:
    """Examine drafts until nothing more is found; the reasons for which some must be dropped."""
    failed: dict[int, str] = {}
    pending = set(drafts)
    for _ in range(ROUNDS):
        changed: set[int] = set()
        for strict in (False, True):
            documents = [(n, d) for n in sorted(pending) for d in drafts[n].documents(strict=strict)]
            for (number, document), result in zip(documents, _examine(find, documents, strict=strict), strict=True):
                if isinstance(result, str):
                    failed[number] = result
                elif drafts[number].accept(document, result):
                    changed.add(number)
                    if fault := drafts[number].fault:
                        failed[number] = fault
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
