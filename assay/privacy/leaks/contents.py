"""Contents: the bytes of a file as they can be searched: as they lie there, and decoded.

Parquet is read column by column, down to the leaves of lists and structs, with its names; gzip, bzip2, xz, zstd and
zip are unpacked, and what is in them is read in the same way. An SQLite database is read row by row, with the frames
of its write-ahead log applied (https://sqlite.org/fileformat2.html, section 4), since SQLite writes one column behind
the other with nothing between. Its pages as they lie there, and the log, hold what was deleted or overwritten too;
there words may be *glued* to what stands beside them.
"""

import bz2
import gzip
import io
import lzma
import sqlite3
import struct
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

VERSION = 2

DEPTH = 4
"""Files within files that are opened."""

MAX_BYTES = 4 << 30
"""A packed file that unpacks to more is refused."""

SQLITE = b"SQLite format 3\0"
WALS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_HEAD, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")


class View(NamedTuple):
    """Bytes to search."""

    data: bytes
    glued: bool = False
    """Whether words may run into what stands beside them."""


class UnreadableError(ValueError):
    """A file is packed in a way that can only be searched as it lies there; its message names no content."""


def is_opened(head: bytes) -> bool:
    """Whether a file that starts so must be read whole."""
    return head.startswith((b"PAR1", SQLITE, *WALS, *_PACKED))


def views(data: bytes, log: bytes = b"", depth: int = DEPTH) -> Iterator[View]:
    """Everything in a file.

    Args:
        data: its bytes.
        log: bytes of the write-ahead log beside it, of a database.
        depth: files within files that are still opened.

    Raises:
        UnreadableError: it cannot be decoded, after what can be searched as it lies there.
    """
    yield View(data, glued=data.startswith((SQLITE, *WALS)))
    if not is_opened(data):
        return
    if not depth:
        raise UnreadableError(f"packed in more than {DEPTH} layers")
    try:
        yield from _opened(data, log, depth)
    except UnreadableError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a decoder raises may quote what it read
        raise UnreadableError(type(error).__name__) from None


def _opened(data: bytes, log: bytes, depth: int) -> Iterator[View]:
    if data.startswith(b"PAR1"):
        yield View(_columns(data))
    elif data.startswith(SQLITE):
        for cell in _cells(_with_log(data, log)):
            yield from views(cell, depth=depth - 1)
    elif kind := next((name for magic, name in _PACKED.items() if data.startswith(magic)), None):
        for inner in _unpacked(data, kind):
            yield from views(inner, depth=depth - 1)


def _columns(data: bytes) -> bytes:
    """The texts and bytes in a Parquet file, a line each."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    lines: list[bytes] = [name.encode() for name in table.schema.names]
    for column in table.columns:
        for chunk in column.chunks:
            lines.extend(_leaves(chunk))
    return b"\n".join(lines)


def _leaves(array: Any) -> Iterator[bytes]:  # noqa: ANN401  # pyarrow is untyped
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        yield from _leaves(array.dictionary)
    elif pa.types.is_struct(kind):
        for part in array.flatten():
            yield from _leaves(part)
    elif pa.types.is_map(kind):
        yield from _leaves(array.keys)
        yield from _leaves(array.items)
    elif pa.types.is_nested(kind):
        yield from _leaves(array.flatten())
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        yield from (value for value in array.to_pylist() if value)
    else:
        yield from (str(value).encode("utf-8", "surrogatepass") for value in array.to_pylist() if value is not None)


def _unpacked(data: bytes, kind: str) -> Iterator[bytes]:
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise UnreadableError(f"unpacks to more than {MAX_BYTES} bytes")
            for entry in archive.infolist():
                yield entry.filename.encode()
                yield archive.read(entry)
        return
    with _stream(data, kind) as stream:
        unpacked = bytes(stream.read(MAX_BYTES + 1))
    if len(unpacked) > MAX_BYTES:
        raise UnreadableError(f"unpacks to more than {MAX_BYTES} bytes")
    yield unpacked


def _stream(data: bytes, kind: str) -> Any:  # noqa: ANN401  # four libraries' files
    import pyarrow as pa

    match kind:
        case "gzip":
            return gzip.GzipFile(fileobj=io.BytesIO(data))
        case "bzip2":
            return bz2.BZ2File(io.BytesIO(data))
        case "xz":
            return lzma.LZMAFile(io.BytesIO(data))
        case _:
            return pa.CompressedInputStream(pa.py_buffer(data), "zstd")


def _with_log(data: bytes, log: bytes) -> bytes:
    """A database with what its write-ahead log says of its pages, as it would be after a checkpoint."""
    pages = bytearray(data)
    pages[18:20] = b"\x01\x01"  # In memory there is no log, and SQLite would ask for one.
    if log.startswith(WALS) and len(log) > _HEAD.size:
        _, _, size, _, *salt, _, _ = _HEAD.unpack_from(log)
        pending: list[tuple[int, bytes]] = []
        for start in range(_HEAD.size, len(log) - _FRAME.size - size + 1, _FRAME.size + size):
            number, committed, *rest = _FRAME.unpack_from(log, start)
            if rest[:2] != salt:
                break  # What follows is of an earlier round.
            pending.append((number, log[start + _FRAME.size : start + _FRAME.size + size]))
            if committed:
                for page, content in pending:
                    pages[(page - 1) * size : page * size] = content
                pending.clear()
        pages[18:20] = b"\x01\x01"
    return bytes(pages)


def _cells(database: bytes) -> Iterator[bytes]:
    """Texts and bytes in a database: small ones of a table together, a line each; what is packed by itself."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(database)
        connection.text_factory = bytes
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            name = table.decode().replace('"', '""')
            lines = []
            for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608  # a name of its own, quoted
                for cell in row:
                    if isinstance(cell, bytes) and is_opened(cell):
                        yield cell
                    elif cell is not None:
                        lines.append(cell if isinstance(cell, bytes) else str(cell).encode())
            yield b"\n".join(lines)
