"""Calibration: whether a model is as sure of a label as it is right.

The answer to a test record is JSON, and its beginning up to the label's value is given as the record's own completion
has it. From there every value that the output schema lists is weighed: the sum of the log-probabilities of its tokens,
up to and including the one that closes its quotes, so that ``log`` is not part of ``login``. A value's probability is
its share of all of them (a softmax over the values), as tokens that begin no value are no answer.

The likeliest value's probability is the model's *confidence*. :func:`summarise` says how it fits: the expected
calibration error (ECE; Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602) over ten bins of equal mass, as most records
would fall into one or two bins of equal width (Nixon et al. 2019, arXiv:1904.01685); the Brier score, a sum over values
and so 0 … 2 (Brier 1950); and the logarithmic loss in nats. An ECE of few records is above zero even for a model that
is perfectly calibrated, so what chance alone would give stands beside it (consistency resampling, Bröcker & Smith 2007,
doi:10.1175/WAF993.1).

Given the true beginning, this is kinder than an answer written from nothing, in which a wrong field may come first.
"""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from assay.errors import DataError, RecipeError
from assay.evaluation import reading
from assay.outcomes import Guess
from assay.records import Record

VERSION = 1

BINS = 10
RESAMPLES = 1000
LEVEL = 0.95
"""Of the two-sided intervals shown."""

_LEAST = 1e-12
"""Probability below which the logarithmic loss does not look."""

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any
Array = Any


class Bin(BaseModel):
    """Guesses of like confidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    confidence: float
    """Mean of the likeliest value's probability."""

    accuracy: float
    lower: float
    """Of the accuracy, as the upper one: Wilson's interval (1927) at :data:`LEVEL`."""

    upper: float


class Calibration(BaseModel):
    """How a model's confidence fits what it gets right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    accuracy: float
    """Share of records whose likeliest value is the right one."""

    confidence: float
    """Mean over the records."""

    ece: float
    ece_lower: float
    """Of the ECE, as the upper one: percentiles of :data:`RESAMPLES` bootstrap samples, drawn by subject."""

    ece_upper: float
    ece_by_chance: float
    """The 95th percentile of the ECE that a perfectly calibrated model with these confidences would have."""

    brier: float
    log_loss: float
    bins: tuple[Bin, ...]


def labels(schema: Mapping[str, Any], label: str) -> tuple[str, ...]:
    """The values that ``schema`` lists for ``label``; none if it lists none, or any that is no string."""
    found = schema.get("properties", {}).get(label, {})
    values = found.get("enum", ()) if isinstance(found, Mapping) else ()
    return tuple(values) if all(isinstance(value, str) for value in values) else ()


def guess(  # noqa: PLR0913, PLR0917 — model, input, and what is weighed: each is one thing
    model: Model,
    tokenizer: Tokenizer,
    prompts: Sequence[list[int]],
    records: Sequence[Record],
    label: str,
    labels: Sequence[str],
    batch_size: int,
    known: reading.Known | None = None,
) -> list[Guess]:
    """Weigh every value of the label of each record.

    Args:
        model: A causal model of transformers with a body and an output layer.
        tokenizer: Its tokenizer.
        prompts: Of each record, token ids, chat template applied, ending where the answer begins.
        records: Whose completions are JSON objects with the label.
        label: The field.
        labels: Its values, from :func:`labels`, at least two.
        batch_size: Records read together at most.
        known: As :func:`assay.evaluation.reading.log_likelihoods` takes it.

    Raises:
        RecipeError: there are not two values to choose from.
        DataError: there is not one prompt a record, or a completion has none of the values.
        ModelError: a prompt and its answer do not fit the model's window.
    """
    if len(set(labels)) < 2 or len(set(labels)) != len(labels):  # noqa: PLR2004 — a choice is between two
        raise RecipeError(
            f"the label {label!r} has {len(set(labels))} values that differ: expected at least two and none twice. "
            "List them in the output schema's enum, or set evaluation.calibration_records to 0."
        )
    if len(prompts) != len(records):
        raise DataError(f"{len(prompts)} prompts to {len(records)} records: expected one each. Encode them anew.")
    forks = [_fork(tokenizer, *each, label, labels) for each in zip(prompts, records, strict=True)]
    found = reading.log_likelihoods(model, forks, batch_size, known)
    return [
        Guess(
            id=record.id,
            subject=record.subject,
            expected=_place(record, label, labels)[2],
            probabilities=dict(zip(labels, _softmax(sums), strict=True)),
        )
        for record, sums in zip(records, found, strict=True)
    ]


def summarise(guesses: Sequence[Guess]) -> Calibration:
    """Hold confidence against truth.

    Raises:
        DataError: there is no guess.
    """
    import numpy as np

    if not guesses:
        raise DataError("there is no guess to sum up: expected at least one. Raise evaluation.calibration_records.")
    ordered = sorted(guesses, key=lambda each: (max(each.probabilities.values()), each.id))
    sure = np.array([max(each.probabilities.values()) for each in ordered])
    right = np.array([float(_likeliest(each) == each.expected) for each in ordered])
    lower, upper = _interval(sure, right, [each.subject for each in ordered])
    chance = np.random.default_rng(0).random((RESAMPLES, len(sure))) < sure
    return Calibration(
        n=len(ordered),
        accuracy=float(right.mean()),
        confidence=float(sure.mean()),
        ece=float(_ece(sure, right)),
        ece_lower=lower,
        ece_upper=upper,
        ece_by_chance=float(np.quantile(_ece(sure, chance.astype(float)), LEVEL)),
        brier=math.fsum(map(_brier, ordered)) / len(ordered),
        log_loss=-math.fsum(math.log(max(g.probabilities.get(g.expected, 0.0), _LEAST)) for g in ordered)
        / len(ordered),
        bins=tuple(_bin(sure[places], right[places]) for places in _bins(len(sure))),
    )


def _fork(tokenizer: Tokenizer, prompt: list[int], record: Record, label: str, labels: Sequence[str]) -> reading.Fork:
    """Prompt and the answer's beginning, and every value with what closes it, as tokens of the whole answer."""
    start, end, _ = _place(record, label, labels)
    before, after = record.completion[:start], record.completion[end:]
    answers = [_upto(tokenizer, before, json.dumps(value, ensure_ascii=False), after) for value in labels]
    low, high = min(answers), max(answers)
    same = next(place for place, (a, b) in enumerate(zip(low, high, strict=False)) if a != b)
    return reading.Fork(record.id, [*prompt, *low[:same]], [ids[same:] for ids in answers])


