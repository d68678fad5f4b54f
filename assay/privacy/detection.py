"""Detection: where in a text personal data are, and of which type.

Three methods, put together in Presidio's analyzer: rules (:mod:`assay.privacy.personal_rules`,
:mod:`assay.privacy.personal_labels`, :mod:`assay.privacy.personal_misspellings`, :mod:`assay.privacy.personal_cues`)
as its one recogniser, and the tagger (:mod:`assay.privacy.personal_names`) as its natural-language engine. Presidio's
own recognisers and spaCy models are not loaded, so nothing is downloaded and no socket is opened.

What they find is then made whole (:mod:`assay.privacy.personal_spans`): a hit grows to the edges of its words, parts of
a name and pieces of an address join, overlaps go to the type that says most, and every value found once is
found wherever else it stands in the same text. Values known beforehand (:class:`assay.records.Known`) are found
in any spelling of their case, white space and punctuation; of a person also each part of the name, of an e-mail
address also what stands before the @.

A text should be *all* of a record's text, turns separated by a blank line: then a name given in one turn is
found in the next.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from assay.errors import RedactionError
from assay.policy import ENTITY_TYPES, RedactionSpec
from assay.privacy import personal_cues, personal_labels, personal_misspellings, personal_rules
from assay.privacy.patterns import Span
from assay.privacy.personal_names import Tagged, Tagger
from assay.privacy.personal_spans import disjoint, joined, occurrences, whole
from assay.records import Known

VERSION = 2

TAGS = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "EMAIL": "EMAIL",
    "PHONE": "PHONE",
    "URL": "URL",
    "TAX_ID": "SSN",
    "GOVERNMENT_ID": "SSN",
    "BANK_ACCOUNT": "ACCOUNT_ID",
    "ROUTING_NUMBER": "ACCOUNT_ID",
    "PASSPORT": "ACCOUNT_ID",
    "DRIVERS_LICENSE": "ACCOUNT_ID",
    "BUILDING_NUMBER": "ADDRESS",
    "STREET_NAME": "ADDRESS",
    "SECONDARY_ADDRESS": "ADDRESS",
    "ZIP_CODE": "ADDRESS",
    "CITY": "CITY",
    "STATE": "CITY",
}
"""The tagger's types in ours."""

STRICT = personal_rules.STRICT
"""From this score on a hit stands on its own, whatever surrounds it."""

TRUST = 0.8
"""The tagger's probabilities are scaled to this, under :data:`STRICT`: a model alone is never certain."""

SURE = 0.8
"""Probability from which the tagger is believed about a lower-case word in a text that has capitals."""

LANGUAGE = "en"
"""What Presidio calls the one set of recognisers; the methods themselves are not told a language."""

BATCH = 256
"""Texts analysed together. Their order and number do not change a result."""


_AMOUNT = re.compile(
    r"(?:[$€£]|\b(?:eur|usd|gbp|chf)) ?\d{1,6}(?:[.,]\d{2,3}){0,2}\b"
    r"|(?<![\w.])\d{1,6}(?:[.,]\d{2,3})?(?= ?(?:[$€£%]|euros?\b|eur\b|usd\b|gbp\b|dollars?\b|pounds?\b))"
    r"|(?<![\w.])\d{1,6}[.,]\d\d(?![\w.]\d)",
    re.IGNORECASE,
)
_CAPITALISED = re.compile(r"(?<=[a-z,] )[A-Z][a-z]|[.!?]\s+[A-Z][a-z]")


class Detector:
    """Finds what a recipe wants masked."""

    def __init__(self, spec: RedactionSpec, threads: int = 1) -> None:
        """Load the tagger."""
        self._wanted = frozenset(spec.entities)
        self._threshold = spec.threshold
        self._engine = _analyzer(Tagger(threads), spec.threshold)

    def find(self, texts: Sequence[str], known: Sequence[Sequence[Known]], *, strict: bool = False) -> list[list[Span]]:
        """For each text the spans to mask: ascending, disjoint, of wanted types only.

        With ``strict`` only hits that stand on their own count: known values, and rules that score at
        least :data:`STRICT`. The tagger is not asked; it reads prose, not fields.

        Raises:
            RedactionError: a text cannot be examined, or a known value is of no known type.
        """
        if len(texts) != len(known):
            raise RedactionError(f"{len(texts)} texts came with {len(known)} lists of known values; give one list each")
        found = _strict(texts) if strict else self._analyse(texts)
        return [
            self._resolve(text, spans, values, strict=strict)
            for text, spans, values in zip(texts, found, known, strict=True)
        ]

    def _analyse(self, texts: Sequence[str]) -> list[list[Span]]:
        results: list[list[Span]] = []
        for first in range(0, len(texts), BATCH):
            batch = list(texts[first : first + BATCH])
            rows = self._engine.analyze_iterator(batch, LANGUAGE, batch_size=len(batch))
            results += [[Span(r.start, r.end, r.entity_type, r.score) for r in row] for row in rows]
        return results

    def _resolve(self, text: str, found: Iterable[Span], known: Sequence[Known], *, strict: bool) -> list[Span]:
        """From raw hits to what is masked."""
        given = [span for k in known for span in occurrences(text, k.value, _type(k), 1.0, known=True)]
        spans = joined(text, [whole(text, span) for span in [*found, *given]])
        if not strict:
            values = {(text[s.start : s.end], s.type): s.score for s in spans}
            spans += [span for (value, kind), score in values.items() for span in occurrences(text, value, kind, score)]
        return disjoint(text, [span for span in spans if span.type in self._wanted])


