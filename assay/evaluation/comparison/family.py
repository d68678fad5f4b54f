"""Family: what all findings together decide, each for itself and as a whole.

One rule, three answers. A criterion is *accepted* if its own one-sided bound clears the threshold; as all must be, a
false acceptance of the whole is no likelier than 1 - confidence, however many there are (intersection-union test;
Berger 1982, doi:10.1080/00401706.1982.10487790). One refusal refuses the whole, so refusals add up: with a dozen
slices a good candidate would be refused by chance. A criterion is therefore *refused* only if its ``p_refuted``, after
Holm's correction over the family (1979), is at most 1 - confidence. Else it is *inconclusive*.

What the leak audit asked is in the family too. Its acceptances stand as they are; what it refuses at an uncorrected
bound stays refused only if its corrected p says so. What was not measured has no p and stays inconclusive.
"""

import math
from collections.abc import Sequence

from assay.evaluation.comparison import intervals, sentences
from assay.evaluation.comparison.findings import Finding
from assay.evaluation.holm import holm
from assay.evaluations import Criterion, Decision


def decide(findings: Sequence[Finding], confidence: float, audited: Sequence[Criterion] = ()) -> tuple[Criterion, ...]:
    """Make a criterion of each finding, in their order, and put those that were ``audited`` elsewhere among them."""
    every: list[Finding | Criterion] = [*findings, *audited]
    known = [each.p_refuted for each in every if each.p_refuted is not None]
    adjusted = iter(holm(known).tolist())

    def own(found: Finding | Criterion) -> float | None:
        return None if found.p_refuted is None else next(adjusted)

    return (
        *[_criterion(found, own(found), len(known), confidence) for found in findings],
        *[_among(found, own(found), len(known), confidence) for found in audited],
    )


def overall(decisions: Sequence[Decision]) -> Decision:
    """The worst of them."""
    worst: tuple[Decision, ...] = ("refused", "inconclusive")
    return next((decision for decision in worst if decision in decisions), "accepted")


def _criterion(found: Finding, adjusted: float | None, size: int, confidence: float) -> Criterion:
    decision = found.decided or _decided(found.p_shown, adjusted, 1 - confidence)
    needed = None
    if decision == "inconclusive" and found.decided is None:
        needed = intervals.items(found.n, found.reach * _stretch(found, size, confidence), found.away)
    doubted = decision == "inconclusive" and found.p_refuted is not None and found.p_refuted <= 1 - confidence
    return Criterion(
        name=found.name,
        kind=found.kind,
        metric=found.metric,
        unit=found.unit,
        baseline=found.baseline,
        candidate=found.candidate,
        difference=found.candidate - found.baseline,
        estimate=found.estimate,
        threshold=found.threshold,
        lower=found.lower,
        upper=found.upper,
        n=found.n,
        clusters=found.clusters,
        wins=found.wins,
        losses=found.losses,
        p_value=found.p_value,
        p_shown=found.p_shown,
        p_refuted=found.p_refuted,
        p_adjusted=adjusted,
        standard_error=found.error,
        detectable=found.detectable,
        needed=needed,
        decision=decision,
        reason=found.words
        if found.decided
        else found.words
        + sentences.ending(
            decision,
            (found.n, found.noun),
            needed,
            family=size if doubted else None,
            kin=found.kin if found.clusters == 1 else "",
        ),
    )


def _among(audited: Criterion, adjusted: float | None, size: int, confidence: float) -> Criterion:
    """What was decided alone, if it refuses: held against the whole family."""
    given = audited.model_copy(update={"p_adjusted": adjusted})
    if audited.decision != "refused" or adjusted is None or adjusted <= 1 - confidence:
        return given
    doubt = sentences.doubted(size)
    return given.model_copy(update={"decision": "inconclusive", "reason": f"{audited.reason}{doubt}"})


def _decided(shown: float | None, adjusted: float | None, chance: float) -> Decision:
    if shown is not None and shown <= chance:
        return "accepted"
    return "refused" if adjusted is not None and adjusted <= chance else "inconclusive"


def _stretch(found: Finding, size: int, confidence: float) -> float:
    """By how much farther the truth must be to be refused among ``size`` criteria than to be accepted alone."""
    from scipy.stats import norm

    if found.away > 0:
        return 1.0
    alone, among, power = (
        float(norm.ppf(p)) for p in (confidence, 1 - (1 - confidence) / max(size, 1), intervals.POWER)
    )
    return (among + power) / (alone + power) if math.isfinite(among) else math.inf
