"""What is typed wrong is said in a line; a sample goes to a spreadsheet and back; what was found is told by type."""

import csv
import io
import json
from pathlib import Path

import pytest

from assay.artifacts import Artifact, Dataset, Redacted
from assay.privacy.replacement import fingerprints, redaction
from assay.privacy.replacement.drafts import Mark
from assay.records import Dropped, Known, Record, Turn, dropped_to_parquet, to_parquet
from assay.store import ArtifactStore
from cli.main import main
from tasks import runs
from tasks.places import folder, value_key

NAME = "Quillon Terrabask"


def record(number: int, text: str, known: tuple[Known, ...] = ()) -> Record:
    """One ticket."""
    who = {"id": f"t-{number}", "subject": f"s{number}", "bucket": 0, "source": "tickets"}
    return Record(**who, context=(Turn("user", text),), completion="{}", known=known)


def named(text: str, name: str, kind: str = "PERSON", bucket: str = "high") -> Mark:
    """The mark on a value in a ticket's text."""
    start = text.index(name)
    key = fingerprints.fingerprint(name, value_key())
    return Mark("context[0]", start, start + len(name), kind, bucket, key)


def redaction_of(
    store: ArtifactStore, raw: list[Record], clean: list[Record], marks: list[tuple[Mark, ...]], number: str = "1"
) -> Artifact:
    """A raw shard whose redaction is on file; records that it did not give back, it dropped."""
    shard = store.put("records", to_parquet(raw))
    kept = {row.id for row in clean}
    rows = [redaction.Audited(row.id, {}, given) for row, given in zip(raw, marks, strict=True) if row.id in kept]
    gone = [Dropped(row.id, "redact", "text in a script that is not read") for row in raw if row.id not in kept]
    fields = {
        "records": Dataset(shards=(store.put("records", to_parquet(clean)),)),
        "dropped": store.put("dropped", dropped_to_parquet(gone)),
        "audit": store.put("audit", redaction.audit_to_parquet(rows)),
    }
    others = {name: store.put(name, b"{}") for name in Redacted.model_fields if name not in fields}
    filed("redact", number * 64, {"shard": shard.model_dump(), "policy": {"policy": {}}}, Redacted(**fields, **others))
    return shard


def run_of(*shards: Artifact) -> str:
    """A run on file that read these shards."""
    filed("ingest", "9" * 64, {}, Dataset(shards=shards))
    told = {"run": "0f00f00f-0000-4000-8000-000000000000", "started": "2026-01-01", "recipe": "small"}
    runs.file({**told, "recipe_file": None, "raw": sorted(shard.digest for shard in shards)})
    return "0f00"


@pytest.fixture
def run(store: ArtifactStore) -> str:
    """A run that redacted forty tickets: its record, its shards, and its question and answer on file."""
    raw = [record(n, f"I am {NAME} and order {n} is late", (Known("PERSON", NAME),)) for n in range(40)]
    clean = [record(n, f"=HYPERLINK([PERSON_1]) and order {n} is late") for n in range(40)]
    return run_of(redaction_of(store, raw, clean, [(named(row.prompt, NAME),) for row in raw]))


def filed(step: str, key: str, inputs: dict, answer: Dataset | Redacted) -> None:
    """A question, and its answer as Prefect keeps it."""
    (folder("questions") / step).mkdir(exist_ok=True)
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


