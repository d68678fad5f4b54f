"""Contest: what a contender is given, what is noted of each of its steps, and how it is run in a process of its own.

A contender trains as an :class:`Entry` says. After each optimiser step its wall and CPU seconds, its loss and all
*real* tokens so far (prompt and completion, no padding) are noted; on a GPU the device is waited for first.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.model.prompting import Encoded

ROOT = Path(__file__).resolve().parent.parent

WANTED = {
    "OMP_WAIT_POLICY": "ACTIVE",
    "GOMP_SPINCOUNT": "2000",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(32 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}
"""What Assay starts training with. Peers get it as well, and are measured once without."""

OFFLINE = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
"""What no speed depends on."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a peer is asked to train. Assay takes ``attention`` and ``job``; the rest of its choices are its recipe's."""

    attention: str | None = None
    """What transformers calls ``attn_implementation``; its own choice if absent."""

    layout: str = "padded"
    """``padded``; ``padding-free``: a batch is one flat row; ``packed``: TRL's best-fit rows of ``max_length``."""

    weights: str = "bfloat16"
    """Of the frozen base; adapters are float32."""

    autocast: bool = True
    fused_head: bool = True
    """TRL's, on learned tokens only. Off, its loss is the plain Trainer's, by overriding ``compute_loss``."""

    recompute: bool = False
    """Activation checkpointing."""

    compile: bool = False
    liger: bool = False
    micro_batch: int | None = None
    defaults: bool = False
    """Leave precision, attention, checkpointing and sampling to the library; the fields above are not looked at."""

    job: dict[str, Any] = field(default_factory=dict)
    """Assay's: fields of :class:`assay.model.session.Job`."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run of one contender."""

    trainer: str
    """``assay``, ``trl`` or ``trainer``."""

    base: str
    """Folder of the prepared base."""

    examples: str
    """JSON file of ``{"train": [[ids, prompt length], …], "held_out": […]}``."""

    spec: dict[str, Any]
    """A :class:`TrainingSpec`."""

    settings: dict[str, Any]
    threads: int
    work: str = ""
    """Scratch folder."""

    out: str = ""
    """Where the result goes, as JSON."""

    trl: str | None = None
    """Folder that TRL was unpacked in, if it is not installed."""


class Clock:
    """Notes what each step took."""

    def __init__(self) -> None:
        self.points: list[dict[str, float]] = []
        self.start()

    def start(self) -> None:
        """Count from now: what loading took is nobody's speed."""
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def note(self, loss: float, tokens: int) -> None:
        """One step is done, and so many real tokens are behind."""
        wait()
        seconds, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        self.points.append({"seconds": seconds, "cpu_seconds": cpu, "tokens": tokens, "loss": loss})


def wait() -> None:
    """Until the device has done what it was given; a CPU has."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def read(path: Path) -> tuple[list[Encoded], list[Encoded]]:
    """Examples to train on, and those held out."""
    kept = json.loads(path.read_text())
    return tuple([encoded(*row) for row in kept[side]] for side in ("train", "held_out"))  # type: ignore[return-value]


def encoded(ids: Sequence[int], prompt_length: int) -> Encoded:
    """A row of a file, as the product has it."""
    return Encoded(tuple(ids), prompt_length, truncated=False, fits=True)


def write(path: Path, train: Sequence[Encoded], held_out: Sequence[Encoded]) -> None:
    """What :func:`read` reads."""
    sides = {"train": train, "held_out": held_out}
    path.write_text(json.dumps({n: [[list(r.input_ids), r.prompt_length] for r in side] for n, side in sides.items()}))


def run(entry: Entry, environment: Mapping[str, str], timeout: float | None = None) -> dict[str, Any]:
    """Train one contender in a process of its own.

    Returns:
        Its result, or ``{"failed": the last line that it said}``: one that runs out of memory is a finding, not an end.
    """
    with tempfile.TemporaryDirectory() as folder:
        described, out = Path(folder) / "entry.json", Path(folder) / "out.json"
        described.write_text(json.dumps(asdict(replace(entry, work=f"{folder}/work", out=str(out)))))
        command = [sys.executable, "-m", "bench.contenders", str(described)]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"not done after {timeout:g} s"}
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1][:300]}
        return json.loads(out.read_text())


def speed(result: Mapping[str, Any], skip: int, per: str = "seconds") -> float:
    """Real tokens per second (or per CPU second) after the first ``skip`` steps; with 0, of all that was trained."""
    points = result["points"]
    first = points[skip - 1] if skip else {"tokens": 0, per: 0.0}
    return (points[-1]["tokens"] - first["tokens"]) / (points[-1][per] - first[per])
