"""What somebody has becomes what the pipeline would see; what is broken is told by line and never quoted."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import SourceError
from expectations import tables

SECRET = "Quillon Terrabask"
ROWS = [{"ticket": i, "message": f"where is parcel {i}", "seen": None if i % 2 else "yes"} for i in range(3)]


def write(folder: Path, kind: str) -> Path:
    """The same rows as a file of each kind."""
    path = folder / f"rows.{kind}"
    match kind:
        case "jsonl":
            path.write_text("\ufeff" + "\n".join(json.dumps(row) for row in ROWS) + "\n\n")
        case "csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(ROWS[0]))
                writer.writeheader()
                writer.writerows(ROWS)
        case "parquet":
            pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def cells(path: Path, doorway: str = "raw", **named: str) -> list[dict]:
    """All rows of all shards."""
    shards = tables.read(path, ("id", "prompt", "seen", "score"), named, doorway)
    return [row for shard in shards for row in shard.to_dict("records")]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_each_kind_of_file_gives_the_same_rows(tmp_path: Path, kind: str):
    """Under the suite's names, with ids as text; an empty cell of a CSV is empty text."""
    nothing = "" if kind == "csv" else None

    assert cells(write(tmp_path, kind), id="ticket", prompt="message") == [
        {"id": "0", "prompt": "where is parcel 0", "seen": "yes"},
        {"id": "1", "prompt": "where is parcel 1", "seen": nothing},
        {"id": "2", "prompt": "where is parcel 2", "seen": "yes"},
    ]


def test_a_row_without_an_id_is_called_after_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Across shards."""
    monkeypatch.setattr(tables, "SHARD_ROWS", 2)

    assert [row["id"] for row in cells(write(tmp_path, "jsonl"))] == ["row 1", "row 2", "row 3"]


def test_cells_are_what_the_doorway_would_see(tmp_path: Path):
    """Records are text, with objects as JSON text; what is counted keeps its numbers; a chat stays a list."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": 7, "prompt": {"b": 1, "a": "ü"}, "seen": [{"role": "user"}], "score": 0.5}))

    (record,) = cells(path)
    (answer,) = cells(path, "predictions")

    assert record == {"id": "7", "prompt": '{"a": "ü", "b": 1}', "seen": [{"role": "user"}], "score": "0.5"}
    assert answer["score"] == 0.5
    assert answer["id"] == "7"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", b'{"id": "1"}\n{"id": "Quillon Terrabask"', "line 2: found broken JSON at column"),
        ("a.jsonl", b'{"id": "1"}\n["Quillon Terrabask"]', "line 2: found a JSON list; expected an object"),
        ("a.jsonl", b'{"id": "Quillon Terrabask \xff"}', "line 1: found a byte that is not UTF-8"),
        ("a.jsonl", b'{"id": "Quillon Terrabask \\ud800"}', "line 1: found half of a surrogate pair"),
        ("a.csv", b"id,seen\n1,x\nQuillon Terrabask\n", "line 3: found another number of fields than the header"),
        ("a.csv", b'id,seen\n1,"x" Quillon Terrabask\n', "line 2: found broken CSV"),
        ("a.csv", b"id,seen\n1,x\n2,Quillon Terrabask \xff\n", "line 3: found a byte that is not UTF-8"),
        ("a.parquet", b"Quillon Terrabask", "found no sound Parquet after row 0 (ArrowInvalid)"),
        ("a.xlsx", b"Quillon Terrabask", "found a file of a kind that is not read; expected .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_line_without_its_content(
    tmp_path: Path, name: str, content: bytes, says: str
):
    """The first line may be a record too, so the header is not quoted either."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SourceError) as refused:
        cells(tmp_path / name)
    assert says in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_column_that_was_named_and_is_not_there_is_told_without_those_that_are(tmp_path: Path):
    """A file without a header has a record for one."""
    path = tmp_path / "a.csv"
    path.write_text(f"1,{SECRET}\n2,x\n")

    with pytest.raises(SourceError, match="found no column 'message' among 2") as refused:
        cells(path, prompt="message")
    assert SECRET not in str(refused.value)


def test_nothing_and_an_empty_file_are_different_things(tmp_path: Path):
    """One is a wrong path; the other has no rows, which the gate stops."""
    with pytest.raises(SourceError, match="found nothing; expected a file with data"):
        cells(tmp_path / "nowhere.csv")
    (tmp_path / "empty.jsonl").write_text("")
    assert cells(tmp_path / "empty.jsonl") == []
