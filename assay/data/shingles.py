"""Shingles: which of many texts share how many, by arithmetic on whole arrays.

:mod:`assay.data.near_duplicates` says what is compared and why; here is how, a batch of texts or a band of keys at
once. A shingle is the upper 48 bits of a hash of its words. An array is of numpy, and has one dimension unless it
says otherwise; two numbers that belong together, such as a text and a shingle, are packed into one of 64 bits.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

_LOAD = 1 << 21
"""Shingles of pairs in the works at once; a pair counts for 64 at least, so that there are fewer than 2¹⁶."""

_SHINGLE_BITS = np.uint64(48)
"""Of a shingle's hash: two texts of 40 shingles share one by chance once in 10¹¹ pairs."""

_SHINGLE = np.uint64(2**48 - 1)
_INDEX_BITS = np.uint64(32)
_INDEX = np.uint64(2**32 - 1)
_NONE = np.uint64(2**64 - 1)

Array = Any


def of(words: Sequence[list[str]], n: int) -> tuple[Array, Array]:
    """The distinct shingles of ``n`` words of each text, ascending, text after text; and how many each text has.

    Args:
        words: Of at most 2¹⁶ texts.
        n: Words of a shingle; a text that has fewer is one shingle, and a text without words has none.
    """
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
    counts = np.bincount((packed >> _SHINGLE_BITS).astype(np.int64), minlength=len(words))
    return packed & _SHINGLE, counts


def keys(shingles: Array, counts: Array, shape: tuple[int, int], permutations: int, seed: int) -> Array:
    """A 32-bit key of each text's minima in each band: bands x texts; ``shape`` is bands and minima of each."""
    from rensa import RMinHash

    bands, rows = shape
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)
    minima = RMinHash.digest_matrix_from_flat_token_hashes(shingles, offsets, permutations, seed)
    table = np.array(minima.to_rows(), np.uint64)[:, : bands * rows].reshape(len(counts), bands, rows)
    mixed: Array = np.zeros(table.shape[:2], np.uint64)
    for row in range(rows):
        mixed = _mix(mixed + table[:, :, row])
    return (mixed >> _INDEX_BITS).astype(np.uint32).T


def alike(
    shingles: Sequence[Array], counts: Sequence[Array], keys: Sequence[Array], threshold: float, crowd: int
) -> Iterator[tuple[int, int, float]]:
    """Numbers of the first and the later text of each pair that reaches ``threshold``, and its similarity.

    In the order of the later ones, then the first. One band at a time, for most candidates are not alike.

    Args:
        shingles: Of each batch of texts, as :func:`of` gives them.
        counts: Likewise.
        keys: Of each batch.
        threshold: Least similarity.
        crowd: Earliest texts of a bucket that others are compared with, and pairs after which a text needs no more.
    """
    every, sizes = np.concatenate(shingles), np.concatenate(counts)
    filled = np.flatnonzero(sizes)
    pairs: Array = np.empty(0, np.uint64)
    likeness: Array = np.empty(0)
    for band in range(len(keys[0])):
        key = np.concatenate([batch[band] for batch in keys])[filled]
        packed = np.sort(key.astype(np.uint64) << _INDEX_BITS | filled.astype(np.uint64))
        found = _neighbours(packed, np.bincount(_ends(pairs)[1], minlength=len(sizes)) < crowd, crowd)
        known: Array = np.append(np.sort(pairs), _NONE)
        found = found[known[np.searchsorted(known, found)] != found]
        values = _jaccard(every, sizes, found)
        reached = values >= threshold
        pairs, likeness = np.append(pairs, found[reached]), np.append(likeness, values[reached])
    firsts, laters = _ends(pairs)
    order = np.lexsort((firsts, laters))
    return zip(*(column[order].tolist() for column in (firsts, laters, likeness)), strict=True)


def _neighbours(band: Array, wanting: Array, crowd: int) -> Array:
    """Pairs of texts in one bucket, packed.

    Args:
        band: Key and index of each text, packed, ascending.
        wanting: Whether the text of each index is to be compared with earlier ones.
        crowd: Earliest texts of a bucket that others are compared with.
    """
    starts = np.flatnonzero(np.concatenate([[True], band[1:] >> _INDEX_BITS != band[:-1] >> _INDEX_BITS]))
    sizes: Array = np.diff(np.append(starts, len(band)))
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    members, owners = _ranges(starts, sizes)
    wanted = wanting[(band[members] & _INDEX).astype(np.int64)]
    members, starts = members[wanted], starts[owners[wanted]]
    found = []
    for place in range(min(crowd, sizes.max(initial=1) - 1)):
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


@functools.lru_cache(1 << 18)
def _digest(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())


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
