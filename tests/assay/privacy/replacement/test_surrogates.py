"""A surrogate has the shape of its value, is the same everywhere, belongs to nobody, and is known again."""

import random

import pytest

from assay.errors import RedactionError
from assay.policy import ENTITY_TYPES
from assay.privacy.detection.personal_rules import passes_luhn, passes_mod97
from assay.privacy.invented import Inventor
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
        ("PHONE", "555 0142", None),
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
    """Of real ones at random, of nine digits."""
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


@pytest.mark.parametrize(("shape", "most"), [("####-####-####-####", 3), ("###-##-####", 3), ("+999 ## ### ## ##", 9)])
def test_of_numbers_at_random_one_in_ten_thousand_has_a_part_that_stays(shape, most):
    """Whatever types have surrogates; where 3 of 30,000 are expected, 9 are seldom exceeded."""
    draw = random.Random(4)
    texts = ("".join(str(draw.randrange(10)) if c == "#" else c for c in shape) for _ in range(30_000))

    assert sum(bool(SURROGATES.spans(f"account number {text}, thanks")) for text in texts) <= most


@pytest.mark.parametrize("kind", ["PHONE", "DATE_OF_BIRTH", "SSN"])
@pytest.mark.parametrize(
    "text",
    [
        "My account number is 5550123, order number 5550199.", "my password is 5550142",
        "account number is 20-45-1873", "call me on 22 35 1867", "my password is 1855-44-99", "PIN 07-00-1873",
        "account number 912-34-5678", "my number is 1234-12-05-1873", "ref 07700.900123.44", "ref 00-07700 900123",
    ],
)  # fmt: skip
def test_what_only_looks_reserved_is_not_left(kind, text):
    """It may be an account number or a password."""
    assert Surrogates(KEY, [kind]).spans(text) == []


def test_numbers_of_a_reserved_range_are_told_by_their_last_digits():
    """Of all last digits one is ours."""
    security, abroad = SURROGATES.invent("123-45-6789", "SSN"), SURROGATES.invent("+48 600 700 800", "PHONE")
    others = [f"{security[:-4]}{n:04}" for n in range(10_000)]
    born = [f"{day:02}/{month:02}/1873" for day in range(100) for month in range(100)]

    assert [each for each in others if Surrogates(KEY, ["SSN"]).spans(each)] == [security]
    assert Surrogates(KEY, ["PHONE"]).spans(abroad) == [(0, len(abroad))]
    assert Surrogates(KEY, ["PHONE"]).spans(f"{abroad[:-1]}{9 - int(abroad[-1])}") == []
    assert sum(bool(Surrogates(KEY, ["DATE_OF_BIRTH"]).spans(each)) for each in born) == 12


@pytest.mark.parametrize(
    "name",
    [
        "Anna Le", "Minh Do", "Sara Van", "Thu La", "Omar Al", "Nguyen Van Le", "Le, Anna", "Do Minh", "do minh",
        "Van Nguyen", "Al Bakr", "Le Thi Hoa", "Anna Do Minh", "Ms Ter", "Anna Dr",
    ],
)  # fmt: skip
def test_a_surname_that_looks_like_a_particle_is_replaced(name):
    """Nothing of a name stays but a title, and a particle in small letters within it."""
    new = SURROGATES.invent(name, "PERSON")
    words = new.lower().replace(",", "").split()

    assert set(words) & set(name.lower().replace(",", "").split()) <= {"ms", "van", "do"} - set(words[-1:])
    assert words[-1] not in {"le", "do", "van", "la", "al", "ter", "dr", "hoa", "minh"}
    assert not set(words[:1]) & {"le", "do", "van", "al"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Anna van der Berg", "van der"), ("van der Berg", "van der"), ("ANNA DE LA CRUZ", "DE LA"),
        ("Omar al-Bakr", "al"), ("Juan y Maria", "y"), ("Dr. Anna Berg", "Dr."),
    ],
)  # fmt: skip
def test_particles_and_titles_stay(name, kept):
    """A name is still a name of its country."""
    assert kept in SURROGATES.invent(name, "PERSON")
    assert SURROGATES.closes(SURROGATES.invent(name, "PERSON"), 0, len(name))


def test_a_particle_behind_a_surrogate_may_be_a_surname():
    """So it is examined; and so is a kind of street where addresses have no surrogates."""
    name = Surrogates(KEY, ["PERSON"]).invent("Anna", "PERSON")

    for word in ("Le", "Van", "Hill"):
        assert Surrogates(KEY, ["PERSON"]).spans(f"{name} {word}") == [(0, len(name))]


def test_a_number_beside_a_surrogate_is_ours_if_it_was_computed():
    """A house number of three digits and more, a postcode, a year in a name; another, such as a PIN, is examined."""
    address = SURROGATES.invent("4517 Elm Rd, Springfield 62704", "ADDRESS")
    name = SURROGATES.invent("Anna", "PERSON")

    assert SURROGATES.closes(address, 0, len(address))
    assert SURROGATES.closes(SURROGATES.invent("anna1985", "USERNAME"), 0, 12)
    assert sum(SURROGATES.closes(f"{name} {n:04}", 0, len(name) + 5) for n in range(10_000)) <= 3
    assert SURROGATES.closes(f"{name} 12", 0, len(name) + 3)
