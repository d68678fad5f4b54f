"""Parts: what the steps filed, read back as the nouns that pages are made of."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from assay.artifacts import Artifact, Dataset, Redacted, Screened, Validated
from assay.privacy.replacement import redaction
from assay.records import dropped_from_parquet
from assay.reporting import excerpts
from assay.reporting.content import Passage, Personal, Source, Suite
from assay.reporting.redacting import Redacting
from expectations import outcome
from tasks import shards
from tasks.places import store

SCREENS = ("correct", "deduplicate", "decontaminate", "trim", "audit_labels", "balance")
"""Curation steps, in the order of the flow."""

OWN_ANSWERS = "nobody's records: what the base itself answers to these prompts"
"""By what right replay is learned."""


def path(
    ingested: Dataset, doorways: Sequence[Validated], redacted: Redacted, screened: Sequence[Screened]
) -> tuple[Passage, ...]:
    """The steps that may drop records, in the order of the flow; each counts what it was really handed."""
    raw, clean, curated = doorways
    passed: list[tuple[str, Dataset, Artifact]] = [
        ("validate-raw", raw.records, raw.quarantined),
        ("redact", redacted.records, redacted.dropped),
        ("validate-redacted", clean.records, clean.quarantined),
        *((name, part.kept, part.dropped) for name, part in zip(SCREENS, screened, strict=True)),
        ("validate-curated", curated.records, curated.quarantined),
    ]
    counts = [shards.count(ingested), *(shards.count(records) for _, records, _ in passed)]
    return tuple(
        excerpts.passage(name, taken, out, dropped_from_parquet(store().get(dropped)))
        for (name, _, dropped), taken, out in zip(passed, counts, counts[1:], strict=False)
    )


def sources(card: dict[str, Any], ingested: Dataset) -> tuple[Source, ...]:
    """Where the records came from, and how many from each."""
    rows = Counter(record.source for shard in shards.each(ingested) for record in shard)
    return tuple(Source.model_validate({**source, "rows": rows[source["name"]]}) for source in card["sources"])


def replay(declared: Mapping[str, Any] | None, rows: int) -> tuple[Source, ...]:
    """The general prompts as a source of examples, if the recipe asks for replay; ``rows`` are the answers learned."""
    if declared is None:
        return ()
    told = {"uri": declared["prompts"], "lawful_basis": OWN_ANSWERS, "rows": rows, "side": "train"}
    return (Source.model_validate({**declared, **told}),)


def suite(filed: Artifact) -> Suite:
    """What was expected of the records at a doorway, and what was found."""
    return Suite.model_validate(outcome.from_json(store().get(filed)))


def redacting(judged: Artifact) -> Redacting:
    """How well that worked."""
    return Redacting.model_validate(json.loads(store().get(judged))["redacting"])


def personal(audit: Artifact) -> Personal:
    """What redaction replaced."""
    rows = redaction.audit_from_parquet(store().get(audit))
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.counts)
    return Personal(records=len(rows), touched=sum(any(row.counts.values()) for row in rows), counts=dict(counts))
