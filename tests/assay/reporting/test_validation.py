"""A steward sees what was found, what followed and how it went before; and nothing from a row."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from assay.reporting import charts
from assay.reporting.content import Suite
from assay.reporting.validation import Links, Past, page
from expectations.outcome import Outcome, to_json
from tests.assay.reporting.test_report import MARKUP, parsed

CHROMIUM = Path("/usr/bin/chromium")
LINKS = Links(index="../../index.html", report="../../small-1.html", card="../../datasets/1/card.html")
WAIVER = {
    "check": "RAW-031", "reason": "The forms are being scanned.", "who": "jane@acme.example", "until": "2026-12-31",
    "rows": ["T-7", "T-8"], "up_to": None,
}  # fmt: skip
EXPIRED = WAIVER | {"check": "RAW-004", "until": "2026-01-31", "rows": [], "up_to": 20}
FINDING = {
    "id": "RAW-001", "expect": "column_values_to_not_be_blank", "asks": "must say something", "column": "prompt",
    "why": "Silence teaches nothing.", "on_fail": "quarantine", "allow": 0.0, "evaluated": 1000, "failed": 0,
    "could_not_run": False, "passed": True, "note": "", "ids": [],
}  # fmt: skip
FINDINGS = [
    FINDING,
    FINDING | {"id": "RAW-004", "failed": 60, "passed": False, "ids": [f"T-{i}" for i in range(60)]},
    FINDING | {"id": "RAW-012", "column": None, "on_fail": "stop", "asks": "must have rows",
               "observed": "1000 counted"},
    FINDING | {"id": "RAW-031", "failed": 2, "waived": True, "waiver": WAIVER, "ids": ["T-7", "T-8"],
               "waived_ids": ["T-7", "T-8"]},
    FINDING | {"id": "RAW-040", "could_not_run": True, "passed": False, "note": "the data lack the column",
               "on_fail": "warn"},
]  # fmt: skip
FILED = {
    "suite": "raw", "version": 7, "owner": "a steward", "digest": "9f" * 32, "engine": "great_expectations 1.24.1",
    "max_quarantine": 0.1, "decision": "quarantine", "reasons": ["60 of 1000 rows are set aside"], "rows": 1000,
    "findings": FINDINGS, "quarantined": {f"T-{i}": ["RAW-004"] for i in range(60)},
    "waivers": [{"waiver": WAIVER, "in_force": True}, {"waiver": EXPIRED, "in_force": False}],
}  # fmt: skip


def outcome(**changed: object) -> Suite:
    """What a gate filed, read from its JSON."""
    return Suite.model_validate_json(json.dumps(FILED | changed))


def history(runs: int) -> list[Past]:
    """Earlier runs, oldest first, in which ever more rows failed."""
    return [
        Past(
            run=f"{number:08}-0000", started=f"2026-11-{number:02}T10:00:00+00:00", rows=500, quarantined=number,
            decision="quarantine", failed={"RAW-001": 0, "RAW-004": number, "RAW-012": int(number == 2)},
            evaluated={"RAW-001": 500, "RAW-004": 500, "RAW-012": 500},
        )
        for number in range(1, runs + 1)
    ]  # fmt: skip


def row(written: str, check: str) -> str:
    """A check's row of the first table, without its tags."""
    found = re.search(rf'<tr role="row">\s*<th role="rowheader" scope="row">{check}<.*?</tr>', written, re.DOTALL)
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_a_check_says_its_status_severity_numbers_and_why():
    """In words, so that colour is never the only sign; the worst stands first."""
    written = page(outcome())
    failed, waived, missing = (row(written, check) for check in ("RAW-004", "RAW-031", "RAW-040"))

    assert "failed prompt must say something Silence teaches nothing. sets the row aside 1\u202f000 60 60" in failed
    assert "waived until 2026-12-31" in waived
    assert "2 waived 0" in waived
    assert "could not run" in missing
    assert "Not run: the data lack the column warns 1\u202f000 unknown" in missing
    assert "the data set must have rows Silence teaches nothing. Seen: 1000 counted stops the run" in row(
        written, "RAW-012"
    )
    order = re.findall(r'scope="row">(RAW-\d+)<', written[: written.index("Rows that fail</h2>")])
    assert order == ["RAW-040", "RAW-004", "RAW-031", "RAW-012", "RAW-001"]


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        ("pass", "Passed"),
        ("pass_with_warnings", "Passed with warnings"),
        ("quarantine", "Passed without the rows set aside"),
        ("stop", "Stopped"),
    ],
)
def test_each_decision_has_its_banner(decision: str, word: str):
    """With what follows from it, and why."""
    written = page(outcome(decision=decision))
    banner = re.search(r'<section class="banner.*?</section>', written, re.DOTALL)[0]

    assert f">{word}</h1>" in banner
    assert "60 of 1000 rows are set aside" in banner
    assert f"<title>{word}: raw 7</title>" in written


