"""Model steps: the base, its adapter, and what either answers. Each runs in a process of its own."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from assay.artifacts import Artifact, Dataset, Evaluated, Questions, Tokenised, Trained
from assay.bases import BaseSpec
from assay.errors import AssayError, OutOfMemoryError
from assay.evaluation import (
    attention,
    batching,
    calibration,
    constraining,
    generation,
    harness,
    likelihood,
    reading,
    safety,
    scoring,
    seats,
    texts,
    variants,
    vllm,
)
from assay.model import adapter as adapters
from assay.model import (
    architecture,
    changes,
    compiling,
    costs,
    dynamics,
    frozen,
    objective,
    packing,
    prompting,
    rows,
    selection,
    session,
    training,
    updates,
    watching,
    weights,
)
from assay.spec import PromptSpec
from assay.store import write_atomically
from assay.trials import EvaluationSpec
from assay.tuning import TrainingSpec
from tasks import jobs, nodes
from tasks.launch import Listener, launch
from tasks.places import store
from tasks.pool import in_process
from tasks.publishing import Progress
from tasks.steps import failed_alone, step
from tasks.workspaces import once, work_key

COMPUTED_WITH = ("torch", "transformers", "tokenizers", "safetensors")
"""Libraries whose release may move a weight or a token, so their versions are part of the key."""

LEARNING = (
    training, session, adapters, architecture, changes, compiling, costs, dynamics, frozen, objective, packing, rows,
    selection, updates, watching,
)  # fmt: skip
"""Methods that a weight goes through."""

DECODING = (generation, attention, batching, seats)
"""Methods that an answer goes through."""

ASKING = (
    *DECODING, likelihood, reading, scoring, texts, safety, variants, calibration, harness, constraining, vllm,
)  # fmt: skip
"""Methods that an evaluation goes through."""

METRICS = tuple(
    f"assay.evaluation.metrics.{name}" for name in ("exact_match", "field_accuracy", "format_adherence", "label_f1")
)
"""By name: importing them imports `evaluate`."""


@step("tasks.jobs", weights, changes, timeout_seconds=None, libraries=(*COMPUTED_WITH, "gguf"))
def prepare_base(base: BaseSpec) -> Artifact:
    """File the base model, converted to the recipe's dtype, after checking that it is the one named."""
    path = weights.locate(base.uri, Path(), base.revision)
    job = {"path": str(path), "digest": base.digest, "dtype": base.dtype}

    def convert(work: Path) -> Artifact:
        with Progress("prepare_base", work.name) as progress:
            launch("prepare", job, work, progress)
        return store().put_tree("base", work / "base")

    return once(work_key(), convert)


@step("tasks.jobs", rows, prompting, libraries=("transformers", "tokenizers"), timeout_seconds=None)
def tokenise(base: Artifact, train: Dataset, validation: Dataset, system: str, max_length: int) -> Tokenised:
    """Lay rows out as training takes them, so that what is learned can be checked token by token before it is."""
    shards = {"train": train.shards, "validation": validation.shards}
    filed = {
        side: Dataset(shards=tuple(in_process(jobs.tokenise, base, shard, system, max_length) for shard in each))
        for side, each in shards.items()
    }
    facts = in_process(jobs.facts, base, max_length)  # The process is left to the step that examines these rows.
    return Tokenised(**filed, facts=facts)


@step(
    "tasks.jobs",
    "tasks.assessing",
    *LEARNING,
    *METRICS,
    *DECODING,
    prompting,
    libraries=(*COMPUTED_WITH, "peft", "accelerate"),
    tags=["gpu"],
    timeout_seconds=None,
)
def train(
    base: Artifact,
    tokens: Tokenised,
    replayed: Artifact | None,
    validation: Dataset,
    base_digest: str,
    system: str,
    spec: TrainingSpec,
) -> Trained:
    """Train an adapter, going on from the last whole checkpoint if there is one."""
    job = {
        "base": plain(base),
        "base_digest": base_digest,
        "tokens": plain(tokens),
        "replayed": plain(replayed) if replayed else None,
        "validation": plain(validation),
        "system": system,
        "spec": plain(spec),
    }

    def learn(work: Path) -> Trained:
        with Progress("train", work.name) as progress:
            fit(job, work, progress)
        return Trained(
            adapter=store().put_tree("adapter", work / "adapter"),
            record=store().put("training-record", (work / "record.json").read_bytes()),
            dynamics=store().put("dynamics", (work / "dynamics.parquet").read_bytes()),
        )

    return once(work_key(), learn)


