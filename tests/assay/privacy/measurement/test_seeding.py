"""Seeding fills the data's own redacted records with values whose places are known."""

import dataclasses
import json
import re
from collections import Counter

import pytest

from assay.errors import RedactionError
from assay.policy import ENTITY_TYPES, PLAIN_SHARE
from assay.privacy.measurement.seeding import ADDED_SHARE, LEAST, distinct, from_json, planted, to_json
from assay.privacy.replacement.drafts import columns, fields
from assay.records import PLACEHOLDER, Record, Turn

MESSAGE = "Hi, [PERSON_1] here. Order [ORDER_ID_1] never came, tell [PERSON_2] or [PERSON_1]."
ANSWER = '{"intent": "late",  "order_id": "[ORDER_ID_1]", "note": "caf\\u00e9"}'


def record(number, message=MESSAGE, completion=ANSWER, system="Reply with JSON.", attributes=None):
    """A redacted record."""
    return Record(
        id=f"r{number}", subject="s", bucket=1, source="x", attributes=attributes or {"channel": "mail"},
        completion=completion,
        context=(Turn("system", system), Turn("user", message)),
    )  # fmt: skip


EACH = dict.fromkeys(ENTITY_TYPES, LEAST)
RECORDS = [record(n, f"{MESSAGE} It is number {n}.") for n in range(40)]


def test_every_value_stands_where_it_is_said_to():
    """Field, start and end give back its text, and no placeholder is left."""
    for document in planted(RECORDS, 60, 0, EACH):
        texts = dict(fields(document.record))
        assert all(texts[v.field][v.start : v.end] == v.text for v in document.values)
        assert not PLACEHOLDER.search(document.record.text)


def test_a_placeholder_becomes_one_value_wherever_it_stands():
    """In the message and in the answer, which stays JSON with its other bytes."""
    [document] = [d for d in planted(RECORDS[:1], 6, 0, {"PERSON": 1, "ORDER_ID": 1}) if d.values][:1]
    groups = {(places[0].type, len(places)) for places in distinct(document.values)}
    order = next(value.text for value in document.values if value.type == "ORDER_ID")

    assert groups == {("PERSON", 2), ("PERSON", 1), ("ORDER_ID", 2)}
    assert json.loads(document.record.completion)["order_id"] == order
    assert document.record.completion == ANSWER.replace("[ORDER_ID_1]", order)


