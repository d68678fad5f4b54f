"""Clusters: items that may succeed and fail together, summed up.

A mean over clustered items and its standard error need of each cluster only its size and a few sums, so these are what
travels. All arrays have the shape (…, clusters): what stands before is computed row by row, and a thousand samples go
through the very code that one goes through.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TINY = 1e-12
"""No spread is counted as less, so that nothing is divided by nought."""

Floats = Any
"""An array of float64, or one float of it."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What each cluster sums up to. Arrays of shape (…, clusters); what stands before is bounded row by row."""

    sizes: Floats
    """Items of the cluster, or tokens of the text: the mean is the sum of ``sums`` over that of ``sizes``."""

    sums: Floats
    squares: Floats = None
    """Sum of squared changes; ``None`` if ``sizes`` are no items, whose changes would lie in -1 … 1."""

    wins: Floats = None
    losses: Floats = None


def totals(changes: Floats, clusters: Sequence[str]) -> Totals:
    """Sum up paired changes by cluster."""
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    parts = (np.ones(len(changes)), changes, changes**2, changes > 0, changes < 0)
    return Totals(*(np.bincount(codes, weights=part) for part in parts))


def effective(sizes: Floats) -> Floats:
    """Clusters of one size that would tell as much: n² / Σ n_g², 1 if all items are of one cluster."""
    return sizes.sum(-1) ** 2 / (sizes**2).sum(-1)


def unlike(found: Totals) -> Floats:
    """Whether a cluster is not as the most common one is, or not alike within itself; of texts, each is."""
    if found.squares is None:
        return np.ones_like(found.sums, dtype=bool)
    means = found.sums / found.sizes
    off = np.abs(means - np.median(means, axis=-1, keepdims=True))
    return (off > TINY) | (found.squares - found.sums * means > TINY * found.sizes)


def doubt(seen: Floats) -> Floats:
    """Weight of a cluster that was not seen, beside so many unlike ones that were: all if none was, soon nothing."""
    return 1 / (seen + 1) ** 2


def clustered(sums: Floats, sizes: Floats) -> Floats:
    """Standard error of each row's mean, ``inf`` for a single cluster.

    Squared residuals of clusters are divided by 1 - the cluster's share of all items (CR2; Bell & McCaffrey 2002),
    which is the usual G / (G - 1) if all are of one size.
    """
    n = sizes.sum(-1, keepdims=True)
    if sums.shape[-1] == 1:
        return np.full(sums.shape[:-1], math.inf)
    residuals = sums - sums.sum(-1, keepdims=True) / n * sizes
    return np.sqrt((residuals**2 / (1 - sizes / n)).sum(-1)) / n[..., 0]
