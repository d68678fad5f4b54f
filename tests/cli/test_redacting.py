"""One file goes in, and comes out without what is personal in it: with real detection, through the command line."""

import csv
import json
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.policy import RedactionSpec
from assay.privacy.detection import detector
from cli import redacting
from cli.main import main

JANE = "Jane Doe"
MAIL = "jane.doe@example.com"
HUES = ("red", "green", "blue", "white")
LINE = (
    '{"id": 7, "price": 1.50, "message": "Hi 🙂 I am Jane Doe, write to jane.doe@example.com", '
    '"note":"Called José Marín for Jane Doe",  "big": 1e400, "same": 1, "same": 2, "odd": "\\ud800"}'
)
HARMLESS = '{"id": 8, "message": "The kettle arrived broken.", "note": "", "price": 3}'


@pytest.fixture(autouse=True, scope="module")
def _one_detector() -> Any:
    """The real detector, loaded once for all commands of this module."""
    patch = pytest.MonkeyPatch()
    made: dict[Any, detector.Detector] = {}
    real = detector.Detector

    def shared(spec: Any) -> detector.Detector:
        kind = (spec.entities, spec.profile)
        if kind not in made:
            made[kind] = real(spec)
        return made[kind]

    patch.setattr(detector, "Detector", shared)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _room(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def redact() -> Callable[..., int]:
    """The exit status of ``assay redact`` on these lines."""

    def run(lines: list[str] | None, *words: str, source: str = "in.jsonl", out: str = "out.jsonl") -> int:
        if lines is not None:
            Path(source).write_text("".join(f"{line}\n" for line in lines))
        return main(["redact", source, "--out", out, *words])

    return run


def rows(name: str = "out.jsonl") -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def test_a_name_has_one_placeholder_in_all_texts_of_a_row(redact):
    """The columns are read together; the other row's numbers are its own."""
    other = '{"message": "I am Anna Kowalska.", "note": "We spoke with Anna Kowalska today."}'

    assert redact([LINE, other], "--text", "message", "--text", "note") == 0

    first, second = rows()
    assert first["message"] == "Hi 🙂 I am [PERSON_1], write to [EMAIL_1]"
    assert first["note"] == "Called [PERSON_2] for [PERSON_1]"
    assert (second["message"], second["note"]) == ("I am [PERSON_1].", "We spoke with [PERSON_1] today.")


def test_whatever_is_not_named_keeps_its_bytes(redact):
    """Order, spaces, numbers that no float holds, a member given twice, half a character."""
    assert redact([LINE, HARMLESS], "--text", "message", "--text", "note") == 0

    changed, same = Path("out.jsonl").read_text().splitlines()
    assert changed.startswith(LINE[: LINE.index('"message"')])
    assert changed.endswith(LINE[LINE.index('",  "big"') :])
    assert same == HARMLESS


def test_spans_are_code_points_of_the_text_as_it_was(redact):
    """An emoji is one, an accented letter is one; with several texts the column is named."""
    assert redact([LINE], "--text", "message", "--text", "note", "--spans") == 0

    (row,) = rows()
    was = json.loads(LINE)
    found = [(was[s["column"]][s["start"] : s["end"]], s["type"]) for s in row["spans"]]
    assert found == [(JANE, "PERSON"), (MAIL, "EMAIL"), ("José Marín", "PERSON"), (JANE, "PERSON")]


def test_spans_of_one_text_name_no_column(redact):
    """And a row with nothing in it has an empty list."""
    assert redact([LINE, HARMLESS], "--text", "message", "--spans") == 0

    first, second = rows()
    assert first["spans"] == [{"start": 10, "end": 18, "type": "PERSON"}, {"start": 29, "end": 49, "type": "EMAIL"}]
    assert second["spans"] == []


def test_json_stays_json_whether_it_is_a_text_or_a_value(redact):
    """Names in it are those of the message; keys and labels stay; spans are offsets into its JSON text."""
    inner = {"who": JANE, "intent": "refund", "mail": MAIL, "card": 4111111111111111}
    row = {"message": f"I am {JANE}", "answer": json.dumps(inner), "form": inner}

    assert redact([json.dumps(row)], "--text", "message", "--text", "answer", "--text", "form", "--spans") == 0

    (after,) = rows()
    masked = {"who": "[PERSON_1]", "intent": "refund", "mail": "[EMAIL_1]", "card": "[CREDIT_CARD_1]"}
    assert after["message"] == "I am [PERSON_1]"
    assert json.loads(after["answer"]) == masked
    assert after["form"] == masked
    for column in ("answer", "form"):
        spans = [s for s in after["spans"] if s["column"] == column]
        assert [json.dumps(inner)[s["start"] : s["end"]] for s in spans] == [JANE, MAIL, "4111111111111111"]


def test_a_conversation_is_read_as_prose(redact):
    """A list of messages is JSON, but what they say is not a field; who says it is."""
    chat = [
        {"role": "user", "content": "hello, could you please call my neighbour Anna Kowalska about the parcel?"},
        {"role": "assistant", "content": "Of course,\nI will call Anna Kowalska."},
    ]

    assert redact([json.dumps({"messages": chat})], "--text", "messages", "--spans") == 0

    (after,) = rows()
    text = json.dumps(chat)
    assert [text[span["start"] : span["end"]] for span in after["spans"]] == ["Anna Kowalska", "Anna Kowalska"]
    assert [turn["role"] for turn in after["messages"]] == ["user", "assistant"]
    assert after["messages"][0]["content"].endswith("my neighbour [PERSON_1] about the parcel?")
    assert after["messages"][1]["content"] == "Of course,\nI will call [PERSON_1]."


def test_spans_in_json_count_its_escapes(redact):
    """A string with line breaks, quotes and escaped letters, in a text with space around it."""
    text = ' \n{"note": "\\t\\"Jos\\u00e9\\" \\ud83d\\ude42\\nI am Jane Doe, jane.doe@example.com"}\t'

    assert redact([json.dumps({"message": "I am Jane Doe", "form": text})], "--text", "form", "--spans") == 0

    (after,) = rows()
    assert [text[span["start"] : span["end"]] for span in after["spans"]][-2:] == [JANE, MAIL]
    assert after["form"].startswith(' \n{"note": "\\t\\"')
    assert after["form"].endswith('[EMAIL_1]"}\t')


def test_a_known_column_is_looked_for_and_never_written(redact):
    """As the placeholder that its value has in the text, or one of its own, or one that says what it was."""
    lines = [
        '{"message": "zyxqua here, ring me", "name": "Zyxqua", "phones": ["+44 7700 900148"], "ref": 5550001}',
        '{"message": "ring me", "name": "Zyxqua", "phones": [], "ref": null}',
        '{"message": "ring me", "name": "-", "phones": {"Zyxqua": 1}, "ref": 1}',
    ]
    known = ("--known", "PERSON=name", "--known", "PHONE=phones", "--known", "ACCOUNT_ID=ref")

    assert redact(lines, "--text", "message", *known) == 0

    assert rows() == [
        {"message": "[PERSON_1] here, ring me", "name": "[PERSON_1]", "phones": ["[PHONE_1]"], "ref": "[ACCOUNT_ID_1]"},
        {"message": "ring me", "name": "[PERSON_1]", "phones": [], "ref": None},
        {"message": "ring me", "name": "[PERSON_0]", "phones": "[PHONE_0]", "ref": "[ACCOUNT_ID_0]"},
    ]


def test_a_known_value_is_never_written_in_part(redact):
    """Of what was replaced only in part the rest is as personal; placeholders alone are nobody."""
    values = [
        "12 Main Street      Springfield, mail a@b.com",
        "4 Elm Road\n\n\n\n\n80331 Munchen",
        "[ADDRESS_7], [EMAIL_1]",
        "[ADDRESS_1] flat 9",
    ]
    lines = [json.dumps({"message": "hello", "addr": value, "ref": "7,1 a@b.com"}) for value in values]
    known = ("--text", "message", "--known", "ADDRESS=addr", "--known", "ACCOUNT_ID=ref")

    assert redact(lines, *known) == 0
    written = Path("out.jsonl").read_text()

    assert not any(word in written for word in ("Main", "Springfield", "b.com", "Elm", "80331", "Munchen", "flat"))
    assert [row["addr"] for row in rows()][2:] == ["[ADDRESS_7], [EMAIL_1]", "[ADDRESS_1] [ADDRESS_2]"]
    assert {row["ref"] for row in rows()} == {"[ACCOUNT_ID_0]"}
    assert redact(None, *known, source="out.jsonl", out="twice.jsonl") == 0
    assert Path("twice.jsonl").read_text() == written


def test_redacting_what_is_redacted_changes_nothing(redact):
    """Placeholders are nobody, in known columns too."""
    known = ("--text", "message", "--text", "note", "--known", "PERSON=name")
    row = json.dumps({"message": f"{JANE} is a person", "note": "", "name": JANE})
    assert redact([row], *known) == 0
    once = Path("out.jsonl").read_text()

    assert redact(None, *known, source="out.jsonl", out="twice.jsonl") == 0
    assert Path("twice.jsonl").read_text() == once


def test_a_row_that_cannot_be_examined_is_set_aside_with_a_reason(redact, capsys):
    """Its text is in no file; the others are written; the exit status says that not all are."""
    lines = [
        LINE,
        json.dumps({"id": "long", "message": f"{JANE} " * 4000}),
        json.dumps({"id": "nul", "message": f"{JANE}\0"}),
        '{"id": "half", "message": "Jane Doe \\ud83d"}',
        '{"id": "lacks", "massage": "Jane Doe"}',
        '{"id": "twice", "message": "Jane Doe", "message": ""}',
        json.dumps({"id": "deep", "message": f"{'[' * 150}{json.dumps(JANE)}{']' * 150}"}),
        '{"message": {"a": "Jane Doe \\u0000"}}',
        HARMLESS,
    ]

    assert redact(lines, "--text", "message", "--id", "id") == 3

    assert [row["id"] for row in rows()] == [7, 8]
    assert rows("out.quarantine.jsonl") == [
        {"id": "long", "reason": "message has 36000 characters, more than the 20000 that are examined"},
        {"id": "nul", "reason": "message contains a NUL character"},
        {"id": "half", "reason": "message contains half of a surrogate pair"},
        {"id": "lacks", "reason": "the row lacks message"},
        {"id": "twice", "reason": "the row has message more than once"},
        {"id": "deep", "reason": "message is nested in more than 100 levels"},
        {"id": "line 8", "reason": "message contains a NUL character"},
    ]
    told = capsys.readouterr()
    assert "set aside                  7" in told.out
    assert "Doe" not in told.out + told.err


def test_the_list_of_an_earlier_time_does_not_stay(redact):
    """Where every row was written there is no quarantine."""
    assert redact(['{"message": "a\\u0000"}'], "--text", "message") == 3
    assert redact(['{"message": "a"}'], "--text", "message") == 0

    assert sorted(path.name for path in Path().iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ('{"message": "Jane Doe', "in.jsonl line 2: found broken JSON at column 13 (Unterminated string starting at)"),
        ('["Jane Doe"]', "in.jsonl line 2: found a JSON list; expected an object."),
        ('{"message": ' + "[" * 100_000, "in.jsonl line 2: found broken JSON; expected"),
        ('{"message": "a", "spans": "Jane Doe"}', "in.jsonl line 2: found a column spans already"),
    ],
)
def test_a_broken_line_stops_all_and_leaves_nothing(redact, capsys, broken: str, told: str):
    """The line is named and not quoted; an earlier output stays as it was."""
    Path("out.jsonl").write_text("earlier\n")

    assert redact([HARMLESS, broken], "--text", "message", "--spans", "--preview", "page.html") == 2

    said = capsys.readouterr()
    assert said.err.startswith(f"assay: {told}")
    assert "Jane" not in said.out + said.err
    assert Path("out.jsonl").read_text() == "earlier\n"
    assert sorted(path.name for path in Path().iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--text", "massage"), "found no column 'massage' in the first row among 4"),
        (("--text", "message", "--known", "PERSON=message"), "found a column named twice"),
        (("--text", "message", "--known", "NAME=id"), "--known: found no TYPE=COLUMN"),
        (("--text", "message", "--known", "PERSON=id", "--entities", "EMAIL"), "found PERSON, which --entities lacks"),
        (("--text", "message", "--entities", "EMAIL,SHOE"), "--entities: found ['SHOE']"),
        (("--text", "message", "--preview", "in.jsonl"), "found one file named twice"),
        (("--text", "message", "--preview", "home/page.html"), "--preview: found a place below ASSAY_HOME"),
        (("--text", "message", "--preview", "nowhere/page.html"), "--preview: found no such file or directory"),
        (("--text", "message", "--out", "out.csv"), "--out: found .csv; expected .jsonl"),
        (("--text", "message", "--out", "nowhere/out.jsonl"), "--out: found no such file or directory"),
        (("--text", "message", "--preview-rows", "0"), "--preview-rows: found 0"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_nothing_is_written(redact, capsys, words: tuple[str, ...], told: str):
    """Found, expected, what to do."""
    assert redact([HARMLESS], *words) == 2

    said = capsys.readouterr()
    assert told in said.err
    assert said.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["in.jsonl"]


def test_only_the_types_asked_for_are_replaced(redact):
    """The name stays where only addresses of mail are wanted."""
    assert redact([LINE], "--text", "message", "--entities", "EMAIL") == 0

    assert rows()[0]["message"] == "Hi 🙂 I am Jane Doe, write to [EMAIL_1]"


def test_a_table_is_redacted_like_lines(redact):
    """Quotes, commas and line breaks in cells; a column of spans as JSON; the known column is emptied."""
    with Path("in.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "name", "text"], ["1", JANE, f'Hello, "{JANE}"\nis my name.'], ["2", "", "The kettle is broken."]]
        )

    words = ("--text", "text", "--known", "PERSON=name", "--spans", "--id", "id")
    assert redact(None, *words, source="in.csv", out="out.csv") == 0

    with Path("out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["id", "name", "text", "spans"],
            ["1", "[PERSON_1]", 'Hello, "[PERSON_1]"\nis my name.', '[{"start": 8, "end": 16, "type": "PERSON"}]'],
            ["2", "", "The kettle is broken.", "[]"],
        ]


@pytest.mark.parametrize("line", ["3,4", '3,"Jane" Doe,x', "3,Jane,Doe,x"])
def test_a_broken_table_is_told_by_line(redact, capsys, line: str):
    """And nothing is written."""
    Path("in.csv").write_text(f"id,name,text\n1,b,c\n{line}\n")

    assert redact(None, "--text", "text", source="in.csv", out="out.csv") == 2
    told = capsys.readouterr().err
    assert told.startswith("assay: in.csv line 3: found ")
    assert "Jane" not in told
    assert not Path("out.csv").exists()


def test_rows_are_examined_in_batches_and_come_out_as_in_one(redact, monkeypatch: pytest.MonkeyPatch):
    """In their order, with numbers of their own, whatever the batch."""
    lines = [json.dumps({"n": n, "message": f"My name is {JANE}, order AB-{n:06}."}) for n in range(20)]
    assert redact(lines, "--text", "message", "--spans") == 0
    together = Path("out.jsonl").read_bytes()

    monkeypatch.setattr(redacting, "BATCH", 3)
    assert redact(lines, "--text", "message", "--spans") == 0
    assert Path("out.jsonl").read_bytes() == together
    assert [row["n"] for row in rows()] == list(range(20))


def test_nothing_is_asked_of_any_host(redact, monkeypatch: pytest.MonkeyPatch):
    """With sockets that cannot connect and names that resolve to nothing, an e-mail address and a URL included."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was used")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(detector, "Detector", type(detector.Detector(RedactionSpec())))
    line = json.dumps({"message": f"{MAIL} and https://shop.example.co.uk/jane?x=1"})

    assert redact([line], "--text", "message", "--preview", "page.html") == 0
    assert rows() == [{"message": "[EMAIL_1] and [URL_1]"}]


def test_the_summary_counts_and_quotes_nothing(redact, capsys):
    """Rows, rows with placeholders, types."""
    assert redact([LINE, HARMLESS], "--text", "message", "--text", "note") == 0

    told = capsys.readouterr().out
    assert [line.split() for line in told.splitlines() if line.startswith("  ")] == [
        ["rows", "2"],
        ["with", "placeholders", "1"],
        ["set", "aside", "0"],
        ["PERSON", "3"],
        ["EMAIL", "1"],
    ]
    assert not [word for word in ("Jane", "jane", "José", "kettle") if word in told]


def test_surrogates_are_those_of_the_deployment(redact, capsys, home: Path):
    """The same in every row, column and file; the summary tells them from placeholders; nothing of the key is shown."""
    call = [{"function": {"name": "find", "arguments": json.dumps({"who": JANE.upper(), "mail": MAIL})}}]
    lines = [
        json.dumps({"message": f"I am {JANE}, my password is Hunter22!", "call": call, "name": JANE}),
        json.dumps({"message": f"Regards, {JANE}", "call": [], "name": JANE}),
    ]
    words = ("--text", "message", "--text", "call", "--known", "PERSON=name", "--surrogate", "PERSON,EMAIL", "--spans")

    assert redact(lines, *words) == 0
    told = capsys.readouterr().out
    first, second = rows()
    assert redact(lines[1:], *words, out="again.jsonl") == 0

    name = second["message"].removeprefix("Regards, ")
    assert first["message"] == f"I am {name}, my password is [SECRET_1]"
    assert (first["name"], second["name"], rows("again.jsonl")) == (name, name, [second])
    function = json.loads(first["call"][0]["function"]["arguments"])
    assert function["who"] == name.upper()
    assert function["mail"].endswith(".example")
    assert [line.split() for line in told.splitlines() if line.startswith("  ")] == [
        ["rows", "2"],
        ["replaced", "in", "2"],
        ["set", "aside", "0"],
        ["PERSON", "3", "3", "surrogates"],
        ["EMAIL", "1", "1", "surrogate"],
        ["SECRET", "1", "1", "placeholder"],
    ]
    text = json.dumps(call)
    found = [text[s["start"] : s["end"]] for s in first["spans"] if s["column"] == "call"]
    assert found == [JANE.upper(), MAIL]
    assert (home / "secrets" / "value.key").read_text() not in told + Path("out.jsonl").read_text()


def test_a_preview_shows_surrogates_as_marked(redact):
    """On the right too, where they look like anybody's."""
    line = json.dumps({"message": f"I am {JANE}, yes {JANE}."})

    assert redact([line], "--text", "message", "--surrogate", "PERSON", "--preview", "page.html") == 0

    (row,) = rows()
    name = row["message"].removeprefix("I am ").partition(",")[0]
    page = Path("page.html").read_text()
    assert f'I am <ins class="who">{name}</ins>, yes <ins class="who">{name}</ins>.' in page
    assert "<dt>Surrogates</dt><dd>2" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--surrogate", "SECRET"), "which is always masked"),
        (("--surrogate", "NAME"), "--surrogate: found ['NAME']"),
        (("--entities", "EMAIL", "--surrogate", "PERSON"), "--entities lacks"),
    ],
)
def test_a_surrogate_that_cannot_be_is_refused(redact, capsys, words: tuple[str, ...], told: str):
    """Before anything is read."""
    assert redact([LINE], "--text", "message", *words) == 2
    assert told in capsys.readouterr().err


