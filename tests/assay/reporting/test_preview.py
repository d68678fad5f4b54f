"""The steward sees what was marked and what became of it, on a page that says what it holds."""

import dataclasses
import re

import pytest

from assay.policy import ENTITY_TYPES
from assay.reporting import pages, preview
from assay.reporting.preview import Passage, Shown, Span, Totals, after, before, page
from tests.assay.reporting.test_pages import Elements

ROW = Shown(
    "T-1",
    (
        Passage("message", "I am Jane <b>\n🙂 x@y.example", "I am [PERSON_1] <b>\n🙂 [EMAIL_1]",
                (Span(5, 9, "PERSON"), Span(16, 27, "EMAIL"))),
        Passage("note", "", "", ()),
    ),
)  # fmt: skip
TOTALS = Totals("tickets.jsonl", 1200, 600, 3, {"EMAIL": 2, "PERSON": 1500})
STYLE = (pages._TEMPLATES / "preview.css").read_text()


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_text_is_cut_and_nothing_of_it_is_lost():
    """Both sides, put together again, are what they were."""
    (passage, empty) = ROW.passages

    assert [(p.text, p.type) for p in before(passage)] == [
        ("I am ", ""), ("Jane", "PERSON"), (" <b>\n🙂 ", ""), ("x@y.example", "EMAIL"),
    ]  # fmt: skip
    assert "".join(piece.text for piece in after(passage)) == passage.redacted
    assert [p.type for p in after(passage) if p.type] == ["PERSON", "EMAIL"]
    assert [*before(empty), *after(empty)] == []


def test_the_page_runs_nothing_and_escapes_everything():
    """Ids, columns and texts are the data's; half a character in an id does not stop it."""
    vile = '"><script>alert(1)</script>'
    row = Shown(f"{vile}\ud800", (Passage(vile, vile, vile, (Span(0, 5, vile),)),))
    written = page([row], Totals(vile, 1, 1, 0, {vile: 1})).decode()

    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:" in written
    assert "<script" not in written
    assert not re.search(r"<link|https?:|url\(|@import|javascript:", written)
    assert not [tag for tag, given in Elements(written).found if "src" in given or any(k[:2] == "on" for k in given)]


def test_the_page_says_what_it_holds_before_anything_else():
    """One heading of the first rank; the figures of the whole file; equal input gives equal bytes."""
    written = page([ROW], TOTALS).decode()

    assert re.search(r"<h1[^>]*>.*This page holds personal data</h1>", written)
    assert [tag for tag, _ in Elements(written).found].count("h1") == 1
    assert "<strong>PERSON</strong> 1\u202f500" in written
    assert written.index("PERSON</strong>") < written.index("EMAIL</strong>")
    assert page([ROW], TOTALS).decode() == written
    assert "0 masked" not in written


def test_every_known_type_has_a_colour_of_its_own_choice():
    """None is left to chance."""
    assert {kind for kinds in preview.GROUPS.values() for kind in kinds} == set(ENTITY_TYPES)
    assert preview.colour("SHOE") == preview.OTHER


@pytest.mark.parametrize("scheme", [0, 1])
def test_marks_are_legible_in_both_schemes(scheme: int):
    """4.5 to 1 for text on what it is marked with."""
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", STYLE.split("@media", 2)[scheme]))

    assert len(named) == 2 * len(preview.GROUPS)
    for group in preview.GROUPS:
        low, high = sorted((luminance(named[group]), luminance(named[f"{group}-ink"])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, group


def test_what_stands_for_something_is_marked_even_if_it_looks_like_a_name():
    """Told by lengths; placeholders of an earlier time are marked too; without lengths, placeholders alone."""
    spans = (Span(3, 7, "PERSON", 6, is_surrogate=True), Span(9, 13, "ORDER_ID", 12))
    passage = Passage("text", "Hi Anna, 7788, [CITY_1]!", "Hi Belomu, [ORDER_ID_1], [CITY_1]!", spans)
    pieces = [(piece.text, piece.type) for piece in after(passage)]

    assert pieces == [
        ("Hi ", ""), ("Belomu", "PERSON"), (", ", ""), ("[ORDER_ID_1]", "ORDER_ID"), (", ", ""), ("[CITY_1]", "CITY"),
        ("!", ""),
    ]  # fmt: skip
    bare = dataclasses.replace(passage, spans=tuple(Span(*span[:3]) for span in spans))
    assert [piece.text for piece in after(bare) if piece.type] == ["[ORDER_ID_1]", "[CITY_1]"]
