"""From what methods doubt to a file that a person fills in, and from there to corrections that a recipe names."""

import csv
import io
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

from assay.artifacts import Dataset, Reference, Splits, digest_of, question
from assay.data.corrections import fingerprint, load
from assay.records import Record, Suspect, suspects_to_parquet, to_parquet
from assay.store import ArtifactStore
from cli.main import main
from tasks.caching import remember
from tasks.inputs import open_recipe
from tasks.places import folder
from tests.flows import small

SUSPECTS = [
    Suspect(id="T-1", kind="label_noise", doubt=0.9, reason="others say delivery", suggestion="delivery"),
    Suspect(id="T-2", kind="near_duplicate", doubt=0.8, reason="like its twin", twin="T-3"),
    Suspect(id="T-1", kind="length", doubt=0.2, reason="very long"),
]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe without a file of corrections; no model is looked at before training."""
    tree = small._tree("0" * 64)
    small.write_jsonl(tmp_path / "tickets.jsonl", small.rows(12))
    small.write_jsonl(tmp_path / "heldout.jsonl", small.rows(3, side="h"))
    (tmp_path / "schema.json").write_text(json.dumps(small.SCHEMA))
    for name in ("raw", "redacted", "curated"):
        (tmp_path / f"{name}.yml").write_text(small.SUITE.format(name=name))
    (tmp_path / "splits.yml").write_text(small.SPLITS)
    (tmp_path / "predictions.yml").write_text(small.PREDICTIONS)
    (tmp_path / "waivers.yml").write_text("waivers: []\n")
    item = {"id": "i", "group": "g", "kind": "cloze", "context": "It is", "choices": [" so", " not"], "gold": 0}
    (tmp_path / "ability.jsonl").write_text(json.dumps(item) + "\n")
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture
def records(record) -> dict[str, Record]:
    """Redacted tickets."""
    return {id: record(f"text of {id}", '{"intent": "refund"}', id=id) for id in ("T-1", "T-2", "T-3", "T-4")}


@pytest.fixture
def found(store: ArtifactStore, records: dict[str, Record], monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What curation found, in the store; the flow itself has tests of its own and costs half a minute."""
    shards = Dataset(shards=(store.put("records", to_parquet(records.values())),))
    filed = SimpleNamespace(
        suspects=store.put("suspects", suspects_to_parquet(SUSPECTS)),
        records=shards,
        curated=SimpleNamespace(records=shards),
    )
    flow = ModuleType("flows.curate_records")
    flow.curate_records = lambda *_: filed
    monkeypatch.setitem(sys.modules, "flows.curate_records", flow)
    return filed


def edit(path: Path, **decisions: tuple[str, str, str]) -> None:
    """Fill in the decisions, by id without the hyphen, as a spreadsheet in Europe saves them."""
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    for row in rows:
        if row["id"].replace("-", "") in decisions:
            row["decision"], row["label"], row["reason"] = decisions[row["id"].replace("-", "")]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.usefixtures("found")