def test_a_profile_is_chosen(redact):
    """Rules alone do not know a name that nothing announces."""
    line = json.dumps({"message": f"Ottilie Ampersand called about {MAIL}"})

    assert redact([line], "--text", "message", "--profile", "fast") == 0
    assert rows() == [{"message": "Ottilie Ampersand called about [EMAIL_1]"}]


def test_the_preview_is_for_its_owner_and_stored_nowhere(redact, home: Path):
    """It shows the first rows before and after, and only there does the text stand; ASSAY_HOME is not even made."""
    lines = [json.dumps({"message": f"My name is {JANE}. The {hue} kettle broke.", "name": JANE}) for hue in HUES]
    words = ("--text", "message", "--known", "PERSON=name", "--preview", "page.html", "--preview-rows", "3")

    assert redact(lines, *words) == 0

    page = Path("page.html").read_text()
    assert "This page holds personal data" in page
    assert '<mark class="who">Jane Doe<small>PERSON</small></mark>. The red kettle broke.' in page
    assert '<ins class="who">[PERSON_1]</ins>. The blue kettle broke.' in page
    assert "white kettle" not in page
    assert stat.S_IMODE(Path("page.html").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("out.jsonl").stat().st_mode) == 0o600
    assert not home.exists()
    assert JANE not in Path("out.jsonl").read_text()
