"""Approaches: ways to the same end that answer one locked set, from the examples they are shown to how long they take.

Each way is a step of its own, so a way that was asked before is on record, and ``assay decide`` with one more asks one
more. The adapter is trained by the very step that ``assay run`` trains with: after a run it comes from the cache. Ways
are built from a recipe by :func:`ways`, and what of each is asked runs in :mod:`tasks.answering`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from prefect.futures import wait

from assay.artifacts import Artifact, Dataset, Reference, Tokenised, Trained
from assay.bases import BaseSpec
from assay.errors import DataError
from assay.evaluation import attention, batching, constraining, generation, retrieval, scoring, seats
from assay.model import changes, prompting, rows, weights
from assay.records import Record
from assay.spec import RunSpec
from assay.trials import ApproachesSpec
from tasks import questions, shards
from tasks.launch import launch
from tasks.models import COMPUTED_WITH, METRICS, plain, train
from tasks.places import store
from tasks.publishing import Progress
from tasks.steps import Step, step
from tasks.workspaces import once, work_key

VERSION = 1  # Raise on any change here that could change what is asked: it is part of the keys.

DECODING = (generation, attention, batching, seats, constraining, prompting, weights, changes)
"""Methods that an answer goes through, and how long it takes."""

Examples = Literal["none", "few", "nearest"]


class Way(Reference):
    """One way to answer requests, by name and by what it is made of."""

    name: str
    base: int = 0
    """Place among the bases; the recipe's own is the first."""

    examples: Examples = "none"
    is_tuned: bool = False
    constrained: bool = False
    share: float = 1.0
    """Of the training records that its adapter was taught."""


class Manner(Reference):
    """How every way decodes: what of the recipe decides an answer beside the model and the prompt."""

    max_new_tokens: int
    batch_size: int
    metrics: dict[str, str]
    code: dict[str, str]
    """Of those metrics, what each is made of: it is here for the key, as is the next."""

    constrained: bool
    releases: dict[str, str]
    """Of what constrains, if anything does."""


class Material(Reference):
    """What the ways of one comparison are made of."""

    bases: tuple[Artifact, ...]
    adapters: dict[str, Artifact]
    """Share of the training records, as :func:`share` writes it → adapter."""

    locked: Dataset
    """The requests."""

    train: Dataset
    few: Artifact
    nearest: Artifact


def wanted(spec: RunSpec) -> ApproachesSpec:
    """What the recipe says of the comparison, or else the defaults."""
    return spec.approaches or ApproachesSpec()


def ways(spec: ApproachesSpec, *, bound: bool) -> list[Way]:
    """All ways that a recipe asks for: prompted ones first, then tuned ones, then those of the learning curve.

    Args:
        spec: What the recipe says of them.
        bound: Whether its evaluation binds every answer to the schema, so that each way is asked so and only so.
    """
    prompted = [
        Way(name=f"{who}{name}", base=place, examples=examples)
        for place, who in enumerate(["", *(f"{each}: " for each in names(spec.bases))])
        for name, examples in cast(
            "list[tuple[str, Examples]]", [("zero-shot", "none"), ("few-shot", "few"), ("retrieval", "nearest")]
        )
    ]
    tuned = [
        Way(name="fine-tuned", is_tuned=True),
        Way(name="fine-tuned + retrieval", examples="nearest", is_tuned=True),
    ]
    again = [
        each.model_copy(update={"name": f"{each.name}, constrained", "constrained": True})
        for each in (*prompted, *tuned)
        if spec.constrained and not bound
    ]
    less = [Way(name=f"fine-tuned on {share(part)}", is_tuned=True, share=part) for part in spec.learning_curve]
    found = [*prompted, *tuned, *again, *less]
    return [each.model_copy(update={"constrained": True}) for each in found] if bound else found


