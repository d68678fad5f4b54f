"""A training small enough to befall things, in a process of its own: what it is given, and how it is watched."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts import Artifact, Dataset, Tokenised, digest_of
from assay.model import checkpoints, weights
from assay.records import Record, Turn, to_parquet
from assay.store import ArtifactStore
from assay.tuning import TrainingSpec
from tasks import jobs
from tests import tiny_model

ROOT = Path(__file__).parents[2]
SYSTEM = "Reply with JSON."
ROWS = 32
SPEC = TrainingSpec(
    method="lora",
    rank=4,
    alpha=8,
    dropout=0.1,
    target_modules=("q_proj", "v_proj"),
    learning_rate=0.01,
    epochs=12,
    batch_size=4,
    max_length=192,
)
STEPS = ROWS * SPEC.epochs // SPEC.batch_size
INTERVAL = 5


def _record(number: int) -> Record:
    words = " ".join(f"case{number}-{place}" for place in range(2 + number % 5))
    turns = (Turn("user", f"where is the parcel of order {number}? {words}"),)
    answer = json.dumps({"intent": "delivery", "order_id": str(number)})
    return Record(id=f"r{number}", subject=f"s{number}", bucket=0, source="tickets", context=turns, completion=answer)


@dataclass(frozen=True)
class Given:
    """A prepared base and tokenised records in a store, in a home of their own."""

    home: Path
    inputs: dict[str, Any]
    """Of the step."""

    def job(self, **changes: Any) -> dict[str, Any]:
        """What the step hands to its process, with a recipe that differs by ``changes``."""
        inputs = self.inputs | {"spec": SPEC.model_copy(update=changes)}
        plain = {name: value.model_dump(mode="json") for name, value in inputs.items() if hasattr(value, "model_dump")}
        return inputs | plain

    def work(self, name: str) -> Path:
        """A folder to work in, with nothing to go on from."""
        path = self.home / "work" / name
        (path / "checkpoints").mkdir(parents=True)
        return path

    @property
    def environment(self) -> dict[str, str]:
        """For a process of its own that is to find all this."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}


@contextmanager
def prepared(home: Path) -> Iterator[Given]:
    """Two layers and thirty-two records in ``home``, this deployment's; a checkpoint every five of 96 steps."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSAY_STORE", "ASSAY_DEVICE", "MLFLOW_TRACKING_URI", "ASSAY_PROCESSES", "ASSAY_NODES"):
            patch.delenv(name, raising=False)
        patch.setenv("ASSAY_HOME", str(home))
        patch.setenv("ASSAY_THREADS", "1")
        patch.setenv("ASSAY_CHECKPOINT_STEPS", str(INTERVAL))
        store = ArtifactStore(str(home / "store"))
        weights.prepare(tiny_model.build(home / "tiny"), "float32", home / "base")
        base = store.put_tree("base", home / "base")
        shard = store.put("records", to_parquet([_record(number) for number in range(ROWS)]))
        held_out = store.put("records", to_parquet([_record(number) for number in range(100, 104)]))
        laid_out = [Dataset(shards=(jobs.tokenise(base, each, SYSTEM, SPEC.max_length),)) for each in (shard, held_out)]
        facts = jobs.facts(base, SPEC.max_length)
        inputs = {
            "base": base,
            "tokens": Tokenised(train=laid_out[0], validation=laid_out[1], facts=facts),
            "replayed": None,
            "validation": Dataset(shards=(held_out,)),
            "base_digest": weights.digest(home / "tiny"),
            "system": SYSTEM,
            "spec": SPEC,
        }
        yield Given(home, inputs)


def adapter(work: Path) -> str:
    """Digest of what a training left."""
    return digest_of({path.name: weights.sha256(path) for path in sorted((work / "adapter").iterdir())})


def processes(work: Path) -> set[int]:
    """Those that have a folder in their command line and are no zombies."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            state = path.with_name("stat").read_text().rpartition(")")[2].split()[0]
            if str(work).encode() in path.read_bytes().split(b"\0") and state != "Z":
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def until(found: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"nothing came within {seconds} seconds"
        time.sleep(0.05)


def checkpointed(work: Path) -> int:
    """Step of the last whole checkpoint; 0 if there is none."""
    sealed = [path.parent for path in work.glob(f"checkpoints/{checkpoints.PREFIX}*/{checkpoints.MANIFEST}")]
    return max(map(checkpoints.step, sealed), default=0)


PROGRAM = """
import json, sys
from pathlib import Path
from tasks import launch, models
job, work = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
models.fit(job, work, lambda event: print(json.dumps(event), flush=True))
"""


def write_inputs(given: Given, path: Path) -> Path:
    """For a process of its own."""
    path.write_text(json.dumps(given.job()))
    return path


def read_inputs(path: str) -> dict[str, Any]:
    """What :func:`write_inputs` wrote, as the step takes it."""
    kinds = {"base": Artifact, "tokens": Tokenised, "validation": Dataset, "spec": TrainingSpec}
    found = json.loads(Path(path).read_text())
    return {name: kinds[name].model_validate(value) if name in kinds else value for name, value in found.items()}
