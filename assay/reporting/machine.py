"""Machine: a report as JSON, for what reads numbers: a dashboard, a pipeline, a later comparison.

``schema`` names the form and its version. A field is added without a new version; a field that goes, or means something
else, gets one. Shares are in 0 … 1, durations in ms, exposure in bits, nothing is rounded, and what is not known is
null. It holds no text of a record: no prompt, no answer, and of wins and losses only how many.
"""

import json
import math
from collections import Counter
from typing import Any

from assay.evaluations import Criterion
from assay.reporting import criteria, serving, unjudged, unknown
from assay.reporting.content import Change, Content
from assay.reporting.hard import LAST, NEVER, Hard

VERSION = 1

SCHEMA = "assay-report/1"


def summary(content: Content) -> bytes:
    """The report as one JSON object, names sorted; equal content gives equal bytes."""
    verdict, served = content.verdict, serving.shown(content)
    told = {
        "schema": SCHEMA,
        "of": _about(content),
        "decision": verdict.decision,
        "sentence": verdict.sentence,
        "confidence": verdict.confidence,
        "baseline": verdict.baseline,
        "candidate": verdict.candidate,
        "question": verdict.question,
        "self_test": verdict.self_test.model_dump(mode="json") if verdict.self_test else None,
        "criteria": [_criterion(each) for each in verdict.criteria],
        "wins": len(verdict.wins),
        "losses": len(verdict.losses),
        "metrics": _changes(content.metrics),
        "fields": _changes(content.fields),
        "slices": {attribute: _changes(changes) for attribute, changes in content.slices.items()},
        "abilities": _changes(content.abilities),
        "latency": _changes(content.latency),
        "cost_per_1000": {
            "before": served.before if served else None,
            "after": served.after if served else None,
            "price": content.recipe.get("price"),
        },
        "asked": content.asked.model_dump(mode="json") if content.asked else None,
        "leaks": content.leaks.model_dump(mode="json") if content.leaks else None,
        "hard": _hard(content.hard) if content.hard else None,
        "unjudged": unjudged.losses(content),
        "sides": content.sides,
        "not_known": [*unknown.found(content), *unknown.open_always(content)],
        "identity": content.identity,
        "environment": content.environment,
    }
    return json.dumps(_finite(told), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def _about(content: Content) -> dict[str, Any]:
    if content.versions:
        return {"kind": "versions", "before": content.versions.before, "after": content.versions.after}
    return {"kind": "candidate", "recipe": content.recipe.get("name")}


def _criterion(each: Criterion) -> dict[str, Any]:
    return {**each.model_dump(mode="json"), "group": criteria.group(each), "title": criteria.title(each)}


def _changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [{**change.model_dump(mode="json"), "difference": change.difference} for change in changes]


def _hard(hard: Hard) -> dict[str, int]:
    """How many examples were never learned, and how many last; which ones is on the page."""
    kinds = Counter(each.kind for each in hard.examples)
    return {"examples": len(hard.examples), NEVER: kinds[NEVER], LAST: kinds[LAST], "unjudged": hard.unjudged}


def _finite(value: Any) -> Any:  # noqa: ANN401
    """NaN and infinity, which JSON has not, as null."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
