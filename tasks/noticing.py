"""Noticing: what a training has shown of its examples, filed for the review beside what curation doubts.

A person decides on records, not on runs. So what is noticed is looked up by the records that were learned from: any
training on the very same ones will do, the latest first, whatever recipe or settings it had.
"""

import json
from collections.abc import Iterator
from typing import Any

from assay.artifacts import Artifact, Dataset, Splits, Trained, canonical
from assay.data import corrections, hardness
from assay.model import dynamics, rows
from assay.records import Suspect, label_of, suspects_from_parquet, suspects_to_parquet
from assay.reporting.hard import Example, Hard
from assay.spec import SplitSpec
from tasks import runs, shards
from tasks.caching import answer_to
from tasks.data import split
from tasks.places import folder, store
from tasks.steps import step

VERSION = 1  # Raise on any change here that could change what is filed or shown: it is part of their keys.


@step("tasks.noticing", dynamics, rows, hardness)
def find_hard(trained: Trained, train: Dataset) -> Artifact:
    """List the examples of the training side that were never learned, or learned last."""
    there = {id for shard in train.shards for id in shards.ids(shard)}
    found = [suspect for suspect in hardness.find(_learned(trained)) if suspect.id in there]
    return store().put("suspects", suspects_to_parquet(found))


def _learned(trained: Trained) -> list[hardness.Learned]:
    """The examples of the task with their visits; none of an adapter of before these were kept."""
    if trained.dynamics is None:
        return []
    traced = dynamics.read(store().get(trained.dynamics))
    return [hardness.Learned(each.id, each.visits) for each in traced if not each.replayed]


def shown(trained: Trained, train: Dataset, found: Artifact, label: str) -> Hard:
    """The same for a report: each example's label, visits and what was noticed; no text."""
    learned = _learned(trained)
    judged = hardness.judged(learned)
    limits = hardness.bounds(judged) if judged else None
    kinds = {suspect.id: suspect.kind for suspect in suspects_from_parquet(store().get(found))}
    labels = {record.id: label_of(record, label) for shard in shards.each(train) for record in shard}
    return Hard(
        examples=tuple(Example(each.id, labels.get(each.id), kinds.get(each.id), each.visits) for each in judged),
        unjudged=len(learned) - len(judged),
        learned=limits.never if limits else None,
    )


def noticed(records: Dataset, spec: SplitSpec, decisions: Artifact) -> list[Suspect] | None:
    """What the last training on these curated records noticed and nobody has decided on; None if none is on file."""
    for asked, sides in _answered(split.name):
        if asked == canonical({"records": records, "spec": spec}) and isinstance(sides, Splits):
            break
    else:
        return None
    for asked, found in _answered(find_hard.name):
        if asked["train"] == canonical(sides.train) and isinstance(found, Artifact):
            reviewed = corrections.reviewed(corrections.load(store().get(decisions)))
            return [row for row in suspects_from_parquet(store().get(found)) if row.id not in reviewed]
    return None


def is_trained(recipe: str) -> bool:
    """Whether a run of this recipe came to an adapter."""
    file = runs.recipe_file(recipe)
    return any(row.get("adapter_digest") and row.get("recipe_file") == file for row in runs.every())


def _answered(name: str) -> Iterator[tuple[dict[str, Any], object]]:
    """Inputs and answers of a step that are on file, the last asked first."""
    paths = (folder("questions") / name).glob("*.json")
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
        if (answer := answer_to(path.stem)) is not None:
            yield json.loads(path.read_text())["inputs"], answer
