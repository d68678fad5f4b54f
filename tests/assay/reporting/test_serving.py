"""Times become a cost by arithmetic, or are not said to cost anything."""

import pytest

from assay.outcomes import Timing
from assay.reporting import serving
from assay.reporting.cost import Price
from tests.assay.reporting import verdicts

PRICE = Price(device_hour=3.6, currency="EUR", as_of="2026-11-01")


def test_a_thousand_requests_cost_their_seconds_times_the_price_of_one():
    """Ten tokens at twenty a second are half a second; a thousand of those are 500 s."""
    latency = {"tokens_per_request": 10.0, "tokens_per_second": 20.0}

    assert serving.cost(latency, PRICE) == pytest.approx(0.5)
    assert serving.cost(latency, None) is None
    assert serving.cost({}, PRICE) is None


def test_a_page_shows_both_models_times_and_cost():
    """Before, after, difference, and whose price it is."""
    shown = serving.shown(verdicts.content())

    assert shown.rows[0] == ("Median latency", "of a whole request", "412\u202fms", "401\u202fms", "\u221211\u202fms")
    assert shown.rows[-1][:2] == ("Cost of 1\u202f000 requests", "in EUR")
    assert shown.said.startswith("At 0.05 EUR a device-hour (price of 2026-11-01)")


def test_without_a_price_there_is_no_cost_and_without_times_nothing():
    """A price is the recipe's to name."""
    free = serving.shown(verdicts.content(recipe={"name": "x"}))

    assert (free.before, free.said) == (None, serving.NO_PRICE)
    assert serving.shown(verdicts.content(latency=())) is None


def test_rates_of_single_requests():
    """All tokens over all of the time; quantiles between the two nearest."""
    timed = [Timing(id=str(i), first_ms=10.0 + i, total_ms=100.0, tokens=5, prompt_tokens=80) for i in range(4)]
    found = serving.sums(timed)

    assert found["first_token_p50_ms"] == 11.5
    assert (found["tokens_per_second"], found["tokens_per_request"]) == (50.0, 5.0)
    assert serving.sums([]) == {}
