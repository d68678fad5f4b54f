"""A table holds all of its words, and no line is wider than the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.wrapping import wrapped

HEAD = ("ID", "WHY")


def test_cells_are_wrapped_beside_one_another():
    """Ids stay whole; a blank line parts rows as soon as one is taller than a line."""
    assert wrapped(HEAD, [("A-1", "short"), ("A-2", "words that do not fit in a line")], [1], 25) == (
        "ID   WHY\n───  ────────────────────\nA-1  short\n\nA-2  words that do not\n     fit in a line"
    )


def test_rows_of_one_line_stand_close_and_no_column_is_wider_than_it_needs():
    """A wide terminal is not filled for its own sake."""
    assert wrapped(HEAD, [("A-1", "short"), ("A-2", "too")], [1], 200) == "ID   WHY\n───  ─────\nA-1  short\nA-2  too"


def test_a_terminal_too_narrow_for_columns_gets_paragraphs():
    """As on a telephone."""
    assert wrapped(HEAD, [("A-123456", "words that wrap here")], [1], 22) == (
        "ID   A-123456\nWHY  words that wrap\n     here"
    )


@given(st.lists(st.tuples(st.text("ab", max_size=8), st.text("xyz  \n", max_size=60)), max_size=4), st.integers(30, 90))
@pytest.mark.filterwarnings("ignore")
def test_no_word_is_lost_at_any_width(rows: list[tuple[str, str]], width: int):
    """Broken words count by their letters."""
    drawn = wrapped(HEAD, rows, [1], width)

    assert sum(drawn.count(c) for c in "abxyz") == sum(cell.count(c) for row in rows for cell in row for c in "abxyz")
    assert all(len(line) <= width for line in drawn.splitlines())
