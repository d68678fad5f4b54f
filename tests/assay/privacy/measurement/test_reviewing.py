"""A sample is drawn so that anybody can draw it again, and judged only if all of it was read."""

import pytest

from assay.errors import DataError, RedactionError
from assay.privacy.measurement.recall import clean_sample
from assay.privacy.measurement.reviewing import Drawn, Read, judge, more, sample

IDS = [f"t-{number}" for number in range(2000)]
DRAWN = [Drawn(f"t-{number}", (f"user: hello {number}", "{}", "")) for number in range(300)]


def back(rows: list[Drawn], **leaks: str) -> list[Read]:
    """The rows as a person filled them in: ``no`` but where said otherwise."""
    return [Read(line, row, leaks.get(row.id.replace("-", ""), "no")) for line, row in enumerate(rows, 2)]


def test_the_same_rows_are_drawn_whatever_their_order_and_others_with_another_seed():
    """So that the sample can be drawn anew when it comes back."""
    assert sample(IDS, 100, 0) == sample(IDS[::-1], 100, 0)
    assert set(sample(IDS, 100, 0)) != set(sample(IDS, 100, 1))
    assert sample(IDS, 100, 0)[:30] == sample(IDS, 30, 0)


def test_rows_that_are_added_displace_few():
    """Ten in a hundred more records take the places of about ten in a hundred drawn."""
    before, after = set(sample(IDS, 200, 0)), set(sample([*IDS, *(f"new-{n}" for n in range(200))], 200, 0))

    assert 3 <= len(before - after) <= 40


def test_every_row_is_as_likely_as_any_other():
    """Over many seeds each of twenty is drawn about as often."""
    drawn = [id for seed in range(1000) for id in sample(IDS[:20], 5, seed)]

    assert all(190 < drawn.count(id) < 310 for id in IDS[:20])


@pytest.mark.parametrize(("ids", "rows"), [([], 5), (IDS, 0)])
def test_nothing_to_draw_is_told(ids, rows):
    """Rather than a sample of nothing that shows nothing."""
    with pytest.raises(RedactionError, match="expected at least one"):
        sample(ids, rows, 0)


def test_three_hundred_clean_rows_bound_the_rate_at_one_percent():
    """1 - 0.05^(1/300); more rows buy less."""
    found = judge(DRAWN, back(DRAWN), 2000, 0)

    assert (found.rows, found.leaks, found.of) == (300, 0, 2000)
    assert found.upper == pytest.approx(clean_sample(300)) == pytest.approx(0.00994, abs=1e-5)
    assert [rows for rows, _ in more(found)] == [600, 1000]
    assert [upper for _, upper in more(found)] == sorted((upper for _, upper in more(found)), reverse=True)


def test_rows_that_leak_are_counted_and_named_by_id():
    """Two of three hundred: at most 2.1 %, after Clopper and Pearson."""
    found = judge(DRAWN, back(DRAWN, t7=" YES ", t9="x"), 2000, 0)

    assert found.leaking == ("t-7", "t-9")
    assert found.upper == pytest.approx(0.0208, abs=2e-4)


def test_a_row_that_is_not_filled_in_is_refused_by_its_line():
    """Neither empty nor a word that says nothing."""
    with pytest.raises(DataError, match=r"2 rows without yes or no.*lines 2, 5"):
        judge(DRAWN, back(DRAWN, t0="", t3="maybe"), 2000, 0)


def test_altered_foreign_missing_and_repeated_rows_are_refused():
    """Blanks and apostrophes that spreadsheets add are no change."""
    rows = back(DRAWN)
    kindly = [
        Read(r.line, Drawn(r.row.id, tuple(f"' {c}  ".replace("hello ", "hello  ") for c in r.row.cells)), r.leak)
        for r in rows
    ]
    altered = [Read(2, Drawn("t-0", ("user: hello", "{}", "")), "no"), *rows[1:]]

    assert judge(DRAWN, kindly, 2000, 0).sample == judge(DRAWN, rows[::-1], 2000, 0).sample
    with pytest.raises(DataError, match=r"found 1 rows that were altered.*1 missing.*lines 2"):
        judge(DRAWN, altered, 2000, 0)
    with pytest.raises(DataError, match="1 twice, and 1 missing"):
        judge(DRAWN, [*rows[1:], Read(999, rows[1].row, "no")], 2000, 0)


def test_a_row_does_not_show_its_text_by_accident():
    """A traceback that prints one shows its id."""
    assert "hello" not in repr(DRAWN[0])
