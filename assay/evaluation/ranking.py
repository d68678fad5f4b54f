"""Ranking: which of several trainings of one recipe should be taken further, by what the validation side says.

Points that differ in their seed alone are one group: what they differ by is chance. A group is worth the mean of its
points, and the standard deviation (n - 1) says how far chance moved them. The lead of the best group over the next is
held against the larger deviation of the two; without seeds there is none, and nobody can say whether a lead is chance.

Of the best group the point whose seed was named first is the one to run: to take its luckiest seed would be to choose
chance. A group of which a point failed comes after those that are whole.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts import JSON, digest_of
from assay.errors import TrainingError

VERSION = 1

SEED = "training.seed"

LESS_IS_BETTER = frozenset({"held_out_loss"})
"""Of what is measured while a model is trained; of everything else more is better."""


class Group(BaseModel):
    """Points that differ in their seed alone."""

    model_config = ConfigDict(frozen=True)

    settings: dict[str, JsonValue]
    """What they share of what differs between points."""

    points: tuple[int, ...]
    """Their places, those that failed included."""

    values: tuple[float, ...]
    """Of those that did not fail."""

    mean: float | None = None
    deviation: float | None = None
    """Standard deviation of the values; None of fewer than two."""

    @property
    def is_whole(self) -> bool:
        """Whether no point failed."""
        return len(self.values) == len(self.points)


class Ranking(BaseModel):
    """Groups, best first, and what the best is ahead by."""

    model_config = ConfigDict(frozen=True)

    groups: tuple[Group, ...]
    winner: int
    """Place of the point that should be run."""

    lead: float | None
    """How much better the first group's mean is than the second's; None if there is no second."""

    spread: float | None
    """The larger of their deviations; None if neither has two values."""

    @property
    def is_shown(self) -> bool:
        """Whether the lead is larger than what chance moved the points of a group by."""
        return self.lead is not None and self.spread is not None and self.lead > self.spread


def rank(settings: Sequence[Mapping[str, JsonValue]], values: Sequence[float | None], metric: str) -> Ranking:
    """Put points in order.

    Args:
        settings: of each point, what differs between them: dotted path → value.
        values: of each point its metric, or None if it failed.
        metric: what the values are, which says whether less or more is better.

    Raises:
        TrainingError: every point failed.
    """
    sign = 1.0 if metric in LESS_IS_BETTER else -1.0
    groups = sorted(_groups(settings, values), key=lambda group: _order(group, sign))
    best = groups[0]
    if best.mean is None:
        raise TrainingError("found no point that was trained to its end; expected one. See why each of them failed.")
    second = groups[1] if len(groups) > 1 else None
    lead = sign * (second.mean - best.mean) if second and second.mean is not None else None
    spreads = [group.deviation for group in (best, second) if group and group.deviation is not None]
    return Ranking(
        groups=tuple(groups),
        winner=next(place for place in best.points if values[place] is not None),
        lead=lead,
        spread=max(spreads, default=None),
    )


def _groups(settings: Sequence[Mapping[str, JsonValue]], values: Sequence[float | None]) -> list[Group]:
    shared: dict[str, tuple[dict[str, JsonValue], list[int]]] = {}
    for place, each in enumerate(settings):
        others = {name: value for name, value in each.items() if name != SEED}
        shared.setdefault(digest_of(cast("JSON", others)), (others, []))[1].append(place)
    return [_group(others, places, values) for others, places in shared.values()]


def _group(settings: dict[str, JsonValue], places: Sequence[int], values: Sequence[float | None]) -> Group:
    there = [value for place in places if (value := values[place]) is not None]
    return Group(
        settings=settings,
        points=tuple(places),
        values=tuple(there),
        mean=statistics.fmean(there) if there else None,
        deviation=statistics.stdev(there) if len(there) > 1 else None,
    )


def _order(group: Group, sign: float) -> tuple[bool, bool, float]:
    """Groups that failed last, those with a failed point before them; ties keep the order of the grid."""
    return group.mean is None, not group.is_whole, 0.0 if group.mean is None else sign * group.mean
