"""Outliers: records unlike the rest, in length or in language.

*Length*: the words of what was said (all turns but the system's) and the characters of the answer, each as log(1 + n),
for lengths are skewed. A record is an outlier if the modified z-score 0.6745 (x - median) / MAD of either is further
from 0 than ``deviations`` (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers). If more than half of the
lengths are the same, MAD, the median absolute deviation, is 0; the mean absolute deviation takes its place,
0.7979 (x - median) / meanAD, and if that is 0 too, all are alike.

*Language*: told by py3langid (Lui and Baldwin 2012, ACL) from what was said, placeholders left out; a text of fewer
than ``min_words`` words is not judged. A language is an outlier if fewer than ``language_share`` of them are in it.

In scripts that put no spaces between words (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) each letter counts as
a word, here and for lengths: three lines of Chinese are long enough to be judged.

Medians, deviations and shares are those of training records, so what is dropped from training does not depend on
evaluation records. Those are judged by the same measure and only ever listed.

A doubt is 0.5 for what just is an outlier and nears 1: 1 - ``deviations`` / 2|z| for lengths, and
1 - share / (2 ``language_share``) for languages.
"""

import functools
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from assay.records import PLACEHOLDER, Dropped, Found, Record, Suspect, said
from assay.spec import OutliersSpec

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

VERSION = 1

STEP = "trim"

NORMAL_MAD = 0.6745
"""Median absolute deviation of a standard normal variable."""

NORMAL_MEAN_AD = math.sqrt(2 / math.pi)
"""Mean absolute deviation of a standard normal variable."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\u1780-\u17ff"
    "\u3005-\u30ff\u31f0-\u31ff\uff66-\uff9f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai and Lao, Myanmar, Khmer; Hiragana and Katakana, Han."""

_WORD = re.compile(rf"(?!\W)[{_UNSPACED}]|[^\W{_UNSPACED}]+")


class _Measures:
    """What is kept of each record: its id, two lengths and a language."""

    def __init__(self, min_words: int) -> None:
        self._min_words = min_words
        self.ids: list[str] = []
        self.locked = bytearray()
        self.words = array("q")
        self.characters = array("q")
        self.languages: list[str | None] = []

    def add(self, record: Record, *, locked: bool) -> None:
        text = said(record)
        self.ids.append(record.id)
        self.locked.append(locked)
        self.words.append(words(text))
        self.characters.append(len(record.completion))
        self.languages.append(_language(text, self._min_words))

    def lengths(self) -> tuple[tuple[str, Sequence[int]], ...]:
        """Each kind of length and its unit."""
        return ("words said", self.words), ("characters answered", self.characters)


def find(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], spec: OutliersSpec) -> Found:
    """Records that are outliers in length or language, by id.

    If ``spec.on_found`` is "drop", those of training leave instead of being listed, for the first of their reasons.
    """
    measures = _Measures(spec.min_words)
    for record in (record for shard in shards for record in shard):
        measures.add(record, locked=is_evaluation[record.id])
    suspects = sorted((*_lengths(measures, spec), *_languages(measures, spec)), key=lambda s: (s.id, s.kind))
    drops = {s.id: s for s in reversed(suspects) if spec.on_found == "drop" and not is_evaluation[s.id]}
    return Found(
        tuple(Dropped(id, STEP, s.reason) for id, s in sorted(drops.items())),
        tuple(s for s in suspects if s.id not in drops),
    )


def deviations(values: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Modified z-score of each of ``values`` among ``reference``, which must not be empty; 0 if all of it is alike."""
    middle = median(reference)
    distances = [abs(value - middle) for value in reference]
    scale = median(distances) / NORMAL_MAD or fmean(distances) / NORMAL_MEAN_AD
    return [(value - middle) / scale if scale else 0.0 for value in values]


def words(text: str) -> int:
    """How many words ``text`` has; a letter of a script that puts no spaces between words counts as one."""
    return sum(1 for _ in _WORD.finditer(text))


def _lengths(measures: _Measures, spec: OutliersSpec) -> Iterable[Suspect]:
    if all(measures.locked):
        return
    sides = [_Side.of(unit, lengths, measures.locked) for unit, lengths in measures.lengths()]
    for row, id in enumerate(measures.ids):
        side = max(sides, key=lambda side: abs(side.scores[row]))
        if (score := abs(side.scores[row])) > spec.deviations:
            yield Suspect(
                id=id,
                kind="length",
                doubt=1 - spec.deviations / (2 * score),
                reason=f"{side.lengths[row]:,} {side.unit}, where {side.usual:,} are usual: {score:.1f} deviations",
            )


class _Side(NamedTuple):
    """What was said, or what was answered."""

    unit: str
    lengths: Sequence[int]
    usual: int
    scores: list[float]

    @classmethod
    def of(cls, unit: str, lengths: Sequence[int], locked: Sequence[int]) -> "_Side":
        learned = [length for length, asked in zip(lengths, locked, strict=True) if not asked]
        scores = deviations([math.log1p(length) for length in lengths], [math.log1p(length) for length in learned])
        return cls(unit, lengths, round(median(learned)), scores)


def _languages(measures: _Measures, spec: OutliersSpec) -> Iterable[Suspect]:
    rows = list(zip(measures.ids, measures.languages, measures.locked, strict=True))
    learned = Counter(language for _, language, locked in rows if language and not locked)
    judged = learned.total()
    for id, language, _ in rows:
        if language and judged and (share := learned[language] / judged) < spec.language_share:
            yield Suspect(
                id=id,
                kind="language",
                doubt=1 - share / (2 * spec.language_share),
                reason=f"in a language ({language}) of {learned[language]:,} of {judged:,} training records judged",
            )


def _language(text: str, min_words: int) -> str | None:
    """ISO 639-1; None if the text is too short to be judged."""
    plain = PLACEHOLDER.sub(" ", text)
    if words(plain) < min_words:
        return None
    return str(_identifier().classify(plain)[0])


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
