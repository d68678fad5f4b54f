"""Charts: inline SVG drawn by hand, so that a page needs no script, no font and no network.

Widths are percentages and heights pixels, without a view box, so a chart fits a telephone and its text keeps its
size. Colours come from the page's style sheet by class. A chart never stands alone: the page has its numbers as text.
"""

import itertools
from collections.abc import Sequence

from markupsafe import Markup

VERSION = 1

_SPARK = 30


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


def _spot(place: int, value: float | None, of: int, top: float) -> tuple[float, float] | None:
    return None if value is None else (4 + 92 * (place / (of - 1) if of > 1 else 1.0), _low(value, top))


def _low(value: float, top: float) -> float:
    return _SPARK - 4 - (_SPARK - 8) * value / top


def _share(value: float, most: float) -> float:
    return max(0.0, min(100.0, 100 * value / most)) if most > 0 else 0.0


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
