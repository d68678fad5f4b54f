"""Generation: greedy answers to prompts that are already encoded, and how long one takes.

Baseline and candidate must differ in their weights and in nothing else, and what one prompt is answered must not hang
on which others are asked: a matrix product rounds differently at another shape, and greedy text moves with it. So
every shape follows from a prompt's own length, the recipe, and the tokens with which *every* prompt begins
(:mod:`assay.evaluation.batching`, :mod:`assay.evaluation.seats`). An answer may then be remembered under the digest of
those (``known``), and prompts that are equal are answered once.

What makes it quick on a CPU: those first tokens, most of all the system turn, are read once; prompts are read in
batches of one length; an answer that has ended leaves its seat to the next; heads that share keys are asked in one
product (:mod:`assay.evaluation.attention`); of a prompt's positions only the last goes through the output layer.

Padding is told by the attention mask, never by its id: in SmolLM2 the padding token *is* the end-of-turn token.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from assay.artifacts import digest_of
from assay.errors import BaseModelError, ModelError
from assay.evaluation import attention, batching, seats, windows

VERSION = 2

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any
Tensor = Any

Report = Callable[[int, int], None]
"""Told how many prompts are done, of how many."""

WIDTH = 16
"""Prompts are padded to a multiple of so many tokens, the shared beginning aside."""

BUDGET = 8
"""Tokens of prompts that are read at once, for each seat."""


class Constrain(Protocol):
    """What an answer may say next. A grammar, say; it may keep what it knows of a row between two calls."""

    @property
    def digest(self) -> str:
        """Of everything that it decides by."""
        ...

    def __call__(self, said: Mapping[int, Sequence[int]]) -> Tensor | None:
        """Which tokens may follow.

        Args:
            said: For each row that is waiting, the place of its prompt in the input, and the tokens that it has said so
                far: none at first, then one more each time, until it has ended and is asked for no more.

        Returns:
            bool [rows, vocabulary] in the order of ``said``, or None if all may follow. A row needs one at least: an
            answer that is complete may say an end of turn.
        """
        ...


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
    *,
    known: MutableMapping[str, str] | None = None,
    constrain: Constrain | None = None,
) -> list[str]:
    """Continue each prompt greedily to its end of turn, or for ``max_new_tokens``.

    Args:
        model: From :func:`load`, or any causal model of transformers.
        tokenizer: Its tokenizer; only decoding is asked of it.
        prompts: Token ids, chat template applied, ending where the answer begins.
        max_new_tokens: Longest answer, in tokens.
        batch_size: Prompts answered side by side. It may change answers: hold it fixed.
        report: Told now and then how many are answered.
        known: Answers of this very model by :func:`key`; those are not computed, and what is computed is added.
        constrain: What an answer may say next; everything if absent.

    Returns:
        The answers in the order of ``prompts``, without special tokens.

    Raises:
        ModelError: a prompt is empty, or does not fit the model's window together with its answer.
    """
    import torch

    windows.check(model, prompts, max_new_tokens, "evaluation.max_new_tokens")
    known = {} if known is None else known
    prefix = _shared(prompts)
    way = [len(prefix), max_new_tokens, batch_size, constrain.digest if constrain else None]
    keys = [key(prompt, way) for prompt in prompts]
    wanted = {name: place for place, name in reversed(list(enumerate(keys))) if name not in known}
    asked = _Asked(model, prompts, len(prefix), max_new_tokens, batch_size, constrain, ends(model))
    if done := len(keys) - len(wanted):
        report(done, len(keys))
    with torch.inference_mode(), attention.grouped(model):
        for place, said in _answered(asked, prefix, sorted(wanted.values())):
            known[keys[place]] = tokenizer.decode(said, skip_special_tokens=True)
            done += 1
            if done % batch_size == 0 or done == len(keys):
                report(done, len(keys))
    return [known[name] for name in keys]


def key(prompt: Sequence[int], way: Sequence[int | str | None]) -> str:
    """Name an answer by all that it depends on beside the model: the prompt, and how it is read and answered."""
    return digest_of([list(prompt), *way])


def request(
    model: Model, prompt: list[int], max_new_tokens: int, constrain: Constrain | None = None
) -> tuple[float, float, int]:
    """Answer one prompt alone, as a service without a prefix cache would, and as :func:`answer` ends it.

    Returns:
        Seconds to the first token, seconds to the last, and tokens, the end of the turn included.

    Raises:
        ModelError: as :func:`answer`.
    """
    import torch

    windows.check(model, [prompt], max_new_tokens, "evaluation.max_new_tokens")
    stop, first = ends(model), 0.0
    said: list[int] = []
    with torch.inference_mode():
        begun = time.perf_counter()
        for token in _alone(model, prompt, said, constrain):
            first = first or time.perf_counter() - begun
            said.append(token)
            if token in stop or len(said) == max_new_tokens:
                break
    return first, time.perf_counter() - begun, len(said)


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


class _Asked(NamedTuple):
    """Prompts, and how they are answered."""

    model: Model
    prompts: Sequence[list[int]]
    behind: int
    """Tokens that all begin with."""

    max_new_tokens: int
    seats: int
    constrain: Constrain | None
    stop: frozenset[int]

    def columns(self, batch: batching.Batch) -> int:
        """Room that each row of a batch needs."""
        return batching.columns(self.behind + batch.length + self.max_new_tokens)


def _shared(prompts: Sequence[list[int]]) -> list[int]:
    """What every prompt begins with, short of any prompt's last token."""
    same = batching.common(prompts)
    return same[: min([len(same), *(len(prompt) - 1 for prompt in prompts)])]


