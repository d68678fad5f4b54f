"""Sweep: the page on which somebody chooses between trainings of one recipe that differ in a few settings.

Points are compared by what the validation side says of the weights that would become the candidate, and the page says
what such a choice does not know. The test side is not asked: the gate judges on it, and a winner that was chosen by it
would pass for having been lucky there. The page is made of settings, counts and losses; nothing of a record is on it.
Equal content gives equal bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic import Field, JsonValue

from assay.reporting import curves, pages, wording
from assay.reporting.cost import Price
from assay.reporting.part import Part

VERSION = 2

COLOURED = 6
"""Curves that have a colour of their own, the best first; the others are grey."""

_TEMPLATE, _STYLE = "sweep.html.j2", "sweep.css"
_SEED = "training.seed"


class Point(Part):
    """One training."""

    settings: dict[str, JsonValue]
    """What differs between points: dotted path → value."""

    failed: str = ""
    """Why it did not end, if it did not; then nothing else is known."""

    value: float | None = None
    """The metric that points are compared by, of the chosen weights."""

    steps: int | None = None
    chosen_step: int | None = None
    stopped_early: bool = False
    held_out_loss: float | None = None
    train_loss: float | None = None
    """Mean of the batches between the last two measurements up to the chosen step."""

    tokens: int | None = None
    seconds: float | None = None
    device_hours: float | None = None
    adapter: str = ""
    """Digest."""

    adapter_bytes: int | None = None
    trainable_parameters: int | None = None
    held_out_losses: tuple[tuple[float, float], ...] = ()

    @property
    def gap(self) -> float | None:
        """How much worse the held-out loss is than that of training: it grows as records are learned by heart."""
        known = self.held_out_loss is not None and self.train_loss is not None
        return (self.held_out_loss or 0.0) - (self.train_loss or 0.0) if known else None


class Group(Part):
    """Points that differ in their seed alone."""

    settings: dict[str, JsonValue]
    points: tuple[int, ...]
    values: tuple[float, ...]
    mean: float | None
    deviation: float | None


class Ranking(Part):
    """Groups, best first."""

    groups: tuple[Group, ...]
    winner: int
    lead: float | None
    spread: float | None


class Content(Part):
    """All that the page says."""

    name: str
    """Of the recipe."""

    owner: str
    metric: str
    """Points are compared by it."""

    points: tuple[Point, ...]
    """In the order of the grid."""

    ranking: Ranking
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """What was changed in the recipe for all points."""

    validation_records: int
    asked_records: int | None = None
    """Of those, the ones that the metric is of; all of them if it is not said."""

    price: Price | None = None
    command: str
    """What runs the winner."""

    @property
    def winner(self) -> Point:
        """The point that should be run."""
        return self.points[self.ranking.winner]

    @property
    def best(self) -> str:
        """The best settings in a line, without a seed if others differ from them in more."""
        return told(self.ranking.groups[0].settings or self.winner.settings)

    @property
    def ranked(self) -> list[Point]:
        """All points, best group first."""
        return [self.points[place] for group in self.ranking.groups for place in group.points]

    @property
    def chosen_by(self) -> str:
        """The records that points are compared by."""
        records = wording.count(self.validation_records)
        if self.asked_records in (None, self.validation_records):
            return f"{records} validation records"
        return f"{wording.count(self.asked_records)} of {records} validation records"

    @property
    def varied(self) -> list[str]:
        """Paths of what differs."""
        return list(self.points[0].settings)

    @property
    def has_seeds(self) -> bool:
        """Whether some group has two values, so that chance can be seen."""
        return any(len(group.values) > 1 for group in self.ranking.groups)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A point with the class that colours its curve."""

    point: Point
    colour: str


def page(content: Content) -> bytes:
    """Set ``content`` as a self-contained HTML page."""
    drawn = _drawn(content)
    written = pages.template(_TEMPLATE).render(
        content=content,
        style=_STYLE,
        metric=wording.metric(content.metric),
        scored=lambda value: scored(value, content.metric),
        told=told,
        cost=lambda point: cost(point, content.price),
        hours=hours,
        exactly=_exactly,
        drawn=drawn,
        curves=_curves(drawn),
        headline=headline(content),
        not_known=list(not_known(content)),
    )
    return written.encode()


def scored(value: float | None, name: str) -> str:
    """A value of it: nats to four figures, or a share."""
    return _exactly(value) if name == "held_out_loss" else wording.share(value)


def told(settings: Mapping[str, JsonValue]) -> str:
    """Settings in a line, without what all of them begin with."""
    return ", ".join(f"{name.removeprefix('training.')} {_plain(value)}" for name, value in settings.items())


def hours(spent: float | None) -> str:
    """Device-hours, or minutes of a device where there is not a tenth of an hour."""
    if spent is None:
        return wording.UNKNOWN
    return f"{spent:.2f} h" if spent >= 0.1 else f"{60 * spent:.2f} min"  # noqa: PLR2004


