"""A label with one slip still says what its value is; another word does not."""

import pytest

from assay.privacy.detection import personal_misspellings
from assay.privacy.detection.personal_misspellings import LABELS, WORDS, within_one_edit


def found(text):
    """Types and values behind misspelt labels."""
    return {(span.type, text[span.start : span.end]) for span in personal_misspellings.find(text)}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("the oeder id is EK-536017.", "ORDER_ID", "EK-536017"),
        ("my order numbr: 99-881", "ORDER_ID", "99-881"),
        ("The confirmaton is KX99-2", "ORDER_ID", "KX99-2"),
        ("please note odrer #4711", "ORDER_ID", "4711"),
        ("my acount number is C-25340 ok", "ACCOUNT_ID", "C-25340"),
        ("Custoner no. 88123", "ACCOUNT_ID", "88123"),
        ("my pasword is Hunter2!", "SECRET", "Hunter2!"),
        ("apssword: zz9-x", "SECRET", "zz9-x"),
    ],
)
def test_one_slip_leaves_a_label(text, kind, value):
    """A letter too many, too few, wrong, or two exchanged, in the label or in its "number"."""
    assert found(text) == {(kind, value)}


@pytest.mark.parametrize(
    "text",
    [
        "contact: 12345678", "police number 101-202", "the older 4711", "my oeder 4711", "oeder total is 123.99",
        "ordr id is late", "the pasword is wrong", "roder nubr is ABC-123-", "preference number 12345",
    ],
)  # fmt: skip
def test_another_word_is_no_label(text):
    """A word of its own, two slips, no "number" or "is", or a value that is none."""
    assert found(text) == set()


@pytest.mark.parametrize(
    ("word", "other", "near"),
    [
        ("order", "order", True), ("oder", "order", True), ("orderr", "order", True), ("oeder", "order", True),
        ("odrer", "order", True), ("rdoer", "order", False), ("", "a", True), ("", "ab", False), ("ba", "ab", True),
    ],
)  # fmt: skip
def test_an_edit_is_one_letter_or_two_exchanged(word, other, near):
    """Restricted Damerau-Levenshtein distance of at most one, either way round."""
    assert within_one_edit(word, other) is within_one_edit(other, word) is near


def test_every_exception_is_needed():
    """A word that is near no label would only be clutter."""
    labels = [label for words in LABELS.values() for label in words]

    assert [word for word in sorted(WORDS) if not any(within_one_edit(word, label) for label in labels)] == []