def test_without_a_redaction_on_file_nothing_is_called_clean(run, home, capsys):
    """What was masked is not known, so that silence proves nothing; what to do is said."""
    (home / "results" / ("1" * 64)).unlink()

    assert main(["verify", "leaks", run, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["clean"], found["leaks"]) == (False, [])
    assert (found["unaudited_shards"], found["unaudited_rows"]) == (1, 40)
    assert main(["verify", "leaks", run]) == 3
    assert "40 records in 1 raw shards: no redaction" in capsys.readouterr().out


def test_a_raw_shard_that_is_gone_is_told_and_nothing_is_called_clean(store, capsys):
    """What was masked in it cannot be looked for; the other shard's values are."""
    both = []
    for number, who in enumerate((NAME, "Brannoch Ilverstane"), 1):
        raw = record(number, f"I am {who}")
        both.append(
            redaction_of(store, [raw], [record(number, "I am [PERSON_1]")], [(named(raw.prompt, who),)], str(number))
        )
    run = run_of(*both)
    assert main(["verify", "leaks", run]) == 0
    capsys.readouterr()
    (Path(store.root) / both[1].digest[:2] / both[1].digest).unlink()
    (folder("work") / "left.log").write_text("nothing for Brannoch Ilverstane")

    assert main(["verify", "leaks", run]) == 3
    said = capsys.readouterr().out
    assert "1 raw shards" in said
    assert "CLEAN" not in said


def test_a_record_that_was_let_go_is_told_and_what_rules_find_in_it_is_looked_for(store, capsys):
    """Nobody marked it; the values of its columns, an e-mail address and the like are known all the same."""
    raw = [
        record(1, f"I am {NAME}"),
        record(2, "write to brannoch@ilverstane.example.org", (Known("PERSON", "Brannoch Ilver"),)),
    ]
    run = run_of(redaction_of(store, raw, [record(1, "I am [PERSON_1]")], [(named(raw[0].prompt, NAME),), ()]))

    assert main(["verify", "leaks", run, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["dropped_rows"], found["unaudited_rows"]) == (1, 0)
    assert found["sought"]["EMAIL"] == 1
    (folder("work") / "left.log").write_text("cannot read BRANNOCH@ILVERSTANE.example.org")
    assert main(["verify", "leaks", run]) == 3
    assert "1 EMAIL" in capsys.readouterr().out


def test_a_redaction_that_forgets_to_empty_what_sources_knew_is_a_leak(store, capsys):
    """What a shard is, is told by who made it: one with known values is no raw one for that."""
    raw = record(1, f"I am {NAME}", (Known("PERSON", NAME),))
    clean = record(1, "I am [PERSON_1]", (Known("PERSON", NAME),))
    run = run_of(redaction_of(store, [raw], [clean], [(named(raw.prompt, NAME),)]))

    assert main(["verify", "leaks", run, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert [each["kind"] for each in found["leaks"]] == ["records"]
    assert len(found["raw"]) == 1


def test_a_redaction_that_changes_nothing_is_a_leak(store, capsys):
    """Its answer is the raw shard to the byte, and is searched like any answer."""
    raw = [record(1, f"I am {NAME}"), record(2, f"this is {NAME}")]
    first = redaction_of(store, raw[:1], [record(1, "I am [PERSON_1]")], [(named(raw[0].prompt, NAME),)])
    run = run_of(first, redaction_of(store, raw[1:], raw[1:], [()], "2"))

    assert main(["verify", "leaks", run, "--json"]) == 3
    assert sum(len(each["types"]) for each in json.loads(capsys.readouterr().out)["leaks"]) == 1


def test_hits_that_may_be_chance_are_counted_where_it_says_clean(run, tmp_path, capsys):
    """A hundred numbers among nine thousand: one is there, and four may be, since the run's own numbers differ."""
    numbers = tmp_path / "canaries.txt"
    numbers.write_text("".join(f"{100000 + 7919 * n}\n" for n in range(100)))
    (folder("work") / "table.csv").write_text("\n".join(str(107919 + 101 * n) for n in range(8800)))

    assert main(["verify", "leaks", run, "--canaries", str(numbers)]) == 0
    said = capsys.readouterr().out
    assert main(["verify", "leaks", run, "--canaries", str(numbers), "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)["chance_hits"]
    assert hits > 0
    assert f"CLEAN, but {hits} hits could not be told from chance" in said


MISSPELT = "Thiis"


def doubted(store: ArtifactStore, *, bucket: str = "medium", kept: str = "[PERSON_1] is late") -> str:
    """A run in which a word is masked in one record, whose redaction is ``kept``, and left in another."""
    texts = (f"{MISSPELT} is late", f"{MISSPELT.lower()} order is late", f"I am {NAME}")
    raw = [record(n, text) for n, text in enumerate(texts)]
    clean = [record(0, kept), raw[1], record(2, "I am [PERSON_1]")]
    marks = [(named(texts[0], MISSPELT, bucket=bucket),), (), (named(texts[2], NAME),)]
    return run_of(redaction_of(store, raw, clean, marks))


def test_a_word_that_another_record_holds_by_itself_is_in_doubt_and_its_records_are_listed(store, capsys):
    """A tagger took a misspelling for a name once; nothing carried it to where it was left."""
    run = doubted(store)

    assert main(["verify", "leaks", run, "--doubtful"]) == 0
    said = capsys.readouterr().out
    assert "doubt     1 PERSON" in said
    assert "PERSON  t-0        t-1" in said
    assert MISSPELT.lower() not in said.lower()


@pytest.mark.parametrize(("bucket", "kept"), [("high", "[PERSON_1] is late"), ("medium", f"{MISSPELT} is late")])
def test_what_was_masked_for_sure_or_left_where_it_was_masked_is_a_leak(store, capsys, bucket, kept):
    """Another record's holding it excuses neither."""
    assert main(["verify", "leaks", doubted(store, bucket=bucket, kept=kept), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert [each["types"] for each in found["leaks"]] == [{"PERSON": 1}]
    assert found["doubtful"] == []


def test_a_doubtful_word_in_a_log_is_a_leak(store, capsys):
    """A log quotes no record."""
    run = doubted(store)
    (folder("work") / "left.log").write_text(f"cannot parse {MISSPELT}")

    assert main(["verify", "leaks", run, "--json"]) == 3
    assert [each["file"] for each in json.loads(capsys.readouterr().out)["leaks"]] == ["work/left.log"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("leaks", ("behind links", "BLIND", "chance", "apart", "doubt", "UNKNOWN", "exit status: 0")),
        ("sample", ("--who NAME", "needs --who")),
    ],
)
def test_help_says_what_is_searched_and_what_its_words_mean(capsys, command, says):
    """Whoever reads the result need not read the code."""
    with pytest.raises(SystemExit):
        main(["verify", command, "--help"])

    said = capsys.readouterr().out
    for part in says:
        assert part in said


def test_a_file_named_by_a_value_is_found_and_its_name_not_shown(run, capsys):
    """Names of files are persisted too."""
    (folder("work") / f"{NAME}.txt").write_text("nothing")

    assert main(["verify", "leaks", run]) == 3
    assert NAME not in capsys.readouterr().out


def test_a_copy_that_is_named_by_a_value_is_found_too(run, capsys):
    """Its bytes were searched already; its name was not."""
    for name in ("Aside.txt", f"{NAME}.txt"):
        (folder("work") / name).write_text("nothing")

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
    (filed,) = runs.reviews(runs.find(run)["run"])
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
    assert runs.reviews(runs.find(run)["run"]) == []
