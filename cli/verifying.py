"""``assay verify``: whether personal data are left where none should be, and whether a training can be repeated."""

import dataclasses
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from assay.errors import RecipeError
from cli import files
from cli.statuses import CRASHED
from cli.tables import columns

if TYPE_CHECKING:
    from assay.model.differences import Difference
    from tasks.retraining import Retrained
    from tasks.verifying import Holder, Searched

SHOWN = 3
"""Ids of records that a line shows."""

ABOUT = """\
Search everything that this deployment persisted for what a run masked: every file below ASSAY_HOME and behind links
in it, the store, Prefect's database and results, MLflow's database and artefacts where they lie elsewhere, and what a
Prefect or MLflow server gives of the run. Packed files, Parquet and SQLite are opened; UTF-16, base64 and escapes of
JSON, HTML and URLs are seen through. Looked for are the values that redaction marked in the run's raw records, those
that sources knew, and --canaries. No value is ever printed.
"""

WORDS = """\
what it says:
  by design  raw records hold the values; finding them there shows that the search can see
  BLIND      it does not find them there, so that it finds nothing elsewhere proves nothing
  left out   values that would say nothing if they were found: short ones, ordinary words
  doubt      a word that redaction took for a name in one record, on a model's word alone, and left in another, which
             holds it by itself; --doubtful names the records. How often redaction misses is measured in every run
  chance     so many numbers among so many are found without any leak, and none stands beside a word of its record
  apart      files that were there before any record was read (base model, benchmark, schema, suites), and values that
             measuring redaction invented and put into records
  let go     records that a doorway or redaction dropped: of them known values and what strict rules find are sought
  UNKNOWN    raw records are gone, or nobody can show that they were redacted: what was in them was not looked for
  NOT READ   files that could not be searched in full
  FOUND      values in files that should hold none, by type and file

exit status: 0 clean; 3 found, blind, unknown or not read; 2 no such run, none of its raw records, or bad canaries
"""


ABOUT_RETRAINING = """\
Train a run's candidate once more from what is on record of it (references to the store, and the recipe's part), in a
fresh folder and without the cache, and compare the digests of both adapters. The same recipe on the same class of
machine should give the same bytes. One that is interrupted begins anew the next time.

exit status: 0 the same bytes; 3 other bytes, with what differs between then and now; 2 nothing to train from;
1 crashed or interrupted
"""


def leaks(run: str, canaries: str | None, *, as_json: bool, doubtful: bool = False) -> bool:
    """Search everything persisted for what a run masked, and say what was found; whether all is clean."""
    planted = _canaries(canaries) if canaries else []
    from tasks import verifying

    show = _progress() if sys.stderr.isatty() and not as_json else None
    found = verifying.search(run, planted, show or (lambda _: None))
    if show:
        show("")
    if as_json:
        told = {"clean": found.is_clean, "blind": found.is_blind, "chance_hits": found.chance_hits}
        print(json.dumps({**told, **dataclasses.asdict(found)}))
    else:
        _tell(found, doubtful=doubtful)
    return found.is_clean


def retrain(run: str, *, as_json: bool) -> bool:
    """Train a run's candidate again, and say whether that gave the same bytes.

    Raises:
        SystemExit: it was interrupted, which is said; it has left nothing that the next one could go on from.
    """
    from cli.tables import Steps
    from tasks import publishing, retraining

    shown = Steps(sys.stderr)
    publishing.listeners.append(shown.progressed)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = retraining.retrain(run)
    except KeyboardInterrupt:
        print("assay: interrupted; the same command begins anew, and nothing of this is kept", file=sys.stderr)
        raise SystemExit(CRASHED) from None
    finally:
        signal.signal(signal.SIGTERM, before)
        publishing.listeners.remove(shown.progressed)
        shown.close()
    if as_json:
        print(json.dumps({"equal": found.is_equal, **dataclasses.asdict(found)}))
    else:
        _tell_retrained(found)
    return found.is_equal


