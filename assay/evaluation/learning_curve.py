"""Learning curve: whether more examples would pay, judged by adapters that were taught shares of those there are.

The share of wrong answers is taken to fall as a power of the number of examples, error(n) = a n^-b (Hestness et al.
2017, arXiv:1712.00409), a line on two logarithmic axes, fitted by least squares. What twice the examples would gain is
then error(n) (1 - 2^-b). Every adapter answered the same items, so the uncertainty is that of the items: subjects are
drawn anew with replacement, all their items with them (the cluster bootstrap; Cameron, Gelbach & Miller 2008,
doi:10.1162/rest.90.3.414), and the curve is fitted to each draw. A share of wrong answers that is none, in the data
or in a draw, counts as half an item. If every draw says the same, the items show no spread; as in
:mod:`assay.evaluation.comparison.intervals`, at most a share 1 - (1 - c)^(1/k) of subjects, k being their effective
number n² / Σ n_g², may then be unlike them; one subject alone says nothing.

The bounds are one-sided each. They do not hold how far another seed of training would have moved a point, nor that a
curve may bend: two points fit any line, and a first point that learned nothing makes the line too steep.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

VERSION = 1

DRAWS = 2000

_TINY = 1e-12

Floats = Any
Outlook = Literal["pays", "does_not_pay", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Point:
    """An adapter and how it did."""

    examples: int
    scores: Sequence[float]
    """Of each item, in 0 … 1; the same items in the same order at every point."""


class Curve(BaseModel):
    """What the points say of twice as many examples."""

    model_config = ConfigDict(frozen=True)

    examples: tuple[int, ...]
    values: tuple[float, ...]
    """Mean scores."""

    exponent: float
    """b: how fast errors fall."""

    gain: float
    """Of twice the examples over all there are, as a share of items."""

    lower: float
    upper: float
    margin: float
    outlook: Outlook
    sentence: str


def study(points: Sequence[Point], clusters: Sequence[str], margin: float, confidence: float, seed: int) -> Curve:
    """Fit a curve and say whether twice the examples would gain more than ``margin``.

    Args:
        points: At least two, with different numbers of examples; the last has all there are.
        clusters: Subject of each item.
        margin: Smallest gain that is worth having, as a share of items.
        confidence: Of each one-sided bound.
        seed: Of the draws.
    """
    ordered = sorted(points, key=lambda point: point.examples)
    examples = np.array([point.examples for point in ordered], dtype=float)
    errors = 1 - np.array([point.scores for point in ordered], dtype=float)
    drawn = _drawn(errors, clusters, seed)
    exponent, gain = _fitted(examples, errors.mean(axis=1)[None], errors.shape[1])
    _, gains = _fitted(examples, drawn, errors.shape[1])
    lower, upper = (float(np.quantile(gains, level)) for level in (1 - confidence, confidence))
    if np.ptp(gains) < _TINY:
        missed = _missed(clusters, confidence)
        lower, upper = lower - missed, upper + missed
    outlook: Outlook = "pays" if lower > margin else "does_not_pay" if upper < margin else "cannot_tell"
    told = (float(gain[0]), lower, upper)
    return Curve(
        examples=tuple(int(number) for number in examples),
        values=tuple(float(value) for value in 1 - errors.mean(axis=1)),
        exponent=float(exponent[0]),
        gain=told[0],
        lower=lower,
        upper=upper,
        margin=margin,
        outlook=outlook,
        sentence=_sentence(outlook, told, margin),
    )


def _missed(clusters: Sequence[str], confidence: float) -> float:
    """Share of clusters that may be unlike those seen, if these are all alike; all of them if there is but one."""
    _, sizes = np.unique(np.asarray(clusters), return_counts=True)
    return 1.0 if len(sizes) == 1 else float(1 - (1 - confidence) ** ((sizes**2).sum() / sizes.sum() ** 2))


def _drawn(errors: Floats, clusters: Sequence[str], seed: int) -> Floats:
    """Mean error of each point in each draw of subjects: draws x points."""
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    groups = codes.max() + 1
    sums = np.stack([np.bincount(codes, weights=row, minlength=groups) for row in errors])
    sizes = np.bincount(codes, minlength=groups)
    times = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=DRAWS)
    return (times @ sums.T) / (times @ sizes)[:, None]


def _fitted(examples: Floats, errors: Floats, items: int) -> tuple[Floats, Floats]:
    """Exponent of each row of ``errors``, and what doubling the last number of examples would gain."""
    x = np.log(examples)
    y = np.log(np.maximum(errors, 0.5 / items))
    slope = ((x - x.mean()) * (y - y.mean(axis=1, keepdims=True))).sum(axis=1) / ((x - x.mean()) ** 2).sum()
    last = np.exp(y.mean(axis=1) + slope * (x[-1] - x.mean()))
    return -slope, np.minimum(last, 1.0) * (1 - 2**slope)


def _sentence(outlook: Outlook, told: tuple[float, float, float], margin: float) -> str:
    gain, lower, upper = (f"{100 * value:+.1f}" for value in told)
    words = f"twice the examples would gain about {gain} points by the fitted curve (at least {lower}, at most {upper})"
    more = f"more than the {100 * margin:g} points that are worth having"
    return {
        "pays": f"More examples would pay: {words}, {more}.",
        "does_not_pay": f"More examples would not pay: {words}, not {more}.",
        "cannot_tell": f"Whether more examples would pay cannot be told: {words}; worth having are {100 * margin:g}.",
    }[outlook]
