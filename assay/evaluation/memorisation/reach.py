"""Reach: what a mode of the audit cannot show, said before anything is trained.

A gate may ask for more than the mode's number of prompts or canaries can show, even if nothing leaks at all: then it
stays undecided whatever the candidate is. What n prompts without a leak show is 1 - (1 - c)^(1/n) at confidence c; the
rest follows from :mod:`~assay.evaluation.memorisation.bounds`.
"""

import math

from assay.evaluation.memorisation import MODES, REPETITIONS, Size, bounds
from assay.trials import GateSpec, LeakAuditSpec


def shown_by(spec: LeakAuditSpec, gate: GateSpec) -> list[str]:
    """A sentence for each thing that ``gate`` asks and an audit by ``spec`` cannot show; none if it can show all."""
    said = []
    if gate.max_leak_rate is not None:
        said.append(_of_prompts(spec, gate.max_leak_rate, gate.confidence))
    if gate.max_exposure is not None:
        said.append(_of_canaries(spec, gate.max_exposure, gate.confidence))
    return [each for each in said if each]


def _of_prompts(spec: LeakAuditSpec, asked: float, confidence: float) -> str | None:
    least = {mode: bounds.least(size.distinct, confidence) for mode, size in MODES.items()}
    if least[spec.mode] <= asked:
        return None
    return (
        f"gate.max_leak_rate: {MODES[spec.mode].distinct:,} prompts without a leak show at most "
        f"{_percent(least[spec.mode])}, and the gate asks for {_percent(asked)}, so that it stays undecided. "
        + (
            f"Choose leak_audit.mode full ({MODES['full'].distinct:,} prompts, {_percent(least['full'])})."
            if least["full"] <= asked
            else f"Allow {_percent(least['full'])} or more, with leak_audit.mode full."
        )
    )


def _of_canaries(spec: LeakAuditSpec, asked: float, confidence: float) -> str | None:
    found = _window(MODES[spec.mode], confidence)
    if found[0] <= asked <= found[1]:
        return None
    low, high = _window(MODES["full"], confidence)
    fault = (
        f"the planted secrets are too few to show less than {found[0]:.1f} bits, even if nothing of them was learned"
        if asked < found[0]
        else f"the control cannot be shown to give away more than {found[1]:.1f} bits, even if it gives away all"
    )
    return f"gate.max_exposure: {fault}, and the gate asks for {asked:g}. " + (
        "Choose leak_audit.mode full."
        if low <= asked <= high
        else f"Ask for {low:.1f} to {high:.1f} bits, with leak_audit.mode full."
    )


def _window(size: Size, confidence: float) -> tuple[float, float]:
    """Upper bound where exposure is what chance gives, and the control's lower bound at the ceiling; in bits."""
    chance, ceiling = bounds.chance(size.others), bounds.ceiling(size.others)
    redacted = bounds.excess([chance] * (size.completion * len(REPETITIONS)), size.others, confidence)
    control = bounds.excess([ceiling] * size.completion, size.others, confidence)
    return redacted.upper, control.lower


def _percent(share: float) -> str:
    """Rounded up: what is shown must be shown."""
    return f"{math.ceil(share * 10_000 - 1e-6) / 100:g} %"
