"""Paired: what runs that took turns say about one another, and the table that they are shown in.

A *pass* is ``{contender: result}`` of runs that followed one another. Contenders are compared within a pass, where the
machine was the same, and passes are summed up. Units: real tokens per second, bytes, nats.
"""

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.contest import speed
from bench.roofline import share

OURS = "assay"

WINDOW = 8
"""Steps of a running mean of the loss."""

DRAWS = 10_000
"""Of the bootstrap."""

COLUMNS = (
    *("contender", "tokens/s", "tokens/CPU-s", "steady tokens/s", "wall s", "CPU s", "peak GiB", "held-out loss"),
    *("of best GEMM: needed", "executed", "steady, needed", "of the model's GEMMs: needed"),
)

Pass = Mapping[str, Mapping[str, Any]]


def summary(passes: Sequence[Pass], skip: int) -> dict[str, Any]:
    """Medians of each contender, and Assay against each of the others.

    Returns:
        ``contenders``, by name; ``against``, by the others' names, that of the faster one as ``better``.
    """
    each = {name: medians([one[name] for one in passes], skip) for name in passes[0]}
    others = [name for name in each if name != OURS]
    against = {name: compared(passes, name, skip) for name in others if OURS in each}
    better = max(others, key=lambda name: each[name]["tokens_per_second"], default=None)
    return {"contenders": each, "against": against, "better": better}


def medians(runs: Sequence[Mapping[str, Any]], skip: int) -> dict[str, float]:
    """Of one contender's runs; *steady* leaves out the first steps and what was prepared before them."""
    last = [run["points"][-1] for run in runs]
    return {
        "tokens_per_second": statistics.median(speed(run, 0) for run in runs),
        "tokens_per_cpu_second": statistics.median(speed(run, 0, "cpu_seconds") for run in runs),
        "steady": statistics.median(speed(run, skip) for run in runs),
        "seconds": statistics.median(point["seconds"] for point in last),
        "cpu_seconds": statistics.median(point["cpu_seconds"] for point in last),
        "peak_bytes": statistics.median(run["peak_bytes"] for run in runs),
        "loss_last": runs[0]["points"][-1]["loss"],
        "held_out_loss": runs[0]["held_out_loss"],
    }


def compared(passes: Sequence[Pass], other: str, skip: int) -> dict[str, Any]:
    """Speed of Assay over another's, by wall and by CPU seconds, and how far apart what they learned is."""
    ours, theirs = passes[0][OURS], passes[0][other]
    return {
        **{
            per: ratio([speed(one[OURS], 0, per) / speed(one[other], 0, per) for one in passes])
            for per in ("seconds", "cpu_seconds")
        },
        "steady": ratio([speed(one[OURS], skip) / speed(one[other], skip) for one in passes]),
        "curves_apart": apart(losses(ours), losses(theirs)),
        "held_out_apart": abs(ours["held_out_loss"] - theirs["held_out_loss"]),
    }


def losses(result: Mapping[str, Any]) -> list[float]:
    """Training loss of each step."""
    return [point["loss"] for point in result["points"]]


def ratio(found: Sequence[float], seed: int = 0) -> dict[str, Any]:
    """Geometric mean of paired ratios, with a 95 % percentile bootstrap over pairs.

    With fewer than about ten pairs such an interval is too narrow; all ratios are given beside it.
    """
    draw = random.Random(seed)
    logs = [math.log(value) for value in found]
    drawn = sorted(statistics.fmean(draw.choices(logs, k=len(logs))) for _ in range(DRAWS))
    low, high = (math.exp(drawn[int(part * DRAWS)]) for part in (0.025, 0.975))
    return {"mean": math.exp(statistics.fmean(logs)), "interval": [low, high], "pairs": list(found)}


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Largest difference of the running means of two loss curves.

    Raises:
        ValueError: they do not have as many steps.
    """
    if len(one) != len(other):
        raise ValueError(f"found curves of {len(one)} and {len(other)} steps, expected the same batches in both")
    return max(abs(a - b) for a, b in zip(running(one), running(other), strict=True))


def running(curve: Sequence[float]) -> list[float]:
    """Means of each :data:`WINDOW` steps in a row; of all of them, if there are fewer."""
    ends = range(min(WINDOW, len(curve)), len(curve) + 1)
    return [statistics.fmean(curve[max(0, end - WINDOW) : end]) for end in ends]


def shares(passes: Sequence[Pass], found: Mapping[str, Any], skip: int, threads: int) -> dict[str, dict[str, Any]]:
    """Each contender's share of the measured bfloat16 rates (:func:`bench.roofline.share`), whole and steady.

    ``steady`` is of the best rate. It leaves out what was prepared, so *executed* is too much of it where layers that
    were computed beforehand are reused.
    """
    rates = found["bfloat16"][str(threads)]
    made: dict[str, dict[str, Any]] = {}
    for name, first in passes[0].items():
        speeds = medians([one[name] for one in passes], skip)
        whole = speeds["tokens_per_second"]
        made[name] = {kind: share(first, whole, rates[kind]) for kind in ("best", "model")}
        made[name]["steady"] = share(first, speeds["steady"], rates["best"])
    return made


def table(found: Mapping[str, Any]) -> str:
    """All of it for a person, as Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    for name, one in found["summary"]["contenders"].items():
        part = found["shares"][name]
        lines.append(
            f"| {name} | {one['tokens_per_second']:,.0f} | {one['tokens_per_cpu_second']:,.0f} "
            f"| {one['steady']:,.0f} | {one['seconds']:.1f} | {one['cpu_seconds']:.1f} "
            f"| {one['peak_bytes'] / 2**30:.2f} | {one['held_out_loss']:.4f} | {part['best']['needed']:.1%} "
            f"| {part['best']['executed']:.1%} | {part['steady']['needed']:.1%} | {part['model']['needed']:.1%} |"
        )
    for name, one in found["summary"]["against"].items():
        low, high = one["seconds"]["interval"]
        lines.append(
            f"\nAssay over {name}: **{one['seconds']['mean']:.2f}** [{low:.2f}, {high:.2f}] by wall, "
            f"{one['cpu_seconds']['mean']:.2f} by CPU time, {one['steady']['mean']:.2f} steady; running means of "
            f"the loss at most {one['curves_apart']:.4f} apart, held-out losses {one['held_out_apart']:.4f}."
        )
    return "\n".join([*lines, *(f"\n{name}: {one:,.0f} tokens/s." for name, one in found["once_speeds"].items())])
