"""A measurement of redaction as the measuring step gives it to the pages, for tests of what is made of it."""

from typing import Any

from assay.policy import ENTITY_TYPES
from assay.privacy.measurement import recall, recapture
from assay.reporting.content import Personal
from assay.reporting.measured import Content, Past
from assay.reporting.redacting import Redacting

SEEN = {
    "ACCOUNT_ID": (60, 60), "ADDRESS": (61, 64), "CITY": (48, 60), "CREDIT_CARD": (60, 60), "DATE_OF_BIRTH": (59, 60),
    "EMAIL": (91, 91), "IBAN": (60, 60), "IP_ADDRESS": (60, 60), "ORDER_ID": (187, 187), "PERSON": (193, 195),
    "PHONE": (74, 74), "SECRET": (60, 60), "SSN": (60, 60), "USERNAME": (61, 61),
}  # fmt: skip
FLOORS = {"EMAIL": 0.95, "PHONE": 0.95, "CREDIT_CARD": 0.95, "IBAN": 0.95, "SSN": 0.95, "SECRET": 0.95, "PERSON": 0.92}
FLOORS |= {"ADDRESS": 0.85, "ORDER_ID": 0.95, "ACCOUNT_ID": 0.95}
REPLACED = {"PERSON": 1403, "ORDER_ID": 611, "EMAIL": 120, "PHONE": 77, "ADDRESS": 31, "CREDIT_CARD": 4}


def measured(seen: dict[str, tuple[int, int]], leaks: int, over: int) -> recall.Measured:
    """Counts as :mod:`assay.privacy.measurement.recall` sums them up."""
    share = recall.share
    return recall.Measured(
        confidence=0.95,
        sources=500,
        recall=tuple(
            recall.Recall(
                type=kind, full=share(full, of), touched=min(full + 2, of), own=share(full * 2 // 3, of * 2 // 3)
            )
            for kind, (full, of) in sorted(seen.items())
        ),
        leaks=share(leaks, 496),
        own_leaks=share(leaks // 2, 230),
        over_seeded=recall.share_of_letters([(i % 40 == 0, 300) for i in range(500)]),
        over_plain=recall.share_of_letters([(over if i == 7 else 0, 110) for i in range(100)]),
        plain=share(int(over > 0), 100),
        dropped=share(3, 600),
    )


def captures() -> list[dict[str, Any]]:
    """Three types: one as usual, one found by both alike, one on which the two never agree."""
    seen = {
        "PERSON": (range(1380), range(40, 1403)),
        "EMAIL": (range(120), range(118)),
        "CITY": (range(2), range(9, 12)),
    }
    return [
        {"type": kind, "first": "rampart", "second": "en_core_web_md", "first_count": found.first,
         "second_count": found.second, "both": found.both, "missed": found.missed, "lower": found.lower,
         "upper": found.upper}
        for kind, sets in seen.items()
        for found in [recapture.capture_recapture(*map(set, sets))]
    ]  # fmt: skip


def given(seen: dict[str, tuple[int, int]] = SEEN, leaks: int = 5, over: int = 0, **changes: Any) -> dict[str, Any]:
    """What the step gives, as JSON."""
    found = measured(seen, leaks, over)
    asked = {"floors": FLOORS, "max_leak": 0.05, "max_over_redaction": 0.01} | changes
    reasons = recall.decide(found, asked["floors"], asked["max_leak"], asked["max_over_redaction"])
    return {
        **found.model_dump(mode="json"),
        "reasons": list(reasons),
        "clean_rows": [[rows, recall.clean_sample(rows)] for rows in (100, 300, 1000)],
        "captures": captures(),
        "profile": "strict",
        "policy": dict.fromkeys(ENTITY_TYPES, "mask") | {"EMAIL": "surrogate", "URL": "keep", "EMPLOYEE_ID": "mask"},
        "recognisers": ["staff-numbers (presidio)"],
        "languages": ["en", "de"],
        "fingerprints": {"count": 2246, "digest": "f" * 64},
        **asked,
    }


def redacting(**changes: Any) -> Redacting:
    """A run whose redaction is good enough, and what a test changes of it."""
    return Redacting.model_validate(given(**changes))


def refused() -> Redacting:
    """A run that is stopped: one type falls short, another was seeded too little, and too much leaks."""
    return redacting(seen=SEEN | {"PERSON": (150, 195), "IBAN": (8, 8)}, leaks=43, over=400)


def past(runs: int) -> tuple[Past, ...]:
    """Earlier runs."""
    return tuple(
        Past.model_validate(
            given(leaks=number % 7 + 3) | {"run": f"{number:08}-0000", "started": f"2026-11-{number:02}T10:00:00+00:00"}
        )
        for number in range(1, runs + 1)
    )


def content(**changes: Any) -> Content:
    """A page's worth."""
    plain = {
        "name": "support-triage",
        "owner": "support@acme.example",
        "redacting": redacting(),
        "personal": Personal(records=1401, touched=1299, counts=REPLACED),
        "past": past(5),
        "links": {"index": "../../index.html", "report": "../../x.html", "card": "../../datasets/1/card.html"},
    }
    return Content.model_validate({**plain, **changes})
