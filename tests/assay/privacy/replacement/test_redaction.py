"""Redaction masks a record the same way throughout, keeps JSON JSON, and fails closed."""

import dataclasses
import json

import pytest

from assay.errors import RedactionError
from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
from assay.privacy.replacement.fingerprints import fingerprint
from assay.privacy.replacement.redaction import audit_from_parquet, audit_to_parquet, redact
from assay.records import Dropped, Known, Record, Turn

SPEC = RedactionSpec(max_characters=2_000)
MESSAGE = "Hi, I'm Anna Kowalska. Order no. AB-1234 never came, ring 020 7946 0018. Where is ab1234?"
ANSWER = '{"intent": "refund",  "order_id": "AB-1234", "note": "caf\\u00e9 \\"Anna Kowalska\\"", "tries": 2}'


@pytest.fixture(scope="module")
def find():
    """The real detector's callable."""
    return Detector(SPEC).find


def record(message, completion="Done.", number=1, **fields):
    """A record of one turn."""
    return Record(
        id=f"r{number}", subject="s", bucket=1, source="x",
        context=(Turn("user", message),), completion=completion, attributes={"channel": "mail"}, **fields,
    )  # fmt: skip


def masked(find, *records):
    """The kept records; none may drop."""
    kept, dropped, _ = redact(records, SPEC, find)
    assert dropped == []
    return kept


def test_a_value_has_one_placeholder_throughout_its_record(find):
    """In message and answer, whatever its case and punctuation."""
    [kept] = masked(find, record(MESSAGE, "Dear Anna Kowalska, AB 1234 is on its way."))

    assert kept.context[0].content == (
        "Hi, I'm [PERSON_1]. Order no. [ORDER_ID_1] never came, ring [PHONE_1]. Where is [ORDER_ID_1]?"
    )
    assert kept.completion == "Dear [PERSON_1], [ORDER_ID_1] is on its way."


def test_everything_but_text_stays_and_known_values_go(find):
    """Identity and categories are not redaction's to change."""
    before = record("nothing here", known=(Known("PERSON", "Zebedee Quux"),))

    assert masked(find, before) == [dataclasses.replace(before, known=())]


def test_json_stays_json_and_keeps_its_labels_and_bytes(find):
    """Only values change; spacing, escapes, keys and labels do not."""
    [kept] = masked(find, record(MESSAGE, ANSWER))

    assert kept.completion == (
        '{"intent": "refund",  "order_id": "[ORDER_ID_1]", "note": "caf\\u00e9 \\"[PERSON_1]\\"", "tries": 2}'
    )


def test_a_number_in_json_that_is_personal_becomes_a_string(find):
    """Half a number would be neither valid nor masked."""
    [kept] = masked(find, record("order number 12345678 please", '{"order": 12345678, "count": 1}'))

    assert json.loads(kept.completion) == {"order": "[ORDER_ID_1]", "count": 1}


def test_a_field_name_is_a_label_for_its_value(find):
    """Even if the message does not mention it."""
    [kept] = masked(find, record("hello", '{"order_id": "77-1", "customer_name": "sue miller", "priority": "low"}'))

    assert json.loads(kept.completion) == {
        "order_id": "[ORDER_ID_1]", "customer_name": "[PERSON_1]", "priority": "low",
    }  # fmt: skip


def test_a_misspelt_label_does_not_rename_an_order_in_the_answer(find):
    """A schema may ask for an order's placeholder."""
    [kept] = masked(find, record("The oeder id is EK-536017", '{"order_id": "EK-536017"}'))

    assert kept.completion == '{"order_id": "[ORDER_ID_1]"}'


def test_redacting_what_is_redacted_changes_nothing(find):
    """Placeholders are left alone, and nothing new is found around them."""
    once = masked(find, record(MESSAGE, ANSWER), record("Regards,\nWei Zhang", number=2))

    assert masked(find, *once) == once


def test_new_placeholders_count_on_from_those_in_the_text(find):
    """Two people never share a number."""
    [kept] = masked(find, record("[PERSON_3] wrote to Anna Kowalska."))

    assert kept.context[0].content == "[PERSON_3] wrote to [PERSON_4]."


def test_neighbours_do_not_change_a_record(find):
    """Neither their order nor their number."""
    records = [record(MESSAGE, ANSWER), record("my name is sue", number=2), record("call 020 7946 0018", number=3)]
    together = masked(find, *records)

    assert together == [masked(find, r)[0] for r in records]
    assert together == masked(find, *records[::-1])[::-1]