def test_fifty_failing_rows_are_named_and_the_rest_counted():
    """The page stays short; every id is filed with the run."""
    written = page(outcome())
    folded = re.search(r'<details id="failing-2">.*?</details>', written, re.DOTALL)[0]

    assert "RAW-004: first 50 of 60 failing rows" in folded
    assert folded.count("<li><code>T-") == 50
    assert "and 10 more, filed with the run" in folded


def test_a_waiver_is_shown_with_who_answers_for_it_and_until_when():
    """One that is over is marked as such, and does nothing."""
    written = page(outcome())
    shown = written[written.index('<section id="waivers"') :]

    assert '<span class="word odd">in use</span>' in shown
    assert '<span class="word bad">expired</span>' in shown
    for said in (
        "The forms are being scanned.",
        "jane@acme.example",
        "2026-12-31",
        "2 named rows",
        "any row, up to 20",
    ):
        assert said in shown
    assert "1 in force <small>1 expired</small>" in written
    unused = outcome(waivers=[{"waiver": EXPIRED | {"until": "2030-01-01"}, "in_force": True}])
    assert ">not needed</span>" in page(unused)


def test_a_trend_is_drawn_and_said():
    """Shares of the last runs and this one, oldest first, for eyes and for ears; what was not run is a gap."""
    written = page(outcome(), history(3))

    assert "Share of rows failing in the last 4 runs, oldest first: 0.2\u202f%, 0.4\u202f%, 0.6\u202f%, 6" in written
    assert "now 6\u202f%, most 6\u202f%" in row(written, "RAW-004")
    assert "never a failing row" in row(written, "RAW-001")
    assert "failed in 1 of 4 runs" in row(written, "RAW-012")
    assert "Outcome in the last 4 runs, oldest first: held, failed, held, held" in written
    assert "oldest first: not run, not run, not run, 0.2\u202f%" in written
    assert "never ran" in row(written, "RAW-040")
    assert "Rows in the last 4 runs, oldest first: 500, 500, 500, 1\u202f000" in written
    assert "Share of rows set aside in the last 4 runs, oldest first: 0.2\u202f%, 0.4\u202f%, 0.6\u202f%, 6" in written
    assert "2026-11-03 10:00 UTC" in written


def test_a_trend_goes_back_twenty_runs_in_whatever_order_they_come():
    """This one included."""
    long = history(25)

    assert page(outcome(), long) == page(outcome(), long[::-1]) == page(outcome(), long[6:])
    assert "Last 20 runs" in page(outcome(), long)


def test_a_first_run_has_no_trend_and_says_so():
    """No empty picture."""
    written = page(outcome())

    assert "No earlier run of this suite" in written
    assert "<svg" not in written


def test_a_line_without_axes_breaks_where_nothing_is_known():
    """A gap is not a zero; a value alone is a dot; the limit is dashed within the picture."""
    drawn = charts.sparkline([0.1, None, 0.2, 0.3], "said", limit=0.5)

    assert drawn.count("<circle") == 2
    assert drawn.count("<line x1=") == 1
    assert 'class="limit"' in drawn
    assert all(0 <= float(y) <= 30 for y in re.findall(r'y[12]="([\d.]+)"', drawn))
    assert "nan" not in charts.sparkline([0.0, 0.0], "said")


