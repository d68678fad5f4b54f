"""What is gathered from all rows, and what is said of it."""

import pandas as pd
import pytest

from expectations import outcome as notes
from expectations import totals
from expectations.gate import check
from tests.expectations.conftest import suite
from tests.expectations.test_customs import RESOURCES, framed

SHARES = "column_label_shares_to_be_between"
RATES = "column_rates_to_be_even_across"


def found(frame, expect, resources=RESOURCES, **parameters):
    """The finding of one check over column ``cell``."""
    asked = suite({"expect": expect, "column": "cell", "parameters": parameters, "on_fail": "warn"})
    return check([frame], asked, resources).findings[0]


def grouped(rates, rows=10):
    """Groups by name, each with so many of ten rows that pass."""
    cells = [("yes" if i < passed else "no", group) for group, passed in rates.items() for i in range(rows)]
    return framed([cell for cell, _ in cells]).assign(group=[group for _, group in cells])


def test_shares_are_of_all_rows_and_missing_ones_are_of_no_class():
    """A model that mostly fails to answer does not thereby share its answers evenly."""
    frame = framed(["a", "b", None, None])

    assert found(frame, SHARES, max_value="25%").status == "passed"
    assert found(frame, SHARES, min_value="30%").failed == 2


def test_a_class_that_the_suite_lists_must_be_there():
    """It is named, since the suite names it; the other is not, since it is a value of the data."""
    finding = found(framed(["a", "b", "b"]), SHARES, value_set=["a", "c"])

    assert (finding.status, finding.failed) == ("failed", 1)
    assert finding.observed == "lowest share 0 % (c: 0 rows), highest 66.7 % (2 rows) over 3 classes"


def test_a_column_without_any_value_is_not_judged():
    """Nothing seen is not nothing found."""
    finding = found(framed([None, None]), SHARES, max_value="100%")

    assert (finding.status, finding.note) == ("could not run", notes.NO_VALUE)


def test_a_column_with_too_many_values_is_no_label(monkeypatch):
    """Counting them all would fill the memory."""
    monkeypatch.setattr(totals, "MAX_CLASSES", 3)

    assert found(framed(["a", "b", "c"]), SHARES, max_value="100%").status == "passed"
    assert found(framed(["a", "b", "c", "d"]), SHARES, max_value="100%").note == notes.RAISED


def test_rates_are_compared_by_the_four_fifths_rule():
    """Eight of ten against ten of ten is just even; seven is not."""
    asked = {"passes": ["yes"], "by": "group", "min_ratio": 0.8, "min_rows": 10}

    assert found(grouped({"a": 10, "b": 8}), RATES, **asked).status == "passed"
    finding = found(grouped({"a": 10, "b": 7}), RATES, **asked)
    assert (finding.status, finding.failed) == ("failed", 1)
    assert finding.observed == "lowest rate 70 %, highest 100 %, ratio 0.7 over 2 of 2 groups"


def test_groups_too_small_to_judge_are_told_and_not_judged():
    """With fewer than two left there is nothing to compare, and what was not compared has not passed."""
    frame = pd.concat([grouped({"a": 10, "b": 9}), grouped({"c": 0}, rows=3)], ignore_index=True)
    frame["id"] = [f"r-{i}" for i in range(len(frame))]
    asked = {"passes": ["yes"], "by": "group", "min_ratio": 0.8}

    three, one = (
        found(frame, RATES, **asked, min_rows=5),
        found(frame[frame["group"] != "b"], RATES, **asked, min_rows=5),
    )

    assert (three.status, three.observed) == (
        "passed", "lowest rate 90 %, highest 100 %, ratio 0.9 over 2 of 3 groups"
    )  # fmt: skip
    assert (one.status, one.note) == ("could not run", notes.NO_GROUPS)


