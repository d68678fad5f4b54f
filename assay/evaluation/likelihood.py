"""Likelihood: which choice a model finds likeliest, item by item.

A benchmark is JSON lines, one item a line::

    {"id": "agreement-007", "group": "agreement", "kind": "minimal_pair",
     "context": "", "choices": ["The cats sleep.", "The cats sleeps."], "gold": 0}

A choice's score is the sum of the log-probabilities of its tokens after the context (and after the
model's first token where the context is empty). For kind ``choice``, whose choices differ in
length, it is that sum per character, which does not depend on the tokenizer ("acc_norm" of
EleutherAI's lm-evaluation-harness; Gao et al. 2021, doi:10.5281/zenodo.5371628). ``minimal_pair``
(Warstadt et al. 2020, BLiMP, arXiv:1912.00582) and ``cloze`` are compared by the sum itself.

Context and choice are encoded together, as the model would have met them, and the choice begins at
the first token that differs from the context encoded alone.

Each item is read once, as a small tree: what its choices begin with in common, then their tails
side by side, each blind to the others and counted in position as if it came alone. That is half
the reading of one row per choice. Only positions that predict a token to be scored go through the
output layer, always :data:`POSITIONS` at a time: logits of a whole batch over a vocabulary of 49,152
would be a hundred times the size of the model's own activations.

An item's outcome does not hang on what else is asked: trees of one rounded length are read in batches
of one shape (:mod:`assay.evaluation.batching`). So it may be remembered under a digest (``known``).
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assay.artifacts import JSON, digest_of
from assay.errors import ModelError, SourceError
from assay.evaluation import attention, batching
from assay.outcomes import Choice

VERSION = 2

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any
Tensor = Any
Device = Any

POSITIONS = 256
"""Positions put through the output layer at once: 50 MB of float32 logits for SmolLM2."""

WIDTH = 4
"""Trees are padded to a multiple of so many tokens."""

BUDGET = 8
"""Tokens that are read at once, for each item of ``batch_size``."""


class Item(BaseModel):
    """One question with its possible answers, and which one is right."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    id: Annotated[str, Field(min_length=1)]
    group: Annotated[str, Field(min_length=1)]
    """Items of a group share a paradigm; errors are clustered by it."""

    kind: Literal["minimal_pair", "cloze", "choice"]
    context: str
    choices: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2)]
    """Appended to the context as they stand: a choice brings its own leading space."""

    gold: Annotated[int, Field(ge=0)]
    """Index of the right choice."""

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if self.gold >= len(self.choices):
            raise ValueError(f"gold is {self.gold}, but there are {len(self.choices)} choices, counted from 0")
        if len(set(self.choices)) != len(self.choices) or any(not choice.strip() for choice in self.choices):
            raise ValueError("choices must differ, and none may be blank")
        return self


def parse(data: bytes) -> list[Item]:
    """Read a benchmark of JSON lines.

    Raises:
        SourceError: it is empty, or a line is not an item, or an id comes twice; names the line.
    """
    items: list[Item] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
        item = _item(line, number)
        if item.id in seen:
            raise SourceError(f"benchmark line {number}: id {item.id!r} is on line {seen[item.id]} already; rename one")
        seen[item.id] = number
        items.append(item)
    return items


