"""Cost: what a training took, and what that is worth at the recipe's price.

Operations are counted by arithmetic. Learning every weight costs 6 a weight and token, 2 forward and 4 backward
("6ND", Kaplan et al. 2020, arXiv:2001.08361). A frozen matrix needs no gradient of its own, which spares 2 of the 6;
below the first layer that learns nothing goes backward, which spares 2 more; and the head need only see what is
learned. Attention's products are left out on both sides, and every token is taken to pass every layer in each epoch.

A device-hour is an hour of one device, a GPU or a CPU process with its threads: from when the model is loaded to the
last step, attempts that ran out of memory included; steps that a crash had repeated are not. The price covers training
alone: neither evaluation nor anything that ran beside it.
"""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from assay.reporting import wording
from assay.reporting.part import Part
from assay.reporting.training import Training

VERSION = 2

NO_PRICE = "No price in the recipe: `price` takes a device-hour's, its currency and its date."

_HOUR = 3600


class Price(Part):
    """What an hour of one device costs."""

    device_hour: float
    currency: str
    as_of: str


class Cost(Part):
    """What training took."""

    tokens: int
    learned_tokens: int | None = None
    computed_tokens: int | None = None
    """Positions that passed the upper layers, padding included."""

    tokens_per_second: float | None = None
    """Tokens read, without padding, over all of the time."""

    operations: float | None = None
    operations_of_full_tuning: float | None = None
    operations_spared: float | None = None
    """Share of what learning every weight would have taken."""

    operations_per_second: float | None = None
    seconds: float
    devices: int
    device_hours: float
    peak_bytes: int | None = None
    """Of main memory, by one process."""

    device_peak_bytes: int | None = None
    price: Price | None = None
    amount: float | None = None
    """In the currency of ``price``."""

    repeats: int = 0
    """Trainings with other seeds, whose hours come on top."""

    repeats_device_hours: float = 0.0
    repeats_amount: float | None = None


def cost(training: Training, repeats: Sequence[Training], price: Price | None) -> Cost:
    """What a training took, and its repeats on top."""
    own, more = hours(training), sum(map(hours, repeats))
    device_bytes = training.fact("device_peak_bytes")
    done, full = training.operations, training.operations_of_full_tuning
    return Cost(
        tokens=training.tokens,
        learned_tokens=training.learned_tokens,
        computed_tokens=training.layout.computed_tokens if training.layout else None,
        tokens_per_second=_over(training.tokens, training.seconds),
        operations=done,
        operations_of_full_tuning=full,
        operations_spared=None if done is None or not full else 1 - done / full,
        operations_per_second=_over(done, training.seconds),
        seconds=training.seconds,
        devices=training.devices,
        device_hours=own,
        peak_bytes=training.peak_bytes,
        device_peak_bytes=int(device_bytes) if isinstance(device_bytes, int | float) and device_bytes else None,
        price=price,
        amount=price.device_hour * own if price else None,
        repeats=len(repeats),
        repeats_device_hours=more,
        repeats_amount=price.device_hour * more if price and repeats else None,
    )


def worth(spent: Cost) -> str:
    """The price in a sentence, with the day it was true; or that there is none."""
    price = spent.price
    if price is None or spent.amount is None:
        return NO_PRICE
    said = (
        f"{wording.number(spent.device_hours)} device-hours at {wording.money(price.device_hour)} {price.currency} "
        f"(price of {price.as_of}) are {wording.money(spent.amount)} {price.currency}"
    )
    if not spent.repeats:
        return f"{said}; training alone, nothing before or after it."
    return (
        f"{said}, and {_trainings(spent.repeats)} with other seeds took {wording.number(spent.repeats_device_hours)} "
        f"more, {wording.money(spent.repeats_amount)} {price.currency}."
    )


def saving(spent: Cost, training: Training, recipe: Mapping[str, JsonValue]) -> str:
    """How many operations were done of those that learning every weight would have taken, and why not all.

    Args:
        spent: What was done.
        training: Its record.
        recipe: How it was taught, as the recipe says.
    """
    if spent.operations_spared is None:
        return "How many operations learning every weight would have taken was not recorded."
    done, full = wording.big(spent.operations), wording.big(spent.operations_of_full_tuning)
    said = f"{done} floating-point operations were done, of {full} that learning every weight takes on these tokens"
    if spent.operations_spared <= 0:
        return f"{said}: nothing was spared."
    because, besides = "; ".join(_reasons(spent, recipe)), "; ".join(_besides(training))
    more = f" Not counted in this: {besides}." if besides else ""
    return f"{said}: {wording.share(spent.operations_spared)} were spared. {because[:1].upper()}{because[1:]}.{more}"


def _reasons(spent: Cost, recipe: Mapping[str, JsonValue]) -> list[str]:
    reasons = []
    if recipe.get("method") != "full":
        reasons.append("frozen weights need no gradient of their own")
    if recipe.get("last_layers"):
        reasons.append("below the first layer that learns nothing goes backward")
    if spent.learned_tokens is not None and spent.tokens:
        share = wording.share(spent.learned_tokens / spent.tokens)
        reasons.append(f"the head saw only the {share} of tokens that are learned")
    return reasons or ["why was not recorded"]


def _besides(training: Training) -> list[str]:
    """What was not computed again, though the count by arithmetic takes it to be."""
    layout, saved = training.layout, []
    if layout and layout.reused_layers:
        saved.append(f"the output of {layout.reused_layers} frozen layers was computed once and used in every epoch")
    if layout and layout.computed_tokens is not None and layout.computed_tokens < training.tokens:
        share = wording.share(1 - layout.computed_tokens / training.tokens)
        saved.append(f"{share} of tokens are beginnings that examples share, and were computed once a pass")
    return saved


def _trainings(number: int) -> str:
    return "one training" if number == 1 else f"{wording.count(number)} trainings"


def hours(training: Training) -> float:
    """Device-hours of a training, attempts that ran out of memory included."""
    failed = sum(attempt.seconds for attempt in training.attempts)
    return (training.seconds + failed) * training.devices / _HOUR


def _over(amount: float | None, seconds: float) -> float | None:
    return amount / seconds if amount is not None and seconds > 0 else None
