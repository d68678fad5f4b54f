"""Bounds: shares, how far the truth may lie from them, and what was asked for, drawn beside one another.

One row a share: a dot where it was seen, a line from there to its one-sided bound, a hollow dot for the share that
was touched at all, and an upright stroke for the limit that the bound is held against. All rows of a chart have one
axis, whose better end is stretched by a square root, since that is where everything is decided. As in
:mod:`assay.reporting.charts` widths are percentages, colours come from the style sheet, and a chart never stands alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

VERSION = 1

_FROM_BEST = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Distances from the better end that an axis may reach, and that its ticks may have."""

_LEFT, _WIDTH = 4.0, 92.0
_GAP = 9.0
_ROW = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A share of which the bound is held against a limit, if there is one."""

    name: str
    said: str
    """The numbers in words."""

    word: str
    """How it stands to its limit, so that colour is not alone."""

    colour: str
    """``good``, ``bad`` or ``plainly``."""

    seen: float | None
    """None of nothing."""

    bound: float
    limit: float | None = None
    touched: float | None = None


@dataclass(frozen=True, slots=True)
class _Axis:
    best: float
    """0 or 1."""

    reach: float

    def across(self, value: float) -> float:
        """Per cent from the left."""
        far = math.sqrt(min(abs(value - self.best) / self.reach, 1.0))
        return _LEFT + _WIDTH * (far if not self.best else 1 - far)

    def ticks(self) -> list[float]:
        """Values, from the better end on."""
        return [abs(self.best - far) for far in (0.0, *_FROM_BEST) if far <= self.reach]


def recalls(rows: Sequence[Row]) -> Markup:
    """Shares that should be high, up to the whole."""
    return _chart(rows, 1.0, "share masked")


def rates(rows: Sequence[Row]) -> Markup:
    """Shares that should be low, from nothing on."""
    return _chart(rows, 0.0, "share")


def _chart(rows: Sequence[Row], best: float, head: str) -> Markup:
    if not rows:
        return Markup()
    axis = _Axis(best, _reach(rows, best))
    labels = Markup().join(
        Markup('<text x="{}%" y="14" text-anchor="middle">{}</text>').format(_number(axis.across(tick)), _percent(tick))
        for tick in _apart(axis)
    )
    grid = Markup().join(
        Markup('<line class="grid" x1="{0}%" y1="0" x2="{0}%" y2="{1}"/>').format(_number(axis.across(tick)), _ROW)
        for tick in axis.ticks()
    )
    return Markup(
        '<div class="bounds"><div class="row axis" aria-hidden="true"><span class="name">{}</span>'
        '<svg aria-hidden="true" height="20">{}</svg><span></span></div>{}</div>'
    ).format(head, labels, Markup().join(_row(row, axis, grid) for row in rows))


def _reach(rows: Sequence[Row], best: float) -> float:
    """The least distance of :data:`_FROM_BEST` that holds everything; of nothing, the whole."""
    known = [row for row in rows if row.seen is not None]
    values = [v for row in known for v in (row.seen, row.bound, row.touched) if v is not None]
    values += [row.limit for row in rows if row.limit is not None]
    far = max((abs(value - best) for value in values), default=1.0)
    return next((step for step in _FROM_BEST if far <= step), 1.0)


def _apart(axis: _Axis) -> list[float]:
    """Ticks whose labels do not touch: the worse end first, then the better one and what has room between."""
    ends = axis.ticks()
    shown: list[float] = []
    for tick in (ends[-1], ends[0], *reversed(ends[1:-1])):
        if all(abs(axis.across(tick) - axis.across(other)) >= _GAP for other in shown):
            shown.append(tick)
    return shown


def _row(row: Row, axis: _Axis, grid: Markup) -> Markup:
    return Markup(
        '<div class="row {colour}"><span class="name"><b>{name}</b> <small>{said}</small></span>'
        '<svg role="img" aria-label="{name}: {said}; {word}" height="{height}">{grid}{limit}{marks}</svg>'
        '<span class="word {colour}">{word}</span></div>'
    ).format(
        colour=row.colour,
        name=row.name,
        said=row.said,
        word=row.word,
        height=_ROW,
        grid=grid,
        limit=_limit(row, axis),
        marks=_marks(row, axis),
    )


def _limit(row: Row, axis: _Axis) -> Markup:
    if row.limit is None:
        return Markup()
    return Markup('<line class="limit" x1="{0}%" y1="3" x2="{0}%" y2="{1}"/>').format(
        _number(axis.across(row.limit)), _ROW - 3
    )


def _marks(row: Row, axis: _Axis) -> Markup:
    """What was seen, and how far the truth may be from it."""
    if row.seen is None:
        return Markup()
    seen, bound, middle = _number(axis.across(row.seen)), _number(axis.across(row.bound)), _number(_ROW / 2)
    touched = Markup()
    if row.touched is not None and row.touched != row.seen:
        touched = Markup('<circle class="touched" cx="{}%" cy="{}" r="4.5"/>').format(
            _number(axis.across(row.touched)), middle
        )
    return Markup(
        '<line class="whisker" x1="{bound}%" y1="{y}" x2="{seen}%" y2="{y}"/>'
        '<line class="end" x1="{bound}%" y1="9" x2="{bound}%" y2="21"/>{touched}'
        '<circle class="point" cx="{seen}%" cy="{y}" r="5.5"/>'
    ).format(bound=bound, seen=seen, y=middle, touched=touched)


def _percent(value: float) -> str:
    return f"{100 * value:.4g}\u202f%"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
