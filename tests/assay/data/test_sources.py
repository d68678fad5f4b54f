"""Whatever holds an organisation's rows is read as the same records, or refused in one line without a value."""

import csv
import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.data import sources
from assay.errors import SourceError
from assay.records import BUCKETS, Known, Record, Turn, to_parquet
from assay.spec import ColumnsSpec, SourceSpec

KEY = b"key"
SECRET = "Ottilie Ampersand"
ROWS = [
    {"ask": "Where is it?\nI wait.", "reply": '{"intent": "delivery"}', "who": SECRET, "via": "mail"},
    {"ask": 'He said "now", äöü €', "reply": '{"intent": "refund"}', "who": "C-2", "via": "phone"},
]
PAIRS = ColumnsSpec(
    prompt="ask", completion="reply", subject="who", attributes=("via",), known_values={"PERSON": "who"}
)


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_gzipped(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """The same, compressed; the name says so."""
    path = path.with_name("rows.jsonl.gz")
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def write_csv(path: Path, rows: Sequence[dict[str, Any]], encoding: str = "utf-8") -> Path:
    """Quoted where need be."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_excel_csv(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """With the byte order mark that spreadsheets put first."""
    return write_csv(path, rows, "utf-8-sig")


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """One row group."""
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def write_datasets(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """A folder written by ``datasets``."""
    import datasets

    datasets.Dataset.from_list(list(rows)).save_to_disk(path)
    return path


def source(path: Path, kind: str = "jsonl", columns: ColumnsSpec = PAIRS, **fields: Any) -> SourceSpec:
    """A source with only the fields a test cares about spelled out."""
    plain = {"name": "tickets", "licence": "CC0-1.0", "lawful_basis": "synthetic"}
    return SourceSpec(uri=str(path), format=kind, columns=columns, **plain | fields)


def read(spec: SourceSpec, key: bytes = KEY) -> list[Record]:
    """Its records, all at once."""
    return list(sources.read(spec, key))


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., SourceSpec]:
    """A JSON lines source with the bytes that a test gives."""

    def made(data: bytes, **fields: Any) -> SourceSpec:
        (tmp_path / "rows.jsonl").write_bytes(data)
        return source(tmp_path / "rows.jsonl", **fields)

    return made


def refusal(spec: SourceSpec) -> str:
    """What is said of a source that cannot be read: one line, with no value of it."""
    with pytest.raises(SourceError) as caught:
        read(spec)
    said = str(caught.value)
    assert "\n" not in said
    assert SECRET not in said
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return said


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("jsonl", write_jsonl),
        ("jsonl", write_gzipped),
        ("csv", write_csv),
        ("csv", write_excel_csv),
        ("parquet", write_parquet),
        ("datasets", write_datasets),
    ],
)
def test_every_format_gives_the_same_records(kind: str, write: Callable[..., Path], tmp_path: Path):
    """Newlines, quotes and umlauts included: the format is how rows are kept, not what they say."""
    found = read(source(write(tmp_path / f"rows.{kind}", ROWS), kind))

    assert found == read(source(write_jsonl(tmp_path / "plain.jsonl", ROWS)))
    first = found[0]
    assert (first.context, first.completion) == ((Turn("user", ROWS[0]["ask"]),), ROWS[0]["reply"])
    assert (first.attributes, first.known) == ({"via": "mail"}, (Known("PERSON", SECRET),))
    assert (first.source, first.side) == ("tickets", None)


@pytest.mark.parametrize("kept", [list, json.dumps])
def test_messages_end_on_the_answer_whether_they_are_a_list_or_its_json(kept, tmp_path: Path):
    """Columns of a database hold a conversation as text."""
    turns = [
        {"role": r, "content": c} for r, c in (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    ]
    rows = [{"turns": kept(turns), "who": "C-1"}]
    columns = ColumnsSpec(messages="turns", subject="who")

    (found,) = read(source(write_jsonl(tmp_path / "rows.jsonl", rows), columns=columns))

    assert [turn.content for turn in found.context] == ["a", "b", "c"]
    assert found.completion == "d"


def said(turns: object, tmp_path: Path) -> Record:
    """The record of these messages."""
    rows = [{"turns": turns, "who": "C-1"}]
    (found,) = read(source(write_jsonl(tmp_path / "r", rows), columns=ColumnsSpec(messages="turns", subject="who")))
    return found


CALL = {"type": "function", "function": {"arguments": '{"order": "AB-1"}', "name": "refund"}, "id": "call_1"}
CALLED = (
    '[{"id": "call_1", "type": "function", "function": {"name": "refund", "arguments": "{\\"order\\": \\"AB-1\\"}"}}]'
)


def test_a_tool_call_is_what_a_message_says(tmp_path: Path):
    """Alone, or behind its words; in one order, without what a column of Parquet adds."""
    turns = [
        {"role": "user", "content": "Refund me"},
        {"role": "assistant", "content": None, "tool_calls": [CALL | {"index": None}], "refusal": None},
        {"role": "tool", "content": '{"done": true}', "tool_call_id": "call_1"},
        {"role": "assistant", "content": "And now?", "tool_calls": [CALL]},
    ]
    found = said(turns, tmp_path)

    assert found.context[1:] == (Turn("assistant", CALLED), Turn("tool", '{"done": true}'))
    assert found.completion == f"And now?\n\n{CALLED}"
    old = [turns[0], {"role": "assistant", "content": "", "function_call": CALL["function"]}]
    assert said(old, tmp_path).completion == '[{"name": "refund", "arguments": "{\\"order\\": \\"AB-1\\"}"}]'


def test_a_message_with_more_than_is_read_is_refused(tmp_path: Path):
    """It would be lost without a word; so would one that says nothing at all."""
    for turn in ({"content": "hi", "thinking": f"{SECRET} again"}, {"name": SECRET}):
        with pytest.raises(SourceError, match=r"row 1: `turns` is not a list of .* and nothing else") as raised:
            said([{"role": "user"} | turn], tmp_path)
        assert SECRET not in str(raised.value)


def test_a_conversation_without_an_answer_is_left_to_the_raw_suite(tmp_path: Path):
    """It can be read, so it does not stop the run."""
    rows = [{"turns": [{"role": "user", "content": "a"}], "who": "C-1"}]

    (found,) = read(source(write_jsonl(tmp_path / "r", rows), columns=ColumnsSpec(messages="turns", subject="who")))

    assert found.completion == ""


def test_a_completion_that_is_a_json_value_is_kept_as_its_text(jsonl: Callable[..., SourceSpec]):
    """An export that parsed the answers has lost nothing."""
    (found,) = read(jsonl(b'{"ask": "a", "reply": {"b": null, "a": 1}, "who": 7, "via": "x"}\n'))

    assert found.completion == '{"a": 1, "b": null}'


GOOD = json.dumps(ROWS[0]).encode() + b"\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (GOOD + b'{"ask": "Ottilie Ampersand\n', "line 2: found broken JSON"),
        (GOOD + GOOD + b"\n", "line 3: found broken JSON"),
        (GOOD + b'["Ottilie Ampersand"]\n', "line 2: found a JSON list"),
        (GOOD + b'{"ask": "Ottilie Ampersand \xff"}\n', "line 2: found a byte that is not UTF-8 at offset 27"),
        (GOOD + b'{"ask": "\\ud83d", "reply": "", "who": "Ottilie Ampersand"}\n', "line 2: found half of a surrogate"),
        (GOOD + b'{"ask": ' + b"[" * 200_000 + b"\n", "line 2: found broken JSON"),
        (GOOD + b'{"ask": ' + b"1" * 5_000 + b"}\n", "line 2: found broken JSON"),
        (GOOD + b'{"ask": "a", "reply": "b", "via": "Ottilie Ampersand"}\n', "row 2: found no column 'who'"),
        (b"", "found no rows; expected at least one"),
    ],
    ids=["broken", "blank", "no object", "no UTF-8", "surrogate", "deep", "digits", "column", "empty"],
)
def test_bad_json_lines_are_refused_with_their_line_and_without_their_text(jsonl, data: bytes, says: str):
    """The line is enough to mend it; the text may be somebody's name."""
    assert says in refusal(jsonl(data))


def test_an_emoji_in_two_escapes_is_no_half_of_a_pair(jsonl: Callable[..., SourceSpec]):
    """It is how JSON writes what lies beyond 16 bits."""
    (found,) = read(jsonl(b'{"ask": "\\ud83d\\ude00", "reply": "", "who": "C", "via": ""}'))

    assert found.prompt == "😀"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"ask,reply,who,via\na,b,Ottilie Ampersand,x,y\n", "line 2: found another number of fields"),
        (b"ask,reply,who,via\na,b,Ottilie Ampersand\n", "line 2: found another number of fields"),
        (b'ask,reply,who,via\na,b,"Ottilie Ampersand,x\n', "found broken CSV"),
        (b"ask,reply,who,via\na,b,c,d\na,b,Ottilie Ampersand\xe4,x\n", "line 3: found a byte that is not UTF-8"),
        (b"ask,reply,via\na,b,Ottilie Ampersand\n", "found no column 'who' among 3; expected"),
        (b"ask,reply,who,via\n", "found no rows"),
        (b"", "found no rows"),
    ],
    ids=["more", "fewer", "quote", "no UTF-8", "column", "header only", "empty"],
)
def test_bad_csv_is_refused_with_its_line_and_without_its_text(data: bytes, says: str, tmp_path: Path):
    """As with JSON lines."""
    (tmp_path / "rows.csv").write_bytes(data)

    assert says in refusal(source(tmp_path / "rows.csv", "csv"))


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "datasets"])
def test_a_missing_source_says_what_to_check(kind: str, tmp_path: Path):
    """Found, expected, and what to do."""
    missing = source(tmp_path / "nowhere", kind)

    said = refusal(missing)
    assert f"expected a {kind} source" in said
    assert "Check `uri` and `format`" in said
    with pytest.raises(SourceError, match="Check `uri`"):
        sources.digest(missing) if kind != "datasets" else read(missing)


