"""The detector, with its real model: what it finds, whatever stands beside it, and without a network."""

import json
import subprocess
import sys

import pytest

from assay.errors import BaseModelError, RecogniserError, RedactionError
from assay.policy import RedactionSpec
from assay.privacy.detection import second_names
from assay.privacy.detection.detector import Detector
from assay.privacy.detection.personal_names import FILES, Tagger
from assay.privacy.detection.personal_spans import disjoint
from assay.privacy.patterns import Span
from assay.records import Known

TEXTS = [
    "Hi, I'm Anna Kowalska from 12 Baker Street, London; call 020 7946 0018.",
    "order AB-1234 is late",
    "",
    "Padmini Villégnault signed for it. " + "The parcel was wet. " * 150 + "Ask Dmitri Petrov, please.",
    "mail me at jane@example.org",
]


PROFILES = ("fast", "standard", "strict")


@pytest.fixture(scope="module")
def detector(detectors):
    """The profile that is the default."""
    return detectors["standard"]


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


@pytest.mark.parametrize("profile", PROFILES)
def test_neighbours_do_not_change_what_is_found(detectors, profile):
    """One by one, together, or in another order: the very same spans, scores included."""
    detector, nothing = detectors[profile], [[] for _ in TEXTS]
    together = detector.find(TEXTS, nothing)

    assert together == [detector.find([text], [[]])[0] for text in TEXTS]
    assert together == detector.find(TEXTS[::-1], nothing)[::-1]
    assert together[:2] == detector.find(TEXTS[:2] * 140, nothing[:2] * 140)[-2:]


OFFLINE = """
import json, os, socket, sys

def refuse(*_, **__):
    os._exit(9)  # nobody can catch it

class Refused(socket.socket):
    connect = connect_ex = sendto = sendmsg = refuse

socket.socket = Refused
for name in ("create_connection", "getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo"):
    setattr(socket, name, refuse)
from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector

texts = json.loads(sys.argv[1])
found = {p: Detector(RedactionSpec(profile=p)).find(texts, [[]] * len(texts)) for p in ("fast", "standard", "strict")}
print(json.dumps([[[span[2] for span in row] for row in rows] for rows in found.values()]))
"""


def test_no_host_is_asked_and_no_model_fetched():
    """In a process of its own, which ends if it connects a socket or looks up a name."""
    texts = [TEXTS[4], "see https://shop.example/a?b=c or www.shop.example", "write to x@y.co.uk or 192.0.2.7, Anna"]
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, json.dumps(texts)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    for rows in json.loads(done.stdout.splitlines()[-1]):
        assert rows[:2] == [["EMAIL"], ["URL", "URL"]]
        assert rows[2][:2] == ["EMAIL", "IP_ADDRESS"]


def test_the_fast_profile_loads_no_model():
    """Neither its time nor its memory is spent."""
    code = (
        "import sys; from assay.policy import RedactionSpec; from assay.privacy.detection.detector import Detector; "
        "spans = Detector(RedactionSpec(profile='fast')).find(['mail a@example.org'], [[]]); "
        "print([s.type for s in spans[0]], {'onnxruntime', 'presidio_analyzer', 'spacy', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['EMAIL'] set()"


def test_each_profile_finds_what_the_one_before_it_found(detectors):
    """More detectors, never fewer characters."""
    text = "Please ask Ingeborg Szöllösy of Kenosha, order AB-12345, not the agent Fatoumata who rang me."
    found = [
        {i for span in detectors[profile].find([text], [[]])[0] for i in range(span.start, span.end)}
        for profile in PROFILES
    ]

    assert found[0] < found[1] <= found[2]


def test_the_second_tagger_finds_names_that_the_first_does_not(detectors):
    """Which is what it is for."""
    text = "The brainchild of our founders: Delgado, Bowman and White."
    examined = detectors["strict"].examine([text], [[]])[0]

    first, second = ([text[s.start : s.end] for s in examined.hits[name]] for name in ("tagger", "second tagger"))

    assert second == ["Delgado", "Bowman", "White"]
    assert not set(first) >= set(second)
    assert [text[s.start : s.end] for s in examined.spans] == second


@pytest.mark.parametrize(
    ("text", "value", "is_credible"),
    [
        ("Ask Anna Kowalska.", "Anna Kowalska", True),
        ("Ask Ludwig van der Berg.", "Ludwig van der Berg", True),
        ("Marek rang.", "Marek", True),
        ("Kind words.\n\nRegsrds,\nthe shop", "Regsrds", False),
        ("Done. Pleese help", "Pleese", False),
        ("Bitte senden Sie es mir", "Bitte senden Sie", False),
        ("Dear Sir", "Dear Sir", False),
        ("room B12", "B12", False),
        ("ask anna", "anna", False),
    ],
)
def test_the_second_tagger_is_believed_about_capitalised_words_that_are_not_common(text, value, is_credible):
    """It was trained on edited English, and takes what it has not met for a name."""
    start = text.index(value)

    assert second_names.credible(text, start, start + len(value)) is is_credible


def test_a_second_tagger_that_is_absent_or_altered_is_refused(monkeypatch):
    """It says what to install; nothing is passed with one detector fewer."""
    monkeypatch.setitem(second_names.FILES, "ner/model", "0" * 64)
    with pytest.raises(RecogniserError, match=r"ner/model hashes to [0-9a-f]{12}, expected 000000000000"):
        second_names.SecondOpinion()

    monkeypatch.setattr(second_names, "DISTRIBUTION", "no-such-distribution")
    with pytest.raises(RecogniserError, match=r"the profile strict needs no-such-distribution==3\.7\.1"):
        Detector(RedactionSpec(profile="strict"))


def test_a_model_that_breaks_fails_the_text_rather_than_passing_it(detectors, monkeypatch):
    """Whoever of them it is."""
    for profile, name in (("standard", "tagger"), ("strict", "second tagger")):

        def broken(_):
            raise MemoryError

        monkeypatch.setitem(detectors[profile]._models, name, broken)
        with pytest.raises(MemoryError):
            detectors[profile].find(["Anna Kowalska"], [[]])


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
