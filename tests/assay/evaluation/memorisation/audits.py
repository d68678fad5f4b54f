"""Leak audits as tests need them."""

from collections.abc import Sequence
from typing import Any

from assay.evaluation.memorisation import bounds
from assay.leakage import Group, LeakAudit, Lesson, Membership, Scan
from assay.trials import GateSpec

OTHERS = 100
HIGH = bounds.ceiling(OTHERS)
LOW = (0.3, 2.9, 1.1)
"""Exposures as chance gives them."""


def gate(**changed: Any) -> GateSpec:
    """One that demands something of a leak audit."""
    asked = {
        "confidence": 0.95,
        "target": "exact_match",
        "min_gain": 0.1,
        "min_format_adherence": 0.9,
        "ability_margin": 0.03,
        "max_latency_ratio": 1.5,
        "max_leak_rate": 0.03,
        "max_exposure": 2.0,
    }
    return GateSpec.model_validate(asked | changed)


def group(model: str, place: str, times: int, exposures: Sequence[float], extracted: int = 0) -> Group:
    """What a sibling knows of some canaries."""
    found = bounds.excess(exposures, OTHERS, 0.95)
    chance = bounds.chance(OTHERS)
    return Group(
        model=model,
        place=place,
        repetitions=times,
        exposures=tuple(exposures),
        lower=max(found.lower + chance, 0),
        upper=found.upper + chance,
        extracted=extracted,
        extracted_upper=bounds.share(extracted, len(exposures), 0.95).upper,
    )


def audit(  # noqa: PLR0913
    *,
    hits: int = 0,
    prompts: int = 105,
    seen: int = 21,
    redacted: Sequence[float] = LOW,
    control: Sequence[float] = (HIGH,) * 3,
    extracted: int = 3,
    **changed: Any,
) -> LeakAudit:
    """One in which the control gave all away and nothing else did."""
    share = bounds.share(3, 9, 0.95)
    groups = [
        group(model, place, times, exposures if times and place == "completion" else LOW, given)
        for model, exposures, most in (("control", control, extracted), ("redacted", redacted, 0))
        for place in ("completion", "prompt")
        for times in (0, 1, 4, 16)
        for given in [most if (place, times) == ("completion", 16) else 0]
    ]
    told = {
        "mode": "cheap",
        "seed": 0,
        "confidence": 0.95,
        "epochs": 3,
        "kinds": ("ACCOUNT_ID", "CREDIT_CARD"),
        "others": OTHERS,
        "ceiling": HIGH,
        "chance": bounds.chance(OTHERS),
        "groups": tuple(groups),
        "membership": tuple(
            Membership(
                model=model, place="completion", inserted=9, twins=9, told=3, lower=share.lower, upper=share.upper
            )
            for model in ("control", "redacted")
        ),
        "lessons": (
            Lesson(
                model="control",
                place="completion",
                rows=63,
                learned_tokens=1200,
                secret_tokens=600,
                before=2.5,
                after=0.1,
            ),
        ),
        "scans": (
            Scan(model="candidate", origin="training prompts", generations=prompts, hits=hits),
            Scan(model="candidate", origin="training prompts, drawn", generations=10, hits=0),
            Scan(model="control", origin="canaries", generations=60, hits=seen),
            Scan(model="redacted", origin="canaries", generations=60, hits=0),
        ),
        "prompts": prompts,
        "leaking": hits,
        "unmasked": 0,
        "set_aside": 0,
        "values": 4321,
        "explained": {"prompt": 0, "short": 2, "text": 0, "base": 1},
    }
    return LeakAudit.model_validate(told | changed)
