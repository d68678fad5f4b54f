"""What a run starts from: a recipe, and the small files it names, pinned by digest.

Nothing here is cached. It looks at the world once, so that everything after it can be keyed on
what was found.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assay import recipes
from assay.artifacts import Artifact, Questions, Reference
from assay.data import contamination, corrections, sources
from assay.errors import RecipeError
from assay.evaluation import sampling
from assay.policy import RedactionSpec
from assay.spec import DOORWAYS, ContaminationSpec, CurationSpec, ExpectationsSpec, RunSpec
from assay.tuning import ReplaySpec
from expectations import suite, waivers
from tasks import planting
from tasks import questions as asking
from tasks.files import contents, pinned
from tasks.places import store

_TOLD = 3
"""Prompts that an error names."""

ABOUT_DATA = ("name", "owner", "purpose", "intended_use", "sources", "redaction", "curation", "split", "replay")


class Inputs(Reference):
    """A recipe with every digest filled in, and its small files in the store."""

    spec: RunSpec
    card: dict[str, Any]
    """The recipe as written, with the digests of its sources and prompts: what a reader is shown."""

    about_data: dict[str, Any]
    """Of the recipe, what concerns the data: all that a data card says of it."""

    about: dict[str, str]
    """Of the recipe, its name and who answers for it."""

    suites: dict[str, Artifact]
    """Doorway → suite."""

    waived: dict[str, Artifact]
    """Doorway → waivers of its suite's checks, and whether each is in force today."""

    decisions: Artifact
    """What a person decided on single records."""

    questions: Questions
    examined: Artifact
    """Every text that a model is examined in, which no record may quote."""

    prompts: Artifact | None
    """General prompts that the base is to answer, if the recipe asks for replay."""


def open_recipe(path: str, settings: dict[str, object] | None = None) -> Inputs:
    """Read a recipe, check what it names, and pin it.

    Args:
        path: A ``recipe.yaml``, or the folder that holds one.
        settings: Dotted path → value, applied over the file.

    Raises:
        RecipeError: the recipe, or a file that it names, is wrong.
        SourceError: a source is not there, or is not the bytes that the recipe names.
    """
    file = Path(path)
    file = (file / "recipe.yaml" if file.is_dir() else file).absolute()
    written = recipes.parse(contents(str(file), "recipe"), file.name, settings)
    spec = _located(written, file.parent)
    planting.check(spec)
    suites = {name: _suite(name, getattr(spec.expectations, name)) for name in DOORWAYS}
    decisions = contents(spec.curation.corrections, "corrections") if spec.curation.corrections else b""
    corrections.load(decisions)
    questions, benchmarks = asking.questions(spec.evaluation, spec.prompt)
    examined = store().put(
        "benchmark", contamination.gathered({name: store().get(filed) for name, filed in benchmarks.items()})
    )
    prompts = _prompts(spec.replay, examined, spec.curation.contamination)
    filled = _with_digests(spec, benchmarks, prompts)
    card = _card(written, filled)
    return Inputs(
        spec=filled,
        card=card,
        about_data={name: card[name] for name in ABOUT_DATA}
        | {"label": spec.prompt.label, "redaction": _about_redaction(spec.redaction)},
        about={"name": spec.name, "owner": spec.owner},
        suites=suites,
        waived=_waived(spec.expectations.waivers, suites),
        decisions=store().put("corrections", decisions),
        questions=questions,
        examined=examined,
        prompts=prompts,
    )


def _about_redaction(spec: RedactionSpec) -> dict[str, Any]:
    shown: dict[str, Any] = spec.model_dump(mode="json", include={"profile", "threshold", "max_characters"})
    return shown | {"entities": list(spec.entities), "surrogates": sorted(spec.surrogates)}


