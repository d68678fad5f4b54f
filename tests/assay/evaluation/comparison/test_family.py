"""One rule decides all criteria: accepted each for itself, refused only among all."""

import pytest

from assay.evaluation.comparison import family
from assay.evaluation.comparison.findings import Finding


def finding(p_shown: float | None, p_refuted: float | None, **given) -> Finding:
    """A slice's finding with these p values."""
    return Finding(
        name="slice:a=b", kind="non_inferiority", metric="exact_match", baseline=0.5, candidate=0.4, estimate=-0.1,
        threshold=-0.05, n=100, words="it fell", p_shown=p_shown, p_refuted=p_refuted, away=-0.05, reach=0.1, **given,
    )  # fmt: skip


def test_one_of_thirteen_that_looks_bad_by_chance_does_not_refuse():
    """Its p of 2 % is 26 % among thirteen; alone it would refuse."""
    bad, good = finding(0.98, 0.02), finding(0.01, 0.99)

    (alone,) = family.decide([bad], 0.95)
    among, *others = family.decide([bad, *[good] * 12], 0.95)

    assert (alone.decision, alone.p_adjusted) == ("refused", 0.02)
    assert (among.decision, among.p_adjusted) == ("inconclusive", pytest.approx(0.26))
    assert "they speak against it, but among 13 criteria one may do so by chance" in among.reason
    assert {other.decision for other in others} == {"accepted"}


def test_clear_losses_are_refused_among_any_number():
    """And each of them."""
    criteria = family.decide([finding(1.0, 1e-6), finding(1.0, 0.004), *[finding(0.01, 0.99)] * 10], 0.95)

    assert [criterion.decision for criterion in criteria[:2]] == ["refused", "refused"]


def test_acceptance_is_not_corrected():
    """All must be accepted, so many of them are no looser than one."""
    criteria = family.decide([finding(0.05, 0.95)] * 20, 0.95)

    assert {criterion.decision for criterion in criteria} == {"accepted"}


def test_what_was_not_measured_stays_undecided():
    """It has no p, and is not in the family."""
    unknown, other = family.decide([finding(None, None, decided="inconclusive"), finding(1.0, 0.04)], 0.95)

    assert (unknown.decision, unknown.p_adjusted, unknown.needed) == ("inconclusive", None, None)
    assert other.p_adjusted == 0.04


def test_to_refuse_among_many_takes_more_items_than_alone():
    """The advice knows the family."""
    alone, *_ = family.decide([finding(0.9, 0.1)], 0.95)
    among, *_ = family.decide([finding(0.9, 0.1), *[finding(0.01, 0.99)] * 11], 0.95)

    assert 100 < alone.needed < among.needed
