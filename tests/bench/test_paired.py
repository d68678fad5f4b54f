"""What must hold of comparisons: of speeds that took turns, of loss curves, of the roofline beside them."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from bench import contest, gpu_plans, measure_gpu, paired, roofline


def result(seconds_a_step: float, losses: list[float], before: float = 0.0) -> dict[str, Any]:
    """A run of 100 tokens a step, after so many seconds of preparing."""
    points = [
        {"seconds": before + seconds_a_step * n, "cpu_seconds": seconds_a_step * n, "tokens": 100 * n, "loss": loss}
        for n, loss in enumerate(losses, 1)
    ]
    return {"points": points, "peak_bytes": 2**30, "held_out_loss": losses[-1], "tokens": 1000, "operations": 4000}


def test_preparing_is_charged_and_left_out_of_the_steady_speed() -> None:
    """What a trainer computes before its first step counts against it."""
    run = result(1.0, [1.0] * 10, before=10.0)
    assert contest.speed(run, 0) == 50
    assert contest.speed(run, 4) == 100
    assert contest.speed(run, 0, "cpu_seconds") == 100


def test_assay_is_compared_within_a_pass() -> None:
    """A machine that halves its speed between two passes moves no ratio."""
    passes = [
        {"assay": result(slow, [1.0, 0.5]), "trl": result(2 * slow, [1.0, 0.6]), "trainer": result(3 * slow, [1, 1])}
        for slow in (1.0, 2.0)
    ]
    found = paired.summary(passes, 1)
    assert found["better"] == "trl"
    assert found["against"]["trl"]["seconds"] == {"mean": pytest.approx(2), "interval": [2, 2], "pairs": [2, 2]}
    assert found["against"]["trl"]["curves_apart"] == pytest.approx(0.05)
    assert found["against"]["trainer"]["held_out_apart"] == 0.5


def test_the_interval_holds_the_mean_and_repeats() -> None:
    """The bootstrap is seeded, and of ratios, so 2 and 1/2 cancel out."""
    found = paired.ratio([2.0, 0.5])
    assert found["mean"] == pytest.approx(1)
    low, high = found["interval"]
    assert low <= 1 <= high
    assert paired.ratio([2.0, 0.5]) == found


def test_curves_of_other_batches_are_refused() -> None:
    """Losses of as many steps only can be those of one experiment."""
    with pytest.raises(ValueError, match="expected the same batches"):
        paired.apart([1.0, 2.0], [1.0])


def test_curves_are_compared_by_running_means() -> None:
    """One step that rounding moved is spread over the window."""
    one = [1.0] * 20
    other = [*one[:10], 1.8, *one[11:]]
    assert paired.apart(one, other) == pytest.approx(0.8 / paired.WINDOW)


def test_the_table_names_each_contender_once_and_its_ratio() -> None:
    """A person finds speeds, the roofline's share and the comparison in one text."""
    passes = [{"assay": result(1.0, [1.0, 0.5]), "trl": result(2.0, [1.0, 0.6])}]
    shares = paired.shares(passes, {"bfloat16": {"1": {"best": 1000.0, "model": 800.0}}}, 1, 1)
    text = paired.table({"summary": paired.summary(passes, 1), "shares": shares, "once_speeds": {"trl, as it is": 9}})
    assert "| assay | 100 | 100 | 100 |" in text
    assert "40.0% | 40.0% | 40.0% | 50.0% |" in text
    assert "Assay over trl: **2.00** [2.00, 2.00]" in text
    assert "trl, as it is: 9 tokens/s." in text


def test_work_spared_lowers_what_was_executed_and_not_what_was_needed() -> None:
    """The share that tokens need is the same however a trainer gets there."""
    run = {**result(1.0, [1.0]), "executed_operations": 3000}
    assert roofline.share(run, 100, 1000.0) == {"needed": 0.4, "executed": pytest.approx(0.3)}


def test_a_rate_is_that_of_all_products_together() -> None:
    """Small products, timed on this machine: no single one is faster than the best."""
    small = [roofline.Product(32, 16, 2, 64), roofline.Product(16, 32, 2, 64)]
    least, rounds, square = roofline.LEAST, roofline.ROUNDS, roofline.SQUARE
    roofline.LEAST, roofline.ROUNDS, roofline.SQUARE = 0.001, 3, 64
    try:
        found = roofline.rate(small, "float32")
    finally:
        roofline.LEAST, roofline.ROUNDS, roofline.SQUARE = least, rounds, square
    assert 0 < found["model"] <= found["best"]
    assert set(found["products"]) == {"64x16->32", "64x32->16", "64x64->64"}


def test_a_point_is_read_as_it_is_named() -> None:
    """Batch, length and raggedness survive a round trip through the table's name."""
    for model in gpu_plans.MODELS:
        for said in (gpu_plans.MAIN[model], *gpu_plans.CURVE[model].split()):
            assert str(gpu_plans.Point.read(said)) == said


def test_utilisation_counts_real_tokens_at_four_operations_a_weight() -> None:
    """The published 8B figure, 12,473 tokens/s of 8.03 billion weights, is 40.5 % of 989 TFLOP/s."""
    plan = gpu_plans.Plan("8B", gpu_plans.Point(2, 4096), "assay", "packed", {})
    run = {"points": [{"seconds": n, "tokens": 12473 * n, "loss": 1.0} for n in range(1, 5)]}
    run |= {"parameters": 8_030_261_248, "peak_bytes": 0, "environment": {}}
    row = measure_gpu.row(plan, run, 989e12, 2)
    assert row["mfu"] == pytest.approx(0.405, abs=0.001)
    assert row["mfu_products"] < row["mfu"]


def test_a_run_that_failed_is_a_row_and_no_end() -> None:
    """Out of memory is a finding, and the faster of TRL's settings is what Assay is held against."""
    named = {"model": "1B", "point": "8x4096", "peak_bytes": 0, "mfu": 0.1}
    rows = [
        {**named, "trainer": "assay", "settings": "packed", "tokens_per_second": 300.0},
        {**named, "trainer": "trl", "settings": "padded, sdpa", "tokens_per_second": 100.0},
        {**named, "trainer": "trl", "settings": "packed, sdpa", "failed": "CUDA out of memory"},
        {**named, "trainer": "trl", "settings": "Liger", "tokens_per_second": 200.0},
    ]
    text = measure_gpu.table(rows, 989e12)
    assert "CUDA out of memory" in text
    assert "1B at 8x4096: **1.50** times TRL (packed against Liger)" in text


def test_examples_survive_the_file_between_processes(tmp_path: Path) -> None:
    """What a contender reads is what was written."""
    rows = [contest.encoded([1, 2, 3], 2), contest.encoded([4, 5], 1)]
    contest.write(tmp_path / "examples.json", rows, rows[:1])
    assert contest.read(tmp_path / "examples.json") == (rows, rows[:1])


def test_a_contender_that_fails_says_why(tmp_path: Path) -> None:
    """The last line of its error is kept, and the parent goes on."""
    entry = contest.Entry(trainer="assay", base=str(tmp_path), examples="nowhere.json", spec={}, settings={}, threads=1)
    said = contest.run(dataclasses.replace(entry, trl=None), {"PATH": ""})
    assert "failed" in said
    assert not math.isinf(len(said["failed"]))