def _located(spec: RunSpec, folder: Path) -> RunSpec:
    """The recipe with every URI made absolute."""

    def here(uri: str) -> str:
        return sources.locate(uri, folder)

    def located(part: ExpectationsSpec | CurationSpec, names: Iterable[str]) -> dict[str, str]:
        return {name: here(uri) for name in names if (uri := getattr(part, name)) is not None}

    doorways = located(spec.expectations, type(spec.expectations).model_fields)
    return spec.model_copy(
        update={
            "sources": tuple(source.model_copy(update={"uri": here(source.uri)}) for source in spec.sources),
            "base": spec.base.model_copy(update={"uri": here(spec.base.uri)}),
            "prompt": spec.prompt.model_copy(update={"output_schema": here(spec.prompt.output_schema)}),
            "expectations": spec.expectations.model_copy(update=doorways),
            "redaction": spec.redaction.model_copy(
                update={
                    "recognisers": tuple(
                        each.model_copy(update={"uri": here(each.uri)}) for each in spec.redaction.recognisers
                    )
                }
            ),
            "curation": spec.curation.model_copy(update=located(spec.curation, ["corrections"])),
            "replay": spec.replay and spec.replay.model_copy(update={"prompts": here(spec.replay.prompts)}),
            "evaluation": asking.located(spec.evaluation, here),
            "approaches": spec.approaches
            and spec.approaches.model_copy(
                update={
                    "bases": tuple(base.model_copy(update={"uri": here(base.uri)}) for base in spec.approaches.bases)
                }
            ),
        }
    )


def _card(written: RunSpec, pinned: RunSpec) -> dict[str, Any]:
    card: dict[str, Any] = written.model_dump(mode="json")
    for shown, source in zip(card["sources"], pinned.sources, strict=True):
        shown["digest"] = source.digest
    if pinned.replay:
        card["replay"]["digest"] = pinned.replay.digest
    return card


def _with_digests(spec: RunSpec, benchmarks: Mapping[str, Artifact], prompts: Artifact | None) -> RunSpec:
    found = []
    for source in spec.sources:
        digest = sources.digest(source)
        if source.digest not in (None, digest):
            raise RecipeError(
                f"source {source.name}: found bytes with digest {digest[:12]}; expected {str(source.digest)[:12]}. "
                "Restore the file, or put the new digest in the recipe."
            )
        found.append(source.model_copy(update={"digest": digest}))
    evaluation = asking.with_digests(spec.evaluation, benchmarks)
    replay = spec.replay and spec.replay.model_copy(update={"digest": prompts and prompts.digest})
    return spec.model_copy(update={"sources": tuple(found), "evaluation": evaluation, "replay": replay})


def _prompts(spec: ReplaySpec | None, examined: Artifact, limits: ContaminationSpec) -> Artifact | None:
    """File the prompts of a replay, after checking that the base is not asked what it will be examined in."""
    if spec is None:
        return None
    filed = pinned(spec.prompts, "prompts", spec.digest)
    index = contamination.Index(contamination.benchmark_texts(store().get(examined)), limits.words)
    prompts = sampling.parse(store().get(filed))
    overlaps = [(each.id, found) for each in prompts if (found := index.quoted(each.prompt))]
    if quoting := [f"{id!r} quotes {found[0]}" for id, found in overlaps if found[1] >= limits.overlap]:
        raise RecipeError(
            f"replay.prompts: found {len(quoting)} of {len(prompts)} prompts that quote what the model is examined in "
            f"({'; '.join(quoting[:_TOLD])}); expected none: what is learned cannot be examined. Remove them."
        )
    return filed


def _waived(uri: str | None, suites: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """For each doorway, the waivers of its checks as they stand today; the day is in no key, what it changes is."""
    given = waivers.load(contents(uri, "waivers"), uri) if uri else ()
    checks = {name: [check.id for check in suite.load(store().get(each), name).checks] for name, each in suites.items()}
    waivers.refuse_unknown(given, [id for ids in checks.values() for id in ids])
    today = dt.datetime.now(dt.UTC).date()
    return {
        name: store().put("waivers", waivers.to_json(waivers.standing(given, ids, today)))
        for name, ids in checks.items()
    }


def _suite(doorway: str, uri: str) -> Artifact:
    data = contents(uri, "suite")
    if (found := suite.load(data, uri).name) != doorway:
        raise RecipeError(
            f"expectations.{doorway}: found suite {found!r} in {uri}; expected one called {doorway}: what it may ask "
            "depends on where it stands. Name another file."
        )
    return store().put("suite", data)
