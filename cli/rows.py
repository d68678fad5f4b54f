"""Rows of a file that a command changes in a few columns, and leaves as they are in all others.

JSON lines, or CSV with a header; one row in memory at a time. A cell is its JSON text, as it stands in the file (of a
CSV file: the text as a JSON string). Where a line of JSON is written back, everything but the changed values keeps its
bytes: the order of columns, spaces, the spelling of numbers.

A file that cannot be read is told by line, and never by what stands there.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from assay import lines
from assay.errors import SourceError

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


class Row(Protocol):
    """A row as it stands in its file."""

    @property
    def line(self) -> int:
        """Its last line in the file, from 1."""

    @property
    def cells(self) -> Mapping[str, str]:
        """Column → JSON text of its value."""

    @property
    def doubled(self) -> Collection[str]:
        """Columns that stand in it more than once, of which :attr:`cells` has the last."""

    def head(self, more: Sequence[str] = ()) -> str:
        """What stands before the first row of a file with these columns, and ``more``."""

    def written(self, changes: Mapping[str, str], more: Mapping[str, str]) -> str:
        """The row with the cells ``changes``, and with ``more`` behind them; ends its line."""


@dataclass(frozen=True, slots=True)
class JsonRow:
    """A line of JSON."""

    line: int
    text: str
    places: Mapping[str, tuple[int, int]]
    doubled: Collection[str]

    @property
    def cells(self) -> Mapping[str, str]:
        """As they stand in the line."""
        return {name: self.text[start:end] for name, (start, end) in self.places.items()}

    def head(self, more: Sequence[str] = ()) -> str:  # noqa: ARG002  # a line of JSON names its own columns
        """Nothing."""
        return ""

    def written(self, changes: Mapping[str, str], more: Mapping[str, str]) -> str:
        """The line, its bytes kept where nothing changes."""
        parts, position = [], 0
        for name, (start, end) in sorted(self.places.items(), key=lambda item: item[1]):
            parts += [self.text[position:start], changes.get(name, self.text[start:end])]
            position = end
        last = self.text.rindex("}")
        added = [f"{json.dumps(name)}: {cell}" for name, cell in more.items()]
        comma = ", " if self.places and added else ""
        return "".join([*parts, self.text[position:last], comma, ", ".join(added), "}\n"])


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row of a CSV file: every cell is text."""

    line: int
    header: Sequence[str]
    fields: Sequence[str]
    doubled: Collection[str] = ()

    @property
    def cells(self) -> Mapping[str, str]:
        """Each as a JSON string."""
        return {
            name: json.dumps(field, ensure_ascii=False) for name, field in zip(self.header, self.fields, strict=True)
        }

    def head(self, more: Sequence[str] = ()) -> str:
        """The header."""
        return _csv_line([*self.header, *more])

    def written(self, changes: Mapping[str, str], more: Mapping[str, str]) -> str:
        """The row, quoted where it must be; what is no text is written as its JSON text."""
        cells = [changes.get(name) for name in self.header]
        fields = [old if cell is None else json.loads(cell) for cell, old in zip(cells, self.fields, strict=True)]
        return _csv_line([*fields, *more.values()])


def read(path: Path, required: Collection[str]) -> Iterator[Row]:
    """Yield the rows of a file in order; empty lines are no rows.

    Raises:
        SourceError: the file is absent, broken, empty, of another kind, or its first row lacks a column.
    """
    kinds = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv}
    reader = kinds.get(path.suffix)
    if reader is None:
        raise SourceError(
            f"{path}: found a file of a kind that is not read; expected {', '.join(kinds)}. Convert it, or read "
            "Parquet with a recipe."
        )
    try:
        with path.open("rb") as file:
            yield from _with_columns(path, reader(path, file), required)
    except OSError as error:
        found = "nothing" if isinstance(error, FileNotFoundError) else (error.strerror or type(error).__name__).lower()
        raise SourceError(f"{path}: found {found}; expected a file with data. Check the path.") from None


def members(text: str) -> Iterator[tuple[str, int, int]]:
    """Name of each member of the sound JSON object ``text``, start and end of its value."""
    position = _past_space(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = _DECODER.raw_decode(text, position)
        start = _past_space(text, _past_space(text, position) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        position = _past_space(text, end)
        if text[position] == ",":
            position = _past_space(text, position + 1)


def _past_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _with_columns(path: Path, rows: Iterator[Row], required: Collection[str]) -> Iterator[Row]:
    """The rows, if the first has the columns that were named; its own names may be data, so they are not told."""
    first = next(rows, None)
    if first is None:
        raise SourceError(f"{path}: found no rows; expected at least one. Check the file.")
    if missing := [name for name in required if name not in first.cells]:
        raise SourceError(
            f"{path}: found no column {', '.join(map(repr, missing))} in the first row among {len(first.cells)}; "
            "expected those named. Check their spelling."
        )
    yield first
    yield from rows


def _jsonl(path: Path, file: IO[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines.decoded(str(path), file), start=1):
        if line.strip():
            yield _json_row(path, number, line.rstrip("\r\n"))


def _json_row(path: Path, number: int, line: str) -> JsonRow:
    lines.parsed(str(path), number, line)
    found = list(members(line))
    names = Counter(name for name, _, _ in found)
    return JsonRow(
        number, line, {name: (start, end) for name, start, end in found}, [name for name in names if names[name] > 1]
    )


def _csv(path: Path, file: IO[bytes]) -> Iterator[Row]:
    reader = csv.reader(lines.decoded(str(path), file), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header):
            raise SourceError(
                f"{path} line 1: found a column's name twice; expected names that differ. Mend the header."
            )
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                raise SourceError(
                    f"{path} line {reader.line_num}: found {len(fields)} fields; expected {len(header)} as in the "
                    "header. Mend the line or its quotes."
                )
            yield CsvRow(reader.line_num, header, fields)
    except csv.Error as error:
        raise SourceError(f"{path} line {reader.line_num}: found broken CSV ({error}); mend the line.") from None


def _csv_line(fields: Sequence[str]) -> str:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerow(fields)
    return held.getvalue()
