"""Measure lm-eval through Assay: its numbers beside those of lm-eval's own command, its speed beside our own reading.

    python -m bench.measure_harness --model FOLDER --limit 200
    python -m bench.measure_harness --model FOLDER --data FOLDER --adapter FOLDER

``--model`` is a prepared base (config, safetensors, tokenizer). Prints Markdown:

* every number of the embedded items from both, which must be equal to the digit, and documents on which both agree;
* the same items by our own reading, item by item, and items per second of each;
* with ``--data``, a folder that holds ``blimp/blimp_sample.jsonl`` and ``capability/piqa.jsonl``, the first on those;
* with ``--adapter`` too, those before and after it is merged in, paired, with one-sided bounds at 95 % (clustered by
  paradigm; a PIQA question stands alone).

The process starts itself anew with one environment for both.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.evaluation import generation, harness, likelihood
from assay.evaluation.comparison import intervals
from assay.model import weights
from assay.outcomes import Choice

BENCHMARKS = Path(__file__).resolve().parents[1] / "recipes" / "benchmarks"
KINDS = {"assay_minimal_pair": "minimal_pair", "assay_cloze": "cloze", "assay_choice": "choice"}
PAIRED = {
    "blimp_sample": {
        "file": "blimp/blimp_sample.jsonl",
        "doc_to_text": "",
        "doc_to_choice": "{{[good, bad]}}",
        "doc_to_target": 0,
        "target_delimiter": "",
        "metrics": ["acc"],
        "metadata": {"version": 1.0, "group": "uid"},
    },
    "piqa_sample": {
        "file": "capability/piqa.jsonl",
        "doc_to_text": "{{query}}Answer:",
        "doc_to_choice": "choices",
        "doc_to_target": "gold",
        "target_delimiter": " ",
        "metrics": ["acc", "acc_norm"],
        "metadata": {"version": 1.0},
    },
}
"""As lm-eval's own files of these names ask, but without a space before a sentence that stands alone."""


@dataclass(frozen=True)
class Question:
    """Tasks in a folder, and how many documents of each."""

    tasks: tuple[str, ...]
    folder: Path
    limit: int | None


def main() -> None:
    """Measure and print."""
    options = parse()
    wanted = {"OMP_NUM_THREADS": str(options.threads), "MKL_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1"}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, "-m", "bench.measure_harness", *sys.argv[1:]], os.environ | wanted)
    model, tokenizer = generation.load(options.model, options.dtype, options.threads)
    print(f"{options.dtype}, {options.threads} threads, batches of {options.batch_size}\n")
    with tempfile.TemporaryDirectory() as scratch:
        embedded = Question(("assay_general_ability",), BENCHMARKS / "lm_eval", options.limit)
        found = compared(options, model, tokenizer, embedded, Path(scratch) / "embedded")
        beside_ours(options, model, tokenizer, found)
        if options.data:
            asked = written(options.data, Path(scratch) / "tasks", options.limit)
            before = compared(options, model, tokenizer, asked, Path(scratch) / "data")
            if options.adapter:
                changed(options, asked, before, Path(scratch))


def compared(options: argparse.Namespace, model: Any, tokenizer: Any, asked: Question, out: Path) -> list[Choice]:  # noqa: ANN401
    """Ask through Assay and through lm-eval's command, and print every number of both."""
    started = time.perf_counter()
    ours = harness.ask(model, tokenizer, asked.tasks, asked.folder, asked.limit, options.batch_size)
    took = time.perf_counter() - started
    started = time.perf_counter()
    theirs, right = commanded(options, asked, ours.choices, out)
    print(f"## {', '.join(asked.tasks)}: Assay {took:.1f} s, lm-eval's command {time.perf_counter() - started:.1f} s\n")
    print("| task | metric | Assay | lm-eval | equal to the digit |\n|---|---|---|---|---|")
    unlike = 0
    for name, metric, mine, other in numbers(ours.results, theirs):
        unlike += mine != other
        print(f"| {name} | {metric} | {mine} | {other} | {'yes' if mine == other else '**NO**'} |")
    same = sum(right[choice.id] == choice.correct for choice in ours.choices)
    print(f"\n{unlike} numbers differ; the same verdict on {same:,} of {len(ours.choices):,} documents.\n")
    return ours.choices


