"""What is typed wrong is said in a line; a sample goes to a spreadsheet and back; what was found is told by type."""

import csv
import io
import json
from pathlib import Path

import pytest

from assay.artifacts import Dataset, Redacted
from assay.privacy.replacement import fingerprints, redaction
from assay.privacy.replacement.drafts import Mark
from assay.records import Known, Record, Turn, dropped_to_parquet, to_parquet
from assay.store import ArtifactStore
from cli.main import main
from tasks import runs, sampling
from tasks.places import folder, value_key

NAME = "Quillon Terrabask"


def record(number: int, text: str, known: tuple[Known, ...] = ()) -> Record:
    """One ticket."""
    who = {"id": f"t-{number}", "subject": f"s{number}", "bucket": 0, "source": "tickets"}
    return Record(**who, context=(Turn("user", text),), completion="{}", known=known)


@pytest.fixture
def run(store: ArtifactStore) -> str:
    """A run that redacted forty tickets: its record, its shards, and its question and answer on file."""
    raw = [record(n, f"I am {NAME} and order {n} is late", (Known("PERSON", NAME),)) for n in range(40)]
    clean = [record(n, f"=HYPERLINK([PERSON_1]) and order {n} is late") for n in range(40)]
    mark = Mark("context[0]", 5, 5 + len(NAME), "PERSON", "high", fingerprints.fingerprint(NAME, value_key()))
    shard = store.put("records", to_parquet(raw))
    fields = {
        "records": Dataset(shards=(store.put("records", to_parquet(clean)),)),
        "dropped": store.put("dropped", dropped_to_parquet([])),
        "audit": store.put(
            "audit", redaction.audit_to_parquet([redaction.Audited(r.id, {"PERSON": 1}, (mark,)) for r in raw])
        ),
    }
    others = {name: store.put(name, b"{}") for name in Redacted.model_fields if name not in fields}
    inputs = {"shard": shard.model_dump(), "policy": {"policy": {}}}
    answer = Redacted(**fields, **others)
    filed("redact", "1" * 64, inputs, answer)
    filed("ingest", "2" * 64, {}, Dataset(shards=(shard,)))
    runs.file(
        {"run": "0f00f00f-0000-4000-8000-000000000000", "started": "2026-01-01", "recipe": "small", "recipe_file": None}
    )
    return "0f00"


def filed(step: str, key: str, inputs: dict, answer: Dataset | Redacted) -> None:
    """A question, and its answer as Prefect keeps it."""
    (folder("questions") / step).mkdir()
    (folder("questions") / step / f"{key}.json").write_text(json.dumps({"step": step, "inputs": inputs}))
    result = {"metadata": {"serializer": {"type": "reference"}}, "result": answer.model_dump_json()}
    (folder("results") / key).write_text(json.dumps(result))


def test_a_clean_deployment_is_told_so_with_what_was_looked_for(run, capsys):
    """By type; raw shards are where the values are."""
    assert main(["verify", "leaks", run]) == 0

    said = capsys.readouterr().out
    assert "CLEAN" in said
    assert "by design 1 files hold raw records" in said
    assert NAME not in said


def test_without_a_redaction_on_file_known_values_are_looked_for_all_the_same(run, home, capsys):
    """A run may fail before anything is redacted; its raw records are there already."""
    (home / "results" / ("1" * 64)).unlink()
    (folder("work") / "left.log").write_text(f"cannot parse {NAME.upper()}")

    assert main(["verify", "leaks", run, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert [each["file"] for each in found["leaks"]] == ["work/left.log"]
    assert found["clean"] is False


def test_a_file_named_by_a_value_is_found_and_its_name_not_shown(run, capsys):
    """Names of files are persisted too."""
    (folder("work") / f"{NAME}.txt").write_text("nothing")

    assert main(["verify", "leaks", run]) == 3
    assert NAME not in capsys.readouterr().out


def test_a_store_without_raw_records_proves_nothing_and_says_so(run, store, capsys):
    """Nobody can say what was masked once they are erased."""
    for path in Path(store.root).rglob("*"):
        if path.is_file():
            path.unlink()

    assert main(["verify", "leaks", run]) == 2
    assert "raw shards" in capsys.readouterr().err


def test_a_broken_file_is_named_and_nothing_is_called_clean(run, capsys):
    """What could not be read may hold anything."""
    (folder("work") / "half.parquet").write_bytes(b"PAR1 and no more")

    assert main(["verify", "leaks", run]) == 3
    assert "half.parquet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "found nothing at"),
        ("", "found no value in"),
        ('{"other": 1}\n', "under `value` at"),
        ("\ufeff{\n", "under `value`"),
    ],
)
def test_canaries_that_cannot_be_read_are_bad_input(home, tmp_path, capsys, text, says):
    """Before anything is searched."""
    path = tmp_path / "canaries"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    assert main(["verify", "leaks", "latest", "--canaries", str(path)]) == 2
    assert says in capsys.readouterr().err


def test_canaries_are_looked_for_like_values(run, tmp_path, capsys):
    """A line each; one that nothing holds is told as unseen, which is no fault of the search."""
    path = tmp_path / "canaries.txt"
    path.write_text("zq-canary-55817\nqx-canary-10243\n")
    (folder("logs") / "today.log").write_text('{"said": "ZQ-CANARY-55817"}')

    assert main(["verify", "leaks", run, "--canaries", str(path)]) == 3
    said = capsys.readouterr().out
    assert "logs/today.log" in said
    assert "1 CANARY" in said
    assert "BLIND" not in said


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a table."""
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def test_a_sample_goes_to_a_spreadsheet_and_back_and_is_filed_with_its_run(run, tmp_path, capsys):
    """Saved with semicolons, as Excel does in half of Europe; no cell runs as a formula."""
    out = tmp_path / "sample.csv"
    assert main(["verify", "sample", run, "--rows", "30", "--out", str(out)]) == 0
    header, *rows = rows_of(out)
    assert header[0] == "leak"
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row if cell)
    assert oct(out.stat().st_mode)[-3:] == "600"
    filled = [["yes" if number == 4 else "no", *row[1:]] for number, row in enumerate(rows)]
    with out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows([header, *filled])

    assert main(["verify", "sample", run, "--judge", str(out), "--who", "A. Steward"]) == 0

    said = capsys.readouterr().out
    (filed,) = sampling.reviews(runs.find(run)["run"])
    assert (filed["rows"], filed["leaks"], filed["who"]) == (30, 1, "A. Steward")
    assert f"{filed['upper']:.2%}" in said
    assert "order" not in json.dumps(filed)


def test_a_sample_is_refused_unfilled_altered_unsigned_and_over_another(run, tmp_path, capsys):
    """Each with what to do."""
    out = tmp_path / "sample.csv"
    sample = ["verify", "sample", run, "--rows", "10", "--out", str(out)]
    assert main(sample) == 0
    assert main(sample) == 2
    assert main(["verify", "sample", run, "--judge", str(out)]) == 2
    assert main(["verify", "sample", run, "--judge", str(out), "--who", "A"]) == 2
    header, *rows = rows_of(out)
    with out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *(["no", *row[1:]] for row in rows[1:])])
    assert main(["verify", "sample", run, "--judge", str(out), "--who", "A"]) == 2

    said = capsys.readouterr().err
    for part in ("found a file at", "--who YOU", "without yes or no", "expected all rows of one"):
        assert part in said
    assert sampling.reviews(runs.find(run)["run"]) == []
