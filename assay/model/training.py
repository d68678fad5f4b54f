"""Training: what a model learns from completions, in a run that can be killed.

The loss is the mean cross-entropy over the completion's tokens, the end of the turn included; the
prompt is read and not learned. How it is computed, and what is spared, is told in
:mod:`assay.model.objective`.

A run survives: every ``checkpoint_every`` steps weights, optimiser, schedule, random states and
place in the data are saved, and a manifest of their digests last. Only a checkpoint whose manifest
holds is resumed, so a torn one costs an interval and never a wrong adapter. Order and dropout follow
from ``seed``: on one class of machine (dtype, threads, instruction set, versions) a run that was
killed and resumed ends with the same bytes as one that was not.

Before the first step the widest pass of the run is rehearsed, forward and backward: activations that
would not fit in the last hour do not fit in the first seconds. The optimiser's moments come on top.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import TrainingError
from assay.model import checkpoints, compiling, machine, selection, updates, watching
from assay.model.rows import Example, check
from assay.model.session import Job, Session
from assay.tuning import TrainingSpec

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import Trainer

VERSION = 3  # Raise on any change that could change an output: it is part of the cache key.

Report = Callable[[dict[str, Any]], None]

AROUND = 10
"""Steps up to a measurement whose mean loss is set beside that of held-out rows."""


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
        model: changed in place: its weights are the chosen ones.
        examples: rows to learn.
        held_out: rows whose loss is measured at the start and as ``spec.selection`` says; may be empty.
        spec: the recipe's part.
        work: where checkpoints are; keep it until the adapter is filed. Torn and foreign ones are removed.
        report: called with one event per step, held-out measurement, checkpoint and resumption.

    Returns:
        The record of the run: steps, tokens, loss curves, measurements, seconds, peak memory, environment. The loss of
        each example at each visit is left in ``work`` (:mod:`assay.model.dynamics`).

    Raises:
        TrainingError: there is nothing to learn, the loss diverged, or training was stopped before its last step.
    """
    check(examples and [*examples, *held_out], spec.max_length)
    if not held_out and (spec.selection.keep == "best" or spec.selection.patience):
        raise TrainingError("found no validation example, expected some: `training.selection` chooses by them")
    run = Session(job, model, examples, held_out, spec, work)
    last = checkpoints.last_whole(work, run.identity)
    checkpoints.forget_best(work, checkpoints.step(last) if last else 0, run.identity)
    with ExitStack() as stack:
        stack.enter_context(run.objective.installed())
        products = stack.enter_context(updates.fused(model))
        with products.meet():
            run.lay_out()
        run.products = len(products.layers)
        if spec.compile and run.layout["name"] == "packed":
            run.compiled = stack.enter_context(compiling.compiled(model, run.objective.attention.asked))
        elif spec.compile:
            run.layout["why"] += "; so nothing was compiled"
        run.prepare(rehearse=last is None)
        watch = watching.watch(run, report)
        trainer = _trainer(run, watch)
        run.objective.visited = run.dynamics.see
        if last:
            run.dynamics.load(last)
            watch.seconds = checkpoints.seconds(last)
            report({"event": "resumed", "step": checkpoints.step(last)})
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        state = trainer.state
        if state.global_step != state.max_steps and not watch.is_exhausted:
            raise TrainingError(  # A trainer asked to stop returns as if it had finished.
                f"found {state.global_step} of {state.max_steps} steps done, expected all: training was stopped; run "
                "it again to go on from its checkpoint"
            )
        watch.restore(model)
    run.dynamics.file(work)
    return _record(run, trainer, watch)


def _trainer(run: Session, watch: Any) -> "Trainer":  # noqa: ANN401
    from transformers import PrinterCallback, Trainer, TrainingArguments

    arguments = TrainingArguments(output_dir=str(run.work), **_arguments(run))
    arguments._n_gpu = 1  # noqa: SLF001  # or it would spread a batch over all GPUs that it sees, and enlarge it
    trainer = Trainer(
        model=run.model,
        args=arguments,
        train_dataset=run.places,
        data_collator=run.collate,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watch)
    return trainer


