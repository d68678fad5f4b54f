"""What training took is counted, and what is not known of it is not made up."""

import pytest

from assay.reporting import wording
from assay.reporting.cost import NO_PRICE, Cost, Price, cost, saving, worth
from tests.assay.reporting.trainings import bare, trained

PRICE = Price(device_hour=2.5, currency="EUR", as_of="2026-11-01")
LORA = {"method": "lora", "last_layers": 15}


def test_a_device_hour_is_an_hour_of_one_device():
    """Three minutes on two devices are a tenth of one, and cost a tenth."""
    found = cost(trained(devices=2), [], PRICE)

    assert (found.device_hours, found.amount) == pytest.approx((0.1, 0.25))
    assert found.tokens_per_second == pytest.approx(100_000 / 180)
    assert (found.repeats, found.repeats_device_hours, found.repeats_amount) == (0, 0, None)


def test_other_seeds_come_on_top():
    """They are paid for, and are no part of what the candidate took."""
    found = cost(trained(), [trained(), trained(seconds=360)], PRICE)

    assert (found.device_hours, found.repeats_device_hours) == pytest.approx((0.05, 0.15))
    assert "and 2 trainings with other seeds took 0.15 more, 0.38 EUR." in worth(found)


def test_the_price_is_said_with_its_day_or_that_there_is_none():
    """A price is the recipe's; nobody makes one up."""
    assert worth(cost(trained(), [], PRICE)) == (
        "0.05 device-hours at 2.50 EUR (price of 2026-11-01) are 0.12 EUR; training alone, nothing before or after it."
    )
    assert worth(cost(trained(), [trained()], None)) == NO_PRICE


def test_what_was_spared_is_a_share_of_learning_every_weight_with_its_reasons():
    """Each reason only where it holds."""
    found = cost(trained(), [], None)

    assert found.operations_spared == pytest.approx(0.6)
    assert saving(found, trained(), LORA) == (
        f"{wording.big(4e13)} floating-point operations were done, of {wording.big(1e14)} that learning every weight "
        "takes on these tokens: 60.0\u202f% were spared. Frozen weights need no gradient of their own; below the first "
        "layer that learns nothing goes backward; the head saw only the 15.0\u202f% of tokens that are learned. Not "
        "counted in this: the output of 15 frozen layers was computed once and used in every epoch; 20.0\u202f% of "
        "tokens are beginnings that examples share, and were computed once a pass."
    )
    assert "no gradient" not in saving(found, trained(), {"method": "full"})
    assert "goes backward" not in saving(found, trained(), {"method": "lora"})


def test_nothing_spared_and_nothing_recorded_are_said():
    """A rank as large as the model spares nothing."""
    dear = trained(operations=2e14)

    assert saving(cost(dear, [], None), dear, LORA).endswith(": nothing was spared.")
    assert "was not recorded" in saving(cost(bare(), [], None), bare(), {})


def test_a_cost_survives_its_file():
    """It is read by machines."""
    found = cost(trained(), [trained()], PRICE)

    assert Cost.model_validate_json(found.model_dump_json()) == found
    assert cost(bare(), [], None).operations_spared is None
