"""Index: every run and every sweep of a deployment, newest first, each with the pages that belong to it.

Runs stand on pages of :data:`RUNS_A_PAGE`, counted from the oldest, so that a page which is full never changes again
once there is a newer one; it links older pages and the newest, which is ``index.html`` and links all. That one carries
a summary: how many runs were accepted, which checks fail most often, how much of personal data is left at most, and
which waivers end soon, and what all trainings took. It also lists the sweeps. Days are counted from the newest run,
since a page made of equal runs has equal bytes whenever it is made. Nothing here is a value from a record.

A training that was taken from the cache was paid for by the run or sweep that computed it, and is summed there alone.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from pydantic import JsonValue

from assay.reporting import charts, claims, wording
from assay.reporting import pages as setting
from assay.reporting.cost import Price
from assay.reporting.filed import Judged, Masked, Promise, Run, Sweep
from assay.reporting.sweep import hours, told

VERSION = 3

RUNS_A_PAGE = 100
LOOKED_BACK = 20
"""Runs that the summary is about."""

SOON = 14
"""Days."""

MOST_CHECKS = 5

SHOWN_SWEEPS = 20
"""The rest can be unfolded."""

_TEMPLATE, _STYLE = "index.html.j2", "index.css"
_VERDICTS = {"accepted": "good", "inconclusive": "odd", "refused": "bad"}
_BRIEFLY = {"pass": "passed", "pass_with_warnings": "warnings", "quarantine": "set aside", "stop": "stopped"}


@dataclass(frozen=True, slots=True)
class Leak:
    """How much is left of personal data, run by run of one recipe."""

    recipe: str
    now: Masked
    runs: int
    trend: Markup


@dataclass(frozen=True, slots=True)
class Training:
    """What all trainings together took."""

    hours: float
    runs: int
    """That trained something."""

    sweeps: int
    amounts: list[str]
    """One of each currency."""

    unpriced: float
    """Device-hours of recipes that name no price."""


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

    training: Training | None
    """None if nothing was trained."""

    day: str
    soon: str


def pages(runs: Sequence[Run], sweeps: Sequence[Sweep] = (), judged: Sequence[Judged] = ()) -> dict[str, str]:
    """Every page by the name of its file, the newest first.

    Args:
        runs: All of them, newest first.
        sweeps: The same.
        judged: Decisions and comparisons, the same.
    """
    oldest = runs[::-1]
    parts = [oldest[start : start + RUNS_A_PAGE][::-1] for start in range(0, len(oldest), RUNS_A_PAGE)] or [[]]
    return {
        _name(page, len(parts)): index(parts[page - 1], page, len(parts), recent=runs, sweeps=sweeps, judged=judged)
        for page in range(len(parts), 0, -1)
    }


def index(  # noqa: PLR0913 — what one page lists
    runs: Sequence[Run],
    page: int,
    pages: int,
    *,
    recent: Sequence[Run] = (),
    sweeps: Sequence[Sweep] = (),
    judged: Sequence[Judged] = (),
) -> str:
    """Set one page of the index.

    Args:
        runs: Those of this page, newest first.
        page: Which page, from 1, the oldest.
        pages: How many there are; the last has the summary.
        recent: All runs, newest first, if the newest page has not all of them.
        sweeps: All of them, newest first; the newest page lists them.
        judged: Decisions and comparisons, the same.
    """
    first = (page - 1) * RUNS_A_PAGE
    summary = _summary(first + len(runs), recent or runs, sweeps) if page == pages else None
    return setting.template(_TEMPLATE).render(
        runs=runs,
        style=_STYLE,
        first=first + 1,
        last=first + len(runs),
        older=_name(page - 1, pages) if page > 1 else None,
        full=[(_name(other, pages), other * RUNS_A_PAGE) for other in range(1, page)] if page == pages else [],
        a_page=RUNS_A_PAGE,
        summary=summary,
        sweeps=sweeps if summary else (),
        judged=judged if summary else (),
        shown_sweeps=SHOWN_SWEEPS,
        verdicts=_VERDICTS,
        briefly=_BRIEFLY,
        looked_back=LOOKED_BACK,
        hours=hours,
        told=told,
        tried=tried,
        worth=worth,
    )


def tried(path: str, values: Sequence[JsonValue]) -> str:
    """A setting and its values; one of them may be a list itself."""
    first, *others = [told({path if place == 0 else "": value}) for place, value in enumerate(values)] or [path]
    return " or".join([first, *others])


def worth(spent: float | None, price: Price | None) -> str:
    """What device-hours cost, or nothing if that is not known."""
    return "" if spent is None or price is None else f"{wording.money(spent * price.device_hour)} {price.currency}"


def _name(page: int, pages: int) -> str:
    return "index.html" if page == pages else f"runs-{page}.html"


def _summary(total: int, recent: Sequence[Run], sweeps: Sequence[Sweep]) -> Summary:
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
        training=_training([run for run in recent if run.spent], [sweep for sweep in sweeps if sweep.spent]),
        day=day,
        soon=soon,
    )


def _training(runs: Sequence[Run], sweeps: Sequence[Sweep]) -> Training | None:
    """What was computed by those that computed something."""
    amounts: defaultdict[str, float] = defaultdict(float)
    every: list[Run | Sweep] = [*runs, *sweeps]
    for each in every:
        if each.price:
            amounts[each.price.currency] += each.spent * each.price.device_hour
    if not every:
        return None
    return Training(
        hours=sum(each.spent for each in every),
        runs=len(runs),
        sweeps=len(sweeps),
        amounts=[f"{wording.money(amounts[currency])} {currency}" for currency in sorted(amounts)],
        unpriced=sum(each.spent for each in every if each.price is None),
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
