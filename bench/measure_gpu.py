"""Measure LoRA training on a GPU: tokens/s and model FLOP utilisation, beside TRL at its best options.

    python -m bench.measure_gpu --trl trl-1.16.0/ --choices --curve --out gpu/     # all of it
    python -m bench.measure_gpu --trl trl-1.16.0/ --out gpu/                       # what the targets ask
    python -m bench.measure_gpu --trl trl-1.16.0/ --models 8B --minutes 9 --out gpu/
    python -m bench.measure_gpu --choices --models 1B --out gpu/                   # each choice of ours, on and off
    python -m bench.measure_gpu --smoke --out smoke/                               # a tiny model, on a CPU

Targets: at least 1.2 times TRL's tokens/s; utilisation of at least 42 % at 8B, 36 % at 1B and 20 % at 135M.

*Models* have random weights and the published sizes of SmolLM2-135M, Llama-3.2-1B and Llama-3.1-8B; they are written
to ``--cache`` once, and nothing is fetched. *Rows* are random tokens, all but the first learned, so that the head is
computed for each, as the published figures have it; LoRA of rank 16 on all linear maps, bfloat16. Lengths of a *ragged*
point are drawn between an eighth of the length and all of it.

*Utilisation* (MFU): 4 operations per weight and real token, padding never counted, over the device's peak: ``--peak``
in TFLOP/s, or the fastest bfloat16 product measured here (:mod:`bench.roofline`), which flatters; say which. ``mfu``
counts all weights of the model, as the published figures do (402 TFLOP/s at 12,473 tokens/s and 8.03B, 40.6 % of an
H100's 989); ``mfu_products`` leaves out the input embeddings, which are looked up and not multiplied.

*Speed* leaves out the first ``--skip`` steps, in which kernels are compiled and chosen. Each run is a process of its
own; one that runs out of memory or of time, or needs a package that the environment lacks (TRL, flash attention,
Liger), is a row that says so. Of TRL's options (:data:`bench.gpu_plans.TRL`) the fastest counts.
Results are written after each run, so a lease that ends costs only the run under way.
"""

import argparse
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from bench.contest import OFFLINE, Entry, encoded, run, speed, write
from bench.gpu_plans import LINEAR, LLAMA, MODELS, Plan, Point, plans


def main() -> None:
    """Measure what is planned, and write it after each run."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    started, rows = time.monotonic(), []
    peak = options.peak * 1e12 if options.peak else measured_peak(options)
    for plan in plans(options):
        left = options.minutes * 60 - (time.monotonic() - started)
        if plan.missing:
            result = {"failed": f"not installed: {plan.missing}"}
        else:
            result = measure(plan, options, left) if left > 0 else {"failed": "no time was left"}
        rows.append(row(plan, result, peak, options.skip))
        print(json.dumps(rows[-1]), flush=True)
        found = {"peak": peak, "peak_is": "given" if options.peak else "measured", "rows": rows}
        (options.out / "gpu.json").write_text(json.dumps(found, indent=2) + "\n")
        (options.out / "gpu.md").write_text(table(rows, peak))


def measure(plan: Plan, options: argparse.Namespace, left: float) -> dict[str, Any]:
    """Run one plan in a process of its own; the model's weights are made first, if they are not there yet."""
    base = options.cache / f"random-{plan.model}"
    if not base.exists():
        elsewhere(build, plan.model, base)
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / "examples.json"
        write(examples, random_rows(plan, options.steps), [])
        settings = {name: value for name, value in plan.settings.items() if name != "spec"}
        entry = Entry(
            trainer=plan.trainer,
            base=str(base),
            examples=str(examples),
            spec=recipe(plan.point) | plan.settings.get("spec", {}),
            settings=settings,
            threads=options.threads,
            trl=str(options.trl.resolve()) if options.trl else None,
        )
        return run(entry, {**os.environ, **OFFLINE}, min(left, options.patience))


def recipe(point: Point) -> dict[str, Any]:
    """LoRA on every linear map; the rate is small, since nothing is to be learned."""
    return {
        "method": "lora",
        "rank": 16,
        "alpha": 32,
        "target_modules": LINEAR,
        "learning_rate": 1e-5,
        "epochs": 1,
        "batch_size": point.batch,
        "max_length": point.length,
        "seed": 1,
    }


def random_rows(plan: Plan, steps: int) -> list[Any]:
    """Rows of random tokens, of which all but the first are learned."""
    draw = random.Random(plan.point.length)
    least = plan.point.length // 8 if plan.point.is_ragged else plan.point.length
    lengths = [draw.randint(least, plan.point.length) for _ in range(steps * plan.point.batch)]
    vocabulary = range(3, MODELS[plan.model]["vocab_size"])
    return [encoded(draw.choices(vocabulary, k=length), 1) for length in lengths]


