"""Objective: the mean cross-entropy of the learned tokens, and the shortest way to it that gives the same number.

While a model is trained its base's forward is this one: it takes what :mod:`assay.model.packing` or
:func:`assay.model.rows.pad` laid out, runs the head on learned positions only, and returns their loss. It is the base
that is patched and the wrapped model that is called, so that data-parallel hooks fire; a loss computed beside the
wrapper trains ranks apart without a word.

Three shortcuts are taken where they hold: the batch is packed; the loss and its gradient come from one pass over the
logits, some rows at a time, which are never kept (as in Cut Cross-Entropy, Wijmans et al. 2024, arXiv:2411.09009, and
Liger, Hsu et al. 2024, arXiv:2410.10989); layers below the first that learns are computed once for each example
(:mod:`assay.model.frozen`). Whether one holds for an architecture is measured before the first step, on the longest
row of the run and its shortest, against the plain way (:func:`choose`); where it does not, the plain way is gone, and
the record says so.
"""

import functools
import math
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assay.model.frozen import Frozen
from assay.model.machine import lacked_memory
from assay.model.packing import NAME, Attention, Layout, pack
from assay.model.rows import IGNORED, Example, pad

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

VERSION = 2  # Raise on any change that could change an output: it is part of the cache key.

CHUNK = 1 << 26
"""Logits that exist at once: 256 MiB in float32."""

AGREEMENT = {"torch.bfloat16": 0.05, "torch.float16": 0.01, "torch.float32": 1e-4}
"""Relative difference (Frobenius) of logits that rounding explains, by dtype. What sees another example, or not what it
should, differs by a multiple of it."""


UNSUITED = (RuntimeError, TypeError, ValueError, LookupError, AttributeError)
"""What an architecture raises that is given what it does not know. Want of memory is none of it."""