def _upto(tokenizer: Tokenizer, before: str, value: str, after: str) -> list[int]:
    """Ids of the answer up to the token in which ``value`` ends."""
    if not tokenizer.is_fast:
        return list(tokenizer.encode(before + value, add_special_tokens=False))
    found = tokenizer(before + value + after, add_special_tokens=False, return_offsets_mapping=True)
    end = len(before) + len(value)
    last = next(place for place, (_, stop) in enumerate(found["offset_mapping"]) if stop >= end)
    return list(found["input_ids"][: last + 1])


def _place(record: Record, label: str, labels: Sequence[str]) -> tuple[int, int, str]:
    """Where the label's value stands in the completion, and what it is."""
    try:
        json.loads(record.completion)
        found = next((row for row in _members(record.completion) if row[0] == label), None)
    except (ValueError, IndexError, RecursionError):
        found = None
    if found is None or found[3] not in labels:
        raise DataError(
            f"record {record.id}: its completion is no JSON object whose field {label!r} is one of the "
            f"{len(labels)} values that the output schema lists. Let the curated suite demand the output schema."
        )
    return found[1], found[2], found[3]


def _members(text: str) -> Iterator[tuple[str, int, int, Any]]:
    """Name of each member of the object that ``text`` is, where its value starts and ends, and the value."""
    decoder = json.JSONDecoder()

    def skip(at: int) -> int:
        return at + len(text[at:]) - len(text[at:].lstrip(" \t\r\n"))

    at = skip(0)
    while text[at] in "{,":
        name, at = decoder.raw_decode(text, skip(at + 1))
        start = skip(skip(at) + 1)
        value, end = decoder.raw_decode(text, start)
        yield name, start, end, value
        at = skip(end)


def _softmax(sums: Sequence[float]) -> list[float]:
    top = max(sums)
    weights = [math.exp(total - top) for total in sums]
    return [weight / math.fsum(weights) for weight in weights]


def _likeliest(guess: Guess) -> str:
    return max(guess.probabilities, key=lambda value: guess.probabilities[value])


def _brier(guess: Guess) -> float:
    return math.fsum((share - (value == guess.expected)) ** 2 for value, share in guess.probabilities.items())


def _bins(n: int) -> list[slice]:
    """Bins of equal mass over guesses in order of confidence; fewer than :data:`BINS` of fewer guesses."""
    few = min(BINS, n)
    edges = [round(n * place / few) for place in range(few + 1)]
    return [slice(start, end) for start, end in itertools.pairwise(edges)]


def _ece(sure: Array, right: Array) -> Array:
    """Mean distance of confidence and accuracy over the bins, by their mass; ``sure`` rises along the last axis."""
    import numpy as np

    starts = [places.start for places in _bins(sure.shape[-1])]
    return np.abs(np.add.reduceat(sure - right, starts, axis=-1)).sum(axis=-1) / sure.shape[-1]


def _interval(sure: Array, right: Array, subjects: Sequence[str]) -> tuple[float, float]:
    import numpy as np

    groups: dict[str, list[int]] = {}
    for place, subject in enumerate(subjects):
        groups.setdefault(subject, []).append(place)
    members = list(groups.values())
    draws = np.random.default_rng(0).integers(len(members), size=(RESAMPLES, len(members)))
    found: list[float] = []
    for draw in draws:
        places = np.sort(np.concatenate([members[group] for group in draw]))
        found.append(float(_ece(sure[places], right[places])))
    return float(np.quantile(found, (1 - LEVEL) / 2)), float(np.quantile(found, (1 + LEVEL) / 2))


def _bin(sure: Array, right: Array) -> Bin:
    from scipy.stats import binomtest

    bounds = binomtest(int(right.sum()), len(right)).proportion_ci(LEVEL, method="wilson")
    return Bin(
        n=len(right),
        confidence=float(sure.mean()),
        accuracy=float(right.mean()),
        lower=float(bounds.low),
        upper=float(bounds.high),
    )