def score(
    model: Model,
    tokenizer: Tokenizer,
    items: Sequence[Item],
    batch_size: int,
    known: MutableMapping[str, str] | None = None,
) -> list[Choice]:
    """Ask ``model`` every item.

    Args:
        model: A causal model of transformers with a body and an output layer.
        tokenizer: Its tokenizer.
        items: From :func:`parse`.
        batch_size: How much is read together: items of :data:`BUDGET` tokens, or accordingly more or fewer. It may
            move a margin in its last digits: hold it fixed.
        known: Margins by :func:`key` that this very model gave; those items are not asked, and what is computed is
            added.

    Returns:
        One outcome per item, in order. ``margin`` is in nats, for kind ``choice`` in nats per
        character; ``correct`` means above zero, so a tie is wrong.

    Raises:
        ModelError: an item does not fit the model's window, or no token can stand for an empty
            context.
    """
    import torch

    known = {} if known is None else known
    trees = [_tree([_encoded(tokenizer, item, choice) for choice in item.choices]) for item in items]
    _check(model, items, trees)
    keys = [key(item, tree, batch_size) for item, tree in zip(items, trees, strict=True)]
    wanted = {name: place for place, name in reversed(list(enumerate(keys))) if name not in known}
    with torch.inference_mode(), attention.grouped(model):
        for place, sums in _sums(model, {place: trees[place] for place in sorted(wanted.values())}, batch_size):
            known[keys[place]] = repr(_margin(items[place], sums))
    return [
        Choice(id=item.id, group=item.group, correct=float(known[name]) > 0, margin=float(known[name]))
        for item, name in zip(items, keys, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Tree:
    """An item's choices laid side by side behind what they share."""

    ids: list[int]
    positions: list[int]
    """Of each token in its own choice."""

    branch: list[int]
    """0 for the shared tokens, 1 … for the tails."""

    scored: list[tuple[int, int, int]]
    """(choice, place of the token before, token): what is to be predicted from where."""


def key(item: Item, tree: _Tree, batch_size: int) -> str:
    """Name a margin by all that it depends on beside the model: tokens, and how they are read and compared."""
    compared = [item.kind, item.gold, *(len(choice.strip()) for choice in item.choices)]
    read: list[JSON] = [[*row] for row in (tree.ids, tree.positions, tree.branch, *tree.scored)]
    return digest_of([*compared, *read, batch_size])


def by_group(choices: Sequence[Choice]) -> dict[str, dict[str, float]]:
    """Group → ``n`` items and ``accuracy``, by name."""
    groups: dict[str, list[bool]] = {}
    for choice in choices:
        groups.setdefault(choice.group, []).append(choice.correct)
    return {
        name: {"n": float(len(right)), "accuracy": sum(right) / len(right)} for name, right in sorted(groups.items())
    }


def _item(line: bytes, number: int) -> Item:
    try:
        return Item.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise SourceError(
            f"benchmark line {number}: {where}: {first['msg']}. Expected a JSON object with exactly "
            "id, group, kind, context, choices, gold."
        ) from None


def _encoded(tokenizer: Tokenizer, item: Item, choice: str) -> tuple[list[int], int]:
    """Token ids of context and choice, and where the choice begins."""
    whole = tokenizer.encode(item.context + choice, add_special_tokens=False)
    alone = tokenizer.encode(item.context, add_special_tokens=False) if item.context else []
    begins = min(len(batching.common([whole, alone])), len(whole) - 1)
    if begins and tokenizer.bos_token_id not in tokenizer.encode("")[:1]:
        return whole, begins
    if tokenizer.bos_token_id is None:
        raise ModelError(
            f"item {item.id} has no context and the tokenizer no bos token to stand for one. Give context."
        )
    return [tokenizer.bos_token_id, *whole], begins + 1


def _margin(item: Item, sums: Sequence[float]) -> float:
    """By how much the right choice's score is above the best other one's."""
    lengths = [len(choice.strip()) if item.kind == "choice" else 1 for choice in item.choices]
    scores = [total / length for total, length in zip(sums, lengths, strict=True)]
    return scores.pop(item.gold) - max(scores)


def _tree(rows: Sequence[tuple[list[int], int]]) -> _Tree:
    """Lay out the choices' ``(token ids, where the choice begins)``."""
    shared = batching.common([ids for ids, _ in rows])
    tree = _Tree(ids=list(shared), positions=list(range(len(shared))), branch=[0] * len(shared), scored=[])
    for choice, (ids, begins) in enumerate(rows):
        tail = range(len(shared), len(ids))
        places = [*range(len(shared)), *range(len(tree.ids), len(tree.ids) + len(tail))]
        tree.scored.extend((choice, places[at - 1], ids[at]) for at in range(begins, len(ids)))
        tree.ids.extend(ids[at] for at in tail)
        tree.positions.extend(tail)
        tree.branch.extend([choice + 1] * len(tail))
    return tree


def _check(model: Model, items: Sequence[Item], trees: Sequence[_Tree]) -> None:
    window = getattr(model.config, "max_position_embeddings", None)
    for item, tree in zip(items, trees, strict=True):
        if window is not None and max(tree.positions) >= window:
            raise ModelError(
                f"item {item.id} has {max(tree.positions) + 1} tokens: the model's window is {window}. Shorten it."
            )


def _sums(model: Model, trees: Mapping[int, _Tree], batch_size: int) -> Iterator[tuple[int, list[float]]]:
    """Log-probability of each choice of each tree, by the tree's place."""
    import torch

    lengths = {place: len(tree.ids) for place, tree in trees.items()}
    batches = batching.batches(lengths, WIDTH, BUDGET * batch_size, BUDGET * batch_size)
    if not batches:
        return
    # A few hundred bytes for each token: they are kept, so that the output layer gets full helpings.
    states = torch.cat([_states(model, [trees[place] for place in batch.filled], batch) for batch in batches])
    scored = [(place, *each) for batch in batches for place in batch.places for each in trees[place].scored]
    targets = torch.tensor([token for *_, token in scored], device=states.device)
    found = _log_probabilities(model.get_output_embeddings().weight, states, targets)
    sums: dict[int, list[float]] = {}
    for (place, choice, *_), value in zip(scored, found, strict=False):
        row = sums.setdefault(place, [0.0] * (1 + max(each[0] for each in trees[place].scored)))
        row[choice] += value
    yield from sums.items()


def _states(model: Model, trees: Sequence[_Tree], batch: batching.Batch) -> Tensor:
    """What the body makes of the tokens that others are foreseen from [scored, width]."""
    import torch

    device = model.device
    branch = _padded([tree.branch for tree in trees], -1, batch.length, device)
    positions = _padded([tree.positions for tree in trees], 0, batch.length, device)
    hidden = model.base_model(
        input_ids=_padded([tree.ids for tree in trees], 0, batch.length, device),
        attention_mask=attention.masks(model, _visible(branch), positions[:, :, None] - positions[:, None]),
        position_ids=positions,
        use_cache=False,
    ).last_hidden_state
    wanted = [(row, before) for row, _ in enumerate(batch.places) for _, before, _ in trees[row].scored]
    rows, places = torch.tensor(wanted, device=device).T
    return hidden[rows, places]


def _padded(rows: Sequence[list[int]], filler: int, length: int, device: Device) -> Tensor:
    import torch

    return torch.tensor([row + [filler] * (length - len(row)) for row in rows], device=device)


def _visible(branch: Tensor) -> Tensor:
    """Which tokens a token sees: those before it in the trunk or in its own branch."""
    mine, theirs = branch[:, :, None], branch[:, None, :]
    return ((theirs == 0) | (theirs == mine)).tril()


def _log_probabilities(weight: Tensor, states: Tensor, targets: Tensor) -> Iterator[float]:
    """Log-probability of the target at each position, :data:`POSITIONS` of them at a time, the last ones filled up.

    In bfloat16 a logit near 20 is rounded to an eighth, so the target's own is computed anew in
    float32: it is one product, and what two choices are told apart by.
    """
    import torch

    short = -len(targets) % POSITIONS
    states, targets = torch.cat([states, states[:1].expand(short, -1)]), torch.cat([targets, targets[:1].expand(short)])
    for h, t in zip(states.split(POSITIONS), targets.split(POSITIONS), strict=True):
        logits = (h @ weight.T).float()
        own = (h.float() * weight[t].float()).sum(dim=-1, keepdim=True)
        # Not logsumexp: on a CPU that takes six times as long.
        found = logits.scatter_(1, t[:, None], own).log_softmax(dim=-1).gather(1, t[:, None])
        yield from found[:, 0].tolist()
