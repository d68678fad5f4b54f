"""Every criterion is drawn on the side of its threshold on which it lies, whatever its unit."""

import re

import pytest

from assay.reporting import criteria, forest
from assay.reporting.report import page
from tests.assay.reporting import verdicts
from tests.assay.reporting.test_report import content, parsed

PLACES = re.compile(r'class="point" cx="([\d.]+)%')


def span(point: float, axis: str = "points", **fields) -> forest.Span:
    """A criterion that was met."""
    known = {"lower": point - 4, "upper": point + 4, "origin": -10.0} | fields
    return forest.Span(name="x", said="y", colour="accepted", point=point, axis=axis, **known)


def test_better_is_right_of_the_threshold_for_every_kind():
    """A latency ratio under its limit lies on the same side as a gain over its threshold."""
    drawn = forest.forest([span(5.0)])
    origin = float(re.search(r'class="origin" cx="([\d.]+)%', drawn)[1])

    assert origin < 50 < float(PLACES.search(drawn)[1])
    assert all(float(place) > 50 for place in PLACES.findall(page(content())))


def test_a_refused_criterion_lies_left_of_the_line_and_the_accepted_ones_right():
    """Of every kind and unit: a ceiling and a ratio are good where they are small."""
    written = page(verdicts.content())
    drawn = dict(re.findall(r'<div class="row (\w+)">.*?<b>.*?class="point" cx="([\d.]+)%', written, re.DOTALL))
    rows = re.findall(r'<div class="row (accepted|refused)">.*?class="point" cx="([\d.]+)%', written, re.DOTALL)

    assert len(rows) == 22
    assert all((float(place) > 50) == (decision == "accepted") for decision, place in rows)
    assert drawn["refused"] < "50"


def test_a_length_on_one_axis_means_the_same_in_every_group():
    """Five points are as far from the line under safety as under the task."""
    drawn = forest.in_groups([("The task", [span(5.0), span(60.0)]), ("Safety", [span(5.0)])])
    places = PLACES.findall(drawn)

    assert places[0] == places[2]


def test_each_unit_has_an_axis_of_its_own_which_is_named():
    """No point is drawn on an axis of ratios or bits, and a group with two units has two axes."""
    written = page(verdicts.content())
    axes = re.findall(r'<div class="row axis"><span class="name">(?:<b>(.*?)</b>)?<small>(.*?)</small>', written)

    assert ("General ability and text", "points from the threshold") in axes
    assert ("", "% within the limit") in axes
    assert ("", "bits from the limit") in axes
    assert [name for name, _ in axes if name] == list(criteria.GROUPS)


@pytest.mark.parametrize(("lower", "upper"), [(None, 9.0), (2.0, None), (None, None)])
def test_an_open_interval_ends_at_the_estimate(lower, upper):
    """A bound on one side only is drawn on that side; none at all is a point."""
    drawn = forest.in_groups([("Leaks", [span(5.0, lower=lower, upper=upper)])])
    parsed(drawn)

    assert ("whisker" in drawn) == (lower is not None or upper is not None)


def test_a_row_says_in_words_what_it_draws():
    """Who sees no colour has a sign, who sees nothing a sentence."""
    drawn = forest.forest([span(5.0)])

    assert 'aria-label="x: y: accepted"' in drawn
    assert ">\u2713</i>" in drawn
