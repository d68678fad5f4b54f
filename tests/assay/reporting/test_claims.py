"""What is said of redaction is no more than what was shown, in words that need no statistics."""

import math

import pytest

from assay.reporting import claims
from assay.reporting.redacting import Capture, Redacting, Sample
from tests.assay.reporting.measurements import SEEN, captures, given, redacting, refused


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (0.0, "0\u202f%"),
        (0.000_612, "0.062\u202f%"),
        (0.00994, "1.0\u202f%"),
        (0.02402, "2.5\u202f%"),
        (0.05, "5.0\u202f%"),
        (0.0500001, "5.1\u202f%"),
        (0.0999, "10.0\u202f%"),
        (0.11004, "11.1\u202f%"),
        (0.99999, "100\u202f%"),
        (1.0, "100\u202f%"),
    ],
)
def test_an_upper_bound_is_rounded_up(bound: float, said: str):
    """So that no sentence claims less than may be left."""
    assert claims.at_most(bound) == said
    assert float(said.removesuffix("\u202f%")) / 100 >= bound - 1e-12


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (1.0, "100\u202f%"),
        (0.99994, "99.99\u202f%"),
        (0.9512, "95.1\u202f%"),
        (0.9499, "94.9\u202f%"),
        (0.0, "0\u202f%"),
    ],
)
def test_a_lower_bound_is_rounded_down(bound: float, said: str):
    """A floor of 95 % is not reached by 94.99 %, and no page says that it is."""
    assert claims.at_least(bound) == said


def test_the_headline_is_one_sentence_that_a_manager_understands():
    """How much was planted, how much was masked, and what may be left."""
    assert claims.headline(redacting()) == (
        "Of 1\u202f152 invented values planted in 500 distinct records of this run, 1\u202f134 were masked whole; with "
        "95\u202f% confidence at most 2.2\u202f% of such records keep a direct identifier."
    )


def test_records_that_served_several_times_are_told_and_more_of_the_same_is_no_way_on():
    """Five hundred records made of one are one: the page says so, and asks for other records."""
    few = {"count": 0, "of": 500, "lower": 0.0, "upper": 0.95, "clusters": 1}
    one = Redacting.model_validate(
        given(seen={"PERSON": (60, 60)}, floors={"PERSON": 0.9}) | {"leaks": few, "sources": 1, "reasons": ["x"]}
    )

    assert "planted in one record of this run" in claims.headline(one)
    assert "one record of this run to plant in" in dict(claims.not_shown(one))["Few records"]
    assert [way.partition(":")[0] for way in claims.ways_on(one)] == ["Give more records", "Ask for less"]
    assert "Few records" not in dict(claims.not_shown(redacting()))


def test_a_measurement_of_a_run_that_counted_no_records_is_still_read():
    """What an earlier version filed has no such number."""
    old = {name: value for name, value in given().items() if name != "sources"}

    assert "planted in this run's own kind of text" in claims.headline(Redacting.model_validate(old))


def test_nothing_planted_is_nothing_shown():
    """An empty measurement must not read like a good one."""
    nothing = {"count": 0, "of": 0, "lower": 0.0, "upper": 1.0}
    empty = Redacting.model_validate(given() | {"recall": [], "leaks": nothing})
    bare = Redacting.model_validate(given() | {"leaks": nothing})

    assert claims.headline(empty) == "No value was planted, so nothing is shown of how well redaction works."
    assert "nothing bounds how many leak" in claims.headline(bare)
    assert claims.leaking(bare) == "at most 100\u202f%"


def test_machines_are_told_every_bound_in_plain_characters():
    """And why it was refused, if it was."""
    said, stopped = claims.for_machines(redacting()), claims.for_machines(refused())

    assert "\u202f" not in said + stopped
    assert all(f"{kind} " in said for kind in SEEN)
    assert "CITY 69.6 % (48 of 60)" in said
    assert "not what was asked for" not in said
    assert "PERSON: 150 of 195 seeded values fully masked" in stopped


def test_what_both_detectors_missed_is_said_with_what_it_is_worth():
    """An estimate with its interval, less what was found; and no interval where there is none."""
    person, email, city = (claims.missed(Capture.model_validate(each)) for each in captures())

    assert (person.number, person.interval) == ("under 1", "0 to 5")
    assert (email.number, email.interval) == ("none", "one found all that the other did, which bounds nothing")
    assert (city.number, city.interval) == ("about 6", "they never agree, which bounds nothing")
    assert person.capture.found == 1403


def test_a_reading_says_who_when_how_much_and_what_that_shows():
    """A leak that was read is told too."""
    sample = Sample(rows=300, leaks=0, upper=0.00994, who="jane.doe@acme.example", day="2031-02-01")
    found = sample.model_copy(update={"leaks": 1, "rows": 1, "upper": 1.0})

    assert claims.reviewed(sample, 0.95) == (
        "jane.doe@acme.example read 300 redacted rows on 2031-02-01 and found nothing left in any: with 95\u202f% "
        "confidence at most 1.0\u202f% of rows leak."
    )
    assert "read 1 redacted row on 2031-02-01 and found something left in 1: " in claims.reviewed(found, 0.95)


def test_what_the_measurement_leaves_open_begins_with_what_this_policy_does():
    """A type that stays and one that nobody could plant are named; a set-aside record is counted."""
    said = dict(claims.not_shown(redacting()))

    assert list(said)[:5] == ["Kept", "Not planted", "Invented values", "Languages", "Set aside"]
    assert said["Kept"].startswith("URL, as the policy says")
    assert said["Not planted"].startswith("EMPLOYEE_ID. ")
    assert said["Set aside"].startswith("3 of 600 seeded records were dropped")
    assert "German may come by too" in said["Languages"]
    short = dict(claims.not_shown(redacting(policy={}, languages=["en"])))
    assert not {"Kept", "Not planted"} & set(short)
    assert "may come by" not in short["Languages"]


def test_a_refusal_comes_with_ways_on_and_a_pass_with_none():
    """What was missed is to be found, what was planted too little is to be planted, too much is to be kept."""
    assert claims.ways_on(redacting()) == []
    names = [way.partition(":")[0] for way in claims.ways_on(refused())]
    assert names == ["Find more of PERSON", "Plant more of IBAN", "Mask less", "Ask for less"]
    few = claims.ways_on(redacting(seen={"PERSON": (9, 9)}, floors={"PERSON": 0.9}))
    assert [way.partition(":")[0] for way in few] == ["Plant more of PERSON", "Ask for less"]
    leaky = claims.ways_on(redacting(leaks=43, floors={}))
    assert [way.partition(":")[0] for way in leaky] == ["Find more", "Ask for less"]


def test_a_type_with_a_floor_that_nobody_planted_falls_short():
    """Else a floor could be met by leaving a type out."""
    asked = redacting(floors={"PASSPORT": 0.5, "CITY": 0.1})

    assert [each.type for each in asked.asked()][:2] == ["PASSPORT", "CITY"]
    assert asked.standing(asked.asked()[0]) == "short"
    assert asked.floors_shown == 1
    assert math.isclose(asked.asked()[0].full.upper, 1)


def test_that_invented_values_were_measured_as_placeholders_is_said_where_a_policy_has_them():
    """And nowhere else."""
    with_them = dict(claims.not_shown(redacting(policy={"PERSON": "surrogate", "EMAIL": "mask"})))
    without = dict(claims.not_shown(redacting(policy={"PERSON": "mask"})))

    assert "measured with placeholders in their place" in with_them["Invented values"]
    assert "Invented values" not in without
