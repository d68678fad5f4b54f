"""The replay step: a share of what is learned is what the base says anyway, so that less is forgotten.

It runs in a process of its own, as training and evaluation do; what is computed there is in :mod:`tasks.asking`.
"""

from assay.artifacts import Artifact, Dataset
from assay.data import contamination
from assay.evaluation import generation, sampling
from assay.model import prompting, rows
from assay.spec import ContaminationSpec
from assay.tuning import ReplaySpec
from tasks import shards
from tasks.launch import launch, workspace
from tasks.models import COMPUTED_WITH, plain, work_key
from tasks.places import store
from tasks.publishing import Progress
from tasks.steps import step

PERSONAL = (
    *(
        f"assay.privacy.detection.{name}"
        for name in (
            "detector", "eight_bits", "personal_anchors", "personal_credentials", "personal_cues", "personal_labels",
            "personal_looks", "personal_misspellings", "personal_names", "personal_places", "personal_rules",
            "personal_spans", "second_names",
        )
    ),
    *(
        f"assay.privacy.recognisers.{name}"
        for name in ("gliner_models", "opening", "pattern_files", "spacy_pipelines", "token_classifiers")
    ),
)  # fmt: skip
"""What looks for personal data in answers, and what that leans on."""


@step(
    "tasks.asking", sampling, generation, prompting, rows, contamination, *PERSONAL,
    libraries=COMPUTED_WITH, tags=["gpu"], timeout_seconds=None,
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
) -> Artifact:
    """Have the base answer general prompts, and file the answers that can be learned as rows of tokens."""
    job = {
        "base": plain(base),
        "prompts": plain(prompts),
        "benchmark": plain(benchmark),
        "records": shards.count(train),
        "dtype": dtype,
        "max_length": max_length,
        "contamination": plain(contamination),
        "spec": plain(spec),
    }
    with workspace(work_key()) as work:
        with Progress("replay", work.name) as progress:
            launch("replay", job, work, progress)
        return store().put("replay", (work / "replay.parquet").read_bytes())


def replayed(
    base: Artifact,
    prompts: Artifact | None,
    benchmark: Artifact,
    train: Dataset,
    dtype: str,
    max_length: int,
    contamination: ContaminationSpec,
    spec: ReplaySpec | None,
) -> Artifact | None:
    """What :func:`replay` files, or nothing if the recipe asks for none: then no plan and no run has such a step."""
    if spec is None or prompts is None:
        return None
    filed: Artifact = replay(base, prompts, benchmark, train, dtype, max_length, contamination, spec)
    return filed
