"""A candidate is trained again from what is on record of it, and what differs is named."""

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.artifacts import Artifact, Dataset, Trained
from assay.errors import DataError, RegistryError, TrainingCrashError
from assay.records import Record, Turn, to_parquet
from assay.tuning import TrainingSpec
from cli import verifying
from tasks import launch, publishing, retraining, runs
from tasks.models import tokenise, train
from tasks.places import folder, store
from tests import tiny_model
from tests.tasks.conftest import in_flow

BASE = "b" * 64
SPEC = {
    "method": "lora", "rank": 4, "alpha": 8, "target_modules": ["q_proj", "v_proj"], "learning_rate": 0.01,
    "epochs": 1, "batch_size": 8, "max_length": 96,
}  # fmt: skip


@dataclass(frozen=True)
class Learned:
    """Two seeds of one training, and the home they are on record in."""

    home: Path
    first: Trained
    second: Trained


def run_of(trained: Trained, name: str) -> str:
    """A run on file whose candidate this is; its recipe is gone."""
    told = {"run": f"{name * 8}-0000-4000-8000-000000000000", "started": "2026-01-01", "recipe": "nowhere"}
    runs.file({**told, "verdict": "refused", "adapter_digest": trained.adapter.digest})
    return name * 8


def records(count: int, side: str) -> Dataset:
    """Records that are short."""
    made = [
        Record(
            id=f"{side}{number}", subject="s", bucket=0, source="tickets",
            context=(Turn("user", f"Where is parcel {number * 37 % 11}?"),), completion=f'{{"number": {number % 3}}}',
        )
        for number in range(count)
    ]  # fmt: skip
    return Dataset(shards=(store().put("records", to_parquet(made)),))


def taught(base: Artifact) -> list[Trained]:
    """One training with each of two seeds."""
    sides = (records(24, "t"), records(8, "v"))
    tokens = tokenise(base, *sides, "Reply with JSON.", SPEC["max_length"])
    specs = [TrainingSpec.model_validate(SPEC | {"seed": seed}) for seed in (0, 1)]
    return [train(base, tokens, None, sides[1], BASE, "Reply with JSON.", spec) for spec in specs]


@pytest.fixture(scope="module")
def learned(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learned]:
    """Two adapters that the step trained, in a home of their own."""
    from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ASSAY_STORE", raising=False)
        patch.setenv("ASSAY_HOME", str(home))
        patch.setenv("ASSAY_THREADS", "1")
        with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: home / "results"}):
            base = store().put_tree("base", tiny_model.build(home / "tiny"))
            yield Learned(home, *in_flow(lambda: taught(base)))


def filed(name: str) -> list[dict]:
    """What was filed of a run's retrainings."""
    return [json.loads(path.read_text()) for path in sorted((folder("retrainings")).glob(f"{name}*/*.json"))]


def test_training_again_from_the_record_gives_the_same_bytes(learned):
    """In a process of its own and a fresh folder, without the recipe and without the cache."""
    run = run_of(learned.first, "a")
    records_before = {path.name for path in Path(store().root).glob("*/*")}

    found = retraining.retrain(run)

    assert found.is_equal
    assert found.difference is None
    assert found.changed == {}
    assert {path.name for path in Path(store().root).glob("*/*")} > records_before
    assert [(each["equal"], each["again"]) for each in filed(run)] == [(True, learned.first.adapter.digest)]
    assert not list((learned.home / "work").iterdir())


