"""Replay is a step like any other: in a process of its own, cached by content, and absent if it is not asked for."""

import json
from typing import Any

import pytest

from assay.artifacts import Artifact, Dataset
from assay.errors import TrainingError
from assay.model import rows
from assay.records import to_parquet
from assay.spec import ContaminationSpec
from assay.store import ArtifactStore
from assay.tuning import ReplaySpec
from tasks import asking
from tasks.replaying import replay, replayed
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
        in_flow(lambda: replay(**asked | {"spec": spec}))


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
