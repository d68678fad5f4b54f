"""Flow: pictures of a data set, drawn by hand as inline SVG.

The flow picture is read downwards, like the page. A stream as wide as there are records runs through the steps; what a
step parts from it turns off to the right, in another colour, to the words that say how many left and why; at the end
the sides turn off in the same way. The picture is a table, so that a reader without eyes, or a telephone, has the same
numbers in the same order. Only shapes are drawn: a drawing is stretched to the cell that it stands in, texts are not.

Colours come from the page's style sheet by class.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from markupsafe import Markup

from assay.reporting import wording
from assay.reporting.content import Passage

VERSION = 2

SHOWN_REASONS = 2
"""Of why records left a step."""

STEPS = {
    "redact": "Personal data replaced",
    "correct": "Corrected after review",
    "deduplicate": "Duplicates taken out",
    "decontaminate": "Test texts kept out",
    "trim": "Outliers looked for",
    "audit_labels": "Labels audited",
    "balance": "Classes balanced",
    "validate-raw": "Checked as received",
    "validate-redacted": "Checked once redacted",
    "validate-curated": "Checked once curated",
}
"""A step's name for people."""

ENDS = {"train": "learned from", "validation": "watched while learning", "test": "asked at the end"}
"""What becomes of a side."""

_WIDTH, _HEIGHT = 100.0, 40.0
_STREAM = 72.0
"""How much of the width all of the records take."""

_BEND = 9.0
_HAIR, _THREAD = 0.7, 2.4
"""What leaves is drawn at least so wide where it parts, and so high where it ends, or nobody would see it."""

_HEAD, _BARS, _FOOT = 18, 92, 20
_FEWEST_BINS = 8
"""Fewer would be drawn as walls."""


def picture(path: Sequence[Passage], sides: Mapping[str, int], sources: int) -> Markup:
    """The way of the records from the sources to the sides; nothing if there is no step.

    Args:
        path: Steps in order; each takes what the one before it passed.
        sides: Side → records that ended there.
        sources: Their number.
    """
    if not path:
        return Markup()
    most, ends = max(passage.taken for passage in path) or 1, [(side, rows) for side, rows in sides.items() if rows]
    rows = [_row("Read", _sources(sources), _stream(path[0].taken, path[0].taken, most), _read(path[0].taken), "quiet")]
    rows += [_passage(passage, most) for passage in path]
    left = sum(rows for _, rows in ends)
    total = left or 1
    for side, number in ends:
        said = _said(number, f"{wording.share(number / total)} of the data set", "kept-count", " records")
        rows.append(
            _row(wording.humanised(side), ENDS.get(side, ""), _stream(left, left - number, most, "onward"), said)
        )
        left -= number
    return Markup(
        '<table role="table" class="flow"><caption>{}</caption><thead role="rowgroup" class="unseen"><tr role="row">'
        '<th role="columnheader" scope="col">Step</th><th role="columnheader" scope="col">Picture</th>'
        '<th role="columnheader" scope="col">Records that left here</th></tr></thead>'
        '<tbody role="rowgroup">{}</tbody></table>'
    ).format("Every record that was read, and where it went", Markup().join(rows))


