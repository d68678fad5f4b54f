"""Which columns are examined, and which only compared."""

import pytest

from assay.privacy.replacement.attributes import is_fixed, is_prose, label, may_be_name, same
from assay.records import Known


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customer_id", "customer id"), ("orderNumber", "order number"), ("date_of_birth", "date of birth"),
        ("last-name", "last name"), ("home_phone", "home phone"), ("zip_code", "zip code"), ("login", "login"),
        ("licence", None), ("channel", None), ("customer_since", None), ("last_login", None), ("product_name", None),
        ("contact", None), ("error_code", None), ("policy", None),
    ],
)  # fmt: skip
def test_a_column_is_a_label_only_if_it_says_that_it_is_personal(name, words):
    """Most names of columns are words that announce something else in a sentence."""
    assert label(name) == words


@pytest.mark.parametrize(
    ("value", "fixed"),
    [
        ("email", True), ("premium plus", True), ("EU", True), ("2026-01-05T10:25:00.123Z", True), ("2026", True),
        ("2026-01", True), ("20260105", True), ("Anna", False), ("2026-13-05", False), ("internal-2026", False),
        ("077-12", False), ("a@b.org", False), ("", False), ("x" * 100_000 + "!", False),
    ],
)  # fmt: skip
def test_a_category_or_a_moment_is_fixed(value, fixed):
    """Anything with a capital, a mark, or a number of its own is examined."""
    assert is_fixed(value) is fixed


@pytest.mark.parametrize(
    ("value", "may"),
    [
        ("Anna Kowalska", True), ("Anna-Maria de la Cruz", True), ("O'Neil, Sue", True), ("North America", True),
        ("Anna", False), ("anna kowalska", False), ("Tier 1", False), ("[PERSON_1] Brown", False), ("", False),
        ("A " * 50_000, False),
    ],
)  # fmt: skip
def test_a_few_capitalised_words_may_be_a_name(value, may):
    """The detector of prose then says whether they are."""
    assert may_be_name(value) is may


def test_a_fixed_value_counts_only_as_a_whole():
    """A single name found in a text may be the category's word by chance; a known one may not."""
    sue, full = Known("PERSON", "Sue"), Known("PERSON", "Sue  East")

    assert same("sue east", [], [sue, full]) == [full]
    assert same("sue", [], [sue, full]) == []
    assert same("sue", [sue], [full]) == [sue]


@pytest.mark.parametrize(
    ("value", "prose"),
    [
        ("Customer Anna called", True), ("Anna de Vries", True), ("One Two Three Four Five Six Seven", True),
        ("'anna' Kowalska", True), ("Anna Kowalska", False), ("premium plus", False), ("Anna", False), ("", False),
        ("anna-kowalska.pdf", False), ("internal-support-2026", False), ("Anna x@example.org", False),
        ("2026-01-05 10:25", False), ("a B " * 5_000, True),
    ],
)  # fmt: skip
def test_a_value_with_small_words_or_many_is_prose(value, prose):
    """Unless it is one of a fixed set; part of an address is no word."""
    assert is_prose(value) is prose