def test_an_attribute_has_the_placeholder_of_the_text(find):
    """A column beside the text is read by whoever reads the text."""
    columns = {"region": "Anna Kowalska", "file": "anna-kowalska.pdf", "order_id": "77-1", "mail": "ak@example.org"}
    before = dataclasses.replace(record(MESSAGE), attributes=columns)
    [kept], _, [audited] = redact([before], SPEC, find)

    assert kept.attributes == {
        "region": "[PERSON_1]", "file": "[PERSON_1].pdf", "order_id": "[ORDER_ID_2]", "mail": "[EMAIL_1]",
    }  # fmt: skip
    assert [m.field for m in audited.marks][-2:] == ["attributes[order_id]", "attributes[region]"]
    assert masked(find, kept) == [kept]


@pytest.mark.parametrize(
    "value",
    [
        "email", "eu", "EU", "internal-support-2026", "CC0-1.0", "2026-01-05T10:25:00Z", "20260105T102500+0100",
        "2026-01-05", "web", "kowalska web", "east", "premium plus", "v2.1", "23.99", "true", "0.12345678", "de_DE", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["licence", "channel", "contact", "customer", "created", "region", "last_login"])
def test_an_ordinary_attribute_stays(find, name, value):
    """Whatever its column is called, and although half of it is somebody's name."""
    before = record("Ruby East, Anna Web.", known=(Known("PERSON", "Ruby East"), Known("PERSON", "Anna Web")))
    before = dataclasses.replace(before, attributes={name: value})

    assert masked(find, before)[0].attributes == {name: value}


def test_a_name_in_the_wrong_column_goes_and_a_region_stays(find):
    """Although nothing else in the record tells it."""
    before = dataclasses.replace(
        record("hello"), attributes={"region": "Padmini Villegnault", "area": "North America", "desk": "Live Chat"}
    )

    assert masked(find, before)[0].attributes == {"region": "[PERSON_1]", "area": "North America", "desk": "Live Chat"}


def test_an_attribute_that_is_a_known_value_goes_whatever_it_looks_like(find):
    """In lower case, as a slug is, and although the text does not hold it."""
    before = record("hello", known=(Known("PERSON", "Wei Zhang"), Known("ACCOUNT_ID", "2026")))
    before = dataclasses.replace(before, attributes={"region": "wei zhang", "tier": "2026"})

    assert masked(find, before)[0].attributes == {"region": "[PERSON_1]", "tier": "[ACCOUNT_ID_1]"}


def test_fingerprints_tell_values_apart_and_nothing_else(find):
    """One value has one in message, JSON and attributes; another key gives others; without a key there are none."""
    key, before = b"k" * 32, dataclasses.replace(record(MESSAGE, ANSWER), attributes={"by": "ANNA  KOWALSKA"})
    [audited], [other], [bare] = (redact([before], SPEC, find, k)[2] for k in (key, b"l" * 32, None))
    by_type = {kind: {m.fingerprint for m in audited.marks if m.type == kind} for kind in audited.counts}

    assert by_type["PERSON"] == {fingerprint("anna kowalska", key)}
    assert by_type["ORDER_ID"] == {fingerprint("AB 1234", key)}
    assert {m.fingerprint for m in bare.marks} == {""}
    assert not {m.fingerprint for m in audited.marks} & {m.fingerprint for m in other.marks}
    assert key.decode() not in repr(audited)
    assert audit_from_parquet(audit_to_parquet([audited])) == [audited]


def test_a_short_key_is_refused(find):
    """Fingerprints under it could be tried out."""
    with pytest.raises(RedactionError, match="has 3 bytes, expected at least 16"):
        redact([record(MESSAGE)], SPEC, find, b"key")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Олена не отримала посилку",
            "more than half of the letters of context[0] are Cyrillic, which the detectors do not read",
        ),
        ("Anna " * 401, "context[0] has 2005 characters, more than the 2000 that are examined"),
        ("Anna\0", "context[0] contains a NUL character"),
        ("Anna\ud800", "context[0] contains half of a surrogate pair"),
    ],
)
def test_what_cannot_be_examined_is_dropped(find, text, reason):
    """With a reason that names nothing of it."""
    assert redact([record(text)], SPEC, find) == ([], [Dropped("r1", "redact", reason)], [])


SURROGATES = RedactionSpec(policy=dict.fromkeys(("PERSON", "EMAIL", "PHONE", "ORDER_ID", "ACCOUNT_ID"), "surrogate"))
KEY = b"k" * 32


