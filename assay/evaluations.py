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

FEW_SUBJECTS = 5
"""A value of an attribute that fewer subjects have is not named: it might tell who they are."""

RARE = f"values of fewer than {FEW_SUBJECTS} subjects"
"""What all such values of an attribute are called together."""


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

    calibration: dict[str, JsonValue] = {}
    """How sure the model was of its labels, if it was asked; from :mod:`assay.evaluation.calibration`."""

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
    """What the baseline reached; for ``robustness``, what the candidate reached on the records as they were."""

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
    """Items on which the candidate does better: a higher score, a lower loss or time."""

    losses: int | None = None
    """Items on which it does worse."""

    p_value: float | None = None
    """Two-sided, of no difference at all. It is shown and decides nothing."""

    p_shown: float | None = None
    """One-sided, of a truth on the wrong side of the threshold or at it: small if the criterion is shown to hold."""

    p_refuted: float | None = None
    """One-sided, of a truth on the right side of the threshold or at it: small if it is shown not to hold."""

    p_adjusted: float | None = None
    """``p_refuted`` after Holm's correction over all criteria: only this refuses a candidate."""

    standard_error: float | None = None
    """Of the estimate; of its logarithm for a ratio."""

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
    """In how many a gain on the target was claimed that is none."""

    lost: int = 0
    """In how many a loss of general ability was claimed that is none."""

    lower: float = 0.0
    """Bound of the larger share, at the gate's confidence (Clopper and Pearson 1934). Above 1 - confidence, the gate
    sees more than there is."""

    upper: float
    """The other bound of it."""


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


Outcome = Answer | Choice | TextLoss | Guess | Timing
Item = TypeVar("Item", Answer, Choice, TextLoss, Guess, Timing)


def to_jsonl(outcomes: Iterable[Outcome]) -> bytes:
    """Encode outcomes of one kind, one a line, names sorted; equal outcomes give equal bytes."""
    lines = (json.dumps(asdict(outcome), sort_keys=True, allow_nan=False) for outcome in outcomes)
    return "".join(f"{line}\n" for line in lines).encode()


def from_jsonl(data: bytes, kind: type[Item]) -> list[Item]:
    """Decode what :func:`to_jsonl` wrote of outcomes of a ``kind``, or raise :class:`ArtifactCorruptError`."""
    adapter, values = TypeAdapter(kind), []
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
