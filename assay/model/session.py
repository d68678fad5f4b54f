"""Session: one training under way: what it was asked, in which order its rows come, and by which shortcuts.

What is decided before the first step stands here: the order of all epochs, how many examples pass at a time, whether
the batch can be packed, which layers are computed once, which parts are compiled.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import TrainingError
from assay.model import frozen, machine
from assay.model.architecture import base_of
from assay.model.dynamics import Dynamics
from assay.model.objective import Objective, choose, is_still, may_reuse
from assay.model.packing import pack, shared
from assay.model.rows import Example, order, pad
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    from peft import PeftModel

VERSION = 2  # Raise on any change that could change an output: it is part of the cache key.


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
        self.dynamics = Dynamics(examples)
        self.layout: dict[str, Any] = {"name": spec.layout}
        self.started = time.perf_counter()
        self.products = 0
        self.compiled = 0
        self.is_still = False
        self.places = order([len(row.input_ids) for row in examples], spec.batch_size, spec.epochs, spec.seed)
        if job.processes > 1:  # What does not fill a batch would be filled up with rows of the first.
            del self.places[len(self.places) // spec.batch_size * spec.batch_size :]
        if not self.places:
            raise TrainingError(
                f"found {len(examples)} examples over {spec.epochs} epochs, expected at least one batch of "
                f"{spec.batch_size} for {job.processes} processes to share; lower `training.batch_size`"
            )
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
        self.is_still = is_still(self.model, self.objective, self.learned)
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
            return pad(rows) | {"places": list(places)}
        return pack(rows, shares=self.is_still) | {"places": list(places)}

    def passes(self) -> list[list[int]]:
        """Places of each forward pass of the run, in order."""
        return [self.places[start : start + self.micro] for start in range(0, len(self.places), self.micro)]

    def prefix(self, places: Sequence[int]) -> int:
        """Tokens that the rows at ``places`` share in a pass."""
        is_shared = self.layout["name"] == "packed" and self.is_still
        return shared([self.rows[place] for place in places]) if is_shared else 0

    def width(self, places: Sequence[int]) -> int:
        """Positions that a pass computes: what is shared once, or in a rectangle the padding too."""
        lengths = [len(self.rows[place].input_ids) for place in places]
        if self.layout["name"] == "padded":
            return max(lengths) * len(lengths)
        return sum(lengths) - self.prefix(places) * (len(lengths) - 1)

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
            frozen.states(found, self.rows, self._ask, self.work, self.identity, min(self.micro, frozen.TOGETHER))
            may_reuse(self.objective, found, self._probe())
        self.model.train()

    def _ask(self, batch: dict[str, Any]) -> None:
        self.model(**_on(batch, self.model.device))

    def _probe(self) -> dict[str, Any]:
        """The longest row and the two shortest, packed, with their places."""
        places = sorted(range(len(self.learned)), key=lambda place: len(self.rows[place].input_ids))
        places = [places[-1], *places[:2]]
        return _on(pack([self.rows[place] for place in places]), self.model.device) | {"places": places}

    def _rehearse(self) -> None:
        import torch

        widest = max(self.passes(), key=self.width)
        devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices=devices):
            self.model.train()
            self.loss(widest).backward()
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
    named = {"version": VERSION, "base": job.base_digest, "spec": spec.model_dump(mode="json")}
    named |= {"rows": seen, "processes": job.processes}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
