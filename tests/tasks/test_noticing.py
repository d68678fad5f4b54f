"""What a training has shown of its examples is filed once, and found again by the records that it learned from."""

import json
from collections.abc import Callable

import pytest

from assay.artifacts import Artifact, Dataset, Trained
from assay.data.corrections import fingerprint, written
from assay.data.decisions import Correction
from assay.model import dynamics
from assay.model.dynamics import Visits
from assay.records import Record, suspects_from_parquet, to_parquet
from assay.reporting.hard import NEVER
from assay.spec import SplitSpec
from assay.store import ArtifactStore
from tasks import data, noticing, runs
from tests.tasks.conftest import in_flow

pytestmark = pytest.mark.usefixtures("prefect")

SPLIT = SplitSpec(train=0.8, validation=0.1, test=0.1, salt="s")
COUNT = 80


@pytest.fixture
def records(store: ArtifactStore, record: Callable[..., Record]) -> Dataset:
    """Eighty records of as many subjects."""
    made = [
        record(f"text {n}", '{"intent": "refund"}', id=f"T-{n:02}", subject=f"s{n}", bucket=n * 50)
        for n in range(COUNT)
    ]
    return Dataset(shards=(store.put("records", to_parquet(made)),))


@pytest.fixture
def trained(store: ArtifactStore, tmp_path) -> Callable[[list[str]], Trained]:
    """A training of two epochs that learned all of its records but the first two, and a replayed one after them."""

    def made(ids: list[str]) -> Trained:
        visits, named = Visits(), [*ids, "replayed"]
        for place in range(len(named)):
            visits.add(place, place, 1.0 + place / 100)
            visits.add(place, 100 + place, 3.0 if place in {0, 1, len(ids)} else 0.01 + place / 10_000)
        (tmp_path / dynamics.FILE).write_bytes(dynamics._parquet(visits))
        filed = store.put("dynamics", dynamics.named(tmp_path, named, replayed=1))
        nothing = Artifact(kind="adapter", digest="0" * 64)
        return Trained(adapter=nothing, record=nothing, dynamics=filed)

    return made


def learned(records: Dataset, trained: Callable[[list[str]], Trained]) -> tuple[Artifact, Dataset, Trained]:
    """Split and notice, as a run does."""

    def path() -> tuple[Artifact, Dataset, Trained]:
        sides = data.split(records, SPLIT)
        made = trained([id for shard in sides.train.shards for id in noticing.shards.ids(shard)])
        return noticing.find_hard(made, sides.train), sides.train, made

    return in_flow(path)


def test_what_was_never_learned_is_filed_and_found_again_until_somebody_decides(
    records: Dataset, trained, store: ArtifactStore
):
    """By the curated records alone; replay is nobody's record."""
    nobody = store.put("corrections", b"")
    assert noticing.noticed(records, SPLIT, nobody) is None

    filed, train, _ = learned(records, trained)
    first, second = [id for shard in train.shards for id in noticing.shards.ids(shard)][:2]
    found = suspects_from_parquet(store.get(filed))

    assert {(row.id, row.kind) for row in found} == {(first, NEVER), (second, NEVER)}
    assert noticing.noticed(records, SPLIT, nobody) == found
    keep = Correction(
        version=1, id=first, row=fingerprint(row_of(records, first)), action="keep", label="", reason="rare", who="jane"
    )
    decided = store.put("corrections", written((keep,)))
    assert [row.id for row in noticing.noticed(records, SPLIT, decided)] == [second]
    assert noticing.noticed(records, SPLIT.model_copy(update={"salt": "other"}), nobody) is None


def row_of(records: Dataset, id: str) -> Record:
    """A record by its id."""
    return next(row for shard in noticing.shards.each(records) for row in shard if row.id == id)


def test_a_report_is_told_labels_and_visits_and_no_text(records: Dataset, trained, store: ArtifactStore):
    """Of the task's examples."""
    filed, train, made = learned(records, trained)

    shown = noticing.shown(made, train, filed, "intent")

    assert {each.label for each in shown.examples} == {"refund"}
    assert [each.kind for each in shown.examples].count(NEVER) == 2
    assert "replayed" not in {each.id for each in shown.examples}
    assert shown.learned == pytest.approx(1.5, abs=0.1)
    before = made.model_copy(update={"dynamics": None})
    assert noticing.shown(before, train, filed, "intent").examples == ()


def test_a_recipe_is_trained_once_a_run_of_it_has_an_adapter(home, tmp_path):
    """However its path was typed."""
    (home / "runs").mkdir(parents=True)
    assert not noticing.is_trained(str(tmp_path))

    row = {"run": "1", "started": "2026", "recipe_file": runs.recipe_file(str(tmp_path)), "adapter_digest": "0"}
    (home / "runs" / "1.json").write_text(json.dumps(row))

    assert noticing.is_trained(str(tmp_path / "recipe.yaml"))
