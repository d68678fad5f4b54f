"""Ledgers: what this deployment did that is no run, one JSON file each, of settings, counts and digests.

A ledger is a folder of ``ASSAY_HOME`` that is named after what it keeps. What is filed has no verdict and no version,
so it is not among those of :mod:`tasks.runs`, and ``latest`` never names one.
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import State

from assay.errors import AssayError, RegistryError
from assay.store import write_atomically
from tasks import endings, runs
from tasks.places import folder


def find(ledger: str, name: str) -> dict[str, Any]:
    """The record in a ledger by the beginning of its id."""
    found = [row for row in every(ledger) if row["run"].startswith(name)]
    if len(found) != 1:
        raise RegistryError(f"found {len(found)} {ledger} named {name!r}; expected one. See `assay list`.")
    return found[0]


def every(ledger: str) -> list[dict[str, Any]]:
    """All records of a ledger, the latest first."""
    rows = [json.loads(path.read_text()) for path in folder(ledger).glob("*.json")]
    return sorted(rows, key=lambda row: str(row["ended"]), reverse=True)


def file(ledger: str, record: Mapping[str, Any]) -> Path:
    """File one record."""
    path = folder(ledger) / f"{record['run']}.json"
    write_atomically(path, json.dumps(record, indent=1).encode())
    return path


def begun(run: str, recipe: str | None, settings: Mapping[str, object] | None) -> dict[str, Any]:
    """What is filed of everything, however it ended."""
    return {
        "run": run,
        "ended": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "recipe": recipe,
        "recipe_file": runs.recipe_file(recipe),
        "settings": dict(settings or {}),
        "steps": [
            {"task": each.task, "state": each.state, "seconds": each.seconds, "reason": each.reason}
            for each in endings.steps[run]
        ],
    }


def reason(state: State[Any]) -> str:
    """Why a flow came to nothing, if the error is one of ours: other messages may quote data."""
    try:
        state.result()
    except AssayError as error:
        return f"{type(error).__name__}: {error}"
    except BaseException as error:  # noqa: BLE001  # a crash and a cancellation are filed too
        return f"{state.name}: {type(error).__name__}"
    return str(state.name)
