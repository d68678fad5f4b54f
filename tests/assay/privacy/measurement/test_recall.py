"""Measurement counts what is masked in full, and its bounds are those of the textbooks."""

import dataclasses
from random import Random
from typing import Any

import pytest
from scipy.stats import binomtest

from assay.errors import RedactionError
from assay.policy import ENTITY_TYPES, MeasurementSpec, RedactionSpec, needed
from assay.privacy.detection.detector import Detector
from assay.privacy.measurement.recall import (
    Measured,
    clean_sample,
    decide,
    measure,
    share,
    share_by_source,
    share_of_letters,
)
from assay.privacy.measurement.seeding import Planted, Value, planted
from assay.privacy.replacement.drafts import Mark
from assay.privacy.replacement.redaction import Audited, redact
from assay.records import Record, Turn

TEXT = "Anna Kowalska, AB-12, says Anna Kowalska of Ulm"
PLACES = {"first": (0, 13), "order": (15, 20), "second": (27, 40), "city": (44, 47)}


def seeded(number=0, *, added=False, source=""):
    """A record with a person who stands in it twice, an order, and a city."""
    kinds = {"first": "PERSON", "order": "ORDER_ID", "second": "PERSON", "city": "CITY"}
    values = tuple(Value("context[0]", a, b, kinds[n], TEXT[a:b], added) for n, (a, b) in PLACES.items())
    return Planted(record(number, TEXT), values, source=source)


def record(number, text):
    """One turn, no answer."""
    return Record(
        id=f"d{number}", subject="s", bucket=0, source="x", context=(Turn("user", text),), completion=""
    )  # fmt: skip


def audit(*places, number=0, kind="URL"):
    """Marks of one record, under a type that is not the values' own."""
    return Audited(f"d{number}", {}, tuple(Mark("context[0]", start, end, kind, "high") for start, end in places))


def counts(measured):
    """Full and touched by type."""
    return {r.type: (r.full.count, r.full.of, r.touched) for r in measured.recall}


def test_a_value_is_masked_if_it_is_masked_wherever_it_stands():
    """Under whichever type; one place of two is not enough, and punctuation does not matter."""
    everywhere = audit(PLACES["first"], (27, 31), (32, 40), (15, 17), (18, 20), PLACES["city"])
    once = audit(PLACES["first"], (27, 31), (15, 17))

    assert counts(measure([seeded()], [everywhere], [])) == {
        "CITY": (1, 1, 1),
        "ORDER_ID": (1, 1, 1),
        "PERSON": (1, 1, 1),
    }
    assert counts(measure([seeded()], [once], [])) == {"CITY": (0, 1, 0), "ORDER_ID": (0, 1, 1), "PERSON": (0, 1, 1)}


def test_only_direct_identifiers_make_a_leak():
    """A city alone names nobody; a person does."""
    but_city = audit(PLACES["first"], PLACES["second"], PLACES["order"])

    assert measure([seeded()], [but_city], []).leaks.count == 0
    assert measure([seeded()], [audit()], []).leaks.count == 1


def test_records_with_added_sentences_are_told_apart():
    """Their recall and leaks do not count as those of the data's own places."""
    measured = measure([seeded(0), seeded(1, added=True)], [audit(number=0), audit(number=1)], [])

    assert (measured.leaks.of, measured.own_leaks.of) == (2, 1)
    assert [(r.full.of, r.own.of) for r in measured.recall] == [(2, 1)] * 3


def test_a_dropped_record_has_not_leaked_and_is_told():
    """Nothing of it goes on; nothing is claimed of it either."""
    measured = measure([seeded(0), seeded(1)], [audit(*PLACES.values())], ["d1"])

    assert (measured.leaks.count, measured.leaks.of, measured.dropped.count) == (0, 1, 1)


def test_a_record_that_vanished_is_refused():
    """Nobody knows whether it leaked."""
    with pytest.raises(RedactionError, match="1 of 2 seeded records"):
        measure([seeded(0), seeded(1)], [audit()], [])


def test_over_redaction_is_what_is_masked_outside_values():
    """Letters and digits only: "says" is 4 of the 6 outside."""
    plain = Planted(record(1, "ten words"), (), plain=True)
    measured = measure([seeded(), plain], [audit((0, 27)), audit((0, 3), number=1)], [])

    assert (measured.over_seeded.count, measured.over_seeded.of) == (4, 6)
    assert (measured.over_plain.count, measured.over_plain.of, measured.plain.count) == (3, 8, 1)


