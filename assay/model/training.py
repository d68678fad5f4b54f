"""Training: what an adapter learns from completions, in a run that can be killed.

The loss is the mean cross-entropy over the completion's tokens, the end of the turn included; the
prompt is read and not learned. Rows of like length are batched, so little is padding, and padding
is never learned.

A run survives: every ``checkpoint_every`` steps weights, optimiser, schedule, random states and
place in the data are saved, and a manifest of their digests last. Only a checkpoint whose manifest
holds is resumed, so a torn one costs an interval and never a wrong adapter. Order and dropout follow
from ``seed``: on one class of machine (dtype, threads, instruction set, versions) a run that was
killed and resumed ends with the same bytes as one that was not.

Start the process with ``OMP_WAIT_POLICY=PASSIVE`` if it shares its cores: libgomp's threads spin, and
on a busy machine spin without end. ``MALLOC_MMAP_MAX_=0``, a large ``MALLOC_TRIM_THRESHOLD_`` and
``MALLOC_TOP_PAD_`` spare it the page faults of every large tensor.
"""

import hashlib
import json
import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import TrainingError
from assay.model import checkpoints
from assay.model.rows import IGNORED, Example, batches, check, collate, features, order
from assay.spec import TrainingSpec

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import Trainer
    from transformers import TrainerControl as Control
    from transformers import TrainerState as State
    from transformers import TrainingArguments as Args

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

PATIENCE = 5
"""Training stops if the mean loss of so many steps is over :func:`ceiling`."""

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run needs beyond its recipe. Nothing here may change the model, but rounding may with ``micro_batch``."""

    base_digest: str
    """A checkpoint made on another base is not resumed."""

    checkpoint_every: int = 50
    """Optimiser steps; at most so many are repeated after a crash."""

    micro_batch: int | None = None
    """Examples per forward pass and process; the recipe's batch at once if absent. More passes are added up."""

    processes: int = 1
    """How many share each batch, each started with this function by a launcher such as torchrun."""

    stop: Callable[[], bool] = field(default=lambda: False)
    """Asked after each step; if true, a checkpoint is written and training ends with an error that says so."""


def train(  # noqa: PLR0913
    job: Job,
    model: "PeftModel",
    examples: Sequence[Example],
    *,
    held_out: Sequence[Example],
    spec: TrainingSpec,
    work: Path,
    report: Report,
) -> dict[str, Any]:
    """Teach ``model``, freshly adapted, to say the completions; resume from ``work`` if a whole checkpoint is there.

    Args:
        job: what a deployment decides.
        model: changed in place.
        examples: rows to learn.
        held_out: rows whose loss is measured at the start and after each epoch; may be empty.
        spec: the recipe's part.
        work: where checkpoints are; keep it until the adapter is filed. Torn and foreign ones are removed.
        report: called with one event per step, held-out measurement, checkpoint and resumption.

    Returns:
        The record of the run: steps, tokens, loss curves, operations, seconds, peak memory, environment.

    Raises:
        TrainingError: there is nothing to learn, the loss diverged, or training was stopped before its last step.
    """
    from transformers import TrainerCallback

    check(examples and [*examples, *held_out], spec.max_length)
    identity = _identity(job, examples, spec)
    last = checkpoints.last_whole(work, identity)
    watch = type("Watch", (_Watch, TrainerCallback), {})(job, identity, held_out, spec, report)
    watch.epoch_ends = {math.ceil(len(examples) * epoch / spec.batch_size) for epoch in range(1, spec.epochs + 1)}
    trainer = _trainer(job, model, examples, spec, work, watch)
    if last:
        watch.seconds = checkpoints.seconds(last)
        report({"event": "resumed", "step": checkpoints.step(last)})
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if trainer.state.global_step != trainer.state.max_steps:  # A trainer asked to stop returns as if it had finished.
        raise TrainingError(
            f"found {trainer.state.global_step} of {trainer.state.max_steps} steps done, expected all: training was "
            "stopped; run it again to go on from its checkpoint"
        )
    return _record(trainer, model, examples, spec, watch)


def _trainer(  # noqa: PLR0913, PLR0917
    job: Job, model: "PeftModel", examples: Sequence[Example], spec: TrainingSpec, work: Path, watch: "_Watch"
) -> "Trainer":
    from transformers import PrinterCallback, Trainer, TrainingArguments

    places = order([len(row.input_ids) for row in examples], spec.batch_size, spec.epochs, spec.seed)
    rows = [features(row) for row in examples]
    trainer = Trainer(
        model=model,
        args=TrainingArguments(output_dir=str(work), **_arguments(job, model, len(examples), spec)),
        train_dataset=[rows[place] for place in places],
        data_collator=collate,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watch)
    return trainer


def _arguments(job: Job, model: "PeftModel", rows: int, spec: TrainingSpec) -> dict[str, Any]:
    import torch

    share, rest = divmod(spec.batch_size, job.processes)
    micro = min(job.micro_batch or share, share)
    if rest or share % micro:
        raise TrainingError(
            f"found {job.processes} processes of {micro} examples a pass, expected both to divide {spec.batch_size}"
        )
    recipe = {
        "num_train_epochs": 1,  # The rows are laid out for all epochs.
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if spec.schedule == "constant" else spec.schedule,
        "warmup_steps": math.ceil(spec.warmup_share * math.ceil(rows * spec.epochs / spec.batch_size)),
        "weight_decay": spec.weight_decay,
        "max_grad_norm": spec.max_grad_norm,
        "seed": spec.seed,
        "train_sampling_strategy": "sequential",
        "bf16": model.get_base_model().dtype == torch.bfloat16,
    }
    machine = {
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": share // micro,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "save_strategy": "steps",
        "save_steps": job.checkpoint_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # Its default replaces a NaN by the mean of what came before.
        "include_num_input_tokens_seen": "non_padding",
        "remove_unused_columns": False,  # It would go by the signature of the forward that was replaced.
        "report_to": "none",
        "disable_tqdm": True,
    }
    return recipe | machine