def cost(point: Point, price: Price | None) -> str:
    """What a point's device-hours cost."""
    if price is None or point.device_hours is None:
        return wording.UNKNOWN
    return f"{wording.money(point.device_hours * price.device_hour)} {price.currency}"


def headline(content: Content) -> str:
    """What was found, in a sentence."""
    best, ranking = content.ranking.groups[0], content.ranking
    value = scored(best.mean, content.metric)
    mean = f", mean of {len(best.values)} seeds" if len(best.values) > 1 else ""
    said = f"{wording.metric(content.metric)} {value}{mean} on {content.chosen_by}"
    if ranking.lead is None:
        return f"{said}; there is nothing else that it could be compared with."
    lead = _apart(ranking.lead, content.metric)
    if ranking.spread is None:
        return f"{said}, {lead} better than the next; how far chance moves this was not measured."
    spread = _apart(ranking.spread, content.metric)
    if ranking.lead > ranking.spread:
        return f"{said}, {lead} better than the next: more than seeds moved it (standard deviation {spread})."
    return f"{said}, {lead} better than the next: no more than seeds moved it (standard deviation {spread})."


def not_known(content: Content) -> Iterator[str]:
    """What the choice does not know."""
    yield (
        f"How it does on records that nobody chose by: the best of {len(content.points)} looks at the same "
        f"{content.chosen_by} looks better than it is. The run of the "
        "winner judges it on the test side, which no point has seen."
    )
    yield _on_chance(content)
    if content.metric == "held_out_loss":
        yield (
            "Whether its answers are better: a smaller loss on held-out records need not mean more right answers. "
            "`training.selection.metric: exact_match` compares answers."
        )
    yield "What it forgets of general ability, and how fast it answers: the run of the winner measures both."
    yield from _edges(content)
    if failed := sum(bool(point.failed) for point in content.points):
        yield f"What came of {failed} of {len(content.points)} points: they failed, for the reasons in the table."


def _on_chance(content: Content) -> str:
    ranking = content.ranking
    if not content.has_seeds:
        return (
            "Whether the lead is chance: each setting was trained with one seed. `--grid training.seed=0,1,2` trains "
            "each with three, and shows how far apart they come out."
        )
    number = max(len(group.values) for group in ranking.groups)
    if ranking.lead is None or ranking.spread is None or ranking.lead > ranking.spread:
        return f"More of chance than {number} seeds show: so few give the standard deviation only roughly."
    return (
        "Which of the first is better: the lead is no larger than what seeds alone moved it by, so the next may be as "
        "good. Take the cheaper one, or train more seeds."
    )


def _edges(content: Content) -> Iterator[str]:
    """Settings whose best value is the smallest or largest that was tried."""
    for name in content.varied:
        tried = [value for point in content.points if _is_number(value := point.settings[name])]
        best = content.winner.settings[name]
        if name == _SEED or len(tried) < len(content.points) or len(set(map(str, tried))) < 2:  # noqa: PLR2004
            continue
        for end, word in ((min(tried, key=_as_number), "smaller"), (max(tried, key=_as_number), "larger")):
            if best == end:
                yield f"Whether a {word} `{name}` is better still: {_plain(best)} is at the edge of the grid."


def _drawn(content: Content) -> list[Drawn]:
    """Points with a curve, best first: the winner, then as many as there are colours, then grey ones."""
    whole = [point for point in content.ranked if point.held_out_losses]
    best = content.winner
    ordered = [*(point for point in whole if point is best), *(point for point in whole if point is not best)]
    colours = [f"point-{place}" for place in range(COLOURED)]
    return [Drawn(point, colours[place] if place < COLOURED else "first") for place, point in enumerate(ordered)]


def _curves(drawn: Sequence[Drawn]) -> Markup:
    """The best is drawn last, over the others."""
    series = [
        curves.Line(told(each.point.settings), each.point.held_out_losses, each.colour, dots=place == 0)
        for place, each in enumerate(drawn)
    ]
    said = "Held-out loss of every point by optimiser step; the numbers are below"
    return curves.lines(series[::-1], said, axis=curves.logarithmic)


def _apart(value: float, name: str) -> str:
    return _exactly(value) if name == "held_out_loss" else f"{wording.points(value)} points"


def _exactly(value: float | None) -> str:
    return wording.UNKNOWN if value is None else f"{value:.4g}"


def _plain(value: JsonValue) -> str:
    return ", ".join(text for _, text in wording.leaves(value)) if isinstance(value, list | dict) else _one(value)


def _one(value: JsonValue) -> str:
    return f"{value:g}" if isinstance(value, float) else wording.leaves(value)[0][1]


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_number(value: Any) -> float:  # noqa: ANN401
    return float(value)
