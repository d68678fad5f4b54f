"""Doorway steps: a suite stands between two stages, and what does not satisfy it does not go on.

Raw, redacted and curated records may be set aside row by row. What has been split, and what a model has answered, is
counted already: there a suite warns or stops, and nothing leaves.
"""

import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from prefect.runtime import flow_run

from assay import evaluations
from assay.artifacts import Artifact, Checked, Dataset, Evaluated, Splits, Tokenised, Validated
from assay.data import near_duplicates
from assay.errors import ExpectationError
from assay.outcomes import Answer
from assay.records import SIDES, Dropped, dropped_to_parquet
from assay.spec import NearDuplicatesSpec
from expectations import customs, distinct, engine, frames, gate, outcome, personal, suite, totals, waivers
from expectations.outcome import Outcome
from tasks import pages, shards
from tasks.places import store
from tasks.publishing import harmless, link
from tasks.steps import step

if TYPE_CHECKING:
    import pandas as pd

VERSION = 2  # Raise on any change here that could change an outcome: it is part of every key below.

METHODS = ("tasks.doorways", suite, gate, engine, frames, distinct, totals, customs, personal, waivers, near_duplicates)
LIBRARIES = ("great-expectations", "pandas", "numpy", "py3langid", "jsonschema", "rensa")

REPLAY = "replay"
"""The side of what is learned beside the records: the base's own answers to general prompts."""

stopped: dict[str, dict[str, Artifact]] = {}
"""Run → doorway → the outcome that stopped it: such a step has no answer that could tell."""


@step(*METHODS, libraries=LIBRARIES)
def validate(
    records: Dataset,
    doorway: str,
    expected: Artifact,
    waived: Artifact,
    schema: Artifact,
    label: str,
    twins: NearDuplicatesSpec,
    before: Dataset | None = None,
) -> Validated:
    """Run a suite over records; what fails is set aside by id and check.

    Args:
        records: What stands at the doorway.
        doorway: Which it is.
        expected: The suite.
        waived: Waivers of its checks.
        schema: JSON schema of an answer.
        label: Field of the answer that is the label.
        twins: When two records are near duplicates.
        before: The records as they were before redaction, which know of each subject what must not be left.
    """
    loaded = suite.load(store().get(expected), doorway)
    known = _known(records, before) if before else itertools.repeat({}, len(records.shards))
    read = (
        frames.of_records(parts, label, raw=_merged(told) if before else None, columns=loaded.columns)
        for parts, told in shards.together(zip(map(store().get, records.shards), known, strict=True))
    )
    found, filed = _judged(doorway, loaded, read, waived, {**_schema(schema), "near_duplicates": _finder(twins)})
    aside = {id: ", ".join(checks) for id, checks in found.quarantined.items()}
    dropped = [Dropped(id, f"validate-{doorway}", f"fails {checks}") for id, checks in aside.items()]
    return Validated(
        records=shards.without(records, aside) if aside else records,
        quarantined=store().put("dropped", dropped_to_parquet(dropped)),
        outcome=filed,
    )


@step(*METHODS, libraries=LIBRARIES)
def validate_sides(
    sides: Splits,
    tokens: Tokenised,
    doorway: str,
    expected: Artifact,
    waived: Artifact,
    schema: Artifact,
    label: str,
    twins: NearDuplicatesSpec,
    replay: Artifact | None = None,
) -> Checked:
    """Run a suite over what will be learned and asked, down to which token is learned.

    What is asked of the tokens of training records is asked of replayed answers too: of a model that learns from them
    they are examples like others. No other check of the suite sees them, as they are no records.
    """
    loaded = suite.load(store().get(expected), doorway)
    read: Iterator[pd.DataFrame] = (
        frames.of_records(parts, label, side=side, tokens=[row for row in rows if row] or None, columns=loaded.columns)
        for side in SIDES
        for parts, rows in shards.together(_beside(getattr(sides, side), getattr(tokens, side, None)))
    )
    if replay is not None and len(replayed := _replayed(replay)):
        loaded, read = _with_replay(loaded), itertools.chain(read, [replayed])
    resources = {**_schema(schema), "near_duplicates": _finder(twins), **json.loads(store().get(tokens.facts))}
    return Checked(outcome=_judged(doorway, loaded, read, waived, resources)[1])


