"""Verifying: whether a value that a run masked stands in anything that this deployment persisted.

The values come from the run's raw shards, the marks that redaction filed for them, and what the sources knew
(:mod:`tasks.seeking`); they are in memory only. The raw shards of every run on file hold them by design: they are
named apart, and prove that the search can see. Apart are also files that were there before any record was read, and
invented values where they were seeded. Words that redaction judged otherwise in another record are in doubt
(:mod:`assay.privacy.leaks.doubt`).
"""

import hashlib
import io
import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

from assay.artifacts import Artifact
from assay.privacy.leaks import chance, contents, doubt, searching
from assay.privacy.leaks import values as leaks
from assay.privacy.leaks.doubt import Doubtful, Judged
from assay.records import Record
from tasks import persisted, runs, seeking, shards
from tasks.persisted import Place
from tasks.places import store
from tasks.tracing import Lineage, trace

PIECE = 8 << 20
"""Bytes of a plain file that are in memory at once."""

HEAD = 16
"""Bytes that tell what a file is."""

TRIES, PAUSE = 3, 0.3
"""Times that a database is read which cannot be decoded, since it is being written, and seconds between."""

Hits = dict[int, set[int]]
"""Place of a file → values that stand in it."""

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

    missing_raw: int = 0
    """Raw shards of the run that the store does not hold: what was masked in them was not looked for."""

    unaudited_shards: int = 0
    """Raw shards with records that nobody can show to have been redacted, and of which no mark is on file."""

    unaudited_rows: int = 0
    dropped_rows: int = 0
    """Records that a doorway or redaction let go: known values and what strict rules find were looked for."""

    files: int = 0
    copies: int = 0
    """Files of which another has the same bytes: searched once."""

    bytes: int = 0
    seconds: float = 0.0
    raw: list[str] = field(default_factory=list)
    unseen: dict[str, int] = field(default_factory=dict)
    """Values that were found in no raw shard, by type."""

    leaks: list[Holder] = field(default_factory=list)
    doubtful: list[Doubtful] = field(default_factory=list)
    """Words that redaction masked in one record, on a model's word, and left in another."""

    doubtful_in: list[Holder] = field(default_factory=list)
    chance: list[Holder] = field(default_factory=list)
    expected: float = 0.0
    """Values that chance was expected to put somewhere."""

    machine: int = 0
    """Numbers found only within timestamps, UUIDs and decimal fractions."""

    without_records: list[Holder] = field(default_factory=list)
    """Files that were there before any record was read."""

    invented: list[Holder] = field(default_factory=list)
    """Seeded records, in which such a value was planted."""

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
        """Whether nothing was found, by a search that sees, knows what to look for and could read everything."""
        unknown = self.missing_raw or self.unaudited_shards
        return not (self.leaks or self.unread or self.is_blind or unknown)

    @property
    def chance_hits(self) -> int:
        """Hits that cannot be told from chance."""
        return sum(count for each in self.chance for count in each.types.values())


@dataclass(slots=True)
class _Seen:
    """What was found in bytes that may lie in several places."""

    looked: chance.Looked
    names: list[str]
    digest: str = ""


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
    own = leaks.OwnText(seeking.own_text(record, traced))
    known = seeking.known(record, traced)
    sought = seeking.choose(known, traced, own, canaries)
    found = Searched(
        record["run"],
        sought.counts,
        sought.left_out,
        sought.unproven,
        missing_raw=sum(not store().holds(shard) for shard in traced.raw) + traced.unanswered,
        unaudited_shards=len(known.shards),
        unaudited_rows=known.unaudited,
        dropped_rows=known.dropped,
    )
    search = searching.Search(sought.values, own.words)
    started = time.monotonic()
    seen = _look(search, [*persisted.files(), *persisted.served(record)], found, told)
    found.seconds = round(time.monotonic() - started, 2)
    _tell(seen, sought.values, traced, found)
    return found


def _look(
    search: searching.Search, places: Sequence[Place], found: Searched, told: Callable[[str], None]
) -> list[_Seen]:
    """Search every place; the same bytes in another place are counted and not searched again."""
    seen: dict[str, _Seen] = {}
    for place in places:
        told(place.name)
        name = _safe(place.name, search)
        if place.reason:
            found.unread.append(Unread(name, place.reason))
            continue
        try:
            digest = _digest(place)
            if digest in seen:
                seen[digest].names.append(name)
                search.look([place.name.encode("utf-8", "replace")], seen[digest].looked)
                found.copies += 1
            else:
                seen[digest] = _look_at(place, name, search, found)
                seen[digest].digest = digest
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
                return _Seen(search.look(pieces, looked), [name])
            data = head + file.read()
        try:
            for view in contents.views(data, place.log()):
                search.look([view.data], looked, glued=view.glued)
            return _Seen(looked, [name])
        except contents.UnreadableError as error:
            if left and data.startswith(contents.SQLITE):  # Perhaps it was written just then.
                time.sleep(PAUSE)
                continue
            found.unread.append(Unread(name, f"cannot be decoded: {error}"))
            break
    return _Seen(looked, [name])