class Objective:
    """A base's forward while it is trained."""

    def __init__(self, base: Any) -> None:  # noqa: ANN401
        self.base, self.whole, self.head = base, base.forward, base.get_output_embeddings()
        self.plain = base.config._attn_implementation  # noqa: SLF001  # it has no public name
        self.attention = Attention()
        self.is_fused = False
        self.frozen: Frozen | None = None
        self.visited: Callable[[Sequence[int], torch.Tensor], None] | None = None
        """Told, of each pass that learns, the places of its examples and their tokens' losses."""

    @contextmanager
    def installed(self) -> "Iterator[Objective]":
        """Stand in for the base's own forward, and leave it as it was."""
        # No bound method: accelerate would bind its function to the model.
        self.base.forward = lambda *args, **inputs: self.forward(*args, **inputs)  # noqa: PLW0108
        try:
            yield self
        finally:
            self.base.__dict__.pop("forward", None)
            self._prepare(None, skip=False)

    def forward(
        self,
        shift_labels: "torch.Tensor | None" = None,
        labels: "torch.Tensor | None" = None,
        num_items_in_batch: Any = None,  # noqa: ANN401
        layout: Layout | None = None,
        places: Sequence[int] | None = None,
        **inputs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """``{"loss": …}``: the sum over learned tokens, divided by ``num_items_in_batch`` or by their number.

        Without ``shift_labels``, what the base itself answers; ``labels`` are there for who counts them.
        """
        del labels
        if shift_labels is None:
            self._prepare(None, skip=False)
            return self.whole(**inputs)
        learned = shift_labels != IGNORED
        found = self.outputs(learned, layout, places, inputs, with_head=not self.is_fused)
        total, each = self._loss(found, shift_labels[learned])
        if self.visited and places is not None and self.base.training:
            self.visited(places, each.detach())
        return {"loss": total / (learned.sum() if num_items_in_batch is None else num_items_in_batch)}

    def outputs(
        self,
        learned: "torch.Tensor",
        layout: Layout | None,
        places: Sequence[int] | None,
        inputs: dict[str, Any],
        *,
        with_head: bool,
    ) -> "torch.Tensor":
        """Logits [learned tokens, vocabulary], or without the head what would enter it [learned tokens, width]."""
        reuse = self.frozen is not None and places is not None
        self._prepare(layout.to(learned.device) if layout else None, skip=reuse)
        if self.frozen is not None and layout and places is not None:
            embedded = self.frozen.joined(places, layout.prefix).to(learned.device)
            inputs = {**inputs, "inputs_embeds": embedded}
            inputs.pop("input_ids")
        hook = self.head.register_forward_pre_hook(lambda _, args: (args[0][learned],))
        if not with_head:
            self.head.forward = _same
        try:
            return self.whole(**inputs | {"use_cache": False}).logits
        finally:
            hook.remove()
            self.head.__dict__.pop("forward", None)

    def _prepare(self, layout: Layout | None, *, skip: bool) -> None:
        """Set what the layers attend by, and which of them run. It stays: a backward pass may ask them again."""
        from transformers import AttentionInterface

        if layout:
            AttentionInterface.register(NAME, self.attention)
        self.attention.layout = layout
        self.base.config._attn_implementation = NAME if layout else self.plain  # noqa: SLF001
        if self.frozen is not None:
            self.frozen.skip(is_skipped=skip)

    def _loss(self, found: "torch.Tensor", targets: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        """Summed, and of each token."""
        from torch.nn.functional import cross_entropy

        if self.is_fused:
            total, each = _fused().apply(found, self.head.weight, targets)
            return total, each
        each = cross_entropy(found.float(), targets, reduction="none")
        return each.sum(), each


def choose(model: Any, objective: Objective, rows: Sequence[Example], layout: str) -> dict[str, Any]:  # noqa: ANN401
    """Try the shortcuts against the plain way and take those that give its numbers.

    Args:
        model: as it will be trained, already with its adapter.
        objective: of its base, installed; is changed.
        rows: that the run will learn.
        layout: what the recipe wants, ``packed`` or ``padded``.

    Returns:
        ``name`` of the layout taken, ``why`` if not the one wanted, and whether the loss is ``fused``.
    """
    import torch

    probe = sorted(rows, key=lambda row: len(row.input_ids))
    probe = [probe[-1], *probe[:2]]
    device, limit = next(model.parameters()).device, AGREEMENT.get(str(objective.base.dtype), 0.05)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        plain, by_head = _plainly(objective, pad(probe), device)
        why = _unpackable(objective, probe, plain, device, limit) if layout == "packed" else ""
        objective.is_fused = _may_fuse(objective) and _apart(by_head, plain) <= limit
    model.train(was_training)
    return {"name": "padded" if why else layout, "why": why, "fused": objective.is_fused}


def is_still(model: Any, objective: Objective, rows: Sequence[Example]) -> bool:  # noqa: ANN401
    """Whether nothing random enters a forward pass in training: then a token's state follows from those before it.

    Asked of the model itself, twice, since dropout need be no module of its own.
    """
    import torch

    device = next(model.parameters()).device
    batch = pad(sorted(rows, key=lambda row: len(row.input_ids))[:2])
    was_training = model.training
    model.train()
    with torch.no_grad(), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        first, second = (_asked(objective, batch, device) for _ in range(2))
    model.train(was_training)
    return torch.equal(first, second)


def may_reuse(objective: Objective, found: Frozen, batch: dict[str, Any]) -> None:
    """Take kept states for the layers below, if the logits of ``batch``, with its ``places``, stay what they are."""
    limit = AGREEMENT.get(str(objective.base.dtype), 0.05)
    layout, places, labels = (batch.pop(name) for name in ("layout", "places", "shift_labels"))
    batch.pop("labels")

    def ask() -> "torch.Tensor":
        return objective.outputs(labels != IGNORED, layout, places, dict(batch), with_head=True).float()

    plain = ask()
    objective.frozen = found
    try:
        if _apart(ask(), plain) <= limit:
            return
    except UNSUITED as error:
        if lacked_memory(error):
            raise
    found.skip(is_skipped=False)
    objective.frozen = None


def _unpackable(
    objective: Objective,
    rows: Sequence[Example],
    plain: "torch.Tensor",
    device: Any,  # noqa: ANN401
    limit: float,
) -> str:
    """Why the architecture cannot be packed; nothing if it can. Each layer must have asked our attention."""
    objective.attention.asked.clear()
    name, layers = type(objective.base).__name__, objective.base.config.get_text_config().num_hidden_layers
    try:
        found = _apart(_asked(objective, pack(rows), device), plain)
    except UNSUITED as error:
        if lacked_memory(error):
            raise
        return f"{name} cannot be packed: its layers do not take such a row ({type(error).__name__})"
    asked = len(objective.attention.asked)
    if asked < layers:
        told = f"{asked} of {layers} layers attend"
        return f"{name} cannot be packed: {told}, expected all: the others would carry one example into the next"
    if found > limit:
        return f"{name} cannot be packed: its outputs differ by {found:.2g}, expected at most {limit:g}"
    return ""


def _asked(objective: Objective, batch: dict[str, Any], device: Any, *, with_head: bool = True) -> "torch.Tensor":  # noqa: ANN401
    inputs = {name: value.to(device) for name, value in batch.items() if name != "labels"}
    layout, learned = inputs.pop("layout", None), inputs.pop("shift_labels") != IGNORED
    return objective.outputs(learned, layout, None, inputs, with_head=with_head).float()


def _apart(found: "torch.Tensor", plain: "torch.Tensor") -> float:
    """Relative difference from ``plain``."""
    return float((found - plain).norm() / plain.norm()) if found.shape == plain.shape else math.inf


def _may_fuse(objective: Objective) -> bool:
    """The head is a plain frozen matrix: its own gradient is not computed in the one pass."""
    from torch.nn import Linear

    head = objective.head
    return type(head) is Linear and head.bias is None and not head.weight.requires_grad


def _plainly(objective: Objective, batch: dict[str, Any], device: Any) -> "tuple[torch.Tensor, torch.Tensor]":  # noqa: ANN401
    """Logits as the architecture gives them, and as the head alone does: it may cap or scale them afterwards."""
    alone: list[Any] = []
    hook = objective.head.register_forward_hook(lambda _, __, logits: alone.append(logits))
    try:
        whole = _asked(objective, batch, device)
    finally:
        hook.remove()
    return whole, alone[0].float()


def _same(hidden: "torch.Tensor") -> "torch.Tensor":
    return hidden


@functools.cache
def _fused() -> Any:  # noqa: ANN401
    import torch

    class Fused(torch.autograd.Function):
        """Sum of cross-entropies of ``hidden`` [n, d] through ``weight`` [V, d], and each; the sum has a gradient.

        That of cross-entropy at the logits is softmax minus one-hot; through the head it is a second product.
        """

        @staticmethod
        def forward(
            ctx: Any,  # noqa: ANN401
            hidden: torch.Tensor,
            weight: torch.Tensor,
            targets: torch.Tensor,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            total = hidden.new_zeros((), dtype=torch.float32)
            each = hidden.new_zeros(len(hidden), dtype=torch.float32)
            grad = torch.empty_like(hidden, dtype=weight.dtype) if ctx.needs_input_grad[0] else None
            size = max(1, CHUNK // weight.shape[0])
            for start in range(0, len(hidden), size):
                part = slice(start, start + size)
                logits = (hidden[part].to(weight.dtype) @ weight.t()).float()
                wanted = targets[part, None]
                logits.sub_(logits.amax(-1, keepdim=True))
                picked = logits.gather(-1, wanted)
                norm = logits.exp_().sum(-1, keepdim=True)
                lost = norm.log() - picked
                total += lost.sum()
                each[part] = lost[:, 0]
                if grad is not None:
                    logits.div_(norm)
                    logits.scatter_add_(-1, wanted, torch.full_like(wanted, -1, dtype=logits.dtype))
                    grad[part] = logits.to(weight.dtype) @ weight
            ctx.save_for_backward(grad)
            ctx.dtype = hidden.dtype
            ctx.mark_non_differentiable(each)
            return total, each

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # noqa: ANN401
            (grad,) = ctx.saved_tensors
            return (grad.float() * g).to(ctx.dtype), None, None

    return Fused
