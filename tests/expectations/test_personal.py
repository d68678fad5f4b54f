"""Personal data by form, and by what the source knows, and what they must not be fooled by."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.personal import _FINDERS, _SIGNS, holds_no_known_value, holds_no_personal_data
from tests.expectations.conftest import ENGLISH

PERSONAL = [
    "write to anna.berg@mail.example.com please",
    "anna@bücher.example",
    "full width: anna\uff20example.com",
    "hidden: an\u200bna@exam\u200bple.com",
    r'{"reply": "anna\u0040example.com"}',
    "card 4111 1111 1111 1111 expires",
    "5500-0000-0000-0004",
    "pay DE89 3704 0044 0532 0130 00 today",
    "GB29NWBK60161331926819.",
    "nl91abna0417164300 and then some",
    "call +49 30 901820 now",
    r"{\"reply\": \"\n+1 (415) 555-0132\"}",
    "0049 151 23456789",
    "020 7946 0958",
    "(030) 901 820 11",
    "415-555-0132",
    "07911123456",
    "06 39 98 61 10",
    "ssn 219-09-9999",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_data_are_told_by_form(text):
    """Escapes, widths and invisible characters do not hide them."""
    assert not holds_no_personal_data(text)


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        "[PERSON_1] wrote from [EMAIL_ADDRESS_2], card [CARD_1]",
        "order 4111 1111 1111 1112 was not paid",
        "ticket 2026-04-17 10:15:00, build 1.24.1, 192.168.0.10",
        "DE00370400440532013000",
        "invoice INV-2026-000123 of 1,250.00 EUR",
        "meet @ 10, or mail us @support",
        "error 0x80070005 at 00000000-0000-0000-0000-000000000000",
        '{"order": "A-1002345", "amount": 100.50}',
    ],
)
def test_what_only_looks_like_personal_data_passes(text):
    """A gate that cries wolf is switched off."""
    assert holds_no_personal_data(text)


def test_a_sign_is_in_every_text_in_which_something_is_found():
    """Signs save time and nothing else; a thousand spellings of each kind are told by both."""
    dice = random.Random(0)
    found = dict.fromkeys(_FINDERS, 0)
    for _ in range(10_000):
        text = list(dice.choice(PERSONAL))
        for _ in range(dice.randrange(4)):
            text[dice.randrange(len(text))] = dice.choice("0123456789 -./()+@aZ\u0661")
        for kind, finder in _FINDERS.items():
            if finder("".join(text)):
                found[kind] += 1
                assert _SIGNS[kind]("".join(text)), (kind, "".join(text))
    assert all(found.values())


LONG_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}")
"""An address with all of its local part, which is slow to look for."""


@settings(max_examples=500, deadline=None)
@given(st.text("ab1.-_+@ ·é\n", max_size=24))
def test_an_address_is_told_by_what_stands_around_its_sign(text):
    """One character before it is as good as all."""
    assert bool(_FINDERS["email"](text)) == bool(LONG_EMAIL.search(text))


@pytest.mark.parametrize("unit", ["a·", "a@", "a.", "a-", "+1 (", "DE11 ", "[A_", "\\u00"])
def test_no_text_takes_time_by_the_square(unit):
    """Twenty thousand characters in well under a second, with a sign in the middle."""
    text = f"{unit * (10_000 // len(unit))}@{unit * (10_000 // len(unit))}"
    before = time.process_time()

    assert holds_no_personal_data(text)
    assert time.process_time() - before < 0.5


def test_only_the_kinds_asked_for_are_looked_for():
    """A suite may allow telephone numbers and still refuse addresses."""
    assert holds_no_personal_data("call +49 30 901820", ["email"])


@pytest.mark.parametrize("text", ["ask ANNA  berg.", "Ａｎｎａ Berg", r'{"a": "Anna\nBerg"}'])  # noqa: RUF001
def test_a_known_value_is_found_in_any_spelling(text):
    """Case, width, escapes and white space are folded."""
    assert not holds_no_known_value(text, ["Anna Berg"])


def test_a_known_value_is_a_whole_word_and_not_a_placeholder():
    """``Ann`` is not in ``annual``, nor in a placeholder that happens to spell it."""
    assert holds_no_known_value("annual report of [ANN_1]", ["Ann", "Li", ""])


def test_what_is_known_must_be_a_list():
    """Text would be read letter by letter, and letters are everywhere or nowhere."""
    with pytest.raises(TypeError):
        holds_no_known_value("Anna", "Anna")
