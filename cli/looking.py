"""``assay show`` and ``assay list``: what was run, and what is registered."""

from typing import Any

from cli.tables import before_and_after, columns, spent


def show(name: str) -> None:
    """Print the record of one run."""
    from tasks import runs

    record = runs.find(name)
    print(f"run       {record['run']}\nstarted   {record['started']}\nrecipe    {record['recipe']}")
    if record["settings"]:
        print(f"settings  {record['settings']}")
    print()
    print(columns([(s["task"], s["state"], f"{s['seconds']:.1f} s", s["reason"]) for s in record["steps"]]))
    print()
    if record["verdict"] is None:
        _tell_cost(record)
        print(f"failed    {record['error']}")
        return
    print(before_and_after(record["metrics"]["baseline"], record["metrics"]["candidate"]))
    print(f"\nverdict   {record['verdict'].upper()}: {record['sentence']}")
    for reason in record["reasons"]:
        print(f"          - {reason}")
    _tell_cost(record)
    print(f"version   {record['model']} {record['version']} ({record['identity'][:12]})")
    print(f"adapter   {record['adapter_digest']}\nreport    {record['report']}")


def _tell_cost(record: dict[str, Any]) -> None:
    """What training took, if the run came so far; runs of long ago did not file it."""
    for place, line in enumerate(spent(record["cost"]) if record.get("cost") else []):
        print(f"{'' if place else 'cost':<10}{line}")


def list_all() -> None:
    """Print every run, and every version with the stages that point at it."""
    from tasks import registry, runs

    ran = runs.every()
    head = ("RUN", "STARTED", "RECIPE", "VERDICT", "VERSION")
    rows = [
        (row["run"][:8], str(row["started"])[:19], str(row["recipe"]), str(row["verdict"] or "failed"),
         f"{row['model']} {row['version']}" if row["verdict"] else "-")
        for row in ran
    ]  # fmt: skip
    print(columns([head, *rows]) if ran else "no runs yet: `assay run RECIPE` makes one")
    registered = registry.versions()
    if registered:
        print()
        names = ("MODEL", "VERSION", "DECISION", "POINTED AT BY", "ADAPTER")
        print(
            columns(
                [names]
                + [
                    (
                        v["model"],
                        str(v["version"]),
                        v.get("decision", "?"),
                        ", ".join(v["aliases"]) or "-",
                        v.get("adapter", "?")[:12],
                    )
                    for v in registered
                ]
            )
        )
