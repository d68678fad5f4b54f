"""The detector, with its real model: what it finds, whatever stands beside it, and without a network."""

import socket

import pytest

from assay.errors import BaseModelError, RedactionError
from assay.policy import RedactionSpec
from assay.privacy.detection import Detector
from assay.privacy.patterns import Span
from assay.privacy.personal_names import FILES, Tagger
from assay.privacy.personal_spans import disjoint
from assay.records import Known

TEXTS = [
    "Hi, I'm Anna Kowalska from 12 Baker Street, London; call 020 7946 0018.",
    "order AB-1234 is late",
    "",
    "Padmini Villégnault signed for it. " + "The parcel was wet. " * 150 + "Ask Dmitri Petrov, please.",
    "mail me at jane@example.org",
]


@pytest.fixture(scope="module")
def detector():
    """Everything that is known, masked."""
    return Detector(RedactionSpec())


def find(detector, text, *known):
    """Types and values found in one text."""
    return [(span.type, text[span.start : span.end]) for span in detector.find([text], [known])[0]]


def test_a_message_gives_up_its_name_address_and_number(detector):
    """Pieces of an address are one address, parts of a name one name."""
    assert find(detector, TEXTS[0]) == [
        ("PERSON", "Anna Kowalska"),
        ("ADDRESS", "12 Baker Street, London"),
        ("PHONE", "020 7946 0018"),
    ]


def test_a_name_late_in_a_long_text_is_found(detector):
    """Windows overlap, so no text is only half read."""
    assert find(detector, TEXTS[3]) == [("PERSON", "Padmini Villégnault"), ("PERSON", "Dmitri Petrov")]


def test_neighbours_do_not_change_what_is_found(detector):
    """One by one, together, or in another order: the very same spans, scores included."""
    nothing = [[] for _ in TEXTS]
    together = detector.find(TEXTS, nothing)

    assert together == [detector.find([text], [[]])[0] for text in TEXTS]
    assert together == detector.find(TEXTS[::-1], nothing)[::-1]
    assert together[:2] == detector.find(TEXTS[:2] * 140, nothing[:2] * 140)[-2:]


def test_nothing_is_fetched(detector, monkeypatch):
    """An e-mail address makes other detectors look up the list of top-level domains."""

    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = Detector(RedactionSpec())

    assert find(fresh, TEXTS[4]) == find(detector, TEXTS[4]) == [("EMAIL", "jane@example.org")]


def test_a_value_found_once_is_found_everywhere(detector):
    """In another case, in part, or without its punctuation."""
    text = "My name is Sipho Diomaroma, order no. AB-12345. sipho again: ab12345? Regards, DIOMAROMA"

    assert [value for _, value in find(detector, text)] == [
        "Sipho Diomaroma",
        "AB-12345",
        "sipho",
        "ab12345",
        "DIOMAROMA",
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The id is EK-536017.", "ORDER_ID"),
        ("The oeder id is EK-536017.", "ORDER_ID"),
        ("My customer number is EK-536017.", "ACCOUNT_ID"),
        ("My acount number is EK-536017.", "ACCOUNT_ID"),
        ("My id is 53601.", "ACCOUNT_ID"),
        ("acount number INV-2024-001", "ORDER_ID"),
    ],
)
def test_a_shape_outranks_a_label_that_says_less(detector, text, kind):
    """A label that names its value outranks a common shape, even misspelt; "id" alone does not."""
    assert [found for found, _ in find(detector, text)] == [kind]


def test_known_values_are_found_in_every_spelling(detector):
    """The parts of a name, what stands before the @, and a number without its country."""
    known = [Known("PERSON", "Will Xu-Brook"), Known("EMAIL", "wxb77@example.org"), Known("PHONE", "+44 7700 900123")]

    assert find(detector, "will it work? Will says wxb77 rang 07700900123", *known) == [
        ("PERSON", "Will"),
        ("EMAIL", "wxb77"),
        ("PHONE", "07700900123"),
    ]


def test_a_type_that_is_not_wanted_is_kept(detector):
    """The recipe chooses."""
    only = Detector(RedactionSpec.only("PHONE"))

    assert find(only, TEXTS[0]) == [("PHONE", "020 7946 0018")]


def test_prices_and_ordinary_words_are_kept(detector):
    """What is masked is missed by the model that learns from it."""
    assert find(detector, "You charged EUR 89.99 twice for the 2 chairs. I am very unhappy, thank you.") == []


def test_a_known_value_of_no_known_type_is_refused_without_being_told(detector):
    """A message goes to logs."""
    with pytest.raises(RedactionError, match="'NAME'") as raised:
        detector.find(["x"], [[Known("NAME", "Zebedee")]])

    assert "Zebedee" not in str(raised.value)


def test_an_altered_model_is_refused(monkeypatch):
    """An exchanged tagger would pass names in silence."""
    monkeypatch.setitem(FILES, "tokenizer.json", "0" * 64)

    with pytest.raises(BaseModelError, match=r"tokenizer.json hashes to ec87d41d85cb, expected 000000000000"):
        Tagger()


def test_an_address_that_runs_into_an_email_leaves_nothing_of_it():
    """Where two spans meet, what is left of an e-mail address still tells whose mailbox it was."""
    text = "204 ashel street\nhuihua97@post.example is mine"
    address, email = Span(0, 25, "ADDRESS", 0.9), Span(17, 38, "EMAIL", 0.9)

    found = disjoint(text, [address, email])

    assert {i for s in found for i in range(s.start, s.end)} >= {i for i in range(17, 38) if text[i] != "\n"}
