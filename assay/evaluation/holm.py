"""Holm: p values of one family, adjusted so that the chance of any false finding among them stays what it was of one.

The step-down procedure of Holm (1979, Scandinavian Journal of Statistics 6, 65-70): the smallest of n p values is
multiplied by n, the next by n - 1 and so on, and none may be smaller than one before it.
"""

from typing import Any

import numpy as np

Floats = Any
"""An array of float64."""


def holm(p_values: Floats) -> Floats:
    """Adjusted p values along the last axis.

    As ``multipletests`` of statsmodels, which takes one family at a time and collects all garbage after each.
    """
    given = np.asarray(p_values, dtype=float)
    order, size = np.argsort(given, axis=-1), given.shape[-1]
    stepped = np.maximum.accumulate(np.take_along_axis(given, order, -1) * np.arange(size, 0, -1), axis=-1)
    adjusted = np.empty_like(given)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1.0), -1)
    return adjusted
