"""Pages of a deployment, laid out as files under ``ASSAY_HOME/reports`` that open from disk.

    index.html                     every run, newest first
    MODEL-IDENTITY.html            the report of a version
    runs/RUN/DOORWAY.html          what a suite found in a run, with the trend over the runs before
    datasets/VERSION/card.html     the data card of a dataset version, and croissant.json beside it

All of it can be made anew from the run records and the store: ``assay reports build``.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run

from assay.artifacts import Artifact, Described
from assay.reporting import index, validation
from tasks import runs
from tasks.places import home, place_page, store

SHOWN_RUNS = 20
"""Earlier runs that a trend goes back over."""


def of_doorway(doorway: str, run: str | None = None) -> Path:
    """Where the page of a doorway lies; of the run that is under way if none is named."""
    return home() / "reports" / "runs" / _short(run) / f"{doorway}.html"


def place_doorway(
    doorway: str, filed: Artifact, run: str | None = None, beside: Mapping[str, str] | None = None
) -> Path:
    """Lay out what a suite found, with the trend over the runs of the same recipe before.

    Args:
        doorway: Where the suite stood.
        filed: The outcome.
        run: Id of a run that is over; the one under way if None.
        beside: Other pages of the run, ``report`` and ``card``, by their path below the reports.
    """
    recipe = flow_run.parameters.get("recipe") if run is None else runs.find(run)["recipe"]
    found = validation.Suite.model_validate_json(store().get(filed))
    history = tuple(_history(recipe, found.suite, run))
    links = {name: f"../../{there}" for name, there in {"index": "index.html", **(beside or {})}.items()}
    shown = validation.page(found, history, validation.Links.model_validate(links))
    return place_page(f"runs/{_short(run)}/{doorway}.html", shown.encode())


def place_card(described: Described) -> Path:
    """Lay out a dataset version's card, for people and for machines."""
    there = f"datasets/{described.version[:12]}"
    place_page(f"{there}/croissant.json", store().get(described.croissant))
    return place_page(f"{there}/card.html", store().get(described.card))


def dataset(described: Described) -> dict[str, str]:
    """What a run's record says of its dataset version."""
    there = f"datasets/{described.version[:12]}"
    return {
        "version": described.version,
        "page": f"{there}/card.html",
        "croissant": f"{there}/croissant.json",
        "card": described.card.digest,
        "profile": described.profile.digest,
    }


def lay_out_index() -> Path:
    """Lay out the newest page of the index; older ones never change once they are full."""
    return _index(newest_only=True)


def build() -> Path:
    """Lay every page out anew from the run records and the store, as far as the store still holds it."""
    for record in reversed(runs.every()):
        beside = {"report": record.get("pages", {}).get("report"), "card": record.get("dataset", {}).get("page")}
        known = {name: there for name, there in beside.items() if there}
        for found in record.get("validations", ()):
            filed = Artifact(kind="expectations-outcome", digest=found["outcome"])
            if store().holds(filed):
                place_doorway(found["doorway"], filed, record["run"], known)
    return _index(newest_only=False)


def _index(*, newest_only: bool) -> Path:
    every = [index.Run.model_validate(record) for record in runs.every()]
    laid = index.pages(every)
    names = list(laid)[:2] if newest_only else list(laid)
    for name in names:
        place_page(name, laid[name].encode())
    return home() / "reports" / "index.html"


def _history(recipe: str | None, suite: str, run: str | None) -> Iterator[validation.Past]:
    """Numbers of the same suite over the same recipe, oldest first, up to the run in question."""
    rows = [row for row in runs.every() if row["recipe"] == recipe]
    if run is not None:
        started = runs.find(run)["started"]
        rows = [row for row in rows if str(row["started"]) < str(started)]
    past = [(row, found) for row in rows for found in row.get("validations", ()) if found["suite"] == suite]
    for row, found in reversed(past[:SHOWN_RUNS]):
        yield validation.Past(
            run=row["run"][:8],
            started=str(row["started"]),
            rows=found["rows"],
            quarantined=found["quarantined"],
            decision=found["decision"],
            failed=_numbers(found["checks"], "failed"),
            evaluated=_numbers(found["checks"], "evaluated"),
        )


def _numbers(checks: Sequence[dict[str, Any]], what: str) -> dict[str, int]:
    return {check["id"]: check[what] for check in checks}


def _short(run: str | None) -> str:
    return (run or str(flow_run.id or "unnamed"))[:8]
