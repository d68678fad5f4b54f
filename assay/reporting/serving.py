"""Serving: how long each model takes for an answer, and what a thousand requests cost.

Requests are timed one after another, so a cost derived from them is that of a device that serves one at a time: 1,000
requests x seconds each x price of a device-hour / 3,600. Requests decoded together cost less, for both models alike.
Quantiles are interpolated linearly between the two nearest requests.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from assay.outcomes import Timing
from assay.reporting import wording
from assay.reporting.content import Change, Content
from assay.reporting.cost import Price

VERSION = 1

REQUESTS = 1000
"""That a cost is told for."""

_HOUR = 3600
NO_PRICE = "The recipe names no price of a device-hour, so no cost is told."


@dataclass(frozen=True, slots=True)
class Serving:
    """What a page says of serving both models."""

    rows: tuple[tuple[str, str, str, str, str], ...]
    """Name, meaning, before, after, difference."""

    before: float | None
    """Of :data:`REQUESTS`, in the price's currency."""

    after: float | None
    said: str
    """Where the cost comes from, or why there is none."""


def shown(content: Content) -> Serving | None:
    """Times and cost of both models, or nothing if nothing was timed."""
    if not content.latency:
        return None
    price = _price(content.recipe)
    before, after = (cost({c.name: getattr(c, arm) for c in content.latency}, price) for arm in ("before", "after"))
    rows = [_row(change) for change in content.latency]
    if price and before is not None and after is not None:
        rows.append(_costs(before, after, price))
    return Serving(tuple(rows), before, after, _said(price, content))


def sums(timings: Sequence[Timing]) -> dict[str, float]:
    """Quantiles and rates of single requests; ms, tokens, tokens per second."""
    if not timings:
        return {}
    first, total = sorted(t.first_ms for t in timings), sorted(t.total_ms for t in timings)
    tokens = sum(t.tokens for t in timings)
    return {
        "request_p50_ms": quantile(total, 0.5),
        "request_p95_ms": quantile(total, 0.95),
        "first_token_p50_ms": quantile(first, 0.5),
        "first_token_p95_ms": quantile(first, 0.95),
        "tokens_per_second": 1000 * tokens / sum(total) if sum(total) else 0.0,
        "tokens_per_request": tokens / len(timings),
        "prompt_tokens_per_request": sum(t.prompt_tokens for t in timings) / len(timings),
        "requests": float(len(timings)),
    }


def cost(latency: Mapping[str, float | None], price: Price | None) -> float | None:
    """Of :data:`REQUESTS` answered one after another; None without a price, or if the rates are not known."""
    tokens, rate = latency.get("tokens_per_request"), latency.get("tokens_per_second")
    if price is None or tokens is None or not rate:
        return None
    return REQUESTS * tokens / rate / _HOUR * price.device_hour


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of values in order, interpolated linearly."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _row(change: Change) -> tuple[str, str, str, str, str]:
    name = change.name
    return (
        wording.metric(name),
        wording.meaning(name),
        wording.scaled(change.before, name),
        wording.scaled(change.after, name),
        "" if name == "requests" else wording.changed(change.difference, name),
    )


def _costs(before: float, after: float, price: Price) -> tuple[str, str, str, str, str]:
    more = after - before
    sign = "" if not more else "+" if more > 0 else "\u2212"
    return (
        f"Cost of {wording.count(REQUESTS)} requests",
        f"in {price.currency}",
        wording.money(before),
        wording.money(after),
        f"{sign}{wording.money(abs(more))}",
    )


def _said(price: Price | None, content: Content) -> str:
    if price is None:
        return NO_PRICE
    trained = " Training is not in it." if content.training else ""
    return (
        f"At {wording.money(price.device_hour)} {price.currency} a device-hour (price of {price.as_of}), one request "
        f"at a time; requests decoded together cost less.{trained}"
    )


def _price(recipe: Mapping[str, JsonValue]) -> Price | None:
    try:
        return Price.model_validate(recipe["price"]) if recipe.get("price") else None
    except ValidationError:
        return None
