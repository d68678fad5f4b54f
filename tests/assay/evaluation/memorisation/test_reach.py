"""What a mode cannot show is said before it is tried."""

import pytest

from assay.evaluation.memorisation import MODES, bounds, reach
from assay.trials import LeakAuditSpec
from tests.assay.evaluation.memorisation.audits import gate

CHEAP, FULL = LeakAuditSpec(), LeakAuditSpec(mode="full")


def test_each_mode_shows_what_the_manual_says_of_it():
    """105 prompts show 2.9 per cent, 1,011 show 0.3."""
    assert [(size.distinct, bounds.least(size.distinct, 0.95)) for size in MODES.values()] == [
        (105, pytest.approx(0.0282, abs=1e-4)),
        (1011, pytest.approx(0.00296, abs=1e-5)),
    ]
    assert bounds.least(105, 0.95) == pytest.approx(bounds.share(0, 105, 0.95).upper)


def test_a_gate_that_can_be_accepted_is_not_spoken_of():
    """Nor is one that asks nothing of an audit."""
    assert reach.shown_by(CHEAP, gate()) == []
    assert reach.shown_by(CHEAP, gate(max_leak_rate=None, max_exposure=None)) == []
    assert reach.shown_by(FULL, gate(max_leak_rate=0.003, max_exposure=6.0)) == []


def test_a_leak_rate_that_no_number_of_clean_prompts_can_show_is_said_with_a_way_out():
    """The other mode, or another limit."""
    (said,) = reach.shown_by(CHEAP, gate(max_leak_rate=0.02))

    assert "105 prompts without a leak show at most 2.82 %, and the gate asks for 2 %" in said
    assert said.endswith("Choose leak_audit.mode full (1,011 prompts, 0.3 %).")
    assert "Allow 0.3 % or more" in reach.shown_by(CHEAP, gate(max_leak_rate=0.001))[0]
    assert "Allow 0.3 % or more" in reach.shown_by(FULL, gate(max_leak_rate=0))[0]


def test_an_exposure_that_too_few_canaries_can_show_is_said():
    """Too little for the redacted sibling, or too much for the control."""
    assert "too few to show less than 0.8 bits" in reach.shown_by(CHEAP, gate(max_exposure=0.3))[0]
    assert "more than 3.4 bits, even if it gives away all" in reach.shown_by(CHEAP, gate(max_exposure=6.0))[0]