def test_a_surrogate_is_the_same_in_every_record_and_place(find):
    """In prose, in JSON, in an attribute; a name alone is a part of the whole name; a secret is masked."""
    before = dataclasses.replace(
        record(f"{MESSAGE} My password is Hunter22!", ANSWER), attributes={"by": "ANNA KOWALSKA"}
    )
    [one, other], _, audited = redact([before, record("Regards,\nAnna Kowalska", number=2)], SURROGATES, find, KEY)
    name = other.context[0].content.removeprefix("Regards,\n")
    number = json.loads(one.completion)["order_id"]

    assert "Kowalska" not in name
    assert json.loads(one.completion)["note"] == f'café "{name}"'
    assert one.attributes == {"by": name.upper()}
    assert one.context[0].content.startswith(f"Hi, I'm {name}. Order no. {number} never came, ring 077 0090 0")
    assert f"Where is {number.replace('-', '').lower()}? My password is [SECRET_1]" in one.context[0].content
    assert {mark.action for row in audited for mark in row.marks if mark.type != "SECRET"} == {"surrogate"}
    assert [mark.action for mark in audited[0].marks if mark.type == "SECRET"] == ["mask"]


def test_redacting_surrogates_changes_nothing(find):
    """Not even where the detector takes one of them for something else."""
    before = [
        record(MESSAGE, ANSWER),
        record("Regards,\nWei Zhang, wei.zhang@web.de, A. Zhang and mr o'neil jr", number=2),
        record("hi anna here, invoice INV-2024-8812 and order no. 77-1, tel. +48 600 700 800", number=3),
    ]
    once, _, _ = redact(before, SURROGATES, find, KEY)

    assert redact(once, SURROGATES, find, KEY)[0] == once
    assert "[ORDER_ID_1]" in once[2].context[0].content


def test_marks_say_where_a_surrogate_stands(find):
    """By its length, in the text as it is now."""
    [kept], _, [audited] = redact([record(MESSAGE)], SURROGATES, find, KEY)
    first = next(mark for mark in audited.marks)
    new = kept.context[0].content[first.start : first.start + first.length]

    assert MESSAGE[first.start : first.end] == "Anna Kowalska"
    assert kept.context[0].content == f"Hi, I'm {new}{kept.context[0].content[first.start + first.length :]}"
    assert audit_from_parquet(audit_to_parquet([audited])) == [audited]


def test_surrogates_need_a_key(find):
    """Without one they could be computed by anybody."""
    with pytest.raises(RedactionError, match=r"surrogates of ACCOUNT_ID, EMAIL, .* found no key"):
        redact([record(MESSAGE)], SURROGATES, find)
    assert not SURROGATES.with_masks().surrogates
    assert SURROGATES.with_masks().entities == SURROGATES.entities


CALL = [
    {"id": "call_1", "type": "function", "function": {
        "name": "lookupOrder",
        "arguments": json.dumps({"order": "AB-1234", "note": 'she is called "Anna Kowalska", as told', "n": 2}),
    }},
]  # fmt: skip


@pytest.mark.parametrize("spec", [SPEC, SURROGATES], ids=["masks", "surrogates"])
def test_a_tool_call_has_what_stands_in_the_prose_and_stays_json_twice_over(find, spec):
    """Its arguments are JSON in a string; the function's name is nobody's."""
    called = f"I look it up.\n\n{json.dumps(CALL)}"
    before = record(MESSAGE, "Done.")
    before = dataclasses.replace(
        before, context=(*before.context, Turn("assistant", called), Turn("tool", '{"by": 1}'))
    )
    [kept], _, [audited] = redact([before], spec, find, KEY)
    head, _, calls = kept.context[1].content.partition("\n\n")
    function = json.loads(calls)[0]["function"]
    given = json.loads(function["arguments"])

    assert (head, function["name"], given["n"], kept.context[2].content) == (
        "I look it up.",
        "lookupOrder",
        2,
        '{"by": 1}',
    )
    name = given["note"].split('"')[1]
    assert kept.context[0].content.startswith(f"Hi, I'm {name}. Order no. {given['order']} ")
    assert "Kowalska" not in kept.context[1].content
    inside = [called[m.start : m.end] for m in audited.marks if m.field == "context[1]"]
    assert inside == ["AB-1234", "Anna Kowalska"]
    assert redact([kept], spec, find, KEY)[0] == [kept]


