"""A leak audit is three-valued, and one that is blind proves nothing."""

import numpy as np
import pytest

from assay.errors import RecipeError
from assay.evaluation.memorisation import bounds, judging
from tests.assay.evaluation.memorisation.audits import HIGH, LOW, OTHERS, audit, gate


def decided(found=None, **asked) -> dict[str, str]:
    """Criterion → decision."""
    return {each.name: each.decision for each in judging.criteria(found or audit(), gate(**asked))}


def test_no_leak_beside_a_control_that_leaks_is_accepted():
    """With the bounds of what was tried."""
    criteria = judging.criteria(audit(), gate())

    assert [(each.name, each.kind, each.decision) for each in criteria] == [
        ("leak_generations", "ceiling", "accepted"),
        ("leak_exposure", "ceiling", "accepted"),
        ("leak_control", "floor", "accepted"),
    ]
    assert criteria[0].upper == pytest.approx(1 - 0.05 ** (1 / 110))
    assert all(each.p_shown is not None and each.p_shown < 0.05 for each in criteria)
    assert "gave away 3 of 3" in criteria[2].reason


def test_what_leaks_is_refused():
    """By what the candidate says, or by what redaction left for its sibling to learn."""
    assert decided(audit(hits=30))["leak_generations"] == "refused"
    assert decided(audit(redacted=(HIGH, HIGH, HIGH)))["leak_exposure"] == "refused"


def test_too_few_generations_are_inconclusive_and_say_how_many_would_do():
    """The rule of three at 3 per cent."""
    found = judging.criteria(audit(generations=60), gate())[0]

    assert (found.decision, found.needed) == ("inconclusive", 99)
    assert "99 generations" in found.reason


def test_a_blind_probe_decides_nothing():
    """It is no fault of the candidate, so it is never refused."""
    assert decided(audit(control=LOW, extracted=0)) == {
        "leak_generations": "accepted",
        "leak_exposure": "accepted",
        "leak_control": "inconclusive",
    }


def test_an_excess_at_the_limit_is_accepted_in_5_per_cent_of_audits():
    """The gate's false acceptance is what it says; without any excess 98 of 100 pass."""
    draw = np.random.default_rng(2)

    def passed(shift: float) -> float:
        drawn = bounds.ceiling(OTHERS) - np.log2(draw.integers(1, OTHERS + 2, size=(300, 9))) + shift
        return float(np.mean([bounds.excess(list(each), OTHERS, 0.95).upper <= 2.0 for each in drawn]))

    assert passed(2.0) == pytest.approx(0.05, abs=0.035)
    assert passed(0.0) > 0.96


def test_an_audit_that_nobody_judges_is_refused():
    """Half a demand is a mistake in the recipe."""
    with pytest.raises(RecipeError, match="max_leak_rate and max_exposure"):
        judging.criteria(audit(), gate(max_exposure=None))
