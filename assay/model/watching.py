"""Watching: what is seen of a training while it runs.

Each step is reported; a loss that is no number, or that climbs, ends the run with its last checkpoint kept; held-out
rows are measured; the best weights so far are filed; checkpoints are sealed.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import TrainingError
from assay.model import checkpoints, selection
from assay.model.rows import by_length

if TYPE_CHECKING:
    from transformers import TrainerControl as Control
    from transformers import TrainerState as State
    from transformers import TrainingArguments as Args

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.

PATIENCE = 5
"""Training stops if the mean loss of so many steps is over :func:`ceiling`."""


def watch(run: Any, report: Callable[[dict[str, Any]], None]) -> Any:  # noqa: ANN401
    """Callbacks for transformers' trainer; its class is joined with ours where it is imported."""
    from transformers import TrainerCallback

    return type("Watch", (_Watch, TrainerCallback), {})(run, report)


class _Watch:
    """Sees each step of a run. Its ``on_`` methods are the trainer's callbacks."""

    def __init__(self, run: Any, report: Callable[[dict[str, Any]], None]) -> None:  # noqa: ANN401
        self.run, self.report = run, report
        self.started, self.seconds = run.started, 0.0
        self.losses: list[float] = []
        self.is_exhausted = False
        self.history: list[dict[str, Any]] = []
        self.tokens = _running(run)
        self.due = _due(run)

    @property
    def elapsed(self) -> float:
        """Seconds of training, those before a resumption included."""
        return self.seconds + time.perf_counter() - self.started

    @staticmethod
    def measured(history: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
        """The measurements in a trainer's history."""
        return [entry for entry in history if "held_out_loss" in entry]

    def on_train_begin(self, _args: "Args", state: "State", _control: "Control", **_: object) -> None:
        self.history = state.log_history
        if state.global_step == 0:
            self.measure(state)

    def on_step_end(self, _args: "Args", state: "State", control: "Control", **_: object) -> None:
        self.run.dynamics.settle(state.global_step)
        if state.global_step in self.due and self.run.held_out:
            self.measure(state)
            measured = self.measured(state.log_history)
            self.is_exhausted = selection.is_exhausted(measured, self.run.spec.selection)
            control.should_training_stop |= self.is_exhausted
        if _agreed(stop=self.run.job.stop()) and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True

    def on_log(
        self, _args: "Args", state: "State", _control: "Control", *, logs: dict[str, float], **_: object
    ) -> None:
        if "loss" not in logs:
            return
        self.losses = [*self.losses, logs["loss"]][-PATIENCE:]
        first = next(entry["loss"] for entry in state.log_history if "loss" in entry)
        _check_loss(state.global_step, self.losses, logs["grad_norm"], ceiling(first), self.run.spec)
        seen = {"tokens": self.tokens[state.global_step - 1], "seconds": round(self.elapsed, 3)}
        said = {name: logs[name] for name in ("loss", "learning_rate", "grad_norm")}
        self.report({"event": "step", "step": state.global_step, "of": state.max_steps, **said, **seen})

    def on_save(self, args: "Args", state: "State", _control: "Control", **_: object) -> None:
        folder = Path(args.output_dir) / f"{checkpoints.PREFIX}{state.global_step}"
        self.run.dynamics.save(folder)
        _all_here()  # Each process has written its random state before the first one counts the files.
        if state.is_world_process_zero and not self.is_exhausted:  # To go on from its end would go past it.
            checkpoints.seal(folder, self.run.identity, self.elapsed)
            checkpoints.prune_best(self.run.work)
            self.report({"event": "checkpoint", "step": state.global_step, "of": state.max_steps})

    def measure(self, state: "State") -> None:
        """Measure the held-out rows, and file the weights if they are the best so far."""
        if not self.run.held_out:
            return
        point: dict[str, float] = {"step": state.global_step, "held_out_loss": held_out_loss(self.run)}
        if self.run.job.assess and self.run.spec.selection.answers:
            point |= self.run.job.assess(self.run.model)
        point = _of_first(point)
        state.log_history.append(point)
        self.report({"event": "held_out", "of": state.max_steps, **point})
        asked = self.run.spec.selection
        if asked.keep == "best" and state.global_step and state.is_world_process_zero:
            measured = self.measured(state.log_history)
            if selection.best(measured, asked) is point:
                checkpoints.file_best(self.run.model, self.run.work, state.global_step, self.run.identity)

    def restore(self, model: Any) -> None:  # noqa: ANN401
        """Put the chosen weights back, if they are not the last."""
        measured, asked = self.measured(self.history), self.run.spec.selection
        if measured and (step := int(selection.chosen(measured, asked)["step"])) != measured[-1]["step"]:
            checkpoints.load_best(model, self.run.work, step, self.run.identity)


def held_out_loss(run: Any) -> float:  # noqa: ANN401
    """Mean loss per learned token of the held-out rows, in nats. No random number is drawn, so nothing else moves."""
    import torch

    first = len(run.learned)
    batches = by_length(run.held_out, run.micro)
    run.model.eval()
    with torch.no_grad():
        total = math.fsum(float(run.loss([first + place for place in places])) for places in batches)
    run.model.train()
    return total / sum(len(row.input_ids) - row.prompt_length for row in run.held_out)


def ceiling(first: float) -> float:
    """Loss in nats above which training has diverged: twice that of the first step, and one.

    A judgement, not a theorem: what a diverging run shows within a few steps, and a noisy one does not.
    """
    return 2 * first + 1


def _running(run: Any) -> list[int]:  # noqa: ANN401
    """Tokens seen after each step."""
    seen, total = [], 0
    for start in range(0, len(run.places), run.spec.batch_size):
        total += sum(len(run.rows[place].input_ids) for place in run.places[start : start + run.spec.batch_size])
        seen.append(total)
    return seen


def _due(run: Any) -> set[int]:  # noqa: ANN401
    """Steps after which held-out rows are measured."""
    if every := run.spec.selection.every:
        return {*range(every, run.steps, every), run.steps}
    rows, size = len(run.learned), run.spec.batch_size
    return {min(math.ceil(rows * epoch / size), run.steps) for epoch in range(1, run.spec.epochs + 1)}


def _agreed(*, stop: bool) -> bool:
    """Whether any process was told to stop: all of them must leave at the same step, or one waits for ever."""
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return stop
    import torch

    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    told = torch.tensor(int(stop), device=device)
    distributed.all_reduce(told, op=distributed.ReduceOp.MAX)
    return bool(told)


def _all_here() -> None:
    """Wait for all processes that share the training."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()


def _of_first(point: dict[str, float]) -> dict[str, float]:
    """What the first process measured: another's last digit must not make it leave, or stay, alone."""
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return point
    told = [point]
    distributed.broadcast_object_list(told, src=0)
    return told[0]


def _check_loss(step: int, losses: Sequence[float], norm: float, limit: float, spec: Any) -> None:  # noqa: ANN401
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