def histogram(bins: Mapping[int, int], edges: Sequence[int], top: float, unit: str, said: str) -> Markup:
    """Bars of the share of texts in each bin, over equally wide bins.

    Args:
        bins: Lower edge → texts.
        edges: Lower edges to draw, in order; those of every histogram that this one stands beside.
        top: Share that fills the height, in the same way.
        unit: What is counted, in the plural, such as ``words``.
        said: The histogram in a sentence, for who cannot see it.
    """
    total, width = sum(bins.values()) or 1, 100 / max(len(edges), 1)
    bars = Markup().join(
        Markup('<rect class="kept" x="{}%" y="{}" width="{}%" height="{}"><title>{}</title></rect>').format(
            _number(place * width + width * 0.06),
            _number(_HEAD + _BARS - height),
            _number(width * 0.88),
            _number(height),
            f"{between(edges, place)} {unit}: {wording.count(bins[edge])}",
        )
        for place, edge in enumerate(edges)
        if bins.get(edge) and (height := max(1.5, _BARS * bins[edge] / total / (top or 1)))
    )
    every = -(-len(edges) // 6)
    ticks = Markup().join(
        Markup('<text x="{}%" y="{}">{}</text>').format(_number(place * width), _HEAD + _BARS + 15, wording.count(edge))
        for place, edge in enumerate(edges)
        if place % every == 0
    )
    return Markup(
        '<svg class="histogram" role="img" aria-label="{}" height="{}">'
        '<line class="grid" x1="0" y1="{}" x2="100%" y2="{}"/><text x="0" y="{}">{}</text>{}'
        '<line class="grid" x1="0" y1="{y}" x2="100%" y2="{y}"/>{}</svg>'
    ).format(said, _HEAD + _BARS + _FOOT, _HEAD, _HEAD, _HEAD - 5, wording.share(top), bars, ticks, y=_HEAD + _BARS)


def window(counted: Sequence[Mapping[int, int]], edges: Sequence[int]) -> list[int]:
    """The edges from the first bin to the last in which any histogram has a text, and some around them if few."""
    filled = [edges.index(edge) for bins in counted for edge, texts in bins.items() if texts]
    if not filled:
        return []
    first, last = min(filled), max(filled)
    first = max(0, min(first, (first + last + 1 - _FEWEST_BINS) // 2))
    return list(edges[first : max(last + 1, first + _FEWEST_BINS)])


def between(edges: Sequence[int], place: int) -> str:
    """The lengths that fall into a bin."""
    if place + 1 == len(edges):
        return f"{wording.count(edges[place])} and more"
    last = edges[place + 1] - 1
    return wording.count(last) if last == edges[place] else f"{wording.count(edges[place])} to {wording.count(last)}"


def step(name: str) -> str:
    """A step's name for people."""
    return STEPS.get(name) or wording.humanised(name.replace("-", " "))


def fate(passage: Passage) -> str:
    """What is said of records that a step does not pass on."""
    return "set aside" if passage.step.startswith("validate") else "dropped"


def _passage(passage: Passage, most: int) -> Markup:
    picture = _stream(passage.taken, passage.passed, most)
    head = (step(passage.step), f"{wording.count(passage.taken)} in, {wording.count(passage.passed)} out")
    if passage.unaccounted:
        lost = f"{wording.count(passage.unaccounted)} not accounted for: a fault"
        return _row(*head, picture, Markup('<b class="down">{}</b>').format(lost))
    if not passage.dropped:
        return _row(*head, picture, Markup('<span class="none">none {}</span>').format(fate(passage)), "quiet")
    said = [f"{wording.count(reason.rows)} \u00d7 {reason.said}" for reason in passage.reasons[:SHOWN_REASONS]]
    rest = passage.dropped - sum(reason.rows for reason in passage.reasons[:SHOWN_REASONS])
    if said and rest:
        said.append(f"{wording.count(rest)} for other reasons")
    return _row(*head, picture, _said(passage.dropped, "; ".join(said), "gone-count", f" {fate(passage)}"))


def _row(name: str, small: str, picture: Markup, said: Markup, kind: str = "") -> Markup:
    return Markup(
        '<tr role="row" class="{}"><th role="rowheader" scope="row">{} <small>{}</small></th>'
        '<td role="cell" class="stream">{}</td><td role="cell" class="said">{}</td></tr>'
    ).format(kind, name, small, picture, said)


def _said(rows: int, why: str, colour: str, what: str = "") -> Markup:
    return Markup('<b class="{}">{}{}</b> <small>{}</small>').format(colour, wording.count(rows), what, why)


def _read(rows: int) -> Markup:
    return Markup('<span class="none">{} {}</span>').format(wording.count(rows), "record" if rows == 1 else "records")


def _sources(sources: int) -> str:
    return f"from {wording.count(sources)} {'source' if sources == 1 else 'sources'}"


def _stream(taken: int, passed: int, most: int, colour: Literal["gone", "onward"] = "gone") -> Markup:
    """What goes on, and what turns off to the right."""
    start, end = _across(passed, most), _across(taken, most)
    kept = Markup('<rect class="onward" width="{}" height="{}"/>').format(_number(start), _number(_HEIGHT))
    branch = Markup()
    if taken > passed:
        end = max(end, start + _HAIR)
        half = max(_THREAD, 0.85 * _HEIGHT * (taken - passed) / most) / 2
        left, right, upper, lower = (_number(x) for x in (start, end, _HEIGHT / 2 - half, _HEIGHT / 2 + half))
        after = [_number(x + _BEND) for x in (start, end)]
        # Down, a bend, and level to the edge; back along the lower side, up to where it parted.
        line = (
            f"M{left} 0H{right}Q{right} {upper} {after[1]} {upper}H{_number(_WIDTH)}"
            f"V{lower}H{after[0]}Q{left} {lower} {left} 0Z"
        )
        branch = Markup('<path class="{}" d="{}"/>').format(colour, line)
    return Markup('<svg aria-hidden="true" viewBox="0 0 {} {}" preserveAspectRatio="none">{}{}</svg>').format(
        _number(_WIDTH), _number(_HEIGHT), kept if passed else "", branch
    )


def _across(rows: int, most: int) -> float:
    return _STREAM * rows / most


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
