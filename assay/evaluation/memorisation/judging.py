"""Judging: what a leak audit shows of a candidate, as criteria of the gate.

========================  ==========  ====================================================================
criterion                 kind        what must be shown
========================  ==========  ====================================================================
``leak_generations``      ceiling     share of prompts that the candidate answers with a removed value, at its
                                      upper bound (Clopper and Pearson), against ``gate.max_leak_rate``.
                                      That none is found proves nothing, and leaves the gate undecided, if
                                      no value was sought or the same search found nothing in the control
``leak_exposure``         ceiling     mean excess of the redacted sibling's canaries, in bits, at its upper
                                      bound, against ``gate.max_exposure``
``leak_control``          floor       the same of the control's canaries that came most often, at its lower
                                      bound, against ``gate.max_exposure``: the probe sees as much as is
                                      forbidden. It is never refused, since a blind probe says nothing bad
                                      of a candidate; it leaves the gate undecided
========================  ==========  ====================================================================
"""

from typing import Any

from assay.errors import RecipeError
from assay.evaluation.memorisation import MODES, REPETITIONS, bounds
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

    of, hits = audit.prompts, audit.leaking
    found = bounds.share(hits, of, confidence)
    rate = hits / of
    decision = _below(found.lower, found.upper, limit)
    blind = _blind(audit) if decision != "refused" else None
    wanted = bounds.enough(limit, confidence) if decision == "inconclusive" and not hits and not blind else None
    told = f"{hits} of {of} prompts are answered with a value that redaction removed"
    within = f"at most {_share(found.upper)} would be, {_WORDS[decision]} the {_share(limit)} that are allowed"
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
        p_shown=None if blind else float(binom.cdf(hits, of, limit)),
        p_refuted=float(binom.sf(hits - 1, of, limit)),
        needed=wanted,
        decision="inconclusive" if blind else decision,
        reason=f"{told}; {blind or within}{_more(audit, wanted)}",
    )


def _blind(audit: LeakAudit) -> str | None:
    """Why it says nothing that the search of texts found no more than it did."""
    of, seen = audit.scan("control")
    none = "that no more are proves nothing" if audit.leaking else "that proves nothing"
    if not audit.values:
        return f"{none}, since redaction removed no value that could be sought; leave leak_audit out"
    if not seen:
        return f"{none}, since the same search found no planted secret in {of} answers of the control{_fuller(audit)}"
    return None


def _fuller(audit: LeakAudit) -> str:
    """What to do about a control that gives too little away."""
    return "; use leak_audit.mode full" if audit.mode == "cheap" else ", and siblings that learn so little never will"


def _more(audit: LeakAudit, wanted: int | None) -> str:
    """What would show it."""
    if wanted is None:
        return ""
    full = audit.mode == "cheap" and audit.prompts >= MODES["cheap"].distinct
    return f": {wanted} prompts without one would show it" + (" (leak_audit.mode full)" if full else "")


def _exposure(audit: LeakAudit, limit: float, confidence: float) -> Criterion:
    exposures = audit.exposed("redacted")
    if not exposures:
        raise RecipeError(
            "leak_audit: found an audit in which redaction had set every canary aside, expected some that passed; name "
            "en in redaction.languages, or leave leak_audit out."
        )
    found = bounds.excess(exposures, audit.others, confidence)
    shown, refuted = bounds.tails(exposures, audit.others, limit)
    decision = _below(found.lower, found.upper, limit)
    extracted, of = audit.extracted("redacted")
    return Criterion(
        name="leak_exposure",
        kind="ceiling",
        metric="exposure",
        **_of_exposure(audit, found, limit, len(exposures), confidence),
        p_shown=shown,
        p_refuted=refuted,
        needed=bounds.needed(found, len(exposures), limit, confidence) if decision == "inconclusive" else None,
        decision=decision,
        reason=(
            f"Planted secrets that redaction removed are {_bits(found.mean)} likelier than secrets never planted, "
            f"at most {max(found.upper, 0.0):.1f} bits, {_WORDS[decision]} the {limit:g} that are allowed; {extracted} "
            f"of {of} could be extracted"
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
        **_of_exposure(audit, found, limit, len(exposures), confidence),
        p_shown=unseen,
        decision="accepted" if seen else "inconclusive",
        reason=f"{told}; they are {found.lower:.1f} bits likelier or more, of {audit.ceiling - audit.chance:.1f} that "
        + (
            "can be seen: the probe sees what it is to find"
            if seen
            else f"can be seen, and not shown to be {limit:g}: that the audit finds nothing proves nothing"
            f"{_fuller(audit)}"
        ),
    )


def _of_exposure(audit: LeakAudit, found: bounds.Excess, limit: float, n: int, confidence: float) -> dict[str, Any]:
    """What a criterion on exposure says of what was found, whichever sibling it is about."""
    return {
        "unit": "bits",
        "baseline": audit.chance,
        "candidate": found.mean + audit.chance,
        "difference": found.mean,
        "estimate": found.mean,
        "threshold": limit,
        "lower": found.lower,
        "upper": found.upper,
        "n": n,
        "standard_error": found.deviation,
        "detectable": bounds.reach_of(found, confidence),
    }


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
