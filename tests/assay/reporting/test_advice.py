"""A decision is told in a pull request and to a machine as its page tells it."""

import json

from assay.reporting import advice, wording
from tests.assay.reporting.test_approaches import advised, content

PRICE = {"device_hour": 8.0, "currency": "EUR", "as_of": "2026-11-01"}


def test_the_advice_stands_on_top_and_every_way_is_a_row():
    """The one to take is bold; what was ruled out says why; what was not timed is not known."""
    said = advice.markdown(content(price=PRICE)).splitlines()

    assert said[0] == "### Fine-tune: small"
    assert said[2] == "Fine-tune: it is better."
    rows = [line for line in said if line.startswith("| ") and "Way" not in line]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [
        "zero-shot (its answers lack the form)", "few-shot", "**fine-tuned**", "fine-tuned on 50 %",
    ]  # fmt: skip
    assert rows[2].rstrip(" |").endswith("1.00 EUR")
    assert rows[3].rstrip(" |").endswith(wording.UNKNOWN)
    assert "- A better prompt." in said
    assert any(line.startswith("- Whether a better prompt would do") for line in said)
    assert "sha256 `dddddddddddd`; again with `assay decide small`" in said[-1]


def test_what_is_quoted_makes_no_markup():
    """A recipe's name and a way's are people's words."""
    fields = {"name": "a [b](https://c.example) @d", "command": "assay decide `x`"}
    said = advice.markdown(content(recommendation=advised(sentence="so | **it** is"), **fields))

    assert "https://" not in said
    assert "@d" not in said
    assert "so \\| \\*\\*it\\*\\* is" in said
    assert "`assay decide 'x'`" in said


def test_a_machine_reads_the_same():
    """The advice by name, the pairs it rests on, and every way."""
    told = json.loads(advice.summaries(content())["json"])

    assert told["schema"] == "assay-decision/1"
    assert (told["advice"], told["arm"]) == ("fine_tune", "fine-tuned")
    assert told["tested"][0]["break_even"] == 12345
    assert [way["name"] for way in told["ways"]][:2] == ["zero-shot", "few-shot"]
    assert told["ways"][0]["per_thousand"] is None
    assert told["learning_curve"]["outlook"] == "pays"
    assert told["environment"] == {"device": "cpu", "threads": 2}
    assert told["not_known"]
