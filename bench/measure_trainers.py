"""Measure training on a CPU beside TRL's SFTTrainer and a plain Trainer: the same tokens, adapter, batches and losses.

    python -m bench.measure_trainers --trl trl-1.16.0/ --explore            # which settings suit the peers here
    python -m bench.measure_trainers --trl trl-1.16.0/ --rows 192 --repeats 3 --out trainers.json
    python -m bench.measure_trainers --trl trl-1.16.0/ --compile

TRL is the unpacked wheel of ``pip download --no-deps trl==1.16.0``; without ``--trl`` it must be installed, or is left
out with ``--contenders assay trainer``. Data, prompt, base and everything that is learned are the recipe's, and only
its epochs are an option. Each run is a process of its own (:mod:`bench.contenders`).

*Pairs*: a repeat runs each contender twice, in an order and then in its reverse (A B C C B A), so that whatever slows
the machine evenly slows all. *Speed* is real tokens (prompt and completion, no padding) per second from the call that
trains to the end of its last step, so all that a trainer prepares is charged, and its median over runs is given;
*steady* leaves out the first ``--skip`` steps and what came before them. *Ratio* is Assay's speed over a peer's in the
same pass: geometric mean, and a 95 % percentile bootstrap over passes, which with few passes is too narrow. Where
others use the machine only CPU seconds hold.

*Curves*: largest difference of the mean training loss of any :data:`bench.paired.WINDOW` steps in a row, and that of
the held-out losses.
*Roofline*: see :mod:`bench.roofline`; as the tokens need it, and as it was executed.

The peers run at their fastest settings as found by ``--explore`` on a machine like the one in RESULTS.md
(:data:`FASTEST`), in the environment that Assay asks for. ``--defaults`` adds, once: the same settings in the
environment as it is, and the libraries' own defaults in it.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.contest import OFFLINE, ROOT, WANTED, Entry, encoded, run, speed, write
from bench.paired import shares, summary, table

COLUMNS = ("message", "answer")
"""Of a ticket; a row in which either is not a text is one of the demo's flaws."""

EXPLORED = 8
"""Steps of each try of ``--explore``, of which two are not counted."""

PATIENCE = 600.0
"""Seconds that a try may take: compiling for ragged rows may not end."""

CANDIDATES: Mapping[str, Sequence[dict[str, Any]]] = {
    "trl": [
        {"attention": "eager"},
        {"attention": "sdpa"},
        {"attention": "eager", "fused_head": False},
        {"attention": "sdpa", "fused_head": False},
        {"attention": "eager", "autocast": False},
        {"attention": "eager", "fused_head": False, "layout": "padding-free"},
        {"attention": "eager", "fused_head": False, "weights": "float32"},
        {"attention": "eager", "fused_head": False, "micro_batch": 4},
        {"attention": "eager", "fused_head": False, "compile": True},
    ],
    "trainer": [
        {"attention": "eager"},
        {"attention": "sdpa"},
        {"attention": "eager", "autocast": False},
        {"attention": "eager", "layout": "padding-free"},
        {"attention": "eager", "weights": "float32"},
        {"attention": "eager", "micro_batch": 4},
        {"attention": "eager", "compile": True},
    ],
}
"""What the peers' manuals offer on a CPU. Activation checkpointing only saves memory, so it is off in all."""

FASTEST: Mapping[str, dict[str, Any]] = {
    "assay": {},
    "trl": {"attention": "eager", "fused_head": False},
    "trainer": {"attention": "eager"},
}


