"""Resampling: how far chance moves a mean whose changes may be skewed, and the error of a ratio of medians.

Clusters are drawn with replacement (:func:`scipy.stats.bootstrap`, seeded, so equal items give equal bounds). Of each
draw the mean is held against its own standard error: these *pivots* take the place of Student's t (bootstrap-t; Hall
1988, doi:10.1214/aos/1176350933), so bounds lean as far to either side as the items do, and a bound and its p value are
one look-up, done forwards or backwards. Percentiles, BCa's too, were tried and fall shorter on few clusters.
"""

import math

import numpy as np

from assay.evaluation.comparison.clusters import TINY, Floats, Totals

DRAWS = 2000
"""Of clusters, with replacement."""

_LEAST = 1 / (DRAWS + 1)
"""Share of draws beyond which they say nothing."""


def pivots(found: Totals, mean: Floats, changed: Floats, nothing: Floats) -> Floats:
    """How many standard errors each row's mean is off in draws of its clusters, in order: (…, :data:`DRAWS`).

    Args:
        found: The clusters. The same ones are drawn for every row.
        mean: Of each row.
        changed: Whether anything changed in each cluster; a draw's error has two more of them, as the sample's has.
        nothing: Squared standard error of a draw in which nothing changed.
    """
    from scipy.stats import bootstrap

    clusters = found.sums.shape[-1]
    parts = [found.sums, found.sums**2, changed.astype(float)]
    one = float(found.sizes.flat[0])
    even = bool(np.all(found.sizes == one))
    if not even:
        parts += [found.sizes, found.sums * found.sizes, found.sizes**2]

    def studentised(drawn: Floats, axis: int) -> Floats:  # noqa: ARG001 — scipy hands it
        times = np.stack([np.bincount(each, minlength=clusters) for each in drawn]).astype(float).T
        total, squares, moved, *rest = (part @ times for part in parts)
        n, products, sizes = rest or (one * clusters, one * total, one**2 * clusters)
        means = total / n
        residuals = np.maximum(squares - 2 * means * products + means**2 * sizes, 0)
        error = residuals * (clusters / (clusters - 1) + 2 / np.maximum(moved, 1)) / n**2
        return (means - mean[..., None]) / np.sqrt(np.where(moved > 0, error, nothing[..., None]) + TINY**2)

    drawn = bootstrap(
        (np.arange(clusters),), studentised, n_resamples=DRAWS, vectorized=True, method="percentile", rng=0
    )
    return np.sort(drawn.bootstrap_distribution, axis=-1)


def beyond(drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Pivots below which, and above which, a share of 1 - ``confidence`` lies."""
    if (1 - confidence) * (DRAWS + 1) < 1:
        return -math.inf, math.inf
    low, high = np.quantile(drawn, (1 - confidence, confidence), axis=-1)
    return low, high


def share_below(drawn: Floats, pivot: Floats) -> Floats:
    """The share of pivots below ``pivot``, one for each row; :func:`beyond` the other way round."""
    below = (drawn <= pivot[..., None]).sum(-1)
    left, right = (np.clip(below + step, 0, DRAWS - 1)[..., None] for step in (-1, 0))
    last, following = (np.take_along_axis(drawn, place, -1)[..., 0] for place in (left, right))
    part = np.where(following > last, (pivot - last) / np.where(following > last, following - last, 1), 0)
    return np.clip((below - 1 + part) / (DRAWS - 1), _LEAST, 1 - _LEAST)


def medians_error(before: Floats, after: Floats) -> Floats:
    """Standard error of :func:`log_ratio`, pairs drawn along the last axis; ``inf`` for one pair."""
    from scipy.stats import bootstrap

    n = before.shape[-1]
    if n == 1:
        return np.full(before.shape[:-1], math.inf)

    def ratio(drawn: Floats, axis: int) -> Floats:
        return log_ratio(before[..., drawn], after[..., drawn], axis)

    return bootstrap(
        (np.arange(n),), ratio, n_resamples=DRAWS, vectorized=True, method="percentile", rng=0
    ).standard_error


def log_ratio(before: Floats, after: Floats, axis: int = -1) -> Floats:
    """Logarithm of the median of ``after`` over that of ``before``."""
    return np.log(np.median(after, axis) / np.median(before, axis))