def names(bases: Sequence[BaseSpec]) -> list[str]:
    """What further bases are called: the end of where each lies, numbered if two are called alike."""
    found = [base.uri.rstrip("/").rpartition("/")[2].removesuffix(".gguf") or base.digest[:8] for base in bases]
    return [f"{name} ({place})" if found.count(name) > 1 else name for place, name in enumerate(found, start=1)]


def share(part: float) -> str:
    """A share of the training records, for people."""
    return f"{100 * part:g} %"


@step("tasks.approaches", retrieval)
def draw(test: Dataset, number: int, seed: int) -> Dataset:
    """Lock the requests: so many test records, by digest, the same for every way."""
    every = [record for shard in shards.each(test) for record in shard]
    if not every:
        raise DataError("the test side: found no record, expected some to ask. Check the test side of the split.")
    return Dataset(shards=(shards.file(retrieval.sample(every, number, seed)),))


@step("tasks.approaches", retrieval)
def choose(train: Dataset, locked: Dataset, label: str, number: int, seed: int) -> Artifact:
    """File the same few examples for every request."""
    indexed, asked = _both(train, locked)
    chosen = retrieval.few(indexed, label, number, seed)
    return _filed({record.id: chosen for record in asked})


@step("tasks.approaches", retrieval, libraries=("bm25s", "numpy"))
def retrieve(train: Dataset, locked: Dataset, number: int) -> Artifact:
    """File the nearest training records of every request, the nearest first."""
    indexed, asked = _both(train, locked)
    index = retrieval.Index(indexed)
    return _filed({record.id: index.nearest(record, number) for record in asked})


@step("tasks.approaches", retrieval, rows)
def subset(tokens: Tokenised, train: Dataset, part: float, seed: int) -> Tokenised:
    """A share of the training rows, subjects whole, and a smaller share within every larger one."""
    kept = retrieval.subjects([record for shard in shards.each(train) for record in shard], part, seed)
    filed = []
    for shard, beside in zip(train.shards, tokens.train.shards, strict=True):
        records, found = shards.read(shard), rows.from_parquet(store().get(beside))
        pairs = [(row, r.id) for row, r in zip(found, records, strict=True) if r.subject in kept]
        if pairs:
            filed.append(store().put("tokens", rows.to_parquet([row for row, _ in pairs], [id for _, id in pairs])))
    return tokens.model_copy(update={"train": Dataset(shards=tuple(filed))})


