"""``assay expectations try``: what a suite would say of data, before anybody runs anything."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ExpectationError, RecipeError
from assay.spec import DOORWAYS, NearDuplicatesSpec
from cli import expecting, files, wrapping

if TYPE_CHECKING:
    import pandas as pd

    from assay.records import Record
    from assay.spec import RunSpec
    from expectations.outcome import Finding, Outcome
    from expectations.suite import Suite
    from expectations.waivers import Standing

SHOWN = 5
"""Row ids that a check's line names."""

NOBODY = b"assay expectations try"
"""Pseudonyms made with this key are looked at by no one and kept nowhere."""


def try_out(  # noqa: PLR0913
    name: str, data: str, columns: str | None, schema: str | None, waived: str | None, *, as_json: bool
) -> bool:
    """Run a suite on data, print what it finds, and say whether a run could go on.

    Args:
        name: Of the suite: a file, or a name.
        data: A .jsonl, .csv or .parquet file, or a recipe, whose sources are read.
        columns: Pairs such as ``prompt=message,id=ticket``: what the suite calls it = what the file calls it.
        schema: File of the JSON schema that answers must satisfy.
        waived: File of waivers.
        as_json: Print the outcome and nothing else.
    """
    from expectations import gate, outcome

    suite = expecting.load(name)
    twins = NearDuplicatesSpec()
    others: list[str] | None = None
    if files.is_recipe(data):
        if columns is not None:
            raise RecipeError("--columns: found it beside a recipe; expected one of them. The recipe names columns.")
        file, spec = files.recipe(data)
        schema = schema or _beside(file, spec.prompt.output_schema)
        waived = waived or (spec.expectations.waivers and _beside(file, spec.expectations.waivers))
        twins = spec.curation.near_duplicates
        others = [_beside(file, getattr(spec.expectations, name)) for name in DOORWAYS]
        frames = _of_recipe(file, spec, suite)
    else:
        frames = _of_table(data, columns, suite)
    found = gate.check(frames, suite, _resources(suite, schema, twins), _standing(suite, waived, others))
    if as_json:
        print(outcome.to_json(found).decode(), end="")
    else:
        _tell(found)
    return found.decision != "stop"


def _of_table(data: str, columns: str | None, suite: "Suite") -> "Iterator[pd.DataFrame]":
    from expectations import tables

    return tables.read(Path(data), suite.columns, _pairs(columns), suite.name)


def _of_recipe(file: Path, spec: "RunSpec", suite: "Suite") -> "Iterator[pd.DataFrame]":
    from assay.data import sources
    from assay.records import to_parquet
    from expectations import frames

    given = [source.model_copy(update={"uri": _beside(file, source.uri)}) for source in spec.sources]
    records = (record for source in given for record in sources.read(source, NOBODY))
    for shard in sources.shards(records, sources.SHARD_ROWS):
        yield frames.of_records(to_parquet(shard), spec.prompt.label, raw=_known(shard), columns=suite.columns)


def _known(shard: "Sequence[Record]") -> dict[str, tuple[str, ...]]:
    return {record.id: tuple(known.value for known in record.known) for record in shard}


def _pairs(columns: str | None) -> dict[str, str]:
    named: dict[str, str] = {}
    for pair in columns.split(",") if columns else ():
        ours, sign, theirs = (part.strip() for part in pair.partition("="))
        if not (ours and sign and theirs) or ours in named:
            raise RecipeError("--columns: found no list of pairs; expected such as prompt=message,id=ticket.")
        named[ours] = theirs
    return named


def _resources(suite: "Suite", schema: str | None, twins: NearDuplicatesSpec) -> dict[str, object]:
    """What checks name in the suite; the schema under whatever name they give it."""
    from assay.data.near_duplicates import Twins

    found: dict[str, object] = {"near_duplicates": lambda: Twins(twins)}
    if schema is None:
        return found
    try:
        content = json.loads(files.read(schema, "schema"))
    except (ValueError, RecursionError):
        raise RecipeError(f"schema: found no JSON at {schema}; expected a JSON schema. Mend the file.") from None
    return found | {str(c.parameters["schema"]): content for c in suite.checks if "schema" in c.parameters}


def _standing(suite: "Suite", waived: str | None, others: Sequence[str] | None) -> "tuple[Standing, ...]":
    """The waivers of the suite's checks.

    One of a check that neither the suite has nor one of the ``others`` is refused, as a run would refuse it.
    """
    from expectations import waivers

    given = waivers.load(files.read(waived, "waivers"), waived) if waived else ()
    own = [check.id for check in suite.checks]
    if waived and given:
        told = [check for path in others for check in _checks(path)] if others is not None else _checks_beside(waived)
        waivers.refuse_unknown(given, {*own, *told})
    return waivers.standing(given, own, datetime.now(UTC).date())


def _checks(path: str) -> list[str]:
    from expectations import suite

    return [check.id for check in suite.load(files.read(path, "suite"), path).checks]


def _checks_beside(waived: str) -> list[str]:
    """Those of all suites in the folder of the waivers; a file that is no suite says nothing."""
    found: list[str] = []
    for path in sorted(Path(waived).parent.glob("*.y*ml")):
        with contextlib.suppress(ExpectationError, RecipeError):
            found += _checks(str(path))
    return found


def _beside(file: Path, uri: str) -> str:
    from assay.data import sources

    return sources.locate(uri, file.parent)


def _tell(found: "Outcome") -> None:
    rows = [
        (f.id, f.status, str(f.failed), str(f.evaluated), _about(f), "-" if f.could_not_run else _named(f.ids))
        for f in found.findings
    ]
    print(wrapping.table(("ID", "STATUS", "FAIL", "OF", "WHAT IS ASKED", "ROWS THAT FAIL"), rows, wraps=(4, 5)))
    words = found.decision.replace("_", " ").upper()
    print(f"\n{words}: suite {found.suite}, version {found.version}, on {found.rows} rows")
    for reason in found.reasons:
        print(f"  - {reason}")


def _about(finding: "Finding") -> str:
    what = f"{finding.column or 'the table'} {finding.asks}"
    counted = finding.observed.startswith(f"{finding.failed} of {finding.evaluated} rows")  # They have their columns.
    seen = finding.note or ("" if counted or not finding.observed else f"observed: {finding.observed}")
    return f"{what}\n{seen}" if seen else what


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more or "-"
