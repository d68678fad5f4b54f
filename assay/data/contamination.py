"""Contamination: training records that quote an evaluation text.

A candidate shares a run of ``n`` consecutive words with an evaluation text, case and punctuation
folded (n-gram overlap; Brown et al. 2020, arXiv:2005.14165, appendix C). In formulaic text such
runs are common, so a candidate counts as a quotation only if the overlap coefficient of the two
sets of runs, |A ∩ B| / min(|A|, |B|) (Szymkiewicz-Simpson), reaches a threshold.

An evaluation text of 8 to ``n`` - 1 words is one run of its own length, and is looked for as such in
longer texts; 8 is the least that Brown et al. let n be. A still shorter one, such as "where is my
parcel", is said by many without quoting, and counts only for a record that says just that.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from assay.errors import ContaminationError, DataError
from assay.records import Dropped, Record, said
from assay.spec import ContaminationSpec

VERSION = 3

_PREFIX = "benchmark:"

COMMON = 100
"""A run that more evaluation texts share, such as a signature, is boilerplate and tells nothing of any of them."""

SHORTEST = 8
"""Words from which an evaluation text is looked for inside longer ones."""

_OPENING = 3
"""Words by which it is told cheaply that no short text starts here."""

_WORD = re.compile(r"\w+")


def runs(text: str, n: int) -> set[bytes]:
    """Digests of every run of ``n`` consecutive words; of the whole text if it is shorter."""
    return _runs(_words(text), n)


class Index:
    """Which evaluation texts hold which run."""

    def __init__(self, texts: Mapping[str, str], n: int) -> None:
        self._n = n
        self._holders: dict[bytes, list[str]] = {}
        self._sizes: dict[str, int] = {}
        self._short: dict[tuple[str, ...], set[int]] = {}
        for name, text in texts.items():
            words = _words(text)
            found = _runs(words, n)
            self._sizes[name] = len(found)
            for run in found:
                self._holders.setdefault(run, []).append(name)
            if SHORTEST <= len(words) < n:
                self._short.setdefault(tuple(words[:_OPENING]), set()).add(len(words))
        self._common = {run for run, holders in self._holders.items() if len(holders) > COMMON}
        for run in self._common:
            for name in self._holders.pop(run):
                self._sizes[name] -= 1

    def quoted(self, text: str) -> tuple[str, float] | None:
        """The evaluation text most overlapped by ``text``, and the overlap coefficient; None if no run is shared."""
        words = _words(text)
        own = _runs(words, self._n) - self._common
        shared = Counter(name for run in own | self._starts(words) for name in self._holders.get(run, ()))
        overlaps = {name: count / min(len(own), self._sizes[name]) for name, count in shared.items()}
        return max(overlaps.items(), key=lambda pair: (pair[1], pair[0])) if overlaps else None

    def _starts(self, words: list[str]) -> set[bytes]:
        """Runs as long as some short evaluation text, where one with the same first words may start."""
        if not self._short:
            return set()
        return {
            _digest(words[at : at + length])
            for at in range(len(words) - SHORTEST + 1)
            for length in self._short.get(tuple(words[at : at + _OPENING]), ())
            if at + length <= len(words)
        }


def find(
    shards: Iterable[list[Record]], index: Index, is_evaluation: Mapping[str, bool], spec: ContaminationSpec
) -> list[Dropped]:
    """Records that quote an evaluation text, in order; evaluation records quote themselves and are never among them.

    Raises:
        ContaminationError: more than ``spec.max_share`` of the records that are not evaluation quote one, which
            means a leaked source rather than a few coincidences.
    """
    total = 0
    dropped: list[Dropped] = []
    for shard in shards:
        training = [record for record in shard if not is_evaluation[record.id]]
        total += len(training)
        for record in training:
            found = index.quoted(said(record))
            if found and found[1] >= spec.overlap:
                reason = f"quotes evaluation text {found[0]}: {found[1]:.0%} of the shorter text's runs"
                dropped.append(Dropped(record.id, "decontaminate", reason))
    if len(dropped) > spec.max_share * total:
        raise ContaminationError(
            f"found {len(dropped)} of {total} training records that quote an evaluation set; expected at most "
            f"{spec.max_share:.0%}. Look for a leaked test split in the sources."
        )
    return dropped


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: list[str], n: int) -> set[bytes]:
    if not words:
        return set()
    return {_digest(words[i : i + n]) for i in range(max(1, len(words) - n + 1))}


def _digest(words: list[str]) -> bytes:
    return hashlib.blake2b("\x1f".join(words).encode(), digest_size=8).digest()


def gathered(files: Mapping[str, bytes]) -> bytes:
    """Every text of some benchmarks as JSON lines of ``id``, which begins with the benchmark's name, and ``text``.

    Args:
        files: Name → JSON lines as :func:`benchmark_texts` reads them.

    Raises:
        DataError: a line is no such item.
    """
    lines = [
        json.dumps({"id": f"{name}:{id.removeprefix(_PREFIX)}", "text": text}, sort_keys=True)
        for name, data in sorted(files.items())
        for id, text in benchmark_texts(data).items()
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def benchmark_texts(data: bytes) -> dict[str, str]:
    """Id, after ``benchmark:``, → text of each item of a benchmark: JSON lines.

    An item has an ``id`` and a ``text``, or a ``request``, or ``context``, ``choices`` and ``gold``.

    Raises:
        DataError: a line is no such item.
    """
    texts: dict[str, str] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            texts[f"{_PREFIX}{item['id']}"] = _text(item)
        except (ValueError, KeyError, IndexError, TypeError):
            raise DataError(
                f"benchmark line {number}: found no item; expected an object with `id`, and `text`, `request`, or "
                "`context`, `choices` and `gold`, the index of the right choice. Mend or remove the line."
            ) from None
    return texts


def _text(item: Mapping[str, Any]) -> str:
    for name in ("text", "request"):
        if name in item:
            return str(item[name])
    return f"{item['context']}{item['choices'][item['gold']]}"
