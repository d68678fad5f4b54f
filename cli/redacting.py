"""``assay redact``: personal data in the text of one file replaced, without a recipe or a run.

A batch of rows is in memory at a time. Files are written under another name and renamed when all is done, so what
stands at ``--out`` is whole; they can be read by their owner only. A row that cannot be examined is not written: its
id and the reason go to a file beside. Nothing of a row's text is printed.
"""

import contextlib
import functools
import itertools
import json
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from assay.errors import RecipeError, SourceError, StoreError
from assay.policy import ALWAYS_MASKED, ENTITY_TYPES, RedactionSpec
from assay.privacy.replacement import redaction
from assay.reporting import preview
from cli import rows
from cli.columns import SPANS, Columns, Sheet
from cli.tables import columns as aligned

if TYPE_CHECKING:
    from assay.records import Dropped, Record
    from cli.rows import Row

    Examine = Callable[[Sequence[Record]], tuple[list[Record], list[Dropped], list[redaction.Audited]]]

BATCH = 256
"""Rows that are examined together."""

SHOWN = 50
"""Rows on a preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for."""

    source: Path
    out: Path
    columns: Columns
    policy: RedactionSpec
    spans: bool = False
    preview: Path | None = None
    shown: int = SHOWN

    @property
    def quarantine(self) -> Path:
        """Where rows are listed that could not be examined."""
        return self.out.with_name(f"{self.out.name.removesuffix(self.out.suffix)}.quarantine.jsonl")


@dataclass(slots=True)
class Tally:
    """What became of the rows."""

    rows: int = 0
    touched: int = 0
    quarantined: int = 0
    placeholders: Counter[str] = field(default_factory=Counter)
    surrogates: Counter[str] = field(default_factory=Counter)
    shown: list[preview.Shown] = field(default_factory=list, repr=False)


def redact(order: Order) -> bool:
    """Redact a file, print a summary, and say whether every row could be examined."""
    _refuse_same_files(order)
    from assay.privacy.detection import detector

    source = rows.read(order.source, order.columns.named)
    first = next(source)  # Before the detector is loaded, which takes a while.
    find = detector.Detector(order.policy).find
    examine = functools.partial(redaction.redact, spec=order.policy, find=find, key=_key(order.policy))
    tally = Tally()
    with _draft(order.out, "--out") as out:
        with _draft(order.quarantine, "--out") as aside:
            out.write(first.head([SPANS] if order.spans else []))
            for sheet, outcome in _outcomes(order, itertools.chain([first], source), examine):
                (aside if isinstance(outcome, str) else out).write(_line(order, sheet, outcome))
                _count(order, tally, sheet, outcome)
            if order.preview is not None:
                _write_preview(order.preview, order.source.name, tally)
        if not tally.quarantined:
            order.quarantine.unlink()  # Nor may that of an earlier time be taken for ours.
    _tell(order, tally)
    return not tally.quarantined


def parse(  # noqa: PLR0913
    source: str,
    out: str,
    texts: Sequence[str],
    known: Sequence[str],
    *,
    id: str | None = None,
    entities: str | None = None,
    profile: str = "standard",
    surrogate: str | None = None,
    spans: bool = False,
    page: str | None = None,
    shown: int = SHOWN,
) -> Order:
    """What was typed, understood.

    Raises:
        RecipeError: something of it is wrong.
    """
    wanted = _types("--entities", entities) if entities is not None else ENTITY_TYPES
    invented = _types("--surrogate", surrogate) if surrogate is not None else ()
    pairs = [_pair(each, wanted) for each in known]
    columns = Columns(tuple(texts), dict(pairs), id)
    if len(set(columns.named)) != len(columns.named) or len(dict(pairs)) != len(pairs):
        raise RecipeError(
            "--text, --known, --id: found a column named twice; expected each once. A column is text to look in, a "
            "value to look for, or an id, which is kept as it is."
        )
    if shown < 1:
        raise RecipeError(f"--preview-rows: found {shown}; expected 1 or more.")
    return Order(
        source=Path(source),
        out=Path(out),
        columns=columns,
        policy=_policy(wanted, invented, profile),
        spans=spans,
        preview=Path(page) if page is not None else None,
        shown=shown,
    )


