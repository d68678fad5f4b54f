"""Verifying: whether a value that a run masked stands in anything that this deployment persisted.

The values come from the run's raw shards, the marks that redaction filed for them, and what the sources knew; they
are in memory only. Raw shards hold them by design: they are named apart, and prove that the search can see. So are
files that no record can have reached.
"""

import hashlib
import io
import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq

from assay.artifacts import Artifact
from assay.errors import DataError
from assay.privacy.leaks import chance, contents, searching
from assay.privacy.leaks import values as leaks
from tasks import persisted, runs, shards
from tasks.persisted import Place
from tasks.places import store, value_key
from tasks.tracing import Lineage, trace

PIECE = 8 << 20
"""Bytes of a plain file that are in memory at once."""

HEAD = 16
"""Bytes that tell what a file is."""

TRIES, PAUSE = 3, 0.3
"""Times that a database is read which cannot be decoded, since it is being written, and seconds between."""

ROOMS = ("assay", "expectations", "tasks", "flows", "cli")
WRITTEN = frozenset({".py", ".j2", ".css", ".yaml", ".yml"})
BLIND = 0.99
"""Share of the values that must be seen in raw shards; with less, that nothing was found proves nothing."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A file in which values were found."""

    file: str
    kind: str
    """Of the artefact that it is, if it is one."""

    types: dict[str, int]
    """Type → values."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be searched in full."""

    file: str
    reason: str


@dataclass(slots=True)
class Searched:
    """What was looked for, and where it was found; it holds no value."""

    run: str
    sought: dict[str, int]
    left_out: dict[str, dict[str, int]]
    """Reason → type → values."""

    unproven: int
    """Marks that do not fit the raw record, so that what was masked may not have been looked for."""

    files: int = 0
    copies: int = 0
    """Files of which another has the same bytes: searched once."""

    bytes: int = 0
    seconds: float = 0.0
    raw: list[str] = field(default_factory=list)
    unseen: dict[str, int] = field(default_factory=dict)
    """Values that were found in no raw shard, by type."""

    leaks: list[Holder] = field(default_factory=list)
    chance: list[Holder] = field(default_factory=list)
    expected: float = 0.0
    """Values that chance was expected to put somewhere."""

    machine: int = 0
    """Numbers found only within timestamps, UUIDs and decimal fractions."""

    without_records: list[Holder] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    @property
    def is_blind(self) -> bool:
        """Whether the search does not find what is there by design."""
        missed = sum(self.unseen.values())
        # A canary may have been planted where no raw record is.
        own, missed_of_own = (
            sum(count for kind, count in counts.items() if kind != leaks.CANARY)
            for counts in (self.sought, self.unseen)
        )
        return missed == sum(self.sought.values()) or missed_of_own > (1 - BLIND) * own

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, by a search that sees and could read everything."""
        return not (self.leaks or self.unread or self.is_blind)


@dataclass(slots=True)
class _Seen:
    """What was found in bytes that may lie in several places."""

    looked: chance.Looked
    names: list[str]
    is_raw: bool
    kind: str = ""
    without_records: bool = False


def search(run: str, canaries: Sequence[str] = (), told: Callable[[str], None] = lambda _: None) -> Searched:
    """Look for what a run masked in everything that is persisted.

    Args:
        run: the beginning of its id, or ``latest``.
        canaries: values that somebody planted, to be looked for too.
        told: called with the name of each file that is begun.

    Raises:
        RegistryError: there is no such run.
        DataError: the store holds no raw record of it, so nobody can say what was masked.
    """
    record = runs.find(run)
    traced = trace(record)
    own = leaks.OwnText(_own_text(record, traced))
    sought = _sought(record, traced, own, canaries)
    found = Searched(record["run"], sought.counts, sought.left_out, sought.unproven)
    search = searching.Search(sought.values, own.words)
    started = time.monotonic()
    seen = _look(search, traced, [*persisted.files(), *persisted.served(record)], found, told)
    found.seconds = round(time.monotonic() - started, 2)
    _tell(seen, sought, found)
    return found


def _sought(record: Mapping[str, Any], traced: Lineage, own: leaks.OwnText, canaries: Sequence[str]) -> leaks.Sought:
    """The values to look for, from the raw shards that the store still holds."""
    values: list[leaks.Value] = leaks.as_canaries(canaries)
    ordinary, unproven, key = leaks.Ordinary(), 0, value_key()
    held = [shard for shard in traced.raw if store().holds(shard)]
    if not held:
        raise DataError(
            f"run {record['run'][:8]}: found none of its {len(traced.raw)} raw shards in the store; expected them, "
            "since what was masked can be told from nothing else. Run the recipe again."
        )
    for shard in held:
        marks = traced.marks(shard)
        for row in shards.read(shard):
            masked, others = leaks.masked(row, marks.get(row.id, ()), key)
            values += [*masked, *leaks.known(row, traced.kept)]
            unproven += others
            ordinary.read(row, marks.get(row.id, ()))
    stand_ins = leaks.invented(values, key, traced.surrogates)
    return leaks.choose(values, own, ordinary.words, stand_ins, unproven=unproven)


def _own_text(record: Mapping[str, Any], traced: Lineage) -> Iterator[str]:
    """Text that can stand in a file without a record having been read: Assay's own, and the recipe's."""
    for room in ROOMS:
        for path in sorted((Path(__file__).parents[1] / room).rglob("*")):
            if path.suffix in WRITTEN:
                yield path.read_text(encoding="utf-8")
    recipe = Path(record.get("recipe_file") or "")
    if recipe.is_file():
        yield recipe.read_text(encoding="utf-8", errors="replace")
    for digest in sorted(traced.without_records):
        if traced.kinds.get(digest) in {"schema", "suite"}:
            yield store().get(Artifact(kind=traced.kinds[digest], digest=digest)).decode("utf-8", "replace")


def _look(
    search: searching.Search, traced: Lineage, places: Sequence[Place], found: Searched, told: Callable[[str], None]
) -> list[_Seen]:
    """Search every place; the same bytes in another place are counted and not searched again."""
    seen: dict[str, _Seen] = {}
    for place in places:
        told(place.name)
        name = _safe(place.name, search)
        try:
            digest = _digest(place)
            if digest in seen:
                seen[digest].names.append(name)
                found.copies += 1
            else:
                seen[digest] = _look_at(place, name, search, found)
                seen[digest].without_records = digest in traced.without_records
                seen[digest].kind = traced.kinds.get(digest, "")
                seen[digest].is_raw |= digest in traced.raw_of_all
                found.bytes += seen[digest].looked.bytes
        except FileNotFoundError:
            continue  # Gone since it was listed: servers clean up.
        except OSError as error:
            found.unread.append(Unread(name, f"cannot be read: {type(error).__name__}"))
        found.files += 1
    return [seen[digest] for digest in seen]


def _safe(name: str, search: searching.Search) -> str:
    """A file's name, unless that is a value itself."""
    if not search.look([name.encode("utf-8", "replace")]).hits:
        return name
    return f"a file named by a value (sha256 of the name: {hashlib.sha256(name.encode()).hexdigest()[:12]})"


