"""Forest: criteria in groups, each on an axis whose zero is what it asks for, as inline SVG.

An axis is stretched around its zero by a square root, since that is where everything is decided. There is one axis for
each unit, the same for all groups that have it, so that a length means the same wherever it stands; it is written
above each group. As in :mod:`assay.reporting.charts` widths are percentages, colours come from the style sheet, and a
chart never stands alone.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

VERSION = 2

AXES = {
    "points": ("points from the threshold", (1, 5, 20, 50, 100, 200, 500)),
    "ratio": ("% within the limit", (1, 5, 20, 50, 100, 200, 500)),
    "bits": ("bits from the limit", (0.2, 1, 3, 8, 20, 50)),
}
"""Unit → what is written beside its axis, and where it may have ticks on either side."""

SIGNS = {"accepted": "\u2713", "refused": "\u2715", "inconclusive": "?"}
"""A decision for who sees no colour."""

_ROW = 30
_LEAST = {"points": 1.0, "ratio": 5.0, "bits": 0.2}


@dataclass(frozen=True, slots=True)
class Span:
    """A criterion on an axis whose zero is its threshold and whose right side is good."""

    name: str
    said: str
    colour: str
    """``accepted``, ``refused`` or ``inconclusive``."""

    point: float
    lower: float | None
    upper: float | None
    origin: float
    """Where a candidate like the baseline would stand."""

    axis: str = "points"
    """One of :data:`AXES`."""

    @property
    def ends(self) -> tuple[float, float] | None:
        """The interval; one that is open ends at the estimate."""
        if self.lower is None and self.upper is None:
            return None
        return (
            self.point if self.lower is None else self.lower,
            self.point if self.upper is None else self.upper,
        )


def forest(spans: Sequence[Span]) -> Markup:
    """One row a criterion, all in one group that has no name."""
    return in_groups([("", spans)])


def in_groups(groups: Sequence[tuple[str, Sequence[Span]]]) -> Markup:
    """Groups by name, one row a criterion, an axis above each run of rows that share it."""
    reaches = {axis: _reach(axis, [s for _, spans in groups for s in spans if s.axis == axis]) for axis in AXES}
    drawn = Markup().join(_group(name, spans, reaches) for name, spans in groups)
    return Markup('<div class="forest">{}</div>').format(drawn)


def _reach(axis: str, spans: Sequence[Span]) -> float:
    """How far an axis goes to either side."""
    values = [value for span in spans for value in (span.point, span.origin, *(span.ends or ()))]
    return 1.05 * max([_LEAST[axis], *map(abs, values)])


def _group(name: str, spans: Sequence[Span], reaches: Mapping[str, float]) -> Markup:
    parts: list[Markup] = []
    for axis, members in itertools.groupby(spans, key=lambda span: span.axis):
        reach = reaches[axis]
        parts.append(_axis("" if parts else name, axis, reach))
        parts += [_span(span, reach, [x for _, x in _ticks(axis, reach)]) for span in members]
    called = Markup(' role="group" aria-label="{}"').format(name) if name else ""
    return Markup('<div class="group"{}>{}</div>').format(called, Markup().join(parts))


def _ticks(axis: str, reach: float) -> list[tuple[float, float]]:
    """Ticks that the axis has room for, and where they are."""
    ticks = [0.0, *(sign * tick for tick in AXES[axis][1] if tick <= reach for sign in (-1, 1))]
    return [(tick, _from_zero(tick, reach)) for tick in ticks]


def _axis(name: str, axis: str, reach: float) -> Markup:
    labels = Markup().join(
        Markup('<text x="{}%" y="14" text-anchor="middle">{}</text>').format(_number(x), _signed(tick))
        for tick, x in _apart(_ticks(axis, reach))
    )
    return Markup(
        '<div class="row axis"><span class="name">{}<small>{}</small></span>'
        '<svg aria-hidden="true" height="20">{}</svg></div>'
    ).format(Markup("<b>{}</b>").format(name) if name else "", AXES[axis][0], labels)


def _span(span: Span, reach: float, ticks: Sequence[float]) -> Markup:
    grid = Markup().join(
        Markup('<line class="grid" x1="{0}%" y1="0" x2="{0}%" y2="{1}"/>').format(_number(x), _ROW) for x in ticks
    )
    middle = _ROW / 2
    whisker = Markup()
    if span.ends:
        whisker = Markup('<line class="whisker" x1="{}%" y1="{y}" x2="{}%" y2="{y}"/>').format(
            *(_number(_from_zero(value, reach)) for value in span.ends), y=_number(middle)
        )
    return Markup(
        '<div class="row {colour}"><span class="name"><i aria-hidden="true">{sign}</i><b>{name}</b> '
        "<small>{said}</small></span>"
        '<svg role="img" aria-label="{name}: {said}: {colour}" height="{height}">{grid}'
        '<line class="zero" x1="50%" y1="0" x2="50%" y2="{height}"/>{whisker}'
        '<circle class="origin" cx="{origin}%" cy="{y}" r="4.5"/><circle class="point" cx="{point}%" cy="{y}" r="5.5"/>'
        "</svg></div>"
    ).format(
        colour=span.colour,
        sign=SIGNS[span.colour],
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
