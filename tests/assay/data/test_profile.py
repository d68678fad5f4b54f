"""A profile tells a dataset version in numbers, and no text of a record or rare value with them."""

import bisect
import json
from collections.abc import Callable

import pytest

from assay.data.naming import LONGEST, RARE
from assay.data.profile import EDGES, MOST_VALUES, Column, Profile, Side, bin_of, profile
from assay.records import Record

Made = Callable[..., Record]


def said(label: str | None) -> str:
    """An answer with a label."""
    return json.dumps({"intent": label} if label else {})


def side_of(found: Profile, name: str = "train") -> Side:
    """One side of a profile."""
    return next(side for side in found.sides if side.name == name)


def column_of(found: Profile, name: str = "channel", side: str = "train") -> Column:
    """One attribute of a side."""
    return next(column for column in side_of(found, side).attributes if column.name == name)


def test_rows_subjects_lengths_labels_and_placeholders_are_counted(record: Made):
    """On records whose every number is known."""
    rows = [
        record(
            "one two three [PERSON_1]",
            said("refund"),
            id=f"r{i}",
            subject=f"s{i // 2}",
            attributes={"channel": "email"},
        )
        for i in range(10)
    ]
    rows.append(record("alone [IP_ADDRESS_2] [PERSON_1] [PERSON_1]", said(None), id="r10", subject="s0"))
    rows.append(record("", said("refund"), id="r11", subject="s9"))

    (train,) = profile({"train": [rows[:5], rows[5:]]}, "intent", ["channel"]).sides

    assert (train.rows, train.subjects, train.masked) == (12, 6, 11)
    assert train.words.bins == ((0, 1), (4, 11))
    assert (train.words.least, train.words.median, train.words.high, train.words.most) == (0, 4, 4, 4)
    assert train.labels == Column(name="intent", distinct=1, values=(("refund", 11),), absent=1)
    assert train.attributes == (Column(name="channel", distinct=1, values=(("email", 10),), absent=2),)
    assert train.placeholders == (("IP_ADDRESS", 1), ("PERSON", 12))


def test_no_text_and_no_rare_value_of_a_record_is_in_it(record: Made):
    """A value that fewer than five people have could point at somebody."""
    rows = [
        record(
            f"marigold {i}",
            said("refund" if i else "quince"),
            id=f"r{i}",
            subject=f"s{i}",
            attributes={"channel": "fax" if i < 4 else "web"},
        )
        for i in range(20)
    ]

    found = profile({"train": [rows]}, "intent", ["channel"])

    written = found.to_json().decode()
    assert not [word for word in ("marigold", "quince", "fax", '"s1"', "r19") if word in written]
    assert column_of(found).values == (("web", 16),)
    assert (column_of(found).other, column_of(found).unnamed) == (4, 1)
    assert (side_of(found).labels.other, side_of(found).labels.unnamed) == (1, 1)


def test_what_one_person_has_is_not_named_however_many_records_they_have(record: Made):
    """Attributes are not redacted: a customer of six tickets whose region is a name must not be on a page."""
    rows = [record(id=f"r{i}", subject=f"s{i}", attributes={"region": "north"}) for i in range(RARE)]
    rows += [
        record(completion=said("Vogel"), id=f"v{i}", subject=f"v{i % 4}", attributes={"region": "Katharina Vogel"})
        for i in range(40)
    ]

    found = profile({"train": [rows[:20]], "test": [rows[20:]]}, "intent", ["region"])

    assert "Vogel" not in found.to_json().decode()
    assert column_of(found, "region").values == (("north", RARE),)
    assert (column_of(found, "region").other, column_of(found, "region").unnamed) == (15, 1)
    assert (column_of(found, "region", "test").other, side_of(found, "test").labels.other) == (25, 25)


def test_a_value_is_named_alike_on_every_side(record: Made):
    """One that is frequent over all sides is named on a side where it is rare, in the same place."""
    train = [record(id=f"t{i}", subject=f"s{i}", attributes={"channel": "web" if i % 3 else "chat"}) for i in range(30)]
    test = [record(id="x", attributes={"channel": "chat"})]

    found = profile({"train": [train], "test": [test]}, "intent", ["channel"])

    assert column_of(found).values == (("web", 20), ("chat", 10))
    assert column_of(found, side="test").values == (("web", 0), ("chat", 1))


def test_a_column_with_too_many_values_is_told_by_their_number(record: Made):
    """Whether they came before or after there were too many, and however often."""
    rows = [
        record(id=f"r{i}", subject=f"s{i}", attributes={"channel": f"v{i % (MOST_VALUES + 1)}"}) for i in range(400)
    ]

    found = profile({"train": [rows]}, "intent", ["channel"])

    assert column_of(found) == Column(
        name="channel", distinct=MOST_VALUES + 1, values=(), other=400, unnamed=MOST_VALUES + 1
    )


def test_a_value_that_is_a_text_is_not_named(record: Made):
    """However many rows have it."""
    rows = [record(id=f"r{i}", subject=f"s{i}", attributes={"channel": "x" * (LONGEST + 1)}) for i in range(RARE)]

    found = profile({"train": [rows]}, "intent", ["channel"])

    assert column_of(found).values == ()


def test_subjects_on_two_sides_are_counted(record: Made):
    """A split leaves none, and a steward should not have to take that on trust."""
    train = [record(id=f"t{i}", subject=f"s{i}") for i in range(6)]
    test = [record(id=f"x{i}", subject=f"s{i}") for i in range(4, 8)]

    found = profile({"train": [train], "validation": [], "test": [test]}, "intent", [])

    assert (found.subjects, found.torn) == (8, 2)
    assert side_of(found, "validation").rows == 0


def test_how_records_lie_in_shards_changes_nothing_and_it_reads_back(record: Made):
    """Equal profiles have equal bytes, and the bytes say all of it."""
    rows = [
        record("a b " * i, said(f"l{i % 3}"), id=f"r{i}", subject=f"s{i}", attributes={"channel": f"c{i % 2}"})
        for i in range(40)
    ]

    one = profile({"train": [rows]}, "intent", ["channel"])
    many = profile({"train": iter([rows[:7], [], rows[7:]])}, "intent", ["channel"])

    assert one.to_json() == many.to_json()
    assert Profile.from_json(one.to_json()) == one


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 6, 47, 48, 63, 64, 95, 96, 10**6, EDGES[-1], 10**9])
def test_a_bin_starts_at_or_below_the_length_and_ends_above_it(length: int):
    """The edges are fixed, two to a doubling, and the last bin is open."""
    edge = bin_of(length)

    after = bisect.bisect_right(EDGES, edge)
    assert edge <= length
    assert after == len(EDGES) or length < EDGES[after]
    assert EDGES[:10] == (0, 1, 2, 3, 4, 6, 8, 12, 16, 24)