def test_suspects_become_a_file_that_a_person_fills_in_and_feeds_back(
    recipe: Path, records: dict[str, Record], tmp_path: Path, capsys
):
    """All the way to the line for the recipe, twice."""
    out = tmp_path / "review.csv"
    assert main(["curate", "review", str(recipe), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert out.stat().st_mode & 0o077 == 0
    assert "label_noise     1" in told
    assert f"2 records to look at in {out}" in told
    assert f"assay curate correct {recipe} {out} --who YOU" in told
    assert "text of" not in told

    edit(out, T1=("relabel", "delivery", "asks where it is"), T2=("drop", "", "says the same as T-3"))
    assert main(["curate", "correct", str(recipe.parent), str(out), "--who", "jane"]) == 0
    told = capsys.readouterr().out
    target = tmp_path / "corrections.csv"
    assert told.splitlines()[0] == f"{target}: version 1, 2 decisions added (1 drop, 1 relabel)"
    assert told.endswith("curation:\n  corrections: corrections.csv\n")
    first = load(target.read_bytes())
    assert [(c.id, c.action, c.label, c.who) for c in first] == [
        ("T-1", "relabel", "delivery", "jane"),
        ("T-2", "drop", "", "jane"),
    ]
    assert first[0].row == fingerprint(records["T-1"])

    assert main(["curate", "correct", str(recipe), str(out), "--who", "john"]) == 0
    assert capsys.readouterr().out.startswith("nothing new: every decision in")
    assert load(target.read_bytes()) == first


def test_the_file_that_the_recipe_names_is_added_to(recipe: Path, tmp_path: Path, capsys):
    """And then there is no line to put anywhere."""
    tree = yaml.safe_load(recipe.read_text())
    tree["curation"]["corrections"] = "decided/tickets.csv"
    recipe.write_text(yaml.safe_dump(tree))
    (tmp_path / "decided").mkdir()
    (tmp_path / "review.csv").write_text("decision,label,reason,id,row\nkeep,,fine,T-9,0123456789ab\n")

    assert main(["curate", "correct", str(recipe), str(tmp_path / "review.csv"), "--who", "jane"]) == 0

    assert [c.id for c in load((tmp_path / "decided" / "tickets.csv").read_bytes())] == ["T-9"]
    assert "curation:" not in capsys.readouterr().out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("review", "says"),
    [
        (
            "relabel,delivry,why,T-1,0123456789ab",
            "review:2: T-1: `label` is none of those there are: account, d",
        ),
        ("drop,,,T-1,0123456789ab", "review:2: T-1: `reason` is missing"),
        (",,,T-1,0123456789ab", "review: found no row with a decision"),
    ],
)
def test_a_review_with_a_mistake_changes_nothing(recipe: Path, tmp_path: Path, review: str, says: str, capsys):
    """The labels that there are stand in the recipe's schema."""
    (tmp_path / "review.csv").write_text(f"decision,label,reason,id,row\n{review}\n")

    assert main(["curate", "correct", str(recipe), str(tmp_path / "review.csv"), "--who", "jane"]) == 2

    assert capsys.readouterr().err.startswith(f"assay: {says}")
    assert not (tmp_path / "corrections.csv").exists()


@pytest.mark.usefixtures("found")
def test_a_file_that_somebody_has_filled_in_is_not_written_over(recipe: Path, tmp_path: Path, capsys):
    """Hours of work; one without a decision is written anew, and another file never."""
    out = tmp_path / "review.csv"
    command = ["curate", "review", str(recipe), "--out", str(out)]
    assert main(command) == 0
    assert main(command) == 0

    edit(out, T1=("", "", "not sure yet"))
    edited = out.read_bytes()
    assert main(command) == 2
    assert "found 1 rows that somebody has filled in" in capsys.readouterr().err
    assert out.read_bytes() == edited

    assert main([*command, "--force"]) == 0
    assert b"not sure yet" not in out.read_bytes()

    out.write_text("name,price\nan invoice,5\n")
    assert main(command) == 2
    assert "found another file at" in capsys.readouterr().err


def test_nothing_to_review_is_said_and_nothing_is_written(
    recipe: Path, tmp_path: Path, found: SimpleNamespace, store: ArtifactStore, capsys
):
    """An empty table would look like a fault."""
    found.suspects = store.put("suspects", suspects_to_parquet([]))

    assert main(["curate", "review", str(recipe), "--out", str(tmp_path / "review.csv")]) == 0

    assert "nothing to review" in capsys.readouterr().out
    assert not (tmp_path / "review.csv").exists()


def answered(step: str, inputs: dict, answer: Reference) -> None:
    """File a step's question and its answer, as a run leaves them."""
    asked = question(step, {}, inputs)
    remember(asked)
    result = {"metadata": {"serializer": {"type": "reference"}}, "result": answer.model_dump_json()}
    (folder("results") / digest_of(asked)).write_text(json.dumps(result))


def trained(recipe: Path, records: Dataset, store: ArtifactStore, *suspects: Suspect) -> None:
    """Leave what a run of the recipe does that trained on these curated records."""
    sides = Splits(train=records, validation=records, test=records)
    row = {"run": "1", "started": "2026", "recipe_file": str(recipe.resolve()), "adapter_digest": "0" * 64}
    (folder("runs") / "1.json").write_text(json.dumps(row))
    answered("split", {"records": records, "spec": open_recipe(str(recipe)).spec.split}, sides)
    hard = store.put("suspects", suspects_to_parquet(suspects))
    answered("find_hard", {"trained": None, "train": records}, hard)


def test_what_a_training_on_these_records_never_learned_is_listed_too(
    recipe: Path, tmp_path: Path, found: SimpleNamespace, store: ArtifactStore, capsys
):
    """Beside what curation doubts, and with a row of its own only if that doubts nothing of the record."""
    hard = [Suspect(id=id, kind="never_learned", doubt=0.7, reason="3 nats a token") for id in ("T-1", "T-4")]
    trained(recipe, found.records, store, *hard)

    assert main(["curate", "review", str(recipe), "--out", str(tmp_path / "review.csv")]) == 0

    told = capsys.readouterr().out
    assert "never_learned   2" in told
    assert "3 records to look at" in told
    rows = list(csv.DictReader(io.StringIO((tmp_path / "review.csv").read_text("utf-8-sig"), newline="")))
    assert {row["id"].strip("'"): row["kind"] for row in rows} == {
        "T-1": "label_noise; never_learned; length", "T-2": "near_duplicate", "T-4": "never_learned",
    }  # fmt: skip


def test_that_a_training_learned_other_records_is_said(
    recipe: Path, tmp_path: Path, found: SimpleNamespace, store: ArtifactStore, capsys
):
    """After a correction, say: what was hard then may be another record now."""
    trained(recipe, Dataset(shards=()), store)

    assert main(["curate", "review", str(recipe), "--out", str(tmp_path / "review.csv")]) == 0

    told = capsys.readouterr().out
    assert "no training on these very records is on file" in told
    assert f"`assay run {recipe}` makes one" in told
    assert "2 records to look at" in told


@pytest.mark.usefixtures("found")
def test_a_wrong_setting_or_file_is_told_before_anything_runs(recipe: Path, tmp_path: Path, capsys):
    """As `assay run` tells it."""
    assert main(["curate", "review", str(recipe), "--set", "curation.near=1"]) == 2
    assert "recipe.yaml: curation.near: unknown key" in capsys.readouterr().err
    assert main(["curate", "correct", str(recipe), str(tmp_path / "nowhere.csv"), "--who", "jane"]) == 2
    assert "review: found nothing at" in capsys.readouterr().err
    assert main(["curate", "correct", str(tmp_path / "nowhere"), "review.csv", "--who", "jane"]) == 2
    assert "recipe: found nothing at" in capsys.readouterr().err