def test_equal_input_gives_equal_bytes():
    """A page is a function of what was filed."""
    assert page(outcome(), history(4), LINKS) == page(outcome(), history(4), LINKS)


def test_a_gate_and_the_page_agree_on_every_status():
    """Whether the outcome comes as an object or as the JSON that was filed."""
    filed = Outcome.model_validate_json(json.dumps(FILED))
    read = Suite.model_validate_json(to_json(filed))

    assert [check.status for check in read.findings] == [finding.status for finding in filed.findings]
    assert {check.status for check in read.findings} == {"passed", "failed", "waived", "could not run"}
    assert page(Suite.model_validate(filed), history(2)) == page(read, history(2))


def test_an_outcome_from_before_waivers_is_read_as_it_was():
    """What was filed then can be laid out now."""
    old = {name: value for name, value in FILED.items() if name != "waivers"} | {"findings": FINDINGS[:2]}
    written = page(Suite.model_validate(old))
    parsed(written)

    assert [check.status for check in Suite.model_validate(old).findings] == ["passed", "failed"]
    assert "0 in force" in written


def test_nothing_to_show_is_a_page_too():
    """A suite over no rows stops, and its page stands."""
    written = page(outcome(rows=0, findings=[], quarantined={}, waivers=[], decision="stop", reasons=["no rows"]))
    parsed(written)

    assert "no rows" in written
    assert "nan" not in written


def poisoned(markup: str) -> str:
    """A page with markup for every text that somebody else wrote."""
    waiver = WAIVER | {"check": markup, "reason": markup, "who": markup, "until": markup}
    finding = FINDINGS[1] | {
        "id": markup, "asks": markup, "column": markup, "why": markup, "on_fail": markup, "note": markup,
        "observed": markup, "ids": [markup, "T-1"], "waived_ids": [markup], "waiver": waiver,
    }  # fmt: skip
    dirty = outcome(
        suite=markup, owner=markup, digest=markup, engine=markup, reasons=[markup], quarantined={markup: [markup]},
        findings=[finding, finding | {"could_not_run": True}], waivers=[{"waiver": waiver, "in_force": True}],
    )  # fmt: skip
    past = history(1)[0].model_copy(update={"run": markup, "started": markup})
    return page(dirty, [past], Links(index=markup, report=markup, card=markup))


def test_markup_in_any_text_is_shown_and_not_obeyed():
    """Whoever names a column, a class or a row writes no part of the page."""
    written = poisoned(MARKUP)
    tags = parsed(written)

    assert "<img" not in written
    assert "&lt;img src=x" in written
    assert not [name for _, name, _ in tags.attributes if name.startswith("on")]
    assert not [value for _, name, value in tags.attributes if name == "href" and not value.startswith(("#", "./"))]


def opened(written: str, folder: Path) -> str:
    """The document as a browser has it, once it has run what it would run."""
    folder.mkdir()
    (folder / "page.html").write_text(written)
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={folder / 'profile'}",
        "--dump-dom", (folder / "page.html").as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")
def test_markup_in_an_id_does_nothing_in_a_browser(tmp_path: Path):
    """Even without the page's policy; and the same markup unescaped would have done it."""
    attack = "<img src=x onerror=\"document.body.textContent='taken'\">"
    written = poisoned(attack)
    without_policy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", written)

    shown = opened(without_policy, tmp_path / "escaped")

    assert without_policy != written
    assert "<img" not in shown
    assert "&lt;img src=x onerror=" in shown
    assert "Rows that fail" in shown
    body = "<!doctype html><body>{}<p>Rows that fail</p></body>"
    assert "<body>taken</body>" in opened(body.format(attack), tmp_path / "raw")
