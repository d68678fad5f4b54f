"""From doubt to decision and back: what a person decides on a record is carried out, and is part of the key."""

import csv
import io
import json
from pathlib import Path

import pytest

from assay.artifacts import Artifact
from assay.errors import DataError, ExpectationError
from assay.records import dropped_from_parquet, from_parquet, label_of, suspects_from_parquet
from flows.curate_records import Curated, curate_records
from tasks import runs, steps
from tasks.places import folder, store
from tests.flows import small


@pytest.fixture
def recipe(path_home: Path, tmp_path: Path) -> Path:
    """The small recipe with two rows that say what the row before them says, and have another answer."""
    path = small.by_rules(small.recipe(tmp_path / "recipe"))
    small.write_jsonl(path.parent / "tickets.jsonl", doubtful())
    return path


def doubtful() -> list[dict[str, str]]:
    """Tickets of which `t-3` and `t-5` are mislabelled copies, but for a mark: else they would leave as duplicates."""
    rows = small.rows(120)
    for number in (3, 5):
        before = rows[number - 1]
        answer = {**json.loads(before["answer"]), "intent": other(before)}
        rows[number] |= {"message": f"{before['message']}!", "answer": json.dumps(answer)}
    return rows


def other(row: dict[str, str]) -> str:
    """An intent that the row does not have."""
    return next(intent for intent in sorted(small.WANTS) if intent != json.loads(row["answer"])["intent"])


def curated(path: Path, **settings: object) -> tuple[Curated, list[steps.StepState]]:
    """Run the data steps and collect them."""
    states: list[steps.StepState] = []
    steps.observers.append(states.append)
    try:
        return curate_records(str(path), settings or None), states
    finally:
        steps.observers.remove(states.append)


def reviewed(path: Path, out: Path) -> list[dict[str, str]]:
    """The rows of the file that `assay curate review` writes."""
    from cli.main import main

    assert main(["curate", "review", str(path), "--out", str(out)]) == 0
    return list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))


def decided(rows: list[dict[str, str]], out: Path, **decisions: tuple[str, str]) -> None:
    """Fill in decisions, by id, as a person would in a spreadsheet."""
    for row in rows:
        row["decision"], row["label"] = decisions.get(row["id"].replace("-", "_"), ("", ""))
        row["reason"] = "read again" if row["decision"] else ""
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def records(found: Curated) -> dict[str, str | None]:
    """Id → label of what went on."""
    shards = (from_parquet(store().get(shard)) for shard in found.curated.records.shards)
    return {record.id: label_of(record, "intent") for shard in shards for record in shard}


def test_a_wrong_label_is_doubted_reviewed_corrected_and_never_doubted_again(recipe, tmp_path, capsys):
    """The loop of a steward: list, decide, feed back; the next list has only what nobody has looked at."""
    from cli.main import main

    out = tmp_path / "review.csv"
    rows = reviewed(recipe, out)
    listed = {row["id"]: row for row in rows}
    assert {"t-3", "t-5"} <= listed.keys()

    right = json.loads(doubtful()[2]["answer"])["intent"]
    assert listed["t-3"]["twin"] == "t-2"
    decided(rows, out, t_3=("relabel", right), t_5=("drop", ""))
    assert main(["curate", "correct", str(recipe), str(out), "--who", "jane@example.com"]) == 0
    corrected, states = curated(recipe, **{"curation.corrections": "corrections.csv"})

    after = records(corrected)
    assert after["t-3"] == right
    assert "t-5" not in after
    gone = dropped_from_parquet(store().get(corrected.screened[0].dropped))
    assert [(row.id, row.reason) for row in gone] == [("t-5", "dropped by review, version 1, by jane@example.com")]
    doubted = {row.id for row in suspects_from_parquet(store().get(corrected.suspects))}
    assert not doubted & {"t-3", "t-5"}
    assert "redact" not in {state.task for state in states if state.state == "computed"}


def test_a_decision_on_a_record_that_reads_otherwise_now_is_refused(recipe, tmp_path, capsys):
    """What was not reviewed is not corrected: the run says whose decision is stale."""
    from cli.main import main

    out = tmp_path / "review.csv"
    rows = reviewed(recipe, out)
    decided(rows, out, t_3=("drop", ""))
    main(["curate", "correct", str(recipe), str(out), "--who", "jane@example.com"])
    changed = doubtful()
    changed[3]["message"] = f"Rewritten since: {changed[3]['message']}"
    small.write_jsonl(recipe.parent / "tickets.jsonl", changed)

    with pytest.raises(DataError, match="t-3"):
        curated(recipe, **{"curation.corrections": "corrections.csv"})


def test_a_waiver_lets_a_failure_pass_only_as_long_as_it_holds(recipe):
    """In force, the rows go on and the outcome says who let them; once it is over, they are set aside again."""
    rows = small.rows(120)
    rows[7]["message"] = " "
    small.write_jsonl(recipe.parent / "tickets.jsonl", rows)
    waiver = "waivers:\n  - {{check: raw-1, reason: known gap, who: jane@example.com, until: {until}}}\n"

    (recipe.parent / "waivers.yml").write_text(waiver.format(until="2999-12-31"))
    waived, _ = curated(recipe)
    (recipe.parent / "waivers.yml").write_text(waiver.format(until="2020-12-31"))
    over, states = curated(recipe)

    assert runs.validation("raw", waived.raw.outcome)["waivers"][0]["in_force"] is True
    assert dropped_from_parquet(store().get(waived.raw.quarantined)) == []
    assert [row.id for row in dropped_from_parquet(store().get(over.raw.quarantined))] == ["t-7"]
    assert "validate-raw" in {state.task for state in states if state.state == "computed"}


def test_a_stop_leaves_a_page_and_a_record_that_say_where(recipe):
    """A suite that stops the run leaves what a steward needs: the page of the doorway, and the index."""
    suite = (recipe.parent / "raw.yml").read_text().replace("20%", "0%")
    (recipe.parent / "raw.yml").write_text(suite)
    rows = small.rows(120)
    rows[7]["message"] = " "
    small.write_jsonl(recipe.parent / "tickets.jsonl", rows)

    with pytest.raises(ExpectationError, match="over the limit"):
        curated(recipe)

    record = next(row for row in runs.every() if "over the limit" in str(row.get("error")))
    found = record["validations"][-1]
    assert (found["doorway"], found["decision"]) == ("raw", "stop")
    page = folder("reports") / found["page"]
    assert "over the limit" in page.read_text()
    assert found["page"] in (folder("reports") / "index.html").read_text()
    assert store().holds(Artifact(kind="expectations-outcome", digest=found["outcome"]))
