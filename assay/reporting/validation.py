"""Validation: one doorway's page, on which a data steward sees what was found of the data, and what followed.

It shows what a gate's outcome holds: counts, row ids and the suite's own words, and no value from any row. Beside each
check stands its trend: the share of rows that failed it in the last runs of the same suite. Shares are of the rows
that a check is about; a check of the data as a whole either holds or does not. Equal input gives equal bytes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.reporting import charts, pages, wording
from assay.reporting.content import Check, Decision, Links, Suite
from assay.reporting.part import Part

__all__ = ["Links", "Past", "Suite", "page"]

VERSION = 2

SHOWN_IDS = 50
"""Failing rows listed for each check; all of them are filed with the run."""

SHOWN_RUNS = 20
"""Runs that a trend goes back, this one included."""

_TEMPLATE, _STYLE = "validation.html.j2", "validation.css"
_ORDER = {"could not run": 0, "failed": 1, "waived": 2, "passed": 3}
_WEIGHTS = {"stop": 0, "quarantine": 1, "warn": 2}


class Past(Part):
    """An earlier run of the same suite, in numbers."""

    run: str
    started: str
    rows: int
    quarantined: int
    decision: Decision
    failed: dict[str, int]
    """Check → failing rows."""

    evaluated: dict[str, int]
    """Check → rows that it was about; 0 if it could not run."""


@dataclass(frozen=True, slots=True)
class Row:
    """A check as the table shows it."""

    place: int
    """From 1, as its rows are linked."""

    check: Check
    colour: str
    aside: int
    """Rows set aside for it, perhaps for others too."""

    failing: list[str]
    """Ids of rows that fail and are not waived."""

    trend: Markup
    said: str


def page(outcome: Suite, history: Sequence[Past] = (), links: Links | None = None) -> str:
    """Set an outcome as a self-contained HTML page.

    Args:
        outcome: What the gate found in this run.
        history: Earlier runs of the same suite, in any order; the last :data:`SHOWN_RUNS` count.
        links: Other pages of the run.
    """
    runs = [*sorted(history, key=lambda past: (past.started, past.run))[1 - SHOWN_RUNS :], _present(outcome)]
    word, colour, sign, meaning = wording.DOORWAYS[outcome.decision]
    return pages.template(_TEMPLATE).render(
        outcome=outcome,
        links=links or Links(),
        style=_STYLE,
        word=word,
        colour=colour,
        sign=sign,
        meaning=meaning,
        shown=SHOWN_IDS,
        rows=list(_rows(outcome, runs)),
        held=sum(check.status == "passed" for check in outcome.findings),
        standing=_standing(outcome),
        runs=runs,
        sizes=_sizes(runs),
        shares=_shares(runs, outcome.max_quarantine),
    )


def _present(outcome: Suite) -> Past:
    ran = [check for check in outcome.findings if check.status != "could not run"]
    return Past(
        run="",
        started="",
        rows=outcome.rows,
        quarantined=len(outcome.quarantined),
        decision=outcome.decision,
        failed={check.id: check.failed for check in ran},
        evaluated={check.id: check.evaluated for check in ran},
    )


def _rows(outcome: Suite, runs: Sequence[Past]) -> Iterator[Row]:
    """Every check, worst first."""
    aside = Counter(check for checks in outcome.quarantined.values() for check in checks)
    ordered = sorted(outcome.findings, key=lambda c: (_ORDER[c.status], _WEIGHTS.get(c.on_fail, 0), -c.failed))
    for place, check in enumerate(ordered, 1):
        trend, said = _trend(check, runs) if len(runs) > 1 else (Markup(), "")
        waived = set(check.waived_ids)
        yield Row(
            place, check, _colour(check), aside[check.id], [id for id in check.ids if id not in waived], trend, said
        )


def _colour(check: Check) -> str:
    if check.status == "passed":
        return "good"
    return "bad" if check.status == "could not run" or (check.status, check.on_fail) == ("failed", "stop") else "odd"


def _trend(check: Check, runs: Sequence[Past]) -> tuple[Markup, str]:
    """How a check came out run by run, drawn and in a few words."""
    shares = [_share(check, run) for run in runs]
    known = [share for share in shares if share is not None]
    if not known:
        return Markup(), "never ran"
    whole = not check.by_row
    words = {True: {0.0: "held", 1.0: "failed"}, False: {}}[whole]
    listed = ", ".join("not run" if share is None else words.get(share, wording.percent(share)) for share in shares)
    what = "Outcome" if whole else "Share of rows failing"
    drawn = charts.sparkline(
        shares, f"{what} in the last {len(runs)} runs, oldest first: {listed}", check.allow or None
    )
    return drawn, f"failed in {sum(map(bool, known))} of {len(runs)} runs" if whole else _summary(shares, known)


def _summary(shares: Sequence[float | None], known: Sequence[float]) -> str:
    if not any(known):
        return "never a failing row"
    now = "not run" if shares[-1] is None else wording.percent(shares[-1])
    return f"now {now}, most {wording.percent(max(known))}"


def _share(check: Check, run: Past) -> float | None:
    """Share of the rows that failed; of the data as a whole, 1 or 0. None if the check was not run then."""
    if check.id not in run.failed or not run.evaluated.get(check.id):
        return None
    failed = run.failed[check.id]
    return float(failed > 0) if not check.by_row else failed / run.evaluated[check.id]


def _sizes(runs: Sequence[Past]) -> Markup:
    listed = ", ".join(wording.count(run.rows) for run in runs)
    return charts.sparkline([run.rows for run in runs], f"Rows in the last {len(runs)} runs, oldest first: {listed}")


def _shares(runs: Sequence[Past], limit: float | None) -> Markup:
    shares = [run.quarantined / run.rows if run.rows else None for run in runs]
    listed = ", ".join(wording.percent(share) for share in shares)
    said = f"Share of rows set aside in the last {len(runs)} runs, oldest first: {listed}"
    return charts.sparkline(shares, said, limit)


def _standing(outcome: Suite) -> list[tuple[str, str]]:
    """What each waiver does in this run, in a word with its colour."""
    waived = {check.waiver.check for check in outcome.findings if check.waiver is not None}
    words = {True: ("in use", "odd"), False: ("not needed", "plainly")}
    return [
        words[standing.waiver.check in waived] if standing.in_force else ("expired", "bad")
        for standing in outcome.waivers
    ]
