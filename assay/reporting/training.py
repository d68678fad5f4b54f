"""Training: the record of a training run, as pages read it.

It was written by the process that trained. Whatever it does not hold is unknown here, and said to be; nothing in it is
the text of a record.
"""

import math
import statistics
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, JsonValue, model_validator

from assay.reporting.part import Part

Point = tuple[float, float]
"""Step and value."""

METRICS = ("exact_match", "field_accuracy")
"""Of the task, that may be measured on the validation side."""


class Recorded(Part):
    """A part of a record, in which what is null is as good as absent."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value is not None}


class Measurement(Recorded):
    """What the validation side said at a step."""

    step: int
    held_out_loss: float | None = None
    """Nats per learned token."""

    train_loss: float | None = None
    """Mean of the training batches just before it."""

    exact_match: float | None = None
    field_accuracy: float | None = None


class Chosen(Recorded):
    """The weights that became the candidate."""

    step: int
    metric: str = "held_out_loss"
    value: float | None = None
    keep: Literal["last", "best"] = "last"


class Layout(Recorded):
    """How batches were laid out as rows of tokens."""

    name: Literal["packed", "padded"]
    why: str = ""
    """Of falling back, if it did."""

    computed_tokens: int | None = None
    """Positions that passed the upper layers, padding included."""

    shared_prefix: int = 0
    """Tokens that all examples begin with, and that were computed once."""

    reused_layers: int = 0
    """Frozen layers whose output was computed once, and not in each epoch."""


class Attempt(Recorded):
    """A micro-batch that was tried, and what came of it."""

    micro_batch: int | None = None
    """Examples at a time; the whole batch if absent."""

    checkpoint_activations: bool = False
    outcome: str = ""
    seconds: float = 0.0
    """That a failed attempt took, its start included."""


class UpdateSize(Recorded):
    """How far learning moved the matrices: the norm of what was added over that of what was there."""

    median: float
    max: float
    module: str = ""
    """That moved most."""

    matrices: int = 0
    unmoved: int = 0
    """Of them, those that no gradient reached."""


class Replay(Recorded):
    """What became of the base's own answers to general prompts."""

    wanted: int
    """By the recipe's share."""

    asked: int
    kept: int
    left_out: dict[str, int] = Field(default_factory=dict)
    """Reason → answers."""


class Training(Recorded):
    """The record of a training run."""

    steps: int
    planned_steps: int | None = None
    stopped_early: bool = False
    examples: int
    replayed: int = 0
    """Of the examples, those that keep what the base could do."""

    replay: Replay | None = None

    truncated: int
    tokens: int
    learned_tokens: int | None = None
    trainable_parameters: int
    operations: float | None = None
    """Floating-point operations, by arithmetic."""

    operations_of_full_tuning: float | None = None
    """The same for learning every weight: 6 a weight and token."""

    seconds: float
    devices: int = 1
    peak_bytes: int | None = None
    losses: tuple[Point, ...] = ()
    """Step and mean loss of its batch."""

    held_out_losses: tuple[Point, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    chosen: Chosen | None = None
    layout: Layout | None = None
    attempts: tuple[Attempt, ...] = ()
    update_size: UpdateSize | None = None
    environment: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def held_out(self) -> list[Point]:
        """Finite held-out losses in order of their steps."""
        found = {m.step: m.held_out_loss for m in self.measurements if m.held_out_loss is not None}
        points = [(float(step), loss) for step, loss in found.items()] or self.held_out_losses
        return sorted((step, loss) for step, loss in points if math.isfinite(loss))

    @property
    def kept_at(self) -> int:
        """The step whose weights became the candidate."""
        return self.chosen.step if self.chosen else self.steps

    @property
    def kept_loss(self) -> float | None:
        """Held-out loss of those weights, or of the last ones measured before them."""
        return next((loss for step, loss in reversed(self.held_out) if step <= self.kept_at), None)

    @property
    def learned_loss(self) -> float | None:
        """Mean loss of the batches that the kept weights saw last: just before, or since the measurement before."""
        if beside := [loss for step, loss in self.beside if step <= self.kept_at]:
            return beside[-1]
        seen = [step for step, _ in self.held_out if step <= self.kept_at]
        start = seen[-2] if len(seen) > 1 else 0.0
        found = [loss for step, loss in self.losses if start < step <= self.kept_at and math.isfinite(loss)]
        return statistics.fmean(found) if found else None

    @property
    def beside(self) -> list[Point]:
        """Finite losses of the training batches just before each measurement, in order of their steps."""
        found = sorted((float(m.step), m.train_loss) for m in self.measurements if m.train_loss is not None)
        return [(step, loss) for step, loss in found if math.isfinite(loss)]

    def measured(self, metric: str) -> list[Point]:
        """A metric of the task on the validation side, by step."""
        found = ((float(m.step), getattr(m, metric)) for m in self.measurements)
        return sorted((step, value) for step, value in found if value is not None)

    def fact(self, name: str) -> JsonValue:
        """One of the environment's facts, or None."""
        return self.environment.get(name)


class Repeat(Part):
    """A training that differs in its seed alone."""

    seed: int
    training: Training
