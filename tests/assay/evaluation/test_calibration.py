"""A label's values are weighed in their place of the answer, and confidence is held against truth."""

import json
import math

import pytest

from assay.errors import DataError, RecipeError
from assay.evaluation import calibration
from assay.evaluation.calibration import guess, labels, summarise
from assay.outcomes import Guess
from assay.records import Record, Turn
from tests.assay.evaluation import lively

VALUES = ("refund", "account", "re")


def record(place: int, completion: str) -> Record:
    """A test record with this answer."""
    return Record(
        id=f"r{place}",
        subject=f"s{place}",
        bucket=0,
        source="tickets",
        context=(Turn("user", "…"),),
        completion=completion,
    )


RECORDS = [
    record(0, '{"intent": "refund", "priority": "high", "order_id": "77"}'),
    record(1, '{ "priority" : "re", "note": {"intent": "x"},\n"intent" : "re"}'),
    record(2, '{"intent":"account"}'),
]
PROMPTS = [[1, 70, 71, 72], [1, 80], [1, 70, 71, 72]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A model of two layers with lively weights."""
    return lively.load(tmp_path_factory.mktemp("tiny"))


def test_a_values_probability_is_its_share_of_all_values(loaded):
    """Each is the whole answer's tokens up to the one that closes its quotes, read one at a time."""
    model, tokenizer = loaded

    found = guess(model, tokenizer, PROMPTS, RECORDS, "intent", VALUES, 2)

    for prompt, one, guessed in zip(PROMPTS, RECORDS, found, strict=True):
        sums = []
        for value in VALUES:
            head, _, rest = one.completion.rpartition(f'"{guessed.expected}"')
            ids = calibration._upto(tokenizer, head, f'"{value}"', rest)
            assert tokenizer.decode(ids).startswith(f'{head}"{value}"')
            sums.append(lively.naive(model, prompt, ids))
        whole = math.fsum(math.exp(each - max(sums)) for each in sums)
        expected = [math.exp(each - max(sums)) / whole for each in sums]
        assert list(guessed.probabilities.values()) == pytest.approx(expected, abs=1e-3)
    assert [(each.id, each.subject, each.expected) for each in found] == [
        ("r0", "s0", "refund"),
        ("r1", "s1", "re"),
        ("r2", "s2", "account"),
    ]


def test_probabilities_sum_to_one_and_a_value_that_begins_another_is_not_part_of_it(loaded):
    """The closing quote tells them apart."""
    for each in guess(*loaded, PROMPTS, RECORDS, "intent", VALUES, 8):
        assert math.fsum(each.probabilities.values()) == pytest.approx(1)
        assert each.probabilities["re"] != each.probabilities["refund"]


def test_a_record_is_weighed_alone_as_among_others(loaded):
    """To the bit."""
    together = guess(*loaded, PROMPTS, RECORDS, "intent", VALUES, 2)

    assert guess(*loaded, PROMPTS[1:2], RECORDS[1:2], "intent", VALUES, 2) == together[1:2]


@pytest.mark.parametrize(
    "completion",
    ["refund", "[]", "{}", '{"intent": null}', '{"intent": "other"}', '{"intent": "refund"', '{"a" 1}', "", '{"a": {'],
)
def test_a_completion_without_one_of_the_values_is_refused_by_its_id(loaded, completion):
    """It is the reference that is wrong; and it is not quoted."""
    with pytest.raises(DataError, match="record r9: its completion is no JSON object whose field 'intent'"):
        guess(*loaded, [[1]], [record(9, completion)], "intent", ("refund", "account"), 2)


def test_one_value_is_no_choice_and_each_record_has_a_prompt(loaded):
    """Both are faults that a softmax would hide."""
    with pytest.raises(RecipeError, match="has 1 values that differ"):
        guess(*loaded, PROMPTS, RECORDS, "intent", ("refund", "refund"), 2)
    with pytest.raises(DataError, match="1 prompts to 3 records"):
        guess(*loaded, PROMPTS[:1], RECORDS, "intent", VALUES, 2)


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"intent": {"enum": ["a", "b"]}}, ("a", "b")),
        ({"intent": {"enum": ["a", None]}}, ()),
        ({"intent": {"type": "string"}}, ()),
        ({"intent": True}, ()),
        ({}, ()),
    ],
)
def test_values_are_those_that_the_schema_lists_if_all_are_strings(properties, found):
    """Else there is nothing to weigh."""
    assert labels({"properties": properties}, "intent") == found


