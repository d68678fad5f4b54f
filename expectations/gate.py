"""The gate: run a suite over the shards of a data set and decide what may go on.

Shards are gathered into batches of :data:`BATCH` rows, because a call of Great Expectations costs as much as some
thousand rows. Where batches end depends on the order of the rows alone, so shards decide nothing. Memory is bounded
by the batch, except for the ids of failing rows and 16 bytes and the id of each row where ids must be unique.

The gate fails closed. A check that raises, that lacks a column, or whose ``where`` matches no row in the whole set
stops the run, as does a data set without rows, or whose ids are missing or repeated. A waiver lets a failure pass,
and never one of these.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from assay.errors import ExpectationError
from expectations.catalogue import CATALOGUE
from expectations.distinct import Distinct
from expectations.engine import KEY, release
from expectations.outcome import Decision, Finding, Outcome
from expectations.pardons import pardoned, remaining
from expectations.suite import Suite
from expectations.tallies import count, tallies
from expectations.waivers import Standing

if TYPE_CHECKING:
    import pandas as pd

VERSION = 2  # Raise on any change that could change an outcome.

BATCH = 50_000
"""Rows that Great Expectations sees at a time."""


def check(
    frames: "Iterable[pd.DataFrame]",
    suite: Suite,
    resources: Mapping[str, object],
    waivers: Sequence[Standing] = (),
) -> Outcome:
    """Run ``suite`` over ``frames``, the shards of one data set in order.

    Args:
        frames: as :mod:`expectations.frames` makes them; of their columns only ``suite.columns`` are read.
        suite: what must hold.
        resources: what checks name under a parameter such as ``schema: output``: a JSON schema as a mapping, a
            number of tokens, token ids, or what makes a finder of near duplicates.
        waivers: failures that may pass; those of other suites are passed over.

    Raises:
        ExpectationError: two checks have one id, under which answers are filed.
    """
    _refuse_repeated(suite)
    shards = _Shards(frames, suite.columns)
    counted, keys = tallies(suite.checks, resources), Distinct()
    for batch in shards:
        ids = batch[KEY].tolist()
        keys.add(ids, ids)
        count(batch, ids, counted)
    findings = tuple(
        pardoned(tally.finding(shards.rows, shards.seen, readable=shards.readable), tally.check, waivers)
        for tally in counted
    )
    quarantined = _quarantined(findings)
    repeated = len(set(keys.repeated()))
    decision, reasons = _decide(suite, findings, shards, len(quarantined), repeated)
    return Outcome(
        suite=suite.name,
        version=suite.version,
        owner=suite.owner,
        digest=suite.digest,
        engine=release(),
        max_quarantine=suite.max_quarantine,
        decision=decision,
        reasons=tuple(reasons),
        rows=shards.rows,
        findings=findings,
        quarantined=quarantined,
        waivers=tuple(standing for standing in waivers if standing.waiver.check in {f.id for f in findings}),
    )


def _refuse_repeated(suite: Suite) -> None:
    ids = Counter(check.id for check in suite.checks)
    if repeated := sorted(id for id, times in ids.items() if times > 1):
        raise ExpectationError(
            f"suite {suite.name}: found {', '.join(repeated)} more than once; expected an id per check. Rename one."
        )


class _Shards:
    """Shards on their way to becoming batches, and what was seen of them."""

    def __init__(self, frames: "Iterable[pd.DataFrame]", columns: Sequence[str]) -> None:
        self._frames = frames
        self._columns = list(columns)
        self.rows = 0
        self.readable = True
        """Whether every row so far can be named, and every column told from the others."""

        self.seen: set[str] = set()
        """Columns that some shard with rows had."""

    def __iter__(self) -> "Iterator[pd.DataFrame]":
        import pandas as pd

        waiting: list[pd.DataFrame] = []
        held = 0
        for part in self._projected():
            start = 0
            while (end := start + BATCH - held) <= len(part):
                yield pd.concat([*waiting, part.iloc[start:end]], ignore_index=True)
                waiting, held, start = [], 0, end
            waiting.append(part.iloc[start:])
            held += len(part) - start
        if held:
            yield pd.concat(waiting, ignore_index=True)

    def _projected(self) -> "Iterator[pd.DataFrame]":
        for shard in self._frames:
            self.rows += len(shard)
            self.readable = self.readable and _is_readable(shard)
            if len(shard) and self.readable:
                self.seen |= set(shard.columns)
                # A column that this shard lacks holds nothing here; whether any shard has it is asked at the end.
                yield shard.reindex(columns=self._columns).astype(object)


def _is_readable(shard: "pd.DataFrame") -> bool:
    if KEY not in shard.columns or not shard.columns.is_unique:
        return False
    return all(isinstance(id, str) and id for id in shard[KEY].tolist())


def _quarantined(findings: Sequence[Finding]) -> dict[str, tuple[str, ...]]:
    """Checks that set a row aside, by row id."""
    found: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        if finding.on_fail == "quarantine":
            for id in dict.fromkeys(remaining(finding)):
                found[id] = (*found.get(id, ()), finding.id)
    return found


def _decide(
    suite: Suite, findings: Sequence[Finding], shards: _Shards, quarantined: int, repeated: int
) -> tuple[Decision, list[str]]:
    """Weigh what was found; the worst that holds decides."""
    stops = [f"{f.id} could not run: {f.note}" for f in findings if f.could_not_run]
    if not shards.rows:
        stops.insert(0, "there are no rows")
    if not shards.readable:
        stops.insert(0, f"a shard lacks column `{KEY}`, names a column twice, or has a row without an id")
    if repeated:
        stops.insert(0, f"{repeated} row ids occur more than once")
    stops += [f"{f.id} failed: {_extent(f)}" for f in findings if f.status == "failed" and f.on_fail == "stop"]
    aside = f"{quarantined} of {shards.rows} rows are set aside"
    if quarantined > suite.max_quarantine * shards.rows:
        stops.append(f"{aside}, over the limit of {100 * suite.max_quarantine:.4g} % of all rows")
    warnings = [f"{f.id} failed: {_extent(f)}" for f in findings if f.status == "failed" and f.on_fail == "warn"]
    warnings += [_let_pass(f) for f in findings if f.waiver]
    if stops:
        return "stop", [*stops, *(_let_pass(f) for f in findings if f.waiver)]
    if quarantined:
        return "quarantine", [aside, *warnings]
    return ("pass_with_warnings", warnings) if warnings else ("pass", [])


def _extent(finding: Finding) -> str:
    if not CATALOGUE[finding.expect].names_rows:
        return finding.observed
    failed = len(remaining(finding)) if finding.waiver else finding.failed
    return f"{failed} of {finding.evaluated} rows"


def _let_pass(finding: Finding) -> str:
    waiver = finding.waiver
    if waiver is None:
        return ""
    count = len(finding.waived_ids)
    covered = f"{count} row{'s' * (count != 1)} waived" if finding.ids else "waived"
    how = "held" if finding.passed and not finding.waived else "failed"
    return f"{finding.id} {how}, {covered} by {waiver.who} until {waiver.until}"
