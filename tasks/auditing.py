"""Auditing steps: canaries are planted, two siblings of the candidate are trained on them, and all are probed.

The siblings are trained as the candidate is, by the same method, rank and learning rate, on fewer rows. The control
learns the canaries as they are, the redacted sibling what the recipe's redaction left of them; neither leaves this
module but as numbers in an audit. What runs in the process that asks the models is in :mod:`tasks.probing`.

The secrets are invented and nobody's, so rows that hold them may lie in the store. What would leave an audit without
anything to judge is said before the candidate is trained: by :func:`tasks.planting.check` when a recipe is opened, by
:func:`plant` when redaction has read the canaries.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from assay.artifacts import Artifact, Dataset, Tokenised, Trained
from assay.errors import RecipeError
from assay.evaluation import memorisation, sampling
from assay.evaluation.memorisation import MODES, REPETITIONS, bounds, canaries, exposure, judging, scanning
from assay.leakage import Sibling
from assay.model import changes, prompting, weights
from assay.policy import RedactionSpec
from assay.privacy import invented
from assay.privacy.replacement import fingerprints
from assay.records import PLACEHOLDER, Record
from assay.spec import RunSpec
from assay.trials import LeakAuditSpec
from assay.tuning import SelectionSpec, TrainingSpec
from tasks import jobs, planting, probes, shards
from tasks.data import LIBRARIES, REDACTION, engines
from tasks.launch import launch
from tasks.models import COMPUTED_WITH, DECODING, LEARNING, METRICS, fit, plain
from tasks.places import store, value_key_fingerprint
from tasks.pool import in_process, release
from tasks.publishing import Progress
from tasks.steps import step
from tasks.workspaces import once, work_key

VERSION = 1  # Raise on any change here that could change what is planted or learned: it is part of the keys below.

AUDITING = (memorisation, canaries, exposure, bounds, scanning, judging)
"""Methods that an audit goes through."""


@step(
    "tasks.auditing",
    "tasks.probes",
    *AUDITING,
    invented,
    *REDACTION,
    libraries=LIBRARIES,
    timeout_seconds=None,
)
def plant(train: Dataset, policy: RedactionSpec, values: str, engines: dict[str, str], spec: LeakAuditSpec) -> Artifact:
    """Make canaries and their twins, and file them with what redaction makes of their records.

    Args:
        train: The records that canaries will stand beside; an answer of theirs follows a canary in a prompt.
        policy: What is replaced. Surrogates are replaced by placeholders here, since invented values pass for them.
        values: Fingerprint of the key behind fingerprints.
        engines: Releases of the libraries that the policy's own recognisers run on.
        spec: How many.

    Raises:
        RecipeError: redaction lets no canary pass of those that the gate goes by.
    """
    del values, engines  # They name the key and what it runs on in ours.
    size = MODES[spec.mode]
    clear = (row for shard in shards.each(train) for row in shard if not PLACEHOLDER.search(row.completion))
    answers = [row.completion for row in probes.drawn(clear, size.prompt * len(REPETITIONS), spec.seed)]
    planted = canaries.plant(
        planting.kinds(policy),
        planting.invent,
        answers or [planting.ANSWERED],
        sizes={"completion": size.completion, "prompt": size.prompt},
        repetitions=REPETITIONS,
        others=size.others,
        seed=spec.seed,
    )
    there = [canary for canary in planted if canary.planted]
    left = in_process(planting.masked, [canary.record() for canary in there], policy.with_masks())
    release()
    if not any(each for canary, each in zip(there, left, strict=True) if canary.place == "completion"):
        raise RecipeError(planting.ASIDE)
    told = {
        "canaries": canaries.to_json(planted),
        "masked": {canary.id: each for canary, each in zip(there, left, strict=True) if each},
        "unmasked": sum(planting.stands(canary, each) for canary, each in zip(there, left, strict=True) if each),
        "set_aside": sum(each is None for each in left),
    }
    return store().put("canaries", json.dumps(told, sort_keys=True).encode())


@step(
    "tasks.auditing", "tasks.jobs", "tasks.probes", *LEARNING, *METRICS, *DECODING, prompting, *AUDITING,
    libraries=(*COMPUTED_WITH, "peft", "accelerate"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def memorise(
    base: Artifact,
    planted: Artifact,
    train: Dataset,
    sibling: Sibling,
    base_digest: str,
    system: str,
    training: TrainingSpec,
    spec: LeakAuditSpec,
) -> Trained:
    """Train a sibling of the candidate on canaries and some of the recipe's records; never to be released.

    Args:
        base: Where it starts, as the candidate does.
        planted: From :func:`plant`.
        train: Records, of which some are learned beside the canaries.
        sibling: Whether canaries are learned as they are or as redaction left them.
        base_digest: Of the base, as the recipe pins it.
        system: The system turn.
        training: How it learns, from :func:`scaled`.
        spec: How much.
    """

    def learn(work: Path) -> Trained:
        rows = _tokens(base, learned(planted, train, sibling, spec), system, training.max_length)
        job = {
            "base": plain(base),
            "base_digest": base_digest,
            "tokens": plain(rows),
            "replayed": None,
            "validation": plain(Dataset(shards=())),
            "system": system,
            "spec": plain(training),
        }
        with Progress("memorise", work.name) as progress:
            fit(job, work, progress)
        return Trained(
            adapter=store().put_tree("adapter", work / "adapter"),
            record=store().put("training-record", (work / "record.json").read_bytes()),
        )

    return once(work_key(), learn)


@step(
    "tasks.probing", "tasks.probes", *AUDITING, *DECODING, sampling, prompting, weights, changes, fingerprints,
    libraries=(*COMPUTED_WITH, "peft", "numpy", "scipy"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def probe(
    base: Artifact,
    candidate: Artifact,
    control: Trained,
    redacted: Trained,
    planted: Artifact,
    train: Dataset,
    sealed: Artifact,
    values: str,
    dtype: str,
    system: str,
    max_length: int,
    epochs: int,
    spec: LeakAuditSpec,
) -> Artifact:
    """Ask the candidate and both siblings, and file a :class:`assay.leakage.LeakAudit`.

    Args:
        base: What all three start from.
        candidate: Its adapter.
        control: The sibling that learned canaries as they are.
        redacted: The sibling that learned what redaction left of them.
        planted: The canaries.
        train: The candidate's training records.
        sealed: Fingerprints of what redaction removed from them.
        values: Fingerprint of the key behind those.
        dtype: Of the base.
        system: The system turn.
        max_length: Tokens of a training row.
        epochs: That the siblings learned.
        spec: How much is asked.
    """
    del values  # It names the key in ours; the key itself must not be an argument.
    job: dict[str, Any] = {
        "base": plain(base),
        "candidate": plain(candidate),
        "control": plain(control.adapter),
        "redacted": plain(redacted.adapter),
        "canaries": plain(planted),
        "train": plain(train),
        "sealed": plain(sealed),
        "dtype": dtype,
        "system": system,
        "max_length": max_length,
        "epochs": epochs,
        "spec": plain(spec),
    }

    def ask(work: Path) -> Artifact:
        with Progress("probe", work.name) as progress:
            launch("probe", job, work, progress)
        return store().put("leak-audit", (work / "audit.json").read_bytes())

    return once(work_key(), ask)


def planted(train: Dataset, spec: RunSpec) -> Artifact | None:
    """File the canaries, if the recipe asks for an audit: before the candidate is trained, since this may refuse."""
    asked = spec.leak_audit
    if asked is None:
        return None
    filed: Artifact = plant(train, spec.redaction, value_key_fingerprint(), engines(spec.redaction), asked)
    return filed


def audited(
    base: Artifact, trained: Trained, train: Dataset, sealed: Artifact, spec: RunSpec, given: Artifact | None = None
) -> Artifact | None:
    """Audit a candidate, or nothing if the recipe asks for none: then no plan and no run has such a step.

    Args:
        base: The prepared base.
        trained: The candidate.
        train: Its training records.
        sealed: Fingerprints of all that redaction removed, from :func:`tasks.measuring.seal`.
        spec: The recipe.
        given: The canaries, from :func:`planted`.
    """
    asked, filed = spec.leak_audit, given or planted(train, spec)
    if asked is None or filed is None:
        return None
    training = scaled(spec.training, asked)
    learns = (spec.base.digest, spec.prompt.system, training, asked)
    control = memorise(base, filed, train, "control", *learns)
    redacted = memorise(base, filed, train, "redacted", *learns)
    audit: Artifact = probe(
        base, trained.adapter, control, redacted, filed, train, sealed, value_key_fingerprint(), spec.base.dtype,
        spec.prompt.system, training.max_length, training.epochs, asked,
    )  # fmt: skip
    return audit


def scaled(training: TrainingSpec, spec: LeakAuditSpec) -> TrainingSpec:
    """How a sibling learns: as the candidate does, for a fixed number of epochs and without a validation side."""
    return training.model_copy(update={"epochs": MODES[spec.mode].epochs, "selection": SelectionSpec()})


def learned(planted: Artifact, train: Dataset, sibling: Sibling, spec: LeakAuditSpec) -> list[Record]:
    """The rows of a sibling: some of the recipe's records, and every copy of each canary."""
    told = json.loads(store().get(planted))
    rows = (row for shard in shards.each(train) for row in shard)
    beside = probes.drawn(rows, MODES[spec.mode].ordinary, spec.seed)
    held = []
    for canary in canaries.from_json(told["canaries"]):
        whole = canary.record() if sibling == "control" else probes.masked(canary, told["masked"].get(canary.id))
        if canary.planted and whole:
            held += [dataclasses.replace(whole, id=f"{canary.id}-{copy}") for copy in range(canary.repetitions)]
    return [*beside, *held]


def _tokens(base: Artifact, records: list[Record], system: str, max_length: int) -> Tokenised:
    shard = in_process(jobs.tokenise, base, shards.file(records), system, max_length)
    facts = in_process(jobs.facts, base, max_length)
    release()
    return Tokenised(train=Dataset(shards=(shard,)), validation=Dataset(shards=()), facts=facts)
