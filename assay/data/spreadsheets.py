r"""CSV that goes through a person's spreadsheet and back: RFC 4180, and what Excel, Calc and Numbers make of it.

Written: UTF-8 with a byte order mark, without which Excel reads UTF-8 as its own code page; commas; CRLF.
Read: UTF-8 with or without the mark, UTF-16 (Excel's "Unicode text"), and, if those fail, Windows-1252, which
Excel's plain "CSV" is in western Europe; commas, semicolons (Excel where the comma is the decimal sign) or tabs;
any line end; a first line ``sep=;``; empty rows and columns at the end.

A cell that a spreadsheet would run as a formula (``=``, ``+``, ``-``, ``@``, tab, CR; OWASP, *CSV Injection*)
starts with an apostrophe. So does one that it would turn into a number or a date although its letters matter: an
id such as ``000017``, a digest such as ``12345678e123``. The apostrophe is taken off again when the cell is read.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assay.errors import DataError

MAX_BYTES = 100_000_000
DELIMITERS = (",", ";", "\t")

_RUNS = "=+\\-@\t\r\n＝＋－＠"  # noqa: RUF001  # full-width signs are folded by some spreadsheets
_FORMULA = re.compile(rf"[{_RUNS}']")
_WITHIN = re.compile(rf"(;\s*)(?=[{_RUNS}])")
"""Where a cell would begin if the file were cut at the semicolon rather than at our comma."""

_MISTAKEN = re.compile(
    r"[\W\d_]+(?:e[+-]?\d+)?$|true$|false$|[\d:. ]+[ap]m?$"
    r"|(?:.*[\W\d_])?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:[\W\d_]|$)",
    re.IGNORECASE,
)
"""A number, a truth value, a time of day, a month beside something else: what a spreadsheet writes its own way."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Row(NamedTuple):
    """One row of a file, by the names in its header."""

    line: int
    """Where it starts in the file, from 1."""

    cells: Mapping[str, str]


def shown(text: str, limit: int) -> str:
    """``text`` for one cell to look at, not to read back: on one line, cut at ``limit`` characters, never a formula."""
    lines = (_CONTROL.sub(" ", line).strip() for line in text.splitlines())
    flat = " ⏎ ".join(line for line in lines if line)
    cut = flat if len(flat) <= limit else f"{flat[:limit]} … ({len(flat) - limit} more characters)"
    return guarded(_WITHIN.sub(r"\1'", cut))


def guarded(text: str) -> str:
    """``text`` with an apostrophe before it if a spreadsheet would run it; :func:`bare` undoes it."""
    return f"'{text}" if _FORMULA.match(text) else text


def literal(text: str) -> str:
    """As :func:`guarded`, also if a spreadsheet would change how it is written: for ids and digests."""
    return f"'{text}" if _FORMULA.match(text) or _MISTAKEN.match(text) else text


def bare(cell: str) -> str:
    """What was meant by a cell: without the blanks around it and the apostrophe before it."""
    return cell.strip().removeprefix("'")


def encode(header: Sequence[str], rows: Iterable[Sequence[str]], *, marked: bool) -> bytes:
    """Write cells as they are, ``marked`` for a spreadsheet (byte order mark, CRLF) or plain for a repository."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n" if marked else "\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8-sig" if marked else "utf-8")


def rows(data: bytes, name: str, required: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a file called ``name`` in messages, empty ones left out.

    Raises:
        DataError: it is not CSV, is too large, or its header lacks a column of ``required`` or has one twice.
    """
    if len(data) > MAX_BYTES:
        raise DataError(f"{name}: found {len(data)} bytes; expected at most {MAX_BYTES}. Split the file.")
    first, text = _without_hint(_decoded(data))
    delimiter, header = _header(text, name, required)
    # Without strict, a quote in the wrong place would silently swallow rows.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        next(reader)
        end = reader.line_num
        for cells in reader:
            line, end = end + first, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(header) :]):
                raise DataError(
                    f"{name}:{line}: found {len(cells)} cells; expected {len(header)} as in the header. Mend the row."
                )
            padded = [*cells, *[""] * (len(header) - len(cells))]
            yield Row(line, {column: cell for column, cell in zip(header, padded, strict=False) if column})
    except csv.Error as error:
        raise DataError(
            f"{name}:{reader.line_num + first - 1}: found broken CSV ({error}); mend the line or its quotes."
        ) from None


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _without_hint(text: str) -> tuple[int, str]:
    """The number of the line that the header is in, and the text from there, without Excel's ``sep=`` line."""
    if match := re.match(r"\"?sep=.\"?[^\S\r\n]*(?:\r\n|\r|\n)", text):
        return 2, text[match.end() :]
    return 1, text


def _header(text: str, name: str, required: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter under which the first line holds all of ``required``, and the columns' names."""
    for delimiter in DELIMITERS:
        try:
            found = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        header = [cell.strip() for cell in found]
        while header and not header[-1]:
            header.pop()
        if not set(required) <= set(header):
            continue
        if twice := sorted({column for column in required if header.count(column) > 1}):
            raise DataError(f"{name}:1: found column {', '.join(twice)} twice; expected it once. Remove one.")
        return delimiter, header
    raise DataError(
        f"{name}:1: found no header with the columns {', '.join(required)}; expected them in the first line, "
        "separated by commas or semicolons. Restore the header, or write the file anew."
    )
