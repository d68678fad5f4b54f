"""Curation steps: what leaves the training set, and what a person should look at.

Each files three things: the records that stay, those that left with a reason, and the suspects. Evaluation records
are locked: no step here drops one for being unusual. What a person has looked at and decided is not doubted again.
"""

from collections.abc import Iterator

from assay.artifacts import Artifact, Dataset, Screened
from assay.data import (
    balance as balancing,
)
from assay.data import (
    contamination,
    corrections,
    deduplication,
    label_noise,
    near_duplicates,
    outliers,
    splitting,
)
from assay.records import (
    Found,
    Record,
    Suspect,
    dropped_to_parquet,
    said,
    suspects_from_parquet,
    suspects_to_parquet,
)
from assay.spec import BalanceSpec, ContaminationSpec, LabelNoiseSpec, NearDuplicatesSpec, OutliersSpec, SplitSpec
from tasks import shards
from tasks.places import store
from tasks.steps import step

VERSION = 1  # Raise on any change here that could change what stays: it is part of every key below.

LEARNED_WITH = ("scikit-learn", "cleanlab", "numpy", "scipy")


@step("tasks.curation", corrections)
def correct(records: Dataset, decisions: Artifact, label: str) -> Screened:
    """Carry out what a person decided on single records: drop, relabel, or leave alone."""
    decided = corrections.load(store().get(decisions))
    corrected = corrections.Corrector(decided, label)
    kept: list[Artifact] = []
    for shard in records.shards:
        before = shards.read(shard)
        after = corrected.correct(before)
        if after:
            kept.append(shard if after == before else shards.file(after))
    found = corrected.finish()
    return _screened(Dataset(shards=tuple(kept)), found)


@step("tasks.curation", deduplication, near_duplicates, splitting, corrections, libraries=("rensa", "numpy"))
def deduplicate(
    records: Dataset, decisions: Artifact, label: str, split: SplitSpec, near: NearDuplicatesSpec
) -> Screened:
    """Part exact duplicates from the records they repeat, then near ones."""
    asked = _is_evaluation(records, split)
    exact = deduplication.find(shards.each(records), asked)
    gone = {dropped.id for dropped in exact}
    rest = ([row for row in shard if row.id not in gone] for shard in shards.each(records))
    nearly = _doubted(near_duplicates.find(rest, asked, label, near), decisions)
    return _filed(records, Found((*exact, *nearly.dropped), nearly.suspects))


@step("tasks.curation", contamination, splitting)
def decontaminate(records: Dataset, benchmark: Artifact, split: SplitSpec, spec: ContaminationSpec) -> Screened:
    """Part records that quote an evaluation text from those that do not."""
    asked = _is_evaluation(records, split)
    texts = {record.id: said(record) for shard in shards.each(records) for record in shard if asked[record.id]}
    texts |= contamination.benchmark_texts(store().get(benchmark))
    index = contamination.Index(texts, spec.words)
    dropped = contamination.find(shards.each(records), index, asked, spec)
    # What was decided on a record does not reach here: no person may let a test text be learned.
    return _filed(records, Found(tuple(dropped)))


@step("tasks.curation", outliers, splitting, corrections, libraries=("py3langid", "numpy"))
def trim(records: Dataset, decisions: Artifact, split: SplitSpec, spec: OutliersSpec) -> Screened:
    """Look for records unlike the rest in length or language."""
    found = outliers.find(shards.each(records), _is_evaluation(records, split), spec)
    return _filed(records, _doubted(found, decisions))


@step("tasks.curation", label_noise, splitting, corrections, libraries=LEARNED_WITH)
def audit_labels(records: Dataset, decisions: Artifact, label: str, split: SplitSpec, spec: LabelNoiseSpec) -> Screened:
    """Look for labels that the other records speak against."""
    found = label_noise.find(shards.each(records), _is_evaluation(records, split), label, spec)
    return _filed(records, _doubted(found, decisions))


@step("tasks.curation", balancing, splitting)
def balance(records: Dataset, label: str, split: SplitSpec, spec: BalanceSpec) -> Screened:
    """Thin out classes that are far larger than the smallest, if the recipe says so."""
    return _filed(records, balancing.find(shards.each(records), _is_evaluation(records, split), label, spec))


@step("tasks.curation")
def list_suspects(screened: list[Screened], stayed: Dataset) -> Artifact:
    """Everyone whom some step would have a person look at, and who did not leave at another."""
    there = {id for shard in stayed.shards for id in shards.ids(shard)}
    every: list[Suspect] = [row for part in screened for row in suspects_from_parquet(store().get(part.suspects))]
    return store().put("suspects", suspects_to_parquet([row for row in every if row.id in there]))


def _is_evaluation(records: Dataset, split: SplitSpec) -> dict[str, bool]:
    return {row.id: splitting.side(row, split) == "test" for row in _rows(records)}


def _rows(records: Dataset) -> Iterator[Record]:
    return (row for shard in shards.each(records) for row in shard)


def _doubted(found: Found, decisions: Artifact) -> Found:
    """What was found, less the records that a person has looked at: nobody doubts these again."""
    reviewed = corrections.reviewed(corrections.load(store().get(decisions)))
    return Found(
        tuple(row for row in found.dropped if row.id not in reviewed),
        tuple(row for row in found.suspects if row.id not in reviewed),
    )


def _filed(records: Dataset, found: Found) -> Screened:
    return _screened(shards.without(records, {row.id for row in found.dropped}), found)


def _screened(kept: Dataset, found: Found) -> Screened:
    return Screened(
        kept=kept,
        dropped=store().put("dropped", dropped_to_parquet(found.dropped)),
        suspects=store().put("suspects", suspects_to_parquet(found.suspects)),
    )
