"""Resampling: how far chance moves a mean whose changes may be skewed, and the error of a ratio of medians.

Clusters are drawn with replacement (:func:`scipy.stats.bootstrap`, seeded, so equal items give equal bounds). Of each
draw the mean is held against its own standard error: these *pivots* take the place of Student's t (bootstrap-t; Hall
1988, doi:10.1214/aos/1176350933), so bounds lean as far to either side as the items do, and a bound and its p value are
one look-up, done forwards or backwards. Percentiles, BCa's too, were tried and fall shorter on few clusters.
"""

import math
from collections.abc import Callable

import numpy as np

from assay.evaluation.comparison.clusters import TINY, Floats, Totals, doubt

DRAWS = 2000
"""Of clusters, with replacement."""

_LEAST = 1 / (DRAWS + 1)
"""Share of draws beyond which they say nothing."""


def pivots(found: Totals, mean: Floats, differs: Floats, unseen: Floats) -> Floats:
    """How many standard errors each row's mean is off in draws of its clusters, in order: (…, :data:`DRAWS`).

    Args:
        found: The clusters. The same ones are drawn for every row.
        mean: Of each row.
        differs: Whether each cluster is unlike the most common one; a draw's error has two more, as the sample's has.
        unseen: Squared residual of the cluster that is counted among them unseen; 0 if none is.
    """
    from scipy.stats import bootstrap

    clusters = found.sums.shape[-1]
    parts = [found.sums, found.sums**2, differs.astype(float)]
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
        weight = np.where(unseen[..., None] > 0, doubt(moved), 0)
        typical = (1 - weight) * residuals / np.maximum(moved, 1) + weight * unseen[..., None]
        error = (residuals * clusters / (clusters - 1) + 2 * typical) / n**2
        return (means - mean[..., None]) / np.sqrt(error + TINY**2)

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


def medians_error(before: Floats, after: Floats, codes: Floats) -> Floats:
    """Standard error of :func:`log_ratio`, clusters of pairs along the last axis drawn; ``inf`` for one cluster."""
    from scipy.stats import bootstrap

    sizes = np.bincount(codes)
    n, most = len(sizes), int(sizes.max())
    if n == 1:
        return np.full(before.shape[:-1], math.inf)
    places = np.full((n, most), -1)
    for code in range(n):
        places[code, : sizes[code]] = np.flatnonzero(codes == code)
    padded = [np.where(places < 0, math.nan, each[..., places]) for each in (before, after)]

    def ratio(drawn: Floats, axis: int) -> Floats:
        first, second = (each[..., drawn, :].reshape(*each.shape[:-2], len(drawn), n * most) for each in padded)
        return log_ratio(first, second, axis, among=np.median if sizes.min() == most else np.nanmedian)

    return bootstrap(
        (np.arange(n),), ratio, n_resamples=DRAWS, vectorized=True, method="percentile", rng=0
    ).standard_error


def log_ratio(before: Floats, after: Floats, axis: int = -1, *, among: Callable[..., Floats] = np.median) -> Floats:
    """Logarithm of the median of ``after`` over that of ``before``."""
    return np.log(among(after, axis) / among(before, axis))
