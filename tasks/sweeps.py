"""Sweeps: what this deployment swept, and what came of it.

One JSON file a sweep under ``ASSAY_HOME/sweeps``, of settings, counts and digests, whether it came to a comparison or
ended before. A sweep is no run: it has no verdict and no version, so it is not among those of :mod:`tasks.runs`, and
``latest`` never names one.
"""

import json
from pathlib import Path
from typing import Any

from assay.errors import RegistryError
from assay.store import write_atomically
from tasks.places import folder


def find(name: str) -> dict[str, Any]:
    """The record of a sweep by the beginning of its id."""
    found = [row for row in every() if row["run"].startswith(name)]
    if len(found) != 1:
        raise RegistryError(f"found {len(found)} sweeps named {name!r}; expected one. See `assay list`.")
    return found[0]


def every() -> list[dict[str, Any]]:
    """All sweeps, the latest first."""
    rows = [json.loads(path.read_text()) for path in folder("sweeps").glob("*.json")]
    return sorted(rows, key=lambda row: str(row["ended"]), reverse=True)


def file(record: dict[str, Any]) -> Path:
    """File the record of one sweep."""
    path = folder("sweeps") / f"{record['run']}.json"
    write_atomically(path, json.dumps(record, indent=1).encode())
    return path