def test_other_bytes_are_told_with_what_differs_between_then_and_now(learned, capsys):
    """Weights by how much, versions and the environment by name."""
    key = next(
        path.stem
        for path in (folder("questions") / "train").glob("*.json")
        if json.loads(path.read_text())["inputs"]["spec"]["seed"] == 0
    )
    told = json.loads(store().get(learned.first.record))
    told["environment"] |= {"threads": 64}
    record = store().put("training-record", json.dumps(told).encode())
    forged = Trained(adapter=learned.second.adapter, record=record)
    place = folder("results") / key
    kept = place.read_bytes()
    place.write_text(json.dumps({**json.loads(kept), "result": forged.model_dump_json()}))
    for path in (folder("questions") / "train").glob("*.json"):
        if path.stem != key:
            path.rename(path.with_suffix(".away"))

    try:
        assert not verifying.retrain(run_of(forged, "b"), as_json=False)
    finally:
        place.write_bytes(kept)
        for path in (folder("questions") / "train").glob("*.away"):
            path.rename(path.with_suffix(".json"))

    said = capsys.readouterr().out
    assert "OTHER     training it again gave other bytes: see above" in said
    assert "threads  64" in said
    assert "matrices differ, by" in said
    assert filed("bbbb")[0]["difference"]["differing"] > 0


def upon_its_first_step(act: Callable[[], object]) -> Callable[[str, dict], None]:
    """What listens to a training, and does something once it is under way."""
    done = []

    def listen(task: str, event: dict) -> None:
        if event["event"] == "step" and not done:
            done.append(act())

    return listen


def test_one_that_is_interrupted_leaves_nothing_and_promises_nothing(learned, capsys, monkeypatch):
    """There is no checkpoint that another one would go on from: its folder would be found by nobody."""
    interrupt = upon_its_first_step(lambda: signal.raise_signal(signal.SIGTERM))
    monkeypatch.setattr(publishing, "listeners", [interrupt])

    with pytest.raises(SystemExit, match="1"):
        verifying.retrain(run_of(learned.first, "f"), as_json=False)

    assert "the same command begins anew, and nothing of this is kept" in capsys.readouterr().err
    assert not list((learned.home / "work").iterdir())


def test_one_that_dies_leaves_nothing_and_promises_nothing(learned, monkeypatch):
    """As one that is interrupted."""

    def kill() -> None:
        [child] = launch._children
        child.signal(signal.SIGKILL)

    monkeypatch.setattr(publishing, "listeners", [upon_its_first_step(kill)])

    with pytest.raises(TrainingCrashError, match=r"killed by SIGKILL .* begins anew, and nothing of this is kept"):
        retraining.retrain(run_of(learned.first, "f"))

    assert not list((learned.home / "work").iterdir())


def test_a_run_without_a_candidate_cannot_be_repeated(learned):
    """It stopped before it trained anything."""
    runs.file({"run": "c" * 36, "started": "2026-01-01", "recipe": "nowhere", "verdict": None})

    with pytest.raises(DataError, match="found no candidate that it trained"):
        retraining.retrain("cccc")


def test_a_run_whose_training_is_not_on_record_says_where_that_would_be(learned):
    """Another machine made it."""
    elsewhere = Trained(adapter=Artifact(kind="adapter", digest="d" * 64), record=learned.first.record)

    with pytest.raises(DataError, match="found no training of adapter dddddddddddd"):
        retraining.retrain(run_of(elsewhere, "d"))


def test_a_run_that_is_not_there_is_an_error(learned):
    """As everywhere."""
    with pytest.raises(RegistryError, match="found 0 runs"):
        retraining.retrain("eeee")


def test_inputs_of_another_version_are_refused_and_not_guessed_at(learned):
    """A setting that is known no more, or an argument that is."""
    asked = retraining.find(runs.find(run_of(learned.first, "a"))).inputs
    unknown = {**asked, "spec": {**asked["spec"], "beta": 2}}

    for inputs in (unknown, {**asked, "phase": "moon"}, {name: asked[name] for name in asked if name != "base"}):
        with pytest.raises(DataError, match="inputs on record that this version of Assay does not train from"):
            retraining.arguments(inputs)


def test_records_that_are_gone_are_named(learned):
    """Nothing is trained without them."""
    asked = retraining.find(runs.find(run_of(learned.first, "a"))).inputs
    gone = {"shards": [{"kind": "records", "digest": "f" * 64, "tree": False}]}

    with pytest.raises(DataError, match="found no records ffffffffffff in the store"):
        retraining.arguments({**asked, "validation": gone})
