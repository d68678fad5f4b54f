"""``assay show`` and ``assay list``: what was run, swept, compared and decided, and what is registered."""

import sys
from collections.abc import Callable
from typing import Any

from assay.errors import DataError, RegistryError
from cli.tables import before_and_after, columns, spent, unusual, verdict


def show(name: str, form: str = "") -> None:
    """Print the record of one run, or of one sweep, comparison or decision if no run is called that.

    Args:
        name: Beginning of its id, or ``latest``.
        form: ``md`` or ``json`` to print only its report in that form.
    """
    record, shown = _found(name)
    return _show_form(record, form) if form else shown(record)


def _found(name: str) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    """What is called that, and what prints it; a run before anything else."""
    from tasks import runs

    try:
        return runs.find(name), _show_run
    except RegistryError:
        if name == "latest" or (other := _no_run(name)) is None:
            raise
        return other


def _no_run(name: str) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]] | None:
    """What else is called that, if it is one thing, and what prints it."""
    from cli import comparing, deciding
    from tasks import ledgers, sweeps

    kept = [(row, _show_sweep) for row in sweeps.every()]
    kept += [(row, comparing.show) for row in ledgers.every("comparisons")]
    kept += [(row, deciding.show) for row in ledgers.every("decisions")]
    found = [(row, shown) for row, shown in kept if row["run"].startswith(name)]
    return found[0] if len(found) == 1 else None


def _show_run(record: dict[str, Any]) -> None:
    print(f"run       {record['run']}\nstarted   {record['started']}\nrecipe    {record['recipe']}")
    _tell_steps(record)
    _tell_unusual(record)
    if record["verdict"] is None:
        _tell_cost(record)
        print(f"failed    {record['error']}")
        return
    _tell_verdict(record)


def _show_form(record: dict[str, Any], form: str) -> None:
    """Print a report as Markdown or JSON, made of the content that was filed with it."""
    from assay.artifacts import Artifact
    from tasks import deciding, telling
    from tasks.places import store

    if "weighed" in record:
        sys.stdout.write(deciding.summaries(record)[form].decode())
        return
    digest = record.get("pages", record).get("content_digest")
    filed = Artifact(kind=telling.KIND, digest=digest) if digest else None
    if filed is None or not store().holds(filed):
        raise DataError(
            f"{record['run'][:8]}: found no report on file that can be told as {form}; expected a run, a comparison or "
            "a decision that came to its end. Runs of long ago filed only their page: run the recipe again, which is "
            "cached."
        )
    sys.stdout.write(telling.summaries(filed)[form].decode())


def _show_sweep(record: dict[str, Any]) -> None:
    """Print what was tried and what came of it, as the sweep itself printed that."""
    print(f"sweep     {record['run']}\nended     {record['ended']}\nrecipe    {record['recipe']}")
    for path, values in record["grid"].items():
        print(f"tried     {path}: {', '.join(map(str, values))}")
    _tell_steps(record)
    if "compared" not in record:
        print(f"failed    {record['error']}")
        return
    from cli.sweeping import tell
    from tasks import sweeping

    tell(sweeping.compared(record), sys.stdout)
    print(f"page      {sweeping.lay_out(record)}")


def _tell_steps(record: dict[str, Any]) -> None:
    """What was changed in the recipe, and each step; sweeps of long ago did not file theirs."""
    if record["settings"]:
        print(f"settings  {record['settings']}")
    steps = record.get("steps", [])
    print()
    print(columns([(s["task"], s["state"], f"{s['seconds']:.1f} s", s["reason"]) for s in steps]))
    print()


def _tell_verdict(record: dict[str, Any]) -> None:
    print(before_and_after(record["metrics"]["baseline"], record["metrics"]["candidate"]))
    print(f"\n{verdict(record)}")
    _tell_cost(record)
    print(f"version   {record['model']} {record['version']} ({record['identity'][:12]})")
    print(f"adapter   {record['adapter_digest']}\nreport    {record['report']}")


def _tell_unusual(record: dict[str, Any]) -> None:
    for line in unusual(record):
        print(f"unusual   {line}")


def _tell_cost(record: dict[str, Any]) -> None:
    """What training took, if the run came so far; runs of long ago did not file it."""
    for place, line in enumerate(spent(record["cost"]) if record.get("cost") else []):
        print(f"{'' if place else 'cost':<10}{line}")


def list_all() -> None:
    """Print every run, sweep, comparison and decision, and every version with the stages that point at it."""
    from cli import comparing, deciding
    from tasks import ledgers, registry, runs, sweeps

    ran = runs.every()
    head = ("RUN", "STARTED", "RECIPE", "VERDICT", "VERSION")
    rows = [
        (row["run"][:8], str(row["started"])[:19], str(row["recipe"]), str(row["verdict"] or "failed"),
         f"{row['model']} {row['version']}" if row["verdict"] else "-")
        for row in ran
    ]  # fmt: skip
    print(columns([head, *rows]) if ran else "no runs yet: `assay run RECIPE` makes one")
    if swept := sweeps.every():
        names = ("SWEEP", "ENDED", "RECIPE", "POINTS", "BEST")
        print(f"\n{columns([names, *map(_swept, swept)])}")
    if compared := ledgers.every("comparisons"):
        names = ("COMPARISON", "ENDED", "BEFORE", "AFTER", "VERDICT")
        print(f"\n{columns([names, *map(comparing.row, compared)])}")
    if decided := ledgers.every("decisions"):
        names = ("DECISION", "ENDED", "RECIPE", "WAYS", "ADVICE")
        print(f"\n{columns([names, *map(deciding.row, decided)])}")
    if registered := registry.versions():
        names = ("MODEL", "VERSION", "DECISION", "POINTED AT BY", "ADAPTER")
        print(f"\n{columns([names, *map(_version, registered)])}")


def _swept(row: dict[str, Any]) -> tuple[str, ...]:
    best = ", ".join(f"{path.removeprefix('training.')} {value}" for path, value in row.get("best", {}).items())
    return (
        row["run"][:8],
        str(row["ended"])[:19],
        str(row["recipe"]),
        str(row.get("points", "-")),
        "failed" if "error" in row else best or "-",
    )


def _version(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["model"],
        str(row["version"]),
        row.get("decision", "?"),
        ", ".join(row["aliases"]) or "-",
        row.get("adapter", "?")[:12],
    )
