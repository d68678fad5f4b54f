"""Generation: greedy answers to prompts that are already encoded, and how long one takes.

Baseline and candidate must differ in their weights and in nothing else. Greedy text moves with
the batch that a prompt is decoded in, because a matrix product rounds differently at another shape:
of 32 answers of SmolLM2-135M in bfloat16, ten changed between batches of 8 and of 32. So batches
are composed from the prompts alone: sorted by length, then by place in the input, cut every
``batch_size``. A finished row keeps its seat until its whole batch has finished.

Two things make it quick on a CPU. The tokens with which *every* prompt begins, most of all the
system turn, are read once and their keys and values shared. Of the prompts' other positions only
the last one goes through the output layer.

A row is laid out as ``[shared prefix][padding][rest of the prompt][answer]``. Padding is told by
the attention mask, never by its id: in SmolLM2 the padding token *is* the end-of-turn token.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from assay.errors import BaseModelError, ModelError
from assay.evaluation import windows

VERSION = 1

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any
Tensor = Any
Cache = Any
"""Of transformers: keys and values of the tokens read so far, by layer."""

Report = Callable[[int, int], None]
"""Told how many prompts are done, of how many."""

WARM_UP = 3
"""Requests made before the clock counts: the first ones pay for allocation and thread pools."""


def load(folder: Path, dtype: Literal["float32", "bfloat16"], threads: int) -> tuple[Model, Tokenizer]:
    """Read the causal model and its tokenizer in ``folder`` for inference on ``threads`` CPU threads.

    Only safetensors weights are read, nothing is fetched, no code from the folder runs. Attention
    is the fused kind ("sdpa"): forward only, it is the quicker one on a CPU (by 0-25 %, more in
    larger batches), whereas training prefers the plain kind.

    Raises:
        BaseModelError: the folder holds no such model.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(threads)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            attn_implementation="sdpa",
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise BaseModelError(
            f"{folder.name} cannot be loaded as a causal model ({type(error).__name__}): expected config.json, "
            "safetensors weights and tokenizer.json. Convert the base model anew."
        ) from error
    if torch.cuda.is_available():
        model.to("cuda")
    return model.eval(), tokenizer


def answer(  # noqa: PLR0913, PLR0917 — model, input, and how to decode: each is one thing
    model: Model,
    tokenizer: Tokenizer,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    batch_size: int,
    report: Report,
) -> list[str]:
    """Continue each prompt greedily to its end of turn, or for ``max_new_tokens``.

    Args:
        model: From :func:`load`, or any causal model of transformers.
        tokenizer: Its tokenizer; only decoding is asked of it.
        prompts: Token ids, chat template applied, ending where the answer begins.
        max_new_tokens: Longest answer, in tokens.
        batch_size: Prompts decoded together. It may change answers: hold it fixed.
        report: Called after each batch.

    Returns:
        The answers in the order of ``prompts``, without special tokens.

    Raises:
        ModelError: a prompt is empty, or does not fit the model's window together with its answer.
    """
    import torch

    windows.check(model, prompts, max_new_tokens, "evaluation.max_new_tokens")
    answers = [""] * len(prompts)
    with torch.inference_mode():
        prefix = _shared(prompts)
        seen = _read(model, prefix)
        done = 0
        for batch in _batches(prompts, batch_size):
            rest = [prompts[place][len(prefix) :] for place in batch]
            tokens = _decode(model, rest, max_new_tokens, _repeated(seen, len(batch)), len(prefix))
            for place, row in zip(batch, tokens, strict=True):
                answers[place] = tokenizer.decode(row, skip_special_tokens=True)
            done += len(batch)
            report(done, len(prompts))
    return answers


def latency(
    model: Model,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    requests: int,
) -> dict[str, float]:
    """Time single requests, one after another, after :data:`WARM_UP` of them.

    Prompts are taken in turn; nothing is shared between requests, as in a service without a
    prefix cache. A request ends as :func:`answer` ends it, so a model that says less is quicker.

    Returns:
        ``first_token_p50_ms`` and ``_p95_ms`` (prompt in to first token out), ``request_p50_ms``
        and ``_p95_ms`` (to the last token), ``tokens_per_second`` (all new tokens over all the
        time), ``tokens_per_request`` and ``requests``. A point measurement of this machine at
        this load, not a property of the model alone.

    Raises:
        ModelError: as :func:`answer`, or there is no prompt.
    """
    import numpy as np
    import torch

    if not prompts:
        raise ModelError("latency was asked of no prompt: expected at least one. Check the test side of the split.")
    windows.check(model, prompts, max_new_tokens, "evaluation.max_new_tokens")
    with torch.inference_mode():
        turns = [prompts[i % len(prompts)] for i in range(WARM_UP + requests)]
        timed = np.array([_timed(model, prompt, max_new_tokens) for prompt in turns][WARM_UP:])
    first, whole, tokens = timed.T
    return {
        "requests": float(requests),
        "first_token_p50_ms": float(np.percentile(first, 50) * 1e3),
        "first_token_p95_ms": float(np.percentile(first, 95) * 1e3),
        "request_p50_ms": float(np.percentile(whole, 50) * 1e3),
        "request_p95_ms": float(np.percentile(whole, 95) * 1e3),
        "tokens_per_second": float(tokens.sum() / whole.sum()),
        "tokens_per_request": float(tokens.mean()),
    }