def _type(known: Known) -> str:
    if known.type not in ENTITY_TYPES:
        raise RedactionError(f"a known value has type {known.type!r}; known are {sorted(ENTITY_TYPES)}")
    return known.type


def _rules(text: str) -> list[Span]:
    """What every rule finds."""
    hits = [*personal_rules.find(text), *personal_labels.find(text), *personal_misspellings.find(text)]
    return hits + [Span(cue.start, cue.end, "PERSON", cue.score) for cue in personal_cues.find(text)]


def _strict(texts: Sequence[str]) -> list[list[Span]]:
    """What stands on its own; a text that many records share, such as a category, is examined once."""
    found = {text: [span for span in _rules(text) if span.score >= STRICT] for text in dict.fromkeys(texts)}
    return [found[text] for text in texts]


def _credible(text: str, tag: Tagged) -> bool:
    """Whether the tagger's word can be taken for it: not for a price, a common word, or a misspelt one.

    Beside words with capitals, a word without is seldom a name, and the tagger is prone to take a misspelling
    for one; it must be :data:`SURE` of it.
    """
    words = text[tag.start : tag.end]
    if TAGS[tag.label] in {"PERSON", "CITY"}:
        cased = _CAPITALISED.search(text) is not None
        plain = all(word in personal_cues.PLAIN for word in words.lower().split())
        return not plain and not (cased and words.islower() and tag.score < SURE)
    return not any(m.start() <= tag.start and tag.end <= m.end() for m in _AMOUNT.finditer(text))


def _analyzer(tagger: Tagger, threshold: float) -> Any:  # noqa: ANN401
    """Presidio's batch analyzer over the tagger and the rules, and nothing else."""
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer

    class Unenhanced(ContextAwareEnhancer):
        """Scores stay as they are: the rules look at their own context."""

        def __init__(self) -> None: ...

        def enhance_using_context(self, raw_results: list[Any], **_: object) -> list[Any]:
            return raw_results

    registry = RecognizerRegistry(recognizers=[_recogniser()], supported_languages=[LANGUAGE])
    analyzer = AnalyzerEngine(
        registry=registry,
        nlp_engine=_engine(tagger, threshold),
        supported_languages=[LANGUAGE],
        context_aware_enhancer=Unenhanced(),
    )
    return BatchAnalyzerEngine(analyzer)


def _recogniser() -> Any:  # noqa: ANN401
    """Every rule, and the tags that the engine left in the artefacts."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Recogniser(EntityRecognizer):
        def load(self) -> None: ...

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[Any]:  # noqa: ANN401, ARG002
            tags = [
                Span(tag.start, tag.end, TAGS[tag.label], tag.score * TRUST)
                for tag in nlp_artifacts.entities
                if _credible(text, tag)
            ]
            return [RecognizerResult(s.type, s.start, s.end, s.score) for s in [*tags, *_rules(text)]]

    return Recogniser(supported_entities=list(ENTITY_TYPES), name="assay", supported_language=LANGUAGE)


def _engine(tagger: Tagger, threshold: float) -> Any:  # noqa: ANN401
    """The tagger as Presidio's natural-language engine: its tags are the artefacts' entities."""
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Engine(NlpEngine):
        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            return next(self.process_batch([text], language))[1]

        def process_batch(self, texts: Iterable[str], language: str, **_: object) -> Iterator[tuple[str, NlpArtifacts]]:
            rows = list(texts)
            for text, tags in zip(rows, tagger.tag(rows, threshold), strict=True):
                yield text, NlpArtifacts(tags, [], [], [], None, language)

        def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002
            return False

        def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002
            return False

        def get_supported_entities(self) -> list[str]:
            return list(ENTITY_TYPES)

        def get_supported_languages(self) -> list[str]:
            return [LANGUAGE]

    return Engine()
