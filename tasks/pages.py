"""Pages of a deployment, laid out as files under ``ASSAY_HOME/reports`` that open from disk.

    index.html                     every run and every sweep, newest first
    MODEL-IDENTITY.html            the report of a version
    runs/RUN/DOORWAY.html          what a suite found in a run, with the trend over the runs before
    runs/RUN/redaction.html        how well redaction worked in it, the same
    sweeps/RUN.html                trainings of one recipe compared; laid out by :mod:`tasks.sweeping`
    datasets/VERSION-CARD/card.html  the data card of a dataset version, and croissant.json beside it

All of it can be made anew from the records of runs and sweeps and the store: ``assay reports build``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run

from assay.artifacts import Artifact, Described
from assay.reporting import index, measured, validation
from assay.reporting.filed import Judged, Run, Sweep
from tasks import runs, sweeps, telling
from tasks.places import folder, home, place_page, store

SHOWN_RUNS = 20
"""Earlier runs that a trend goes back over."""

TRENDS_ARE_OF = "train-candidate"
"""The flow whose runs make a trend: they go the whole path."""


def of_doorway(doorway: str, run: str | None = None) -> Path:
    """Where the page of a doorway lies; of the run that is under way if none is named."""
    return home() / "reports" / "runs" / _short(run) / f"{doorway}.html"


def told(page: Path) -> str:
    """A page's path for a message, without saying where this deployment's home lies."""
    inside = page.is_relative_to(Path.cwd())
    return str(page.relative_to(Path.cwd()) if inside else Path("ASSAY_HOME") / page.relative_to(home()))


def place_doorway(
    doorway: str,
    filed: Artifact,
    run: str | None = None,
    beside: Mapping[str, str] | None = None,
    records: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Lay out what a suite found, with the trend over the runs of the same recipe before.

    Args:
        doorway: Where the suite stood.
        filed: The outcome.
        run: Id of a run that is over; the one under way if None.
        beside: Other pages of the run, ``report`` and ``card``, by their path below the reports.
        records: Of all runs, newest first, if they have been read already.
    """
    before = _before(run, runs.every() if records is None else records)
    found = validation.Suite.model_validate_json(store().get(filed))
    history = tuple(_history(before, found.suite))
    shown = validation.page(found, history, validation.Links.model_validate(_links(beside)))
    return place_page(f"runs/{_short(run)}/{doorway}.html", shown.encode())


def of_redaction(run: str | None = None) -> Path:
    """Where the page on a run's redaction lies; of the run that is under way if none is named."""
    return of_doorway("redaction", run)