@step(
    "tasks.answering", "tasks.merging", *DECODING, scoring, *METRICS,
    libraries=(*COMPUTED_WITH, "peft"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def answer(
    base: Artifact,
    adapter: Artifact | None,
    asked: Dataset,
    examples: Artifact | None,
    train: Dataset | None,
    schema: Artifact,
    dtype: str,
    system: str,
    label: str,
    how: Manner,
) -> Artifact:
    """Ask one way the locked set.

    Args:
        base: Who is asked.
        adapter: What it was taught, if anything.
        asked: The requests.
        examples: Request → records of ``train`` that are shown beside it, if any.
        train: What examples are taken from.
        schema: What an answer must satisfy.
        dtype: Of the weights.
        system: The system turn.
        label: Field of the answer that is the label.
        how: How it decodes.
    """
    job = as_job(base, adapter, asked, examples, train, schema, dtype, system, label, how)

    def ask(work: Path) -> Artifact:
        with Progress("answer", work.name) as progress:
            launch("answer", job, work, progress)
        return _tree(work, ("answers.jsonl", "facts.json"))

    return once(work_key(), ask)


@step(
    "tasks.answering", "tasks.alternating", "tasks.merging", *DECODING,
    libraries=(*COMPUTED_WITH, "peft"), tags=["gpu"], timeout_seconds=None,
)  # fmt: skip
def clock(ways: dict[str, list[Any]], requests: int) -> Artifact:
    """Time single requests of all ways in turn; of each, what :func:`answer` is given."""
    job = {"ways": [{"name": name, **as_job(*given)} for name, given in ways.items()], "requests": requests}

    def time(work: Path) -> Artifact:
        with Progress("clock", work.name) as progress:
            launch("clock", job, work, progress)
        return store().put("approach-timings", (work / "timings.json").read_bytes())

    return once(work_key(), time)


def as_job(*given: Any) -> dict[str, Any]:  # noqa: ANN401
    """What :func:`answer` is given, as its process takes it."""
    named = ("base", "adapter", "asked", "examples", "train", "schema", "dtype", "system", "label", "how")
    return {
        name: plain(value) if isinstance(value, Reference) else value for name, value in zip(named, given, strict=True)
    }


def given(way: Way, spec: RunSpec, material: Material, schema: Artifact) -> list[Any]:
    """What :func:`answer` is given for a way of this recipe."""
    tried = wanted(spec)
    dtype = [spec.base, *tried.bases][way.base].dtype
    shown = {"none": None, "few": material.few, "nearest": material.nearest}[way.examples]
    system = spec.prompt.system if way.is_tuned else tried.system or spec.prompt.system
    asked = spec.evaluation
    manner = Manner(
        max_new_tokens=asked.max_new_tokens,
        batch_size=asked.batch_size,
        metrics=asked.metrics,
        code=questions.metrics(asked.metrics),
        constrained=way.constrained,
        releases=questions.releases({"llguidance": way.constrained}),
    )
    adapter = material.adapters[share(way.share)] if way.is_tuned else None
    return [
        material.bases[way.base], adapter, material.locked, shown, material.train if shown else None, schema, dtype,
        system, spec.prompt.label, manner,
    ]  # fmt: skip


def ask_all(found: Sequence[Way], spec: RunSpec, material: Material, schema: Artifact) -> dict[str, Artifact]:
    """Ask every way, each as a step that is called by it; name → what it answered."""
    futures = {way.name: called(answer, way.name).submit(*given(way, spec, material, schema)) for way in found}
    wait(list(futures.values()))
    return {name: future.result() for name, future in futures.items()}


def time_all(found: Sequence[Way], spec: RunSpec, material: Material, schema: Artifact) -> Artifact:
    """Time every way but those of the learning curve, which differ from the tuned one in their weights alone."""
    timed = {way.name: given(way, spec, material, schema) for way in found if way.share == 1}
    return cast("Artifact", clock(timed, spec.evaluation.latency_requests))


def train_shares(asked: tuple[Any, ...], train_side: Dataset, spec: RunSpec) -> dict[str, Trained]:
    """Adapters taught all training rows and shares of them; ``asked`` is what the step of training is given."""
    base, tokens, *others = asked
    tried = wanted(spec)
    found = {share(1): train(*asked, spec.training)}
    for part in tried.learning_curve:
        less = subset(tokens, train_side, part, tried.seed)
        found[share(part)] = called(train, share(part))(base, less, *others, spec.training)
    return found


def called(made: Step, name: str) -> Step:
    """A step of the same key whose runs are told apart by name, in Prefect and in a terminal."""
    return cast("Step", made.with_options(task_run_name=f"{made.name} {name}".replace("/", "|")))


def _both(train: Dataset, locked: Dataset) -> tuple[list[Record], list[Record]]:
    """Training records and requests, of which none may be both."""
    indexed, asked = ([record for shard in shards.each(each) for record in shard] for each in (train, locked))
    retrieval.refuse_shared(indexed, asked)
    return indexed, asked


def _filed(examples: Mapping[str, Sequence[str]]) -> Artifact:
    return store().put("examples", json.dumps(examples, sort_keys=True).encode())


def _tree(work: Path, names: Sequence[str]) -> Artifact:
    """Some files of a folder as one artefact."""
    kept = work / "kept"
    kept.mkdir(exist_ok=True)
    for name in names:
        (work / name).replace(kept / name)
    return store().put_tree("approach", kept)