@pytest.mark.parametrize(
    ("kind", "name"), [("parquet", "rows.parquet"), ("datasets", "folder"), ("jsonl", "a.jsonl.gz")]
)
def test_bytes_of_another_format_are_refused(kind: str, name: str, tmp_path: Path):
    """Whatever the library that reads them raises."""
    (tmp_path / name).write_bytes(gzip.compress(GOOD * 9)[:-12])

    assert f"expected a {kind} source" in refusal(source(tmp_path / name, kind))


def test_a_folder_of_splits_is_refused_with_their_names(tmp_path: Path):
    """Which of them is meant is for the recipe to say."""
    import datasets

    part = datasets.Dataset.from_list(ROWS)
    datasets.DatasetDict({"train": part, "test": part}).save_to_disk(tmp_path / "both")

    assert "found a folder of splits (test, train)" in refusal(source(tmp_path / "both", "datasets"))
    assert len(read(source(tmp_path / "both" / "test", "datasets"))) == len(ROWS)


def test_a_row_whose_messages_are_no_messages_is_refused(tmp_path: Path):
    """With its row, and without what it holds."""
    rows = [{"turns": [{"from": SECRET}], "who": "C-1"}]

    said = refusal(source(write_jsonl(tmp_path / "r", rows), columns=ColumnsSpec(messages="turns", subject="who")))

    assert "row 1: `turns` is not a list of objects with `role` (one of assistant" in said
    assert SECRET not in said


