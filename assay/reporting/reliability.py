"""Reliability: how often a model is right by how sure it is, as inline SVG.

Each dot is a bin of answers, at its mean confidence and its share of right ones, with the interval of that share
(DeGroot & Fienberg 1983, doi:10.2307/2987588). On the dashed diagonal a model is as right as it is sure; below it, it
is too sure of itself. As in :mod:`assay.reporting.charts` widths are percentages and heights pixels, colours come from
the style sheet, and a chart never stands alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

VERSION = 1

_LEFT, _RIGHT = 9.0, 97.0
_HEAD, _FLOOR, _FOOT = 10, 230, 22
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Dot:
    """A bin: all four are shares."""

    confidence: float
    accuracy: float
    lower: float
    upper: float


def diagram(series: Sequence[tuple[str, Sequence[Dot]]], caption: str) -> Markup:
    """Bins of several models over one another.

    Args:
        series: Class that colours a model's dots, and its bins; the last one is drawn on top.
        caption: The chart in words, for who does not see it.
    """
    grid = Markup().join(_level(tick) for tick in _TICKS)
    feet = Markup().join(
        Markup('<text x="{}%" y="{}" text-anchor="{}">{}</text>').format(
            _number(_across(tick)), _FLOOR + _FOOT - 5, "end" if tick == 1 else "middle", _percent(tick)
        )
        for tick in _TICKS
    )
    dots = Markup().join(
        Markup('<g class="dots {}">{}</g>').format(colour, Markup().join(_dot(dot) for dot in found))
        for colour, found in series
    )
    return Markup(
        '<svg class="lines reliability" role="img" aria-label="{}" height="{}">{}'
        '<line class="even" x1="{}%" y1="{}" x2="{}%" y2="{}"/>{}{}</svg>'
    ).format(caption, _FLOOR + _FOOT, grid, _number(_LEFT), _FLOOR, _number(_RIGHT), _HEAD, dots, feet)


def _level(tick: float) -> Markup:
    y = _down(tick)
    return Markup('<line class="grid" x1="0" y1="{0}" x2="100%" y2="{0}"/><text x="0" y="{1}">{2}</text>').format(
        _number(y), _number(y - 4 if tick < 1 else y + 12), _percent(tick)
    )


def _dot(dot: Dot) -> Markup:
    return Markup('<line x1="{x}%" y1="{low}" x2="{x}%" y2="{high}"/><circle cx="{x}%" cy="{y}" r="4.5"/>').format(
        x=_number(_across(dot.confidence)),
        y=_number(_down(dot.accuracy)),
        low=_number(_down(dot.lower)),
        high=_number(_down(dot.upper)),
    )


def _across(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)


def _down(share: float) -> float:
    return _FLOOR - (_FLOOR - _HEAD) * min(max(share, 0.0), 1.0)


def _percent(share: float) -> str:
    return f"{100 * share:g}\u202f%"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
