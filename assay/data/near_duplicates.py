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

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from assay.records import PLACEHOLDER, Dropped, Found, Record, Suspect, label_of
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

_WORD = re.compile(r"\w+")


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
        self._counts: list[Any] = []
        self._shingles: list[Any] = []
        self._keys: list[Any] = []

    def add(self, texts: Sequence[str], ids: Sequence[str]) -> None:
        """Add texts, in order, each under its id."""
        from assay.data import shingles

        self._ids += ids
        for start in range(0, len(texts), _BATCH):
            words = [fold(text) for text in texts[start : start + _BATCH]]
            held, counts = shingles.of(words, self._spec.shingle_words)
            self._shingles.append(held)
            self._counts.append(counts)
            self._keys.append(shingles.keys(held, counts, bands(self._spec.jaccard), PERMUTATIONS, SEED))

    def pairs(self) -> list[Pair]:
        """Pairs that reach the threshold, by when the later one was added, then the first."""
        from assay.data import shingles

        if not any(map(len, self._shingles)):
            return []
        rows = shingles.alike(self._shingles, self._counts, self._keys, self._spec.jaccard, CROWD)
        return [Pair(self._ids[first], self._ids[later], value) for first, later, value in rows]

    def ids(self) -> list[str]:
        """Ids of texts that nearly repeat an earlier one, in the order in which they were added."""
        return list(dict.fromkeys(pair.later for pair in self.pairs()))


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
    another label, of those that stay if there is one. Without a label, the whole answer stands for it. Under other
    instructions (system turns) the same words are another request, and nothing is said of the two.
    """
    sides = {False: Twins(spec), True: Twins(spec)}
    labels: dict[str, str] = {}
    instructed: dict[str, bytes] = {}
    for shard in shards:
        labels |= {record.id: label_of(record, field) or _answer(record) for record in shard}
        instructed |= {record.id: _instructions(record) for record in shard}
        for locked, twins in sides.items():
            rows = [record for record in shard if is_evaluation[record.id] is locked]
            twins.add([_asked(record) for record in rows], [record.id for record in rows])
    pairs = {
        locked: [pair for pair in twins.pairs() if instructed[pair.first] == instructed[pair.later]]
        for locked, twins in sides.items()
    }
    learned = _judge(pairs[False], labels, drops=spec.on_found == "drop")
    asked = _judge(pairs[True], labels, drops=False)
    return Found(learned.dropped, (*learned.suspects, *asked.suspects))


def fold(text: str) -> list[str]:
    """The words of ``text`` as they are compared."""
    return _WORD.findall(PLACEHOLDER.sub(r" \1_ ", text).casefold())


def _judge(pairs: list[Pair], labels: Mapping[str, str], *, drops: bool) -> Found:
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


def _repeats(pairs: list[Pair], labels: Mapping[str, str], *, drops: bool) -> list[Pair]:
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
    reason = "says nearly the same as {}, which is answered otherwise: Jaccard {:.2f}"
    return tuple(
        Suspect(id=one, kind="disagreement", doubt=value, reason=reason.format(other, value), twin=other)
        for one, (_, value, other) in against.items()
    )


def _reason(pair: Pair) -> str:
    return f"near duplicate of {pair.first}: Jaccard {pair.jaccard:.2f}"


def _answer(record: Record) -> str:
    """Stands for the answer of a record without a label; no label looks like it."""
    return f"\x00{_digest(record.completion).hex()}"


def _instructions(record: Record) -> bytes:
    return _digest("\x1f".join(turn.content for turn in record.context if turn.role == "system"))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _asked(record: Record) -> str:
    """What the user alone said: an answer further up may be a form letter, which makes nobody alike."""
    return "\n\n".join(turn.content for turn in record.context if turn.role == "user")
