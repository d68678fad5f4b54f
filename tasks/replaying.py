"""The replay step: a share of what is learned is what the base says anyway, so that less is forgotten.

It runs in a process of its own, as training and evaluation do; what is computed there is in :mod:`tasks.asking`.
"""

from pathlib import Path

from assay.artifacts import Artifact, Dataset
from assay.data import contamination
from assay.evaluation import sampling
from assay.model import prompting, rows
from assay.policy import RedactionSpec
from assay.spec import ContaminationSpec
from assay.tuning import ReplaySpec
from tasks import shards
from tasks.data import LIBRARIES, REDACTION, engines
from tasks.launch import launch
from tasks.models import COMPUTED_WITH, DECODING, plain
from tasks.places import store
from tasks.publishing import Progress
from tasks.steps import step
from tasks.workspaces import once, work_key


@step(
    "tasks.asking", sampling, *DECODING, prompting, rows, contamination, *REDACTION,
    libraries=tuple(dict.fromkeys((*COMPUTED_WITH, *LIBRARIES))), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def replay(
    base: Artifact,
    prompts: Artifact,
    benchmark: Artifact,
    train: Dataset,
    dtype: str,
    max_length: int,
    contamination: ContaminationSpec,
    spec: ReplaySpec,
    policy: RedactionSpec,
    recognisers: dict[str, str],
) -> Artifact:
    """Have the base answer general prompts, and file the answers that can be learned as rows of tokens.

    Args:
        base: Who is asked.
        prompts: What it is asked.
        benchmark: What no example may quote.
        train: The records that examples stand beside; their number decides how many are wanted.
        dtype: Of the base.
        max_length: Of an example, in tokens.
        contamination: When an example quotes the benchmark.
        spec: How it is asked.
        policy: What counts as personal data, and what finds it.
        recognisers: Releases of the libraries that the policy's own recognisers run on.
    """
    del recognisers  # They name what it runs on in the key.
    job = {
        "base": plain(base),
        "prompts": plain(prompts),
        "benchmark": plain(benchmark),
        "records": shards.count(train),
        "dtype": dtype,
        "max_length": max_length,
        "contamination": plain(contamination),
        "spec": plain(spec),
        "redaction": plain(policy),
    }

    def answer(work: Path) -> Artifact:
        with Progress("replay", work.name) as progress:
            launch("replay", job, work, progress)
        return store().put("replay", (work / "replay.parquet").read_bytes())

    return once(work_key(), answer)


def replayed(
    base: Artifact,
    prompts: Artifact | None,
    benchmark: Artifact,
    train: Dataset,
    dtype: str,
    max_length: int,
    contamination: ContaminationSpec,
    spec: ReplaySpec | None,
    policy: RedactionSpec,
) -> Artifact | None:
    """What :func:`replay` files, or nothing if the recipe asks for none: then no plan and no run has such a step."""
    if spec is None or prompts is None:
        return None
    asked = (base, prompts, benchmark, train, dtype, max_length, contamination, spec)
    filed: Artifact = replay(*asked, policy, engines(policy))
    return filed