def capability() -> str:
    """The vector instructions that torch uses on this CPU, such as ``AVX512``: they, too, move greedy text."""
    import torch

    return str(torch.backends.cpu.get_cpu_capability())


def ends(model: Model) -> frozenset[int]:
    """Ids that end a turn: what the model's generation settings, or else its configuration, call ``eos``.

    Raises:
        ModelError: neither names one, so no answer would ever end.
    """
    for settings in (model.generation_config, model.config):
        found = getattr(settings, "eos_token_id", None)
        if found is not None:
            return frozenset([found] if isinstance(found, int) else found)
    raise ModelError("the model names no eos_token_id: expected the end-of-turn token in generation_config.json")


def _batches(prompts: Sequence[list[int]], size: int) -> list[list[int]]:
    """Places of the prompts that go together."""
    order = sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), place))
    return [order[start : start + size] for start in range(0, len(order), size)]


def _shared(prompts: Sequence[list[int]]) -> list[int]:
    """What every prompt begins with, short of any prompt's last token."""
    low, high = min(prompts, default=[]), max(prompts, default=[])
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[: min([same, *(len(prompt) - 1 for prompt in prompts)])]


def _read(model: Model, prefix: list[int]) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of ``prefix`` in each layer, for one row."""
    import torch

    if not prefix:
        return []
    cache = model(
        input_ids=torch.tensor([prefix], device=model.device), use_cache=True, logits_to_keep=1
    ).past_key_values
    return [(layer.keys, layer.values) for layer in cache.layers]


def _repeated(seen: list[tuple[Tensor, Tensor]], rows: int) -> Cache:
    """A fresh cache in which each of ``rows`` rows has already read the prefix."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(seen):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache


def _decode(
    model: Model,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    cache: Cache,
    read: int,
) -> list[list[int]]:
    """New tokens of each row, up to and without its end of turn."""
    rows: list[list[int]] = [[] for _ in prompts]
    stop = ends(model)
    going = set(range(len(rows)))
    for step, tokens in enumerate(_steps(model, prompts, cache, read), start=1):
        for row in sorted(going):
            if tokens[row] in stop:
                going.discard(row)
            else:
                rows[row].append(tokens[row])
        if not going or step == max_new_tokens:
            break
    return rows


def _steps(model: Model, prompts: Sequence[list[int]], cache: Cache, read: int) -> Iterator[list[int]]:
    """The likeliest next token of each row, for ever; ``read`` tokens are in ``cache`` already."""
    import torch

    device = model.device
    longest = max(map(len, prompts))
    pads = torch.tensor([[longest - len(prompt)] for prompt in prompts], device=device)
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts], device=device)
    places = torch.arange(longest, device=device)[None]
    ones = torch.ones(len(prompts), read + 1, dtype=torch.long, device=device)
    mask = torch.cat([ones[:, :read], (places >= pads).long()], dim=1)
    positions = (places - pads).clamp(min=0) + read
    while True:
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        ids = logits[:, -1].argmax(dim=-1, keepdim=True)
        yield ids[:, 0].tolist()
        mask = torch.cat([mask, ones[:, :1]], dim=1)
        positions = positions[:, -1:] + 1


def _timed(model: Model, prompt: list[int], max_new_tokens: int) -> tuple[float, float, int]:
    """Seconds to the first token, seconds to the last, and how many there were."""
    from transformers import DynamicCache

    stop = ends(model)
    first = 0.0
    begun = time.perf_counter()
    for step, (token,) in enumerate(_steps(model, [prompt], DynamicCache(), 0), start=1):
        first = first or time.perf_counter() - begun
        if token in stop or step == max_new_tokens:
            return first, time.perf_counter() - begun, step
    raise AssertionError  # _steps has no end
