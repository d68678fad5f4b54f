"""A class that is too large is thinned to the limit, always by the same records."""

import json

import pytest

from assay.data.balance import counts, find
from assay.records import Found, Record, Turn
from assay.spec import BalanceSpec

THRICE = BalanceSpec(max_ratio=3)


def of(label: str | None, number: int) -> Record:
    """A record of a class."""
    answer = "none" if label is None else json.dumps({"intent": label})
    return Record(
        id=f"{label}-{number}", subject="s", bucket=0, source="t", context=(Turn("user", "…"),), completion=answer
    )


def several(**sizes: int) -> list[Record]:
    """So many records of each class."""
    return [of(label, number) for label, size in sizes.items() for number in range(size)]


def found(rows: list[Record], spec: BalanceSpec = THRICE, asked: frozenset[str] = frozenset()) -> Found:
    """In one shard."""
    return find([rows], {row.id: row.id in asked for row in rows}, "intent", spec)


def test_a_class_beyond_the_ratio_is_thinned_to_it():
    """And the others stay whole."""
    dropped = found(several(refund=100, login=30, address=10)).dropped

    assert len(dropped) == 70
    assert {d.reason for d in dropped} == {"class is more than 3 times the smallest: 100 of 10"}
    assert {d.id.split("-")[0] for d in dropped} == {"refund"}
    assert {d.step for d in dropped} == {"balance"}


def test_without_a_ratio_nobody_leaves():
    """Balance is a decision."""
    assert found(several(refund=100, address=1), BalanceSpec()) == Found()


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.99])
def test_afterwards_the_ratio_holds(ratio: float):
    """Also where it is not whole."""
    rows = several(a=50, b=21, c=7)
    gone = {d.id for d in found(rows, BalanceSpec(max_ratio=ratio)).dropped}

    left = counts([[row for row in rows if row.id not in gone]], {row.id: False for row in rows}, "intent")

    assert max(left.values()) <= ratio * min(left.values())
    assert left["c"] == 7


def test_who_leaves_depends_on_neither_order_nor_shards():
    """Only on the ids."""
    rows = several(refund=100, address=10)
    shards = [[row] for row in reversed(rows)]

    assert find(shards, {row.id: False for row in rows}, "intent", THRICE) == found(rows)


def test_one_more_record_moves_at_most_one_other():
    """So that a rebuilt data set stays comparable."""
    before = {d.id for d in found(several(refund=100, address=10)).dropped}
    after = {d.id for d in found(several(refund=101, address=10)).dropped}

    assert before < after
    assert len(after - before) == 1


def test_evaluation_records_and_those_without_a_label_neither_leave_nor_count():
    """A single test row of a class must not thin all others."""
    rows = [*several(refund=40, address=20, rare=1), of(None, 1)]
    large = several(refund=100, address=10)
    locked = frozenset(row.id for row in large[:60])

    assert found(rows, asked=frozenset({"rare-0"})) == Found()
    assert not locked & {d.id for d in found(large, asked=locked).dropped}
    assert {d.reason for d in found(large, asked=locked).dropped} == {
        "class is more than 3 times the smallest: 40 of 10"
    }


def test_an_empty_set_is_passed():
    """There is no smallest class."""
    assert found([]) == Found()
