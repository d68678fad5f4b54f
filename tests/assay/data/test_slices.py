"""Labels that come about otherwise for one value of an attribute show, and nobody is singled out by a rare value."""

import json

import pytest

from assay.data.slices import association, describe
from assay.records import Record, Turn


def rows(table: dict[tuple[str | None, str | None], int], subjects: int = 10**6) -> list[Record]:
    """So many records of each pair of channel and label, each pair's by at most so many subjects."""
    return [
        Record(
            id=f"{pair}{number}",
            subject=f"{pair}{number % subjects}",
            bucket=0,
            source="t",
            context=(Turn("user", "…"),),
            completion="none" if pair[1] is None else json.dumps({"intent": pair[1]}),
            attributes={} if pair[0] is None else {"channel": pair[0]},
        )
        for pair, count in table.items()
        for number in range(count)
    ]


def channel(table: dict[tuple[str | None, str | None], int], min_rows: int = 30):
    """The slice."""
    (found,) = describe([rows(table)], ["channel"], "intent", min_rows)
    return found


EVEN = {("mail", "refund"): 30, ("mail", "login"): 30, ("chat", "refund"): 20, ("chat", "login"): 20}
SKEWED = {("mail", "refund"): 45, ("mail", "login"): 15, ("chat", "refund"): 10, ("chat", "login"): 30}


def test_rates_are_those_of_each_value():
    """The most frequent value first."""
    found = channel(SKEWED)

    assert found.values == (("mail", 60), ("chat", 40))
    assert found.labels == (("refund", 55), ("login", 45))
    assert [dict(value.rates) for value in found.table] == [
        {"refund": 0.75, "login": 0.25},
        {"refund": 0.25, "login": 0.75},
    ]


def test_labels_that_are_alike_everywhere_have_ratio_one_and_no_association():
    """Whatever the sizes of the values."""
    found = channel(EVEN)

    assert (found.ratio, found.cramers_v, found.p_value, found.p_value_of_ratio) == (1, 0, 1, 1)


def test_the_ratio_is_that_of_the_label_where_rates_differ_most():
    """0.25 over 0.75 either way; the more frequent label is named, and chance is no explanation."""
    found = channel(SKEWED)

    assert (found.ratio, found.label_of_ratio) == (pytest.approx(1 / 3), "refund")
    assert found.p_value_of_ratio < 1e-4


def test_association_has_bergsma_s_correction_and_pearson_s_p():
    """By hand: χ² = 100 (45·30 - 15·10)² / (60·40·55·45) = 24.24, φ̃² = 0.2424 - 1/99, min(r̃, c̃) - 1 = 1 - 1/99."""
    strength, p_value = association([[45, 15], [10, 30]])

    assert strength == pytest.approx(((0.242424 - 1 / 99) / (1 - 1 / 99)) ** 0.5, rel=1e-4)
    assert p_value == pytest.approx(8.5e-7, rel=0.02)


def test_a_label_that_follows_from_the_value_is_full_association():
    """And its lowest rate is 0."""
    found = channel({("mail", "refund"): 50, ("chat", "login"): 50})

    assert (found.ratio, found.cramers_v) == (0, pytest.approx(1, abs=0.01))


def test_rare_values_and_labels_are_counted_together_and_not_named():
    """Four records are four people's at most."""
    found = channel(EVEN | {("fax", "refund"): 4, ("telex", "refund"): 2, ("mail", "Dear Ms Example"): 1})

    assert found.values[-1] == ("other (2 values)", 6)
    assert found.labels[-1] == ("other (1 value)", 1)
    assert "Example" not in found.model_dump_json()
    assert "fax" not in found.model_dump_json()


def test_what_few_people_have_is_not_named_however_many_records_they_have():
    """A customer of forty tickets whose channel is a name, and four who share a label."""
    table = rows({("Katharina Vogel", "refund"): 40}, subjects=1) + rows({("mail", "Vogel"): 40}, subjects=4)

    (found,) = describe([rows(EVEN) + table], ["channel"], "intent")

    assert "Vogel" not in found.model_dump_json()
    assert (found.values[-1], found.labels[-1]) == (("other (1 value)", 40), ("other (1 value)", 40))
    assert not found.table[-1].compared


def test_a_text_is_no_name_however_often_it_comes():
    """An attribute that holds a form letter must not put it in a report."""
    found = channel(EVEN | {("long " * 20, "refund"): 40})

    assert found.values[-1] == ("other (1 value)", 40)
    assert not found.table[-1].compared


def test_values_of_few_records_are_shown_and_not_compared():
    """Ten records say nothing of a rate."""
    found = channel(EVEN | {("web", "refund"): 10})

    assert ("web", 10) in found.values
    assert found.ratio == 1
    assert {value.name for value in found.table if value.compared} == {"mail", "chat"}


def test_a_label_too_rare_to_have_rates_is_not_compared():
    """Six records over two values differ by chance."""
    found = channel(EVEN | {("mail", "rare"): 6})

    assert (found.ratio, found.label_of_ratio) == (pytest.approx((30 / 66) / (20 / 40)), "login")


@pytest.mark.parametrize("table", [{}, {("mail", "refund"): 50}, {(None, "refund"): 50, ("mail", None): 50}])
def test_what_cannot_be_compared_has_no_numbers(table):
    """None is not 0."""
    found = channel(table)

    assert (found.ratio, found.label_of_ratio, found.cramers_v, found.p_value) == (None, None, None, None)


def test_neither_shards_nor_their_order_change_the_outcome():
    """Counts add up."""
    every = rows(SKEWED | {("fax", "refund"): 4})

    assert describe([[row] for row in reversed(every)], ["channel"], "intent") == describe(
        [every], ["channel"], "intent"
    )


def test_each_attribute_is_a_slice_in_the_order_asked():
    """One that no record has is empty."""
    found = describe([rows(EVEN)], ["none", "channel"], "intent")

    assert [(slice_.attribute, slice_.n) for slice_ in found] == [("none", 0), ("channel", 100)]