@step(*METHODS, libraries=LIBRARIES)
def validate_answers(
    answered: Evaluated, doorway: str, expected: Artifact, waived: Artifact, schema: Artifact, twins: NearDuplicatesSpec
) -> Checked:
    """Run a suite over what the candidate answered."""
    loaded = suite.load(store().get(expected), doorway)
    read = iter([frames.of_answers(evaluations.from_jsonl(store().get(answered.answers), Answer))])
    resources = {**_schema(schema), "near_duplicates": _finder(twins)}
    return Checked(outcome=_judged(doorway, loaded, read, waived, resources)[1])


def _judged(
    doorway: str,
    loaded: suite.Suite,
    read: "Iterator[pd.DataFrame]",
    waived: Artifact,
    resources: Mapping[str, object],
) -> tuple[Outcome, Artifact]:
    """What the gate found, filed; or the run's end, with a page that says why."""
    found = gate.check(read, loaded, resources, waivers.from_json(store().get(waived)))
    filed = store().put("expectations-outcome", outcome.to_json(found))
    try:
        outcome.refuse_stopped(found, pages.told(pages.of_doorway(doorway)))
    except ExpectationError:
        stopped.setdefault(str(flow_run.id or ""), {})[doorway] = filed
        with harmless():
            link(f"expectations-{doorway}", pages.place_doorway(doorway, filed), f"What stopped the run: {doorway}")
        raise
    return found, filed


def _beside(records: Dataset, tokens: Dataset | None) -> Iterator[tuple[bytes, bytes | None]]:
    """Each shard, and its rows as training takes them, if it does."""
    rows = tokens.shards if tokens else (None,) * len(records.shards)
    return (
        (store().get(shard), store().get(row) if row else None) for shard, row in zip(records.shards, rows, strict=True)
    )


def _replayed(filed: Artifact) -> "pd.DataFrame":
    """Rows of tokens without a record."""
    table = pq.read_table(io.BytesIO(store().get(filed)), columns=[frames.KEY, *frames.TOKENS])
    frame: pd.DataFrame = table.to_pandas().assign(side=REPLAY)
    return frame


def _with_replay(loaded: suite.Suite) -> suite.Suite:
    """The suite with each check about the rows that it was written for: examples to learn, or records."""
    return loaded.model_copy(update={"checks": tuple(map(_about, loaded.checks))})


def _about(check: suite.Check) -> suite.Check:
    """Where a check of tokens names training rows, replayed ones too; where another names no rows, every record."""
    where = check.where
    if where is None:
        return check.model_copy(update={"where": suite.Where(column="side", values=SIDES)})
    sides, read = where.values, set(check.columns.values())  # noqa: PD011  # of no frame
    if where.column == "side" and "train" in sides and read and read <= set(frames.TOKENS):
        return check.model_copy(update={"where": suite.Where(column="side", values=(*sides, REPLAY))})
    return check


def _known(records: Dataset, before: Dataset) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """For each shard, what the source knows of each row's subject.

    Redaction makes one shard of one and keeps their order, but a shard of which nothing was left is not there.
    """
    raw = shards.each(before)
    for shard in records.shards:
        ids, known = set(shards.ids(shard)), dict[str, tuple[str, ...]]()
        while not ids <= known.keys() and (rows := next(raw, None)) is not None:
            known = {row.id: tuple(each.value for each in row.known) for row in rows}
        yield known


def _merged(told: Sequence[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    return {id: values for part in told for id, values in part.items()}


def _finder(spec: NearDuplicatesSpec) -> Any:  # noqa: ANN401  # a factory, by the gate's protocol
    return lambda: near_duplicates.Twins(spec)


def _schema(schema: Artifact) -> dict[str, object]:
    return {"output": json.loads(store().get(schema))}
