"""What ``assay decide`` prints: every way, what is advised, why, and what would change it."""

import sys
from pathlib import Path

import pytest

from assay.errors import RecipeError
from assay.reporting.approaches import Content
from cli import deciding, looking
from tasks import deciding as steps
from tasks import ledgers
from tasks.places import folder, store
from tests.assay.reporting.test_approaches import advised, content


def told(found: Content, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed of a decision."""
    deciding.tell(found, sys.stdout)
    return capsys.readouterr().out


def test_every_way_is_a_row_and_the_advice_follows(capsys):
    """With the reasons, and what would change it."""
    lines = told(content(), capsys).splitlines()

    assert lines[1].startswith("WAY")
    assert lines[2].split("  ")[0] == "zero-shot"
    assert any(line.startswith("fine-tuned on 50 %") and line.rstrip().endswith("-") for line in lines)
    assert "advice    Fine-tune: it is better." in lines
    assert "because   So it is." in lines
    assert "change    A better prompt." in lines
    assert "examples  More examples would pay." in lines
    assert "asked     200 test records, locked as dddddddddddd" in lines


def test_a_thousand_requests_are_priced_if_the_recipe_names_a_price(capsys):
    """A thousand of 0.45 device-seconds at 8 an hour."""
    price = {"device_hour": 8.0, "currency": "EUR", "as_of": "2026-11-01"}

    assert "1 EUR" in told(content(price=price), capsys)
    assert "EUR" not in told(content(), capsys)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("form", "begins"), [("md", "### Fine-tune: small"), ("json", "{")])
def test_a_decision_is_printed_for_a_pull_request_or_a_machine(form, begins, capsys):
    """And nothing else is, so that it can be piped; its page has both beside it."""
    filed, page = (store().put(kind, data) for kind, data in (("decision", made()), ("decision-page", b"<p>")))
    record = {"run": "dec123", "weighed": filed.digest, "page": "decisions/dec123.html", "page_digest": page.digest}
    ledgers.file(steps.LEDGER, record | {"ended": "2026-11-20T18:00:00+00:00", "recipe": "small"})
    looking.show("dec", form)

    assert capsys.readouterr().out.startswith(begins)
    steps.build()
    laid_out = {path.name for path in (folder("reports") / "decisions").iterdir()}
    assert laid_out == {"dec123.html", "dec123.md", "dec123.json"}


def made() -> bytes:
    """A decision as it is filed."""
    return content().model_dump_json().encode()


def test_a_decision_is_a_row_among_what_was_done():
    """With what was advised, or that it failed."""
    record = {"run": "0123456789", "ended": "2026-11-20T18:00:00+00:00", "recipe": "small"}

    assert deciding.row(record | {"ways": 3, "advice": "fine_tune", "arm": "fine-tuned"})[3:] == (
        "3", "fine tune: fine-tuned",
    )  # fmt: skip
    assert deciding.row(record | {"error": "RecipeError: x"})[3:] == ("-", "failed")


def test_a_comparison_that_failed_is_shown_with_its_reason(capsys):
    """There is no page of it."""
    deciding.show({"run": "0123456789", "ended": "now", "recipe": "small", "error": "RecipeError: found nothing"})

    assert "failed    RecipeError: found nothing" in capsys.readouterr().out


def test_a_recipe_that_is_not_there_is_told_before_anything_starts(home, tmp_path: Path):
    """With the path."""
    with pytest.raises(RecipeError, match=r"none\.yaml"):
        deciding.decide(str(tmp_path / "none.yaml"), [], as_json=False)


def test_advice_that_is_undecided_reads_as_such(capsys):
    """The sentence is the recommendation's own."""
    found = content(recommendation=advised(advice="undecided", arm="few-shot", sentence="Undecided: too few."))

    assert "advice    Undecided: too few." in told(found, capsys)
