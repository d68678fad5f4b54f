"""Near duplicates: records whose users say nearly the same.

Two texts are near duplicates if their Jaccard similarity, the shingles they share over all shingles
of both (Broder 1997, doi:10.1109/SEQUEN.1997.666900), reaches a threshold. A shingle is a run of
consecutive words, case and punctuation folded, and a placeholder such as ``[PERSON_2]`` counts as its
type. A text with fewer words than a shingle is one shingle; a text without words is like no other.

Comparing all pairs would take the square of their number. Minima under random permutations
(MinHash, computed by rensa) agree with the probability that is the similarity, and pairs are
candidates if in some band of :func:`bands` all minima agree (Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, 3rd ed., sections 3.3 and 3.4). Each candidate is then verified by its true
similarity, so chance decides at most that a pair is missed: at a threshold of 0.7, one in 190 of
those just there and one in 350,000 at 0.8.

Of the texts in one bucket, each is compared with the :data:`CROWD` earliest only, and with no more once
it is like so many, so a form letter sent a hundred thousand times costs its number, not the square of
it. Words are runs of letters and
digits: in a script without spaces between them, only whole phrases are compared.
"""

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any, NamedTuple

import numpy as np

from assay.records import Dropped, Found, Record, Suspect, label_of
from assay.spec import NearDuplicatesSpec

VERSION = 1

PERMUTATIONS = 256
"""Minima kept of each text while its bands are made."""

SURE = 0.98
"""Least probability that a pair just at the threshold becomes a candidate."""

CROWD = 16
"""Earliest texts of a bucket that the others in it are compared with, and twins after which a text needs no more."""

SEED = 1

_BATCH = 1_024
"""Texts in the works at once; at most 2¹⁶, for their numbers share 64 bits with a shingle."""

_LOAD = 1 << 21
"""Shingles of pairs in the works at once; a pair counts for 64 at least, so that there are fewer than 2¹⁶."""

_SHINGLE_BITS = np.uint64(48)
"""Of a shingle's hash: two texts of 40 shingles share one by chance once in 10¹¹ pairs."""

_SHINGLE = np.uint64(2**48 - 1)
_INDEX_BITS = np.uint64(32)
_INDEX = np.uint64(2**32 - 1)
_NONE = np.uint64(2**64 - 1)

_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]*)_\d+\]")
_WORD = re.compile(r"\w+")

Array = Any
"""Of numpy, one-dimensional unless it says otherwise."""


class Pair(NamedTuple):
    """Two texts that say nearly the same."""

    first: str
    """Id of the one that was added before the other."""

    later: str
    jaccard: float


def bands(threshold: float) -> tuple[int, int]:
    """How many bands of how many minima: the longest bands by which a pair at ``threshold`` is found.

    With b bands of r, a pair of similarity s is a candidate with probability 1 - (1 - s^r)^b. Longer bands
    make fewer false candidates, so r is the largest for which this is at least :data:`SURE` at ``threshold``.
    """
    for rows in range(PERMUTATIONS, 1, -1):
        count = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** count >= SURE:
            return count, rows
    return PERMUTATIONS, 1


class Twins:
    """Texts that are compared with one another; about 0.6 kB each is kept, and no text."""

    def __init__(self, spec: NearDuplicatesSpec) -> None:
        self._spec = spec
        self._ids: list[str] = []
        self._counts: list[Array] = []
        self._shingles: list[Array] = []
        self._keys: list[Array] = []

    def add(self, texts: Sequence[str], ids: Sequence[str]) -> None:
        """Add texts, in order, each under its id."""
        self._ids += ids
        for start in range(0, len(texts), _BATCH):
            shingles, counts = _shingles(texts[start : start + _BATCH], self._spec.shingle_words)
            self._shingles.append(shingles)
            self._counts.append(counts)
            self._keys.append(_keys(shingles, counts, *bands(self._spec.jaccard)))

    def pairs(self) -> list[Pair]:
        """Pairs that reach the threshold, by when the later one was added, then the first."""
        if not any(map(len, self._shingles)):
            return []
        packed, likeness = self._alike()
        firsts, laters = _ends(packed)
        order = np.lexsort((firsts, laters))
        rows = zip(*(column[order].tolist() for column in (firsts, laters, likeness)), strict=True)
        return [Pair(self._ids[first], self._ids[later], value) for first, later, value in rows]

    def ids(self) -> list[str]:
        """Ids of texts that nearly repeat an earlier one, in the order in which they were added."""
        return list(dict.fromkeys(pair.later for pair in self.pairs()))

    def _alike(self) -> tuple[Array, Array]:
        """Pairs that reach the threshold, packed, and their similarity; one band at a time, for most are not alike."""
        shingles, counts = np.concatenate(self._shingles), np.concatenate(self._counts)
        filled = np.flatnonzero(counts)
        pairs: Array = np.empty(0, np.uint64)
        likeness: Array = np.empty(0)
        for band in range(len(self._keys[0])):
            key = np.concatenate([keys[band] for keys in self._keys])[filled]
            packed = np.sort(key.astype(np.uint64) << _INDEX_BITS | filled.astype(np.uint64))
            found = _neighbours(packed, np.bincount(_ends(pairs)[1], minlength=len(counts)) < CROWD)
            known: Array = np.append(np.sort(pairs), _NONE)
            found = found[known[np.searchsorted(known, found)] != found]
            values = _jaccard(shingles, counts, found)
            alike = values >= self._spec.jaccard
            pairs, likeness = np.append(pairs, found[alike]), np.append(likeness, values[alike])
        return pairs, likeness


