"""A subject is on one side, and stays there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.sources import bucket
from assay.data.splitting import refuse_empty, refuse_torn, side, split
from assay.errors import SplitError
from assay.records import BUCKETS, SIDES, Record, Turn
from assay.spec import SplitSpec

HALVES = SplitSpec(train=0.5, validation=0.25, test=0.25)


def about(subject: str, id: str = "1", **fields) -> Record:
    """A record about somebody."""
    plain = {"source": "t", "context": (Turn("user", "…"),), "completion": ""}
    return Record(id=id, subject=subject, bucket=bucket(subject), **plain | fields)


def test_all_records_of_a_subject_land_together():
    """Otherwise the test score would partly measure memory of people."""
    records = [about(f"s{s}", id=f"{s}/{i}") for s in range(40) for i in range(3)]

    sides = split(records, HALVES)

    subjects = [{r.subject for r in rows} for rows in sides.values()]
    assert sum(map(len, subjects)) == len(set.union(*subjects)) == 40


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(), unique=True), st.data())
def test_a_subject_keeps_its_side_when_others_come_and_go(names: list[str], data: st.DataObject):
    """Erasing one person must not reshuffle the rest, nor must growth."""
    before = {r.subject: name for name, rows in split(map(about, names), HALVES).items() for r in rows}
    stay = [name for name in names if data.draw(st.booleans())]

    after = {r.subject: name for name, rows in split(map(about, stay), HALVES).items() for r in rows}

    assert after == {name: before[name] for name in stay}


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 98), st.integers(1, 98), st.text(max_size=3))
def test_shares_are_of_subjects_and_nothing_is_lost(train: int, validation: int, salt: str):
    """Each of the buckets counts alike; 0.05 is six standard deviations."""
    if train + validation > 99:
        train, validation = train // 2, validation // 2
    spec = SplitSpec(train=train / 100, validation=validation / 100, test=(100 - train - validation) / 100, salt=salt)
    found = [side(Record(**fields(b)), spec) for b in range(BUCKETS)]

    for name in SIDES:
        assert abs(found.count(name) / BUCKETS - getattr(spec, name)) < 0.05


def fields(number: int) -> dict[str, object]:
    """Of a record in one bucket."""
    return {"id": "1", "subject": "s", "bucket": number, "source": "t", "context": (), "completion": ""}


def test_another_salt_is_another_split():
    """So that a side that has been looked at too often can be drawn anew."""
    records = [about(f"s{i}", id=str(i)) for i in range(60)]

    assert split(records, HALVES) != split(records, HALVES.model_copy(update={"salt": "1"}))


@pytest.mark.parametrize("pinned", SIDES)
def test_a_pinned_record_stays_where_its_source_says(pinned):
    """Whatever its subject would say."""
    records = [about(f"s{i}", id=str(i), side=pinned) for i in range(20)]

    assert split(records, HALVES)[pinned] == records


def test_a_share_of_zero_gets_nobody():
    """A test side that is a source of its own must not be thinned with training subjects."""
    sides = split((about(f"s{i}") for i in range(300)), SplitSpec(train=0.9, validation=0.1, test=0.0))

    assert sides["test"] == []
    assert sides["train"]
    assert sides["validation"]


def test_order_within_a_side_is_that_of_the_input():
    """Training reads records in this order, so it is part of what is computed."""
    sides = split([about(f"s{i}", id=str(i)) for i in range(50)], HALVES)

    assert all(rows == sorted(rows, key=lambda r: int(r.id)) for rows in sides.values())


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"train": 3, "validation": 0, "test": 1}, "leaves validation empty: found train 3, validation 0, test 1"),
        ({"train": 0, "validation": 0, "test": 1}, "leaves train and validation empty"),
    ],
)
def test_an_empty_side_is_refused_with_what_each_side_has(counts, says: str):
    """A model that is not tested is not judged."""
    with pytest.raises(SplitError, match=says):
        refuse_empty(counts)


def test_a_record_on_every_side_is_enough():
    """How many are enough is for the gate to say."""
    assert refuse_empty(dict.fromkeys(SIDES, 1)) is None


def test_a_subject_with_a_pinned_and_an_unpinned_record_on_two_sides_is_refused():
    """A pin must not tear a person apart: the test would partly measure memory of them."""
    free = next(about(f"s{i}", id="1") for i in range(99) if side(about(f"s{i}"), HALVES) == "train")
    pinned = about(free.subject, id="2", side="test")

    with pytest.raises(SplitError, match="expected each subject on one side"):
        refuse_torn([free, pinned], HALVES, {})