def guessed(sure: float, *, right: bool, place: int, subject: str | None = None) -> Guess:
    """A guess between two values, ``a`` at ``sure``."""
    return Guess(
        id=f"g{place}",
        subject=subject or f"s{place}",
        expected="a" if right else "b",
        probabilities={"a": sure, "b": 1 - sure},
    )


def test_a_model_that_is_right_as_often_as_it_is_sure_has_no_error():
    """Nine of ten at 0.9, and so on; all in bins of equal size."""
    guesses = [guessed(0.9, right=i % 10 != 0, place=i) for i in range(10)]
    guesses += [guessed(0.6, right=i % 10 < 6, place=100 + i) for i in range(10)]
    found = summarise([*guesses] * 1)

    assert (found.n, found.accuracy, found.confidence) == (20, 0.75, pytest.approx(0.75))
    assert [each.n for each in found.bins] == [2] * 10
    assert found.brier == pytest.approx((10 * 2 * 0.9 * 0.1 + 10 * 2 * 0.6 * 0.4) / 20)
    assert found.log_loss == pytest.approx(
        -(9 * math.log(0.9) + math.log(0.1) + 6 * math.log(0.6) + 4 * math.log(0.4)) / 20
    )


def test_ece_is_the_mean_distance_over_bins():
    """A model that is always sure and right half of the time is half off, far beyond chance."""
    found = summarise([guessed(1.0, right=i % 2 == 0, place=i) for i in range(100)])

    assert found.ece == pytest.approx(0.5)
    assert found.ece_lower <= 0.5 <= found.ece_upper
    assert found.ece_by_chance == 0
    assert found.log_loss == pytest.approx(-0.5 * math.log(1e-12))
    assert found.bins[0].lower < 0.5 < found.bins[0].upper


def test_a_perfectly_calibrated_model_is_mostly_within_chance():
    """Else the line that is drawn at chance would be in the wrong place."""
    import random

    within = 0
    for seed in range(20):
        chance = random.Random(seed)
        sure = [0.5 + 0.5 * chance.random() for _ in range(60)]
        guesses = [guessed(p, right=chance.random() < p, place=i) for i, p in enumerate(sure)]
        found = summarise(guesses)
        within += found.ece <= found.ece_by_chance
    assert within >= 16


def test_subjects_are_drawn_whole_for_the_interval():
    """Ten records of one subject say less than ten of ten."""
    apart = [guessed(0.8, right=i % 3 != 0, place=i) for i in range(60)]
    together = [guessed(0.8, right=i < 40, place=i, subject=f"s{i // 20}") for i in range(60)]

    assert summarise(together).ece_upper > summarise(apart).ece_upper


def test_a_summary_is_equal_for_equal_guesses_in_any_order():
    """No clock and no chance of its own."""
    guesses = [guessed(0.5 + i / 100, right=i % 3 > 0, place=i) for i in range(30)]

    assert summarise(guesses) == summarise(guesses[::-1])
    assert json.loads(summarise(guesses).model_dump_json())["n"] == 30


def test_few_guesses_have_fewer_bins_and_none_has_no_summary():
    """One record a bin at most."""
    assert [each.n for each in summarise([guessed(0.7, right=True, place=i) for i in range(3)]).bins] == [1, 1, 1]
    with pytest.raises(DataError, match="no guess"):
        summarise([])