def commanded(
    options: argparse.Namespace, asked: Question, choices: Sequence[Choice], out: Path
) -> tuple[dict[str, Any], dict[str, bool]]:
    """Results of lm-eval's own command, and which documents it holds to be right."""
    places: dict[str, list[int]] = {}
    for choice in choices:
        name, place = choice.id.rsplit(":", 1)
        places.setdefault(name, []).append(int(place))
    command = [
        *(sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--device", str(options.device)),
        *("--model_args", f"pretrained={options.model.resolve()},dtype={options.dtype}"),
        *("--include_path", ".", "--tasks", *asked.tasks, "--batch_size", str(options.batch_size)),
        *("--output_path", str(out), "--log_samples"),
        *(("--samples", json.dumps(places)) if asked.limit else ()),
    ]
    ended = subprocess.run(command, cwd=asked.folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    (told,) = out.rglob("results_*.json")
    right = {}
    for name in places:
        (file,) = out.rglob(f"samples_{name}_*.jsonl")
        for line in file.read_text().splitlines():
            sample = json.loads(line)
            metric = next(metric for metric in harness.RIGHT_OR_WRONG if metric in sample)
            right[f"{name}:{sample['doc_id']}"] = bool(sample[metric])
    return json.loads(told.read_text())["results"], right


def numbers(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Task or group, metric, and its value in both, wherever either has one."""
    ours = json.loads(json.dumps(ours, default=float))
    for name in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(name, {}), theirs.get(name, {})
        for metric in sorted(metric for metric in mine.keys() | other.keys() if "," in metric):
            yield name, metric, mine.get(metric), other.get(metric)


def beside_ours(options: argparse.Namespace, model: Any, tokenizer: Any, theirs: Sequence[Choice]) -> None:  # noqa: ANN401
    """The same items by our own reading: where the two part, and how quick each is."""
    kept = {choice.id: choice for choice in theirs}
    every = likelihood.parse((BENCHMARKS / "general_ability.jsonl").read_bytes())
    pairs = [
        (item, kept[id])
        for task, kind in KINDS.items()
        for place, item in enumerate(each for each in every if each.kind == kind)
        if (id := f"{task}:{place}") in kept
    ]
    items = [item for item, _ in pairs]
    likelihood.score(model, tokenizer, items[:32], options.batch_size)  # A first call pays for more than itself.
    started = time.perf_counter()
    own = likelihood.score(model, tokenizer, items, options.batch_size)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    harness.score(model, tokenizer, ["assay_general_ability"], BENCHMARKS, options.limit, options.batch_size)
    took = time.perf_counter() - started
    print(
        "| kind | items | right, ours | right, lm-eval | verdicts that differ | margins: mean, most | ties, lm-eval |"
    )
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS.values():
        rows = [(mine, other) for (item, other), mine in zip(pairs, own, strict=True) if item.kind == kind]
        apart = [abs(mine.margin - other.margin) for mine, other in rows]
        print(
            f"| {kind} | {len(rows)} | {sum(m.correct for m, _ in rows)} | {sum(o.correct for _, o in rows)} "
            f"| {sum(m.correct != o.correct for m, o in rows)} | {sum(apart) / len(apart):.4f}, {max(apart):.4f} "
            f"| {sum(o.margin == 0 for _, o in rows)} |"
        )
    print(
        f"\nItems per second: ours {len(items) / ours:.1f}, lm-eval's {len(items) / took:.1f}: "
        f"{took / ours:.2f} times as quick (opening of task files included).\n"
    )


def written(data: Path, folder: Path, limit: int | None) -> Question:
    """Task files over the files in ``data``."""
    folder.mkdir()
    for name, told in PAIRED.items():
        task = {key: value for key, value in told.items() if key not in {"file", "metrics"}} | {
            "task": name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str((data / str(told["file"])).resolve())}},
            "test_split": "test",
            "output_type": "multiple_choice",
            "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in told["metrics"]],
        }
        (folder / f"{name}.yaml").write_text(json.dumps(task))
    return Question(tuple(PAIRED), folder, limit)


def changed(options: argparse.Namespace, asked: Question, before: Sequence[Choice], scratch: Path) -> None:
    """Print what an adapter changed."""
    weights.merge(options.model, options.adapter, scratch / "merged", options.dtype)
    model, tokenizer = generation.load(scratch / "merged", options.dtype, options.threads)
    after = harness.score(model, tokenizer, asked.tasks, asked.folder, asked.limit, options.batch_size)
    print("| task | items | clusters | before | after | change | at least | at most | won | lost |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    pairs = list(zip(before, after, strict=True))
    shown = {task: [p for p in pairs if p[0].id.startswith(f"{task}:")] for task in asked.tasks}
    for name, rows in (shown | {"both": pairs}).items():
        clusters = [b.group if b.group.startswith("blimp") else b.id for b, _ in rows]
        found = intervals.difference([b.correct for b, _ in rows], [a.correct for _, a in rows], clusters, 0.95)
        start = sum(b.correct for b, _ in rows) / len(rows)
        points = " | ".join(f"{100 * value:+.2f}" for value in (found.mean, found.lower, found.upper))
        print(
            f"| {name} | {found.n:,} | {found.clusters:,} | {start:.4f} | {start + found.mean:.4f} | {points} "
            f"| {found.wins} | {found.losses} |"
        )


def parse() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a prepared base")
    parser.add_argument("--adapter", type=Path, help="folder of an adapter of it")
    parser.add_argument("--data", type=Path, help="folder with blimp/ and capability/")
    parser.add_argument("--limit", type=int, help="documents of each task; all if absent")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--device", default="cpu", help="of lm-eval's command; Assay takes CUDA where there is one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
