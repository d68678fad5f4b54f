"""Sampling: answers drawn from what a model itself finds likely, the same ones every time.

An answer is drawn token by token from the model's own distribution at a temperature, and nothing is cut off that
distribution: what comes out is a sample of how the model speaks. Each answer has a stream of random numbers of its
own, named by the caller; its n-th number picks the n-th token, by inverting the cumulated probabilities. So an answer
depends on its prompt and the name of its stream, and on its neighbours only as far as a matrix product rounds
differently at another shape. Batches are composed from the prompts alone (by length, then place), so that, too, is the
same every time on the same kind of machine.

A row is laid out as ``[padding][prompt][answer]``; padding is told by the attention mask. A row leaves its batch when
its answer ends, since answers that are drawn differ more in length than answers to one question of a task.

Prompts are JSON lines, one a line::

    {"id": "explain-001", "prompt": "Explain in two sentences why the sky is blue."}
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from assay.errors import RecipeError
from assay.evaluation import windows

VERSION = 1

Model = Any
"""A causal language model of transformers."""

Tensor = Any

Report = Callable[[int, int], None]
"""Told how many prompts are done, of how many."""

RUN = 4
"""Tokens in a run, of which :func:`repetition` counts how many come again."""

ENOUGH = 16
"""Runs from which an answer is long enough to be called repetitive: short ones repeat themselves by chance."""


class Prompt(BaseModel):
    """Something to ask."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    id: Annotated[str, Field(min_length=1)]
    prompt: Annotated[str, Field(min_length=1)]

    @field_validator("id", "prompt")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it is blank")
        return text


@dataclass(slots=True)
class Drawn:
    """One answer."""

    tokens: list[int] = field(default_factory=list)
    """Without the one that ended it."""

    ended: bool = False
    """The model ended its turn, rather than the limit."""


def parse(data: bytes) -> list[Prompt]:
    """Read prompts of JSON lines.

    Raises:
        RecipeError: there is none, or a line is not one, or an id comes twice; names the line.
    """
    prompts: list[Prompt] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        prompt = _prompt(line, number)
        if prompt.id in seen:
            raise RecipeError(
                f"prompts line {number}: found the id of line {seen[prompt.id]} again; expected each id once. "
                "Rename one."
            )
        seen[prompt.id] = number
        prompts.append(prompt)
    if not prompts:
        raise RecipeError("prompts: found no line; expected one prompt at least. Fill the file or name another.")
    return prompts


def draw(  # noqa: PLR0913, PLR0917 — model, input, and how to decode: each is one thing
    model: Model,
    prompts: Sequence[list[int]],
    streams: Sequence[str],
    stop: frozenset[int],
    temperature: float,
    max_new_tokens: int,
    batch_size: int,
    report: Report,
) -> list[Drawn]:
    """Draw one answer to each prompt.

    Args:
        model: Any causal model of transformers, in evaluation mode.
        prompts: Token ids, chat template applied, ending where the answer begins.
        streams: The name of each answer's random numbers; the same name draws the same numbers.
        stop: Ids that end a turn.
        temperature: What logits are divided by.
        max_new_tokens: Longest answer, in tokens.
        batch_size: Prompts answered together. It may change answers: hold it fixed.
        report: Called after each batch.

    Raises:
        ModelError: a prompt is empty, or does not fit the model's window together with its answer.
    """
    import torch

    windows.check(model, prompts, max_new_tokens, "replay.max_new_tokens")
    answers = [Drawn() for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), place))
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            dice = [random.Random(streams[place]) for place in batch]  # noqa: S311  # reproducible, not secret
            rows = _Rows(model, [prompts[place] for place in batch], temperature)
            _fill([answers[place] for place in batch], rows, dice, stop, max_new_tokens)
            report(start + len(batch), len(order))
    return answers


def repetition(tokens: Sequence[int]) -> float:
    """Share of an answer's runs of :data:`RUN` tokens that stood in it before; 0 for one that is short.

    This is seq-rep-4 of Welleck et al. 2020 (arXiv:1908.04319).
    """
    runs = [tuple(tokens[start : start + RUN]) for start in range(len(tokens) - RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if len(runs) >= ENOUGH else 0.0


def _prompt(line: bytes, number: int) -> Prompt:
    try:
        return Prompt.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise RecipeError(
            f"prompts line {number}: found a mistake in {where} ({first['msg']}); expected a JSON object with exactly "
            "id and prompt, neither blank. Mend or remove the line."
        ) from None


def _fill(
    answers: list[Drawn], rows: "_Rows", dice: list[random.Random], stop: frozenset[int], max_new_tokens: int
) -> None:
    """Draw tokens into ``answers`` until each has ended or is full."""
    going = list(range(len(answers)))
    for _ in range(max_new_tokens):
        tokens = rows.drawn([dice[row].random() for row in going])
        for row, token in zip(going, tokens, strict=True):
            if token in stop:
                answers[row].ended = True
            else:
                answers[row].tokens.append(token)
        left = [place for place, row in enumerate(going) if not answers[row].ended]
        if not left:
            return
        rows.go_on(left)
        going = [going[place] for place in left]


class _Rows:
    """Prompts that are being answered, and what the model has read of them."""

    def __init__(self, model: Model, prompts: Sequence[list[int]], temperature: float) -> None:
        import torch
        from transformers import DynamicCache

        longest = max(map(len, prompts))
        pads = torch.tensor([[longest - len(prompt)] for prompt in prompts], device=model.device)
        places = torch.arange(longest, device=model.device)[None]
        self._model, self._temperature, self._cache = model, temperature, DynamicCache()
        self._ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts], device=model.device)
        self._mask = (places >= pads).long()
        self._positions = (places - pads).clamp(min=0)

    def drawn(self, numbers: Sequence[float]) -> list[int]:
        """The next token of each row, picked by a number from 0 up to 1."""
        import torch

        logits = self._model(
            input_ids=self._ids,
            attention_mask=self._mask,
            position_ids=self._positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        mass = (logits.double() / self._temperature).softmax(dim=-1).cumsum(dim=-1)
        picks = torch.tensor(numbers, dtype=mass.dtype, device=mass.device)[:, None] * mass[:, -1:]
        # Strictly above: a token of no probability is never picked, and the last one always holds the rest.
        self._ids = torch.searchsorted(mass, picks, right=True).clamp(max=mass.shape[-1] - 1)
        return [int(token) for token in self._ids[:, 0]]

    def go_on(self, left: list[int]) -> None:
        """Read on with these rows only."""
        import torch

        if len(left) < len(self._ids):
            rows = torch.tensor(left, device=self._ids.device)
            self._ids, self._mask, self._positions = self._ids[rows], self._mask[rows], self._positions[rows]
            self._cache.batch_select_indices(rows)
        self._mask = torch.cat([self._mask, torch.ones_like(self._mask[:, :1])], dim=1)
        self._positions = self._positions[:, -1:] + 1
