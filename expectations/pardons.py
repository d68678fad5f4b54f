"""What waivers let pass: never a check that could not run, and personal data only row by row.

One waiver applies to a check: of those in force, the one that covers the most failing rows, the first of equals. One
that names rows covers those among the failing that it names, any other covers all. One that sets ``up_to`` covers
nothing if more fail. A check passes by its waiver if it would pass without the rows covered; rows that it does not
cover are treated as if there were none.
"""

from collections.abc import Sequence

from expectations.catalogue import CATALOGUE
from expectations.outcome import Finding
from expectations.suite import Check
from expectations.waivers import Standing, Waiver


def pardoned(finding: Finding, check: Check, waivers: Sequence[Standing]) -> Finding:
    """``finding`` as it stands with the waivers of its check."""
    matters = bool(finding.ids) if check.on_fail == "quarantine" else not finding.passed
    if finding.could_not_run or not matters:
        return finding
    offered = [standing.waiver for standing in waivers if standing.in_force and standing.waiver.check == check.id]
    # Sorting keeps the order of equals.
    for waiver in sorted(offered, key=lambda waiver: -len(_covered(waiver, finding))):
        covered = _covered(waiver, finding)
        if covered or (not finding.ids and _covers_all(waiver, finding)):
            return _applied(finding, check, waiver, covered)
    return finding


def remaining(finding: Finding) -> tuple[str, ...]:
    """Failing rows that no waiver covers."""
    covered = set(finding.waived_ids)
    return tuple(id for id in finding.ids if id not in covered)


def _covered(waiver: Waiver, finding: Finding) -> tuple[str, ...]:
    if _covers_all(waiver, finding):
        return finding.ids
    if not waiver.rows or _is_exceeded(waiver, finding):
        return ()
    named = set(waiver.rows)
    return tuple(id for id in finding.ids if id in named)


def _covers_all(waiver: Waiver, finding: Finding) -> bool:
    return not waiver.rows and not CATALOGUE[finding.expect].personal and not _is_exceeded(waiver, finding)


def _is_exceeded(waiver: Waiver, finding: Finding) -> bool:
    return waiver.up_to is not None and finding.failed > waiver.up_to


def _applied(finding: Finding, check: Check, waiver: Waiver, covered: tuple[str, ...]) -> Finding:
    left = finding.failed - len(covered) if finding.ids else 0
    return finding.model_copy(
        update={
            "waiver": waiver,
            "waived_ids": covered,
            "waived": not finding.passed and left <= check.limit * finding.evaluated,
            "passed": finding.passed or left <= check.limit * finding.evaluated,
        }
    )
