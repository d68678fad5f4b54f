"""Charts: inline SVG drawn by hand, so that a page needs no script, no font and no network.

Widths are percentages and heights pixels, without a view box, so a chart fits a telephone and its text keeps its
size. Colours come from the page's style sheet by class. A chart never stands alone: the page has its numbers as text.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

VERSION = 1

MOST_POINTS = 240
"""A longer curve is drawn through the means of as many runs of neighbours."""

_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = (1, 5, 20, 50, 100, 200, 500)
_LEFT, _RIGHT = 7.0, 98.0
_HEIGHT, _FOOT = 220, 24
_ROW = 30
_SPARK = 30


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: ``(x, y)`` in order of x, and the class that colours it."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A criterion on an axis whose zero is its threshold and whose right side is good; in points."""

    name: str
    said: str
    colour: str
    """``accepted``, ``refused`` or ``inconclusive``."""

    point: float
    lower: float | None
    upper: float | None
    origin: float
    """Where a candidate like the baseline would stand."""


def lines(series: Sequence[Line], caption: str) -> Markup:
    """Curves over one pair of axes that both start at zero; nothing if there is no finite point."""
    drawn = [(line, thinned(line.points)) for line in series]
    every = [point for _, points in drawn for point in points]
    if not every:
        return Markup()
    top_x, (top_y, step) = max(x for x, _ in every) or 1.0, _scale(max(y for _, y in every))
    grid = Markup().join(_level(value, top_y) for value in _range(step, top_y))
    curves = Markup().join(_curve(line, points, top_x, top_y) for line, points in drawn if points)
    feet = Markup().join(
        Markup('<text x="{}%" y="{}" text-anchor="{}">{}</text>').format(
            _number(_across(share * top_x, top_x)), _HEIGHT + _FOOT - 6, anchor, _plain(share * top_x)
        )
        for share, anchor in ((0.0, "middle"), (0.5, "middle"), (1.0, "end"))
    )
    return Markup('<svg class="lines" role="img" aria-label="{}" height="{}">{}{}{}</svg>').format(
        caption, _HEIGHT + _FOOT, grid, curves, feet
    )


def forest(spans: Sequence[Span]) -> Markup:
    """One row a criterion, all against the same zero; the axis is stretched around it by a square root."""
    reach = max((abs(v) for s in spans for v in (s.point, s.lower, s.upper, s.origin) if v is not None), default=1.0)
    reach = max(reach, 1.0) * 1.05
    ticks = [0, *(sign * tick for tick in _TICKS if tick <= reach for sign in (-1, 1))]
    places = [(tick, _from_zero(tick, reach)) for tick in ticks]
    axis = Markup().join(
        Markup('<text x="{}%" y="14" text-anchor="middle">{}</text>').format(_number(x), _signed(tick))
        for tick, x in _apart(places)
    )
    rows = Markup().join(_span(span, reach, [x for _, x in places]) for span in spans)
    return Markup(
        '<div class="forest"><div class="row axis"><span class="name">{}</span>'
        '<svg aria-hidden="true" height="20">{}</svg></div>{}</div>'
    ).format("points from the threshold", axis, rows)


def passage(taken: int, passed: int, most: int) -> Markup:
    """What came out of what went in, as a bar over the largest number in its table."""
    whole, kept = (_share(number, most) for number in (taken, passed))
    return Markup(
        '<svg class="bar" aria-hidden="true" height="16"><rect class="rail" width="100%" height="16" rx="3"/>'
        '<rect class="gone" width="{}%" height="16" rx="3"/><rect class="kept" width="{}%" height="16" rx="3"/></svg>'
    ).format(_number(whole), _number(kept))


def bar(value: float, most: float) -> Markup:
    """One bar over the largest value in its table."""
    return Markup(
        '<svg class="bar" aria-hidden="true" height="16"><rect class="rail" width="100%" height="16" rx="3"/>'
        '<rect class="kept" width="{}%" height="16" rx="3"/></svg>'
    ).format(_number(_share(value, most)))


