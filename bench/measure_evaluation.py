"""Measure how quickly a model is evaluated: beside plain generate loops, and beside lm-eval on the same items.

    python -m bench.measure_evaluation --base FOLDER [--rows 64] [--items 320] [--threads 2] [--dtype bfloat16]

``--base`` is a prepared base: a folder of safetensors. Contestants run one after another in an order and then in its
reverse (A B C C B A), in one process, on the same items; time is the wall's and the CPU's, both rounds together, after
a warm-up. *Answers*: prompts of the demo's test side under its system turn, at most 40 new tokens. *One by one* is
``model.generate`` with a batch of 1; *batched* is ``model.generate`` on batches of 32 in the order of the file, padded
on the left, as one would write it first. *Adapter beside* has an adapter of rank 16 on the last 15 layers that is not
merged. *Items*: the embedded general-ability items; ``HFLM`` is lm-eval's own, with its batches of 32, asked for the
log-likelihood of every choice. *One more* is asked with all others known.

Last it looks whether an answer, to the last bit of its logits, hangs on what else is asked.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.evaluation import generation, likelihood
from assay.evaluation.seats import Row
from assay.model import prompting
from assay.records import Turn
from bench.contest import OFFLINE, WANTED

RECIPES = Path(__file__).parent.parent / "recipes"
SYSTEM = "Triage the customer message. Reply with JSON: intent, priority, order_id."
Model = Any
Tokenizer = Any
Tensor = Any
Rows = Mapping[int, Row]

LIMIT = 40
BATCH = 32


class Took(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def main() -> None:
    """Measure and print tables."""
    options = parse()
    wanted = WANTED | OFFLINE
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(
            sys.executable, [sys.executable, "-m", "bench.measure_evaluation", *sys.argv[1:]], os.environ | wanted
        )
    model, tokenizer = generation.load(options.base, options.dtype, options.threads)
    prompts = asked(tokenizer, options.rows)
    items = likelihood.parse((RECIPES / "benchmarks/general_ability.jsonl").read_bytes())
    items = random.Random(0).sample(items, min(options.items, len(items)))
    print(f"Threads {options.threads}, {options.dtype}, {len(prompts)} prompts, {len(items)} items.\n")
    table("answers", len(prompts), contest(answering(options, model, tokenizer, prompts)))
    table("items", len(items), contest(scoring(model, tokenizer, items)))
    print(neighbours(model, tokenizer, prompts))


def asked(tokenizer: Tokenizer, rows: int) -> list[list[int]]:
    """Prompts of the demo's test side."""
    lines = (RECIPES / "support_triage/data/heldout.jsonl").read_text().splitlines()
    turns = [[Turn("user", json.loads(line)["message"])] for line in random.Random(0).sample(lines, len(lines))[:rows]]
    return [list(prompting.encode(tokenizer, SYSTEM, each, None, 4096).input_ids) for each in turns]


def answering(
    options: argparse.Namespace, model: Model, tokenizer: Tokenizer, prompts: Sequence[list[int]]
) -> dict[str, Callable[[], object]]:
    """Ways to answer all prompts."""
    beside, _ = generation.load(options.base, options.dtype, options.threads)
    beside = adapted(beside)
    known: dict[str, str] = {}
    generation.answer(model, tokenizer, prompts[:-1], LIMIT, BATCH, unheard, known=known)
    return {
        "Assay, merged": lambda: generation.answer(model, tokenizer, prompts, LIMIT, BATCH, unheard),
        "Assay, adapter beside": lambda: generation.answer(beside, tokenizer, prompts, LIMIT, BATCH, unheard),
        "Assay, one more": lambda: generation.answer(model, tokenizer, prompts, LIMIT, BATCH, unheard, known={**known}),
        "generate, batched": lambda: [
            generated(model, prompts[at : at + BATCH]) for at in range(0, len(prompts), BATCH)
        ],
        "generate, one by one": lambda: [generated(model, [prompt]) for prompt in prompts],
    }


