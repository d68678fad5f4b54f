"""A steward lints, reads and compares suites without reading a program."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import main as command_line

SUITE = """\
suite: raw
version: {version}
owner: steward@acme.example
max_quarantine: 10%
checks:
  - id: RAW-010
    expect: column_values_to_not_be_blank
    column: prompt
    why: A ticket without a message has nothing to answer.
    on_fail: stop
  - id: RAW-030
    expect: column_values_to_be_in_set
    column: licence
    parameters: {{value_set: [{licences}]}}
    where: {{column: channel, is: email}}
    why: Only licences cleared by Legal.
    on_fail: quarantine
    allow: {allow}
"""
PLAIN = {"version": 1, "licences": "internal", "allow": "0%"}
WAIVER = "  - {{check: {check}, reason: Legal has seen it., who: jane, until: {until}}}\n"


@pytest.fixture(autouse=True)
def room(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder of expectations that holds one good suite."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "expectations"
    folder.mkdir()
    (folder / "raw.yml").write_text(SUITE.format(**PLAIN))
    return folder


def typed(*words: str) -> int:
    """The exit status of ``assay expectations`` with these words."""
    return command_line.main(["expectations", *words])


def in_days(days: int) -> str:
    """A day seen from today, in UTC."""
    return (datetime.now(UTC).date() + timedelta(days)).isoformat()


def waive(room: Path, **until: str) -> None:
    """Write waivers of these checks, their ids without the hyphen."""
    lines = [WAIVER.format(check=check.replace("_", "-"), until=day) for check, day in until.items()]
    (room / "waivers.yml").write_text("waivers:\n" + "".join(lines) if lines else "waivers: []\n")


def test_a_good_folder_is_a_line_for_each_file(room: Path, capsys):
    """With what it holds, so that a check that got lost is missed."""
    waive(room)

    assert typed("lint") == 0
    assert capsys.readouterr().out.splitlines() == [
        "expectations/raw.yml: suite raw, version 1: 2 checks",
        "expectations/waivers.yml: 0 waivers",
    ]


def test_every_mistake_of_every_file_is_a_line_that_an_editor_can_jump_to(room: Path, capsys):
    """File, line, check, reason; good files are told all the same."""
    (room / "redacted.yml").write_text(SUITE.format(**PLAIN).replace("on_fail: stop", "on_fail: alarm"))
    (room / "waivers.yml").write_text("# none\nwaivers:\n  - check: RAW-010\n    until: soon\n")

    assert typed("lint") == 2
    assert capsys.readouterr().out.splitlines() == [
        "expectations/raw.yml: suite raw, version 1: 2 checks",
        "expectations/redacted.yml:10: RAW-010: `on_fail` must be one of stop, quarantine, warn",
        "expectations/waivers.yml:3: RAW-010: key `reason` is missing",
        "expectations/waivers.yml:3: RAW-010: key `who` is missing",
        "expectations/waivers.yml:4: RAW-010: `until` must be a day that there is, as in 2026-12-31",
    ]
    assert typed("lint", "expectations/raw.yml") == 0
    assert typed("lint", "expectations/redacted.yml") == 2


def test_a_waiver_that_ends_within_a_fortnight_or_is_over_is_spoken_of(room: Path, capsys):
    """It is no mistake, so the exit status stays."""
    waive(room, RAW_010=in_days(14), RAW_030=in_days(15))
    assert typed("lint") == 0
    told = capsys.readouterr().out
    assert f"warning: RAW-010: the waiver ends in 14 days, on {in_days(14)}; jane answers for it" in told
    assert "warning: RAW-030" not in told

    waive(room, RAW_010=in_days(0), RAW_030=in_days(-1))
    assert typed("lint") == 0
    told = capsys.readouterr().out
    assert "warning: RAW-010: the waiver ends today; jane answers for it" in told
    assert f"warning: RAW-030: the waiver is over since {in_days(-1)}; remove it, or decide anew" in told


def test_a_waiver_of_more_than_a_year_is_spoken_of(room: Path, capsys):
    """What is let pass for good belongs into the suite."""
    waive(room, RAW_010=in_days(366), RAW_030=in_days(367))

    assert typed("lint") == 0
    told = capsys.readouterr().out
    assert "warning: RAW-010" not in told
    assert f"warning: RAW-030: the waiver lasts until {in_days(367)}, for more than a year; name a nearer day" in told


def test_a_waiver_of_a_check_that_is_in_no_suite_is_a_mistake_where_all_were_read(room: Path, capsys):
    """A run would refuse it; of one file alone nobody can say."""
    waive(room, RAW_011=in_days(100))

    assert typed("lint") == 2
    assert "waivers.yml: waivers: found a waiver of RAW-011, which no suite has" in capsys.readouterr().out
    assert typed("lint", "expectations/waivers.yml") == 0


def test_reading_suites_leaves_nothing_behind(room: Path, home: Path):
    """A checkout may be read-only, and a look is not a run."""
    assert (typed("lint"), typed("show", "raw"), typed("diff", "raw", "raw")) == (0, 0, 0)

    assert not home.exists()
    assert [path.name for path in room.parent.rglob("*")] == ["expectations", "raw.yml"]


def test_nothing_to_lint_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """Rather than a clean bill."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")

    assert typed("lint") == 2
    assert "assay: expectations: found no .yml in expectations; expected suites" in capsys.readouterr().err
    assert typed("lint", "nowhere.yml") == 2
    assert "found nothing at nowhere.yml" in capsys.readouterr().err
    assert typed("lint", ".") == 2


