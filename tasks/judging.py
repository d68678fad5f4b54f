"""Judging steps: a verdict from two evaluations, and the page on which a person judges it in turn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from assay import evaluations
from assay.artifacts import Artifact, Dataset, Evaluated, Redacted, Screened, Splits, Trained, Validated, digest_of
from assay.evaluation import comparison
from assay.evaluation.comparison import intervals, pairing
from assay.evaluations import Arm, Evaluation, Verdict
from assay.privacy import redaction
from assay.records import SIDES, Record, dropped_from_parquet, from_parquet
from assay.reporting import charts, excerpts, wording
from assay.reporting import report as reporting
from assay.reporting.report import Content, Passage, Personal, Source, Suite, Training
from assay.spec import GateSpec
from expectations import page as expectations_page
from tasks.places import store
from tasks.steps import step

DOORWAYS = ("raw", "redacted", "curated")
SCREENS = ("deduplicate", "decontaminate")


@step(comparison, intervals, pairing, libraries=("numpy", "scipy", "statsmodels"))
def compare(baseline: Evaluated, candidate: Evaluated, gate: GateSpec) -> Artifact:
    """Decide whether the candidate may replace the baseline."""
    verdict = comparison.compare(_arm(baseline), _arm(candidate), gate)
    return store().put("verdict", verdict.model_dump_json(indent=1).encode())


@step(reporting, excerpts, charts, wording, intervals, libraries=("jinja2", "pyyaml"))
def report(
    card: dict[str, Any],
    ingested: Dataset,
    doorways: list[Validated],
    redacted: Redacted,
    screened: list[Screened],
    sides: Splits,
    trained: Trained,
    baseline: Evaluated,
    candidate: Evaluated,
    verdict: Artifact,
) -> Artifact:
    """Set everything that was filed on the way as one page."""
    told = Verdict.model_validate_json(store().get(verdict))
    before, after = _arm(baseline), _arm(candidate)
    target = told.criterion("target").metric
    prompts = {record.id: record.prompt for record in _records(sides.test)}
    content = Content(
        recipe=card,
        verdict=told,
        **excerpts.changes(before, after, target, told.confidence, intervals.difference),
        sources=_sources(card, ingested),
        path=_path(ingested, doorways, redacted, screened),
        sides={side: _count(getattr(sides, side)) for side in SIDES},
        suites=tuple(_suite(doorway.outcome) for doorway in doorways),
        personal=_personal(redacted.audit),
        training=Training.model_validate_json(store().get(trained.record)),
        wins=excerpts.examples(told.wins, prompts, before.answers, after.answers, won=True),
        losses=excerpts.examples(told.losses, prompts, before.answers, after.answers, won=False),
        identity=_identity(card, sides, trained, told, verdict),
        environment=after.evaluation.environment,
    )
    return store().put("report", reporting.page(content).encode())


def _path(
    ingested: Dataset, doorways: Sequence[Validated], redacted: Redacted, screened: Sequence[Screened]
) -> tuple[Passage, ...]:
    """The steps that may drop records, in the order of the flow; each counts what it was really handed."""
    raw, clean, curated = doorways
    validations = [f"validate-{name}" for name in DOORWAYS]
    passed: list[tuple[str, Dataset, Artifact]] = [
        (validations[0], raw.records, raw.quarantined),
        ("redact", redacted.records, redacted.dropped),
        (validations[1], clean.records, clean.quarantined),
        *((name, part.kept, part.dropped) for name, part in zip(SCREENS, screened, strict=True)),
        (validations[2], curated.records, curated.quarantined),
    ]
    counts = [_count(ingested), *(_count(records) for _, records, _ in passed)]
    return tuple(
        excerpts.passage(name, taken, out, dropped_from_parquet(store().get(dropped)))
        for (name, _, dropped), taken, out in zip(passed, counts, counts[1:], strict=False)
    )


def _sources(card: dict[str, Any], ingested: Dataset) -> tuple[Source, ...]:
    rows = Counter(record.source for record in _records(ingested))
    return tuple(Source.model_validate({**source, "rows": rows[source["name"]]}) for source in card["sources"])


def _suite(outcome: Artifact) -> Suite:
    return Suite.model_validate(expectations_page.from_json(store().get(outcome)))


def _personal(audit: Artifact) -> Personal:
    rows = redaction.audit_from_parquet(store().get(audit))
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.counts)
    return Personal(records=len(rows), touched=sum(any(row.counts.values()) for row in rows), counts=dict(counts))


def _identity(
    card: dict[str, Any], sides: Splits, trained: Trained, told: Verdict, verdict: Artifact
) -> dict[str, str]:
    return {
        "recipe": digest_of(card),
        "base model": card["base"]["digest"],
        **{f"{side} records": digest_of([shard.digest for shard in getattr(sides, side).shards]) for side in SIDES},
        "adapter": trained.adapter.digest,
        "training record": trained.record.digest,
        "baseline as asked": told.baseline,
        "candidate as asked": told.candidate,
        "verdict": verdict.digest,
    }


def _arm(evaluated: Evaluated) -> Arm:
    return Arm(
        Evaluation.model_validate_json(store().get(evaluated.summary)),
        evaluations.answers_from_jsonl(store().get(evaluated.answers)),
        evaluations.choices_from_jsonl(store().get(evaluated.choices)),
    )


def _records(records: Dataset) -> Iterator[Record]:
    return (record for shard in records.shards for record in from_parquet(store().get(shard)))


def _count(records: Dataset) -> int:
    return sum(len(from_parquet(store().get(shard))) for shard in records.shards)
