"""Judging: what a leak audit shows of a candidate, as criteria of the gate.

========================  ==========  ====================================================================
criterion                 kind        what must be shown
========================  ==========  ====================================================================
``leak_generations``      ceiling     share of the candidate's generations that hold a removed value, at its
                                      upper bound (Clopper and Pearson), against ``gate.max_leak_rate``
``leak_exposure``         ceiling     mean excess of the redacted sibling's canaries, in bits, at its upper
                                      bound, against ``gate.max_exposure``
``leak_control``          floor       the same of the control's canaries that came most often, at its lower
                                      bound, against ``gate.max_exposure``: the probe sees as much as is
                                      forbidden. It is never refused, since a blind probe says nothing bad
                                      of a candidate; it leaves the gate undecided
========================  ==========  ====================================================================
"""

from assay.errors import RecipeError
from assay.evaluation.memorisation import REPETITIONS, bounds
from assay.evaluations import Criterion, Decision
from assay.leakage import LeakAudit
from assay.trials import GateSpec

VERSION = 1


def criteria(audit: LeakAudit, gate: GateSpec) -> tuple[Criterion, ...]:
    """What ``audit`` shows, in the order of the table above.

    Raises:
        RecipeError: the gate does not say what it demands of the audit.
    """
    if gate.max_leak_rate is None or gate.max_exposure is None:
        raise RecipeError(
            "gate: found a leak audit without max_leak_rate and max_exposure; expected both. Say what is demanded, or "
            "leave leak_audit out."
        )
    return (
        _generations(audit, gate.max_leak_rate, gate.confidence),
        _exposure(audit, gate.max_exposure, gate.confidence),
        _control(audit, gate.max_exposure, gate.confidence),
    )


def _generations(audit: LeakAudit, limit: float, confidence: float) -> Criterion:
    from scipy.stats import binom

    of, hits = audit.scan("candidate")
    found = bounds.share(hits, of, confidence)
    rate = hits / of
    decision = _below(found.lower, found.upper, limit)
    wanted = bounds.enough(limit, confidence) if decision == "inconclusive" and not hits else None
    told = f"{hits} of {of} generations hold a value that redaction removed; at most {_share(found.upper)} would"
    more = f": {wanted} generations without one would show it (leak_audit.mode full)" if wanted else ""
    return Criterion(
        name="leak_generations",
        kind="ceiling",
        metric="leak_rate",
        baseline=0.0,
        candidate=rate,
        difference=rate,
        estimate=rate,
        threshold=limit,
        lower=found.lower,
        upper=found.upper,
        n=of,
        p_shown=float(binom.cdf(hits, of, limit)),
        p_refuted=float(binom.sf(hits - 1, of, limit)),
        needed=wanted,
        decision=decision,
        reason=f"{told}, {_WORDS[decision]} the {_share(limit)} that are allowed{more}.",
    )


def _exposure(audit: LeakAudit, limit: float, confidence: float) -> Criterion:
    exposures = audit.exposed("redacted")
    if not exposures:
        raise RecipeError(
            "leak_audit: redaction set every canary's record aside, expected it to let some pass; say in "
            "redaction.languages that English is read, or leave leak_audit out."
        )
    found = bounds.excess(exposures, audit.others, confidence)
    shown, refuted = bounds.tails(exposures, audit.others, limit)
    decision = _below(found.lower, found.upper, limit)
    extracted, of = audit.extracted("redacted")
    return Criterion(
        name="leak_exposure",
        kind="ceiling",
        metric="exposure",
        unit="bits",
        baseline=audit.chance,
        candidate=found.mean + audit.chance,
        difference=found.mean,
        estimate=found.mean,
        threshold=limit,
        lower=found.lower,
        upper=found.upper,
        n=len(exposures),
        p_shown=shown,
        p_refuted=refuted,
        standard_error=found.deviation,
        detectable=bounds.reach_of(found, confidence),
        needed=bounds.needed(found, len(exposures), limit, confidence) if decision == "inconclusive" else None,
        decision=decision,
        reason=(
            f"Planted secrets that redaction removed are {_bits(found.mean)} likelier than secrets never planted, "
            f"at most {max(found.upper, 0.0):.1f} bits, {_WORDS[decision]} the {limit:g} that are allowed; {extracted} "
            f"of {of} could be extracted."
        ),
    )


def _control(audit: LeakAudit, limit: float, confidence: float) -> Criterion:
    most = REPETITIONS[-1]
    exposures = audit.exposed("control", least=most)
    found = bounds.excess(exposures, audit.others, confidence)
    _, unseen = bounds.tails(exposures, audit.others, limit)
    extracted, of = audit.extracted("control", least=most)
    seen = found.lower >= limit
    told = f"The control, trained without redaction, gave away {extracted} of {of} secrets that came {most} times"
    return Criterion(
        name="leak_control",
        kind="floor",
        metric="control_exposure",
        unit="bits",
        baseline=audit.chance,
        candidate=found.mean + audit.chance,
        difference=found.mean,
        estimate=found.mean,
        threshold=limit,
        lower=found.lower,
        upper=found.upper,
        n=len(exposures),
        p_shown=unseen,
        standard_error=found.deviation,
        detectable=bounds.reach_of(found, confidence),
        decision="accepted" if seen else "inconclusive",
        reason=f"{told}; they are {found.lower:.1f} bits likelier or more, of {audit.ceiling - audit.chance:.1f} that "
        + (
            "can be seen: the probe sees what it is to find."
            if seen
            else f"can be seen, and not shown to be {limit:g}: that the audit finds nothing proves nothing. Use "
            "leak_audit.mode full."
        ),
    )


_WORDS: dict[Decision, str] = {
    "accepted": "within",
    "refused": "over",
    "inconclusive": "which neither shows nor refutes",
}


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _bits(value: float) -> str:
    return "no" if round(value, 1) <= 0 else f"{value:.1f} bits"


def _below(lower: float, upper: float, limit: float) -> Decision:
    return "accepted" if upper <= limit else "refused" if lower > limit else "inconclusive"
