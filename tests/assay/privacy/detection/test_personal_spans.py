"""A hit becomes what is to be masked: whole, and no more than that."""

import pytest

from assay.privacy.detection.patterns import Span
from assay.privacy.detection.personal_spans import joined, whole


def made(text, value, kind, score=0.7):
    """The text of a span after it was made whole and joined with nothing else."""
    start = text.index(value)
    spans = joined(text, [whole(text, Span(start, start + len(value), kind, score))])
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "hit", "kind", "expected"),
    [
        ("please call Anna Kowalska today", "call Anna Kowalska", "PERSON", "Anna Kowalska"),
        ("ask Jane Doe please", "Jane Doe please", "PERSON", "Jane Doe"),
        ("Mrs. Jane Doe DDS, Elm Inc.", "Jane Doe", "PERSON", "Jane Doe DDS"),
        ("the shop in Old Mossybury", "Mossybury", "CITY", "Old Mossybury"),
        ("the shop in old mossybury", "mossybury", "CITY", "old mossybury"),
        ("the new London shop", "London", "CITY", "London"),
        ("to 4 Elm Road, Leeds,\nUnited Kingdom", "4 Elm Road, Leeds", "ADDRESS", "4 Elm Road, Leeds,\nUnited Kingdom"),
        ("at the corner of 5 Elm Road and Birch Lane.", "5 Elm Road", "ADDRESS",
         "the corner of 5 Elm Road and Birch Lane"),
    ],
)  # fmt: skip
def test_a_hit_grows_over_what_belongs_to_it(text, hit, kind, expected):
    """And shrinks from the words of the sentence."""
    assert made(text, hit, kind) == [expected]


@pytest.mark.parametrize(
    ("text", "hit", "kind"),
    [
        ("a discount from 17 pieces upwards", "17", "ADDRESS"),
        ("the large one, size 46, in oak", "46", "ADDRESS"),
        ("Elm is a 501(c)3 charity", "501", "ADDRESS"),
        ("It smells burnt and hums.", "smells burnt", "PERSON"),
    ],
)
def test_a_guess_against_the_sentence_is_dropped(text, hit, kind):
    """A count is no address, and what "it" does is nobody."""
    assert made(text, hit, kind) == []
    assert made(text, hit, kind, score=0.9) != []


def test_people_in_a_row_are_people():
    """One name that is known names its neighbours."""
    text = "our founders: Bowman, Ana and White."
    start = text.index("Ana")
    spans = joined(text, [Span(start, start + 3, "PERSON", 0.7)])

    assert {text[s.start : s.end] for s in spans} == {"Ana", "Bowman"}


def test_a_house_number_beside_a_name_stays():
    """It may be all that was seen of an address."""
    assert made("we live at Tulipa 5.", "5", "ADDRESS") == ["5"]
