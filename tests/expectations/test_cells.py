"""Each rule over one text, and what it must not be fooled by."""

import json

import pytest

from expectations.cells import has_words, is_in_language, is_not_blank, satisfies
from tests.expectations.conftest import SCHEMA


@pytest.mark.parametrize(
    ("completion", "passes"),
    [
        ('{"label": "billing"}', True),
        ('{"label": "other"}', False),
        ('{"label": "billing", "label": "hardware"}', False),
    ],
)
def test_an_answer_satisfies_the_schema_or_fails(completion, passes):
    """A key given twice is two answers."""
    try:
        assert satisfies(completion, json.dumps(SCHEMA)) is passes
    except ValueError:
        assert not passes


def test_a_text_too_short_to_judge_passes():
    """Language is told from enough words only."""
    assert is_in_language("Guten Tag", ["en"], 12, 0)
    assert not is_in_language(
        "Guten Tag, mein Drucker ist seit heute morgen kaputt, bitte kommen Sie bald vorbei", ["en"], 12, 0
    )


def test_what_cannot_be_seen_is_blank():
    """Zero-width characters fill a cell without saying anything."""
    assert not is_not_blank(" \n\u200b\ufeff\u00a0")
    assert is_not_blank(" . ")


def test_an_apostrophe_does_not_part_a_word():
    """Both the typewriter's and the printer's."""
    assert has_words("it's the printer\u2019s turn", 4, 4)
