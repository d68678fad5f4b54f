"""What moves while a run goes on: a bar that does not flicker, a line now and then, what it took in the end."""

import io
from typing import Any

import pytest

from cli import tables
from cli.tables import Steps, spent
from tasks.steps import StepState

COST = {
    "tokens": 151234, "learned_tokens": 21000, "computed_tokens": None, "tokens_per_second": 1063.4,
    "operations": 6.1e13, "operations_of_full_tuning": 1.22e14, "operations_spared": 0.5,
    "operations_per_second": 4.3e11, "seconds": 142.0, "devices": 1, "device_hours": 0.0395,
    "peak_bytes": 2_900_000_000, "device_peak_bytes": None, "price": None, "amount": None, "repeats": 0,
    "repeats_device_hours": 0.0, "repeats_amount": None,
}  # fmt: skip
PRICE = {"device_hour": 2.5, "currency": "EUR", "as_of": "2026-11-01"}


class Terminal(io.StringIO):
    """Something to write on that is a terminal, or is not."""

    encoding = "utf-8"

    def __init__(self, *, is_terminal: bool = True) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self.is_terminal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is, in its only element."""
    now = [1000.0]
    monkeypatch.setattr(tables.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("COLUMNS", "140")
    return now


def step(number: int, of: int = 100, **more: Any) -> dict[str, Any]:
    """As training reports one: 200 tokens and 2 seconds each."""
    return {
        "event": "step",
        "step": number,
        "of": of,
        "loss": 0.5,
        "tokens": 200 * number,
        "seconds": 2.0 * number,
    } | more


def ended(task: str = "train") -> StepState:
    """A step that was computed."""
    return StepState(task, "computed", 200.0)


def test_a_bar_says_how_fast_and_how_long(clock: list[float]):
    """Tokens a second of what was read since, and the rest at that pace."""
    out = Terminal()
    shown = Steps(out)
    for number in (1, 2, 21):
        clock[0] = 1000 + 2.0 * number
        shown.progressed("train", step(number))

    assert out.getvalue().endswith("21/100 step  loss 0.500  100 tokens/s  2 min 38 s left")
    assert out.getvalue().count("\r") == 3
    assert "\n" not in out.getvalue()


def test_a_held_out_loss_stays_beside_the_bar_and_draws_none_of_its_own(clock: list[float]):
    """Nor does a checkpoint: a bar whose words change back and forth flickers."""
    out = Terminal()
    shown = Steps(out)
    for event in (
        step(1),
        {"event": "held_out", "step": 1, "of": 100, "held_out_loss": 0.25},
        {"event": "checkpoint", "step": 1, "of": 100},
        step(2),
    ):
        clock[0] += 1
        shown.progressed("train", event)

    assert out.getvalue().count("\r") == 2
    assert "loss 0.500  held-out 0.250  100 tokens/s" in out.getvalue()
    assert "checkpoint" not in out.getvalue()


def test_a_bar_is_drawn_ten_times_a_second_at_most_and_once_more_at_its_end(clock: list[float]):
    """A thousand answers a second are not a thousand drawings."""
    out = Terminal()
    shown = Steps(out)
    for number in range(1, 1001):
        clock[0] += 0.001
        shown.progressed("evaluate", {"event": "answers", "step": number, "of": 1000})

    assert out.getvalue().count("\r") <= 12
    assert "1000/1000" in out.getvalue()


def test_the_same_bar_is_not_drawn_again(clock: list[float]):
    """What did not change needs no ink."""
    out = Terminal()
    shown = Steps(out)
    for _ in range(3):
        clock[0] += 1
        shown.progressed("evaluate", {"event": "answers", "step": 0, "of": 9})

    assert out.getvalue().count("\r") == 1


def test_a_shorter_bar_leaves_nothing_of_a_longer_one(clock: list[float]):
    """It is written over the whole of what was there."""
    out = Terminal()
    shown = Steps(out)
    shown.progressed("train", step(10))
    clock[0] += 1
    shown.progressed("train", {"event": "answers", "step": 1, "of": 9})
    long, short = out.getvalue().split("\r")[1:]

    assert len(short) == len(long)


def test_a_run_that_began_anew_is_timed_anew(clock: list[float]):
    """After a crash training goes on from its checkpoint; the steps before it say nothing of the pace."""
    out = Terminal()
    shown = Steps(out)
    for number, second in ((50, 0), (60, 10), (50, 500), (51, 502)):
        clock[0] = 1000.0 + second
        shown.progressed("train", step(number))

    assert out.getvalue().endswith("51/100 step  loss 0.500  100 tokens/s  1 min 38 s left")


def test_elsewhere_a_line_comes_every_fifteen_seconds(clock: list[float]):
    """A log holds lines that end, few of them, and no bar that moves."""
    out = Terminal(is_terminal=False)
    shown = Steps(out)
    for number in range(1, 41):
        clock[0] += 1
        shown.progressed("train", step(number))

    lines = out.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["1/100", "16/100", "31/100"]
    assert "\r" not in out.getvalue()


def test_a_finished_step_takes_the_place_of_its_bar(clock: list[float]):
    """And what is left of a bar is gone when a run breaks off."""
    out = Terminal()
    shown = Steps(out)
    shown.progressed("train", step(1))
    shown.ended(ended())
    after = out.getvalue().rpartition("\r")[2]
    clock[0] += 1
    shown.progressed("evaluate", {"event": "answers", "step": 1, "of": 9})
    shown.close()

    assert after.startswith("  train                 computed     200.0 s")
    assert out.getvalue().rpartition("\n")[2].split("\r")[-2:] == [
        " " * len("  evaluate              ██░░░░░░░░░░░░░░░░░░░░░░ 1/9 answers"),
        "",
    ]


def test_a_stream_without_an_encoding_gets_a_percentage(clock: list[float]):
    """Not every log can draw a block."""
    out = io.StringIO()
    Steps(out).progressed("train", step(50))

    assert "50%" in out.getvalue()
    assert "█" not in out.getvalue()


def test_what_training_took_is_said_in_a_line_for_each_kind_of_thing():
    """Without a price it says that there is none."""
    assert spent(COST) == [
        "151,234 tokens, 21,000 of them learned, 1,063 a second",
        "6.1e+13 operations, 50.0% of what learning every weight takes",
        "0.0395 device-hours on one device, peak memory 2.9 GB",
        "no price in the recipe",
    ]


def test_a_price_has_its_day_and_other_seeds_come_on_top():
    """What is unknown is left out."""
    unknown = dict.fromkeys(("learned_tokens", "tokens_per_second", "operations", "operations_spared", "peak_bytes"))
    dear = {"price": PRICE, "amount": 0.09875, "repeats": 4, "repeats_device_hours": 0.8, "repeats_amount": 2.0}

    assert spent(COST | unknown | dear | {"devices": 2}) == [
        "151,234 tokens",
        "0.0395 device-hours on 2 devices",
        "0.099 EUR, at 2.50 a device-hour (price of 2026-11-01)",
        "and 0.8 device-hours for 4 more with other seeds, 2.00 EUR",
    ]
