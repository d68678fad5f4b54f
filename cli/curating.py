"""``assay curate review`` and ``assay curate correct``: from what methods doubt to what a person decides."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import DataError, RecipeError
from cli import files
from cli.running import parse_settings
from cli.tables import Steps, columns

if TYPE_CHECKING:
    from assay.data.decisions import Correction
    from assay.records import Record, Suspect
    from assay.spec import RunSpec
    from flows.curate_records import Curated
    from tasks.inputs import Inputs

BESIDE = "corrections.csv"
"""What the corrections file is called if the recipe names none; it lies beside the recipe."""


def review(recipe: str, settings: list[str], out: str, *, force: bool) -> None:
    """Curate a recipe's records and write those that a person should look at to a file.

    What a training on these very records never learned, or learned last, is among them.
    """
    changed = parse_settings(settings)
    if not force:
        _refuse_edited(Path(out))
    from assay.data import review as reviewing
    from assay.records import suspects_from_parquet
    from assay.store import write_atomically
    from tasks.inputs import open_recipe
    from tasks.places import store

    given = open_recipe(recipe, changed)  # Before a server is started, as `assay run` does.
    print(f"assay curate review {recipe}")
    curated = _curated(recipe, changed)
    suspects = [*suspects_from_parquet(store().get(curated.suspects)), *_hard(recipe, given, curated)]
    if not suspects:
        print("\nnothing to review: no record is doubted that nobody has decided on yet")
        return
    page = reviewing.write(suspects, _shown(suspects, curated), given.spec.prompt.label)
    # It shows what customers wrote, redacted; who may read the folder need not be who may read that.
    write_atomically(Path(out), page, mode=0o600)
    kinds = Counter(suspect.kind for suspect in suspects)
    print(f"\n{columns([(kind, str(count)) for kind, count in sorted(kinds.items())])}")
    print(f"{len({suspect.id for suspect in suspects})} records to look at in {out}")
    print(
        "\nfill in `decision` (keep, drop or relabel), `label` (with relabel) and `reason` where you have decided, "
        f"then\n  assay curate correct {recipe} {out} --who YOU"
    )


def correct(recipe: str, reviewed: str, who: str) -> None:
    """Add the decisions in a reviewed file to the recipe's corrections."""
    from assay.data import corrections
    from assay.data import review as reviewing
    from assay.store import write_atomically

    file, spec = files.recipe(recipe)
    target = _target(file, spec)
    old = files.read(target, "corrections") if target.exists() else None
    new = reviewing.merge(old, files.read(reviewed, "review"), who, _labels(file, spec))
    if new == old:
        print(f"nothing new: every decision in {reviewed} already stands in {target}")
    else:
        write_atomically(target, new)
        _tell(corrections.load(new)[len(corrections.load(old or b"")) :], target)
    if spec.curation.corrections is None:
        print(f"\nthe recipe names no corrections; put this into {file}:\n\ncuration:\n  corrections: {BESIDE}")


def _curated(recipe: str, changed: dict[str, object]) -> "Curated":
    from flows.curate_records import curate_records
    from tasks import pool, steps

    shown = Steps(sys.stdout)
    steps.observers.append(shown.ended)
    try:
        return curate_records(recipe, changed)
    finally:
        steps.observers.remove(shown.ended)
        pool.close()
        shown.close()


def _hard(recipe: str, given: "Inputs", curated: "Curated") -> "list[Suspect]":
    """What a training on these records showed to be hard; if there was one on others only, that is said."""
    from tasks import noticing

    found = noticing.noticed(curated.curated.records, given.spec.split, given.decisions)
    if found is None and noticing.is_trained(recipe):
        print(
            "\nwhat a model never learned is not listed: no training on these very records is on file, though one of "
            f"this recipe on others is. `assay run {recipe}` makes one."
        )
    return found or []


def _shown(suspects: "Iterable[Suspect]", curated: "Curated") -> "dict[str, Record]":
    """The redacted records that a reviewer is shown: suspects and their twins."""
    from tasks import shards

    wanted = {id for suspect in suspects for id in (suspect.id, suspect.twin)}
    return {record.id: record for shard in shards.each(curated.records) for record in shard if record.id in wanted}


def _refuse_edited(path: Path) -> None:
    """Refuse to write over what a person has worked on, or over what is no review."""
    if not path.exists():
        return
    from assay.data import review as reviewing

    try:
        decided = reviewing.decisions_in(files.read(path, "review"))
    except DataError:
        raise RecipeError(
            f"review: found another file at {path}; expected none, or a review. Name another with --out, or say "
            "--force to lose it."
        ) from None
    if decided:
        raise RecipeError(
            f"review: found {decided} rows that somebody has filled in at {path}; expected none. Feed it back with "
            "`assay curate correct`, name another file with --out, or say --force to lose them."
        )


def _target(recipe: Path, spec: "RunSpec") -> Path:
    from assay.data import sources

    uri = sources.locate(spec.curation.corrections or BESIDE, recipe.parent)
    if "://" in uri:
        raise RecipeError(
            f"curation.corrections: found {uri}; expected a local file to add to. Download it, name it in the recipe, "
            "and put it back."
        )
    return Path(uri)


def _labels(recipe: Path, spec: "RunSpec") -> tuple[str, ...]:
    """The labels that the schema of answers lists; none if it lists none."""
    import fsspec

    from assay.data import sources

    uri = sources.locate(spec.prompt.output_schema, recipe.parent)
    try:
        with fsspec.open(uri, "rb") as file:
            listed = json.loads(file.read())["properties"][spec.prompt.label].get("enum", ())
    except (OSError, ValueError, ImportError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(
            f"schema: found {type(error).__name__} at {uri}; expected a JSON schema with the property "
            f"{spec.prompt.label}. Check `prompt` in the recipe."
        ) from None
    return tuple(each for each in listed if isinstance(each, str))


def _tell(added: "Iterable[Correction]", target: Path) -> None:
    made = list(added)
    kinds = Counter(correction.action for correction in made)
    what = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{target}: version {made[0].version}, {len(made)} decisions added ({what})")
