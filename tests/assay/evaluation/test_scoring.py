"""A summary is the sum of its items, and says so slice by slice."""

import json

import pytest

from assay.errors import DataError, RecipeError
from assay.evaluation.metrics.exact_match import ExactMatch
from assay.evaluation.metrics.field_accuracy import FieldAccuracy
from assay.evaluation.metrics.format_adherence import FormatAdherence
from assay.evaluation.metrics.label_f1 import LabelF1
from assay.evaluation.scoring import score, summarise
from assay.records import Record, Turn

SCHEMA = {
    "type": "object",
    "properties": {"intent": {"type": "string"}, "priority": {"enum": ["low", "high"]}},
    "required": ["intent", "priority"],
}


def record(place: int, intent: str, **attributes: str) -> Record:
    """A test record whose right answer has ``intent``."""
    return Record(
        id=f"r{place}",
        subject=f"s{place // 2}",
        bucket=0,
        source="tickets",
        context=(Turn("user", "…"),),
        completion=json.dumps({"intent": intent, "priority": "low"}),
        attributes=attributes,
    )


RECORDS = [
    record(0, "refund", language="en"),
    record(1, "refund", language="de"),
    record(2, "delivery", language="en"),
    record(3, "delivery"),
]
SAID = [
    '{"priority": "low", "intent": "refund"}',
    '{"intent": "delivery", "priority": "low"}',
    '{"intent": "delivery", "priority": "urgent"}',
    "I cannot help with that.",
]


def test_each_answer_carries_its_record_and_its_scores():
    """Enough for a paired test, a slice and a reader."""
    first, second, third, fourth = score(RECORDS, SAID, SCHEMA, "intent")

    assert (first.id, first.subject, first.attributes, first.answer) == ("r0", "s0", {"language": "en"}, SAID[0])
    assert first.scores == {
        "exact_match": 1.0,
        "format_adherence": 1.0,
        "field_accuracy": 1.0,
        "field:intent": 1.0,
        "field:priority": 1.0,
    }
    assert (second.label_expected, second.label_predicted) == ("refund", "delivery")
    assert (third.scores["format_adherence"], third.scores["field_accuracy"]) == (0.0, 0.5)
    assert fourth.label_predicted is None


def test_the_summary_equals_what_the_metrics_say(tmp_path):
    """One definition for the mean in a report and for the items in a test."""
    expected = [r.completion for r in RECORDS]
    given = {"schema": SCHEMA, "names": ["intent", "priority"], "label": "intent"}
    by_metric: dict[str, float] = {}
    for metric in (ExactMatch, FieldAccuracy, FormatAdherence, LabelF1):
        asked = metric(keep_in_memory=True, cache_dir=str(tmp_path))
        by_metric |= asked.compute(predictions=SAID, references=expected, **given)

    found = summarise(score(RECORDS, SAID, SCHEMA, "intent"), [])

    fields = {f"field:{name}": value for name, value in found["fields"].items()}
    assert {**found["metrics"], **fields} == pytest.approx(by_metric)


def test_slices_partition_the_answers_and_carry_their_size():
    """A record without the attribute is filed too, under the empty value."""
    answers = score(RECORDS, SAID, SCHEMA, "intent")

    slices = summarise(answers, ["language"])["slices"]["language"]

    assert {value: found["n"] for value, found in slices.items()} == {"": 1, "de": 1, "en": 2}
    total = sum(found["n"] * found["exact_match"] for found in slices.values())
    assert total == sum(answer.scores["exact_match"] for answer in answers)
    assert slices["en"]["exact_match"] == 0.5


def test_a_completion_without_a_label_is_refused():
    """It is the reference that is wrong, so no answer could be right."""
    broken = [Record(**{**vars_of(RECORDS[0]), "completion": "refund"})]

    with pytest.raises(DataError, match="record r0: its completion is no JSON object with the field 'intent'"):
        score(broken, ["{}"], SCHEMA, "intent")


def vars_of(row: Record) -> dict:
    """The fields of a record."""
    return {name: getattr(row, name) for name in Record.__dataclass_fields__}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, "invalid at type"),
        ({"type": "object"}, r"properties \[\]: expected the label 'intent'"),
        ({"properties": {"priority": {}}}, "expected the label 'intent' among them"),
    ],
)
def test_a_schema_that_cannot_score_is_refused(schema, message):
    """Before a model is blamed for it."""
    with pytest.raises(RecipeError, match=message):
        score(RECORDS, SAID, schema, "intent")


def test_answers_must_match_records_one_to_one():
    """Anything else is a fault of the caller."""
    with pytest.raises(DataError, match="1 answers to 4 records"):
        score(RECORDS, SAID[:1], SCHEMA, "intent")


def test_a_recipes_own_metric_is_scored_item_by_item_and_summed_up_with_ours():
    """On every slice too; the field scores stay apart."""
    metrics = {"words": "assay.evaluation.metrics.token_f1:TokenF1"}

    answers = score(RECORDS, SAID, SCHEMA, "intent", metrics)
    found = summarise(answers, ["language"])

    assert list(answers[0].scores)[-1] == "words"
    assert answers[0].scores["words"] == 1.0
    assert answers[3].scores["words"] == 0.0
    assert found["metrics"]["words"] == pytest.approx(sum(a.scores["words"] for a in answers) / 4)
    assert set(found["slices"]["language"]["de"]) == {"n", *found["metrics"]}
    assert "words" not in found["fields"]


def test_a_metric_that_cannot_be_asked_is_refused():
    """By its place in the recipe."""
    with pytest.raises(RecipeError, match=r"evaluation.metrics.words: module nowhere cannot be imported"):
        score(RECORDS, SAID, SCHEMA, "intent", {"words": "nowhere:TokenF1"})


def test_no_answer_has_no_mean():
    """Zero of zero is not a score."""
    assert score([], [], SCHEMA, "intent") == []
    with pytest.raises(DataError, match="no answer"):
        summarise([], [])
