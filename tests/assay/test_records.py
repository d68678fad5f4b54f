"""What is filed is what is read back, and the same again as bytes."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.records import (
    BUCKETS,
    PLACEHOLDER,
    SIDES,
    Dropped,
    Known,
    Record,
    Turn,
    dropped_from_parquet,
    dropped_to_parquet,
    from_parquet,
    said,
    to_parquet,
)

TEXT = st.text(max_size=12)
RECORD = st.builds(
    Record,
    id=TEXT,
    subject=TEXT,
    bucket=st.integers(0, BUCKETS - 1),
    source=TEXT,
    side=st.sampled_from([None, *SIDES]),
    context=st.lists(st.builds(Turn, TEXT, TEXT), max_size=3).map(tuple),
    completion=TEXT,
    attributes=st.dictionaries(TEXT, TEXT, max_size=3),
    known=st.lists(st.builds(Known, TEXT, TEXT), max_size=2).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORD, max_size=3))
def test_records_come_back_as_they_went_in(records: list[Record]):
    """Any text that UTF-8 can hold, empty ones included, and none at all."""
    data = to_parquet(records)

    assert from_parquet(data) == records
    assert to_parquet(from_parquet(data)) == data


def test_the_order_of_attributes_is_not_in_the_bytes(record):
    """Two sources may name them in any order."""
    one, two = (record(attributes=dict(pairs)) for pairs in ((("a", "1"), ("b", "2")), (("b", "2"), ("a", "1"))))

    assert to_parquet([one]) == to_parquet([two])


def test_what_left_comes_back_with_its_reason():
    """Nothing vanishes, not even what was dropped."""
    rows = [Dropped("r1", "deduplicate", "exact duplicate of r0"), Dropped("r2", "redact", "")]

    assert dropped_from_parquet(dropped_to_parquet(rows)) == rows
    assert dropped_from_parquet(dropped_to_parquet([])) == []


def test_the_prompt_is_what_was_said_before_the_completion(record):
    """Turns apart, so that words of two of them make no run."""
    said = Record(
        **{name: getattr(record(), name) for name in ("id", "subject", "bucket", "source")},
        context=(Turn("user", "a"), Turn("assistant", "b")),
        completion="c",
    )

    assert (said.prompt, said.text) == ("a\n\nb", "a\n\nb\n\nc")


def test_a_record_in_a_log_shows_no_text(record):
    """Who prints one by mistake gives nobody away."""
    shown = repr(record("my name is Ottilie", "Dear Ottilie", known=(Known("PERSON", "Ottilie"),)))

    assert "Ottilie" not in shown
    assert "Ottilie" not in repr(Known("PERSON", "Ottilie"))


def test_what_was_said_is_every_turn_but_the_systems(record):
    """Its words are the same in every record, and would make all alike."""
    turns = (Turn("system", "Be kind."), Turn("user", "Hello"), Turn("assistant", "Hi"), Turn("user", "Where is it?"))

    assert said(replace(record(), context=turns)) == "Hello\n\nHi\n\nWhere is it?"


def test_a_placeholder_is_told_by_its_type():
    """And nothing that a customer brackets is one."""
    assert PLACEHOLDER.findall("[PERSON_2] [IP_ADDRESS_10] [person_1] [2] [PERSON] [ORDER_ID_x]") == [
        "PERSON",
        "IP_ADDRESS",
    ]