def _types(option: str, typed: str) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in typed.split(","))
    if unknown := sorted(set(wanted) - set(ENTITY_TYPES)):
        expected = ", ".join(sorted(ENTITY_TYPES))
        raise RecipeError(f"{option}: found {unknown}; expected some of {expected}. Mend the list.")
    return wanted


def _policy(wanted: Sequence[str], invented: Sequence[str], profile: str) -> RedactionSpec:
    if ALWAYS_MASKED in invented:
        raise RecipeError(
            f"--surrogate: found {ALWAYS_MASKED}, which is always masked; expected other types. Leave it."
        )
    if missing := sorted(set(invented) - set(wanted)):
        raise RecipeError(f"--surrogate: found {missing}, which --entities lacks; expected them there too. Add them.")
    masks = RedactionSpec.only(*wanted, profile=profile)
    return masks.model_copy(update={"policy": masks.policy | dict.fromkeys(invented, "surrogate")})


def _key(policy: RedactionSpec) -> bytes | None:
    """What surrogates are invented under, so that they are those of a run; made only if there are any."""
    from tasks.places import value_key

    return value_key() if policy.surrogates else None


def _pair(typed: str, wanted: Sequence[str]) -> tuple[str, str]:
    kind, _, column = (part.strip() for part in typed.partition("="))
    if not column or kind not in ENTITY_TYPES:
        raise RecipeError(
            f"--known: found no TYPE=COLUMN; expected such as PERSON=name, of {', '.join(sorted(ENTITY_TYPES))}."
        )
    if kind not in wanted:
        raise RecipeError(f"--known: found {kind}, which --entities lacks; expected it there too. Add it.")
    return column, kind


def _refuse_same_files(order: Order) -> None:
    from tasks.places import home

    files = [order.source, order.out, order.quarantine, *([order.preview] if order.preview else [])]
    if len({path.resolve() for path in files}) != len(files):
        raise RecipeError(
            "--out: found one file named twice; expected input, output, quarantine and preview to differ."
        )
    if order.out.suffix != order.source.suffix:
        raise RecipeError(
            f"--out: found {order.out.suffix or 'no ending'}; expected {order.source.suffix}, as the input has. "
            "Nothing is converted."
        )
    if order.preview is not None and order.preview.resolve().is_relative_to(home().resolve()):
        raise RecipeError(
            "--preview: found a place below ASSAY_HOME; expected one outside it: the page holds personal data, and "
            "what lies there is kept and served. Name another."
        )


def _outcomes(
    order: Order, source: "Iterator[Row]", examine: "Examine"
) -> Iterator[tuple[Sheet, list[preview.Passage] | str]]:
    """Stream rows through redaction: the columns of each before and after, or why it could not be examined."""
    while batch := list(itertools.islice(source, BATCH)):
        _refuse_spans(order, batch)
        sheets = [Sheet(row, order.columns) for row in batch]
        yield from zip(sheets, _examined(sheets, examine), strict=True)


def _line(order: Order, sheet: Sheet, outcome: list[preview.Passage] | str) -> str:
    """What is filed of a row: itself, or why it is not."""
    if isinstance(outcome, str):
        return json.dumps({"id": sheet.id, "reason": outcome}) + "\n"
    return sheet.written(outcome, spans=order.spans)


