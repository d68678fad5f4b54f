"""Model steps: the base, its adapter, and what either answers. Each runs in a process of its own."""

import time
from pathlib import Path
from typing import Any

from prefect.transactions import get_transaction

from assay.artifacts import Artifact, Dataset, Evaluated, Tokenised, Trained
from assay.evaluation import generation, likelihood, scoring
from assay.model import adapter as adapters
from assay.model import prompting, rows, training, weights
from assay.spec import BaseSpec, EvaluationSpec, PromptSpec, TrainingSpec
from tasks import jobs
from tasks.launch import launch, workspace
from tasks.places import store
from tasks.pool import in_process, release
from tasks.publishing import Progress
from tasks.steps import step

COMPUTED_WITH = ("torch", "transformers", "tokenizers", "safetensors")
"""Libraries whose release may move a weight or a token, so their versions are part of the key."""

METRICS = tuple(
    f"assay.evaluation.metrics.{name}" for name in ("exact_match", "field_accuracy", "format_adherence", "label_f1")
)
"""By name: importing them imports `evaluate`."""


@step("tasks.jobs", weights, timeout_seconds=None, libraries=(*COMPUTED_WITH, "gguf"))
def prepare_base(base: BaseSpec) -> Artifact:
    """File the base model, converted to the recipe's dtype, after checking that it is the one named."""
    path = weights.locate(base.uri, Path(), base.revision)
    job = {"path": str(path), "digest": base.digest, "dtype": base.dtype}
    with workspace(_key()) as work:
        with Progress("prepare_base", work.name) as progress:
            launch("prepare", job, work, progress)
        return store().put_tree("base", work / "base")


@step("tasks.jobs", rows, prompting, libraries=("transformers", "tokenizers"), timeout_seconds=None)
def tokenise(base: Artifact, train: Dataset, validation: Dataset, system: str, max_length: int) -> Tokenised:
    """Lay rows out as training takes them, so that what is learned can be checked token by token before it is."""
    shards = {"train": train.shards, "validation": validation.shards}
    filed = {
        side: Dataset(shards=tuple(in_process(jobs.tokenise, base, shard, system, max_length) for shard in each))
        for side, each in shards.items()
    }
    facts = in_process(jobs.facts, base, max_length)
    release()
    return Tokenised(**filed, facts=facts)


@step(
    "tasks.jobs",
    training,
    adapters,
    rows,
    prompting,
    libraries=(*COMPUTED_WITH, "peft", "accelerate"),
    tags=["gpu"],
    timeout_seconds=None,
)
def train(
    base: Artifact, train: Dataset, validation: Dataset, base_digest: str, system: str, spec: TrainingSpec
) -> Trained:
    """Train an adapter, going on from the last whole checkpoint if there is one."""
    job = {
        "base": _plain(base),
        "base_digest": base_digest,
        "train": _plain(train),
        "validation": _plain(validation),
        "system": system,
        "spec": _plain(spec),
    }
    with workspace(_key()) as work:
        with Progress("train", work.name) as progress:
            launch("train", job, work, progress)
        return Trained(
            adapter=store().put_tree("adapter", work / "adapter"),
            record=store().put("training-record", (work / "record.json").read_bytes()),
        )


@step(
    "tasks.jobs", generation, likelihood, scoring, prompting, weights, *METRICS,
    libraries=(*COMPUTED_WITH, "peft"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def evaluate(
    base: Artifact,
    adapter: Artifact | None,
    test: Dataset,
    benchmark: Artifact,
    schema: Artifact,
    dtype: str,
    prompt: PromptSpec,
    spec: EvaluationSpec,
) -> Evaluated:
    """Ask a model the whole test side and the benchmark, in the same way whichever model it is."""
    job = {
        "base": _plain(base),
        "adapter": _plain(adapter) if adapter else None,
        "test": _plain(test),
        "benchmark": _plain(benchmark),
        "schema": _plain(schema),
        "dtype": dtype,
        "prompt": _plain(prompt),
        "spec": _plain(spec),
    }
    with workspace(_key()) as work:
        with Progress("evaluate", work.name) as progress:
            launch("evaluate", job, work, progress)
        return Evaluated(
            summary=store().put("evaluation", (work / "summary.json").read_bytes()),
            answers=store().put("answers", (work / "answers.jsonl").read_bytes()),
            choices=store().put("choices", (work / "choices.jsonl").read_bytes()),
        )


def _key() -> str:
    """Names the same folder for every attempt at the same question, in any process."""
    transaction = get_transaction()
    return ((transaction.key if transaction else None) or f"unkeyed-{time.time_ns()}")[:32]


def _plain(value: Any) -> Any:  # noqa: ANN401
    return value.model_dump(mode="json")
