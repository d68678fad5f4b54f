"""Tables: frames from a file that somebody has, before there is a recipe for it.

JSON lines, CSV with a header, or Parquet, a shard in memory at a time. Cells become what the pipeline would make of
them: at the doorways of records everything is text, an object as its JSON text; at those where rows are counted
(``splits``, ``predictions``) numbers stay numbers. A list stays a list, for the checks on chats. A row without an id
of its own is called after its place, ``row 17``.

A file that cannot be read is told by line, and never by what stands there.
"""

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from assay import lines
from assay.errors import SourceError
from expectations.reading import COUNTED

if TYPE_CHECKING:
    import pandas as pd

SHARD_ROWS = 5_000
KEY = "id"

Row = Mapping[str, object]


def read(path: Path, columns: Collection[str], named: Mapping[str, str], doorway: str) -> "Iterator[pd.DataFrame]":
    """Yield the shards of a file in order.

    Args:
        path: the file; its ending says what it is.
        columns: those that are wanted; one that the file lacks is left out, save the id.
        named: what a wanted column is called in the file, if otherwise.
        doorway: name of the suite, by which numbers stay numbers or become text.

    Raises:
        SourceError: the file is absent, broken, of another kind, or lacks a column of ``named``.
    """
    wanted = {column: named.get(column, column) for column in [KEY, *sorted(set(columns) - {KEY})]}
    rows = enumerate(_rows(path, sorted(set(named.values()))), start=1)
    numbered: bool | None = None
    while part := list(itertools.islice(rows, SHARD_ROWS)):
        if numbered is None:
            numbered = wanted[KEY] not in part[0][1]
        yield _frame(part, wanted, numbered=numbered, as_text=doorway not in COUNTED)


def _frame(
    part: Iterable[tuple[int, Row]], wanted: Mapping[str, str], *, numbered: bool, as_text: bool
) -> "pd.DataFrame":
    import pandas as pd

    rows = list(part)
    present = {name for _, row in rows for name in row}
    cells: dict[str, list[object]] = {
        column: [_cell(row.get(name), as_text=as_text or column == KEY) for _, row in rows]
        for column, name in wanted.items()
        if name in present
    }
    if numbered:
        cells[KEY] = [f"row {number}" for number, _ in rows]
    return pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in cells.items()})


def _cell(value: object, *, as_text: bool) -> object:
    if value is None or isinstance(value, str | list):
        return value
    if isinstance(value, dict) or as_text:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return value


def _rows(path: Path, required: Collection[str]) -> Iterator[Row]:
    kinds = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".parquet": _parquet}
    reader = kinds.get(path.suffix)
    if reader is None:
        raise SourceError(
            f"{path}: found a file of a kind that is not read; expected {', '.join(kinds)}, or a recipe. Convert it."
        )
    try:
        with path.open("rb") as file:
            yield from _with_columns(path, reader(path, file), required)
    except OSError as error:
        found = "nothing" if isinstance(error, FileNotFoundError) else (error.strerror or type(error).__name__).lower()
        raise SourceError(f"{path}: found {found}; expected a file with data. Check the path.") from None


def _with_columns(path: Path, rows: Iterator[Row], required: Collection[str]) -> Iterator[Row]:
    """The rows, if the first has the columns that were named; its own names may be data, so they are not told."""
    first = next(rows, None)
    if first is None:
        return
    if missing := [name for name in required if name not in first]:
        raise SourceError(
            f"{path}: found no column {', '.join(map(repr, missing))} among {len(first)}; expected those named. "
            "Mend --columns, or the file's header."
        )
    yield first
    yield from rows


def _jsonl(path: Path, file: IO[bytes]) -> Iterator[Row]:
    for number, text in enumerate(lines.decoded(str(path), file), start=1):
        if text.strip():
            yield lines.whole(str(path), number, text)


def _csv(path: Path, file: IO[bytes]) -> Iterator[Row]:
    yield from lines.separated(str(path), lines.decoded(str(path), file))


def _parquet(path: Path, file: IO[bytes]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = 0
    try:
        for batch in pq.ParquetFile(file).iter_batches(1024):
            for row in batch.to_pylist():
                rows += 1
                yield row
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise SourceError(
            f"{path}: found no sound Parquet after row {rows} ({type(error).__name__}); write the file anew."
        ) from None
