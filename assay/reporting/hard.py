"""Hard: which examples a model never learned or learned last, in sentences and two charts, for who owns the data.

What is shown is made of losses and ids; no text. What counts as learned was decided by who listed them
(:mod:`assay.data.hardness`) and is drawn as it was decided.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from markupsafe import Markup

from assay.reporting import curves, wording
from assay.reporting.training import Point

VERSION = 1

SHOWN, DRAWN = 12, 6
"""Of the worst, that are listed, and whose losses are drawn."""

SHOWN_LABELS, LONG = 20, 40
"""Labels that are listed, and characters of one."""

NEVER, LAST = "never_learned", "learned_last"
UNKNOWN = (
    "Nothing can be said of single examples: that takes two visits of each, so two epochs, and some forty examples."
)
NEXT = (
    "`assay curate review RECIPE` lists them with their text, beside what curation doubts. Wrong labels are often "
    "among them, and so is what is merely rare. What is decided there is carried out by the next run."
)

_HEIGHT, _FOOT, _HEAD = 150, 24, 18
_LEFT, _RIGHT = 2.0, 98.0
_COLUMNS, _DECADES, _LEAST = 32, 4, 2.0
_MIDDLE = 50.0


class Example(NamedTuple):
    """One that was judged."""

    id: str
    label: str | None
    kind: str | None
    """``never_learned``, ``learned_last`` or neither."""

    visits: tuple[Point, ...]
    """Step and loss in nats per learned token."""

    @property
    def last(self) -> float:
        """Loss at the last visit."""
        return self.visits[-1][1]


@dataclass(frozen=True, slots=True)
class Hard:
    """What was noticed of the examples of a training."""

    examples: tuple[Example, ...]
    unjudged: int = 0
    """Of which nothing can be said."""

    learned: float | None = None
    """Loss up to which a last visit counts as learned."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label with the examples that were hard."""

    name: str
    examples: int
    never: int
    last: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says of hard examples."""

    word: str
    colour: str
    said: list[str]
    distribution: Markup
    curves: Markup
    labels: list[Label]
    worst: list[Example]
    more: int
    """Never learned, and not listed here."""


def shown(hard: Hard) -> Shown:
    """What a page says of hard examples."""
    worst = sorted((e for e in hard.examples if e.kind == NEVER), key=lambda each: (-each.last, each.id))
    kinds = Counter(each.kind for each in hard.examples)
    if not hard.examples or hard.learned is None:
        return Shown("not known", "plainly", [UNKNOWN], Markup(), Markup(), [], [], 0)
    return Shown(
        word="worth a look" if worst else "none stands out",
        colour="odd" if worst else "good",
        said=_said(hard, kinds[NEVER], kinds[LAST]),
        distribution=distribution([each.last for each in hard.examples], hard.learned),
        curves=_curves(hard, worst[:DRAWN]) if worst else Markup(),
        labels=_labels(hard.examples),
        worst=worst[:SHOWN],
        more=max(len(worst) - SHOWN, 0),
    )


def _said(hard: Hard, never: int, last: int) -> list[str]:
    first = (
        f"{wording.count(never)} of {wording.count(len(hard.examples))} examples were never learned, "
        f"{wording.count(last)} were learned last. Not learned is a loss over {wording.loss(hard.learned)} nats a "
        "token at the last visit: more than three quarters of the examples had when first seen, and far out among last "
        "visits."
    )
    said = [first]
    if hard.unjudged:
        said.append(f"Of {wording.count(hard.unjudged)} more nothing can be said: training ended before their second.")
    return [*said, NEXT] if never or last else said


def _labels(examples: Sequence[Example]) -> list[Label]:
    """Labels with a hard example, those with most that were never learned first; none if there are no labels."""
    counts = Counter((each.label, each.kind) for each in examples if each.label is not None)
    every = Counter(each.label for each in examples if each.label is not None)
    found = [Label(_short(name), n, counts[name, NEVER], counts[name, LAST]) for name, n in every.items()]
    hard = [label for label in found if label.never or label.last]
    return sorted(hard, key=lambda each: (-each.never, -each.last, each.name))[:SHOWN_LABELS]


def _short(name: str) -> str:
    return name if len(name) <= LONG else f"{name[: LONG - 1]}\u2026"


def _curves(hard: Hard, worst: Sequence[Example]) -> Markup:
    """Losses of the worst from visit to visit, and what is typical."""
    typical = [
        (median(each.visits[place][0] for each in seen), median(each.visits[place][1] for each in seen))
        for place in range(max(len(each.visits) for each in hard.examples))
        if (seen := [each for each in hard.examples if len(each.visits) > place])
    ]
    return curves.lines(
        [curves.Line(each.id, each.visits, "worst", dots=True) for each in worst]
        + [curves.Line("typical", typical, "first", dots=True)],
        f"Loss at each visit by step: of the {len(worst)} worst examples, and the median of all",
    )


def distribution(losses: Sequence[float], learned: float) -> Markup:
    """How many examples have which loss at their last visit, by powers of ten, with what counts as learned."""
    logs = [math.log10(max(loss, 1e-12)) for loss in losses]
    top = math.ceil(max(*logs, math.log10(max(learned, 1e-12)), -99) + 1e-9)
    foot = max(min(math.floor(min(logs)), top - 1), top - _DECADES)
    width = (top - foot) / _COLUMNS
    counts = Counter(min(max(int((log - foot) / width), 0), _COLUMNS - 1) for log in logs)
    edge = (math.log10(max(learned, 10.0**foot)) - foot) / (top - foot)
    columns = Markup().join(_column(place, counts[place], max(counts.values()), edge) for place in sorted(counts))
    feet = Markup().join(_tick(power, foot, top) for power in range(foot, top + 1))
    caption = f"Examples by loss at their last visit; {sum(loss > learned for loss in losses)} are over {learned:.3g}"
    return Markup('<svg class="losses" role="img" aria-label="{}" height="{}">{}{}{}</svg>').format(
        caption, _HEIGHT + _FOOT, columns, feet, _edge(edge, f"learned: up to {learned:.3g}")
    )


def _column(place: int, count: int, most: int, edge: float) -> Markup:
    """One column; its colour tells on which side of the edge its middle is."""
    height = max((_HEIGHT - _HEAD) * count / most, _LEAST)
    return Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"/>').format(
        "gone" if (place + 0.5) / _COLUMNS > edge else "kept",
        _number(_across(place / _COLUMNS)),
        _number(_HEIGHT - height),
        _number((_RIGHT - _LEFT) / _COLUMNS * 0.9),
        _number(height),
    )


def _tick(power: int, foot: int, top: int) -> Markup:
    x, last = _across((power - foot) / (top - foot)), power == top
    return Markup('<text x="{}%" y="{}" text-anchor="{}">{}</text>').format(
        _number(x), _HEIGHT + _FOOT - 6, "end" if last else "start" if power == foot else "middle", f"{10.0**power:g}"
    )


def _edge(share: float, said: str) -> Markup:
    x = _across(share)
    return Markup(
        '<g class="mark"><line x1="{x}%" y1="{head}" x2="{x}%" y2="{foot}"/>'
        '<text x="{x}%" y="{y}" text-anchor="{anchor}">{said}</text></g>'
    ).format(x=_number(x), head=_HEAD, foot=_HEIGHT, y=_HEAD - 5, anchor="end" if x > _MIDDLE else "start", said=said)


def _across(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