def test_prose_in_what_a_tool_answered_is_read_as_prose(find):
    """Although nothing else in the record names it; its labels stay."""
    answer = '{"status": "open", "note": "caller said that her neighbour Peter Brown took it in"}'
    [kept] = masked(find, dataclasses.replace(record("hello"), context=(Turn("tool", answer),)))

    assert kept.context[0].content == answer.replace("Peter Brown", "[PERSON_1]")


def test_json_in_a_fence_stays_json(find):
    """A number in it becomes a string rather than a bare placeholder."""
    text = 'Order number 12345678, please:\n```json\n{"order": 12345678,\n "tries": 2}\n```\nThanks, Anna Kowalska'
    [kept] = masked(find, record(text))

    assert kept.context[0].content == (
        'Order number [ORDER_ID_1], please:\n```json\n{"order": "[ORDER_ID_1]",\n "tries": 2}\n```\nThanks, [PERSON_1]'
    )


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u2060", "\u202e", "\ufe0f"])
def test_a_character_that_nobody_sees_hides_nothing(find, unseen):
    """It goes with the value; elsewhere it stays."""
    [kept], _, [audited] = redact(
        [record(f"a{unseen} mail to an{unseen}na@exam{unseen}ple.com, please")], SPEC, find, KEY
    )

    assert kept.context[0].content == f"a{unseen} mail to [EMAIL_1], please"
    assert audited.marks[0].fingerprint == fingerprint("anna@example.com", KEY)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (record('{"anna.kowalska@example.com": "refund"}'), "a name in the JSON of context[0] is personal data"),
        (record("hi", '{"a": "Anna\\u0000"}'), "completion contains a NUL character"),
        (
            record(
                "Dzień dobry, nie dostałam jeszcze mojej paczki, a pani Kowalska z waszego sklepu mówi, że ją wysłano"
            ),
            "context[0] is in Polish",
        ),
    ],
)
def test_what_cannot_be_redacted_is_dropped(find, before, reason):
    """A name in JSON stays what it is, a language is read or not."""
    kept, [dropped], _ = redact([before], RedactionSpec(), find)

    assert kept == []
    assert dropped.reason.startswith(reason)


def test_a_foreign_turn_among_others_is_found_and_so_are_many_short_ones(find):
    """Neither does English beside it hide it, nor is it too short if it goes on."""
    long = record("Thank you very much for your help with my order, it came today and it works. " * 5)
    polish = "nie dostałam jeszcze mojej paczki, a miała przyjść we wtorek, więc proszę o odpowiedź jak najszybciej"
    mixed = dataclasses.replace(long, context=(*long.context, Turn("user", polish)))
    words = polish.split()
    short = tuple(Turn("user", " ".join(words[n : n + 5])) for n in range(0, len(words), 5))

    reasons = [d.reason for d in redact([mixed, dataclasses.replace(long, context=short)], RedactionSpec(), find)[1]]
    assert [reason.partition(" is in ")[0] for reason in reasons] == ["context[1]", "the record"]


def test_a_text_on_which_detection_fails_is_dropped_alone(find):
    """The others pass, and the reason does not quote the exception, which may quote the text."""

    def failing(texts, known, *, strict=False):
        if any("Zebedee" in text for text in texts):
            raise ValueError(f"cannot read {texts}")
        return find(texts, known, strict=strict)

    kept, dropped, audited = redact([record("Zebedee"), record("fine", number=2)], SPEC, failing)

    assert [r.id for r in kept] == [a.id for a in audited] == ["r2"]
    assert dropped == [Dropped("r1", "redact", "detection failed with ValueError")]


def test_a_broken_detector_stops_the_run():
    """Dropping everything would look like a clean, empty data set."""

    def broken(texts, known, *, strict=False):
        raise KeyError("Zebedee")

    with pytest.raises(RedactionError, match="KeyError") as raised:
        redact([record("Zebedee", number=n) for n in range(12)], SPEC, broken)
    assert "Zebedee" not in str(raised.value)


def test_the_audit_says_where_and_never_what(find):
    """Offsets are those of the text as it was, in message and JSON alike."""
    before = record(MESSAGE, ANSWER)
    _, _, [audited] = redact([before], SPEC, find)
    places = {"context[0]": MESSAGE, "completion": ANSWER}

    assert audited.counts == {"ORDER_ID": 3, "PERSON": 2, "PHONE": 1}
    assert "AB-1234" in [places[m.field][m.start : m.end] for m in audited.marks if m.field == "completion"]
    assert all(value not in repr(audited) for value in ("Anna", "1234", "7946"))
    assert audit_from_parquet(audit_to_parquet([audited])) == [audited]