def main() -> None:
    """Measure, print a table, and write all numbers."""
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        entries = prepare(options, Path(folder))
        if options.explore:
            found = explore(entries, options.threads)
        else:
            found = compare(entries, options)
            print(table(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n")


def prepare(options: argparse.Namespace, folder: Path) -> dict[str, Entry]:
    """Tokenise once, convert the base once, and describe each contender."""
    import yaml
    from transformers import AutoTokenizer

    from assay.model import prompting, weights
    from assay.records import Turn

    recipe = yaml.safe_load((options.recipe / "recipe.yaml").read_text())
    located = weights.locate(recipe["base"]["uri"], options.recipe)
    base = options.cache / f"{weights.digest(located)}-{recipe['base']['dtype']}"
    if not base.exists():
        weights.prepare(located, recipe["base"]["dtype"], base)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    spec = recipe["training"] | {"epochs": options.epochs, "layout": options.layout, "compile": options.compile}
    spec.pop("selection", None)  # All contenders learn to the last step, and nothing is measured on the way.

    def rows(name: str, wanted: int) -> list[Any]:
        told = map(json.loads, (options.recipe / "data" / name).read_text().splitlines())
        asked = [(t["message"], t["answer"]) for t in told if all(isinstance(t[c], str) and t[c] for c in COLUMNS)]
        system, limit = recipe["prompt"]["system"], spec["max_length"]
        made = [prompting.encode(tokenizer, system, [Turn("user", said)], answer, limit) for said, answer in asked]
        fitting = [encoded(row.input_ids, row.prompt_length) for row in made if row.fits]
        return random.Random(spec["seed"]).sample(fitting, wanted)

    train = rows("tickets.jsonl", EXPLORED * spec["batch_size"] if options.explore else options.rows)
    write(folder / "examples.json", train, [] if options.explore else rows("heldout.jsonl", options.held_out))
    shared = {"base": str(base), "examples": str(folder / "examples.json"), "spec": spec, "threads": options.threads}
    trl = str(options.trl.resolve()) if options.trl else None
    return {n: Entry(trainer=n, settings=FASTEST[n], trl=trl, **shared) for n in options.contenders}


def environment(threads: int, *, wanted: bool = True) -> dict[str, str]:
    """What a contender is started with: what Assay asks for, or what is there."""
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **OFFLINE, **(counts | WANTED if wanted else {})}


def explore(entries: Mapping[str, Entry], threads: int) -> dict[str, list[dict[str, Any]]]:
    """Try each peer's candidates once, a few steps, and print real tokens per CPU second."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, candidates in CANDIDATES.items():
        for settings in candidates if name in entries else ():
            result = run(replace(entries[name], settings=settings), environment(threads), PATIENCE)
            said = result.get("failed") or {per: round(speed(result, 2, per)) for per in ("seconds", "cpu_seconds")}
            found.setdefault(name, []).append({"settings": settings, "tokens_per": said})
            print(name, json.dumps(settings), json.dumps(said), flush=True)
    return found


def compare(entries: Mapping[str, Entry], options: argparse.Namespace) -> dict[str, Any]:
    """Run all pairs, and what is measured once."""
    rates = roofline(next(iter(entries.values())), options)
    passes: list[dict[str, dict[str, Any]]] = []
    for order in [list(entries), list(reversed(entries))] * options.repeats:
        passes.append({})
        for name in order:
            passes[-1][name] = told(name, run(entries[name], environment(options.threads)))
    once = {}
    for name in [name for name in entries if name != "assay" and options.defaults]:
        for said, settings in (("as it is", FASTEST[name]), ("as it is, library's defaults", {"defaults": True})):
            entry = replace(entries[name], settings=settings)
            once[f"{name}, {said}"] = told(name, run(entry, environment(options.threads, wanted=False)))
    return {
        "passes": passes,
        "once": once,
        "once_speeds": {name: speed(result, 0) for name, result in once.items()},
        "roofline": rates,
        "summary": summary(passes, options.skip),
        "shares": shares(passes, rates, options.skip, options.threads),
    }


def told(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """Say on standard error that a run is done; end all where one failed, since its pair is lost."""
    if "failed" in result:
        sys.exit(f"{name}: {result['failed']}")
    print(name, round(speed(result, 0)), "tokens/s", file=sys.stderr, flush=True)
    return result


def roofline(entry: Entry, options: argparse.Namespace) -> dict[str, Any]:
    """Measured rates of this machine's matrix products, in a process of their own, in Assay's environment."""
    batch = entry.spec["batch_size"]
    train = json.loads(Path(entry.examples).read_text())["train"]
    tokens = batch * sum(len(ids) for ids, _ in train) // len(train)
    learned = batch * sum(len(ids) - prompt for ids, prompt in train) // len(train)
    sizes = ["--tokens", str(tokens), "--learned", str(learned)]
    threads = ["--threads", *(str(count) for count in sorted({1, options.threads}))]
    command = [sys.executable, "-m", "bench.roofline", entry.base, *sizes, *threads]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(options.threads), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes" / "support_triage")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "assay-bases", help="for the base")
    parser.add_argument("--trl", type=Path, help="folder that its wheel was unpacked in")
    parser.add_argument("--contenders", nargs="+", choices=list(FASTEST), default=list(FASTEST))
    parser.add_argument("--rows", type=int, default=192, help="examples trained on")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--held-out", type=int, default=96, help="examples whose loss is compared in the end")
    parser.add_argument("--skip", type=int, default=4, help="first steps that `steady` leaves out")
    parser.add_argument("--repeats", type=int, default=2, help="each runs every contender twice")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--layout", choices=["packed", "padded"], default="packed", help="Assay's")
    parser.add_argument(
        "--compile", action="store_true", help="Assay's layers; the peers' compiled models are among CANDIDATES"
    )
    parser.add_argument("--explore", action="store_true", help="only try the peers' settings")
    parser.add_argument("--defaults", action="store_true", help="also the peers as they come, once")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