def _digest(place: Place) -> str:
    """sha256 of a file, or of a database and its log together."""
    with place.open() as file:
        digest = hashlib.file_digest(cast("io.BufferedReader", file), "sha256")
    digest.update(place.log())
    return digest.hexdigest()


def _look_at(place: Place, name: str, search: searching.Search, found: Searched) -> _Seen:
    """Search one file: its name, its bytes as they lie there, and decoded."""
    looked = search.look([place.name.encode("utf-8", "replace")])
    for left in reversed(range(TRIES)):
        with place.open() as file:
            head = file.read(HEAD)
            if not contents.is_opened(head):
                pieces = itertools.chain([head], iter(lambda: file.read(PIECE), b""))
                return _Seen(search.look(pieces, looked), [name], is_raw=False)
            data = head + file.read()
        try:
            for view in contents.views(data, place.log()):
                search.look([view.data], looked, glued=view.glued)
            return _Seen(looked, [name], _holds_known(data))
        except contents.UnreadableError as error:
            if left and data.startswith(contents.SQLITE):  # Perhaps it was written just then.
                time.sleep(PAUSE)
                continue
            found.unread.append(Unread(name, f"cannot be decoded: {error}"))
            break
    return _Seen(looked, [name], is_raw=False)


def _holds_known(data: bytes) -> bool:
    """Whether a file is a shard with what sources knew, which redaction empties."""
    if not data.startswith(b"PAR1"):
        return False
    file = pq.ParquetFile(io.BytesIO(data))
    if not {"known", "completion"} <= set(file.schema_arrow.names):
        return False
    return any(file.read(columns=["known"])["known"].to_pylist())


def _tell(seen: Sequence[_Seen], sought: leaks.Sought, found: Searched) -> None:
    """Sort what was found into leaks, chance, and what may stand where it stands."""
    raw = [each for each in seen if each.is_raw]
    found.raw = sorted(name for each in raw for name in each.names)
    there = {hit.value for each in raw for hit in each.looked.hits}
    types = [value.type for value in sought.values]
    found.unseen = _counted(types, set(range(len(types))) - there)
    others = [each for each in seen if not each.is_raw]
    judged = chance.judge([each.looked for each in others])
    found.expected = round(judged.expected, 3)
    found.machine = len({value for each in others for value in each.looked.machine})
    for place, each in enumerate(others):
        apart = found.without_records if each.without_records else found.leaks
        for name in each.names:
            if place in judged.leaks:
                apart.append(Holder(name, each.kind, _counted(types, judged.leaks[place])))
            if place in judged.chance:
                found.chance.append(Holder(name, each.kind, _counted(types, judged.chance[place])))


def _counted(types: Sequence[str], values: Collection[int]) -> dict[str, int]:
    return dict(sorted(Counter(types[value] for value in values).items()))