def test_a_value_that_counts_as_passing_must_be_there():
    """A typing error would make all rates 0, which is even."""
    asked = {"by": "group", "min_ratio": 0.8, "min_rows": 10}

    for passes in (["yess"], ["yes", "yess"]):
        assert found(grouped({"a": 10, "b": 1}), RATES, passes=passes, **asked).note == notes.NONE_PASSES
    nothing = grouped({"a": 10, "b": 1}).assign(cell=None)
    assert found(nothing, RATES, passes=["yes"], **asked).note == notes.NO_VALUE
    assert found(nothing, RATES, **asked).note == notes.NO_VALUE


@pytest.mark.parametrize(
    ("cells", "observed"),
    [
        ([0.5, 1], "lowest rate 50 %, highest 100 %, ratio 0.5 over 2 of 2 groups"),
        ([37, 74], "ratio 0.5 over 2 of 2 groups"),
        ([0.2, [0, 0, 0, 0, 2]], "ratio 0.5 over 2 of 2 groups"),
        ([0, 0], "every rate is 0 over 2 of 2 groups"),
    ],
)
def test_a_rate_is_told_only_if_it_is_a_share(cells, observed):
    """The lowest age of a group is somebody's age."""
    rows = [cell for each in cells for cell in (each if isinstance(each, list) else [each] * 5)]
    frame = framed(rows).assign(group=["a"] * 5 + ["b"] * 5)

    assert found(frame, RATES, by="group", min_ratio=0.1, min_rows=5).observed == observed


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ([1.0, 0.5, 1.0, 0.5], "passed"),
        ([1, 1, 0.5, 0], "failed"),
        ([0, 0, 0, 0], "passed"),
        ([1, None, 1, 0], "passed"),
    ],
)
def test_rates_of_a_number_are_its_means(cells, status):
    """A missing score counts as none; where nobody scores, nobody is worse off."""
    frame = framed(cells * 3).assign(group=["a", "a", "b", "b"] * 3)

    assert found(frame, RATES, by="group", min_ratio=0.8, min_rows=6).status == status


@pytest.mark.parametrize("cell", ["text", -1.0, float("inf")])
def test_what_is_no_rate_is_not_compared(cell):
    """A ratio of it would mean nothing."""
    frame = framed([1.0, cell]).assign(group="a")

    assert found(frame, RATES, by="group", min_ratio=0.8, min_rows=5).note == notes.RAISED


class Broken:
    """A finder that breaks, and quotes what it saw."""

    def add(self, texts, ids):  # noqa: ARG002
        """Break."""
        raise ValueError(texts[0])


@pytest.mark.parametrize(
    ("resource", "note"), [(Broken, notes.RAISED), (lambda: 1 / 0, notes.NO_RESOURCE), ("twins", notes.NO_RESOURCE)]
)
def test_a_finder_that_breaks_stops_the_run_without_a_word(resource, note):
    """Its text may quote a row."""
    frame = framed(["SECRET", "b"])

    finding = found(frame, "column_near_duplicates_to_be_at_most", {"twins": resource}, max_share=1.0, finder="twins")

    assert (finding.status, finding.note) == ("could not run", note)
    assert "SECRET" not in finding.model_dump_json()


@pytest.mark.parametrize(
    ("cells", "note"),
    [([None, None], notes.NO_VALUE), (["a", ["a"]], notes.RAISED), ([["a"], ["a"]], notes.RAISED), ([1], notes.RAISED)],
)
def test_near_duplicates_are_of_texts(cells, note):
    """Where there is none nothing was compared, and a list is not one."""
    expect = "column_near_duplicates_to_be_at_most"

    finding = found(framed(cells), expect, max_share="100%", finder="twins")

    assert (finding.status, finding.note) == ("could not run", note)


def test_near_duplicates_are_named_even_if_there_are_few_enough():
    """The steward can look at them."""
    finding = found(
        framed(["a", "A", None, "b", "B"]),
        "column_near_duplicates_to_be_at_most",
        max_share="40%",
        finder="twins",
    )

    assert (finding.status, finding.ids) == ("passed", ("r-1", "r-4"))
    assert finding.observed == "2 of 5 rows, 40 %"
