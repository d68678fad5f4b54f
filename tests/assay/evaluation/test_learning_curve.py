"""Whether more examples would pay, from adapters that were taught shares of those there are."""

import numpy as np
import pytest

from assay.evaluation.learning_curve import Curve, Point, study

SUBJECTS = [f"s{place // 2}" for place in range(400)]


def curve(rates: dict[int, float], margin: float = 0.02) -> Curve:
    """Of adapters that are right on so large a share of four hundred items, each right where a worse one was."""
    lots = np.random.default_rng(0).permutation(400)
    points = [Point(examples, [float(lot < rate * 400) for lot in lots]) for examples, rate in rates.items()]
    return study(points, SUBJECTS, margin, 0.95, seed=0)


def test_errors_that_halve_with_every_doubling_halve_once_more():
    """The power is one, and twice the examples gain half of what is wrong."""
    found = curve({100: 0.2, 200: 0.6, 400: 0.8})

    assert found.exponent == pytest.approx(1.0)
    assert found.gain == pytest.approx(0.1)
    assert found.lower < 0.1 < found.upper
    assert found.outlook == "pays"
    assert found.sentence.startswith("More examples would pay: twice the examples would gain about +10.0 points")


def test_a_flat_curve_does_not_pay():
    """Nothing more comes of more examples, and the bound says so."""
    found = curve({100: 0.8, 200: 0.8, 400: 0.8})

    assert found.gain == pytest.approx(0.0, abs=1e-9)
    assert found.upper < 0.02
    assert found.outlook == "does_not_pay"


def test_a_flat_curve_of_few_subjects_cannot_tell():
    """Four hundred items of one subject, or nearly all of them, are not four hundred subjects."""
    points = [Point(examples, [1.0] * 320 + [0.0] * 80) for examples in (100, 400)]
    for subjects in (["s"] * 400, ["s"] * 399 + ["t"]):
        found = study(points, subjects, 0.02, 0.95, seed=0)

        assert found.outlook == "cannot_tell"
        assert found.upper > 0.9


def test_a_curve_between_cannot_tell():
    """Neither bound is on one side of the margin."""
    found = curve({100: 0.7, 400: 0.74}, margin=0.02)

    assert found.lower < 0.02 < found.upper
    assert found.outlook == "cannot_tell"


def test_points_may_come_in_any_order_and_equal_points_give_equal_bounds():
    """The draws have a seed."""
    rates = {100: 0.5, 200: 0.6, 400: 0.7}

    assert curve(rates) == curve(dict(reversed(rates.items())))
    assert curve(rates).examples == (100, 200, 400)


def test_an_adapter_without_a_mistake_has_nothing_left_to_gain():
    """No logarithm of nothing: it counts as half an item."""
    found = curve({100: 0.9, 400: 1.0})

    assert np.isfinite([found.gain, found.lower, found.upper]).all()
    assert found.outlook == "does_not_pay"
    assert found.gain < 0.002


def test_adapters_that_all_fail_alike_show_no_spread_and_no_certainty():
    """Sixteen requests that nobody answers do not say that more examples would not pay."""
    points = [Point(examples, [0.0] * 16) for examples in (50, 100)]
    found = study(points, [str(place) for place in range(16)], 0.02, 0.95, seed=0)

    assert found.upper == pytest.approx(1 - 0.05 ** (1 / 16))
    assert found.outlook == "cannot_tell"


def test_fewer_subjects_know_less():
    """Items of one subject are drawn together."""
    worse, better = ([float(place // 40 % 2 == 0 or place % 40 < kept) for place in range(400)] for kept in (10, 20))
    points = [Point(100, worse), Point(400, better)]
    together, alone = (
        study(points, [f"s{place // size}" for place in range(400)], 0.02, 0.95, seed=0) for size in (40, 1)
    )

    assert alone.gain == together.gain
    assert together.upper - together.lower > alone.upper - alone.lower
