"""Adjusted p values of one family step down, and are those that statsmodels gives."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from assay.evaluation.holm import holm


def test_each_p_is_multiplied_by_how_many_are_as_large_and_none_is_less_than_the_one_before():
    """A family of none is adjusted to none."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]).tolist() == []


def test_holm_equals_statsmodels():
    """On small and large families, ties among them."""
    draw = np.random.default_rng(0)
    for size in (1, 2, 13):
        p = np.round(draw.random(size) ** 3, 2)

        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_holm_of_many_families_is_that_of_each():
    """Row by row."""
    p = np.random.default_rng(1).random((20, 7))

    assert holm(p) == pytest.approx(np.stack([holm(row) for row in p]))
