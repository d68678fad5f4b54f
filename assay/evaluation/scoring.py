"""Scoring: from answers to scores, per item first and then in sum.

Every score of an item comes from a metric module of :mod:`assay.evaluation.metrics`, asked for its items; a
mean in the summary is the mean of those items, so a report and a paired test cannot disagree. A recipe may name metrics
of its own, which :mod:`assay.evaluation.metrics.further` asks in the same way.
"""

import tempfile
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from assay.errors import DataError, RecipeError
from assay.outcomes import Answer
from assay.records import Record

VERSION = 2

MEANS = ("exact_match", "format_adherence", "field_accuracy")
"""Metrics that are means over items; ``label_f1`` is not."""


NO_METRICS: Mapping[str, str] = MappingProxyType({})


def score(
    records: Sequence[Record],
    answers: Sequence[str],
    schema: Mapping[str, Any],
    label: str,
    metrics: Mapping[str, str] = NO_METRICS,
) -> list[Answer]:
    """Score ``answers`` to ``records``, one to one, against the records' completions.

    Args:
        records: Test records.
        answers: What the model said to each.
        schema: JSON schema (2020-12) of an answer, with ``properties``.
        label: The property that macro F1 is computed on.
        metrics: Further ones: name → ``package.module:Class``.

    Raises:
        RecipeError: the schema is invalid, or names no such property, or a further metric cannot be asked.
        DataError: the lengths differ, or a completion has no label.
    """
    from assay.evaluation.metrics import answers as texts
    from assay.evaluation.metrics import further

    names = _fields(schema, label)
    if len(records) != len(answers):
        raise DataError(f"{len(answers)} answers to {len(records)} records: expected one each. Generate them anew.")
    if not records:
        return []
    expected = [record.completion for record in records]
    labels = [_expected_label(record, label) for record in records]
    given = {"schema": dict(schema), "names": names, "label": label}
    items = _items(expected, list(answers), given, further.load(metrics))
    return [
        Answer(
            id=record.id,
            subject=record.subject,
            expected=record.completion,
            answer=said,
            scores=scores,
            label_expected=wanted,
            label_predicted=texts.label(said, label),
            attributes=dict(record.attributes),
        )
        for record, said, scores, wanted in zip(records, answers, items, labels, strict=True)
    ]


def summarise(answers: Sequence[Answer], slices: Sequence[str]) -> dict[str, Any]:
    """Sum up scored answers.

    Args:
        answers: From :func:`score`, at least one.
        slices: Attributes; an answer without one is filed under the value ``""``.

    Returns:
        ``{"metrics": {name: value}, "fields": {field: accuracy}, "slices": {attribute: {value: {"n":
        …, name: value}}}}``. The metrics are :data:`MEANS`, ``label_f1`` and the further ones, in 0 … 1.

    Raises:
        DataError: there is no answer.
    """
    if not answers:
        raise DataError("there is no answer to sum up: expected at least one. Check the test side of the split.")
    fields = [key for key in answers[0].scores if key.startswith("field:")]
    return {
        "metrics": _metrics(answers),
        "fields": {key.removeprefix("field:"): _mean(answers, key) for key in fields},
        "slices": {attribute: _slice(answers, attribute) for attribute in slices},
    }


def _fields(schema: Mapping[str, Any], label: str) -> list[str]:
    """Names of the schema's properties, in its order."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "its root"
        raise RecipeError(
            f"the output schema is invalid at {where}: expected JSON schema 2020-12. Correct it."
        ) from error
    names = list(schema.get("properties", {}))
    if label not in names:
        raise RecipeError(f"the output schema has properties {names}: expected the label {label!r} among them")
    return names


def _expected_label(record: Record, label: str) -> str:
    from assay.evaluation.metrics import answers

    found = answers.label(record.completion, label)
    if found is None:
        raise DataError(
            f"record {record.id}: its completion is no JSON object with the field {label!r}, so no answer to it can "
            "be scored. Let the curated suite demand the output schema."
        )
    return found


def _items(
    expected: list[str], said: list[str], given: dict[str, Any], metrics: Mapping[str, type[Any]]
) -> list[dict[str, float]]:
    """Scores of each pair, from the metric modules."""
    from assay.evaluation.metrics import further
    from assay.evaluation.metrics.exact_match import ExactMatch
    from assay.evaluation.metrics.field_accuracy import FieldAccuracy
    from assay.evaluation.metrics.format_adherence import FormatAdherence

    with tempfile.TemporaryDirectory() as folder:  # the library makes a folder per metric even in memory

        def ask(metric: type[Any]) -> list[Any]:
            computed = metric(keep_in_memory=True, cache_dir=folder).compute(
                predictions=said, references=expected, per_item=True, **given
            )
            return list(computed["items"])

        rest = further.ask(metrics, said, expected, given, folder)
        columns = zip(ask(ExactMatch), ask(FormatAdherence), ask(FieldAccuracy), rest, strict=True)
    return [
        {"exact_match": exact, "format_adherence": adheres, **fields, **others}
        for exact, adheres, fields, others in columns
    ]


def _metrics(answers: Sequence[Answer]) -> dict[str, float]:
    from assay.evaluation.metrics.label_f1 import macro

    further = [name for name in answers[0].scores if name not in MEANS and not name.startswith("field:")]
    return {
        **{name: _mean(answers, name) for name in MEANS},
        "label_f1": macro([a.label_expected for a in answers], [a.label_predicted for a in answers]),
        **{name: _mean(answers, name) for name in further},
    }


def _mean(answers: Sequence[Answer], name: str) -> float:
    return sum(answer.scores[name] for answer in answers) / len(answers)


def _slice(answers: Sequence[Answer], attribute: str) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(answer.attributes.get(attribute, ""), []).append(answer)
    return {value: {"n": float(len(group)), **_metrics(group)} for value, group in sorted(groups.items())}
