"""Times name their offset, and consent is in force or it is not."""

import pytest

from expectations.moments import does_not_precede, instant, is_between, is_in_force

JANUARY, MARCH = "2026-01-05T10:25:00Z", "2026-03-05T10:25:00+01:00"


def test_an_offset_is_part_of_a_time():
    """Half past ten in Berlin is half past nine in London."""
    assert instant("2026-01-05T10:30:00+01:00") == instant("2026-01-05T09:30:00Z")
    for naive in ("2026-01-05T10:30:00", "2026-01-05", "yesterday"):
        with pytest.raises(ValueError, match=r"offset|isoformat"):
            instant(naive)


def test_bounds_are_included():
    """A ticket of the first second is one of the year."""
    assert is_between(JANUARY, JANUARY, JANUARY)
    assert not is_between(JANUARY, MARCH)
    assert not is_between(MARCH, None, JANUARY)


def test_an_answer_may_not_come_before_its_question():
    """The same time is not before."""
    assert does_not_precede(MARCH, JANUARY)
    assert does_not_precede(MARCH, MARCH)
    assert not does_not_precede(JANUARY, MARCH)


@pytest.mark.parametrize(
    ("cells", "passes"),
    [
        ({"cell": "yes"}, True),
        ({"cell": "no"}, False),
        ({"cell": None}, False),
        ({"cell": "yes", "withdrawn": ""}, True),
        ({"cell": "yes", "withdrawn": float("nan")}, True),
        ({"cell": "yes", "withdrawn": None}, True),
        ({"cell": "yes", "withdrawn": MARCH}, False),
        ({"cell": "yes", "withdrawn": "at some time"}, False),
        ({"cell": "yes", "given": JANUARY}, True),
        ({"cell": "yes", "given": JANUARY, "at": MARCH}, True),
        ({"cell": "yes", "given": MARCH, "at": JANUARY}, False),
    ],
)
def test_consent_is_given_in_time_and_never_taken_back(cells, passes):
    """A withdrawal ends it, whatever its date."""
    assert is_in_force(**cells, granted=["yes"]) is passes


def test_consent_without_its_date_is_not_shown():
    """The rule raises, and a rule that raises has not passed."""
    with pytest.raises(TypeError):
        is_in_force("yes", ["yes"], given=None)
