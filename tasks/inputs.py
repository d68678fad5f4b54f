"""What a run starts from: a recipe, and the small files it names, pinned by digest.

Nothing here is cached. It looks at the world once, so that everything after it can be keyed on
what was found.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import fsspec

from assay import recipes
from assay.artifacts import Artifact, Reference
from assay.data import contamination, corrections, sources
from assay.errors import RecipeError
from assay.evaluation import likelihood, sampling
from assay.policy import RedactionSpec
from assay.spec import DOORWAYS, ContaminationSpec, CurationSpec, ExpectationsSpec, RunSpec
from assay.tuning import ReplaySpec
from expectations import suite, waivers
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

    schema_: Artifact
    benchmark: Artifact
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
    written = recipes.parse(_bytes(str(file), "recipe"), file.name, settings)
    spec = _located(written, file.parent)
    suites = {name: _suite(name, getattr(spec.expectations, name)) for name in DOORWAYS}
    decisions = _bytes(spec.curation.corrections, "corrections") if spec.curation.corrections else b""
    corrections.load(decisions)
    benchmark = _pinned(spec.evaluation.general_ability.uri, "benchmark", spec.evaluation.general_ability.digest)
    likelihood.parse(store().get(benchmark))
    prompts = _prompts(spec.replay, benchmark, spec.curation.contamination)
    schema = _schema(spec.prompt.output_schema)
    _refuse_unknown_label(spec, schema)
    pinned = _with_digests(spec, benchmark, prompts)
    card = _card(written, pinned)
    return Inputs(
        spec=pinned,
        card=card,
        about_data={name: card[name] for name in ABOUT_DATA}
        | {"label": spec.prompt.label, "redaction": _about_redaction(spec.redaction)},
        about={"name": spec.name, "owner": spec.owner},
        suites=suites,
        waived=_waived(spec.expectations.waivers, suites),
        decisions=store().put("corrections", decisions),
        schema_=schema,
        benchmark=benchmark,
        prompts=prompts,
    )


def _about_redaction(spec: RedactionSpec) -> dict[str, Any]:
    shown: dict[str, Any] = spec.model_dump(mode="json", include={"profile", "threshold", "max_characters"})
    return shown | {"entities": list(spec.entities), "surrogates": sorted(spec.surrogates)}


def _refuse_unknown_label(spec: RunSpec, schema: Artifact) -> None:
    fields = json.loads(store().get(schema)).get("properties", {})
    if spec.prompt.label not in fields:
        raise RecipeError(
            f"prompt.label: found {spec.prompt.label!r}; expected a property of the schema: {', '.join(fields)}."
        )


def _located(spec: RunSpec, folder: Path) -> RunSpec:
    """The recipe with every URI made absolute."""

    def here(uri: str) -> str:
        return sources.locate(uri, folder)

    def located(part: ExpectationsSpec | CurationSpec, names: Iterable[str]) -> dict[str, str]:
        return {name: here(uri) for name in names if (uri := getattr(part, name)) is not None}

    doorways = located(spec.expectations, type(spec.expectations).model_fields)
    ability = spec.evaluation.general_ability
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
            "evaluation": spec.evaluation.model_copy(
                update={"general_ability": ability.model_copy(update={"uri": here(ability.uri)})}
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


def _with_digests(spec: RunSpec, benchmark: Artifact, prompts: Artifact | None) -> RunSpec:
    found = []
    for source in spec.sources:
        digest = sources.digest(source)
        if source.digest not in (None, digest):
            raise RecipeError(
                f"source {source.name}: found bytes with digest {digest[:12]}; expected {str(source.digest)[:12]}. "
                "Restore the file, or put the new digest in the recipe."
            )
        found.append(source.model_copy(update={"digest": digest}))
    ability = spec.evaluation.general_ability.model_copy(update={"digest": benchmark.digest})
    evaluation = spec.evaluation.model_copy(update={"general_ability": ability})
    replay = spec.replay and spec.replay.model_copy(update={"digest": prompts and prompts.digest})
    return spec.model_copy(update={"sources": tuple(found), "evaluation": evaluation, "replay": replay})


def _bytes(uri: str, what: str) -> bytes:
    try:
        with fsspec.open(uri, "rb") as file:
            return bytes(file.read())
    except (OSError, ValueError, ImportError) as error:
        found = "nothing" if isinstance(error, FileNotFoundError) else type(error).__name__
        raise RecipeError(f"{what}: found {found} at {uri}; expected a file. Check the path.") from None


def _pinned(uri: str, kind: str, digest: str | None) -> Artifact:
    artifact = store().put(kind, _bytes(uri, kind))
    if digest not in (None, artifact.digest):
        raise RecipeError(
            f"{kind} {uri}: found bytes with digest {artifact.digest[:12]}; expected {str(digest)[:12]}. "
            "Restore the file, or put the new digest in the recipe."
        )
    return artifact


def _prompts(spec: ReplaySpec | None, benchmark: Artifact, limits: ContaminationSpec) -> Artifact | None:
    """File the prompts of a replay, after checking that the base is not asked what it will be examined in."""
    if spec is None:
        return None
    filed = _pinned(spec.prompts, "prompts", spec.digest)
    index = contamination.Index(contamination.benchmark_texts(store().get(benchmark)), limits.words)
    prompts = sampling.parse(store().get(filed))
    overlaps = [(each.id, found) for each in prompts if (found := index.quoted(each.prompt))]
    if quoting := [f"{id!r} quotes {found[0]}" for id, found in overlaps if found[1] >= limits.overlap]:
        raise RecipeError(
            f"replay.prompts: found {len(quoting)} of {len(prompts)} prompts that quote the general-ability benchmark "
            f"({'; '.join(quoting[:_TOLD])}); expected none: what is learned cannot be examined. Remove them."
        )
    return filed


def _waived(uri: str | None, suites: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """For each doorway, the waivers of its checks as they stand today; the day is in no key, what it changes is."""
    given = waivers.load(_bytes(uri, "waivers"), uri) if uri else ()
    checks = {name: [check.id for check in suite.load(store().get(each), name).checks] for name, each in suites.items()}
    waivers.refuse_unknown(given, [id for ids in checks.values() for id in ids])
    today = dt.datetime.now(dt.UTC).date()
    return {
        name: store().put("waivers", waivers.to_json(waivers.standing(given, ids, today)))
        for name, ids in checks.items()
    }


def _suite(doorway: str, uri: str) -> Artifact:
    data = _bytes(uri, "suite")
    if (found := suite.load(data, uri).name) != doorway:
        raise RecipeError(
            f"expectations.{doorway}: found suite {found!r} in {uri}; expected one called {doorway}: what it may ask "
            "depends on where it stands. Name another file."
        )
    return store().put("suite", data)


def _schema(uri: str) -> Artifact:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    data = _bytes(uri, "schema")
    try:
        Draft202012Validator.check_schema(json.loads(data))
    except (ValueError, SchemaError) as error:
        # Its message would quote the file, which may be data named by mistake.
        where = f"at {error.json_path}: {error.validator}" if isinstance(error, SchemaError) else "it is not JSON"
        raise RecipeError(
            f"schema {uri}: found no valid JSON schema ({where}); expected draft 2020-12. Mend the file."
        ) from None
    return store().put("schema", data)
