"""Everything in a record that somebody may have written is examined: attributes, answers, names and escapes in JSON."""

import json

import pytest

from assay.policy import RedactionSpec
from assay.privacy.replacement import redaction
from assay.privacy.replacement.redaction import redact
from assay.records import Known, Record, Turn

SPEC = RedactionSpec()
NAMED = "a name in the JSON of {} is personal data, and names are not replaced"
ESCAPED = r'{"name": "J\u00f6rg M\u00fc\u00dfig"}'


@pytest.fixture(scope="module")
def find(detectors):
    """The real detector's callable."""
    return detectors["standard"].find


def record(message="hello there", completion="Done.", attributes=None, known=()):
    """A record of one turn."""
    return Record(
        id="r1", subject="s", bucket=1, source="x", context=(Turn("user", message),), completion=completion,
        attributes=attributes or {}, known=known,
    )  # fmt: skip


def kept(find, *records):
    """What becomes of records of which none may drop; and of these nothing when they are redacted again."""
    once, dropped, _ = redact(records, SPEC, find)
    assert dropped == []
    assert redact(once, SPEC, find)[0] == once
    return once


def reason(find, before, spec=SPEC):
    """Why a record is dropped."""
    [dropped] = redact([before], spec, find)[1]
    return dropped.reason


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (
            "Customer Anna Kowalska called about the refund, lives in Springfield",
            "Customer [PERSON_1] called about the refund, lives in [CITY_1]",
        ),
        ("Escalated to Maria Schmidt", "Escalated to [PERSON_1]"),
        ('{"customer":"Anna Kowalska","city":"Boston"}', '{"customer":"[PERSON_1]","city":"[CITY_1]"}'),
        ('{"n": 2, "lang": "en", "who": ["Anna Kowalska"]}', '{"n": 2, "lang": "en", "who": ["[PERSON_1]"]}'),
        ('seen:\n{"agent": "Peter Schmidt"}\nok', 'seen:\n{"agent": "[PERSON_1]"}\nok'),
        ("Anna-Maria de la Cruz", "[PERSON_1]"),
    ],
)
def test_an_attribute_that_is_prose_or_json_is_read_as_such(find, value, left):
    """Although nothing else in the record tells it; what is not personal in it stays."""
    assert kept(find, record(attributes={"summary": value}))[0].attributes == {"summary": left}


@pytest.mark.parametrize(
    "value",
    [
        "Returns and refunds", "Terms of service", "Waiting for customer", "Call centre Berlin", "Net 30 days",
        "Samsung Galaxy s23", "Apple iPhone 14 case", "Atención al cliente", "Frage zur Rechnung", "25 kΩ",
        "Level 2 support", "The customer asked for a refund of the order", "Royal Mail tracked 48", "Live Chat",
    ],
)  # fmt: skip
def test_a_category_of_some_words_stays(find, value):
    """In a column and in an answer: a tagger is not believed that a product is an address."""
    before = record(completion=json.dumps({"category": value}), attributes={"category": value})

    assert kept(find, before) == [before]


@pytest.mark.parametrize(
    "value",
    [
        "Анна Ковальская",
        "王小明 called",
        "nie dostałam jeszcze mojej paczki, a miała przyjść we wtorek, więc proszę o odpowiedź jak najszybciej",
        '{"customer": "\\u0410\\u043d\\u043d\\u0430 \\u041a\\u043e\\u0432"}',
    ],
)
def test_an_attribute_in_letters_or_a_language_that_nobody_reads_sets_the_record_aside(find, value):
    """However short it is."""
    assert reason(find, record(attributes={"agent": value})).count("attributes[agent]") == 1


def test_a_name_found_in_an_attribute_alone_is_not_left_in_the_text(find):
    """Where the detector does not see it in small letters."""
    before = record("padmini villegnault parcel", attributes={"agent": "Padmini Villegnault"})

    assert "villegnault" not in kept(find, before)[0].text


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (
            '{"reply": "Thank you Anna Kowalska, we have sent it to Gdansk.", "agent": "Peter Schmidt"}',
            '{"reply": "Thank you [PERSON_1], we have sent it to [CITY_1].", "agent": "[PERSON_2]"}',
        ),
        (
            '{"customer": "Anna Kowalska", "address": "please send to Anna Kowalska"}',
            '{"customer": "[PERSON_1]", "address": "please send to [PERSON_1]"}',
        ),
    ],
)
def test_what_somebody_may_have_written_in_an_answer_is_read_as_prose(find, answer, left):
    """Although the rest of the JSON is labels."""
    assert kept(find, record(completion=answer))[0].completion == left


