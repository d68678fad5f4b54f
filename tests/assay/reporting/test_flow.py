"""Pictures are in proportion, and say in words what they draw."""

import re

from assay.records import Dropped
from assay.reporting import flow
from assay.reporting.excerpts import passage

EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def dropped(number: int, reason: str = "fails RAW-1") -> list[Dropped]:
    """What left."""
    return [Dropped(f"r{i}", "x", reason) for i in range(number)]


def widths(picture: str) -> list[float]:
    """Of the stream below each step."""
    return [float(width) for width in re.findall(r'<rect class="onward" width="([\d.]+)"', picture)]


def test_the_stream_is_as_wide_as_there_are_records():
    """After every step, and down through the sides."""
    path = [passage("validate-raw", 1000, 600, dropped(400)), passage("redact", 600, 600, [])]

    picture = flow.picture(path, {"train": 400, "validation": 50, "test": 150}, 2)

    whole = widths(picture)[0]
    assert [round(width / whole, 3) for width in widths(picture)] == [1.0, 0.6, 0.6, 0.2, 0.15]


def test_every_step_and_side_says_its_numbers():
    """The picture is a table, and nothing in it is told by a shape alone."""
    path = [
        passage("validate-raw", 50, 44, [*dropped(3), *dropped(2, "fails RAW-2"), *dropped(1, "fails RAW-3")]),
        passage("my-own-step", 44, 44, []),
    ]

    said = re.sub(r"<[^>]+>", "|", flow.picture(path, {"train": 40, "test": 4}, 1))

    x = "\N{MULTIPLICATION SIGN}"
    for text in (
        "Checked as received", "50 in, 44 out", "6 set aside",
        f"3 {x} fails RAW-1; 2 {x} fails RAW-2; 1 for other reasons",
        "My own step", "none dropped", "from 1 source", "40 records", "90.9\u202f% of the data set",
    ):  # fmt: skip
        assert text in said, text


def test_one_record_of_a_million_that_leaves_is_seen():
    """What is gone is never too thin to be drawn; what stays draws nothing."""
    path = [passage("redact", 10**6, 10**6 - 1, dropped(1)), passage("trim", 10**6 - 1, 10**6 - 1, [])]

    picture = flow.picture(path, {}, 1)

    (line,) = re.findall(r'<path class="gone" d="([^"]+)"', picture)
    left, right = re.match(r"M([\d.]+) 0H([\d.]+)", line).groups()
    assert float(right) - float(left) >= 0.5


def test_records_that_are_not_accounted_for_are_called_a_fault():
    """And not taken for dropped ones."""
    assert "3 not accounted for: a fault" in flow.picture([passage("redact", 10, 6, dropped(1))], {}, 1)


def test_no_step_gives_no_picture():
    """Nothing is drawn of nothing."""
    assert flow.picture([], {"train": 1}, 1) == ""


def test_a_histogram_is_in_proportion_and_names_its_bins():
    """Its height is the share that it is told to fill it with."""
    drawn = flow.histogram({8: 30, 12: 10}, (4, 6, 8, 12), 0.75, "words", "train: 30 and 10")

    heights = [float(height) for height in re.findall(r'class="kept"[^>]* height="([\d.]+)"', drawn)]
    assert round(heights[0] / heights[1], 2) == 3.0
    assert "8 to 11 words: 30" in drawn
    assert 'aria-label="train: 30 and 10"' in drawn
    assert "75.0\u202f%" in drawn


def test_a_window_spans_what_is_counted_and_is_never_narrow():
    """All histograms of a row share it."""
    assert flow.window([{8: 1}, {16: 2, 24: 0}], EDGES) == [3, 4, 6, 8, 12, 16, 24, 32]
    assert flow.window([{0: 1, 64: 1}], EDGES) == list(EDGES)
    assert flow.window([{}], EDGES) == []
    assert [flow.between(EDGES, place) for place in (1, 5, 12)] == ["1", "6 to 7", "64 and more"]
