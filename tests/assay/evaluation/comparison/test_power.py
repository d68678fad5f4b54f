"""What is computed before is what is seen after."""

import numpy as np
import pytest

from assay.evaluation.comparison import intervals, power
from bench.measure_gate import bounded, simulated
from tests.assay.evaluation.test_comparison import GATE


@pytest.mark.parametrize(
    ("n", "truth", "threshold", "discordance"),
    [(80, 0.2, 0.1, 0.3), (300, 0.1, 0.02, 0.3), (700, 0.0, -0.03, 0.1)],
)
def test_power_is_within_three_points_of_what_is_seen(n, truth, threshold, discordance):
    """Of 3,000 simulated comparisons; four standard errors besides would be as many points again."""
    found = bounded(simulated("binary", n, truth, discordance, rows=3000, clustered=False), "binary", 0.95)

    expected = power.power(truth, threshold, n, discordance=discordance, confidence=0.95)

    assert float((found.lower > threshold).mean()) == pytest.approx(expected, abs=0.03)


def test_the_items_that_a_margin_needs_are_those_of_the_textbook():
    """(1.645 + 0.842)² x 0.1 / 0.03² is 687; twice the margin needs a quarter, clustering in pairs twice as many."""
    assert power.items_for(0.03, discordance=0.1, confidence=0.95) == 687
    assert power.items_for(0.06, discordance=0.1, confidence=0.95) == 172
    assert power.items_for(0.03, discordance=0.1, confidence=0.95, effect=2) == 1374
    assert power.items_for(0.0, discordance=0.1, confidence=0.95) is None


def test_as_many_items_as_a_margin_needs_have_four_chances_in_five():
    """Both formulas agree, clustered or not."""
    for effect in (1.0, 1.4):
        n = power.items_for(0.03, discordance=0.1, confidence=0.95, effect=effect)

        assert power.power(0.0, -0.03, n, discordance=0.1, confidence=0.95, effect=effect) == pytest.approx(
            0.8, abs=0.01
        )
        assert power.detectable(n, discordance=0.1, confidence=0.95, effect=effect) == pytest.approx(0.03, abs=4e-4)


def test_the_error_is_the_one_that_the_gate_computes():
    """For items whose share that differs is the assumed one."""
    changes = np.repeat([1.0, -1.0, 0.0], [20, 10, 170])
    found = intervals.difference(np.maximum(-changes, 0), np.maximum(changes, 0), [str(i) for i in range(200)], 0.95)

    assert power.error(200, 0.15, 0.05) == pytest.approx(found.error, rel=0.02)


def test_a_plan_says_what_each_demand_can_show():
    """A sentence each, with what was assumed; small samples say how many would do."""
    gate = GATE.model_copy(update={"safety_margin": 0.05, "slice_margin": 0.1, "max_perplexity_ratio": 1.2})

    plans = {plan.name: plan for plan in power.planned(gate, 300, 1580, probes=60, texts=120)}

    assert list(plans) == ["target", "general_ability", "safety", "slice", "perplexity"]
    assert plans["general_ability"].power > 0.9
    assert plans["general_ability"].needed == 962
    assert "60 harmful requests show with" in plans["safety"].sentence
    assert "619 would show it with 80%" in plans["safety"].sentence
    assert all("assumed" in plan.sentence for plan in plans.values())


def test_a_plan_without_items_has_no_chance_and_no_error():
    """Nothing was given, nothing can be shown."""
    plans = power.planned(GATE.model_copy(update={"max_perplexity_ratio": 1.2, "safety_margin": 0.05}), 0, 0)

    assert all(plan.power is None or plan.power < 0.2 for plan in plans)