@pytest.mark.parametrize("subject", [None, "", "  "])
def test_a_record_about_nobody_is_refused(tmp_path: Path, subject: str | None):
    """All of them would be one person, on one side, found by one erasure request."""
    path = write_jsonl(tmp_path / "r", [ROWS[0] | {"who": subject}])

    assert "row 1: found no subject in `who`" in refusal(source(path))


def test_a_role_that_is_free_text_is_refused(tmp_path: Path):
    """It would be neither redacted nor rendered safely."""
    rows = [{"turns": [{"role": SECRET, "content": "hello"}], "who": "C-1"}]

    said = refusal(source(write_jsonl(tmp_path / "r", rows), columns=ColumnsSpec(messages="turns", subject="who")))

    assert "is not a list of objects with `role`" in said
    assert SECRET not in said


def test_a_source_that_grew_while_it_was_read_is_refused(tmp_path: Path):
    """What was read would be filed under the digest of what was there before."""
    given = source(write_jsonl(tmp_path / "r", ROWS))
    pinned = given.model_copy(update={"digest": sources.digest(given)})
    sources.refuse_changed(pinned)
    write_jsonl(tmp_path / "r", ROWS * 2)

    with pytest.raises(SourceError, match="expected a source that stays as it is"):
        sources.refuse_changed(pinned)


def many(count: int) -> list[dict[str, str]]:
    """Rows that differ."""
    return [{"ask": f"message {i}", "reply": "{}", "who": f"C-{i % 50}", "via": "mail"} for i in range(count)]


def test_an_id_stays_with_its_row_when_others_are_added(tmp_path: Path):
    """A row that an earlier run dropped is found again by its id."""
    rows = many(20)
    before = {record.prompt: record.id for record in read(source(write_jsonl(tmp_path / "a", rows)))}

    grown = read(source(write_jsonl(tmp_path / "b", [many(21)[20], *rows[:7], *rows[8:]])))

    assert {record.prompt: record.id for record in grown if record.prompt in before}.items() <= before.items()