@pytest.mark.parametrize(("count", "of"), [(0, 300), (57, 60), (60, 60), (1, 2)])
def test_bounds_are_those_of_clopper_and_pearson(count, of):
    """One-sided at 95 % is a two-sided exact interval at 90 %."""
    exact, ours = binomtest(count, of).proportion_ci(0.9, "exact"), share(count, of)

    assert (ours.lower, ours.upper) == pytest.approx((exact.low, exact.high))


def test_letters_that_are_masked_together_are_fewer_trials():
    """The bound of ten whole records of a hundred is that of records, not that of letters."""
    together = share_of_letters([(50, 50)] * 10 + [(0, 50)] * 90)
    apart = share_of_letters([(5, 50)] * 100)

    assert together.rate == apart.rate == 0.1
    assert together.upper == pytest.approx(share(10, 100).upper, abs=0.01)
    assert apart.upper == pytest.approx(share(100, 1000).upper)
    assert 0.1 < apart.upper < together.upper
    assert 0 < share_of_letters([(0, 50)] * 100).upper == pytest.approx(share(0, 1000).upper)


def test_clean_rows_buy_what_they_are_said_to():
    """0 in 300 bounds the rate at 1.0 %, 0 in 1,000 at 0.3 %, and none bounds nothing."""
    assert [round(clean_sample(n), 3) for n in (0, 300, 1000)] == [1.0, 0.01, 0.003]


@pytest.mark.parametrize("floor", [0.5, 0.9, 0.95, 0.97, 0.99, 0.999])
def test_the_number_needed_is_the_least_that_shows_a_floor(floor):
    """One fewer does not."""
    n = needed(floor)

    assert share(n, n).lower >= floor - 1e-12
    assert share(n - 1, n - 1).lower < floor


def test_no_number_shows_a_recall_of_one():
    """A bound never reaches it."""
    assert needed(1.0) is None


def result(full, of, leaks=0):
    """A measurement of persons."""
    marked = [audit(*(PLACES.values() if n < full else ()), number=n) for n in range(of)]
    measured = measure([seeded(n) for n in range(of)], marked, [])
    return measured.model_copy(update={"leaks": share(leaks, of)})


def test_the_gate_is_on_the_bound():
    """A rate over the floor does not pass when its bound is under it."""
    assert decide(result(60, 60), {"PERSON": 0.95}, 0.05) == ()
    assert decide(result(56, 60), {"PERSON": 0.9}, 0.05) == (
        "PERSON: 56 of 60 seeded values fully masked, recall at least 85.4% with 95% confidence; expected at least 90%",
    )


def test_too_few_values_are_told_from_too_many_misses():
    """60 of 60 show 0.951, so 0.99 needs more of them, and 1 can never be shown."""
    [few] = decide(result(60, 60), {"PERSON": 0.99}, 1)
    [never] = decide(result(60, 60), {"PERSON": 1}, 1)
    [none] = decide(result(60, 60), {"IBAN": 0.9}, 1)

    assert "too few planted to show 99%: all of 60 would show 95.1%; plant 299 or more" in few
    assert "ask for less" in never
    assert "IBAN: 0 of 0" in none
    assert "plant 29 or more" in none


def test_leaks_and_over_redaction_are_held_to_their_upper_bounds():
    """Each with what was found and what was expected."""
    [leaky] = decide(result(60, 60, leaks=3), {}, 0.05)
    [few] = decide(result(60, 60), {}, 0.01)
    [over] = decide(result(60, 60), {}, 0.05, 0.003)

    assert "3 of 60 seeded records leak, a rate of at most 12.4%" in leaky
    assert "plant 299 or more records" in few
    assert over.startswith("over-redaction: 0 of 0 letters")


def test_a_result_comes_back_from_json_and_holds_no_text():
    """It is filed and shown to people."""
    measured = result(3, 4)
    written = measured.model_dump_json()

    assert Measured.model_validate_json(written) == measured
    assert "Anna" not in written


