"""Index: every run of a deployment, newest first, each with the pages that belong to it.

Runs stand on pages of :data:`RUNS_A_PAGE`, counted from the oldest, so that a page which is full never changes again
once there is a newer one; it links older pages and the newest, which is ``index.html`` and links all. That one carries
a summary: how many runs were accepted, which checks fail most often, how much of personal data is left at most, and
which waivers end soon. Days are counted from
the newest run, since a page made of equal runs has equal bytes whenever it is made. Nothing here is a value from a
record.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from markupsafe import Markup
from pydantic import Field, JsonValue

from assay.reporting import charts, claims
from assay.reporting import pages as setting
from assay.reporting.content import Decision, Status
from assay.reporting.part import Part
from assay.reporting.redacting import Bounds

VERSION = 2

RUNS_A_PAGE = 100
LOOKED_BACK = 20
"""Runs that the summary is about."""

SOON = 14
"""Days."""

MOST_CHECKS = 5

_TEMPLATE, _STYLE = "index.html.j2", "index.css"
_VERDICTS = {"accepted": "good", "inconclusive": "odd", "refused": "bad"}
_BRIEFLY = {"pass": "passed", "pass_with_warnings": "warnings", "quarantine": "set aside", "stop": "stopped"}


class Step(Part):
    """What became of one step."""

    task: str
    state: str
    seconds: float = 0.0
    reason: str | None = ""


class Outline(Part):
    """How one check came out, in numbers."""

    id: str
    evaluated: int
    failed: int
    status: Status
    waived: int = 0


class Promise(Part):
    """Whose word a failure goes on, until when."""

    check: str
    who: str
    until: str
    in_force: bool


class Validation(Part):
    """What was found at one doorway."""

    doorway: str
    suite: str
    version: int
    decision: Decision
    rows: int
    quarantined: int
    checks: tuple[Outline, ...] = ()
    waivers: tuple[Promise, ...] = ()
    page: str | None = None
    """Path from the reports' folder, as those below."""


class Masked(Bounds):
    """What the run has shown of its redaction."""

    page: str | None = None


class Card(Part):
    """The card of a dataset version."""

    version: str
    page: str | None = None
    croissant: str | None = None


class Run(Part):
    """One run, as it was filed when it ended."""

    run: str
    started: str | None = None
    recipe: str | None = None
    settings: JsonValue = None
    steps: tuple[Step, ...] = ()
    verdict: str | None = None
    sentence: str = ""
    model: str | None = None
    version: int | str | None = None
    error: str | None = None
    """Why there is no verdict."""

    wall_seconds: float | None = None
    validations: tuple[Validation, ...] = ()
    redaction: Masked | None = None
    """None if it was not measured."""

    dataset: Card | None = None
    pages: dict[str, str] = Field(default={})
    report: str | None = None
    """Where the report was laid out; of the path only the name is used."""

    @property
    def recipe_name(self) -> str | None:
        """The folder of the recipe; where it lies is this deployment's business."""
        path = PurePath(self.recipe or "")
        return (path.parent if path.suffix in {".yaml", ".yml"} and path.parent.name else path).name or None

    @property
    def report_page(self) -> str | None:
        """The report, from the reports' folder."""
        return self.pages.get("report") or (PurePath(self.report).name if self.report else None)

    @property
    def stopped_at(self) -> str | None:
        """The step that failed, or the last one that ended."""
        failed = [step for step in self.steps if step.state == "failed"] or self.steps[-1:]
        return failed[0].task if failed else None


@dataclass(frozen=True, slots=True)
class Leak:
    """How much is left of personal data, run by run of one recipe."""

    recipe: str
    now: Masked
    runs: int
    trend: Markup


@dataclass(frozen=True, slots=True)
class Summary:
    """The newest page's beginning."""

    runs: int
    """Of the deployment."""

    looked_at: int
    ended: Counter[str]
    """Verdict, or ``stopped`` → runs."""

    failing: list[tuple[str, str, int]]
    """Suite, check, and runs in which it did not hold, the most first."""

    waivers: list[Promise]
    ending: list[Promise]
    """Of those, the ones that end soon."""

    leaks: list[Leak]
    """Of every recipe that measured its redaction, in alphabetical order."""

    day: str
    soon: str