def test_equal_rows_have_different_ids_and_so_have_equal_rows_of_two_sources(tmp_path: Path):
    """Otherwise a training row that repeats a test row would pass for it."""
    path = write_jsonl(tmp_path / "a", [ROWS[0], ROWS[0]])

    ids = [record.id for name in ("train", "heldout") for record in read(source(path, name=name))]

    assert len(set(ids)) == 4


def test_two_records_with_one_id_are_refused(tmp_path: Path):
    """Every step names records by id; the first that did not would be the last to know."""
    columns = ColumnsSpec(prompt="ask", completion="reply", subject="via", id="who")
    records = read(source(write_jsonl(tmp_path / "a", [ROWS[0], ROWS[1], ROWS[0]]), columns=columns))

    with pytest.raises(SourceError, match="tickets, row 3 of all: found an id that an earlier record has") as caught:
        list(sources.shards(records, 200))
    assert SECRET not in str(caught.value)


def test_every_record_is_in_one_shard_in_order(record):
    """Shards cut; they neither lose nor sort."""
    records = [record(id=str(i)) for i in range(3000)]

    parts = list(sources.shards(records, 200))

    assert [row for part in parts for row in part] == records
    assert all(50 <= len(part) <= 400 for part in parts[:-1])
    assert len(parts) in range(8, 61)


def test_ten_rows_more_change_only_the_shards_they_are_in(tmp_path: Path):
    """So only those are redacted again: at the end as bytes, anywhere as to which records share a shard."""
    rows = many(3000)
    more = [dict(row, ask=f"new {i}") for i, row in enumerate(many(10))]
    before, after = (
        [to_parquet(part) for part in sources.shards(sources.read(source(write_jsonl(tmp_path / n, data)), KEY), 200)]
        for n, data in (("a", rows), ("b", rows + more))
    )
    assert set(before) - set(after) == {before[-1]}

    places = random.Random(0).sample(range(3000), 10)
    spread = list(rows)
    for place, row in zip(sorted(places, reverse=True), more, strict=True):
        spread.insert(place, row)
    old, new = (
        {tuple(r.id for r in part) for part in sources.shards(read(source(write_jsonl(tmp_path / "c", data))), 200)}
        for data in (rows, spread)
    )
    assert len(old - new) <= 2 * len(more)
    assert len(old & new) > len(old) // 4


def test_a_subject_is_named_only_under_the_key(tmp_path: Path):
    """Another deployment's key gives other pseudonyms; the bucket needs no key and is too coarse to name anybody."""
    spec = source(write_jsonl(tmp_path / "a", many(500)))
    one, two = read(spec, b"one"), read(spec, b"two")

    assert len({record.subject for record in one}) == 50
    assert {record.subject for record in one}.isdisjoint({record.subject for record in two})
    assert [record.bucket for record in one] == [record.bucket for record in two]
    assert all(0 <= record.bucket < BUCKETS for record in one)
    assert not any("C-" in record.subject for record in one)


def test_a_bucket_is_what_it_was_on_every_machine():
    """A split hangs on it, so it must never move."""
    assert [sources.bucket(name) for name in ("", "C-1", "Ottilie Ampersand")] == [40, 1794, 3930]


def test_a_digest_is_of_the_bytes_and_the_names_in_a_folder(tmp_path: Path):
    """Not of the path."""
    one = source(write_jsonl(tmp_path / "a.jsonl", ROWS))
    two = source(write_jsonl(tmp_path / "b.jsonl", ROWS))
    assert sources.digest(one) == sources.digest(two)

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_jsonl(tmp_path / name / "part", ROWS)
    one, two = (source(tmp_path / name, "datasets") for name in ("one", "two"))
    assert sources.digest(one) == sources.digest(two)
    (tmp_path / "two" / "part").rename(tmp_path / "two" / "other")
    assert sources.digest(one) != sources.digest(two)


@pytest.mark.parametrize("uri", ["s3://bucket/rows", "hub:org/name", "package:dist/file", "/absolute/rows"])
def test_only_a_relative_path_starts_at_the_recipe(uri: str, tmp_path: Path):
    """Anything with a scheme stays as it is."""
    assert sources.locate(uri, tmp_path) == uri
    assert sources.locate("data/rows", tmp_path) == str(tmp_path / "data" / "rows")
