"""Selection: which of the weights that training passed through are kept, and when it need not go on.

Decided on measurements of the validation side alone, so what the test side says later is said of a model that it did
not choose. A measurement betters another only by being strictly better: of equals the earlier is kept, since it cost
less and has learned fewer examples by heart.
"""

from collections.abc import Sequence

from assay.tuning import SelectionSpec

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

Measurement = dict[str, float]
"""``step``, ``held_out_loss`` and, if answers are asked for, the task's metrics."""


def best(measured: Sequence[Measurement], spec: SelectionSpec) -> Measurement:
    """The measurement that the recipe's metric prefers; that of untrained weights at step 0 is no candidate."""
    trained = [each for each in measured if each["step"] > 0]
    return max(trained, key=lambda each: (_worth(each, spec), -each["step"]))


def is_exhausted(measured: Sequence[Measurement], spec: SelectionSpec) -> bool:
    """Whether ``patience`` measurements in a row have bettered none before them."""
    trained = [each for each in measured if each["step"] > 0]
    if not spec.patience or len(trained) <= spec.patience:
        return False
    since = len(trained) - 1 - trained.index(best(trained, spec))
    return since >= spec.patience


def chosen(measured: Sequence[Measurement], spec: SelectionSpec) -> Measurement:
    """The measurement of the weights that are kept."""
    return best(measured, spec) if spec.keep == "best" else measured[-1]


def _worth(measurement: Measurement, spec: SelectionSpec) -> float:
    value = measurement[spec.metric]
    return -value if spec.metric == "held_out_loss" else value
