"""One version for one thing; a pointer moves to what was accepted, byte for byte, and what it did is on record."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts import Artifact, Dataset, Evaluated, Registered, Splits, Trained, digest_of
from assay.errors import AssayError, PromotionRefusedError, RegistryError
from assay.evaluations import Criterion, Evaluation, Verdict
from assay.spec import ReleaseSpec
from assay.store import ArtifactStore
from tasks import registry
from tests.tasks.conftest import in_flow, words

MODEL = "triage"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry without a version; making its tables takes longer than all else here."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}", f"sqlite:///{path}").search_registered_models()
    return path


@pytest.fixture(autouse=True)
def _mlflow(empty: Path, prefect: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty registry in this test's home."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(empty, home / "mlflow" / "mlflow.db")


@pytest.fixture
def client(home: Path):
    """The registry as anybody sees it who may edit a model."""
    return registry._client()


@pytest.fixture
def tree(store: ArtifactStore, tmp_path: Path) -> Callable[..., Artifact]:
    """Files a tree of one small file."""

    def made(kind: str, content: bytes) -> Artifact:
        folder = tmp_path / f"{kind}-{content.decode()}"
        folder.mkdir(exist_ok=True)
        (folder / "model.safetensors").write_bytes(content)
        return store.put_tree(kind, folder)

    return made


def verdict(decision: str, weights: str) -> Verdict:
    """A verdict with one criterion."""
    criterion = Criterion(
        name="gain", kind="superiority", metric="exact_match", baseline=0.1, candidate=0.9, difference=0.8,
        estimate=0.8, threshold=0.1, lower=0.7, n=100, decision=decision, reason="It gained.",
    )  # fmt: skip
    return Verdict(
        decision=decision, sentence="So it is.", reasons=("It gained.",), criteria=(criterion,), baseline="b" * 64,
        candidate=weights, confidence=0.95, question={}, wins=(), losses=(),
    )  # fmt: skip


@pytest.fixture
def register(store: ArtifactStore, tree) -> Callable[..., Registered]:
    """Registers an adapter of given bytes under a given verdict, in a flow."""

    def made(adapter: bytes = b"one", decision: str = "accepted", judged: str | None = None) -> Registered:
        base, learned = tree("base", b"base"), tree("adapter", adapter)
        weights = judged or digest_of({"base": base.digest, "adapter": learned.digest})
        told = store.put("verdict", verdict(decision, weights).model_dump_json().encode())
        summary = Evaluation(
            question={}, model=weights, metrics={"exact_match": 0.9}, fields={}, slices={}, ability_groups={},
            environment={},
        )  # fmt: skip
        none = store.put("items", b"")
        side = Dataset(shards=(store.put("records", b"rows"),))
        evaluated = Evaluated(
            summary=store.put("evaluation", summary.model_dump_json().encode()), answers=none, choices=none
        )
        page = store.put("report", b"<p>report")
        card: dict[str, Any] = {"owner": "ada"}
        return in_flow(
            lambda: registry.register(
                ReleaseSpec(model=MODEL), card, base, Splits(train=side, validation=side, test=side),
                Trained(adapter=learned, record=none), evaluated, told, page,
            )
        )  # fmt: skip

    return made


def promote(version: int, stage: str = "production") -> Registered:
    """Promote in a flow, as the command line does."""
    return in_flow(lambda: registry.promote(MODEL, version, stage))


def roll_back(stage: str = "production") -> Registered:
    """Roll back in a flow."""
    return in_flow(lambda: registry.roll_back(MODEL, stage, "too slow"))


def aliases() -> dict[str, int]:
    """Where each pointer stands."""
    return {alias: row["version"] for row in registry.versions(MODEL) for alias in row["aliases"]}


def history() -> list[tuple[str, int]]:
    """What was done, oldest first."""
    return [(transition.action, transition.version) for transition in registry.transitions(MODEL)]


def test_the_same_thing_twice_is_one_version_and_the_second_time_is_cached(register, seen):
    """A run that is repeated leaves no trace in the registry."""
    first = register()

    assert register() == first
    assert (first.model, first.version) == (MODEL, 1)
    assert [row["version"] for row in registry.versions()] == [1]
    assert words(seen) == [("register", "computed"), ("register", "cached")]


def test_a_version_has_a_tag_for_every_digest_its_files_and_its_metrics(register, client, store: ArtifactStore):
    """What is asked of a model in a year is answered by these."""
    register()
    (row,) = registry.versions()
    found = client.get_model_version(MODEL, "1")

    for tag in ("base", "adapter", "train", "validation", "test", "verdict", "identity", "recipe", "report"):
        assert len(row[tag]) == 64, tag
    assert (row["decision"], row["owner"]) == ("accepted", "ada")
    assert client.get_run(found.run_id).data.metrics == {"exact_match": 0.9}
    assert {file.path for file in client.list_artifacts(found.run_id)} == {"adapter", "report.html"}


def test_the_alias_candidate_follows_what_was_accepted_and_not_what_was_refused(register):
    """What was refused is filed too, because somebody's data is in it."""
    register(b"one")
    register(b"two", "refused")

    assert [(row["version"], row["decision"]) for row in registry.versions()] == [(2, "refused"), (1, "accepted")]
    assert aliases() == {"candidate": 1}


