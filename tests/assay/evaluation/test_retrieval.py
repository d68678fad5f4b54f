"""Examples are the records that are nearest, the same for whoever asks, and never the request itself."""

import pytest

from assay.errors import DataError
from assay.evaluation import retrieval
from assay.records import Record, Turn


def ticket(id: str, text: str, label: str = "refund") -> Record:
    """A message and its label."""
    turns = (Turn("system", "parcel parcel parcel"), Turn("user", text))
    completion = f'{{"intent": "{label}"}}'
    return Record(id=id, subject=f"s{id}", bucket=0, source="tickets", context=turns, completion=completion)


TRAIN = [
    ticket("a", "where is the parcel of order 77"),
    ticket("b", "please refund what I paid"),
    ticket("c", "I cannot sign in, the password stopped working"),
    ticket("d", "where is my refund"),
]


def test_the_nearest_come_first_by_words_that_are_rare():
    """Case and punctuation say nothing; a record that shares no word is not near at all."""
    index = retrieval.Index(TRAIN)

    assert index.nearest(ticket("x", "WHERE, please, is the parcel?"), 2) == ["a", "d"]
    assert index.nearest(ticket("x", "password!"), 4) == ["c"]
    assert index.nearest(ticket("x", "zebra"), 4) == []
    assert index.nearest(ticket("x", "???"), 4) == []


def test_what_stands_in_the_answer_or_the_system_turn_brings_nothing_near():
    """The answer is what is asked for; the system turn is the same everywhere."""
    index = retrieval.Index(TRAIN)

    assert index.nearest(ticket("x", "intent"), 4) == []
    assert index.nearest(ticket("x", "parcel"), 4) == ["a"]


def test_a_record_is_never_its_own_example():
    """Even where somebody indexed it."""
    index = retrieval.Index(TRAIN)

    assert "a" not in index.nearest(TRAIN[0], 4)
    assert index.nearest(ticket("x", "where is the parcel of order 77"), 1) == ["a"]
    with pytest.raises(DataError, match="found 1 records both among the examples and among the requests, such as b"):
        retrieval.refuse_shared(TRAIN, [TRAIN[1], ticket("x", "hello")])
    retrieval.refuse_shared(TRAIN, [ticket("x", "hello")])


def test_equal_scores_are_told_apart_by_place():
    """So that two machines show the same examples."""
    twins = [ticket(id, "refund please") for id in ("q", "p", "r")]

    assert retrieval.Index(twins).nearest(ticket("x", "refund"), 2) == ["q", "p"]


def test_a_few_examples_are_spread_over_the_labels_the_commonest_first():
    """One of each label before a second of any."""
    records = [ticket(f"r{n}", "x", label) for n, label in enumerate(["refund"] * 6 + ["login"] * 3 + ["delivery"])]
    labels = {record.id: record.completion for record in records}
    few = [labels[id] for id in retrieval.few(records, "intent", 5, 0)]

    assert [said.split('"')[3] for said in few] == ["refund", "login", "delivery", "refund", "login"]
    assert retrieval.few(records, "intent", 5, 0) == retrieval.few(list(reversed(records)), "intent", 5, 0)
    assert retrieval.few(records, "intent", 5, 0) != retrieval.few(records, "intent", 5, 1)
    assert len(retrieval.few(records, "intent", 99, 0)) == 10


def test_a_sample_is_drawn_by_id_and_a_larger_one_holds_the_smaller():
    """Whatever the order of the records; another seed draws others."""
    records = [ticket(f"r{n}", "x") for n in range(40)]
    ten = [record.id for record in retrieval.sample(records, 10, 0)]

    assert [record.id for record in retrieval.sample(list(reversed(records)), 20, 0)][:10] == ten
    assert [record.id for record in retrieval.sample(records, 10, 1)] != ten
    assert len(retrieval.sample(records, 99, 0)) == 40


def test_records_without_a_word_are_refused():
    """There is nothing to find in them."""
    with pytest.raises(DataError, match="found 1 records without a word"):
        retrieval.Index([ticket("a", "...")])