def find(
    shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str, spec: NearDuplicatesSpec
) -> Found:
    """Who nearly repeats an earlier record, and who does so under another label.

    What users say is compared: neither the system's turns nor answers. Evaluation records are compared with one
    another and never dropped; a training record that is like one of them is contamination's business.

    A record is dropped for a record before it that stays and has the same label, so of a chain a ~ b ~ c in which
    a and c differ, c stays: nothing leaves without a like of it being kept. If ``spec.on_found`` is "review",
    every one stays and each later one is a suspect.

    Two with different labels are both suspects unless dropped for a third; each names the most similar one of
    another label, of those that stay if there is one.
    """
    sides = {False: Twins(spec), True: Twins(spec)}
    labels: dict[str, str | None] = {}
    for shard in shards:
        labels |= {record.id: label_of(record, field) for record in shard}
        for locked, twins in sides.items():
            rows = [record for record in shard if is_evaluation[record.id] is locked]
            twins.add([_said(record) for record in rows], [record.id for record in rows])
    learned = _judge(sides[False].pairs(), labels, drops=spec.on_found == "drop")
    asked = _judge(sides[True].pairs(), labels, drops=False)
    return Found(learned.dropped, (*learned.suspects, *asked.suspects))


def fold(text: str) -> list[str]:
    """The words of ``text`` as they are compared."""
    return _WORD.findall(_PLACEHOLDER.sub(r" \1_ ", text).casefold())


def _judge(pairs: list[Pair], labels: Mapping[str, str | None], *, drops: bool) -> Found:
    repeats = _repeats(pairs, labels, drops=drops)
    gone = {pair.later for pair in repeats} if drops else set[str]()
    opposed = _disagreements([pair for pair in pairs if labels[pair.first] != labels[pair.later]], gone)
    if drops:
        return Found(tuple(Dropped(pair.later, "deduplicate", _reason(pair)) for pair in repeats), opposed)
    suspects = (
        Suspect(id=pair.later, kind="near_duplicate", doubt=pair.jaccard, reason=_reason(pair), twin=pair.first)
        for pair in repeats
    )
    return Found((), (*suspects, *opposed))


def _repeats(pairs: list[Pair], labels: Mapping[str, str | None], *, drops: bool) -> list[Pair]:
    """For each record that is like an earlier one of its label that stays: the pair with the most similar one."""
    gone: set[str] = set()
    repeats: list[Pair] = []
    for later, earlier in groupby(pairs, key=lambda pair: pair.later):
        same = [pair for pair in earlier if pair.first not in gone and labels[pair.first] == labels[later]]
        if same:
            repeats.append(max(same, key=lambda pair: pair.jaccard))
            if drops:
                gone.add(later)
    return repeats


def _disagreements(pairs: list[Pair], gone: set[str]) -> tuple[Suspect, ...]:
    """Each record of ``pairs`` that is not gone, with the one that most speaks against its label."""
    against: dict[str, tuple[bool, float, str]] = {}
    for pair in pairs:
        for one, other in ((pair.first, pair.later), (pair.later, pair.first)):
            weight = (other not in gone, pair.jaccard)
            if one not in gone and (one not in against or weight > against[one][:2]):
                against[one] = (*weight, other)
    reason = "says nearly the same as {}, which has another label: Jaccard {:.2f}"
    return tuple(
        Suspect(id=one, kind="disagreement", doubt=value, reason=reason.format(other, value), twin=other)
        for one, (_, value, other) in against.items()
    )


def _reason(pair: Pair) -> str:
    return f"near duplicate of {pair.first}: Jaccard {pair.jaccard:.2f}"


def _said(record: Record) -> str:
    return "\n\n".join(turn.content for turn in record.context if turn.role == "user")


@functools.lru_cache(1 << 18)
def _digest(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())


