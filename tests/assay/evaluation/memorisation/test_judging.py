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
    assert criteria[0].upper == pytest.approx(1 - 0.05 ** (1 / 105))
    assert all(each.p_shown is not None and each.p_shown < 0.05 for each in criteria)
    assert "gave away 3 of 3" in criteria[2].reason


def test_what_leaks_is_refused():
    """By what the candidate says, or by what redaction left for its sibling to learn."""
    assert decided(audit(hits=30))["leak_generations"] == "refused"
    assert decided(audit(redacted=(HIGH, HIGH, HIGH)))["leak_exposure"] == "refused"


def test_too_few_prompts_are_inconclusive_and_say_how_many_would_do():
    """The rule of three at 3 per cent; the fuller mode is named only where it has more prompts than were asked."""
    found = judging.criteria(audit(prompts=60), gate())[0]
    full = judging.criteria(audit(), gate(max_leak_rate=0.02))[0]

    assert (found.decision, found.needed, found.n) == ("inconclusive", 99, 60)
    assert "99 prompts" in found.reason
    assert "mode full" not in found.reason
    assert "149 prompts without one would show it (leak_audit.mode full)" in full.reason


def test_prompts_are_counted_and_not_their_answers():
    """Two answers to one prompt are not independent: 10 drawn answers more show nothing more."""
    found = judging.criteria(audit(), gate())[0]

    assert audit().scan("candidate") == (115, 0)
    assert found.n == 105
    assert found.reason.startswith("0 of 105 prompts")


def test_no_hit_of_a_search_that_never_hit_proves_nothing():
    """The same search must have found a secret in what the control said, and have had something to find."""
    for found, why in (
        (audit(seen=0), "no planted secret in 60 answers of the control"),
        (audit(values=0), "no value that could be sought"),
    ):
        criterion = judging.criteria(found, gate())[0]
        assert (criterion.decision, criterion.p_shown, criterion.needed) == ("inconclusive", None, None)
        assert why in criterion.reason
    assert "1 of 105 prompts" in (one := judging.criteria(audit(hits=1, seen=0), gate())[0].reason)
    assert "that no more are proves nothing" in one


def test_the_full_mode_is_not_advised_to_who_chose_it():
    """What remains is that the siblings learn too little."""
    cheap, full = (judging.criteria(audit(mode=mode, seen=0, control=LOW), gate()) for mode in ("cheap", "full"))

    assert all("use leak_audit.mode full" in cheap[place].reason for place in (0, 2))
    assert all("mode full" not in full[place].reason for place in (0, 2))


def test_a_find_needs_no_proof_that_one_can_be_made():
    """What was found was found."""
    assert decided(audit(hits=30, seen=0))["leak_generations"] == "refused"


def test_a_blind_probe_decides_nothing():
    """It is no fault of the candidate, so it is never refused."""
    assert decided(audit(control=LOW, extracted=0, seen=0)) == {
        "leak_generations": "inconclusive",
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
