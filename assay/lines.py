"""Lines: rows of a text file, one object of JSON or one record of CSV at a time.

A file that cannot be read is told by line, and never by what stands there: it may be anybody's. ``where`` names the
file in messages. Blank lines are a caller's business, as is what a row must hold.
"""

import csv
import json
from collections.abc import Iterable, Iterator

from assay.errors import SourceError


def decoded(where: str, file: Iterable[bytes]) -> Iterator[str]:
    """Lines as text, without the byte order mark that some programs put first.

    Raises:
        SourceError: a line is not UTF-8.
    """
    for number, raw in enumerate(file, start=1):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{where} line {number}: found a byte that is not UTF-8 at offset {error.start}; expected UTF-8. "
                "Convert the file."
            ) from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def parsed(where: str, number: int, text: str) -> dict[str, object]:
    """The JSON object on a line.

    Raises:
        SourceError: there is none.
    """
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:  # A ValueError of its own: a number of thousands of digits.
        column = f" at column {error.colno} ({error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise SourceError(
            f"{where} line {number}: found broken JSON{column}; expected one JSON object per line. "
            "Mend or remove the line."
        ) from None
    if not isinstance(row, dict):
        raise SourceError(
            f"{where} line {number}: found a JSON {type(row).__name__}; expected an object. Mend or remove the line."
        )
    return row


def whole(where: str, number: int, text: str) -> dict[str, object]:
    """As :func:`parsed`; half of a surrogate pair, which could not be written down again, is refused."""
    row = parsed(where, number, text)
    try:
        if "\\ud" in text.lower():
            json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise SourceError(
            f"{where} line {number}: found half of a surrogate pair (\\ud800 to \\udfff); expected text that UTF-8 can "
            "hold. Mend or remove the line."
        ) from None
    return row


def separated(where: str, text: Iterable[str]) -> Iterator[dict[str, str]]:
    """Rows of CSV with a header.

    Raises:
        SourceError: a row has another number of fields than the header, or quotes do not close.
    """
    reader = csv.DictReader(text, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise SourceError(
                    f"{where} line {reader.line_num}: found another number of fields than the header has; expected "
                    f"{len(reader.fieldnames or [])}. Mend the line or its quotes."
                )
            yield row
    except csv.Error as error:
        line = reader.reader.line_num  # The outer one has not counted the line yet.
        raise SourceError(f"{where} line {line}: found broken CSV ({error}); mend the line.") from None
