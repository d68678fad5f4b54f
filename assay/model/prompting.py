"""Prompting: what a conversation looks like to the model, in training and in evaluation alike.

A record becomes one row of token ids: the prompt, rendered by the tokenizer's own chat template up
to where the assistant begins to speak, then the completion and the token that ends the turn, and
nothing after it. The prompt's ids are exactly those that generation will be given, so what is
learned is what will be asked::

    <|im_start|>system … <|im_end|> <|im_start|>user … <|im_end|> <|im_start|>assistant │ {"intent": …}<|im_end|>
                                                                             prompt_length ┘

Which tokens are learned is told by position, never by id: in many vocabularies padding and the end
of a turn are the same token. A tokenizer without a chat template gets a plain one. Text that spells
a control token, such as ``<|im_end|>``, is broken up, so no user can close a turn.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.records import Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

PLAIN = (
    "{{ bos_token or '' }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
"""The template of a tokenizer that has none."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One row for the model."""

    input_ids: tuple[int, ...]
    prompt_length: int
    """The first so many ids are prompt; the rest, if any, is completion and end of turn."""

    truncated: bool
    """Something was cut off the user's text, or earlier turns were left out."""

    fits: bool
    """False if no cut of the user's text would do; then ``input_ids`` is longer than was asked."""


def encode(
    tokenizer: "PreTrainedTokenizerBase",
    system: str,
    context: Sequence[Turn],
    completion: str | None,
    max_length: int,
) -> Encoded:
    """Render and tokenise one conversation in at most ``max_length`` tokens.

    If it is longer, earlier turns go first, then the beginning of the last turn's text; system turn
    and completion stay whole.

    Args:
        tokenizer: any; its chat template is used if it has one.
        system: sent as the system turn, or before the user's text if the template knows no such turn.
        context: what was said before, oldest first, ending on the user's turn.
        completion: the answer to learn, or ``None`` to ask for one.
        max_length: tokens of prompt and completion.
    """
    turns = list(context)
    whole = row = _row(tokenizer, system, turns, completion)
    while len(row.input_ids) > max_length and (rest := _without_oldest(turns)):
        turns, row = rest, _row(tokenizer, system, rest, completion)
    if len(row.input_ids) > max_length:
        last = turns[-1]
        row = _cut(lambda text: _row(tokenizer, system, [replace(last, content=text)], completion), last, max_length)
    if len(row.input_ids) > max_length:
        return replace(whole, fits=False)
    return replace(row, truncated=row != whole)


def stops(tokenizer: "PreTrainedTokenizerBase") -> tuple[int, ...]:
    """Ids at which an answer is over: the token that ends a turn, and the tokenizer's own end."""
    row = _row(tokenizer, "s", [Turn("user", "u")], "a")
    return tuple(sorted({row.input_ids[-1], int(tokenizer.eos_token_id)}))


def digest(tokenizer: "PreTrainedTokenizerBase", system: str) -> str:
    """Name what stands around the user's text: sha256 of a probe conversation, rendered and tokenised."""
    context = [Turn("user", "probe 1"), Turn("assistant", "probe 2"), Turn("user", "probe 3")]
    prompt, tail = _render(tokenizer, system, context, "probe 4")
    row = _row(tokenizer, system, context, "probe 4")
    seen = {"prompt": prompt, "tail": tail, "ids": row.input_ids, "prompt_length": row.prompt_length}
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def _row(tokenizer: "PreTrainedTokenizerBase", system: str, context: Sequence[Turn], completion: str | None) -> Encoded:
    prompt, tail = _render(tokenizer, system, context, completion)
    head = _ids(tokenizer, prompt)
    if completion is None:
        return Encoded(head, len(head), truncated=False, fits=True)
    ids = _ids(tokenizer, prompt + tail)
    if (
        ids[: len(head)] != head
    ):  # A token straddles the border; generation never sees such a token, nor shall training.
        ids = head + _ids(tokenizer, tail)
    return Encoded(_end(tokenizer, ids, len(head)), len(head), truncated=False, fits=True)


def _end(tokenizer: "PreTrainedTokenizerBase", ids: tuple[int, ...], start: int) -> tuple[int, ...]:
    """Let the row end on the token that ends the turn: templates add a line break that is never generated."""
    control = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    last = max((place for place in range(start, len(ids)) if ids[place] in control), default=None)
    return (*ids, tokenizer.eos_token_id) if last is None else ids[: last + 1]


def _render(
    tokenizer: "PreTrainedTokenizerBase", system: str, context: Sequence[Turn], completion: str | None
) -> tuple[str, str]:
    """``(prompt, tail)``: the text up to where the assistant speaks, and what the template makes of the answer."""
    said = _inert(tokenizer)
    messages = [{"role": turn.role, "content": said(turn.content)} for turn in context]
    prompt = _template(tokenizer, system, messages, ask=True)
    if completion is None:
        return prompt, ""
    answer = {"role": "assistant", "content": said(completion)}
    full = _template(tokenizer, system, [*messages, answer], ask=False)
    if full.startswith(prompt):
        return prompt, full[len(prompt) :]
    return prompt, f"{answer['content']}{tokenizer.eos_token}"


def _template(tokenizer: "PreTrainedTokenizerBase", system: str, messages: list[dict[str, str]], *, ask: bool) -> str:
    from jinja2 import TemplateError

    def render(conversation: list[dict[str, str]]) -> str:
        return tokenizer.apply_chat_template(
            conversation, chat_template=tokenizer.chat_template or PLAIN, tokenize=False, add_generation_prompt=ask
        )

    try:
        return render([{"role": "system", "content": system}, *messages])
    except TemplateError:  # Some templates know no system turn.
        first = {**messages[0], "content": f"{system}\n\n{messages[0]['content']}"}
        return render([first, *messages[1:]])


def _inert(tokenizer: "PreTrainedTokenizerBase") -> Callable[[str], str]:
    """A function that breaks up every control token spelled out in a text with a space after its first character."""
    controls = sorted({t.content for t in tokenizer.added_tokens_decoder.values() if t.special}, key=len, reverse=True)

    def said(text: str) -> str:
        for control in controls:
            if len(control) > 1 and control in text:
                text = text.replace(control, f"{control[0]} {control[1:]}")
        return text

    return said


def _ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])


def _without_oldest(turns: Sequence[Turn]) -> list[Turn]:
    """Leave out the oldest turns up to the next user's, so that roles still alternate; empty if one is left."""
    starts = [place for place, turn in enumerate(turns) if place and turn.role == "user"]
    return list(turns[starts[0] :]) if starts else []


def _cut(render: Callable[[str], Encoded], last: Turn, max_length: int) -> Encoded:
    """Keep as much of the end of ``last`` as fits, found by bisection over characters."""
    text = last.content
    few, many = 0, len(text)
    while few < many:
        middle = (few + many + 1) // 2
        if len(render(text[-middle:]).input_ids) <= max_length:
            few = middle
        else:
            many = middle - 1
    return render(text[len(text) - few :])
