"""Session: one training under way: what it was asked, in which order its rows come, and by which shortcuts.

What is decided before the first step stands here: the order of all epochs, how many examples pass at a time, whether
the batch can be packed, which layers are computed once, which parts are compiled.
"""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import TrainingError
from assay.model import frozen, machine
from assay.model.architecture import base_of
from assay.model.objective import Objective, choose
from assay.model.packing import pack
from assay.model.rows import Example, by_length, order, pad
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    from peft import PeftModel

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run needs beyond its recipe. Nothing here may change the model, but rounding may with ``micro_batch``."""

    base_digest: str
    """A checkpoint made on another base is not resumed."""

    checkpoint_every: int = 50
    """Optimiser steps; at most so many are repeated after a crash."""

    micro_batch: int | None = None
    """Examples per forward pass and process; the recipe's batch at once if absent. More passes are added up."""

    checkpoint_activations: bool = False
    """Compute activations again in the backward pass and do not keep them: slower, in a fraction of the memory."""

    processes: int = 1
    """How many share each batch, each started with this function by a launcher such as torchrun."""

    stop: Callable[[], bool] = field(default=lambda: False)
    """Asked after each step; if true, a checkpoint is written and training ends with an error that says so."""

    assess: "Callable[[PeftModel], dict[str, float]] | None" = None
    """Gives the task's metrics on the validation side; asked at each measurement. It must leave random states alone."""


class Session:
    """One training: what it was asked, in which order its rows come, and by which shortcuts."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        job: Job,
        model: "PeftModel",
        examples: Sequence[Example],
        held_out: Sequence[Example],
        spec: TrainingSpec,
        work: Path,
    ) -> None:
        self.job, self.model, self.spec, self.work = job, model, spec, work
        self.rows, self.learned, self.held_out = [*examples, *held_out], examples, held_out
        self.objective = Objective(base_of(model))
        self.layout: dict[str, Any] = {"name": spec.layout}
        self.products = 0
        self.compiled = 0
        self.is_still = machine.is_still(model)
        self.places = order([len(row.input_ids) for row in examples], spec.batch_size, spec.epochs, spec.seed)
        self.identity = identify(job, self.rows, spec)
        self.micro = _micro(job, spec)

    @property
    def steps(self) -> int:
        """Optimiser steps if nothing ends training before."""
        return math.ceil(len(self.places) / self.spec.batch_size)

    def lay_out(self) -> None:
        """Move the model to its device, and choose the shortcuts that hold for it."""
        import torch

        if torch.cuda.is_available():
            self.model.cuda()
        if self.job.checkpoint_activations:
            self.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        self.layout = choose(self.model, self.objective, self.learned, self.spec.layout)
        if self.spec.neftune_noise and self.layout["name"] == "packed":
            self.layout |= {"name": "padded", "why": "noise on embeddings is scaled by the length of each example"}

    def prepare(self, *, rehearse: bool) -> None:
        """Compute what is computed once, and rehearse the heaviest pass."""
        self._reuse()
        if rehearse:
            self._rehearse()

    def collate(self, places: Sequence[int]) -> dict[str, Any]:
        """Lay out the rows at ``places``."""
        rows = [self.rows[place] for place in places]
        if self.layout["name"] == "padded":
            return pad(rows)
        return pack(rows, shares=self.is_still) | ({"places": list(places)} if self.objective.frozen else {})

    def passes(self) -> list[list[int]]:
        """Places of each forward pass of the run, in order."""
        return [self.places[start : start + self.micro] for start in range(0, len(self.places), self.micro)]

    def loss(self, places: Sequence[int]) -> Any:  # noqa: ANN401
        """Summed loss of the rows at ``places``, as a step computes it."""
        import torch

        batch = _on(self.collate(places), self.model.device)
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=machine.is_half(self.model)):
            return self.model(**batch, num_items_in_batch=1)["loss"]

    def _reuse(self) -> None:
        found = frozen.below(self.model)
        base = self.objective.base
        reusable = self.layout["name"] == "packed" and self.spec.epochs > 1 and self.is_still
        width = base.config.get_text_config().hidden_size
        if not (found and reusable and self.job.processes == 1 and frozen.fits(self.rows, width, base.dtype.itemsize)):
            return
        import torch

        self.model.eval()
        with torch.no_grad():
            frozen.states(found, self.rows, self._ask, self.work, self.identity)
            probe = by_length(self.learned, 2)[0]
            plain = float(self.loss(probe))
            self.objective.frozen = found
            again = self._try(probe)
        self.model.train()
        if again is None or abs(again - plain) > 0.01 * abs(plain):
            found.skip(is_skipped=False)
            self.objective.frozen = None

    def _ask(self, batch: dict[str, Any]) -> None:
        self.model(**_on(batch, self.model.device))

    def _try(self, places: Sequence[int]) -> float | None:
        """The loss with lower layers passed over; None if the architecture does not let itself be asked so."""
        try:
            return float(self.loss(places))
        except (RuntimeError, TypeError, ValueError, AttributeError):
            return None

    def _rehearse(self) -> None:
        import torch

        heaviest = max(self.passes(), key=lambda places: sum(len(self.rows[place].input_ids) for place in places))
        devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices=devices):
            self.model.train()
            self.loss(heaviest).backward()
        self.model.zero_grad()


def _on(batch: dict[str, Any], device: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: value.to(device) if hasattr(value, "to") else value for name, value in batch.items()}


def _micro(job: Job, spec: TrainingSpec) -> int:
    share, rest = divmod(spec.batch_size, job.processes)
    micro = min(job.micro_batch or share, share)
    if rest or share % micro:
        raise TrainingError(
            f"found {job.processes} processes of {micro} examples a pass, expected both to divide {spec.batch_size}"
        )
    return micro


def identify(job: Job, rows: Sequence[Example], spec: TrainingSpec) -> str:
    """Name everything that the state of a run depends on, so that a checkpoint meets only its own run."""
    seen = [(row.input_ids, row.prompt_length) for row in rows]
    named = {"version": VERSION, "base": job.base_digest, "spec": spec.model_dump(mode="json"), "rows": seen}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
