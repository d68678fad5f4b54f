"""Contestants: two registered versions that are to be compared, and what they have already answered.

A version is named by its number, by where it stands (``production``, ``staging``, ``candidate``), or by the run that
made it. Its answers are found by what they were asked of: base and adapter, among the questions that this deployment
has on file. Two evaluations are taken only if all that was asked is the same, by digest; which of several, the last.
They are asked anew by a recipe that somebody names, and by the second version's own if more than its gate or its price
is changed in it. Versions that read text differently are refused before anything is asked.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from assay.artifacts import Artifact, Dataset, Evaluated, canonical, digest_of
from assay.errors import DataError, IncomparableError, RegistryError
from assay.evaluations import Evaluation
from assay.model import prompting
from assay.trials import GateSpec
from tasks import registry, runs, telling
from tasks.caching import answer_to
from tasks.inputs import Inputs, open_recipe
from tasks.models import evaluate
from tasks.places import checkout, folder, store
from tasks.pool import in_process

JUDGING = ("gate", "price")
"""Parts of a recipe that change nothing of what is asked."""


@dataclass(frozen=True, slots=True)
class Version:
    """One that is registered."""

    model: str
    number: int
    identity: str
    base: Artifact
    adapter: Artifact
    recipe: str | None = None
    """Digest of the recipe that made it, if the registry says so."""

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
    inputs: dict[str, Any]
    """Of the step, as its key has them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both, each asked the same."""

    baseline: Evaluated
    candidate: Evaluated
    test: Dataset
    is_anew: bool = False
    """Whether it was asked for this comparison, and not taken from what is on file."""


@dataclass(frozen=True, slots=True)
class Judge:
    """The recipe whose gate judges, and by which both are asked."""

    given: Inputs
    asks_anew: bool
    """Whether what is on file may have been asked otherwise."""

    differs: bool
    """Whether it is the second version's own, and was changed since that was made."""


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


def judge(version: Version, recipe: str | None, settings: Mapping[str, object]) -> Judge:
    """The recipe that judges: the one that is named, or else the one that made ``version``.

    Raises:
        DataError: none is named, and the run that made it is not on file here.
        RecipeError: the recipe is wrong.
    """
    if recipe:
        return Judge(open_recipe(recipe, dict(settings)), asks_anew=True, differs=False)
    path, changed = recipe_of(version)
    own = open_recipe(path, changed)
    anew = any(setting.partition(".")[0] not in JUDGING for setting in settings)
    differs = version.recipe not in {None, digest_of(own.card)}
    return Judge(open_recipe(path, {**changed, **settings}) if settings else own, anew, differs)


def recipe_of(version: Version) -> tuple[str, dict[str, Any]]:
    """The recipe that a version was made with, and what was changed in it.

    Raises:
        DataError: the run that made it is not on file here.
    """
    made = _made(version)
    if made is None or not made.get("recipe_file"):
        raise DataError(
            f"{version.name}: found no run on file that made it; expected one, which names its recipe. Say which "
            "recipe with --recipe."
        )
    return made["recipe_file"], made.get("settings") or {}


def leaks(version: Version, gate: GateSpec) -> Artifact | None:
    """The leak audit of the run that made a version, if that is on file, and the gate demands anything of it."""
    if gate.max_leak_rate is None or gate.max_exposure is None:
        return None
    filed = ((_made(version) or {}).get("pages") or {}).get("content_digest")
    content = Artifact(kind=telling.KIND, digest=filed) if filed else None
    audit = None
    with suppress(ValidationError):  # It was told by a release that audited otherwise.
        audit = telling.read(content).leaks if content and store().holds(content) else None
    return store().put("leak-audit", audit.model_dump_json(indent=1).encode()) if audit else None


def answers(first: Version, second: Version, judge: Judge, test: Callable[[], Dataset]) -> Pair:
    """What both answered to one question: what is on file, or else what they are asked now.

    Args:
        first: The baseline.
        second: The candidate.
        judge: By whose recipe.
        test: Gives the test side of that recipe; it is made only if they are asked now.

    Raises:
        IncomparableError: they read text differently.
    """
    refuse_unlike(first, second, judge.given.spec.prompt.system)
    found = None if judge.asks_anew else alike(first, second, judge.given)
    return found or _asked(first, second, judge.given, test())


