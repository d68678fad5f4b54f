"""Two versions are compared by name, and what came of it is printed, filed and found again."""

import argparse
import io
import json

import pytest

from cli import comparing, looking
from tasks import comparing as steps
from tasks import ledgers, runs, telling
from tasks.places import folder
from tests.assay.reporting import verdicts
from tests.cli.test_looking import FAILED, JUDGED, RECORD


def filed(store) -> dict:
    """A comparison that is over, as its flow files it."""
    content = verdicts.versions()
    sides = [{"name": f"support-triage {n}", "model": "support-triage", "version": n, "identity": "i"} for n in (2, 3)]
    record = {
        "run": "cab456", "ended": "2026-11-20T12:00:00", "before": sides[0], "after": sides[1], "recipe": "small",
        "asked": "Both answers were on file.", "verdict": "refused", "sentence": "Refused: x.", "reasons": ["y"],
        "criteria": [], "metrics": {"baseline": {"exact_match": 0.1}, "candidate": {"exact_match": 0.2}},
        "page": "comparisons/a-b.html", "page_digest": store.put("report", b"<p>page</p>").digest,
        "content_digest": telling.file(content).digest,
    }  # fmt: skip
    ledgers.file(steps.LEDGER, record)
    return record


def test_the_command_takes_two_versions_and_what_asks_them():
    """By any name, with a recipe and settings if need be."""
    parser = argparse.ArgumentParser()
    comparing.add(parser.add_subparsers())
    chosen = parser.parse_args(["compare", "production", "3", "--set", "gate.min_gain=0", "--json"])

    assert (chosen.first, chosen.second, chosen.settings) == ("production", "3", ["gate.min_gain=0"])
    assert (chosen.model, chosen.recipe, chosen.json) == (None, None, True)


def test_a_comparison_is_printed_with_both_names_and_the_gates_word(store):
    """Numbers first, then the verdict and why."""
    out = io.StringIO()
    comparing.tell(filed(store), out)

    assert "before    support-triage 2\nafter     support-triage 3" in out.getvalue()
    assert "verdict   REFUSED: x.\n          - y" in out.getvalue()
    assert json.loads(json.dumps(comparing.line(filed(store))))["verdict"] == "refused"


def test_a_comparison_is_found_by_its_id_and_listed(store, capsys):
    """As a sweep is; its page is laid out with Markdown and JSON beside it."""
    filed(store)
    looking.show("cab")
    looking.list_all()
    said = capsys.readouterr().out

    assert "compared  cab456" in said
    assert "reports/comparisons/a-b.html" in said
    assert "cab456      2026-11-20T12:00:00  support-triage 2  support-triage 3  refused" in said
    assert {path.name for path in (folder("reports") / "comparisons").iterdir()} == {"a-b.html", "a-b.md", "a-b.json"}


def test_a_comparison_that_failed_says_why_and_is_listed(store, capsys):
    """It has no page, and stands in nobody's way."""
    record = {"run": "bad789", "ended": "2026-11-20T12:30:00", "recipe": None, "first": "1", "second": "7"}
    ledgers.file(steps.LEDGER, record | {"error": "RegistryError: found 0 versions named '7'"})
    filed(store)
    steps.build()
    looking.show("bad")
    looking.list_all()
    said = capsys.readouterr().out

    assert "before    1\nafter     7\nfailed    RegistryError: found 0 versions named '7'" in said
    assert "bad789      2026-11-20T12:30:00  1                 7                 failed" in said


def test_pages_of_comparisons_can_be_made_anew(store):
    """Nothing is on a page alone; what the store lost is left out."""
    record = filed(store)
    ledgers.file(steps.LEDGER, record | {"run": "gone", "page": "comparisons/gone.html", "page_digest": "0" * 64})
    steps.build()

    assert sorted(path.name for path in (folder("reports") / "comparisons").glob("*.html")) == ["a-b.html"]


@pytest.mark.parametrize(("form", "begins"), [("md", "### ✕ Refused"), ("json", "{")])
def test_a_report_is_printed_for_a_pull_request_or_a_machine(store, capsys, form, begins):
    """And nothing else is, so that it can be piped."""
    digest = telling.file(verdicts.content()).digest
    runs.file(RECORD | JUDGED | {"pages": {"report": "r.html", "content_digest": digest}})
    looking.show("latest", form)

    assert capsys.readouterr().out.startswith(begins)
    filed(store)
    looking.show("cab", form)
    assert "support-triage 3" in capsys.readouterr().out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("ended", [JUDGED, FAILED], ids=["of long ago", "failed"])
def test_a_run_without_a_report_on_file_says_so(ended):
    """Its page may be there; what it was made of is not."""
    from assay.errors import DataError

    runs.file(RECORD | ended)
    with pytest.raises(DataError, match="abc: found no report on file that can be told as md"):
        looking.show("abc", "md")
