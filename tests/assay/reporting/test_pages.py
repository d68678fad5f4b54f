"""Every page is safe to open, legible in both schemes, and can be walked with a keyboard."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assay.reporting import card, measured, pages
from assay.reporting.index import index
from assay.reporting.report import page as report
from assay.reporting.validation import page as validation
from tests.assay.reporting import cards, measurements
from tests.assay.reporting.test_index import runs
from tests.assay.reporting.test_report import content
from tests.assay.reporting.test_validation import LINKS, history, outcome

TEMPLATES = Path(pages.__file__).with_name("templates")
STYLE = (TEMPLATES / pages.STYLE).read_text()
BASE = (TEMPLATES / pages.BASE).read_text()

TEXT = [
    *((colour, "paper") for colour in ("ink", "soft", "link", "good", "odd", "bad")),
    *((colour, "wash") for colour in ("ink", "soft", "link", "good", "odd", "bad")),
    *((colour, f"{colour}-wash") for colour in ("good", "odd", "bad")),
    *(("ink", f"{colour}-wash") for colour in ("good", "odd", "bad")),
    *(("paper", colour) for colour in ("good", "odd", "bad")),
]
DRAWN = [(colour, "paper") for colour in ("first", "second", "kept", "gone", "bad")]

WRITTEN = {
    "report": report(content()),
    "report with redaction": report(content().model_copy(update={"redacting": measurements.redacting()})),
    "card": card.page(cards.full()).replace('href="./croissant.json"', 'href="#main"'),
    "redaction": measured.page(measurements.content()).decode(),
    "redaction refused": measured.page(measurements.content(redacting=measurements.refused(), past=())).decode(),
    "validation": validation(outcome(), history(3), LINKS),
    "index": index(runs(5), 1, 1),
    "older index": index(runs(5), 1, 2),
    "no run": index([], 1, 1),
}


def colours(scheme: str) -> dict[str, str]:
    """The colours of a scheme by name; what the dark one leaves out is that of the light one."""
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in STYLE.split("@media", 2)[:2])
    return light if scheme == "light" else light | dark


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


class Elements(HTMLParser):
    """Collects what is opened, with its attributes."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(written)

    def handle_starttag(self, tag, attrs):
        """Note it."""
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_aa(scheme: str):
    """4.5 to 1 for text, on whatever it stands; 3 to 1 for what is drawn."""
    named = colours(scheme)

    assert len(named) == 17
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert {pair: ratio for pair in TEXT if (ratio := contrast(*(named[name] for name in pair))) < 4.5} == {}
    assert {pair: ratio for pair in DRAWN if (ratio := contrast(*(named[name] for name in pair))) < 3} == {}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_runs_nothing_and_fetches_nothing(name: str):
    """Its policy says so first, and nothing in it asks for more."""
    written = WRITTEN[name]
    elements = Elements(written)

    assert written.startswith("<!doctype html>\n<html lang=")
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:" in written
    assert not re.search(r"<script|<link|https?:|url\(|@import|javascript:", written)
    assert not [tag for tag, given in elements.found if "src" in given or any(key.startswith("on") for key in given)]


@pytest.mark.parametrize("name", WRITTEN)
def test_whatever_can_be_used_can_be_reached_with_a_keyboard(name: str):
    """Links lead somewhere, what folds is a summary, and nothing jumps the queue."""
    elements = Elements(WRITTEN[name])
    skip = next(given for tag, given in elements.found if tag == "a")

    assert (skip["class"], skip["href"]) == ("skip", "#main")
    assert all(given.get("href") for tag, given in elements.found if tag == "a")
    assert {given["tabindex"] for _, given in elements.found if "tabindex" in given} <= {"0"}
    assert [tag for tag, _ in elements.found].count("details") == [tag for tag, _ in elements.found].count("summary")
    assert ":focus-visible { outline: 3px solid" in STYLE
    assert [tag for tag, _ in elements.found].count("main") == 1
    assert [tag for tag, _ in elements.found].count("h1") == 1


@pytest.mark.parametrize("name", WRITTEN)
def test_every_link_within_a_page_has_its_target_once(name: str):
    """And ids are told apart."""
    elements = Elements(WRITTEN[name])
    ids = [given["id"] for _, given in elements.found if "id" in given]
    within = {given["href"][1:] for tag, given in elements.found if tag == "a" and given["href"].startswith("#")}

    assert len(ids) == len(set(ids))
    assert within <= set(ids)


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("../../index.html", "./../../index.html"),
        ("runs/1 2.html", "./runs/1%202.html"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("//elsewhere.example/x", ".///elsewhere.example/x"),
        ('"><b>', "./%22%3E%3Cb%3E"),
    ],
)
def test_a_link_names_no_scheme_and_no_other_host(path: str, link: str):
    """A path from a record of a run stays a path."""
    assert pages.href(path) == link


def test_paper_is_light_and_shows_what_is_folded():
    """What is signed for is printed: nothing stays behind a click, and a digest is written out."""
    paper = STYLE[STYLE.index("@media print") :]

    assert "@media screen and (prefers-color-scheme: dark)" in STYLE
    assert "color-scheme: light" in paper
    assert "details::details-content { content-visibility: visible" in paper
    assert ".digest::after" in paper
    assert "screen and (max-width" in STYLE
