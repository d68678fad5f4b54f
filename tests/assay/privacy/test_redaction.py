"""Redaction masks a record the same way throughout, keeps JSON JSON, and fails closed."""

import dataclasses
import json

import pytest

from assay.errors import RedactionError
from assay.privacy.detection import Detector
from assay.privacy.personal_spans import TYPES
from assay.privacy.redaction import audit_from_parquet, audit_to_parquet, redact
from assay.records import Dropped, Known, Record, Turn
from assay.spec import RedactionSpec

SPEC = RedactionSpec(entities=TYPES, max_characters=2_000)
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
    """Identity and attributes are not redaction's to change."""
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Anna " * 401, "context[0] has 2005 characters, more than the 2000 that are examined"),
        ("Anna\0", "context[0] contains a NUL character"),
        ("Anna\ud800", "context[0] contains half of a surrogate pair"),
    ],
)
def test_what_cannot_be_examined_is_dropped(find, text, reason):
    """With a reason that names nothing of it."""
    assert redact([record(text)], SPEC, find) == ([], [Dropped("r1", "redact", reason)], [])


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
