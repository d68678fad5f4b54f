"""The describing step: what a dataset version is, for the person who signs for it and for machines."""

from collections import Counter
from typing import Any

from assay.artifacts import Artifact, Checked, Dataset, Described, Redacted, Screened, Splits, Validated, digest_of
from assay.data import corrections, profile, slices
from assay.records import SIDES, suspects_from_parquet
from assay.reporting import (
    asked,
    bounds,
    card,
    charts,
    claims,
    cost,
    croissant,
    curves,
    excerpts,
    flow,
    hard,
    measured,
    pages,
    reliability,
    serving,
    wording,
)
from assay.reporting.dataset import Content, Corrections, Shard, Side, Slice
from assay.reporting.dataset import Profile as Shown
from tasks import parts, shards
from tasks.places import store
from tasks.steps import step

VERSION = 3  # Raise on any change here, or in tasks.parts, that could change a card: it is part of its key.


@step(
    "tasks.describing",
    card,
    croissant,
    flow,
    measured,
    bounds,
    claims,
    charts,
    asked,
    cost,
    curves,
    hard,
    reliability,
    serving,
    pages,
    excerpts,
    wording,
    profile,
    slices,
    corrections,
    libraries=("jinja2", "scipy"),
)
def describe(
    about: dict[str, Any],
    ingested: Dataset,
    doorways: list[Validated | Checked],
    redacted: Redacted,
    screened: list[Screened],
    sides: Splits,
    decisions: Artifact,
    redaction: Artifact,
    replay: Artifact | None = None,
) -> Described:
    """Set the data card of what a candidate would be trained and asked on.

    Args:
        about: What the recipe says of the data.
        ingested: The records as they came.
        doorways: What the suites found, up to the sides.
        redacted: What redaction replaced.
        screened: What curation dropped, and whom it doubts.
        sides: The records, split.
        decisions: What a person decided on single records.
        redaction: How well it worked.
        replay: What the base answered to general prompts, if the recipe asks for that: learned beside the records.
    """
    each = {side: getattr(sides, side) for side in SIDES}
    counted = profile.profile(
        {side: shards.each(records) for side, records in each.items()}, about["label"], _attributes(about)
    )
    validated = [door for door in doorways if isinstance(door, Validated)]
    _, clean, _ = validated
    content = Content(
        **{name: about[name] for name in ("name", "purpose", "intended_use", "owner", "redaction")},
        version=digest_of({side: [shard.digest for shard in records.shards] for side, records in each.items()}),
        sources=parts.sources(about, ingested),
        beside=parts.replay(about["replay"], shards.count(Dataset(shards=(replay,)))) if replay else (),
        path=parts.path(ingested, validated, redacted, screened),
        sides=tuple(_side(name, records) for name, records in each.items()),
        suites=tuple(parts.suite(doorway.outcome) for doorway in doorways),
        corrections=_corrections(decisions, clean.records),
        suspects=_suspects(screened, sides),
        profile=Shown.model_validate({**counted.model_dump(), "edges": profile.EDGES}),
        slices=_slices(about, sides),
        personal=parts.personal(redacted.audit),
        redacting=parts.redacting(redaction),
        identity={"recipe, as far as it concerns the data": digest_of(about), "decisions": decisions.digest},
    )
    return Described(
        version=content.version,
        profile=store().put("profile", counted.to_json()),
        card=store().put("data-card", card.page(content).encode()),
        croissant=store().put("croissant", croissant.document(content)),
    )


def _slices(about: dict[str, Any], sides: Splits) -> tuple[Slice, ...]:
    rows = (shard for side in SIDES for shard in shards.each(getattr(sides, side)))
    compared = slices.describe(rows, about["curation"]["balance"]["slices"], about["label"])
    return tuple(map(Slice.model_validate, compared))


def _attributes(about: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for source in about["sources"] for name in source["columns"]["attributes"]))


def _side(name: str, records: Dataset) -> Side:
    files = tuple(Shard(digest=shard.digest, size=len(store().get(shard))) for shard in records.shards)
    return Side(name=name, rows=shards.count(records), shards=files)


def _corrections(decisions: Artifact, reviewed: Dataset) -> Corrections | None:
    """What was decided on the records that review is about, and how many decisions found none of them."""
    decided = corrections.load(store().get(decisions))
    if not decided:
        return None
    actions, absent = corrections.tally(decided, {id for shard in reviewed.shards for id in shards.ids(shard)})
    return Corrections(
        digest=decisions.digest,
        version=max(each.version for each in decided),
        actions=actions,
        who=tuple(sorted({each.who for id, each in corrections.latest(decided).items() if id not in absent})),
        absent=len(absent),
    )


def _suspects(screened: list[Screened], sides: Splits) -> dict[str, int]:
    """Kind → records of this version that wait for a person; one that left at a later step waits for nobody."""
    there = {id for side in SIDES for shard in getattr(sides, side).shards for id in shards.ids(shard)}
    rows = [row for part in screened for row in suspects_from_parquet(store().get(part.suspects))]
    return dict(sorted(Counter(row.kind for row in rows if row.id in there).items()))