def place_redaction(
    filed: Artifact,
    run: str | None = None,
    beside: Mapping[str, str] | None = None,
    records: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Lay out how well redaction worked, with the trend over the runs of the same recipe before.

    Arguments are those of :func:`place_doorway`; ``filed`` is the judgement. What a person found who read a sample of
    the run's rows is shown too, since it comes after the run.
    """
    before = _before(run, runs.every() if records is None else records)
    past = [{**row["redaction"], "run": row["run"][:12], "started": str(row["started"])} for row in _whole(before)]
    shown = {**json.loads(store().get(filed)), "past": past[:SHOWN_RUNS], "links": _links(beside)}
    if run and (read := runs.reviews(run)):
        shown["redacting"]["sample"] = {**read[-1], "day": read[-1]["when"][:10]}
    return place_page(f"runs/{_short(run)}/redaction.html", measured.page(measured.Content.model_validate(shown)))


def dataset(described: Described) -> dict[str, str]:
    """What a run's record says of its dataset version: where its card lies, and the digests that it is made of.

    The same records may be described twice, say under another waiver: each card has a place of its own.
    """
    there = f"datasets/{described.version[:12]}-{described.card.digest[:8]}"
    return {
        "version": described.version,
        "page": f"{there}/card.html",
        "croissant": f"{there}/croissant.json",
        "page_digest": described.card.digest,
        "croissant_digest": described.croissant.digest,
        "profile_digest": described.profile.digest,
    }


def place(name: str, kind: str, digest: str) -> Path | None:
    """Lay out a page that is an artefact itself; None if the store holds it no more."""
    filed = Artifact(kind=kind, digest=digest)
    return place_page(name, store().get(filed)) if store().holds(filed) else None


def lay_out_index() -> Path:
    """Lay out the newest page of the index; older ones never change once they are full."""
    return _index(newest_only=True)


def build() -> Path:
    """Lay every page out anew from the run records and the store, as far as the store still holds what they show."""
    records = runs.every()
    for record in records:
        lay_out(record, records)
    return _index(newest_only=False)


def lay_out(record: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> None:
    """Lay out the pages of one run that is over, given the records of all."""
    known, described = record.get("pages", {}), record.get("dataset", {})
    beside = {"report": known.get("report"), "card": described.get("page")}
    for found in record.get("validations", ()):
        filed = Artifact(kind="expectations-outcome", digest=found["outcome"])
        if store().holds(filed):
            there = {name: page for name, page in beside.items() if page}
            place_doorway(found["doorway"], filed, record["run"], there, records)
    if redaction := record.get("redaction"):
        filed = Artifact(kind="redaction-judged", digest=redaction["judged"])
        if store().holds(filed):
            there = {name: page for name, page in beside.items() if page}
            place_redaction(filed, record["run"], there, records)
    if "report_digest" in known:
        place(known["report"], "report", known["report_digest"])
    if (digest := known.get("content_digest")) and store().holds(told := Artifact(kind=telling.KIND, digest=digest)):
        telling.lay_out(known["report"], told)
    if "page_digest" in described:
        place(described["page"], "data-card", described["page_digest"])
        place(described["croissant"], "croissant", described["croissant_digest"])


def _index(*, newest_only: bool) -> Path:
    ran = [Run.model_validate(record) for record in runs.every()]
    swept = [Sweep.model_validate(record) for record in sweeps.every()]
    judged = [
        Judged.model_validate({**record, "kind": kind})
        for kind, ledger in (("decision", "decisions"), ("comparison", "comparisons"))
        for record in _ledger(ledger)
    ]
    laid = index.pages(ran, swept, sorted(judged, key=lambda each: each.ended or "", reverse=True))
    names = list(laid)[:2] if newest_only else list(laid)
    for name in names:
        place_page(name, laid[name].encode())
    return home() / "reports" / "index.html"


def _ledger(name: str) -> list[dict[str, Any]]:
    """Records of a ledger of :mod:`tasks.ledgers`, which leans on this module."""
    return [json.loads(path.read_text()) for path in folder(name).glob("*.json")]


def _recipe(record: Mapping[str, Any]) -> str | None:
    return record.get("recipe_file") or runs.recipe_file(record["recipe"])


def _before(run: str | None, records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Runs of the same recipe before one that is over, or before the one under way."""
    own = next((row for row in records if row["run"] == run), None)
    recipe = runs.recipe_file(flow_run.parameters.get("recipe")) if own is None else _recipe(own)
    earlier = (row for row in records if own is None or str(row["started"]) < str(own["started"]))
    return [row for row in earlier if _recipe(row) == recipe]


def _links(beside: Mapping[str, str] | None) -> dict[str, str]:
    return {name: f"../../{there}" for name, there in {"index": "index.html", **(beside or {})}.items()}


def _whole(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of those, the ones that measured redaction and went the whole path, newest first."""
    return [row for row in records if row.get("redaction") and row.get("flow", TRENDS_ARE_OF) == TRENDS_ARE_OF]


def _history(records: Sequence[Mapping[str, Any]], suite: str) -> Iterator[validation.Past]:
    """Numbers of the same suite, oldest first; runs that only looked at records are none of a trend."""
    whole = [row for row in records if row.get("flow", TRENDS_ARE_OF) == TRENDS_ARE_OF]
    past = [(row, found) for row in whole for found in row.get("validations", ()) if found["suite"] == suite]
    for row, found in reversed(past[:SHOWN_RUNS]):
        yield validation.Past(
            run=row["run"][:12],
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
    return (run or str(flow_run.id or "unnamed"))[:12]