@step(
    "tasks.evaluating", "tasks.merging", *ASKING, prompting, weights, changes, *METRICS,
    libraries=(*COMPUTED_WITH, "peft"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def evaluate(
    base: Artifact,
    adapter: Artifact | None,
    test: Dataset,
    questions: Questions,
    dtype: str,
    prompt: PromptSpec,
    spec: EvaluationSpec,
) -> Evaluated:
    """Ask a model the whole test side and the benchmark, in the same way whichever model it is."""
    job = {
        "base": plain(base),
        "adapter": plain(adapter) if adapter else None,
        "test": plain(test),
        "questions": plain(questions),
        "dtype": dtype,
        "prompt": plain(prompt),
        "spec": plain(spec),
    }

    def ask(work: Path) -> Evaluated:
        with Progress("evaluate", work.name) as progress:
            launch("evaluate", job, work, progress)
        return Evaluated(
            summary=store().put("evaluation", (work / "summary.json").read_bytes()),
            answers=store().put("answers", (work / "answers.jsonl").read_bytes()),
            choices=store().put("choices", (work / "choices.jsonl").read_bytes()),
            **{
                name: store().put(name, path.read_bytes())
                for name in ("texts", "probes", "variants", "guesses")
                if (path := work / f"{name}.jsonl").exists()
            },
        )

    return once(work_key(), ask)


def train_again(seeds: Sequence[int], asked: tuple[object, ...], spec: TrainingSpec) -> list[Trained | None]:
    """Train once more with each of ``seeds``, to see how far chance moves a result; one that fails costs no verdict."""
    return [_tried(*asked, spec.model_copy(update={"seed": seed})) for seed in seeds]


def _tried(*asked: object) -> Trained | None:
    try:
        return cast("Trained", train.with_options(on_failure=[failed_alone])(*asked))
    except AssayError:
        return None


def fit(job: dict[str, Any], work: Path, listener: Listener) -> None:
    """Train, with less at once each time that memory does not suffice, always in a new process.

    Each goes on from the last whole checkpoint: weights that were in memory when it ran out are not trusted. What was
    tried is kept in ``work``, so that the same command does not try in vain again, and goes into the record.

    Raises:
        OutOfMemoryError: one example at a time does not fit, its activations computed twice.
    """
    path = work / "attempts.json"
    tried: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    failed = [{name: attempt[name] for name in ("micro_batch", "checkpoint_activations")} for attempt in tried]
    for way in ways_to_fit(nodes.share(job["spec"]["batch_size"])):
        if way in failed:
            continue
        started = time.monotonic()
        try:
            launch("train", job | way, work, listener)
        except OutOfMemoryError:
            tried.append(way | {"outcome": "out of memory", "seconds": round(time.monotonic() - started, 1)})
            write_atomically(path, json.dumps(tried).encode())
            continue
        record = json.loads((work / "record.json").read_text())
        record["attempts"] = [*tried, way | {"outcome": "trained"}]
        return write_atomically(work / "record.json", json.dumps(record, sort_keys=True).encode())
    path.unlink()  # Whoever gives the command again has found more memory.
    raise OutOfMemoryError(
        f"training found too little memory in {len(tried)} attempts, the last with 1 example at a time and activations "
        "computed twice; expected enough for that. Lower training.max_length, training.rank or the last_layers that "
        "are adapted, try training.layout padded, choose a smaller base, or give the device more memory."
    )


def ways_to_fit(share: int) -> list[dict[str, Any]]:
    """How a process may work through its share of a batch, each with less at once than the one before.

    All of it; half, a quarter and so on, or the next smaller divisor if the share is no power of two; last one at a
    time, with activations computed again instead of kept. The batch stays what the recipe says: passes are added up.
    """
    micro = share
    ways: list[dict[str, Any]] = [{"micro_batch": None, "checkpoint_activations": False}]
    while micro > 1:
        micro = max(size for size in range(1, micro // 2 + 1) if share % size == 0)
        ways.append({"micro_batch": micro, "checkpoint_activations": False})
    return [*ways, {"micro_batch": 1, "checkpoint_activations": True}]


def plain(value: Any) -> Any:  # noqa: ANN401
    """A model of pydantic as JSON values, as a job takes it."""
    return value.model_dump(mode="json")
