"""Spread: how far chance alone moves what training ends with.

The seed draws the first weights of an adapter, the order of examples and what dropout leaves out; nothing in the data
or the recipe prefers one. So trainings that differ in it alone say how much of a difference between two recipes may be
chance. The standard deviation is that of a sample (n - 1). Two single trainings of one recipe differ by less than
1.96·√2, some 2.8, standard deviations in 95 of 100 cases: the repeatability limit of ISO 5725-6, for what is normally
distributed.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from assay.reporting import wording
from assay.reporting.training import METRICS, Repeat, Training

VERSION = 2

UNMEASURED = (
    "Measured with one seed; the spread is unknown. Give the recipe `repeat_seeds`, such as [2, 3, 4, 5], and run it "
    "again: each is one more training, none of them a candidate."
)

UNHELD = "Nothing was measured on held-out records, so the spread over these seeds is unknown."

LIMIT = 1.96 * 2**0.5
"""Standard deviations between two trainings, which 95 of 100 pairs stay under."""

ROUGH = 10
"""Of fewer values a standard deviation is a rough one: of 5 it may be 0.6 to 2.9 times as large (95 %)."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One training of several that differ in this alone."""

    seed: int | None
    is_candidate: bool
    training: Training
    held_out_loss: float | None
    score: float | None
    """By the metric of the task, if that was measured."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far values of one quantity lie from each other."""

    metric: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of all values."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """Standard deviation of a sample."""
        return statistics.stdev(self.values)

    @property
    def limit(self) -> float:
        """A difference of two trainings under which they cannot be told apart."""
        return LIMIT * self.deviation


def missing(asked: JsonValue, trained: Sequence[int]) -> list[str]:
    """A sentence on seeds that were asked for and whose training failed, if there are any."""
    failed = [str(seed) for seed in asked if seed not in trained] if isinstance(asked, list) else []
    if not failed:
        return []
    return [f"With seed {', '.join(failed)} training failed: the steps of the run say why."]


def seeds(candidate: Training, seed: int | None, repeats: Sequence[Repeat]) -> list[Seed]:
    """The candidate and its repeats, with what the weights that were kept say on the validation side."""
    name = metric([candidate, *(repeat.training for repeat in repeats)])
    every = [(seed, candidate), *((repeat.seed, repeat.training) for repeat in repeats)]
    return [
        Seed(
            seed=given,
            is_candidate=training is candidate,
            training=training,
            held_out_loss=training.kept_loss,
            score=_kept(training, name) if name else None,
        )
        for given, training in every
    ]


def metric(trainings: Sequence[Training]) -> str | None:
    """The metric of the task that all of them were measured by."""
    return next((name for name in METRICS if all(training.measured(name) for training in trainings)), None)


def spreads(trained: Sequence[Seed], name: str | None) -> list[Spread]:
    """Of what at least two trainings were measured by: the held-out loss, and the metric ``name``."""
    found = {"held_out_loss": [each.held_out_loss for each in trained]}
    if name:
        found[name] = [each.score for each in trained]
    known = {what: tuple(value for value in values if value is not None) for what, values in found.items()}
    return [Spread(what, values) for what, values in known.items() if len(values) > 1]


def unknown(trained: Sequence[Seed]) -> str:
    """Why nothing is known, and what to do about it."""
    return UNMEASURED if len(trained) == 1 else UNHELD


def said(spread: Spread, candidate: float | None) -> str:
    """What it means, in two or three sentences."""

    def shown(value: float) -> str:
        return wording.scaled(value, spread.metric)

    def apart(value: float) -> str:
        return wording.number(value) if _is_loss(spread) else f"{wording.number(100 * value)} points"

    number = len(spread.values)
    told = (
        f"{wording.metric(spread.metric)} over {number} seeds: {shown(spread.mean)} on average, standard deviation "
        f"{apart(spread.deviation)}, from {shown(min(spread.values))} to {shown(max(spread.values))}."
    )
    if candidate is not None:
        told += f" The candidate has {shown(candidate)}, {_place(spread, candidate)}; it was not picked for that."
    rough = f" Of {number} seeds the deviation itself is a rough one." if number < ROUGH else ""
    return f"{told} Two single trainings that differ by less than {apart(spread.limit)} may differ by chance.{rough}"


def _place(spread: Spread, candidate: float) -> str:
    """Where the candidate stands among all, the best first."""
    better = sum(value < candidate if _is_loss(spread) else value > candidate for value in spread.values)
    if better == 0:
        return "the best of them"
    return "the worst of them" if better == len(spread.values) - 1 else f"number {better + 1} of them from the best"


def _kept(training: Training, name: str) -> float | None:
    return next((value for step, value in reversed(training.measured(name)) if step <= training.kept_at), None)


def _is_loss(spread: Spread) -> bool:
    return spread.metric.endswith("_loss")