def test_a_suite_is_shown_as_a_table_that_fits_its_terminal(monkeypatch: pytest.MonkeyPatch, capsys):
    """By file or by name; every word of it at any width."""
    for width, name in (("100", "raw"), ("60", "expectations/raw.yml"), ("40", "raw")):
        monkeypatch.setenv("COLUMNS", width)
        assert typed("show", name) == 0
        told = capsys.readouterr().out
        assert max(map(len, told.splitlines()[3:])) <= int(width)
        words = " ".join(told.split())
        for word in ("RAW-010", "prompt", "licence", "quarantine", "cleared", "'internal'", "'email'"):
            assert word in words
    monkeypatch.setenv("COLUMNS", "200")
    typed("show", "raw")
    table = capsys.readouterr().out.splitlines()
    assert table[0] == "suite raw, version 1, 2 checks; owner steward@acme.example"
    assert table[3].split()[:2] == ["ID", "COLUMN"]
    assert "only rows with channel 'email'" in "\n".join(table)


def test_a_suite_that_is_not_there_is_told_with_those_that_are(capsys):
    """One line."""
    assert typed("show", "rawr") == 2
    assert capsys.readouterr().err == (
        "assay: suite: found nothing at rawr; expected a file, or a name out of expectations: raw.\n"
    )


def test_two_versions_are_compared_in_words(room: Path, capsys):
    """And a version that was not raised is flagged."""
    (room / "next.yml").write_text(SUITE.format(**PLAIN | {"licences": "internal, MIT", "allow": "2%"}))

    assert typed("diff", "raw", "expectations/next.yml") == 0
    assert capsys.readouterr().out.splitlines() == [
        "warning: suite: version is still 1 although something changed; raise it to 2",
        "RAW-030: value_set gained 'MIT'",
        "RAW-030: may fail in 0 % → 2 % of the rows",
    ]
    assert typed("diff", "raw", "raw") == 0
    assert capsys.readouterr().out == "both ask the same: the files are the same\n"


def test_the_version_that_is_committed_can_be_piped_in(monkeypatch: pytest.MonkeyPatch, capsys):
    """``git show HEAD:expectations/raw.yml | assay expectations diff - raw``."""
    piped = io.BytesIO(b"# as committed\n" + SUITE.format(**PLAIN).encode())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=piped))

    assert typed("diff", "-", "raw") == 0
    assert capsys.readouterr().out == "both ask the same: only comments, layout or order differ\n"
