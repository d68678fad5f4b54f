"""Replay is a step like any other: in a process of its own, cached by content, and absent if it is not asked for."""

import json
from typing import Any

import pytest

from assay.artifacts import Artifact, Dataset, Splits, Tokenised
from assay.errors import ExpectationError, TrainingError
from assay.model import rows
from assay.policy import RedactionSpec
from assay.records import SIDES, to_parquet
from assay.spec import ContaminationSpec, NearDuplicatesSpec
from assay.store import ArtifactStore
from assay.tuning import ReplaySpec
from expectations import outcome
from tasks import asking
from tasks.doorways import validate_sides
from tasks.replaying import replayed
from tasks.steps import planning
from tests import tiny_model
from tests.tasks.conftest import in_flow, words

ITEM = {"id": "i", "context": "The capital of Poland is", "choices": [" Warsaw.", " Rome."], "gold": 0}


@pytest.fixture
def asked(store: ArtifactStore, tmp_path, monkeypatch, record) -> dict[str, Any]:
    """What the step is given: a model of two layers, three prompts and six records."""
    monkeypatch.setenv("ASSAY_THREADS", "1")
    tiny_model.build(tmp_path / "tiny")
    path = tmp_path / "tiny" / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": [2, *range(40, 60)]}))
    prompts = "".join(json.dumps({"id": f"p{n}", "prompt": f"Say {n} words."}) + "\n" for n in range(3))
    records = [record(id=f"r{n}") for n in range(6)]
    return {
        "base": store.put_tree("base", tmp_path / "tiny"),
        "prompts": store.put("prompts", prompts.encode()),
        "benchmark": store.put("benchmark", json.dumps(ITEM).encode()),
        "train": Dataset(shards=(store.put("records", to_parquet(records)),)),
        "dtype": "float32",
        "max_length": 120,
        "contamination": ContaminationSpec(),
        "spec": ReplaySpec(name="general", prompts="p", licence="ours", share=0.4, system="Reply.", max_new_tokens=24),
        "policy": RedactionSpec(profile="fast"),
    }


@pytest.mark.usefixtures("prefect")
def test_the_base_is_asked_once_and_then_answers_from_the_record(asked, seen, store: ArtifactStore):
    """Four examples beside six records are four tenths; where the prompts lie is no part of the question."""
    moved = asked | {"spec": asked["spec"].model_copy(update={"prompts": "elsewhere"})}

    filed, again = in_flow(lambda: (replayed(**asked), replayed(**moved)))

    assert filed == again
    assert filed.kind == "replay"
    assert words(seen) == [("replay", "computed"), ("replay", "cached")]
    assert len(rows.from_parquet(store.get(filed))) == asking.counts(store.get(filed))["kept"] == 4


@pytest.mark.usefixtures("prefect")
def test_what_the_process_refuses_is_said_by_the_step(asked):
    """The reasons of a base that never ends its turn reach whoever ran the recipe."""
    spec = asked["spec"].model_copy(update={"max_new_tokens": 1})

    with pytest.raises(TrainingError, match="no answer of the base that can be learned"):
        in_flow(lambda: replayed(**asked | {"spec": spec}))


def test_a_recipe_without_replay_has_no_such_step(asked, seen):
    """In no run and in no plan."""
    with planning() as states:
        assert replayed(**asked | {"prompts": None, "spec": None}) is None

    assert (states, seen) == ([], [])


def test_a_plan_looks_the_answer_up(asked):
    """As of any step."""
    with planning() as states:
        assert not isinstance(replayed(**asked), Artifact)

    assert [(state.task, state.state) for state in states] == [("replay", "would run")]


ENDING = 2
SUITE = """\
suite: splits
version: 1
owner: steward@example.com
max_quarantine: 0%
checks:
  - id: words
    expect: column_values_to_not_be_blank
    column: prompt
    why: Nothing can be learned from silence.
    on_fail: stop
  - id: rows
    expect: table_row_count_to_be_between
    parameters: {min_value: 4, max_value: 4}
    where: {column: side, is: train}
    why: Four were split off.
    on_fail: stop
  - id: window
    expect: column_token_counts_to_be_between
    column: input_ids
    parameters: {min_value: 2, max_value: 6}
    where: {column: side, in: [train, validation]}
    why: More is not read.
    on_fail: stop
  - id: end
    expect: column_learned_tokens_to_include_end_of_turn
    column: labels
    parameters: {end_of_turn: end_of_turn}
    where: {column: side, in: [train, validation]}
    why: A model that never learns to stop rambles.
    on_fail: stop
  - id: held-out
    expect: column_token_counts_to_be_between
    column: input_ids
    parameters: {min_value: 4, max_value: 4}
    where: {column: side, is: validation}
    why: They are all alike.
    on_fail: stop
"""


@pytest.fixture
def split(store: ArtifactStore, record) -> dict[str, Any]:
    """What the doorway is given: four records to learn, two to measure by, one to ask, as rows of four tokens."""
    counts = {"train": 4, "validation": 2, "test": 1}
    ids = {side: [f"{side}-{number}" for number in range(counts[side])] for side in SIDES}
    records = {side: store.put("records", to_parquet([record(id=id) for id in ids[side]])) for side in SIDES}
    tokens = {side: tokenised(store, [(5, 6, 7, ENDING)] * counts[side], ids[side]) for side in ("train", "validation")}
    facts = store.put("facts", json.dumps({"end_of_turn": [ENDING], "model_window": 9}).encode())
    return {
        "sides": Splits(**{side: Dataset(shards=(each,)) for side, each in records.items()}),
        "tokens": Tokenised(**{side: Dataset(shards=(each,)) for side, each in tokens.items()}, facts=facts),
        "doorway": "splits",
        "expected": store.put("suite", SUITE.encode()),
        "waived": store.put("waivers", b"[]"),
        "schema": store.put("schema", b"{}"),
        "label": "intent",
        "twins": NearDuplicatesSpec(),
    }


def tokenised(store: ArtifactStore, laid: list[tuple[int, ...]], ids: list[str]) -> Artifact:
    """Rows of which the first two tokens are prompt."""
    return store.put("tokens", rows.to_parquet([rows.Row(each, 2) for each in laid], ids))


def found(store: ArtifactStore, split: dict[str, Any], replayed: Artifact | None) -> dict[str, int]:
    """Rows that each check looked at."""
    filed = validate_sides.fn(**split, replay=replayed).outcome
    return {finding.id: finding.evaluated for finding in outcome.from_json(store.get(filed)).findings}


def test_the_doorway_looks_at_replayed_rows_as_at_training_rows(split, store: ArtifactStore):
    """With the suite as it is: what is asked of training tokens, and nothing that is asked of records."""
    replayed = tokenised(store, [(5, 6, 7, 8, ENDING)] * 3, ["replay-a-1", "replay-b-1", "replay-a-2"])

    alone, beside = found(store, split, None), found(store, split, replayed)

    assert alone == {"words": 7, "rows": 4, "window": 6, "end": 6, "held-out": 2}
    assert beside == alone | {"window": 9, "end": 9}
    assert found(store, split, tokenised(store, [], [])) == alone


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(
    ("row", "says"), [((5, 6, 7, 8), "end failed: 1 of 7"), ((5, 6, *[7] * 5, ENDING), "window failed: 1 of 7")]
)
def test_a_replayed_row_that_must_not_be_learned_stops_the_run(split, store: ArtifactStore, row, says):
    """As a training row would: one that teaches no end, or is longer than is read."""
    with pytest.raises(ExpectationError, match=says):
        in_flow(lambda: found(store, split, tokenised(store, [row], ["replay-a-1"])))