def _tell(seen: Sequence[_Seen], values: Sequence[leaks.Value], traced: Lineage, found: Searched) -> None:
    """Sort what was found into leaks, doubt, chance, and what may stand where it stands."""
    raw = [each for each in seen if each.digest in traced.raw_of_all]
    found.raw = sorted(name for each in raw for name in each.names)
    there = {hit.value for each in raw for hit in each.looked.hits}
    types = [value.type for value in values]
    found.unseen = _counted(types, set(range(len(types))) - there)
    others = [each for each in seen if each.digest not in traced.raw_of_all]
    judged = chance.judge([each.looked for each in others])
    found.expected = round(judged.expected, 3)
    found.machine = len({value for each in others for value in each.looked.machine})
    _hold(found.chance, others, judged.chance, types, traced)
    hits = dict(judged.leaks)
    apart = {place: hits.pop(place) for place in list(hits) if others[place].digest in traced.without_records}
    _hold(found.without_records, others, apart, types, traced)
    _hold(found.invented, others, _taken(hits, _invented(hits, others, values, traced)), types, traced)
    doubtful = _doubtful(hits, others, values, traced, found)
    _hold(found.doubtful_in, others, _taken(hits, doubtful), types, traced)
    _hold(found.leaks, others, hits, types, traced)


def _hold(holders: list[Holder], seen: Sequence[_Seen], hits: Hits, types: Sequence[str], traced: Lineage) -> None:
    """Name the files that hold ``hits``, with what they are."""
    for place, values in sorted(hits.items()):
        kind = traced.kinds.get(seen[place].digest, "")
        holders += [Holder(name, kind, _counted(types, values)) for name in seen[place].names]


def _taken(hits: Hits, some: Hits) -> Hits:
    """``some`` of the ``hits``, which are taken out of them."""
    for place, values in some.items():
        hits[place] = hits[place] - values
    for place in [place for place, values in hits.items() if not values]:
        del hits[place]
    return some


def _invented(hits: Hits, seen: Sequence[_Seen], values: Sequence[leaks.Value], traced: Lineage) -> Hits:
    """Values that stand among seeded records, and were planted there; others came with the redacted records."""
    places = [place for place in hits if seen[place].digest in traced.of_seeded]
    planted = leaks.Invented(seeking.planted(traced) if places else ())
    found = {place: {value for value in hits[place] if planted.holds(values[value].text)} for place in places}
    return {place: some for place, some in found.items() if some}


def _doubtful(
    hits: Hits, seen: Sequence[_Seen], values: Sequence[leaks.Value], traced: Lineage, found: Searched
) -> Hits:
    """Words that redaction judged otherwise in another record, where records are held or quoted."""
    places = [place for place in hits if traced.kinds.get(seen[place].digest) in doubt.QUOTING]
    words = {value: doubt.word_of(values[value]) for place in places for value in hits[place]}
    judged = Judged(frozenset(filter(None, words.values())))
    if judged.words:
        for _, row, marks in seeking.examined(traced):
            if marks is not None:
                judged.read(row, marks)
    some: Hits = {}
    for place in places:
        rows = _rows(seen[place].digest, traced)
        for value in hits[place]:
            if (word := words[value]) and judged.explains(word, rows):
                some.setdefault(place, set()).add(value)
    those = {value for each in some.values() for value in each}
    found.doubtful = doubt.told({words[value] or "": values[value].type for value in those}, judged)
    return some


def _rows(digest: str, traced: Lineage) -> list[Record] | None:
    """The records of a shard; None of what is none, and of seeded ones, whose ids are not those of the data."""
    if traced.kinds.get(digest) != "records" or digest in traced.of_seeded:
        return None
    shard = Artifact(kind="records", digest=digest)
    return shards.read(shard) if store().holds(shard) else []


def _counted(types: Sequence[str], values: Collection[int]) -> dict[str, int]:
    return dict(sorted(Counter(types[value] for value in values).items()))
