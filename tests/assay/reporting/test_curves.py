"""Curves keep their meaning however long, high or empty they are."""

import re

import pytest

from assay.reporting import curves

FLAT = curves.Line("flat", [(1.0, 0.5), (2.0, 0.5)], "first")


def heights(drawn: str) -> list[float]:
    """Of the dots, from above."""
    return [float(y) for y in re.findall(r'<circle cx="[\d.]+%" cy="([\d.]+)"', drawn)]


def test_a_long_curve_is_thinned_and_an_empty_one_is_nothing():
    """Ten thousand steps cost no more than a few hundred points, whose mean is that of the curve."""
    points = [(float(i), float(i % 7)) for i in range(10_000)]
    thin = curves.thinned(points)

    assert len(thin) <= curves.MOST_POINTS
    assert sum(x for x, _ in thin) / len(thin) == pytest.approx(4999.5, rel=0.01)
    assert curves.lines([curves.Line("none", [], "first")], "nothing") == ""


def test_a_tenth_is_as_far_everywhere_on_a_logarithmic_axis():
    """So a held-out loss that rises from 0.04 to 0.05 is seen beside one that began at 3."""
    line = curves.Line("loss", [(0, 1.0), (1, 0.1), (2, 0.01)], "second", dots=True)
    first, second, third = heights(curves.lines([line], "loss", axis=curves.logarithmic))

    assert second - first == pytest.approx(third - second)
    assert first < second < third


@pytest.mark.parametrize("values", [[0.0], [-1.0, 0.0], [1e-300, 3.0], [1.0], [10.0, 10.0], [0.02, 0.03]])
def test_no_value_is_off_a_logarithmic_axis(values):
    """Zero, less than zero and next to nothing stand at its foot; one value alone has an axis too."""
    axis = curves.logarithmic(values)

    assert all(0 <= axis.place(value) <= 1 for value in values if value >= 0)
    assert 2 <= len(axis.ticks) <= 7


def test_a_mark_says_where_it_stands_on_the_side_that_has_room():
    """At the right end its words end there, at the left they begin."""
    late, early = (curves.lines([FLAT], "x", mark=curves.Mark(x, "kept: step")) for x in (2, 0))

    assert 'x="98%" y="13" text-anchor="end">kept: step<' in late
    assert 'x="9%" y="13" text-anchor="start">kept: step<' in early


def test_two_charts_below_one_another_have_one_axis():
    """What was measured last may come before the last step."""
    assert ">200</text>" in curves.lines([FLAT], "x", reach=200)
    assert ">2</text>" in curves.lines([FLAT], "x")


def test_shares_are_drawn_from_none_to_all():
    """A metric of 0.5 is in the middle whatever the others are."""
    half = curves.Line("half", [(1.0, 0.5)], "second", dots=True)

    assert heights(curves.lines([half], "x", axis=curves.shares)) == [119]
    assert "100\u202f%" in curves.lines([half], "x", axis=curves.shares)