def pages(runs: Sequence[Run]) -> dict[str, str]:
    """Every page by the name of its file, the newest first.

    Args:
        runs: All of them, newest first.
    """
    oldest = runs[::-1]
    parts = [oldest[start : start + RUNS_A_PAGE][::-1] for start in range(0, len(oldest), RUNS_A_PAGE)] or [[]]
    return {
        _name(page, len(parts)): index(parts[page - 1], page, len(parts), recent=runs)
        for page in range(len(parts), 0, -1)
    }


def index(runs: Sequence[Run], page: int, pages: int, recent: Sequence[Run] = ()) -> str:
    """Set one page of the index.

    Args:
        runs: Those of this page, newest first.
        page: Which page, from 1, the oldest.
        pages: How many there are; the last has the summary.
        recent: The last :data:`LOOKED_BACK` runs or more, newest first, where the newest page has fewer.
    """
    first = (page - 1) * RUNS_A_PAGE
    return setting.template(_TEMPLATE).render(
        runs=runs,
        style=_STYLE,
        first=first + 1,
        last=first + len(runs),
        older=_name(page - 1, pages) if page > 1 else None,
        full=[(_name(other, pages), other * RUNS_A_PAGE) for other in range(1, page)] if page == pages else [],
        a_page=RUNS_A_PAGE,
        summary=_summary(first + len(runs), recent or runs) if page == pages else None,
        verdicts=_VERDICTS,
        briefly=_BRIEFLY,
        looked_back=LOOKED_BACK,
    )


def _name(page: int, pages: int) -> str:
    return "index.html" if page == pages else f"runs-{page}.html"


def _summary(total: int, recent: Sequence[Run]) -> Summary:
    looked_at = recent[:LOOKED_BACK]
    day = next((run.started[:10] for run in recent if run.started), "")
    waivers = sorted(set(_promised(recent)), key=lambda w: (w.until, w.check, w.who))
    soon = _later(day)
    return Summary(
        runs=total,
        looked_at=len(looked_at),
        ended=Counter(run.verdict or "stopped" for run in looked_at),
        failing=_failing(looked_at),
        waivers=waivers,
        ending=[waiver for waiver in waivers if waiver.until <= soon],
        leaks=_leaks(looked_at),
        day=day,
        soon=soon,
    )


def _failing(runs: Sequence[Run]) -> list[tuple[str, str, int]]:
    """Checks by the number of runs in which they did not hold; one that could not run did not."""
    counts = Counter(
        pair
        for run in runs
        for pair in {
            (found.suite, check.id)
            for found in run.validations
            for check in found.checks
            if check.status in {"failed", "could not run"}
        }
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(suite, check, number) for (suite, check), number in ordered[:MOST_CHECKS]]


def _leaks(runs: Sequence[Run]) -> list[Leak]:
    measured = [(run.recipe_name or "", run.redaction) for run in reversed(runs) if run.redaction]
    recipes = sorted({recipe for recipe, _ in measured})
    return [_leak(recipe, [found for other, found in measured if other == recipe]) for recipe in recipes]


def _leak(recipe: str, found: Sequence[Masked]) -> Leak:
    """Bounds of the leak rate, oldest first."""
    values = [each.leaks.upper for each in found]
    said = f"Records that leak at most, in the last {len(values)} runs, oldest first: "
    said += ", ".join(map(claims.at_most, values))
    return Leak(recipe, found[-1], len(found), charts.sparkline(values, said, found[-1].max_leak))


def _promised(runs: Sequence[Run]) -> Iterator[Promise]:
    """Waivers in force as the last run of each recipe found them."""
    seen: set[str | None] = set()
    for run in runs:
        if run.validations and run.recipe not in seen:
            seen.add(run.recipe)
            yield from (waiver for found in run.validations for waiver in found.waivers if waiver.in_force)


def _later(day: str) -> str:
    """The day that is :data:`SOON` days after ``day``."""
    try:
        return (dt.date.fromisoformat(day) + dt.timedelta(days=SOON)).isoformat()
    except ValueError:
        return ""
