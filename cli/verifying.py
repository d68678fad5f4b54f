"""``assay verify``: whether personal data are left where none should be, and what a person's review says of it."""

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from assay.errors import RecipeError
from cli import files
from cli.tables import columns

if TYPE_CHECKING:
    from tasks.verifying import Holder, Searched


def leaks(run: str, canaries: str | None, *, as_json: bool) -> bool:
    """Search everything persisted for what a run masked, and say what was found; whether all is clean."""
    planted = _canaries(canaries) if canaries else []
    from tasks import verifying

    show = _progress() if sys.stderr.isatty() and not as_json else None
    found = verifying.search(run, planted, show or (lambda _: None))
    if show:
        show("")
    if as_json:
        print(json.dumps({"clean": found.is_clean, "blind": found.is_blind, **dataclasses.asdict(found)}))
    else:
        _tell(found)
    return found.is_clean


def _canaries(path: str) -> list[str]:
    """The values in a file: a line each, or JSON lines with a ``value``.

    Raises:
        RecipeError: it is not there, is no text, holds none, or a JSON line has no value.
    """
    try:
        lines = [line.strip() for line in files.read(path, "canaries").decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise RecipeError(f"canaries: found no UTF-8 at {path}; expected a value a line. Save it as UTF-8.") from None
    values = [_value(line, number, path) for number, line in enumerate(lines, 1) if line]
    if not values:
        raise RecipeError(f"canaries: found no value in {path}; expected one a line. Name another file.")
    return values


def _value(line: str, number: int, path: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        value = json.loads(line)["value"]
    except (ValueError, KeyError):
        value = None
    if not isinstance(value, str) or not value.strip():
        raise RecipeError(
            f"canaries: found no text under `value` at {path}:{number}; expected one in each JSON line. Mend it."
        )
    return value


def _progress() -> Callable[[str], None]:
    def told(name: str) -> None:
        print(f"\r{name[-100:]:<100}" if name else f"\r{'':<100}\r", end="", file=sys.stderr, flush=True)

    return told


def _tell(found: "Searched") -> None:
    total, rate = sum(found.sought.values()), found.bytes / 1e6 / max(found.seconds, 0.01)
    print(f"run       {found.run}")
    print(f"searched  {found.files:,} files, {_size(found.bytes)}, {found.seconds:.1f} s ({rate:.0f} MB/s)")
    print(f"          {found.copies:,} of them have the bytes of another and were searched once\n")
    _tell_values(found)
    seen = total - sum(found.unseen.values())
    print(
        f"\nby design {len(found.raw)} files hold raw records, and {seen:,} of the {total:,} values: the search can see"
    )
    if found.unseen:
        print(f"unseen    {_types(found.unseen)}: in no raw record")
    for title, holders in (("chance", found.chance), ("apart", found.without_records)):
        if holders:
            print(f"{title:<10}{_held(holders)}{_why(title, found)}")
    if found.machine:
        print(f"numbers   {found.machine} found only within timestamps, UUIDs or decimal fractions: not counted")
    if found.unproven:
        print(
            f"unproven  {found.unproven} marks do not fit the raw records: another key, or other records, at the time"
        )
    _conclude(found)


def _tell_values(found: "Searched") -> None:
    """Types with what was looked for and what was not, and why not."""
    out: Counter[str] = Counter()
    for counts in found.left_out.values():
        out.update(counts)
    rows = [(kind, f"{found.sought.get(kind, 0):,}", f"{out[kind]:,}") for kind in sorted({*found.sought, *out})]
    print(columns([("TYPE", "LOOKED FOR", "LEFT OUT"), *rows]))
    for reason, counts in found.left_out.items():
        print(f"left out  {_types(counts)}: {reason}")


def _why(title: str, found: "Searched") -> str:
    if title == "chance":
        return f": as many as chance gives ({found.expected:.2g} expected), and none beside a word of its record"
    return ": no record can have reached them (base model, benchmark, schema, suites, seeded records)"


def _held(holders: "Iterable[Holder]") -> str:
    counts: Counter[str] = Counter()
    for each in holders:
        counts.update(each.types)
    return f"{_types(counts)} in {len(list(holders))} files"


def _conclude(found: "Searched") -> None:
    if found.unread:
        print("\nNOT READ  these files could not be searched in full:")
        print(columns([(f"  {each.file}", each.reason) for each in found.unread]))
    if found.is_blind:
        print("\nBLIND     the search does not find the values where they are by design: it proves nothing")
    if found.leaks:
        print(f"\nFOUND     {_held(found.leaks)} that should hold none:\n")
        print(columns([("FILE", "WHAT", "VALUES"), *((e.file, e.kind or "-", _types(e.types)) for e in found.leaks)]))
    if found.is_clean:
        print("\nCLEAN     no value was found where none should be")


def _types(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004
