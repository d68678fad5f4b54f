"""Each metric's value by hand, and the same by path as by import."""

import sys
from pathlib import Path

import pytest

from assay.evaluation.metrics.exact_match import ExactMatch
from assay.evaluation.metrics.field_accuracy import FieldAccuracy
from assay.evaluation.metrics.format_adherence import FormatAdherence
from assay.evaluation.metrics.label_f1 import LabelF1, macro

SCHEMA = {
    "type": "object",
    "properties": {"intent": {"enum": ["refund", "delivery"]}, "order_id": {"type": ["string", "null"]}},
    "required": ["intent", "order_id"],
    "additionalProperties": False,
}
GIVEN = {"names": ["intent", "order_id"], "label": "intent", "schema": SCHEMA}

EXPECTED = ['{"intent": "refund", "order_id": "77"}'] * 2 + ['{"intent": "delivery", "order_id": null}'] * 2
SAID = [
    '{"order_id":"77","intent":"refund"}',
    '{"intent": "delivery", "order_id": "77"}',
    'Here it is: {"intent": "delivery", "order_id": null}',
    '{"intent": "delivery"}',
]
METRICS = {
    ExactMatch: ({"exact_match": 1 / 4}, [1, 0, 0, 0]),
    FormatAdherence: ({"format_adherence": 2 / 4}, [1, 1, 0, 0]),
    FieldAccuracy: (
        {"field_accuracy": 4 / 8, "field:intent": 2 / 4, "field:order_id": 2 / 4},
        [
            {"field_accuracy": 1.0, "field:intent": 1.0, "field:order_id": 1.0},
            {"field_accuracy": 0.5, "field:intent": 0.0, "field:order_id": 1.0},
            {"field_accuracy": 0.0, "field:intent": 0.0, "field:order_id": 0.0},
            {"field_accuracy": 0.5, "field:intent": 1.0, "field:order_id": 0.0},
        ],
    ),
    # refund: 1 hit, 1 miss → 2/3. delivery: 1 hit, 1 wrong, 1 miss → 2/4. unreadable: 0.
    LabelF1: ({"label_f1": (2 / 3 + 1 / 2 + 0) / 3}, [1, 0, 0, 1]),
}


def compute(metric, **options):
    """The metric over the four answers above."""
    return metric.compute(predictions=SAID, references=EXPECTED, **GIVEN, **options)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.__name__)
def test_a_metric_equals_its_value_by_hand(metric, tmp_path):
    """In sum and per item; keywords meant for other metrics are ignored."""
    asked = metric(keep_in_memory=True, cache_dir=str(tmp_path))

    assert compute(asked) == pytest.approx(METRICS[metric][0])
    assert compute(asked, per_item=True) == {"items": METRICS[metric][1]}


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.__name__)
def test_a_metric_by_path_equals_the_metric_by_import(metric, tmp_path, monkeypatch):
    """Without a network, and without leaving anything in the home folder."""
    import evaluate

    for name in [name for name in sys.modules if name.startswith("evaluate_modules")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(evaluate.config, "HF_EVALUATE_OFFLINE", True)
    monkeypatch.setattr(evaluate.loading, "init_dynamic_modules", lambda: modules(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    source = Path(sys.modules[metric.__module__].__file__)

    loaded = evaluate.load(str(source), keep_in_memory=True, cache_dir=str(tmp_path / "cache"))

    assert type(loaded).__name__ == metric.__name__
    assert type(loaded) is not metric
    assert compute(loaded) == compute(metric(keep_in_memory=True, cache_dir=str(tmp_path)))


def modules(root: Path) -> str:
    """A package that copies of metrics may be put in."""
    package = root / "evaluate_modules"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    return str(package)


def test_all_metrics_combine(tmp_path):
    """The library hands every keyword to every metric."""
    import evaluate

    together = evaluate.combine([m(keep_in_memory=True, cache_dir=str(tmp_path)) for m in METRICS])

    found = compute(together)

    assert found == pytest.approx({k: v for metric in METRICS for k, v in METRICS[metric][0].items()})


def test_texts_that_are_not_json_match_as_stripped_strings():
    """A recipe may ask for plain words."""
    from assay.evaluation.metrics.exact_match import match

    assert match(" refund\n", "refund") == 1.0
    assert match("Refund", "refund") == 0.0
    assert match('{"a": 1, "a": 1}', '{"a": 1}') == 0.0


def test_a_field_left_out_by_both_is_right():
    """Leaving it out was the right answer, but only for an answer that is an object."""
    from assay.evaluation.metrics.field_accuracy import right

    assert right('{"a": 1}', '{"a": 1}', ["a", "b"]) == {"a": 1.0, "b": 1.0}
    assert right('{"a": 1, "b": null}', '{"a": 1}', ["b"]) == {"b": 0.0}
    assert right("nonsense", "{}", ["b"]) == {"b": 0.0}


def test_perfect_labels_have_f1_one_and_useless_ones_zero():
    """The ends of the scale."""
    assert macro(["a", "b"], ["a", "b"]) == 1.0
    assert macro(["a", "b"], ["b", "a"]) == 0.0
    assert macro(["a", "a"], [None, None]) == 0.0


def test_an_unreadable_answer_costs_at_least_as_much_as_a_wrong_one():
    """So that silence does not pay."""
    expected = ["a", "a", "b", "b"]

    assert macro(expected, ["a", None, "b", "b"]) < macro(expected, ["a", "b", "b", "b"])


def test_a_reference_to_another_document_is_not_fetched(tmp_path):
    """A schema is a recipe's, yet it opens no connection: what it cannot resolve is not satisfied."""
    metric = FormatAdherence(keep_in_memory=True, cache_dir=str(tmp_path))
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}

    assert metric.compute(predictions=["{}"], references=["{}"], schema=schema) == {"format_adherence": 0.0}
