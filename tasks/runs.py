"""Runs: what this deployment ran, with each step's state and what came of it.

One JSON file a run under ``ASSAY_HOME/runs``, so runs of a worker are listed beside those typed by hand.
It holds counts, names and references, and no value from a record.
"""

import json
from pathlib import Path
from typing import Any

from assay.artifacts import Artifact
from assay.errors import RegistryError
from assay.reporting import redacting
from assay.store import write_atomically
from expectations import outcome
from tasks.places import folder, store


def find(name: str) -> dict[str, Any]:
    """The record of a run by the beginning of its id; ``latest`` is the last one."""
    rows = every()
    found = rows[:1] if name == "latest" else [row for row in rows if row["run"].startswith(name)]
    if len(found) != 1:
        raise RegistryError(f"found {len(found)} runs named {name!r}; expected one. See `assay list`.")
    return found[0]


def every() -> list[dict[str, Any]]:
    """All runs, the latest first."""
    rows = [json.loads(path.read_text()) for path in folder("runs").glob("*.json")]
    return sorted(rows, key=lambda row: str(row["started"]), reverse=True)


def reviews(run: str) -> list[dict[str, Any]]:
    """What persons found who read redacted rows of a run, by its id; oldest first."""
    return [json.loads(path.read_text()) for path in sorted((folder("reviews") / run).glob("*.json"))]


def recipe_file(recipe: str | None) -> str | None:
    """A recipe's file however its path was typed, so that runs of one recipe are told from those of another."""
    if recipe is None:
        return None
    path = Path(recipe).absolute()
    return str((path if path.suffix in {".yaml", ".yml"} else path / "recipe.yaml").resolve())


def file(record: dict[str, Any]) -> Path:
    """File the record of one run."""
    path = folder("runs") / f"{record['run']}.json"
    write_atomically(path, json.dumps(record, indent=1).encode())
    return path


def redaction(filed: Artifact) -> dict[str, Any]:
    """How well redaction worked, in the numbers that a trend is made of."""
    found = redacting.Bounds.model_validate(json.loads(store().get(filed))["redacting"])
    return {**found.model_dump(mode="json"), "judged": filed.digest}


def validation(doorway: str, filed: Artifact) -> dict[str, Any]:
    """What a suite found, in the numbers that a trend is made of."""
    found = outcome.from_json(store().get(filed))
    return {
        "doorway": doorway,
        "suite": found.suite,
        "version": found.version,
        "decision": found.decision,
        "rows": found.rows,
        "quarantined": len(found.quarantined),
        "checks": [
            {
                "id": finding.id,
                "evaluated": finding.evaluated,
                "failed": finding.failed,
                "status": finding.status,
                "waived": len(finding.waived_ids),
            }
            for finding in found.findings
        ],
        "waivers": [
            {
                "check": standing.waiver.check,
                "who": standing.waiver.who,
                "until": standing.waiver.until,
                "in_force": standing.in_force,
            }
            for standing in found.waivers
        ],
        "outcome": filed.digest,
    }
