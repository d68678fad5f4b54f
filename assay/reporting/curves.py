"""Curves: what went up or down by step, as inline SVG that needs no script, no font and no network.

As in :mod:`assay.reporting.charts` widths are percentages and heights pixels, so a chart fits a telephone and its text
keeps its size; colours come from the page's style sheet by class; and a chart never stands alone: the page has its
numbers as text.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

VERSION = 1

MOST_POINTS = 240
"""A longer curve is drawn through the means of as many runs of neighbours."""

_STEPS = (1, 2, 2.5, 5, 10)
_LEFT, _RIGHT = 9.0, 98.0
_HEIGHT, _FOOT, _HEAD = 220, 24, 18
_DECADES = 4
"""That a logarithmic axis has at most; what lies lower is drawn at its foot."""

_FEW_DECADES, _MIDDLE = 2, 50.0


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: ``(x, y)`` in order of x, and the class that colours it."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What is up: where a value stands between foot (0) and head (1), and which values have a line."""

    place: Callable[[float], float]
    ticks: Sequence[float]
    said: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Mark:
    """An upright line through a chart."""

    x: float
    said: str


def linear(values: Sequence[float]) -> Axis:
    """From zero, with some four lines."""
    top, step = _scale(max(values))
    return Axis(lambda value: value / top, _range(step, top), _plain)


def logarithmic(values: Sequence[float]) -> Axis:
    """By powers of ten, of which there are at most :data:`_DECADES`; with 2 and 5 between if there are few.

    Linear if no value is over zero.
    """
    if not (found := [value for value in values if value > 0]):
        return linear(values)
    top = math.ceil(math.log10(max(found)))
    foot = max(min(math.floor(math.log10(min(found))), top - 1), top - _DECADES)
    between = (1, 2, 5) if top - foot <= _FEW_DECADES else (1,)
    ticks = [factor * 10.0**power for power in range(foot, top) for factor in between]

    def place(value: float) -> float:
        return max((math.log10(value) - foot) / (top - foot), 0.0) if value > 0 else 0.0

    return Axis(place, [*ticks, 10.0**top], _plain)


def shares(_: Sequence[float]) -> Axis:
    """From nothing to all, in per cent."""
    return Axis(lambda value: value, (0, 0.25, 0.5, 0.75, 1), lambda value: f"{100 * value:g}\u202f%")


def lines(
    series: Sequence[Line],
    caption: str,
    *,
    axis: Callable[[Sequence[float]], Axis] = linear,
    mark: Mark | None = None,
    reach: float = 0.0,
) -> Markup:
    """Curves over one pair of axes; nothing if there is no finite point.

    Args:
        series: The last one is drawn on top.
        caption: The chart in words, for who does not see it.
        axis: Makes the upward axis of all values. The other one starts at zero.
        mark: A place to point at.
        reach: How far the lower axis goes at least, so that charts below one another agree.
    """
    drawn = [(line, thinned(line.points)) for line in series]
    every = [point for _, points in drawn for point in points]
    if not every:
        return Markup()
    up, top_x = axis([y for _, y in every]), max(reach, *(x for x, _ in every)) or 1.0
    grid = Markup().join(_level(value, up) for value in up.ticks)
    curves = Markup().join(_curve(line, points, top_x, up) for line, points in drawn if points)
    feet = Markup().join(
        Markup('<text x="{}%" y="{}" text-anchor="{}">{}</text>').format(
            _number(_across(x, top_x)), _HEIGHT + _FOOT - 6, anchor, _plain(x)
        )
        for x, anchor in ((0.0, "middle"), (round(top_x / 2) or top_x / 2, "middle"), (top_x, "end"))
    )
    return Markup('<svg class="lines" role="img" aria-label="{}" height="{}">{}{}{}{}</svg>').format(
        caption, _HEIGHT + _FOOT, grid, _upright(mark, top_x) if mark else "", curves, feet
    )


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most :data:`MOST_POINTS` finite points: means of neighbours if there are more."""
    finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    size = math.ceil(len(finite) / MOST_POINTS)
    if size <= 1:
        return finite
    parts = [finite[start : start + size] for start in range(0, len(finite), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _curve(line: Line, points: Sequence[tuple[float, float]], top_x: float, up: Axis) -> Markup:
    places = [(_across(x, top_x), _down(up.place(y))) for x, y in points]
    strokes = Markup().join(
        Markup('<line x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(*map(_number, (*a, *b)))
        for a, b in itertools.pairwise(places)
    )
    dots = places if line.dots or len(places) == 1 else []
    marks = Markup().join(Markup('<circle cx="{}%" cy="{}" r="4"/>').format(*map(_number, place)) for place in dots)
    return Markup('<g class="curve {}">{}{}</g>').format(line.colour, strokes, marks)


def _level(value: float, up: Axis) -> Markup:
    y = _down(up.place(value))
    return Markup('<line class="grid" x1="0" y1="{0}" x2="100%" y2="{0}"/><text x="0" y="{1}">{2}</text>').format(
        _number(y), _number(y - 4), up.said(value)
    )


def _upright(mark: Mark, top_x: float) -> Markup:
    """A dashed line with its words above, on the side that has room."""
    x = _across(mark.x, top_x)
    return Markup(
        '<g class="mark"><line x1="{x}%" y1="{head}" x2="{x}%" y2="{foot}"/>'
        '<text x="{x}%" y="{y}" text-anchor="{anchor}">{said}</text></g>'
    ).format(
        x=_number(x), head=_HEAD, foot=_HEIGHT, y=_HEAD - 5, anchor="end" if x > _MIDDLE else "start", said=mark.said
    )


def _scale(highest: float) -> tuple[float, float]:
    """A round top at or above ``highest``, and the distance of some four lines below it."""
    if highest <= 0:
        return 1.0, 0.25
    size = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(size * factor for factor in _STEPS if size * factor * 4 >= highest or factor == _STEPS[-1])
    return step * math.ceil(highest / step), step


def _range(step: float, top: float) -> list[float]:
    return [step * i for i in range(round(top / step) + 1)]


def _across(x: float, top: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * x / top


def _down(share: float) -> float:
    return _HEIGHT - (_HEIGHT - _HEAD) * share


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _plain(value: float) -> str:
    return f"{value:,.4g}".replace(",", "\u202f") if value < 1e4 else f"{value:,.0f}".replace(",", "\u202f")  # noqa: PLR2004
