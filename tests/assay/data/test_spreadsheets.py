"""What a person's spreadsheet does to a file on the way, it can still be read; what the file does to it is nothing."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.spreadsheets import bare, encode, guarded, literal, rows, shown
from assay.errors import DataError

HEADER = ("id", "said")
CELLS = [["T-1", "two, with; signs"], ["T-2", 'a "quoted" word'], ["T-3", "Grüße — €"]]


def read(data: bytes) -> list[list[str]]:
    """The cells of the two columns."""
    return [[row.cells["id"], row.cells["said"]] for row in rows(data, "file", HEADER)]


def as_csv(delimiter: str, ends: str) -> str:
    """The same cells as another program would write them."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=ends).writerows([HEADER, *CELLS])
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_way_that_spreadsheets_write_is_read(encoding: str, delimiter: str, ends: str):
    """Excel in Europe writes semicolons, its plain CSV is Windows-1252, its Unicode text is UTF-16 with tabs."""
    assert read(as_csv(delimiter, ends).encode(encoding)) == CELLS


def test_empty_rows_and_columns_and_excels_hint_are_left_out():
    """A spreadsheet writes out what was once touched; lines are counted all the same."""
    data = b'sep=;\r\n"id";said;;\r\n;;;\r\nT-1;"on\r\ntwo lines";;\r\n\r\nT-2\r\n'

    assert [(row.line, dict(row.cells)) for row in rows(data, "file", HEADER)] == [
        (4, {"id": "T-1", "said": "on\r\ntwo lines"}),
        (7, {"id": "T-2", "said": ""}),
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "file:1: found no header with the columns id, said"),
        (b"identity,said\nT-1,x\n", "file:1: found no header with the columns id, said"),
        (b"id,said,id\nT-1,x,y\n", "file:1: found column id twice"),
        (b"id,said\nT-1,x\nT-2,x,Quillon\n", "file:3: found 3 cells; expected 2"),
        (b'id,said\nT-1,"Quillon" T\n', "file:2: found broken CSV"),
        (b'id,said\nT-1,"Quillon\n', "file:2: found broken CSV"),
    ],
)
def test_what_is_no_such_file_is_refused_by_line_and_without_its_content(data: bytes, says: str):
    """A quote in the wrong place would otherwise swallow the rows after it."""
    with pytest.raises(DataError, match=says) as refused:
        read(data)
    assert "Quillon" not in str(refused.value)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"])))
def test_guarding_loses_nothing(text: str):
    """Whatever an id or a reason looks like, it comes back as it was."""
    assert bare(guarded(text)) == text
    assert bare(literal(text)) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])  # noqa: RUF001
def test_no_cell_is_a_formula(text: str):
    """By any of the signs that a spreadsheet runs a cell at."""
    assert guarded(text).startswith("'")
    assert literal(text).startswith("'")
    assert not shown(text, 100).startswith(tuple("=+-@\t\r＝"))  # noqa: RUF001


@pytest.mark.parametrize(
    "id", ["000017", "12345678e123", "1-2", "3/4", "MAR-1", "1 dec", "dec-12", "true", "12:30", "1 p", "17"]
)
def test_an_id_that_a_spreadsheet_would_rewrite_is_kept_as_text(id: str):
    """Zeros in front, exponents, dates, hours: gone for good once they are saved."""
    assert literal(id) == f"'{id}"


@pytest.mark.parametrize("id", ["T-000017", "5f0c2a9be410", "agent-17", "row 17", "a1"])
def test_an_id_that_is_safe_stays_as_it_is(id: str):
    """An apostrophe before every id would be noise."""
    assert literal(id) == id


def test_a_text_to_look_at_is_one_line_that_no_other_delimiter_turns_into_a_formula():
    """A file cut at semicolons ignores quotes that do not begin a cell."""
    assert shown("Hi,\n\n- where;=HYPERLINK(1)\x00\n\nBye", 100) == "Hi, ⏎ - where;'=HYPERLINK(1) ⏎ Bye"
    assert shown("x" * 12, 10) == "x" * 10 + " … (2 more characters)"


def test_what_is_written_for_a_spreadsheet_is_marked_as_utf_8_and_for_a_repository_is_plain():
    """Excel takes unmarked UTF-8 for its own code page; a diff tool shows the mark."""
    assert encode(HEADER, CELLS, marked=True).startswith(b"\xef\xbb\xbfid,said\r\n")
    assert encode(HEADER, CELLS, marked=False).startswith(b"id,said\nT-1,")
    assert read(encode(HEADER, CELLS, marked=True)) == read(encode(HEADER, CELLS, marked=False)) == CELLS
