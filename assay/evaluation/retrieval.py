"""Retrieval: which training records are shown to a model as examples beside a request.

Two ways. *Nearest* to each request by BM25 (Robertson & Zaragoza 2009, doi:10.1561/1500000019; Lucene's variant with
k1 = 1.5 and b = 0.75, as bm25s computes it) over words in lower case, of what the record says beside its answer. *The
same few* for every request: labels in turn, the commonest first, within a label by digest under a seed.

Only records that are handed in are indexed, so a caller that hands in the training side alone retrieves nothing else;
a record is never its own example. Equal scores are told apart by place, so equal input gives equal examples on every
machine. Neither stop words nor stems: those belong to one language, and rare words carry the weight anyway.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from assay.errors import DataError
from assay.records import Record, label_of, said

VERSION = 1

_WORD = re.compile(r"\w+")
_SHOWN = 3


class Index:
    """Records that can be examples, by their words."""

    def __init__(self, records: Sequence[Record]) -> None:
        """Index ``records``.

        Raises:
            DataError: none of them has a word.
        """
        import bm25s

        self._records = list(records)
        documents = [words(said(record)) for record in self._records]
        if not any(documents):
            raise DataError(
                f"retrieval: found {len(documents)} records without a word among them; expected training records to "
                "retrieve. Check the training side of the split."
            )
        self._scorer = bm25s.BM25(method="lucene", k1=1.5, b=0.75, dtype="float64", backend="numpy")
        self._scorer.index(documents, show_progress=False)

    def nearest(self, request: Record, number: int) -> list[str]:
        """Ids of the nearest records, the nearest first; fewer if fewer share a word with the request."""
        import numpy as np

        asked = words(said(request))
        if not asked:
            return []
        scores = self._scorer.get_scores(asked)
        found = (
            self._records[place].id
            for place in np.lexsort((np.arange(len(scores)), -scores))
            if scores[place] > 0 and self._records[place].id != request.id
        )
        return [id for id, _ in zip(found, range(number), strict=False)]


def few(records: Sequence[Record], label: str, number: int, seed: int) -> list[str]:
    """Ids of the same few examples for every request: one of each label in turn, the commonest label first.

    Args:
        records: Of the training side.
        label: Field of the completion that is the label; records without it count as one more label.
        number: How many; all records if there are fewer.
        seed: Draws others.
    """
    by_label: dict[str, list[str]] = defaultdict(list)
    for record in records:
        by_label[label_of(record, label) or ""].append(record.id)
    lot = _lots(seed)
    common = Counter({name: len(ids) for name, ids in by_label.items()})
    ordered = sorted(by_label, key=lambda name: (-common[name], lot(name)))
    drawn = {name: sorted(ids, key=lot) for name, ids in by_label.items()}
    turns = range(max(common.values(), default=0))
    return [drawn[name][turn] for turn in turns for name in ordered if turn < len(drawn[name])][:number]


def sample(records: Sequence[Record], number: int, seed: int) -> list[Record]:
    """So many records, drawn by digest of their id and in that order: the same for whoever asks."""
    lot = _lots(seed)
    return sorted(records, key=lambda record: lot(record.id))[:number]


def subjects(records: Sequence[Record], share: float, seed: int) -> set[str]:
    """Subjects with about ``share`` of the records between them; a smaller share lies within every larger one."""
    counted = Counter(record.subject for record in records)
    lot, kept, held = _lots(seed), set[str](), 0
    for subject in sorted(counted, key=lot):
        if held >= share * len(records):
            break
        kept.add(subject)
        held += counted[subject]
    return kept


def refuse_shared(indexed: Sequence[Record], asked: Sequence[Record]) -> None:
    """Refuse a request that is among its own examples.

    Raises:
        DataError: a record is on both sides.
    """
    if both := sorted({record.id for record in indexed} & {record.id for record in asked}):
        raise DataError(
            f"found {len(both)} records both among the examples and among the requests, such as "
            f"{', '.join(both[:_SHOWN])}; expected none: a record must not be its own example. Split the data anew."
        )


def words(text: str) -> list[str]:
    """Words in lower case, numbers included."""
    return _WORD.findall(text.lower())


def _lots(seed: int) -> Callable[[str], str]:
    return lambda name: hashlib.sha256(f"{seed}\x1f{name}".encode()).hexdigest()
