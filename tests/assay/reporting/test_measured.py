"""Whoever opens the page sees what redaction was shown to do, why a run was stopped by it, and nothing of a record."""

import json
import re

import pytest

from assay.privacy.measurement import recall
from assay.reporting.measured import SHOWN_RUNS, Content, page
from assay.reporting.redacting import Redacting
from tests.assay.reporting import measurements
from tests.assay.reporting.measurements import content, given, past, redacting, refused
from tests.assay.reporting.test_card import MARKUP, parsed, poisoned, read


def test_a_run_that_passed_says_so_with_its_bounds():
    """In a sentence, in facts, and type by type."""
    said = read(page(content()).decode())

    assert "Shown to be good enough Of 1152 invented values" in said
    assert "The redacted records go on." in said
    assert "Floors shown 10 of 10" in said
    assert "Records that leak at most 2.2% 5 of 496 seen; limit 5%" in said
    assert "PERSON 193 of 195, at least 96.8%, floor 92%" in said
    assert "CITY 48 of 60, at least 69.6%" in said
    assert "What can be done" not in said
    assert "Nobody has read a sample of the redacted rows yet." in said
    assert "1000 rows, all clean 0.3% of rows leak at most" in said


def test_a_run_that_was_stopped_says_why_and_what_can_be_done():
    """Every reason of the gate is there, and what falls short stands on top."""
    found = refused()
    written = page(content(redacting=found)).decode()
    banner = re.search(r'<section class="banner bad".*?</section>', written, re.DOTALL)[0]

    assert "Not shown to be good enough" in banner
    assert "The run ends here" in banner
    assert len(found.reasons) == 4
    assert all(f"<li>{reason}</li>" in banner for reason in found.reasons)
    assert re.findall(r"<b>([A-Z_]+)</b>", written)[:3] == ["IBAN", "PERSON", "ACCOUNT_ID"]
    assert "<strong>Find more of PERSON:</strong>" in written
    assert "<title>Not shown to be good enough: redaction of support-triage</title>" in written


def test_a_type_with_no_floor_says_so_in_words():
    """A dash alone could mean anything."""
    said = read(page(content(redacting=redacting(floors={}, max_over_redaction=None))).decode())

    assert "Floors shown none asked for" in said
    assert said.count("no floor") >= len(measurements.SEEN)
    assert "where nothing is personal; no limit" in said


def test_what_stands_in_the_place_of_each_type_is_told():
    """A placeholder, an invented value, or the value itself; what was found nowhere is named too."""
    said = read(page(content()).decode())

    assert "PERSON placeholder 1403" in said
    assert "EMAIL invented value 120" in said
    assert "URL stays" in said
    assert "found nowhere: SECRET, IBAN, SSN," in said


def test_a_reading_by_a_person_is_shown_with_its_colour_in_words():
    """Clean, or not."""
    sample = {"rows": 300, "leaks": 0, "upper": 0.00994, "who": "jane.doe@acme.example", "day": "2031-02-01"}
    clean = read(page(content(redacting=redacting(sample=sample))).decode())
    dirty = read(page(content(redacting=redacting(sample=sample | {"leaks": 2, "upper": 0.021}))).decode())

    assert "nothing was left jane.doe@acme.example read 300 redacted rows on 2031-02-01" in clean
    assert "something was left jane.doe@acme.example read 300" in dirty


def test_two_detectors_are_compared_with_the_assumptions_in_a_line():
    """Where there is one detector, what it takes is said."""
    said = read(page(content()).decode())
    alone = read(page(content(redacting=redacting(captures=[]))).decode())

    assert "PERSON rampart, en_core_web_md 1380 1363 1340 under 1 0 to 5" in said
    assert "in truth both miss the hard ones, so read it as the least" in said
    assert "Not estimated: that takes a second detector" in alone


def test_the_trend_goes_back_over_the_last_runs():
    """Oldest first, this one last; the limit is drawn."""
    written = page(content(past=past(25)[::-1])).decode()

    assert f"All {SHOWN_RUNS} as numbers" in written
    assert written.count('<tr role="row"><th role="rowheader" scope="row">2026-11-') == SHOWN_RUNS - 1
    assert "2026-11-06 10:00 UTC" not in written
    assert "this run" in written
    assert "No earlier run" in page(content(past=())).decode()


def test_what_was_measured_is_read_whole():
    """The privacy wing's names are the page's, so nothing is lost between the two."""
    found = measurements.measured(measurements.SEEN, 5, 0)
    asked = {"max_leak": 0.05, "profile": "standard"}

    told = Redacting.model_validate({**found.model_dump(), **asked})

    kept = told.model_dump(include=set(recall.Measured.model_fields))
    assert kept == found.model_dump()
    assert told.passed


def test_the_json_that_the_step_files_makes_the_same_page():
    """Nothing is lost on the way through the store."""
    assert page(Content.model_validate_json(content().model_dump_json())) == page(content())
    assert Redacting.model_validate_json(json.dumps(given())) == redacting()


def test_pages_are_linked_by_paths_within_the_reports():
    """Only those that there are."""
    written = page(content()).decode()
    alone = page(content(links={})).decode()

    assert 'href="./../../index.html"' in written
    assert 'href="./../../x.html"' in written
    assert "All runs" not in alone


@pytest.mark.parametrize("sample", [None, {"rows": 3, "leaks": 1, "upper": 0.9, "who": MARKUP, "day": MARKUP}])
def test_markup_in_any_text_is_shown_and_not_obeyed(sample: object):
    """Types, recognisers, reasons and reviewers are named by others."""
    filed = content(redacting=given() | {"sample": sample, "reasons": [MARKUP]}).model_dump(mode="json")
    dirty = poisoned({key: value for key, value in filed.items() if key != "redacting"})
    masked = poisoned({key: value for key, value in filed["redacting"].items() if key != "policy"})
    masked |= {"policy": {MARKUP: "surrogate"}, "floors": {MARKUP: 0.9}}
    dirty["personal"]["counts"] = {MARKUP: 3}
    dirty["past"] = [{**masked, "run": MARKUP, "started": MARKUP}]

    written = page(Content.model_validate(dirty | {"redacting": masked})).decode()
    tags = parsed(written)

    assert "<img" not in written
    assert "&lt;img src=x" in written
    assert "{{ 7 * 7 }}" in written
    assert tags.names.isdisjoint({"img", "script", "link", "iframe", "object", "form", "base"})


def test_equal_content_gives_equal_bytes():
    """Whenever the page is made."""
    assert page(content()) == page(content())
