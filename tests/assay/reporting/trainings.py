"""Records of training runs, as the process that trained files them."""

from typing import Any

from assay.reporting.training import Training

HELD_OUT = ((0, 2.6), (22, 0.4), (44, 0.2), (66, 0.195))
"""Fell, and stayed."""

ROSE = ((0, 2.6), (22, 0.4), (44, 0.2), (66, 0.3))


def given(held_out: tuple[tuple[int, float], ...] = HELD_OUT, kept: int = 66, **changed: Any) -> dict[str, Any]:
    """The record of a run of 66 steps, with measurements of its own."""
    record = {
        "examples": 528, "replayed": 0, "steps": 66, "planned_steps": 66, "truncated": 3, "tokens": 100_000,
        "learned_tokens": 15_000, "trainable_parameters": 2_442_240, "seconds": 180.0, "devices": 1,
        "peak_bytes": 2_900_000_000, "operations": 4e13, "operations_of_full_tuning": 1e14, "stopped_early": False,
        "losses": [[step, 2.5 / step] for step in range(1, 67)],
        "held_out_losses": [list(point) for point in held_out],
        "measurements": [{"step": step, "held_out_loss": loss} for step, loss in held_out],
        "chosen": {"step": kept, "metric": "held_out_loss", "value": dict(held_out).get(kept), "keep": "best"},
        "layout": {"name": "packed", "computed_tokens": 80_000, "shared_prefix": 38, "reused_layers": 15},
        "attempts": [{"micro_batch": None, "checkpoint_activations": False, "outcome": "trained"}],
        "update_size": {"median": 0.008, "max": 0.02, "module": "layers.1.v_proj", "matrices": 9, "unmoved": 0},
        "environment": {
            "torch": "2.13.0", "dtype": "bfloat16", "threads": 2, "cpu": "AVX2", "device": "cpu", "processes": 1,
            "device_peak_bytes": 0, "micro_batch": 8, "checkpoint_activations": False, "deterministic": True,
            "not_deterministic": [],
        },
    }  # fmt: skip
    return record | changed


def trained(*args: Any, **changed: Any) -> Training:
    """The same as pages read it."""
    return Training.model_validate(given(*args, **changed))


def bare() -> Training:
    """A record of before anything but the loss was filed."""
    return Training(steps=1, examples=1, truncated=0, tokens=1, trainable_parameters=1, seconds=0.5)
