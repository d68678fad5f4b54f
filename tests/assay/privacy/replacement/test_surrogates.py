"""A surrogate has the shape of its value, is the same everywhere, belongs to nobody, and is known again."""

import random

import pytest

from assay.errors import RedactionError
from assay.policy import ENTITY_TYPES
from assay.privacy.detection.personal_rules import passes_luhn, passes_mod97
from assay.privacy.measurement.invented import Inventor
from assay.privacy.replacement.fingerprints import folded
from assay.privacy.replacement.surrogates import Surrogates
from assay.privacy.replacement.syllables import TAGS, Keyed

KINDS = tuple(kind for kind in ENTITY_TYPES if kind != "SECRET")
KEY = b"k" * 32
SURROGATES = Surrogates(KEY, [*KINDS, "VEHICLE"])


def values(kind, count=150):
    """So many values, from one inventor each."""
    return [Inventor(random.Random(number)).value(kind) for number in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_has_a_surrogate_that_is_known_again_and_is_not_the_value(kind):
    """For every type, and most of its shapes."""
    pairs = [(value, SURROGATES.invent(value, kind)) for value in values(kind)]
    given = [(value, new) for value, new in pairs if new is not None]

    assert len(given) > 0.95 * len(pairs)
    assert all(folded(new) != folded(value) for value, new in given)
    assert all(SURROGATES.closes(f"See {new} there.", 4, 4 + len(new)) for _, new in given)


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_alone_decides_a_surrogate(kind):
    """Not what was asked before, nor which types beside it; another key invents others."""
    fresh, other = Surrogates(KEY, [kind]), Surrogates(b"o" * 32, [kind])
    told = [SURROGATES.invent(value, kind) for value in values(kind, 30)]

    assert told[::-1] == [fresh.invent(value, kind) for value in values(kind, 30)[::-1]]
    assert told != [other.invent(value, kind) for value in values(kind, 30)]


def test_the_key_of_values_itself_is_not_used():
    """Nor is a short one, under which all could be tried out."""
    assert Keyed(KEY).word("anna", "0") != SURROGATES.invent("anna", "PERSON")
    with pytest.raises(RedactionError, match="has 3 bytes, expected at least 16"):
        Surrogates(b"key", KINDS)


def test_a_name_keeps_its_case_and_a_part_of_it_is_a_part_of_the_surrogate():
    """In every record, whether or not the whole name is there."""
    given, family = SURROGATES.invent("Anna Kowalska", "PERSON").split()

    assert SURROGATES.invent("ANNA  kowalska", "PERSON") == f"{given.upper()}  {family.lower()}"
    assert SURROGATES.invent("Kowalska, Anna", "PERSON") == f"{family}, {given}"
    assert SURROGATES.invent("Anna", "PERSON") == given
    assert SURROGATES.invent("Dr. Anna van der Kowalska", "PERSON") == f"Dr. {given} van der {family}"
    assert SURROGATES.invent("anna.kowalska@gmail.com", "EMAIL").startswith(f"{given}.{family}@".lower())


@pytest.mark.parametrize(
    ("kind", "value", "shape"),
    [
        ("ORDER_ID", "AB-482913", "??-######"), ("ORDER_ID", "ORD-42224-20", "ORD-#####-##"),
        ("ACCOUNT_ID", "490622128", "#########"), ("VEHICLE", "WX12 ABC", "??## ???"),
        ("PHONE", "+44 20 7123 4567", "+44 77 0090 0###"),
        ("PHONE", "(415) 867-5309 ext. 12", "(###) 555-01## ext. ##"), ("PHONE", "+48 600 700 800", "+99 9## ### ###"),
        ("SSN", "123-45-6789", "9##-##-####"),
        ("CREDIT_CARD", "4111 1111 1111 1111", "4000 00## #### ####"), ("IBAN", "GB82 WEST 1234 5698 7654 32",
        "GB## TEST 99## #### #### ##"), ("USERNAME", "k7", None), ("ORDER_ID", "77-1", None), ("PHONE", "0018", None),
        ("DATE_OF_BIRTH", "12/03/1980", "##/##/18##"), ("DATE_OF_BIRTH", "12/03/80", None), ("PERSON", "A.", None),
        ("PHONE", "020 7123 456½", None),
        ("SSN", "١٢٣-45-6789", None), ("ORDER_ID", "AB-48291³", None),
        ("ADDRESS", "62701", None), ("URL", "https://www.kowalska.pl/me", "https://www.*.example/*"),
    ],
)  # fmt: skip
def test_a_surrogate_has_the_shape_of_its_value_or_there_is_none(kind, value, shape):
    """A value with no room for a mark of ours is masked instead."""
    new = SURROGATES.invent(value, kind)
    if shape is None:
        assert new is None
        return
    forms = {"#": str.isdigit, "?": str.isalpha}
    if "*" in shape:
        first, middle, _ = shape.split("*")
        assert new.startswith(first)
        assert middle in new
    else:
        assert len(new) == len(shape)
        assert all(forms.get(s, s.__eq__)(c) for s, c in zip(shape, new, strict=True))


def test_spellings_of_a_number_have_spellings_of_one_surrogate():
    """With its punctuation and case, or without."""
    assert SURROGATES.invent("ab 482913", "ORDER_ID") == SURROGATES.invent("AB-482913", "ORDER_ID").lower().replace(
        "-", " "
    )


def test_check_digits_hold():
    """Of cards by Luhn's sum, of IBANs by theirs."""
    assert all(passes_luhn(SURROGATES.invent(value, "CREDIT_CARD")) for value in values("CREDIT_CARD", 50))
    assert all(passes_mod97(SURROGATES.invent(value, "IBAN")) for value in values("IBAN", 50))


def test_an_ordinary_word_passes_for_a_surrogate_once_in_ten_thousand():
    """Even if it has the syllables of one: of words under another key, which all have, one in 10,240."""
    ours, theirs = Keyed(KEY), Keyed(b"o" * 32)
    taken = sum(bool(ours.words(theirs.word(number))) for number in range(60_000))

    assert taken / 60_000 < 5 / TAGS


def test_a_number_passes_for_a_surrogate_once_in_ten_thousand():
    """Of real ones at random."""
    draw = random.Random(1)
    numbers = [f"{draw.randrange(10**9):09}" for _ in range(40_000)]

    assert sum(bool(SURROGATES.spans(f"no. {number} x")) for number in numbers) < 15


def test_only_types_of_the_policy_are_known_again():
    """A number kept for drama is a number, where telephone numbers are masked."""
    number = SURROGATES.invent("020 7123 4567", "PHONE")

    assert Surrogates(KEY, ["PHONE"]).spans(number) == [(0, len(number))]
    assert Surrogates(KEY, ["PERSON"]).spans(number) == []


def test_two_names_seldom_have_one_surrogate():
    """One pair of words in 32,000."""
    names = {
        SURROGATES.invent(f"Anna K{number:05}x".translate(str.maketrans("0123456789", "abcdefghij")), "PERSON")
        for number in range(2_000)
    }

    assert len(names) > 1_900