def sparkline(values: Sequence[float | None], said: str, limit: float | None = None) -> Markup:
    """A line without axes over values from zero, oldest first, the last one dotted; what is unknown is a gap.

    Args:
        values: Of one quantity, at least one of them known.
        said: The numbers in words, for who does not see the line.
        limit: Drawn as a dashed line.
    """
    top = max(value for value in (*values, limit, 0.0) if value is not None) or 1.0
    places = [_spot(place, value, len(values), top) for place, value in enumerate(values)]
    strokes = Markup().join(
        Markup('<line x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(*map(_number, (*a, *b)))
        for a, b in itertools.pairwise(places)
        if a and b
    )
    alone = [
        place
        for before, place, after in zip([None, *places], places, [*places[1:], None], strict=False)
        if place and ((not before and not after) or place is places[-1])
    ]
    dots = Markup().join(Markup('<circle cx="{}%" cy="{}" r="3"/>').format(*map(_number, place)) for place in alone)
    bound = Markup()
    if limit is not None:
        bound = Markup('<line class="limit" x1="0" y1="{0}" x2="100%" y2="{0}"/>').format(_number(_low(limit, top)))
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" height="{}"><line class="foot" x1="0" y1="{y}" x2="100%" '
        'y2="{y}"/>{}{}{}</svg>'
    ).format(said, _SPARK, bound, strokes, dots, y=_number(_low(0, top)))


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most :data:`MOST_POINTS` finite points: means of neighbours if there are more."""
    finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    size = math.ceil(len(finite) / MOST_POINTS)
    if size <= 1:
        return finite
    parts = [finite[start : start + size] for start in range(0, len(finite), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _curve(line: Line, points: Sequence[tuple[float, float]], top_x: float, top_y: float) -> Markup:
    places = [(_across(x, top_x), _down(y, top_y)) for x, y in points]
    strokes = Markup().join(
        Markup('<line x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(*map(_number, (*a, *b)))
        for a, b in itertools.pairwise(places)
    )
    dots = places if line.dots or len(places) == 1 else []
    marks = Markup().join(Markup('<circle cx="{}%" cy="{}" r="4"/>').format(*map(_number, place)) for place in dots)
    return Markup('<g class="curve {}">{}{}</g>').format(line.colour, strokes, marks)


def _level(value: float, top: float) -> Markup:
    y = _down(value, top)
    return Markup('<line class="grid" x1="0" y1="{0}" x2="100%" y2="{0}"/><text x="0" y="{1}">{2}</text>').format(
        _number(y), _number(y - 4), _plain(value)
    )


def _span(span: Span, reach: float, ticks: Sequence[float]) -> Markup:
    grid = Markup().join(
        Markup('<line class="grid" x1="{0}%" y1="0" x2="{0}%" y2="{1}"/>').format(_number(x), _ROW) for x in ticks
    )
    middle = _ROW / 2
    whisker = Markup()
    if span.lower is not None and span.upper is not None:
        whisker = Markup('<line class="whisker" x1="{}%" y1="{y}" x2="{}%" y2="{y}"/>').format(
            *(_number(_from_zero(value, reach)) for value in (span.lower, span.upper)), y=_number(middle)
        )
    return Markup(
        '<div class="row {colour}"><span class="name"><b>{name}</b> <small>{said}</small></span>'
        '<svg role="img" aria-label="{name}: {said}" height="{height}">{grid}'
        '<line class="zero" x1="50%" y1="0" x2="50%" y2="{height}"/>{whisker}'
        '<circle class="origin" cx="{origin}%" cy="{y}" r="4.5"/><circle class="point" cx="{point}%" cy="{y}" r="5.5"/>'
        "</svg></div>"
    ).format(
        colour=span.colour,
        name=span.name,
        said=span.said,
        height=_ROW,
        grid=grid,
        whisker=whisker,
        origin=_number(_from_zero(span.origin, reach)),
        point=_number(_from_zero(span.point, reach)),
        y=_number(middle),
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


def _apart(places: Sequence[tuple[float, float]], gap: float = 9.0) -> list[tuple[float, float]]:
    """Ticks whose labels do not touch, from the middle outwards, as they come in pairs."""
    shown: list[tuple[float, float]] = []
    for tick, x in places:
        if all(abs(x - other) >= gap for _, other in shown):
            shown.append((tick, x))
    return shown


def _from_zero(value: float, reach: float) -> float:
    """Per cent across, the threshold in the middle."""
    return 50 + math.copysign(46 * math.sqrt(min(abs(value) / reach, 1.0)), value)


def _spot(place: int, value: float | None, of: int, top: float) -> tuple[float, float] | None:
    return None if value is None else (4 + 92 * (place / (of - 1) if of > 1 else 1.0), _low(value, top))


def _low(value: float, top: float) -> float:
    return _SPARK - 4 - (_SPARK - 8) * value / top


def _across(x: float, top: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * x / top


def _down(y: float, top: float) -> float:
    return _HEIGHT - (_HEIGHT - 18) * y / top


def _share(value: float, most: float) -> float:
    return max(0.0, min(100.0, 100 * value / most)) if most > 0 else 0.0


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _plain(value: float) -> str:
    return f"{value:,.4g}".replace(",", "\u202f") if value < 1e4 else f"{value:,.0f}".replace(",", "\u202f")  # noqa: PLR2004


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "\u2212") if value else "0"