def test_every_type_has_its_least_number_also_in_sentences_of_ours():
    """Whether the data hold it or not; and the first half of the records has nothing added."""
    documents = planted(RECORDS, 48, 3, {**EACH, "EMAIL": 80})
    held = Counter(places[0].type for d in documents for places in distinct(d.values))
    ours = Counter(value.type for d in documents for value in d.values if value.added)

    assert all(held[kind] >= (80 if kind == "EMAIL" else 60) for kind in ENTITY_TYPES)
    assert all(ours[kind] >= 60 // ADDED_SHARE for kind in ENTITY_TYPES)
    assert not any(value.added for d in documents[:20] for value in d.values)


def test_order_does_not_matter_and_the_seed_does():
    """A sample is named by what is in it."""
    forth, back = planted(RECORDS, 30, 0, EACH), planted(reversed(RECORDS), 30, 0, EACH)

    assert forth == back
    assert forth != planted(RECORDS, 30, 1, EACH)


def test_a_new_record_changes_the_sample_by_one_at_most():
    """So that a run on a little more data measures nearly the same."""

    def sampled(records):
        return {d.record.context[1].content.rpartition(" ")[2] for d in planted(records, 24, 0, {}) if not d.plain}

    assert len(sampled(RECORDS) - sampled([*RECORDS, record(99, "Number 99.")])) <= 1


def test_names_follow_the_case_of_their_record():
    """Who writes everything in small letters writes names so."""
    low = record(1, "hi, [PERSON_1] here, my mail is [EMAIL_1]. i live in [CITY_1].", "ok")
    values = [v for d in planted([low], 6, 0, {"PERSON": 0, "CITY": 0}) for v in d.values]

    assert values
    assert all(value.text.islower() for value in values)


def test_what_is_not_to_be_planted_stays_a_placeholder():
    """Types that the recipe keeps are not measured."""
    documents = planted(RECORDS[:1], 6, 0, {"PERSON": 1})

    assert {value.type for d in documents for value in d.values} == {"PERSON"}
    assert "[ORDER_ID_1]" in documents[0].record.text


def test_few_records_serve_again_with_other_values():
    """Ten records can carry a hundred seeded ones."""
    documents = [d for d in planted(RECORDS[:2], 60, 0, dict.fromkeys(ENTITY_TYPES, 0)) if not d.plain]

    assert len(documents) == 60 - 60 // PLAIN_SHARE
    assert len({v.text for d in documents for v in d.values if v.type == "ORDER_ID"}) == len(documents)


def test_seeded_records_have_names_of_their_own_and_nothing_beside_their_text():
    """Ids are unique; subject and known values of the data do not travel."""
    documents = planted(RECORDS, 60, 0, EACH)

    assert len({d.record.id for d in documents}) == 60
    assert not any(d.record.known for d in documents)
    assert {d.record.subject for d in documents} == {"seeded"}
    assert all(d.record.context[0] == RECORDS[0].context[0] for d in documents if not d.plain)


def test_a_record_without_turns_gets_one_for_its_sentences():
    """Else a type that the data lack could not be planted."""
    empty = dataclasses.replace(record(1), context=(), completion="ok")

    assert sum(len(d.values) for d in planted([empty], 12, 0, dict.fromkeys(ENTITY_TYPES, 5))) >= 5 * len(ENTITY_TYPES)


@pytest.mark.parametrize(
    ("records", "count", "wanted"), [([], 60, EACH), (RECORDS, 5, EACH), (RECORDS, 60, {"SHOE": 1})]
)
def test_what_cannot_be_seeded_is_refused(records, count, wanted):
    """No records, too few of them to be made, a type that nobody can invent."""
    with pytest.raises(RedactionError, match=r"expected|what can"):
        planted(records, count, 0, wanted)


def test_values_have_the_shapes_that_the_data_give_them():
    """An order number is what a company says it is."""
    documents = planted(RECORDS, 30, 0, {"ORDER_ID": 60}, {"ORDER_ID": ("??-######",)})
    values = [value.text for d in documents for value in d.values]

    assert all(re.fullmatch(r"[A-Z]{2}-[0-9]{6}", value) for value in values)


def test_a_type_of_ones_own_is_planted_if_its_shape_is_known():
    """In sentences that fit any number; without a shape nobody knows what it looks like."""
    documents = planted(RECORDS, 60, 0, {"STAFF_NUMBER": 20}, {"STAFF_NUMBER": ("S#####",)})
    values = [value for d in documents for value in d.values]

    assert len(values) == 20
    assert all(re.fullmatch(r"S[0-9]{5}", value.text) and value.type == "STAFF_NUMBER" for value in values)
    with pytest.raises(RedactionError, match="any type whose shape is given"):
        planted(RECORDS, 60, 0, {"STAFF_NUMBER": 20}, {"STAFF_NUMBER": ()})


def test_attributes_are_filled_where_redaction_left_a_placeholder():
    """The same person as in the text; and in a column alone another one."""
    held = {"agent": "[PERSON_1]", "note": "ring [PHONE_4] or [PERSON_9]", "channel": "mail"}
    [document] = [d for d in planted([record(1, attributes=held)], 6, 0, EACH) if d.values][:1]
    texts = dict(columns(document.record))
    beside = [v for v in document.values if v.field in texts]

    assert [(v.field, v.type) for v in beside] == [
        ("attributes[agent]", "PERSON"), ("attributes[note]", "PHONE"), ("attributes[note]", "PERSON"),
    ]  # fmt: skip
    assert all(texts[v.field][v.start : v.end] == v.text and not v.added for v in beside)
    assert beside[0].text in document.record.context[1].content
    assert texts["attributes[channel]"] == "mail"
    assert not any(PLACEHOLDER.search(text) for text in texts.values())


def test_one_record_in_ten_has_its_sentences_in_a_turn_of_json():
    """A tool's call or answer, which is JSON; a value in it is found by its place, escapes and all."""
    documents = planted(RECORDS, 600, 0, {"PERSON": 500})
    turns = [(d, len(d.record.context) - 1) for d in documents if not d.plain and len(d.record.context) == 3]
    values = [(d.record.context[at].content, v) for d, at in turns for v in d.values if v.field == f"context[{at}]"]

    assert 40 <= len(turns) <= 50
    assert all(isinstance(json.loads(d.record.context[at].content), dict | list) for d, at in turns)
    assert len(values) >= len(turns)
    assert all(text[v.start : v.end] == v.text and v.added for text, v in values)
    assert any("\\u" in v.text for _, v in values)
    assert any(not v.text.isascii() for _, v in values)


def test_texts_inside_a_completion_of_json_hold_sentences_too():
    """Where the data have such texts; labels and names are left as they are, and so is what is no JSON."""
    answer = '{"intent": "late: see below please",  "a long name of it": "late", "reply": "We are sorry, caf\\u00e9."}'
    documents = planted([record(n, f"Number {n}.", answer) for n in range(60)], 600, 0, EACH)
    told = [(d.record.completion, v) for d in documents for v in d.values if v.field == "completion"]
    answers = [json.loads(text) for text, _ in told]

    assert len(told) > 100
    assert all(text[v.start : v.end] == v.text for text, v in told)
    assert all(list(each) == ["intent", "a long name of it", "reply"] for each in answers)
    assert all(
        each["a long name of it"] == "late" and each["reply"].startswith("We are sorry, café.") for each in answers
    )
    assert not any(v.field == "completion" and v.added for d in planted(RECORDS, 600, 0, EACH) for v in d.values)


def test_a_value_with_escapes_is_the_same_value():
    """In a prompt as it is, in JSON as JSON writes it: one value, masked only if it is masked in both."""
    named = [record(n, "I am [PERSON_1].", '{"name": "[PERSON_1]"}') for n in range(200)]
    documents = [d for d in planted(named, 240, 0, {"PERSON": 0}) if not d.plain]
    escaped = [d for d in documents if "\\u" in d.record.completion]

    assert escaped
    assert all(len(list(distinct(d.values))) == 1 for d in documents)
    assert all(json.loads(d.record.completion)["name"] == d.values[0].text for d in escaped)


def test_records_of_one_text_say_so():
    """Whether one record serves several times or several records say the same."""
    same = [record(n) for n in range(10)]
    documents = [d for d in planted([*same, record(99, "[PERSON_1] again.")], 120, 0, EACH) if not d.plain]

    assert len({d.source for d in documents}) == 2
    assert from_json(to_json(documents), [d.record for d in documents]) == documents


def test_a_type_stands_in_as_many_texts_as_were_asked_for():
    """A second value in a record that has one shows nothing more, so the sentences go to others."""
    rows = [record(n, f"Number {n}, mail [EMAIL_1]." if n % 12 == 0 else f"Number {n}.", "ok") for n in range(600)]
    documents = planted(rows, 600, 0, EACH)
    texts = {(d.source, v.type) for d in documents for v in d.values}

    assert all(Counter(kind for _, kind in texts)[kind] >= LEAST for kind in ENTITY_TYPES)
