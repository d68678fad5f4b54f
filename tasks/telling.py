"""Telling: what was found, filed once as content, and told three ways: a page, Markdown, JSON.

The content is filed by whoever gathered it; the page is a step, since a version is registered with it. Markdown and
JSON are made of the same content whenever they are asked for, and lie beside the page, under its name with another
ending.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from assay.artifacts import Artifact
from assay.evaluation.comparison import intervals
from assay.evaluations import Arm, Verdict
from assay.reporting import (
    asked,
    bounds,
    charts,
    claims,
    cost,
    criteria,
    curves,
    forest,
    gathering,
    hard,
    leaking,
    learning,
    machine,
    markdown,
    measured,
    pages,
    reliability,
    serving,
    spread,
    taught,
    unjudged,
    unknown,
    wording,
)
from assay.reporting import report as reporting
from assay.reporting.asked import Asked
from assay.reporting.content import Content
from tasks.places import place_page, store
from tasks.steps import step

KIND = "report-content"

LATENCIES = {
    "request_p50_ms": "latency_p50_ms",
    "request_p95_ms": "latency_p95_ms",
    "first_token_p50_ms": "first_token_p50_ms",
    "tokens_per_second": "tokens_per_second",
}
"""Of a page's times, those that a record keeps, and under which name."""

PAGE = (
    reporting, taught, learning, spread, cost, measured, bounds, claims, pages, charts, criteria, curves, forest,
    serving, unjudged, unknown, wording, asked, reliability, leaking, hard,
)  # fmt: skip
"""What a report is set with."""


@step(*PAGE, libraries=("jinja2", "pyyaml"))
def report(content: Artifact) -> Artifact:
    """Set what was found as one page."""
    return store().put("report", reporting.page(read(content)).encode())


def beside(before: Arm, after: Arm, told: Verdict, metrics: Iterable[str]) -> Asked | None:
    """What both were asked beside the task itself, or nothing if that was nothing.

    Args:
        before: The baseline's evaluation and items.
        after: The candidate's.
        told: The gate's word on them.
        metrics: Names of the recipe's own metrics.
    """
    sure = (before.evaluation.calibration, after.evaluation.calibration)
    found = gathering.gathered(
        before,
        after,
        target=told.criterion("target").metric,
        confidence=told.confidence,
        bound=intervals.difference,
        calibration=sure if all(sure) else None,
        metrics=tuple(metrics),
    )
    return None if found.is_empty else found


def file(content: Content) -> Artifact:
    """File all that a report says."""
    return store().put(KIND, content.model_dump_json().encode())


def read(content: Artifact) -> Content:
    """All that a report says."""
    return Content.model_validate_json(store().get(content))


def summaries(content: Artifact) -> dict[str, bytes]:
    """The same for a pull request and for a machine, by the ending of a file's name."""
    told = read(content)
    return {"md": markdown.summary(told).encode(), "json": machine.summary(told)}


def metrics(content: Content, arm: Literal["before", "after"]) -> dict[str, float]:
    """Scores and times of one model by one flat name each, as records keep them."""
    changes = [(change.name, change) for change in content.metrics]
    changes += [(LATENCIES[change.name], change) for change in content.latency if change.name in LATENCIES]
    found = {name: getattr(change, arm) for name, change in changes}
    return {name: value for name, value in found.items() if value is not None}


def judged(content: Content) -> dict[str, Any]:
    """The verdict as records keep it, with what got worse beyond doubt and no criterion judges."""
    told = content.verdict
    return {
        "verdict": told.decision,
        "sentence": told.sentence,
        "reasons": list(told.reasons),
        "unjudged": unjudged.losses(content),
        "criteria": [criterion.model_dump(mode="json") for criterion in told.criteria],
        "metrics": {"baseline": metrics(content, "before"), "candidate": metrics(content, "after")},
    }


def lay_out(page: str, content: Artifact) -> list[Path]:
    """Lay both out beside a page, which is named by its path below the reports."""
    return [place_page(str(Path(page).with_suffix(f".{ending}")), data) for ending, data in summaries(content).items()]