def _arguments(run: Session) -> dict[str, Any]:
    import torch

    spec, job = run.spec, run.job
    recipe = {
        "num_train_epochs": 1,  # The rows are laid out for all epochs.
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if spec.schedule == "constant" else spec.schedule,
        "warmup_steps": math.ceil(spec.warmup_share * run.steps),
        "weight_decay": spec.weight_decay,
        "max_grad_norm": spec.max_grad_norm,
        "neftune_noise_alpha": spec.neftune_noise or None,
        "seed": spec.seed,
        "train_sampling_strategy": "sequential",
        "bf16": machine.is_half(run.model),
    }
    deployment = {
        "per_device_train_batch_size": run.micro,
        "gradient_accumulation_steps": spec.batch_size // job.processes // run.micro,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available() and run.layout["name"] == "padded",
        "ddp_find_unused_parameters": False,
        "save_strategy": "steps",
        "save_steps": job.checkpoint_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # Its default replaces a NaN by the mean of what came before.
        "remove_unused_columns": False,  # It would go by the signature of the forward that was replaced.
        "report_to": "none",
        "disable_tqdm": True,
    }
    return recipe | deployment


def _record(run: Session, trainer: "Trainer", watch: Any) -> dict[str, Any]:  # noqa: ANN401
    history, spec, steps = trainer.state.log_history, run.spec, trainer.state.global_step
    done = run.places[: steps * spec.batch_size]
    passes = run.passes()[: math.ceil(len(done) / run.micro)]
    reused = run.objective.frozen
    layout = {
        **run.layout,
        "computed_tokens": sum(map(run.width, passes)),
        "shared_prefix": min(map(run.prefix, passes), default=0),
        "reused_layers": reused.first if reused else 0,
        "fused_products": run.products,
        "compiled_parts": run.compiled,
    }
    measured = watch.measured(history)
    losses = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    return {
        "steps": steps,
        "planned_steps": run.steps,
        "stopped_early": watch.is_exhausted and steps < run.steps,
        "truncated": sum(row.truncated for row in run.learned),
        "tokens": sum(len(run.rows[place].input_ids) for place in done),
        "learned_tokens": sum(len(run.rows[place].input_ids) - run.rows[place].prompt_length for place in done),
        "trainable_parameters": sum(p.numel() for p in run.model.parameters() if p.requires_grad),
        "losses": [list(point) for point in losses],
        "held_out_losses": [[entry["step"], entry["held_out_loss"]] for entry in measured],
        "measurements": [{**point, "train_loss": _around(losses, point["step"])} for point in measured],
        "chosen": _chosen(measured, spec, steps),
        "layout": layout,
        "seconds": watch.elapsed,
        "devices": run.job.processes,
        "peak_bytes": machine.peak_bytes(),
        "environment": machine.environment(run.model)
        | {
            "processes": run.job.processes,
            "micro_batch": run.micro,
            "checkpoint_activations": run.job.checkpoint_activations,
        },
    }


def _around(losses: Sequence[tuple[int, float]], step: float) -> float:
    """Mean loss of the training batches of the last :data:`AROUND` steps up to one; of the first batch at the start."""
    found = [loss for at, loss in losses if step - AROUND < at <= max(step, 1)]
    return math.fsum(found) / len(found)


def _chosen(measured: list[dict[str, float]], spec: TrainingSpec, steps: int) -> dict[str, Any]:
    """Which weights were kept, and by what."""
    asked = spec.selection
    if not measured:
        return {"step": steps, "metric": asked.metric, "value": None, "keep": asked.keep}
    found = selection.chosen(measured, asked)
    return {"step": int(found["step"]), "metric": asked.metric, "value": found[asked.metric], "keep": asked.keep}