def test_promoting_and_rolling_back_moves_the_pointer_and_is_told_in_the_history(register):
    """Each move is in the chain, and the alias mirrors its head."""
    for adapter in (b"one", b"two"):
        promote(register(adapter).version)
    assert aliases()["production"] == 2

    assert roll_back().version == 1

    assert aliases()["production"] == 1
    assert history() == [("promote", 1), ("promote", 2), ("roll-back", 1)]
    assert registry.transitions(MODEL)[-1].reason == "too slow"
    with pytest.raises(RegistryError, match="found only version 1 in production"):
        roll_back()


def test_a_stage_is_moved_alone(register):
    """Staging is where one looks before."""
    register()
    promote(1, "staging")

    assert aliases() == {"candidate": 1, "staging": 1}


def refused(says: str, version: int = 1) -> None:
    """A promotion is refused with these words, in one line, and nothing has moved."""
    before, told = aliases(), history()
    with pytest.raises(PromotionRefusedError, match=says) as caught:
        promote(version)
    assert "\n" not in str(caught.value)
    assert (aliases(), history()) == (before, told)


def test_a_second_promotion_of_the_same_version_is_refused(register):
    """It would push the version onto itself."""
    promote(register().version)

    refused("version 1 is in production already")


@pytest.mark.parametrize("decision", ["refused", "inconclusive"])
def test_what_was_not_accepted_is_refused_whatever_its_tag_says(register, client, decision: str):
    """The verdict is read from its own bytes."""
    register(decision=decision)
    client.set_model_version_tag(MODEL, "1", "assay.decision", "accepted")

    refused("expected 'accepted'")


def test_a_verdict_about_other_weights_is_refused(register):
    """Somebody else's success."""
    register(judged="c" * 64)

    refused("its verdict is about weights cccccccccccc")


@pytest.mark.parametrize("part", ["base", "adapter"])
def test_a_changed_byte_in_the_store_is_refused(register, store: ArtifactStore, part: str):
    """Of equal size, so that only reading every byte finds it."""
    register()
    (row,) = registry.versions()
    manifest = store.files(Artifact(kind=part, digest=row[part], tree=True))
    digest = manifest["model.safetensors"]["sha256"]
    path = Path(store.root) / digest[:2] / digest
    path.write_bytes(path.read_bytes().swapcase())

    refused(f"version 1: {part}/model.safetensors {digest[:12]} now hashes to")


def test_a_changed_verdict_in_the_store_is_refused(register, store: ArtifactStore):
    """The easiest place to accept something."""
    register(decision="refused")
    (row,) = registry.versions()
    path = Path(store.root) / row["verdict"][:2] / row["verdict"]
    path.write_bytes(path.read_bytes().replace(b"refused", b"accepted"))

    refused("its bytes were changed")


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "model.safetensors").write_bytes(b"onE"),
        lambda folder: (folder / "extra.py").write_bytes(b""),
        lambda folder: (folder / "model.safetensors").unlink(),
        shutil.rmtree,
    ],
    ids=["changed", "added", "taken", "gone"],
)
def test_a_change_in_the_registrys_own_files_is_refused(register, client, harm):
    """They are what a server would load."""
    register()
    harm(Path(client.get_model_version(MODEL, "1").source.removeprefix("file://")))

    refused("the registry's files are not the adapter")


def test_a_changed_tag_is_refused(register, client):
    """Anybody who may edit a model may edit these."""
    register()
    (row,) = registry.versions()

    for tag in (*registry.IDENTIFYING, "identity"):
        client.set_model_version_tag(MODEL, "1", f"assay.{tag}", "0" * 64)
        refused("its tags were changed")
        client.delete_model_version_tag(MODEL, "1", f"assay.{tag}")
        refused("its tags were changed")
        client.set_model_version_tag(MODEL, "1", f"assay.{tag}", row[tag])
    assert promote(1).version == 1


def test_a_roll_back_to_altered_bytes_is_refused(register, client):
    """What stood there last month may not be what stands there now."""
    for adapter in (b"one", b"two"):
        promote(register(adapter).version)
    source = Path(client.get_model_version(MODEL, "1").source.removeprefix("file://"))
    (source / "model.safetensors").write_bytes(b"onE")

    with pytest.raises(PromotionRefusedError, match="version 1: the registry's files"):
        roll_back()
    assert aliases()["production"] == 2


def test_a_history_that_was_edited_stops_every_move(register, store: ArtifactStore):
    """Until somebody has looked at it; nor is it listed as if nothing were."""
    for adapter in (b"one", b"two"):
        promote(register(adapter).version)
    first = Path(store.root) / "history" / MODEL / "00000001.json"
    first.write_text(json.dumps(json.loads(first.read_text()) | {"who": "eve"}))

    for move in (lambda: promote(1), roll_back, aliases):
        with pytest.raises(AssayError, match="transition 2 does not follow"):
            move()


def test_the_history_of_another_model_is_no_history_of_this_one(register, store: ArtifactStore):
    """A chain that is whole may still be someone else's."""
    promote(register().version)
    folder = Path(store.root) / "history"
    shutil.copytree(folder / MODEL, folder / "other")

    with pytest.raises(AssayError, match="history of other: found that of triage"):
        registry.transitions("other")


def test_a_version_that_is_not_there_is_named_with_those_that_are(register):
    """A typing error should cost a glance."""
    register()

    with pytest.raises(RegistryError, match="found no version 7; there are: 1"):
        promote(7)


def test_a_version_that_somebody_else_registered_is_listed_and_refused(register, client):
    """It has no digests, so there is nothing that it could be."""
    register()
    client.create_model_version(MODEL, source="/nowhere")

    assert [row["version"] for row in registry.versions()] == [2, 1]
    refused("its tags were changed", version=2)
