"""Timing: the step that lets baseline and candidate answer the same requests in turn, in a process of its own."""

from pathlib import Path

from pydantic import BaseModel

from assay.artifacts import Artifact, Dataset, Timed
from assay.evaluation import constraining
from assay.model import changes, prompting, weights
from assay.spec import PromptSpec
from assay.trials import EvaluationSpec
from tasks.launch import launch
from tasks.models import DECODING
from tasks.places import store
from tasks.publishing import Progress
from tasks.steps import step
from tasks.workspaces import once, work_key


@step(
    "tasks.alternating", "tasks.merging", *DECODING, prompting, constraining, weights, changes,
    libraries=("torch", "transformers", "tokenizers", "safetensors", "peft"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def time_requests(
    base: Artifact,
    adapter: Artifact,
    test: Dataset,
    schema: Artifact,
    dtype: str,
    prompt: PromptSpec,
    spec: EvaluationSpec,
    releases: dict[str, str] | None = None,
    against: Artifact | None = None,
    against_base: Artifact | None = None,
) -> Timed:
    """Time single requests of two models, request by request in turn.

    The candidate is the base with the adapter merged in; the baseline is the base alone, or ``against_base`` with
    another adapter, ``against``. ``releases`` are those of :class:`assay.artifacts.Questions`, of libraries that not
    every recipe needs: they are here for the key.
    """
    del releases
    given: dict[str, BaseModel] = {
        "base": base,
        "adapter": adapter,
        "test": test,
        "schema": schema,
        "prompt": prompt,
        "spec": spec,
    }
    given |= {name: each for name, each in (("against", against), ("against_base", against_base)) if each}
    job = {name: value.model_dump(mode="json") for name, value in given.items()} | {"dtype": dtype}

    def ask(work: Path) -> Timed:
        with Progress("time_requests", work.name) as progress:
            launch("time_requests", job, work, progress)
        return Timed(
            **{
                name: store().put("timings", (work / f"{name}.jsonl").read_bytes())
                for name in ("baseline", "candidate")
            }
        )

    return once(work_key(), ask)
