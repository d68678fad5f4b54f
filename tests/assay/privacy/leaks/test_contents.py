"""What is packed in a file is read, whatever packed it."""

import bz2
import gzip
import io
import lzma
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.privacy.leaks.contents import DEPTH, UnreadableError, is_opened, views

SAID = b"Anna Kowalska"


def everything(data: bytes, log: bytes = b"") -> bytes:
    """All decoded views of a file, without the bytes as they lie there."""
    return b"|".join(view.data for view in list(views(data, log))[1:])


def packed(kind: str, data: bytes) -> bytes:
    """``data`` packed."""
    buffer = io.BytesIO()
    match kind:
        case "gzip":
            return gzip.compress(data)
        case "bzip2":
            return bz2.compress(data)
        case "xz":
            return lzma.compress(data)
        case "zstd":
            return pa.compress(data, codec="zstd", asbytes=True)
        case _:
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("inner.txt", data)
            return buffer.getvalue()


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_packed_files_are_unpacked_and_so_is_what_is_in_them(kind):
    """A log that was rotated, in an archive."""
    once = packed(kind, SAID * 100)

    assert is_opened(once)
    assert SAID * 2 in everything(once)
    assert SAID in everything(packed("gzip", once))


def test_parquet_is_read_down_to_its_leaves():
    """Lists of structs, dictionaries, bytes, numbers."""
    rows = [
        {
            "turns": [{"role": "user", "content": "Anna Kowalska"}],
            "blob": b"secret-blob",
            "count": 481516,
            "kind": "k1",
        },
        {"turns": [], "blob": None, "count": None, "kind": None},
    ]
    table = pa.Table.from_pylist(rows)
    table = table.set_column(3, "kind", table["kind"].dictionary_encode())
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=False)

    found = everything(buffer.getvalue())

    for part in (SAID, b"secret-blob", b"481516", b"k1", b"turns"):
        assert part in found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of which a row is in the main file, and others in the write-ahead log only."""
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute('CREATE TABLE "odd ""name" (number INTEGER, said TEXT, blob BLOB)')
        connection.execute('INSERT INTO "odd ""name" VALUES (1, ?, NULL)', ("in the file",))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute('INSERT INTO "odd ""name" VALUES (2, ?, ?)', (SAID.decode(), gzip.compress(b"packed")))
        connection.commit()
        copy = tmp_path / "copy.db"
        copy.write_bytes(path.read_bytes())
        (tmp_path / "copy.db-wal").write_bytes((tmp_path / "some.db-wal").read_bytes())
    return copy


def test_a_database_is_read_with_its_log_and_without_being_opened_on_disk(database):
    """Rows that were committed but not yet moved into the main file count; no file is made or changed."""
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}

    found = everything(database.read_bytes(), database.with_name("copy.db-wal").read_bytes())

    for part in (b"in the file", SAID, b"packed", b"2"):
        assert part in found
    assert SAID not in everything(database.read_bytes())
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before


def test_databases_and_logs_are_glued_and_rows_are_not(database):
    """In pages one column runs into the next."""
    first, *others = views(database.read_bytes())

    assert first.glued
    assert not any(view.glued for view in others)
    assert [view.glued for view in views(database.with_name("copy.db-wal").read_bytes())] == [True]


def test_what_cannot_be_decoded_is_told_without_a_word_of_it():
    """After the bytes as they lie there, which can be searched all the same."""
    found = views(b"PAR1 Anna Kowalska")

    assert next(found).data == b"PAR1 Anna Kowalska"
    with pytest.raises(UnreadableError) as caught:
        list(found)
    assert "Anna" not in str(caught.value)


def test_plain_files_need_not_be_read_whole():
    """What has no magic is searched in pieces."""
    assert not is_opened(b'{"name": 1}')
    assert is_opened(b"PAR1")


def test_what_is_packed_too_deep_is_told():
    """Silence would pass for an empty file."""
    data = SAID
    for _ in range(DEPTH + 1):
        data = gzip.compress(data)

    with pytest.raises(UnreadableError, match="more than 4 layers"):
        list(views(data))
    assert SAID in everything(gzip.decompress(data))