class _Watch:
    """Sees each step: reports it, ends what diverges, measures the held-out loss, seals checkpoints.

    Its ``on_`` methods are the trainer's callbacks; the class is joined with transformers' own where that is imported.
    """

    def __init__(
        self, job: Job, identity: str, held_out: Sequence[Example], spec: TrainingSpec, report: Report
    ) -> None:
        self.job, self.identity, self.held_out, self.spec, self.report = job, identity, held_out, spec, report
        self.started, self.seconds = time.perf_counter(), 0.0
        self.losses: list[float] = []
        self.epoch_ends: set[int] = set()

    @property
    def elapsed(self) -> float:
        """Seconds of training, those before a resumption included."""
        return self.seconds + time.perf_counter() - self.started

    def on_train_begin(
        self, _args: "Args", state: "State", _control: "Control", *, model: "PeftModel", **_: object
    ) -> None:
        self.started = time.perf_counter()
        if state.global_step == 0:
            self.measure(state, model)

    def on_step_end(
        self, _args: "Args", state: "State", control: "Control", *, model: "PeftModel", **_: object
    ) -> None:
        if state.global_step in self.epoch_ends:
            self.measure(state, model)
        if self.job.stop() and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True

    def on_log(
        self, _args: "Args", state: "State", _control: "Control", *, logs: dict[str, float], **_: object
    ) -> None:
        if "loss" not in logs:
            return
        self.losses = [*self.losses, logs["loss"]][-PATIENCE:]
        first = next(entry["loss"] for entry in state.log_history if "loss" in entry)
        _check_loss(state.global_step, self.losses, logs["grad_norm"], ceiling(first), self.spec)
        seen = {"tokens": int(state.num_input_tokens_seen), "seconds": round(self.elapsed, 3)}
        said = {name: logs[name] for name in ("loss", "learning_rate", "grad_norm")}
        self.report({"event": "step", "step": state.global_step, "of": state.max_steps, **said, **seen})

    def on_save(self, args: "Args", state: "State", _control: "Control", **_: object) -> None:
        if state.is_world_process_zero:
            checkpoints.seal(Path(args.output_dir) / f"checkpoint-{state.global_step}", self.identity, self.elapsed)
            self.report({"event": "checkpoint", "step": state.global_step, "of": state.max_steps})

    def measure(self, state: "State", model: "PeftModel") -> None:
        """Mean loss per learned token of the held-out rows. No random number is drawn, so nothing else moves."""
        import torch

        if not self.held_out:
            return
        model.eval()
        total, tokens = 0.0, 0
        with torch.no_grad():
            for batch in batches(self.held_out, self.spec.batch_size):
                inputs = {name: value.to(model.device) for name, value in batch.items()}
                total += float(model(**inputs, num_items_in_batch=1)["loss"])
                tokens += int((batch["labels"] != IGNORED).sum())
        model.train()
        point = {"step": state.global_step, "held_out_loss": total / tokens}
        state.log_history.append(point)
        self.report({"event": "held_out", "of": state.max_steps, **point})


def ceiling(first: float) -> float:
    """Loss in nats above which training has diverged: twice that of the first step, and one.

    A judgement, not a theorem: what a diverging run shows within a few steps, and a noisy one does not.
    """
    return 2 * first + 1


def _check_loss(step: int, losses: Sequence[float], norm: float, limit: float, spec: TrainingSpec) -> None:
    mean = sum(losses) / len(losses)
    if not (math.isfinite(mean) and math.isfinite(norm)):
        found, expected = f"loss {losses[-1]:g} and gradient norm {norm:g}", "finite numbers"
    elif len(losses) == PATIENCE and mean > limit:
        found, expected = f"a mean loss of {mean:.2f} over {PATIENCE} steps", f"at most {limit:.2f}"
    else:
        return
    raise TrainingError(
        f"step {step}: found {found}, expected {expected}; lower `training.learning_rate` (now "
        f"{spec.learning_rate:g}) or raise `training.warmup_share`"
    )


def _identity(job: Job, examples: Sequence[Example], spec: TrainingSpec) -> str:
    """Name everything that the state of a run depends on, so that a checkpoint meets only its own run."""
    rows = [(row.input_ids, row.prompt_length) for row in examples]
    named = {"version": VERSION, "base": job.base_digest, "spec": spec.model_dump(mode="json"), "rows": rows}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def _record(
    trainer: "Trainer", model: "PeftModel", examples: Sequence[Example], spec: TrainingSpec, watch: _Watch
) -> dict[str, Any]:
    history = trainer.state.log_history
    return {
        "steps": trainer.state.global_step,
        "truncated": sum(row.truncated for row in examples),
        "tokens": spec.epochs * sum(len(row.input_ids) for row in examples),
        "learned_tokens": spec.epochs * sum(len(row.input_ids) - row.prompt_length for row in examples),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "losses": [[entry["step"], entry["loss"]] for entry in history if "loss" in entry],
        "held_out_losses": [[entry["step"], entry["held_out_loss"]] for entry in history if "held_out_loss" in entry],
        "seconds": watch.elapsed,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "environment": _environment(model),
    }


def _environment(model: "PeftModel") -> dict[str, Any]:
    """What equal bytes depend on beyond the recipe."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "torch": torch.__version__,
        "dtype": str(model.get_base_model().dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "device_peak_bytes": torch.cuda.max_memory_allocated() if cuda else 0,
    }
