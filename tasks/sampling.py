"""Sampling: redacted rows of a run for a person to read, and what was found, filed with the run.

A review is a small JSON file, ``ASSAY_HOME/reviews/RUN/WHEN.json``: who read how many rows and when, in how many
something was left, the bound that this shows, and the digest of the sample. It holds ids, and no text.
"""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from assay.data import spreadsheets
from assay.errors import DataError
from assay.privacy.measurement import reviewing
from assay.privacy.measurement.reviewing import Drawn, Read, Reviewed
from assay.records import Record
from assay.store import write_once
from tasks import pages, runs, shards
from tasks.places import folder, store
from tasks.tracing import trace

MAX_CHARACTERS = 32_000
"""Of a text that are shown: a spreadsheet's cell holds 32,767."""


class Sample(NamedTuple):
    """Rows that were drawn from a run."""

    run: str
    rows: list[Drawn]
    of: int
    """Records that they were drawn from."""


def draw(run: str, rows: int, seed: int) -> Sample:
    """Draw rows from the redacted records of a run; the same for the same arguments.

    Raises:
        RegistryError: there is no such run.
        DataError: the store holds no redacted record of it.
    """
    record = runs.find(run)
    held = [shard for shard in trace(record).redacted if store().holds(shard)]
    ids = {id for shard in held for id in shards.ids(shard)}
    if not ids:
        raise DataError(
            f"run {record['run'][:8]}: found no redacted record of it in the store; expected some to read. Run the "
            "recipe again."
        )
    wanted = reviewing.sample(ids, rows, seed)
    found = {row.id: row for shard in held for row in shards.read(shard) if row.id in set(wanted)}
    return Sample(str(record["run"]), [_shown(found[id]) for id in wanted], len(ids))


def _shown(record: Record) -> Drawn:
    said = "\n".join(f"{turn.role}: {turn.content}" for turn in record.context)
    beside = "\n".join(f"{name}: {value}" for name, value in sorted(record.attributes.items()))
    cells = (spreadsheets.shown(text, MAX_CHARACTERS) for text in (said, record.completion, beside))
    return Drawn(record.id, tuple(cells))


def judge(run: str, back: Sequence[Read], seed: int) -> tuple[Sample, Reviewed]:
    """What rows show that a person has filled in; the sample is drawn anew to compare them with.

    Raises:
        DataError: they are not what was drawn, or not all are filled in.
    """
    sample = draw(run, len(back), seed)
    return sample, reviewing.judge(sample.rows, back, sample.of, seed)


def file(run: str, reviewed: Reviewed, who: str) -> Path:
    """File a review with its run, and lay out the run's pages anew: one says what was found."""
    now = dt.datetime.now(dt.UTC)
    place = folder("reviews") / run
    place.mkdir(exist_ok=True)
    path = place / f"{now:%Y%m%dT%H%M%S%f}Z.json"
    told = {"run": run, "who": who, "when": now.isoformat(timespec="seconds"), **reviewed.model_dump(mode="json")}
    write_once(path, json.dumps(told, indent=1).encode())
    pages.lay_out(runs.find(run), runs.every())
    return path
