"""Frozen layers: what the layers below the first that learns make of an example is computed once, and kept.

Their weights do not move and nothing random enters them, so in every epoch they would say the same. An epoch after the
first then costs the layers above alone. Each example's states are computed in a batch that its length decides and not
the moment, so a run that was killed and resumed meets the same bytes; they are filed beside the checkpoints, under a
digest, until the adapter is.

At most :data:`LIMIT` bytes are kept. Where that is too little, or there is but one epoch, or noise is added to
embeddings, or a lower layer learns, nothing is reused.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.locations import sha256
from assay.model.architecture import base_of
from assay.model.packing import Layout, pack
from assay.model.rows import Example, by_length

if TYPE_CHECKING:
    import torch

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

LIMIT = 2 << 30
"""Bytes of states that are kept."""

TOGETHER = 16
"""Examples in a batch whose states are computed."""

FILE = "frozen.safetensors"


class Frozen:
    """States of examples where they enter the first layer that learns."""

    def __init__(self, layers: Any, first: int) -> None:  # noqa: ANN401
        self._layers, self.first = layers, first
        self._states: list[torch.Tensor] = []

    @property
    def layer(self) -> Any:  # noqa: ANN401
        """The first that learns."""
        return self._layers[self.first]

    def skip(self, *, is_skipped: bool) -> None:
        """Let the layers below pass on what they are given, or be themselves again."""
        for layer in self._layers[: self.first]:
            if is_skipped:
                layer.forward = _pass_on
            else:
                layer.__dict__.pop("forward", None)

    def keep(self, states: "Sequence[torch.Tensor]") -> None:
        """Take the states of all examples, by place: [tokens, width] each."""
        self._states = list(states)

    def joined(self, places: Sequence[int], prefix: int) -> "torch.Tensor":
        """States of the examples at ``places``, laid out as their tokens are when packed: [1, T, width]."""
        import torch

        rest = [self._states[place][prefix:] for place in places]
        return torch.cat([self._states[places[0]][:prefix], *rest]).unsqueeze(0)


def below(model: Any) -> "Frozen | None":  # noqa: ANN401
    """The layers of ``model`` that nothing learned lies in or below, if there are any."""
    from torch.nn import ModuleList

    base = base_of(model)
    learned = [name for name, parameter in base.named_parameters() if parameter.requires_grad]
    stacks = [(name, part) for name, part in base.named_modules() if isinstance(part, ModuleList)]
    found = [(name, part) for name, part in stacks if learned and all(each.startswith(f"{name}.") for each in learned)]
    if not found:
        return None
    name, layers = found[0]
    first = min(int(each.removeprefix(f"{name}.").split(".")[0]) for each in learned)
    return Frozen(layers, first) if first else None


def fits(rows: Sequence[Example], width: int, size: int) -> bool:
    """Whether the states of ``rows``, of so many numbers a token and bytes a number, are within :data:`LIMIT`."""
    return sum(len(row.input_ids) for row in rows) * width * size <= LIMIT


def states(  # noqa: PLR0913, PLR0917
    frozen: Frozen,
    rows: Sequence[Example],
    ask: Callable[[dict[str, Any]], object],
    work: Path,
    identity: str,
    together: int = TOGETHER,
) -> None:
    """Compute the states of ``rows``, or read what an earlier attempt at the same run filed in ``work``.

    Args:
        frozen: takes them.
        rows: in their order.
        ask: runs the model on a packed batch.
        work: the run's folder.
        identity: names the run; another's file is not read.
        together: examples in a batch.
    """
    import torch
    from safetensors.torch import load_file, save_file

    file, told = work / FILE, work / f"{FILE}.json"
    lengths = [len(row.input_ids) for row in rows]
    if _is_whole(file, told, identity):
        frozen.keep(torch.split(load_file(file)["states"], lengths))
        return
    found = _computed(frozen, rows, ask, together)
    work.mkdir(parents=True, exist_ok=True)
    save_file({"states": torch.cat(found)}, file)
    told.write_text(json.dumps({"identity": identity, "sha256": sha256(file)}))
    frozen.keep(found)


def _computed(
    frozen: Frozen, rows: Sequence[Example], ask: Callable[[dict[str, Any]], object], together: int
) -> "list[torch.Tensor]":
    import torch

    found: list[Any] = [None] * len(rows)
    hook = frozen.layer.register_forward_pre_hook(_stop, with_kwargs=True)
    try:
        for places in by_length(rows, together):
            batch = pack([rows[place] for place in places])
            try:
                ask(batch)
            except _ReachedError as reached:
                each = _apart(reached.state[0].cpu(), batch["layout"], [len(rows[place].input_ids) for place in places])
                for place, state in zip(places, each, strict=True):
                    found[place] = state
    finally:
        hook.remove()
    return [torch.as_tensor(state) for state in found]


def _apart(row: "torch.Tensor", layout: Layout, lengths: Sequence[int]) -> "list[torch.Tensor]":
    """Cut a packed row's states into those of its examples, each with the prefix before it."""
    import torch

    head, rest = row[: layout.prefix], row[layout.prefix :]
    parts = torch.split(rest, [length - layout.prefix for length in lengths])
    return [torch.cat([head, part]) for part in parts]


class _ReachedError(Exception):
    """Not an error: the way out of a forward pass, once what was wanted is there."""

    def __init__(self, state: "torch.Tensor") -> None:
        super().__init__()
        self.state = state


def _stop(_: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:  # noqa: ANN401
    raise _ReachedError(args[0] if args else named["hidden_states"])


def _pass_on(hidden_states: "torch.Tensor", *_: object, **__: object) -> "torch.Tensor":
    return hidden_states


def _is_whole(file: Path, told: Path, identity: str) -> bool:
    try:
        return bool(json.loads(told.read_text()) == {"identity": identity, "sha256": sha256(file)})
    except (OSError, ValueError):
        return False
