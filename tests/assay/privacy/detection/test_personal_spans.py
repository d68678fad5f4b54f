"""A hit becomes what is to be masked: whole, and no more than that."""

import time

import pytest

from assay.privacy.detection.personal_spans import joined, occurrences, whole
from assay.privacy.patterns import Span


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


@pytest.mark.parametrize("gap", [" ", "      ", "\n\n\n\n\n", "\t \r\n \u00a0 "])
def test_a_known_value_is_found_across_any_white_space(gap):
    """Of words and of numbers; half of an address is an address."""
    address, number = f"12 Elm Road{gap}80331 Oldtown", f"020{gap}7946{gap}0018"

    assert [s[:2] for s in occurrences(address, "12 Elm Road 80331 Oldtown", "ADDRESS", 1.0, known=True)] == [
        (0, len(address))
    ]
    assert (0, len(number)) in [s[:2] for s in occurrences(number, "020 7946 0018", "PHONE", 1.0, known=True)]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("ADDRESS", "a a a a a a a b", "a" + " " * 100_000 + "a "),
        ("ADDRESS", "a a a a a a a b", "a " * 50_000),
        ("PHONE", "1111111112", "1" + " " * 100_000 + "1 "),
        ("PHONE", "1111111112", "1 - " * 25_000 + "1111111112"),
    ],
)
def test_looking_for_a_known_value_takes_time_in_proportion_to_the_text(kind, value, text):
    """White space without end, or the same word again and again."""
    start = time.process_time()
    assert len(set(occurrences(text, value, kind, 1.0, known=True))) <= 1
    assert time.process_time() - start < 1