def build(name: str, out: Path) -> None:
    """Write a model with random weights in bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(LlamaConfig(**LLAMA, **MODELS[name]), dtype=torch.bfloat16)
    part = out.with_name(f"{out.name}.part")
    model.save_pretrained(part)
    part.rename(out)


def measured_peak(options: argparse.Namespace) -> float:
    """Operations per second of the fastest large bfloat16 product."""
    return float(elsewhere(square_rate, 512 if options.smoke else 8192))


def square_rate(side: int) -> float:
    """See :func:`measured_peak`."""
    import torch

    from bench.roofline import Product, rate

    return rate([Product(side, side, 1, side)], "bfloat16", "cuda" if torch.cuda.is_available() else "cpu")["best"]


def elsewhere(work: Any, *told: Any) -> Any:  # noqa: ANN401
    """Do ``work`` in a process of its own, so that this one holds nothing of the device."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *told).result()


def row(plan: Plan, result: Mapping[str, Any], peak: float, skip: int) -> dict[str, Any]:
    """What a run comes to."""
    named = {"model": plan.model, "point": str(plan.point), "trainer": plan.trainer, "settings": plan.said}
    if "failed" in result:
        return {**named, "failed": result["failed"]}
    size, looked_up = MODELS[plan.model], 0
    if not size["tie_word_embeddings"]:
        looked_up = size["vocab_size"] * size["hidden_size"]
    quick = speed(result, skip)
    return {
        **named,
        "tokens_per_second": quick,
        "mfu": 4 * result["parameters"] * quick / peak,
        "mfu_products": 4 * (result["parameters"] - looked_up) * quick / peak,
        "peak_bytes": result.get("device_peak_bytes", result["peak_bytes"]),
        "loss": result["points"][-1]["loss"],
        "environment": result["environment"],
    }


def table(rows: Sequence[Mapping[str, Any]], peak: float) -> str:
    """For a person: each run, then Assay's best over TRL's best at each model."""
    lines = [f"Peak: {peak / 1e12:,.1f} TFLOP/s\n", "| model | point | trainer | settings | tokens/s | MFU | GiB |"]
    lines.append("|---|---|---|---|---|---|---|")
    for one in rows:
        said = f"| {one['model']} | {one['point']} | {one['trainer']} | {one['settings']} |"
        if "failed" in one:
            lines.append(f"{said} {one['failed'].replace('|', '/')} | | |")
        else:
            lines.append(
                f"{said} {one['tokens_per_second']:,.0f} | {one['mfu']:.1%} | {one['peak_bytes'] / 2**30:.1f} |"
            )
    return "\n".join([*lines, "", *verdicts(rows)]) + "\n"


def verdicts(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Assay over TRL where both ran on the same point, each at its fastest."""
    best: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for one in (one for one in rows if "failed" not in one):
        found = best.setdefault((one["model"], one["point"]), {})
        if one["tokens_per_second"] > found.get(one["trainer"], {}).get("tokens_per_second", 0):
            found[one["trainer"]] = one
    for (model, point), found in best.items():
        if {"assay", "trl"} <= found.keys():
            ratio = found["assay"]["tokens_per_second"] / found["trl"]["tokens_per_second"]
            sides = f"{found['assay']['settings']} against {found['trl']['settings']}"
            yield f"{model} at {point}: **{ratio:.2f}** times TRL ({sides})"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for gpu.json and gpu.md")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=["135M", "1B", "8B"])
    parser.add_argument("--trl", type=Path, help="folder that its wheel was unpacked in, if it is not installed")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "assay-bases", help="for weights")
    parser.add_argument("--peak", type=float, help="dense bfloat16 TFLOP/s; measured if absent")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--skip", type=int, default=10, help="first steps that do not count")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=600, help="start no run after so many")
    parser.add_argument("--patience", type=float, default=420, help="seconds that a run may take")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave out Assay's compiled layers")
    parser.add_argument("--choices", action="store_true", help="also each choice of ours, on and off")
    parser.add_argument("--curve", action="store_true", help="also other batches and lengths")
    parser.add_argument("--smoke", action="store_true", help="a tiny model and a few steps, on any machine")
    options = parser.parse_args()
    if options.smoke:
        vars(options).update(models=["tiny"], steps=4, skip=1, threads=1, compile=False)
    return options


if __name__ == "__main__":
    main()
