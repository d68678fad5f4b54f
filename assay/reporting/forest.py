"""Forest: criteria on one axis whose zero is what each asks for, as inline SVG.

The axis is stretched around its zero by a square root, since that is where everything is decided. As in
:mod:`assay.reporting.charts` widths are percentages, colours come from the style sheet, and a chart never stands alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

VERSION = 1

_TICKS = (1, 5, 20, 50, 100, 200, 500)
_ROW = 30


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


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "\u2212") if value else "0"
