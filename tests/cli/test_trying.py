"""A suite is tried on data before anybody runs anything; the answer has counts and ids, and no value."""

import json
from pathlib import Path

import pytest

from assay.spec import DOORWAYS
from cli.main import main
from tests.flows import small

SUITE = """\
suite: raw
version: 1
owner: steward@acme.example
max_quarantine: {limit}
checks:
  - id: RAW-1
    expect: column_values_to_not_be_blank
    column: prompt
    why: Nothing can be learned from silence.
    on_fail: quarantine
  - id: RAW-2
    expect: column_values_to_satisfy_json_schema
    column: completion
    parameters: {{schema: form}}
    why: The form of the answer is what is learned.
    on_fail: quarantine
"""
WAIVERS = """\
waivers:
  - {check: RAW-1, reason: Known., who: jane, until: 2999-12-31, up_to: 50}
  - {check: RAW-2, reason: Known., who: jane, until: 2000-01-01}
"""
COLUMNS = ("--columns", "prompt=message,completion=answer,id=ticket")


@pytest.fixture(autouse=True)
def room(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a suite, a schema, and ninety tickets of which seven are silent and one is broken."""
    monkeypatch.chdir(tmp_path)
    rows = small.rows(90)
    for row in rows[10:17]:
        row["message"] = "  "
    rows[20]["answer"] = "no JSON from " + small.SECRET
    small.write_jsonl(tmp_path / "tickets.jsonl", rows)
    (tmp_path / "raw.yml").write_text(SUITE.format(limit="20%"))
    (tmp_path / "schema.json").write_text(json.dumps(small.SCHEMA))
    (tmp_path / "waivers.yml").write_text(WAIVERS)
    return tmp_path


def tried(*words: str, suite: str = "raw.yml", data: str = "tickets.jsonl") -> int:
    """The exit status of ``assay expectations try``."""
    return main(["expectations", "try", suite, data, *words])


def test_what_fails_is_counted_and_named_and_never_quoted(monkeypatch: pytest.MonkeyPatch, capsys):
    """A run would go on without these rows, so the exit status is that of success."""
    monkeypatch.setenv("COLUMNS", "160")
    assert tried(*COLUMNS, "--schema", "schema.json") == 0

    told = capsys.readouterr()
    lines = told.out.splitlines()
    first = next(line for line in lines if line.startswith("RAW-1"))
    assert first.split()[:4] == ["RAW-1", "failed", "7", "90"]
    assert "prompt must say something" in first
    assert first.endswith("t-10, t-11, t-12, t-13, t-14 and 2 more")
    assert next(line for line in lines if line.startswith("RAW-2")).endswith("t-20")
    assert lines[-2:] == ["QUARANTINE: suite raw, version 1, on 90 rows", "  - 8 of 90 rows are set aside"]
    assert small.SECRET not in told.out + told.err


def test_what_would_stop_a_run_has_an_exit_status_of_its_own(room: Path, capsys):
    """Above the suite's limit; and a check that could not run, since nobody gave it the schema."""
    (room / "raw.yml").write_text(SUITE.format(limit="5%"))
    assert tried(*COLUMNS, "--schema", "schema.json") == 3
    assert "STOP: suite raw" in capsys.readouterr().out

    (room / "raw.yml").write_text(SUITE.format(limit="20%"))
    assert tried(*COLUMNS) == 3
    assert "RAW-2 could not run" in capsys.readouterr().out


def test_rows_without_an_id_are_named_by_their_place(capsys):
    """Counted from one."""
    assert tried("--columns", "prompt=message,completion=answer", "--schema", "schema.json") == 0
    assert "row 21" in capsys.readouterr().out


def test_a_waiver_in_force_lets_pass_and_one_that_is_over_does_not(capsys):
    """As a run would take them."""
    assert tried(*COLUMNS, "--schema", "schema.json", "--waivers", "waivers.yml", "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert [finding["waived"] for finding in found["findings"]] == [True, False]
    assert [standing["in_force"] for standing in found["waivers"]] == [True, False]
    assert list(found["quarantined"]) == ["t-20"]


def test_a_waiver_of_a_check_that_no_suite_has_is_refused(room: Path, capsys):
    """As a run would refuse it; the suites beside the waivers are known, for the file serves them all."""
    line = "  - {check: RED-1, reason: Known., who: jane, until: 2999-12-31}\n"
    (room / "waivers.yml").write_text(WAIVERS + line)
    words = (*COLUMNS, "--schema", "schema.json", "--waivers", "waivers.yml")

    assert tried(*words) == 2
    assert "waivers: found a waiver of RED-1, which no suite has" in capsys.readouterr().err

    (room / "redacted.yml").write_text(SUITE.format(limit="20%").replace("RAW-", "RED-"))
    assert tried(*words) == 0


def test_a_recipe_brings_its_sources_its_schema_and_its_waivers(room: Path, capsys):
    """Nothing has to be named twice, and nothing is kept."""
    tree = small._tree("0" * 64)
    small.write_jsonl(room / "heldout.jsonl", small.rows(30, side="h"))
    (room / "recipe.yaml").write_text(json.dumps(tree))
    for name in DOORWAYS[1:]:
        (room / f"{name}.yml").write_text(SUITE.format(limit="20%").replace("RAW-", f"{name}-"))

    assert tried("--json", data=".") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 120
    assert [finding["failed"] for finding in found["findings"]] == [7, 1]
    assert found["findings"][0]["waived"]

    (room / "waivers.yml").write_text(WAIVERS.replace("RAW-2", "RAW-3"))
    assert tried("--json", data=".") == 2
    assert "found a waiver of RAW-3, which no suite has" in capsys.readouterr().err

    assert tried(*COLUMNS, data="recipe.yaml") == 2
    assert "--columns: found it beside a recipe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--columns", "prompt"), "--columns: found no list of pairs"),
        (("--columns", "prompt=message,prompt=answer"), "--columns: found no list of pairs"),
        (("--columns", "prompt=text"), "tickets.jsonl: found no column 'text' among 5"),
        (("--schema", "nowhere.json"), "schema: found nothing at nowhere.json"),
        (("--schema", "tickets.jsonl"), "schema: found no JSON at tickets.jsonl"),
        (("--waivers", "raw.yml"), "raw.yml:1: waivers: key `waivers` is missing"),
    ],
)
def test_what_was_typed_wrong_is_told(words: tuple[str, ...], says: str, capsys):
    """As bad input."""
    assert tried(*words) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"assay: {says}")
    assert small.SECRET not in told