def _shingles(texts: Sequence[str], n: int) -> tuple[Array, Array]:
    """Hashes of each text's distinct shingles, ascending, text after text; and how many each text has."""
    words = [fold(text) for text in texts]
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    hashed = np.fromiter(map(_digest, chain.from_iterable(words)), np.uint64, lengths.sum())
    # Words beyond the end of a text that is shorter than a shingle count as 0.
    hashed = np.append(hashed, np.zeros(n, np.uint64))
    ends = np.cumsum(lengths)
    starts, owners = _ranges(ends - lengths, np.where(lengths, np.maximum(lengths - n + 1, 1), 0))
    mixed: Array = np.zeros(len(starts), np.uint64)
    for places in (starts + offset for offset in range(n)):
        mixed = _mix(mixed + np.where(places < ends[owners], hashed[places], np.uint64(0)))
    packed = _distinct(owners.astype(np.uint64) << _SHINGLE_BITS | mixed >> (np.uint64(64) - _SHINGLE_BITS))
    counts = np.bincount((packed >> _SHINGLE_BITS).astype(np.int64), minlength=len(texts))
    return packed & _SHINGLE, counts


def _keys(shingles: Array, counts: Array, bands: int, rows: int) -> Array:
    """A 32-bit key of each text's minima in each band: ``bands`` x texts."""
    from rensa import RMinHash

    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)
    minima = RMinHash.digest_matrix_from_flat_token_hashes(shingles, offsets, PERMUTATIONS, SEED)
    table = np.array(minima.to_rows(), np.uint64)[:, : bands * rows].reshape(len(counts), bands, rows)
    mixed: Array = np.zeros(table.shape[:2], np.uint64)
    for row in range(rows):
        mixed = _mix(mixed + table[:, :, row])
    return (mixed >> _INDEX_BITS).astype(np.uint32).T


def _neighbours(band: Array, alone: Array) -> Array:
    """Pairs of texts in one bucket, packed.

    Args:
        band: Key and index of each text, packed, ascending.
        alone: Whether the text of each index is to be compared with earlier ones.
    """
    starts = np.flatnonzero(np.concatenate([[True], band[1:] >> _INDEX_BITS != band[:-1] >> _INDEX_BITS]))
    sizes: Array = np.diff(np.append(starts, len(band)))
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    members, owners = _ranges(starts, sizes)
    wanted = alone[(band[members] & _INDEX).astype(np.int64)]
    members, starts = members[wanted], starts[owners[wanted]]
    found = []
    for place in range(min(CROWD, sizes.max(initial=1) - 1)):
        after = members > starts + place
        firsts = band[starts[after] + place] & _INDEX
        found.append(firsts << _INDEX_BITS | band[members[after]] & _INDEX)
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _jaccard(shingles: Array, counts: Array, pairs: Array) -> Array:
    """The true similarity of each packed pair of texts."""
    if not len(pairs):
        return np.empty(0)
    firsts, laters = _ends(pairs)
    sizes = counts[firsts] + counts[laters]
    loads = np.cumsum(np.maximum(sizes, 64)) // _LOAD
    starts = np.cumsum(counts) - counts
    parts = np.split(pairs, np.flatnonzero(np.diff(loads)) + 1)
    shared = np.concatenate([_shared(shingles, starts, counts, part) for part in parts])
    return shared / (sizes - shared)


def _shared(shingles: Array, starts: Array, counts: Array, pairs: Array) -> Array:
    """How many shingles the texts of each packed pair share."""
    both = np.concatenate(_ends(pairs))
    places, owners = _ranges(starts[both], counts[both])
    packed = np.sort((owners % len(pairs)).astype(np.uint64) << _SHINGLE_BITS | shingles[places])
    # A text's shingles are distinct, so what stands twice is in both.
    twice = packed[1:][packed[1:] == packed[:-1]] >> _SHINGLE_BITS
    return np.bincount(twice.astype(np.int64), minlength=len(pairs))


def _ends(pairs: Array) -> tuple[Array, Array]:
    """Indices of the first and the later text of each packed pair."""
    return (pairs >> _INDEX_BITS).astype(np.int64), (pairs & _INDEX).astype(np.int64)


def _ranges(starts: Array, counts: Array) -> tuple[Array, Array]:
    """``start … start + count - 1`` of each, one after the other; and which of them each number belongs to."""
    owners: Array = np.repeat(np.arange(len(starts)), counts)
    return np.arange(len(owners)) + (starts - np.cumsum(counts) + counts)[owners], owners


def _distinct(numbers: Array) -> Array:
    numbers.sort()
    return numbers[np.concatenate([[True], numbers[1:] != numbers[:-1]])] if len(numbers) else numbers


def _mix(numbers: Array) -> Array:
    """Stafford's variant 13 of the finaliser of MurmurHash3, as SplitMix64 has it (Steele et al. 2014)."""
    numbers = (numbers ^ numbers >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ numbers >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return numbers ^ numbers >> np.uint64(31)