def _tell_retrained(found: "Retrained") -> None:
    print(f"run       {found.run}\nadapter   {found.adapter}\nagain     {found.again}")
    print(f"time      {found.seconds:.1f} s")
    if found.changed:
        print("\nchanged since then:")
        print(
            columns([("  WHAT", "THEN", "NOW"), *((f"  {n}", str(a), str(b)) for n, (a, b) in found.changed.items())])
        )
    if found.difference is None:
        print("\nEQUAL     training it again gave the same bytes")
        return
    print(f"\nweights   {_weights(found.difference)}")
    if found.changed:
        print("\nOTHER     training it again gave other bytes: see above what was not as it was then")
    else:
        print("\nOTHER     training it again gave other bytes, with the same versions in the same environment:")
        print("          this training is not repeatable here")


def _weights(found: "Difference") -> str:
    count = f"{found.differing:,} of {found.matrices:,} matrices differ"
    most = f", by {found.largest:.2g} of the largest weight at most, in {found.where}" if found.differing else ""
    alone = f"; {len(found.unmatched):,} are in one of them only, or of another shape" if found.unmatched else ""
    return f"{count}{most}{alone}"


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


def _tell(found: "Searched", *, doubtful: bool) -> None:
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
    _tell_apart(found)
    if found.doubtful:
        _tell_doubtful(found, listed=doubtful)
    _conclude(found)


def _tell_apart(found: "Searched") -> None:
    """What is no leak, and why not."""
    chance = f"as many as chance gives ({found.expected:.2g} expected), and none beside a word of its record"
    before = "there before any record was read (base model, benchmark, schema, suites)"
    planted = "seeded records, into which measuring redaction put such a value that it had invented"
    for title, holders, why in (
        ("chance", found.chance, chance),
        ("apart", found.without_records, before),
        ("apart", found.invented, planted),
    ):
        if holders:
            print(f"{title:<10}{_held(holders)}: {why}")
    if found.machine:
        print(f"numbers   {found.machine} found only within timestamps, UUIDs or decimal fractions: not counted")
    if found.unproven:
        print(
            f"unproven  {found.unproven} marks do not fit the raw records: another key, or other records, at the time"
        )
    if found.dropped_rows:
        print(
            f"let go    {found.dropped_rows:,} records, by a doorway or redaction: of them known values and what "
            "strict rules find were looked for"
        )


def _tell_doubtful(found: "Searched", *, listed: bool) -> None:
    """Words in doubt in one line, or record by record."""
    counts = Counter(each.type for each in found.doubtful)
    how = "" if listed else "; --doubtful names the records"
    print(
        f"doubt     {_types(counts)}, single words, were masked in one record and left in another, which has them{how}"
    )
    if listed:
        rows = [(f"  {each.type}", _ids(each.masked), _ids(each.left)) for each in found.doubtful]
        print(columns([("  TYPE", "MASKED IN", "LEFT IN"), *rows]))


def _ids(ids: "tuple[str, ...]") -> str:
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN])}{more}"


def _tell_values(found: "Searched") -> None:
    """Types with what was looked for and what was not, and why not."""
    out: Counter[str] = Counter()
    for counts in found.left_out.values():
        out.update(counts)
    rows = [(kind, f"{found.sought.get(kind, 0):,}", f"{out[kind]:,}") for kind in sorted({*found.sought, *out})]
    print(columns([("TYPE", "LOOKED FOR", "LEFT OUT"), *rows]))
    for reason, counts in found.left_out.items():
        print(f"left out  {_types(counts)}: {reason}")


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
    _tell_unknown(found)
    if found.leaks:
        print(f"\nFOUND     {_held(found.leaks)} that should hold none:\n")
        print(columns([("FILE", "WHAT", "VALUES"), *((e.file, e.kind or "-", _types(e.types)) for e in found.leaks)]))
    if found.is_clean and found.chance_hits:
        print(f"\nCLEAN, but {found.chance_hits:,} hits could not be told from chance")
    elif found.is_clean:
        print("\nCLEAN     no value was found where none should be")


def _tell_unknown(found: "Searched") -> None:
    """What nobody can say was masked, and what to do."""
    if count := found.missing_raw:
        print(f"\nUNKNOWN   {count:,} raw shards of the run, or the answers that name them, are gone: what was masked")
        print(
            "          in them was not looked for. Put them back from a backup, or run the recipe again and verify that"
        )
    if count := found.unaudited_rows:
        print(
            f"\nUNKNOWN   {count:,} records in {found.unaudited_shards:,} raw shards: no redaction of them is on file,"
        )
        print("          so only known values and what strict rules find were looked for. Run the recipe again and")
        print("          verify that")


def _types(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004