def scoring(model: Model, tokenizer: Tokenizer, items: Sequence[likelihood.Item]) -> dict[str, Callable[[], object]]:
    """Ways to score all items."""
    known: dict[str, str] = {}
    likelihood.score(model, tokenizer, items[:-1], BATCH, known)
    ways: dict[str, Callable[[], object]] = {
        "Assay": lambda: likelihood.score(model, tokenizer, items, BATCH),
        "Assay, one more": lambda: likelihood.score(model, tokenizer, items, BATCH, {**known}),
    }
    try:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM
    except ImportError:
        return ways
    peer = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=BATCH, device=str(model.device))
    requests = [
        Instance(request_type="loglikelihood", doc={}, arguments=(item.context, choice), idx=place)
        for item in items
        for place, choice in enumerate(item.choices)
    ]
    return ways | {"lm-eval's HFLM": lambda: peer.loglikelihood(requests, disable_tqdm=True)}


def adapted(model: Model) -> Model:
    """The model with an adapter beside its weights, which says nothing new."""
    from peft import LoraConfig, get_peft_model

    layers = model.config.num_hidden_layers
    config = LoraConfig(
        r=16,
        lora_alpha=32,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        layers_to_transform=list(range(max(0, layers - 15), layers)),
    )
    return get_peft_model(model, config).to(model.dtype).eval()


def generated(model: Model, prompts: Sequence[list[int]]) -> object:
    """What the library's own loop makes of a batch, padded on the left."""
    import torch

    longest = max(map(len, prompts))
    ids = torch.tensor([[2] * (longest - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
    with torch.inference_mode():
        return model.generate(ids, attention_mask=mask, max_new_tokens=LIMIT, do_sample=False, pad_token_id=2)


def contest(ways: dict[str, Callable[[], object]]) -> dict[str, Took]:
    """Let each run twice, in an order and in its reverse."""
    took = dict.fromkeys(ways, Took(0, 0))
    for name in (*ways, *reversed(ways)):
        wall, cpu = time.perf_counter(), time.process_time()
        ways[name]()
        took[name] = Took(took[name].wall + time.perf_counter() - wall, took[name].cpu + time.process_time() - cpu)
    return took


def table(what: str, count: int, took: dict[str, Took]) -> None:
    """Print one contest; the last one is what the others are held against."""
    *_, peer = took.values()
    print(f"| {what} | a second | CPU ms each | times the last, wall | times the last, CPU |\n|---|---|---|---|---|")
    for name, each in took.items():
        rate, cost = 2 * count / each.wall, each.cpu / 2 / count * 1e3
        print(f"| {name} | {rate:.1f} | {cost:.0f} | {peer.wall / each.wall:.1f} | {peer.cpu / each.cpu:.1f} |")
    print()


def neighbours(model: Model, tokenizer: Tokenizer, prompts: Sequence[list[int]]) -> str:
    """A sentence on whether answers hang on what else is asked."""
    whole, some = logits(model, tokenizer, prompts), logits(model, tokenizer, prompts[::-3])
    same = sum(whole[place] == found for place, found in some.items())
    return f"Among other neighbours {same} of {len(some)} prompts had the same logits to the last bit at every token."


def logits(model: Model, tokenizer: Tokenizer, prompts: Sequence[list[int]]) -> dict[tuple[int, ...], str]:
    """Prompt → digest of every logit that its tokens were picked by."""
    seen: dict[tuple[int, ...], Any] = {}
    heard = generation._heard  # noqa: SLF001  # what a row is given is seen nowhere else

    def listen(given: object, found: Tensor, rows: Rows) -> list[Row]:
        for at, row in rows.items():
            digest = seen.setdefault(tuple(prompts[row.place]), hashlib.sha256())
            digest.update(found[at].float().cpu().numpy().tobytes())
        return heard(given, found, rows)

    generation._heard = listen  # noqa: SLF001
    try:
        generation.answer(model, tokenizer, prompts, LIMIT, BATCH, unheard)
    finally:
        generation._heard = heard  # noqa: SLF001
    return {prompt: digest.hexdigest() for prompt, digest in seen.items()}


def unheard(_: int, __: int) -> None:
    """Progress is not told."""


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--items", type=int, default=320)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    return parser.parse_args()


if __name__ == "__main__":
    main()
