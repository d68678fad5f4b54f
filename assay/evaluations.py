"""What an evaluation is, and what a gate says: values that travel, and their bytes on disk.

An :class:`Evaluation` says what was asked (``question``), of which model, and how it came out on
the whole. How each item came out is kept beside it as JSON lines, because a paired test needs the
items and a report needs the sums. An :class:`Arm` is all of that for one model. A :class:`Verdict`
is what :mod:`assay.evaluation.comparison` makes of two arms.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from assay.errors import ArtifactCorruptError
from assay.outcomes import Answer, Choice, Guess, TextLoss, Timing

Decision = Literal["accepted", "refused", "inconclusive"]
Kind = Literal["superiority", "floor", "ceiling", "non_inferiority", "ratio"]
"""How an estimate is held against its threshold: from above in all but ``ceiling`` and ``ratio``."""


class Value(BaseModel):
    """Frozen, closed to unknown keys; NaN is no value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Evaluation(Value):
    """One model's answers to one question, summed up."""

    question: dict[str, JsonValue]
    """All that was the same for every model asked: digests of the items, of the benchmark, of prompt template and
    system turn; decoding, dtype, merge state, batch size; versions of methods and libraries. Two evaluations are
    compared only if these are equal."""

    model: str
    """Digest of the weights asked."""

    metrics: dict[str, float]
    """Over all test records, in 0 … 1."""

    fields: dict[str, float]
    """Accuracy of each field of the answer."""

    slices: dict[str, dict[str, dict[str, float]]]
    """Attribute → its value → ``n`` and the metrics."""

    ability_groups: dict[str, dict[str, float]]
    """Group of general-ability items → ``n`` and ``accuracy``."""

    latency: dict[str, float] = {}
    """From :func:`assay.evaluation.generation.latency`; a point measurement."""

    environment: dict[str, JsonValue]
    """Where it ran: for the record, never compared."""


@dataclass(frozen=True, slots=True)
class Arm:
    """An evaluation with its items."""

    evaluation: Evaluation
    answers: list[Answer]
    choices: list[Choice]
    texts: list[TextLoss] = field(default_factory=list)
    """Held-out texts."""

    probes: list[Choice] = field(default_factory=list)
    """Safety probes: whether the right thing to say is the likelier one."""

    variants: list[Answer] = field(default_factory=list)
    """Answers to changed test records; attribute ``variant`` says how, ``of`` of which record."""

    guesses: list[Guess] = field(default_factory=list)
    """How likely each value of the label was held."""

    timings: list[Timing] = field(default_factory=list)
    """Single requests, the same ones as the other arm's and asked in turn with them."""


class Criterion(Value):
    """One thing that a candidate must show, and whether it did.

    ``estimate`` is what is held against ``threshold``: the difference for superiority and
    non-inferiority, the candidate's rate for a floor, candidate over baseline for a ratio. All
    shares are in 0 … 1, durations in ms.
    """

    name: str
    """Of this criterion alone, such as ``target``, ``general_ability`` or ``slice:channel=web``."""

    kind: Kind
    metric: str
    unit: Literal["points", "ratio", "bits"] = "points"
    """Of estimate, threshold and bounds. A share is counted in points when it is shown."""

    baseline: float
    candidate: float
    difference: float
    """Candidate minus baseline."""

    estimate: float
    threshold: float
    lower: float | None = None
    """One-sided bound of the estimate at the gate's confidence; ``None`` for a point measurement."""

    upper: float | None = None
    """The other one-sided bound: both together hold at 2 x confidence - 1."""

    n: int
    clusters: int | None = None
    """Subjects or groups; errors within one are not independent."""

    wins: int | None = None
    """Items on which the candidate scores higher."""

    losses: int | None = None
    """Items on which it scores lower."""

    p_value: float | None = None
    """Two-sided, of no difference at all. It is shown and decides nothing."""

    p_shown: float | None = None
    """One-sided, of a truth on the wrong side of the threshold or at it: small if the criterion is shown to hold."""

    p_refuted: float | None = None
    """One-sided, of a truth on the right side of the threshold or at it: small if it is shown not to hold."""

    p_adjusted: float | None = None
    """``p_refuted`` after Holm's correction over all criteria: only this refuses a candidate."""

    standard_error: float | None = None
    detectable: float | None = None
    """Distance of truth from threshold that this many items would show with 80 % power."""

    needed: int | None = None
    """Items that would decide with 80 % power if the estimate were the truth; ``None`` if decided, or if none would."""

    decision: Decision
    reason: str
    """A sentence."""


class SelfTest(Value):
    """How often the gate finds a difference where there is none: the A/A test of this run's own items."""

    resamples: int
    found: int
    """In how many a difference was claimed that is none."""

    upper: float
    """Bound of the share, at the gate's confidence (Clopper and Pearson 1934)."""


class Verdict(Value):
    """What the gate says of a candidate."""

    decision: Decision
    sentence: str
    """For a reader who has one minute."""

    reasons: Annotated[tuple[str, ...], Field(min_length=1)]
    """One sentence for each criterion, in the order of ``criteria``."""

    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    baseline: str
    """Digest of the model that was compared with."""

    candidate: str
    confidence: float
    """Of each one-sided bound."""

    self_test: SelfTest | None = None
    question: dict[str, JsonValue]
    wins: tuple[str, ...]
    """Ids of test records that only the candidate answered right."""

    losses: tuple[str, ...]
    """Ids of test records that only the baseline answered right."""

    def criterion(self, name: str) -> Criterion:
        """The criterion called ``name``."""
        return next(criterion for criterion in self.criteria if criterion.name == name)


Item = TypeVar("Item", Answer, Choice)

_ANSWER = TypeAdapter(Answer)
_CHOICE = TypeAdapter(Choice)


def answers_to_jsonl(answers: Iterable[Answer]) -> bytes:
    """Encode scored answers, one a line, names sorted; equal answers give equal bytes."""
    return _lines(answers)


def choices_to_jsonl(choices: Iterable[Choice]) -> bytes:
    """Encode outcomes of general-ability items, one a line."""
    return _lines(choices)


def answers_from_jsonl(data: bytes) -> list[Answer]:
    """Decode what :func:`answers_to_jsonl` wrote, or raise :class:`ArtifactCorruptError`."""
    return _values(data, _ANSWER)


def choices_from_jsonl(data: bytes) -> list[Choice]:
    """Decode what :func:`choices_to_jsonl` wrote, or raise :class:`ArtifactCorruptError`."""
    return _values(data, _CHOICE)


def _lines(values: Iterable[Answer] | Iterable[Choice]) -> bytes:
    lines = (json.dumps(asdict(value), sort_keys=True, allow_nan=False) for value in values)
    return "".join(f"{line}\n" for line in lines).encode()


def _values(data: bytes, adapter: TypeAdapter[Item]) -> list[Item]:
    values: list[Item] = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            values.append(adapter.validate_json(line, strict=True))
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the line"
            raise ArtifactCorruptError(
                f"line {number} of the items of an evaluation cannot be read at {where}: expected what Assay "
                "wrote. Evaluate anew."
            ) from None
    return values