def _examined(sheets: Sequence[Sheet], examine: "Examine") -> list[list[preview.Passage] | str]:
    results: dict[int, list[preview.Passage] | str] = {n: s.fault for n, s in enumerate(sheets) if s.fault}
    # Ids are the data's and may be double: here a row is called after its place.
    asked = {str(n): replace(s.record(), id=str(n)) for n, s in enumerate(sheets) if n not in results}
    redacted, dropped, audited = examine(list(asked.values()))
    results |= {int(each.id): sheets[int(each.id)].reason(each.reason) for each in dropped}
    for record, audit in zip(redacted, audited, strict=True):
        results[int(record.id)] = sheets[int(record.id)].passages(record, audit)
    return [results[number] for number in range(len(sheets))]


def _refuse_spans(order: Order, batch: "Sequence[Row]") -> None:
    if order.spans and (found := [row.line for row in batch if SPANS in row.cells]):
        raise SourceError(
            f"{order.source} line {found[0]}: found a column {SPANS} already; expected none beside --spans. Rename it."
        )


def _count(order: Order, tally: Tally, sheet: Sheet, passages: list[preview.Passage] | str) -> None:
    tally.rows += 1
    if isinstance(passages, str):
        tally.quarantined += 1
        return
    spans = [span for p in passages if p.column in order.columns.texts for span in p.spans]
    tally.touched += bool(spans)
    tally.placeholders.update(span.type for span in spans if not span.is_surrogate)
    tally.surrogates.update(span.type for span in spans if span.is_surrogate)
    if order.preview is not None and len(tally.shown) < order.shown:
        known = order.columns.known
        shown = tuple(_unquoted(p) if p.column in known else p for p in passages)
        tally.shown.append(preview.Shown(sheet.id, shown))


def _unquoted(passage: preview.Passage) -> preview.Passage:
    """A known value as it reads, rather than as its JSON text."""
    if not passage.original.startswith('"'):
        return passage
    original, redacted = json.loads(passage.original), json.loads(passage.redacted)
    spans = tuple(span._replace(end=len(original), length=len(redacted)) for span in passage.spans)
    return replace(passage, original=original, redacted=redacted, spans=spans)


def _write_preview(path: Path, name: str, tally: Tally) -> None:
    totals = preview.Totals(
        name, tally.rows, tally.touched, tally.quarantined, dict(tally.placeholders), dict(tally.surrogates)
    )
    with _draft(path, "--preview") as file:
        file.write(preview.page(tally.shown, totals).decode())


@contextlib.contextmanager
def _draft(path: Path, option: str) -> Iterator[IO[str]]:
    """A file that only its owner reads, and that has its name once it is whole."""
    draft = path.with_name(f".draft-{uuid.uuid4().hex}")
    try:
        with os.fdopen(
            os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8", newline=""
        ) as file:
            yield file
        draft.replace(path)
    except OSError as error:
        found = (error.strerror or type(error).__name__).lower()
        raise StoreError(
            f"{option}: found {found} at {path.parent}; expected a folder with room and permission to write. "
            "Mend that, or name another."
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _tell(order: Order, tally: Tally) -> None:
    what = "replaced in" if tally.surrogates else "with placeholders"
    counts = [("rows", tally.rows), (what, tally.touched), ("set aside", tally.quarantined)]
    kinds = tally.placeholders + tally.surrogates
    rows = [(f"  {name}", f"{number:>9}", "") for name, number in counts]
    rows += [
        (f"  {kind}", f"{number:>9}", _by(tally, kind))
        for kind, number in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    ]
    print(f"assay redact {order.source}\n")
    print(aligned(rows if tally.surrogates else [row[:2] for row in rows]))
    print(f"\nredacted rows in {order.out}")
    if tally.quarantined:
        print(f"ids and reasons of the others in {order.quarantine}: they could not be examined, and were not written")
    if order.preview is not None:
        print(f"preview in {order.preview}: it holds personal data; look, then delete it")


def _by(tally: Tally, kind: str) -> str:
    """What stands for the values of a type, told where some are invented."""
    counts = (("surrogate", tally.surrogates[kind]), ("placeholder", tally.placeholders[kind]))
    return ", ".join(f"{number} {what}{'s' * (number > 1)}" for what, number in counts if number)
