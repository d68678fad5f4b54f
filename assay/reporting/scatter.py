"""Scatter: shares over something else, each with its interval, as inline SVG that needs no script and no network.

Dots are numbered, and the page names the numbers beside the chart, so that no text covers another. As in
:mod:`assay.reporting.charts` widths are percentages and heights pixels, colours come from the style sheet by class, and
a chart never stands alone: the page has its numbers as text.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.reporting import curves

VERSION = 1

_LEFT, _RIGHT = 10.0, 96.0
_HEAD, _HEIGHT, _FOOT = 12, 230, 24
_APART = 9.0
"""Per cent between two words below the axis."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A share that was measured at a place, or one that is only foreseen."""

    x: float
    y: float
    lower: float
    upper: float
    mark: str
    """A number or a letter; the page says what it stands for."""

    colour: str
    foreseen: bool = False


def scatter(dots: Sequence[Dot], caption: str, *, linked: bool = False) -> Markup:
    """Dots with upright intervals over one pair of axes, the lower one from zero, the upright one from nothing to all.

    Args:
        dots: In the order in which they are linked.
        caption: The chart in words, for who does not see it.
        linked: Whether a line joins them.
    """
    if not dots:
        return Markup()
    across, up = curves.linear([dot.x for dot in dots]), curves.shares([])
    places = [(_LEFT + (_RIGHT - _LEFT) * across.place(dot.x), _down(dot.y)) for dot in dots]
    grid = Markup().join(_level(value, up) for value in up.ticks)
    feet = Markup().join(
        Markup('<text x="{}%" y="{}" text-anchor="middle">{}</text>').format(
            _number(x), _HEIGHT + _FOOT - 6, across.said(tick)
        )
        for tick, x in _spread([(tick, _LEFT + (_RIGHT - _LEFT) * across.place(tick)) for tick in across.ticks])
    )
    lines = Markup().join(_line(a, b) for a, b in itertools.pairwise(places)) if linked else Markup()
    drawn = Markup().join(_dot(dot, x) for dot, (x, _) in zip(dots, places, strict=True))
    return Markup('<svg class="scatter" role="img" aria-label="{}" height="{}">{}{}{}{}</svg>').format(
        caption, _HEIGHT + _FOOT, grid, feet, lines, drawn
    )


def _dot(dot: Dot, x: float) -> Markup:
    return Markup(
        '<g class="dot {}{}"><line x1="{x}%" y1="{}" x2="{x}%" y2="{}"/><circle cx="{x}%" cy="{y}" r="9"/>'
        '<text x="{x}%" y="{}" text-anchor="middle">{}</text></g>'
    ).format(
        dot.colour,
        " foreseen" if dot.foreseen else "",
        *(_number(_down(bound)) for bound in (dot.lower, dot.upper)),
        _number(_down(dot.y) + 4),
        dot.mark,
        x=_number(x),
        y=_number(_down(dot.y)),
    )


def _line(one: tuple[float, float], other: tuple[float, float]) -> Markup:
    ends = [_number(value) for value in (*one, *other)]
    return Markup('<line class="link" x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(*ends)


def _level(value: float, up: curves.Axis) -> Markup:
    y = _down(value)
    return Markup('<line class="grid" x1="0" y1="{0}" x2="100%" y2="{0}"/><text x="0" y="{1}">{2}</text>').format(
        _number(y), _number(y - 4), up.said(value)
    )


def _spread(ticks: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ticks whose words do not touch."""
    shown: list[tuple[float, float]] = []
    for tick, x in ticks:
        if all(abs(x - other) >= _APART for _, other in shown):
            shown.append((tick, x))
    return shown


def _down(share: float) -> float:
    return _HEIGHT - (_HEIGHT - _HEAD) * min(max(share, 0.0), 1.0)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
