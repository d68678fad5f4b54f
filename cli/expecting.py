"""``assay expectations lint | show | diff``: what must hold of the data, read as a steward would."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ExpectationError, RecipeError
from cli import files, wrapping

if TYPE_CHECKING:
    from expectations.suite import Check, Suite
    from expectations.waivers import Waiver

FOLDER = Path("expectations")
"""Where suites and waivers are looked for, below the working directory."""

SOON = 14
"""Days before its end at which a waiver is spoken of."""

YEAR = 366
"""Days to its end from which a waiver is no longer for a while."""


def lint(paths: Sequence[str]) -> bool:
    """Print a line for each mistake and each good file; say whether there was no mistake."""
    from expectations import suite, waivers

    checks: list[str] = []
    waived: list[tuple[Path, tuple[Waiver, ...]]] = []
    mistakes = 0
    for path in _every(paths):
        data = files.read(path, "expectations")
        try:
            if _holds_waivers(data):
                waived.append((path, waivers.load(data, str(path))))
                print(f"{path}: {_count(len(waived[-1][1]), 'waiver')}")
            else:
                read = suite.load(data, str(path))
                checks += [check.id for check in read.checks]
                print(f"{path}: suite {read.name}, version {read.version}: {_count(len(read.checks), 'check')}")
        except ExpectationError as error:
            print(error)
            mistakes += 1
    for path, found in waived:
        if not paths and not mistakes:  # Only where all suites were read can one say that none has a check.
            mistakes += _complain_of_unknown(path, found, checks)
        _tell_ends(path, found, datetime.now(UTC).date())
    return not mistakes


def show(name: str) -> None:
    """Print a suite as a table."""
    suite = load(name)
    print(f"suite {suite.name}, version {suite.version}, {_count(len(suite.checks), 'check')}; owner {suite.owner}")
    print(f"stops if more than {100 * suite.max_quarantine:.4g} % of all rows are set aside\n")
    rows = [(check.id, check.column or "(table)", _asked(check), _follows(check), check.why) for check in suite.checks]
    print(wrapping.table(("ID", "COLUMN", "WHAT IS ASKED", "IF NOT", "WHY"), rows, wraps=(2, 4)))


def diff(before: str, after: str) -> None:
    """Print what one version of a suite asks otherwise than another."""
    from expectations.difference import compare

    old, new = load(before), load(after)
    changes = compare(old, new)
    for change in changes:
        print(f"warning: {change}" if change.kind == "version" else change)
    if not changes:
        same = "the files are the same" if old.digest == new.digest else "only comments, layout or order differ"
        print(f"both ask the same: {same}")


def load(name: str) -> "Suite":
    """The suite in a file, on standard input (``-``), or of that name in :data:`FOLDER`.

    Raises:
        RecipeError: there is none.
        ExpectationError: it is wrong.
    """
    from expectations import suite

    path = Path(name)
    if name != "-" and not path.exists() and not path.suffix:
        path = FOLDER / f"{name}.yml"
        if not path.exists():
            known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.yml"))) or "none"
            raise RecipeError(f"suite: found nothing at {name}; expected a file, or a name out of {FOLDER}: {known}.")
    return suite.load(files.read(path, "suite"), str(path))


def _every(paths: Sequence[str]) -> list[Path]:
    """The files to read, those of folders by name."""
    asked = [Path(path) for path in paths] or [FOLDER]
    found = [
        file
        for path in asked
        for file in (sorted([*path.glob("*.yml"), *path.glob("*.yaml")]) if path.is_dir() else [path])
    ]
    if not found or (not paths and not FOLDER.is_dir()):
        raise RecipeError(
            f"expectations: found no .yml in {', '.join(map(str, asked))}; expected suites. "
            "Name their files, or go to the folder that holds expectations/."
        )
    return found


def _holds_waivers(data: bytes) -> bool:
    """Told by the first key, so that a file with mistakes is told too."""
    first = re.search(rb"^([a-z_]+)[ \t]*:", data, re.MULTILINE)
    return first is not None and first[1] == b"waivers"


def _complain_of_unknown(path: Path, found: "Sequence[Waiver]", checks: Sequence[str]) -> bool:
    from expectations import waivers

    try:
        waivers.refuse_unknown(found, checks)
    except ExpectationError as error:
        print(f"{path}: {error}")
        return True
    return False


def _tell_ends(path: Path, found: "Sequence[Waiver]", today: date) -> None:
    for waiver in found:
        days = (date.fromisoformat(waiver.until) - today).days
        if days < 0:
            says = f"the waiver is over since {waiver.until}; remove it, or decide anew"
        elif days <= SOON:
            when = "today" if days == 0 else f"in {_count(days, 'day')}, on {waiver.until}"
            says = f"the waiver ends {when}; {waiver.who} answers for it"
        elif days > YEAR:
            says = f"the waiver lasts until {waiver.until}, for more than a year; name a nearer day, or mend the suite"
        else:
            continue
        print(f"{path}: warning: {waiver.check}: {says}")


def _asked(check: "Check") -> str:
    """What a check asks, with the values that a report leaves out: here they are the suite's own."""
    from expectations.catalogue import asks
    from expectations.difference import value, where

    words = asks(check.expect, check.parameters)
    more = [
        f"{name}: {value(given)}"
        for name, given in check.parameters.items()
        if not isinstance(given, int | float) and str(given) not in words
    ]
    rows = [f"only {where(check.where)}"] if check.where else []
    return "\n".join([words, *more, *rows])


def _follows(check: "Check") -> str:
    from expectations.difference import share

    return check.on_fail if not check.allow else f"{check.on_fail}\nabove {share(check.allow)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