def refuse_unlike(first: Version, second: Version, system: str) -> None:
    """Refuse versions whose bases have another tokenizer or chat template: no question of both is the same.

    Raises:
        IncomparableError: they have.
    """
    if first.base == second.base or _read_as(first.base) == _read_as(second.base):
        return
    before, after = (in_process(reading_of, version.base, system) for version in (first, second))
    if before != after:
        part = "tokenizers" if before[0] != after[0] else "chat templates"
        raise IncomparableError(
            f"{first.name} and {second.name}: found bases with different {part}; expected bases that read text alike, "
            "as answers, likelihoods and times of others cannot be paired. Compare versions of one base, or ask each "
            "beside the other with `assay decide`, which takes several bases."
        )


def reading_of(base: Artifact, system: str) -> tuple[str, str]:
    """What a base makes of text: digests of its vocabulary, and of a probe conversation; in a process of the pool."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkout(base), local_files_only=True, trust_remote_code=False)
    return digest_of(dict(tokenizer.get_vocab())), prompting.digest(tokenizer, system)


def alike(first: Version, second: Version, given: Inputs | None = None) -> Pair | None:
    """What both answered to one question, if both were ever asked one: as ``given`` asks, or else the last such."""
    before = list(_answers(first))
    found = [(one, two) for two in _answers(second) for one in before if one.question == two.question]
    if not found:
        return None
    asked = asked_by(given) if given else {}
    one, two = next((pair for pair in found if asked.items() <= pair[1].inputs.items()), found[0])
    return Pair(one.evaluated, two.evaluated, two.test)


def asked_by(given: Inputs) -> dict[str, Any]:
    """What a recipe asks, as the key of the step has it, the records themselves aside."""
    spec = given.spec
    asked = {"questions": given.questions, "dtype": spec.base.dtype, "prompt": spec.prompt, "spec": spec.evaluation}
    return {name: canonical(value) for name, value in asked.items()}


def _read_as(base: Artifact) -> dict[str, str]:
    """Files of a base that say how it reads text, by digest."""
    wanted = ("tokenizer", "special_tokens", "chat_template", "vocab", "merges", "added_tokens")
    return {name: str(entry["sha256"]) for name, entry in store().files(base).items() if name.startswith(wanted)}


def _asked(first: Version, second: Version, given: Inputs, test: Dataset) -> Pair:
    """What both answer now; whatever they were asked before comes from the cache."""
    asked = (test, given.questions, given.spec.base.dtype, given.spec.prompt, given.spec.evaluation)
    before, after = (evaluate(version.base, version.adapter, *asked) for version in (first, second))
    return Pair(before, after, test, is_anew=True)


def _made(version: Version) -> dict[str, Any] | None:
    """The record of the run that made a version."""
    return next((row for row in runs.every() if row.get("identity") == version.identity), None)


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
    return Version(row["model"], int(row["version"]), row["identity"], base, adapter, row.get("recipe"))


def _answers(version: Version) -> Iterator[Answered]:
    """All that is on file and whole, last asked first."""
    asked = folder("questions").glob(f"{evaluate.name}-*/*.json")
    for path in sorted(asked, key=lambda path: path.stat().st_mtime, reverse=True):
        inputs = json.loads(path.read_text())["inputs"]
        if _digests(inputs) != (version.base.digest, version.adapter.digest):
            continue
        answer = answer_to(path.stem)
        if isinstance(answer, Evaluated):
            with suppress(ValidationError):  # A release that told it in another form asked otherwise, too.
                told = Evaluation.model_validate_json(store().get(answer.summary))
                yield Answered(answer, told.question, _dataset(inputs["test"]), inputs)


def _digests(inputs: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple((inputs.get(name) or {}).get("digest") for name in ("base", "adapter"))


def _dataset(told: Mapping[str, Any]) -> Dataset:
    shards = [{name: value for name, value in shard.items() if name != "__type__"} for shard in told["shards"]]
    return Dataset(shards=tuple(Artifact.model_validate(shard) for shard in shards))