def _answered(asked: _Asked, prefix: list[int], places: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Places with their new tokens, up to and without the end of turn, as they come to an end."""
    lengths = {place: len(asked.prompts[place]) - len(prefix) for place in places}
    seen = seats.read(asked.model, prefix) if places else []
    batches = batching.batches(lengths, WIDTH, BUDGET * asked.seats, asked.seats)
    for columns, alike in groupby(batches, asked.columns):
        yield from _seated(asked, seats.Seats(asked.model, asked.seats, columns, seen), alike, seen)


def _seated(
    asked: _Asked, table: seats.Seats, batches: Iterator[batching.Batch], seen: seats.Layers
) -> Iterator[tuple[int, list[int]]]:
    """Let rows take seats as those come free, and go on until all have ended."""
    waiting: deque[seats.Row] = deque()
    while True:
        while len(waiting) < len(table.free) and (batch := next(batches, None)):
            for row in _begun(asked, batch, seen):
                if row.ended:
                    yield row.place, row.said
                else:
                    waiting.append(row)
        while waiting and table.free:
            table.take(waiting.popleft())
        if not table.taken:
            return
        for seat, row in zip(list(table.taken), _heard(asked, table.step(), table.taken), strict=True):
            if row.ended:
                table.leave(seat)
                yield row.place, row.said


def _begun(asked: _Asked, batch: batching.Batch, seen: seats.Layers) -> list[seats.Row]:
    """Read a batch of prompts; each row has its first token, and what was read of it."""
    rests = [asked.prompts[place][asked.behind :] for place in batch.filled]
    logits, layers = seats.begin(asked.model, rests, batch.length, seen)
    rows = {
        at: seats.Row(place, read=[(keys[at], values[at]) for keys, values in layers], padding=batch.length - len(rest))
        for at, (place, rest) in enumerate(zip(batch.places, rests, strict=False))
    }
    return _heard(asked, logits, rows)


def _heard(asked: _Asked, logits: Tensor, rows: Mapping[int, seats.Row]) -> list[seats.Row]:
    """Give each row the likeliest token that it may say; ``rows`` by their place among ``logits``."""
    if asked.constrain:
        may = asked.constrain({row.place: row.said for row in rows.values()})
        if may is not None:
            which = list(rows)
            logits[which] = logits[which].masked_fill(~may.to(logits.device), float("-inf"))
    tokens = logits.argmax(dim=-1).tolist()
    for at, row in rows.items():
        if tokens[at] in asked.stop:
            row.ended = True
        else:
            row.said.append(tokens[at])
            row.ended = len(row.said) == asked.max_new_tokens
    return list(rows.values())


def _alone(model: Model, prompt: list[int], said: list[int], constrain: Constrain | None) -> Iterator[int]:
    """The likeliest next token, for ever; the way that a library would do it, without any of ours."""
    import torch
    from transformers import DynamicCache

    cache, ids = DynamicCache(), torch.tensor([prompt], device=model.device)
    while True:
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        if constrain and (may := constrain({0: said})) is not None:
            logits = logits.masked_fill(~may.to(logits.device), float("-inf"))
        ids = logits.argmax(dim=-1, keepdim=True)
        yield int(ids)
