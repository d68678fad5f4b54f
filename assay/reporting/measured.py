"""Measured: the page on which somebody sees how well redaction worked in a run, and whether that let the run go on.

In every run invented values are planted in text like the data's own and go through the same redaction. What came of
them is on this page whether it passed or stopped the run, and in short on the report and on the data card
(:func:`shown`). It is made of counts, bounds, types and the words of a recipe: nothing of a record and no value, not
even an invented one. Equal content gives equal bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.reporting import bounds, charts, claims, pages, wording
from assay.reporting.content import Links, Personal
from assay.reporting.part import Part
from assay.reporting.redacting import Bounds, Recall, Redacting, Share

VERSION = 2

SHOWN_RUNS = 20
"""Runs that a trend goes back, this one included."""

UNMEASURED = "Redaction: how much it finds was not measured in this run."
"""Among what is not known, where nobody planted anything."""

_TEMPLATE, _STYLE = "measured.html.j2", "measured.css"
_STANDINGS = {
    True: ("Shown to be good enough", "good", "\u2713", "The redacted records go on."),
    False: (
        "Not shown to be good enough",
        "bad",
        "\u2715",
        "The run ends here: nothing is learned from these records.",
    ),
}
_DRAWN = 3
"""Shares that are drawn; the rest are numbers beside them."""

_WORDS = {"short": ("not shown", "bad"), "shown": ("shown", "good"), "free": ("no floor", "plainly")}


class Past(Bounds):
    """An earlier run, in numbers."""

    run: str
    started: str


class Content(Part):
    """All that the page says."""

    name: str
    """Of the recipe."""

    owner: str = ""
    redacting: Redacting
    personal: Personal | None = None
    """What was replaced in the data."""

    past: tuple[Past, ...] = ()
    """Earlier runs of the same recipe, in any order; the last :data:`SHOWN_RUNS` count."""

    links: Links = Links()


@dataclass(frozen=True, slots=True)
class Seen:
    """A share in a table, with what was asked of it."""

    name: str
    share: Share
    asked: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """How well redaction worked, as pages show it."""

    redacting: Redacting
    word: str
    colour: str
    headline: str
    level: str
    method: str
    recalls: Markup
    rates: Markup
    shares: list[Seen]
    missed: list[claims.Missed]
    reviewed: str
    not_shown: list[tuple[str, str]]


def page(content: Content) -> bytes:
    """Set ``content`` as a self-contained HTML page."""
    redacting = content.redacting
    word, colour, sign, follows = _STANDINGS[redacting.passed]
    runs = [*sorted(content.past, key=lambda past: (past.started, past.run))[1 - SHOWN_RUNS :], _present(redacting)]
    written = pages.template(_TEMPLATE).render(
        content=content,
        shown=shown(redacting),
        style=_STYLE,
        word=word,
        colour=colour,
        sign=sign,
        follows=follows,
        ways_on=[way.partition(": ") for way in claims.ways_on(redacting)],
        counts=content.personal.counts if content.personal else {},
        runs=runs,
        leaks=_trend([run.leaks.upper for run in runs], redacting.max_leak, "Bound of the leak rate"),
        over=_trend([run.over_plain.upper for run in runs], redacting.max_over_redaction, "Bound of over-redaction"),
    )
    return written.encode()


def shown(redacting: Redacting) -> Shown:
    """What every page says of how well redaction worked."""
    word, colour, _, _ = _STANDINGS[redacting.passed]
    return Shown(
        redacting=redacting,
        word=word,
        colour=colour,
        headline=claims.headline(redacting),
        level=claims.level(redacting),
        method=claims.method(redacting),
        recalls=bounds.recalls([_recall(each, redacting) for each in redacting.asked()]),
        rates=bounds.rates([_rate(each) for each in _shares(redacting)[:_DRAWN]]),
        shares=_shares(redacting),
        missed=[claims.missed(capture) for capture in redacting.captures],
        reviewed=claims.reviewed(redacting.sample, redacting.confidence) if redacting.sample else "",
        not_shown=claims.not_shown(redacting),
    )


def _recall(recall: Recall, redacting: Redacting) -> bounds.Row:
    floor, full = redacting.floors.get(recall.type), recall.full
    word, colour = _WORDS[redacting.standing(recall)]
    asked = "" if floor is None else f", floor {wording.percent(floor)}"
    return bounds.Row(
        name=recall.type,
        said=f"{_of(full)}, at least {claims.at_least(full.lower)}{asked}" if full.of else f"none planted{asked}",
        word=word,
        colour=colour,
        seen=full.rate,
        bound=full.lower,
        limit=floor,
        touched=recall.touched / full.of if full.of else None,
    )


def _rate(seen: Seen) -> bounds.Row:
    share, limit = seen.share, seen.asked
    word, colour = ("no limit", "plainly") if limit is None else _WORDS["shown" if share.upper <= limit else "short"]
    asked = "" if limit is None else f", limit {wording.percent(limit)}"
    return bounds.Row(
        name=seen.name,
        said=f"{_of(share)}, at most {claims.at_most(share.upper)}{asked}" if share.of else f"none planted{asked}",
        word=word,
        colour=colour,
        seen=share.rate,
        bound=share.upper,
        limit=limit,
    )


def _shares(redacting: Redacting) -> list[Seen]:
    """Everything that should be low, the weightiest first."""
    return [
        Seen("Records that keep a direct identifier", redacting.leaks, redacting.max_leak),
        Seen("The same, of records as dense with identifiers as the data", redacting.own_leaks),
        Seen("Letters masked where nothing is personal", redacting.over_plain, redacting.max_over_redaction),
        Seen("Letters masked beside planted values", redacting.over_seeded),
        Seen("Records without personal data in which something was masked", redacting.plain),
        Seen("Seeded records that were set aside", redacting.dropped),
    ]


def _of(share: Share) -> str:
    return f"{wording.count(share.count)} of {wording.count(share.of)}"


def _present(redacting: Redacting) -> Past:
    return Past.model_validate({**redacting.model_dump(), "run": "", "started": ""})


def _trend(values: Sequence[float], limit: float | None, what: str) -> Markup:
    listed = ", ".join(map(claims.at_most, values))
    return charts.sparkline(values, f"{what} in the last {len(values)} runs, oldest first: {listed}", limit)
