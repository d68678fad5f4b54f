"""Contamination: training records that quote an evaluation text.

A candidate shares a run of ``n`` consecutive words with an evaluation text, case and punctuation
folded (n-gram overlap; Brown et al. 2020, arXiv:2005.14165, appendix C). In formulaic text such
runs are common, so a candidate counts as a quotation only if the overlap coefficient of the two
sets of runs, |A ∩ B| / min(|A|, |B|) (Szymkiewicz-Simpson), reaches a threshold. A text shorter
than ``n`` words counts as one run.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from assay.errors import ContaminationError, DataError
from assay.records import Dropped, Record
from assay.spec import CurationSpec

VERSION = 1

_WORD = re.compile(r"\w+")


def runs(text: str, n: int) -> set[bytes]:
    """Digests of every run of ``n`` consecutive words; of the whole text if it is shorter."""
    words = _WORD.findall(text.casefold())
    if not words:
        return set()
    return {_digest(words[i : i + n]) for i in range(max(1, len(words) - n + 1))}


class Index:
    """Which evaluation texts hold which run."""

    def __init__(self, texts: Mapping[str, str], n: int) -> None:
        self._n = n
        self._holders: dict[bytes, list[str]] = {}
        self._sizes: dict[str, int] = {}
        for name, text in texts.items():
            found = runs(text, n)
            self._sizes[name] = len(found)
            for run in found:
                self._holders.setdefault(run, []).append(name)

    def quoted(self, text: str) -> tuple[str, float] | None:
        """The evaluation text most overlapped by ``text``, and the overlap coefficient; None if no run is shared."""
        own = runs(text, self._n)
        shared = Counter(name for run in own for name in self._holders.get(run, ()))
        overlaps = {name: count / min(len(own), self._sizes[name]) for name, count in shared.items()}
        return max(overlaps.items(), key=lambda pair: (pair[1], pair[0])) if overlaps else None


def screen(
    shards: Iterable[list[Record]], index: Index, is_evaluation: Mapping[str, bool], spec: CurationSpec
) -> Iterator[tuple[list[Record], list[Dropped]]]:
    """For each shard, the records free of evaluation text (and the evaluation records), and those that quote it.

    Raises:
        ContaminationError: at the end, if more than ``spec.max_contaminated`` of the records that are not evaluation
            was dropped, which means a leaked source rather than a few coincidences.
    """
    total = gone = 0
    for shard in shards:
        kept: list[Record] = []
        dropped: list[Dropped] = []
        for record in shard:
            found = None if is_evaluation[record.id] else index.quoted(said(record))
            if found and found[1] >= spec.contamination_overlap:
                reason = f"quotes evaluation text {found[0]}: {found[1]:.0%} of the shorter text's runs"
                dropped.append(Dropped(record.id, "decontaminate", reason))
            else:
                kept.append(record)
        total += sum(not is_evaluation[record.id] for record in shard)
        gone += len(dropped)
        yield kept, dropped
    if gone > spec.max_contaminated * total:
        raise ContaminationError(
            f"found {gone} of {total} training records that quote an evaluation set; expected at most "
            f"{spec.max_contaminated:.0%}. Look for a leaked test split in the sources."
        )


def said(record: Record) -> str:
    """What a record says beside its answer: all turns but the system's, which are the same in every record."""
    return "\n\n".join(turn.content for turn in record.context if turn.role != "system")


def _digest(words: list[str]) -> bytes:
    return hashlib.blake2b("\x1f".join(words).encode(), digest_size=8).digest()


def benchmark_texts(data: bytes) -> dict[str, str]:
    """Id, after ``benchmark:``, → text of each item: JSON lines with ``id``, ``context``, ``choices`` and ``gold``.

    Raises:
        DataError: a line is no such item.
    """
    texts: dict[str, str] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            texts[f"benchmark:{item['id']}"] = f"{item['context']}{item['choices'][item['gold']]}"
        except (ValueError, KeyError, IndexError, TypeError):
            raise DataError(
                f"benchmark line {number}: found no item; expected an object with `id`, `context`, `choices` and "
                "`gold`, the index of the right choice. Mend or remove the line."
            ) from None
    return texts
