"""Contestants: two registered versions that are to be compared, and what they have already answered.

A version is named by its number, by where it stands (``production``, ``staging``, ``candidate``), or by the run that
made it. Its answers are found by what they were asked of: base and adapter, among the questions that this deployment
has on file. Two evaluations are taken only if all that was asked is the same, by digest; which of several, the last.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.artifacts import Artifact, Dataset, Evaluated
from assay.errors import DataError, RegistryError
from assay.evaluations import Evaluation
from tasks import registry, runs
from tasks.caching import answer_to
from tasks.models import evaluate
from tasks.places import folder, store


@dataclass(frozen=True, slots=True)
class Version:
    """One that is registered."""

    model: str
    number: int
    identity: str
    base: Artifact
    adapter: Artifact

    @property
    def name(self) -> str:
        """As a person calls it."""
        return f"{self.model} {self.number}"

    def told(self) -> dict[str, Any]:
        """As a record says which it was."""
        return {"name": self.name, "model": self.model, "version": self.number, "identity": self.identity}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a version answered, and on which records."""

    evaluated: Evaluated
    question: dict[str, Any]
    test: Dataset


@dataclass(frozen=True, slots=True)
class Pair:
    """Both, each asked the same."""

    baseline: Evaluated
    candidate: Evaluated
    test: Dataset


def find(name: str, model: str | None = None) -> Version:
    """A version by its number, by where it stands, or by the beginning of the id of its run.

    Raises:
        RegistryError: there is no such version, or more than one.
    """
    rows = [row for row in registry.versions() if model in (None, row["model"])]
    found = [row for row in rows if name == str(row["version"]) or name in row["aliases"]]
    if not found:
        found = _of_run(name, rows)
    if len(found) != 1:
        names = ", ".join(sorted({row["model"] for row in found})) or "none"
        raise RegistryError(
            f"found {len(found)} versions named {name!r} (of models: {names}); expected one: a number, production, "
            "staging, candidate, or a run's id, and --model if there are several. See `assay list`."
        )
    return _version(found[0])


def both(first: str, second: str, model: str | None = None) -> tuple[Version, Version]:
    """Two versions by name.

    Raises:
        RegistryError: one is not there, or they are the same weights.
    """
    versions = find(first, model), find(second, model)
    if (versions[0].base, versions[0].adapter) == (versions[1].base, versions[1].adapter):
        raise RegistryError(
            f"{versions[0].name} and {versions[1].name}: found the same weights, {versions[0].adapter.digest[:12]}; "
            "expected two models. Name another version."
        )
    return versions


def recipe(version: Version) -> tuple[str, dict[str, Any]]:
    """The recipe that a version was made with, and what was changed in it.

    Raises:
        DataError: the run that made it is not on file here.
    """
    made = next((row for row in runs.every() if row.get("identity") == version.identity), None)
    if made is None or not made.get("recipe_file"):
        raise DataError(
            f"{version.name}: found no run on file that made it; expected one, which names its recipe. Say which "
            "recipe with --recipe."
        )
    return made["recipe_file"], made.get("settings") or {}


def alike(first: Version, second: Version) -> Pair | None:
    """What both answered to one question, if both were ever asked one; the last such."""
    before = list(_answers(first))
    for after in _answers(second):
        for other in before:
            if other.question == after.question:
                return Pair(other.evaluated, after.evaluated, after.test)
    return None


def _of_run(name: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The version that a run made; a run's record names it by its identity, which no edited tag can change."""
    made = runs.every()[:1] if name == "latest" else [row for row in runs.every() if row["run"].startswith(name)]
    identities = {row.get("identity") for row in made}
    return [row for row in rows if row.get("identity") in identities]


def _version(row: Mapping[str, Any]) -> Version:
    base, adapter = (Artifact(kind=kind, digest=row[kind], tree=True) for kind in ("base", "adapter"))
    for artifact in (base, adapter):
        if not store().holds(artifact):
            raise DataError(
                f"{row['model']} {row['version']}: found no {artifact.kind} {artifact.digest[:12]} in the store; "
                "expected it. Restore it, or run its recipe again."
            )
    return Version(row["model"], int(row["version"]), row["identity"], base, adapter)


def _answers(version: Version) -> Iterator[Answered]:
    """All that is on file and whole, last asked first."""
    asked = folder("questions").glob(f"{evaluate.name}-*/*.json")
    for path in sorted(asked, key=lambda path: path.stat().st_mtime, reverse=True):
        inputs = json.loads(path.read_text())["inputs"]
        if _digests(inputs) != (version.base.digest, version.adapter.digest):
            continue
        answer = answer_to(path.stem)
        if isinstance(answer, Evaluated):
            told = Evaluation.model_validate_json(store().get(answer.summary))
            yield Answered(answer, told.question, _dataset(inputs["test"]))


def _digests(inputs: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple((inputs.get(name) or {}).get("digest") for name in ("base", "adapter"))


def _dataset(told: Mapping[str, Any]) -> Dataset:
    shards = [{name: value for name, value in shard.items() if name != "__type__"} for shard in told["shards"]]
    return Dataset(shards=tuple(Artifact.model_validate(shard) for shard in shards))