def test_labels_of_an_answer_keep_their_bytes(find):
    """None of them is prose, whatever a tagger would see in it."""
    answer = '{"intent": "refund",  "priority": "HIGH", "order_id": null, "title": "Change Plan", "lang": "en"}'

    assert kept(find, record(completion=answer))[0].completion == answer


@pytest.mark.parametrize(
    ("before", "field"),
    [
        (record('I am calling about Anna Kowalska.\n{"Anna Kowalska": {"status": "vip"}}'), "context[0]"),
        (record('I am calling about Anna Kowalska.\n{"Kowalska": 1}'), "context[0]"),
        (record("I am calling about Anna Kowalska.", '{"anna_kowalska": 3}'), "completion"),
        (record("hi", '{"balanceOfKowalska": 3}', known=(Known("PERSON", "Anna Kowalska"),)), "completion"),
        (record("order no. AB-1234 is late", '{"AB1234": "late"}'), "completion"),
        (record('{"Anna Kowalska": {"status": "vip"}}'), "context[0]"),
        (record(attributes={"raw": '{"Ms Anna Kowalska": 1}'}), "attributes[raw]"),
    ],
)
def test_a_name_in_json_that_is_somebodys_sets_the_record_aside(find, before, field):
    """Found elsewhere, known, or seen by itself."""
    assert reason(find, before) == NAMED.format(field)


def test_ordinary_names_in_json_are_nobodys(find):
    """Words of a label, in any case, and an ordinary word that is somebody's name too."""
    names = ["Order Number", "Ship To", "Grace Period", "Number of items", "customerName", "price", "mark", "a"]
    before = record(f"hi\n{json.dumps(dict.fromkeys(names, 1))}", known=(Known("PERSON", "Mark Price"),))

    assert kept(find, before)[0].context == before.context


@pytest.mark.parametrize("escaped", [ESCAPED, ESCAPED.replace("\\u", "\\\\u"), ESCAPED.replace("\\u", "\\" * 8 + "u")])
def test_escapes_in_the_middle_of_a_line_hide_nothing(find, escaped):
    """However often the JSON was put into a string; what is not a name stays as it is written."""
    text = rf"The caf\u00e9 said: {escaped} today"

    assert kept(find, record(text))[0].context[0].content == r'The caf\u00e9 said: {"name": "[PERSON_1]"} today'


def test_broken_escapes_are_read_as_far_as_they_go(find):
    """Half of a pair, NUL, a number cut short, a pair for one letter."""
    [after] = kept(find, record(r"x \ud83d \u0000 \u00f \ud83d\ude00 Anna Kowalska called, mail a\u006ena@example.org"))

    assert after.context[0].content == r"x \ud83d \u0000 \u00f \ud83d\ude00 [PERSON_1] called, mail [EMAIL_1]"


@pytest.mark.parametrize(
    ("blocks", "levels", "fault"),
    [
        (51, 0, "context[0] has more than 50 pieces of JSON"),
        (1, 5, "context[0] has JSON in JSON more than 4 levels deep"),
    ],
)
def test_more_json_than_is_opened_sets_the_record_aside(find, blocks, levels, fault):
    """A name in what is not opened would pass as it is escaped."""
    held = {"a": 1}
    for _ in range(levels):
        held = {"a": json.dumps(held)}

    assert reason(find, record("\n".join([json.dumps(held)] * blocks))) == fault
    held = json.loads(held["a"]) if levels else held
    assert kept(find, record("\n".join([json.dumps(held)] * max(1, blocks - 1))))


def test_a_line_of_names_in_brackets_is_no_json(find):
    """So that masking does not make a piece of JSON of it."""
    text, known = "[Anna Kowalska]\n" * 60, (Known("PERSON", "Anna Kowalska"),)

    assert kept(find, record(text, known=known))[0].context[0].content == "[[PERSON_1]]\n" * 60


def test_all_turns_together_have_a_limit(find):
    """They are examined as one text."""
    spec = RedactionSpec(max_characters=100)
    turns = (Turn("user", "a" * 100),) * redaction.WHOLE
    long = Record(id="r1", subject="s", bucket=1, source="x", context=turns, completion="b")

    assert reason(find, long, spec) == "the record has 401 characters, more than the 400 that are examined together"


@pytest.mark.parametrize("text", [f"[{'A' * 1_000}_1]", f"[A_{'1' * 1_000}]", "[NOTHING_1]" * 100])
def test_what_only_looks_like_a_placeholder_has_its_length(find, text):
    """A placeholder of a known type counts as one character."""
    spec = RedactionSpec(max_characters=100)

    assert reason(find, record(text), spec).endswith("more than the 100 that are examined")
    assert redact([record("[PERSON_1] " * 50)], spec, find)[1] == []
