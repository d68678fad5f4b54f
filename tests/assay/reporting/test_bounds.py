"""A bound is drawn on the side of its limit on which it is, and said in words beside it."""

import re

import pytest

from assay.reporting.bounds import Row, rates, recalls
from tests.assay.reporting.test_card import parsed

GOOD = Row("EMAIL", "60 of 60, at least 95.1 %, floor 95 %", "shown", "good", 1.0, 0.9513, 0.95, 1.0)
SHORT = Row("PERSON", "50 of 60, at least 73.4 %, floor 92 %", "not shown", "bad", 5 / 6, 0.734, 0.92, 0.9)
FREE = Row("CITY", "48 of 60, at least 69.6 %", "no floor", "plainly", 0.8, 0.696)
NEVER = Row("SSN", "none planted, floor 95 %", "not shown", "bad", None, 0.0, 0.95)


def rows(written: str) -> list[str]:
    """Each row's drawing, the axis left out."""
    return re.findall(r'<svg role="img".*?</svg>', written)


def across(drawing: str, name: str, key: str = "x1") -> float:
    """Where a part of a row stands, per cent from the left."""
    return float(re.search(rf'class="{name}"[^>]* {key}="([\d.]+)%"', drawing)[1])


def test_a_lower_bound_stands_between_its_floor_and_what_was_seen():
    """And left of the floor if it falls short."""
    good, short, free, never = rows(recalls([GOOD, SHORT, FREE, NEVER]))

    assert across(good, "limit") < across(good, "end") < across(good, "point", "cx")
    assert across(short, "end") < across(short, "point", "cx") < across(short, "touched", "cx") < across(short, "limit")
    assert 'class="limit"' not in free
    assert 'class="point"' not in never
    assert 'class="limit"' in never
    assert 'class="touched"' not in good


def test_an_upper_bound_stands_right_of_what_was_seen():
    """Nothing is the better end there, and it is on the left."""
    leak = Row("Records", "5 of 496, at most 2.2 %, limit 5 %", "shown", "good", 0.01, 0.0215, 0.05)
    (drawing,) = rows(rates([leak]))

    assert across(drawing, "point", "cx") < across(drawing, "end") < across(drawing, "limit")


@pytest.mark.parametrize(("lowest", "first"), [(0.951, "95\u202f%"), (0.83, "80\u202f%"), (0.3, "0\u202f%")])
def test_the_axis_reaches_as_far_as_it_must(lowest: float, first: str):
    """And is labelled at both ends."""
    written = recalls([Row("X", "", "shown", "good", 1.0, lowest)])
    labels = re.findall(r">([\d.]+\u202f%)</text>", written)

    assert labels[0] == first
    assert "100\u202f%" in labels
    assert across(rows(written)[0], "end") >= 4


def test_a_row_says_everything_without_its_drawing_and_its_colour():
    """Name, numbers and a word."""
    written = recalls([SHORT])

    assert 'aria-label="PERSON: 50 of 60, at least 73.4 %, floor 92 %; not shown"' in written
    assert '<span class="word bad">not shown</span>' in written


def test_names_are_escaped():
    """A type of somebody's own recogniser writes no part of the page."""
    written = recalls([Row("<b>&", "<i>", "<u>", "bad", 0.5, 0.4, 0.9)])

    parsed(str(written))
    assert "<i>" not in written
    assert "&lt;i&gt;" in written
    assert recalls([]) == ""