def test_records_of_one_text_are_one_trial():
    """A record that serves six hundred times shows as little as one that serves once."""
    copies = [seeded(n, source="only") for n in range(600)]
    measured = measure(copies, [audit(*PLACES.values(), number=n) for n in range(600)], [])
    [short, leaky] = decide(measured, {"PERSON": 0.9}, 0.05)

    assert (measured.sources, measured.leaks.of, measured.leaks.clusters) == (1, 600, 1)
    assert measured.leaks.upper == measured.own_leaks.upper == pytest.approx(0.95)
    assert all(r.full.lower == r.own.lower == pytest.approx(0.05) for r in measured.recall)
    assert "too few distinct records to show 90%: all of 600 in 1 distinct record would show 5.0%" in short
    assert "it takes 29 distinct ones, so plant more, or give more data" in short
    assert "too few distinct records to show 5%: none of 600 in 1 distinct record would show 95.0%" in leaky


def test_values_of_one_text_are_no_trials_of_their_own():
    """Of sixty texts with ten values each, bounds are those of sixty, and wider if what one holds goes together."""
    alike = share_by_source([(f"t{n}", n >= 6) for n in range(60) for _ in range(10)])
    apart = share_by_source([(f"t{n}", i > 0) for n in range(60) for i in range(10)])
    whole = share_by_source([(f"t{n}", True) for n in range(60) for _ in range(10)])

    assert (alike.count, alike.of, alike.clusters, alike.rate) == (540, 600, 60, 0.9)
    assert alike.lower == pytest.approx(share(54, 60).lower, abs=0.003)
    assert alike.lower <= apart.lower <= share(540, 600).lower
    assert (whole.lower, whole.upper) == (share(60, 60).lower, 1)


@pytest.mark.parametrize(("count", "of"), [(0, 300), (57, 60), (60, 60), (1, 2), (0, 0), (1, 1)])
def test_bounds_of_values_in_texts_of_their_own_are_clopper_and_pearsons(count, of):
    """With every text used once nothing changes."""
    seen = share_by_source([(f"t{n}", n < count) for n in range(of)])

    assert seen.model_dump() == pytest.approx(share(count, of).model_dump())


def test_bounds_of_clusters_hold_as_often_as_they_say():
    """Of 300 samples of eight texts that serve ten times each, at most one in ten is bounded too low."""
    dice, rate = Random(5), 0.3
    held = 0
    for _ in range(300):
        leaky = [dice.random() < rate for _ in range(8)]
        held += share_by_source([(f"t{n}", leaks) for n, leaks in enumerate(leaky) for _ in range(10)]).upper >= rate
    assert held / 300 > 0.9


def test_what_is_masked_of_an_attribute_counts():
    """A value that stands only in a column is a value; what is masked beside it is over-redaction."""
    row = dataclasses.replace(record(0, "nothing"), attributes={"note": "call Anna Kowalska"})
    document = Planted(row, (Value("attributes[note]", 5, 18, "PERSON", "Anna Kowalska", added=False),))
    masked = Audited("d0", {}, (Mark("attributes[note]", 0, 18, "PERSON", "high"),))

    assert counts(measure([document], [masked], [])) == {"PERSON": (1, 1, 1)}
    assert measure([document], [Audited("d0")], []).leaks.count == 1
    assert measure([document], [masked], []).over_seeded.count == len("call")


def test_what_a_recipe_may_ask_for_is_what_the_judgement_could_show():
    """The least that a recipe accepts passes if all is masked; one fewer is refused before the run."""
    asked: dict[str, Any] = {"floors": {"PERSON": 0.95}, "max_leak": 0.05}
    spec = MeasurementSpec(**asked, least=59, seeded=70)

    assert decide(result(59, 59), spec.floors, spec.max_leak) == ()
    for few in ({"least": 58}, {"seeded": 69}):
        with pytest.raises(ValueError, match="takes 59 records"):
            MeasurementSpec(**asked | {"least": 59, "seeded": 70} | few)


def test_real_redaction_masks_what_is_seeded_and_leaves_most_else():
    """Through the real detector, on records such as a shop's."""
    texts = [
        f"Hello, my name is [PERSON_1]. My order {n} times [ORDER_ID_1] is late. Call [PHONE_1]." for n in range(20)
    ]
    documents = planted([record(n, text) for n, text in enumerate(texts)], 36, 0, dict.fromkeys(ENTITY_TYPES, 4))
    spec = RedactionSpec()
    kept, dropped, audited = redact([d.record for d in documents], spec, Detector(spec).find)
    measured = measure(documents, audited, [row.id for row in dropped])

    assert len(kept) == 36
    assert {r.type for r in measured.recall} == set(ENTITY_TYPES)
    assert sum(r.full.count for r in measured.recall) / sum(r.full.of for r in measured.recall) > 0.9
    assert measured.over_plain.rate < 0.05
