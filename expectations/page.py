"""A gate's outcome as a page that a data steward reads, on paper or telephone, with or without a network.

One file, no script, nothing fetched: its policy forbids all but its own styles, and every text is escaped.
It shows what an :class:`~expectations.outcome.Outcome` holds, which is no value from a record.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.outcome import Outcome, from_json, to_json

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["from_json", "page", "to_json"]

SHOWN_IDS = 50
"""Failing rows listed for each check; all of them are in the JSON."""

_TEMPLATES = Path(__file__).with_name("templates")
_DECISIONS = {
    "pass": "Passed",
    "pass_with_warnings": "Passed with warnings",
    "quarantine": "Passed without the rows set aside",
    "stop": "Stopped",
}
_MEANINGS = {
    "pass": "Every check holds. All rows go on.",
    "pass_with_warnings": "All rows go on, and the checks that warn did not hold.",
    "quarantine": "Rows that failed a check stay behind, filed under their id. The rest go on.",
    "stop": "No row goes on. The run ends here.",
}
_SEVERITIES = {"stop": "stops the run", "quarantine": "sets the row aside", "warn": "warns"}


def page(outcome: Outcome) -> str:
    """Return ``outcome`` as a self-contained HTML page."""
    by_status = {"could not run": 0, "failed": 1, "passed": 2}
    return _template().render(
        outcome=outcome,
        decision=_DECISIONS[outcome.decision],
        meaning=_MEANINGS[outcome.decision],
        severities=_SEVERITIES,
        shown=SHOWN_IDS,
        findings=sorted(outcome.findings, key=lambda finding: (by_status[finding.status], not finding.failed)),
        passed=sum(finding.passed for finding in outcome.findings),
    )


@functools.cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}".replace(",", "\u202f")
    environment.filters["percent"] = lambda share: f"{100 * share:.3g} %"
    return environment.get_template("outcome.html.j2")
