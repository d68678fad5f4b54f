"""Detection: where in a text personal data are, and of which type.

Three profiles. *fast* is rules (:mod:`assay.privacy.detection.personal_rules`,
:mod:`assay.privacy.detection.personal_labels`, :mod:`assay.privacy.detection.personal_misspellings`,
:mod:`assay.privacy.detection.personal_cues`) and values known beforehand. *standard* adds the tagger
(:mod:`assay.privacy.detection.personal_names`), *strict* a second, independent one
(:mod:`assay.privacy.detection.second_names`). Recognisers of the organisation's own
(:mod:`assay.privacy.recognisers.opening`) join any of them.

Models and rules are put together in Presidio's analyzer: the models as its natural-language engine, the rules as its
one recogniser. Its own recognisers and spaCy models are not loaded, so nothing is downloaded and no socket is opened.
Where only rules are asked, they are asked directly.

What is found is then made whole (:mod:`assay.privacy.detection.personal_spans`): a hit grows to the edges of its
words, parts of a name and pieces of an address join, overlaps go to the type that says most, and every value found
once is found wherever else it stands in the same text. Values known beforehand (:class:`assay.records.Known`) are
found in any spelling of their case, white space and punctuation; of a person also each part of the name, of an e-mail
address also what stands before the @.

A text should be *all* of a record's text, turns separated by a blank line: then a name given in one turn is
found in the next. What is found in a text depends on nothing else: not on its neighbours, their number or their order.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from assay.errors import RedactionError
from assay.policy import RedactionSpec
from assay.privacy.detection import personal_cues, personal_labels, personal_misspellings, personal_rules
from assay.privacy.detection.personal_names import Tagged, Tagger
from assay.privacy.detection.personal_spans import disjoint, joined, occurrences, whole
from assay.privacy.detection.second_names import SecondOpinion
from assay.privacy.patterns import Span
from assay.privacy.recognisers.opening import Recogniser, opened
from assay.records import Known

VERSION = 3

RULES, TAGGER, SECOND = "rules", "tagger", "second tagger"
"""What those that find are called; recognisers of the organisation's own go by their names."""

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


Find = Callable[[Sequence[str]], list[list[Span]]]
Hits = dict[str, list[Span]]


class Examined(NamedTuple):
    """What was found in a text."""

    spans: list[Span]
    """What is to be masked: ascending, disjoint, of wanted types only."""

    hits: Hits
    """Who found what of it, by the finder's name, before it was made whole."""


class Detector:
    """Finds what a recipe wants masked. One serves a process, but not two threads of it at once."""

    def __init__(self, spec: RedactionSpec, threads: int = 1) -> None:
        """Load what the profile needs.

        Raises:
            ModelError: a model or a recogniser is absent, altered, or of a kind that is not loaded.
        """
        self._types = spec.types
        self._wanted = frozenset(spec.entities)
        own = {each.name: opened(each) for each in spec.recognisers}
        self._models = _models(spec, threads, own)
        self._reading = {RULES: _rules_of, **{name: each.find for name, each in own.items() if each.reads_fields}}
        self._ledger: list[Hits] = []
        self._engine = _analyzer(self._models, self._ledger, self._types) if self._models else None

    def find(self, texts: Sequence[str], known: Sequence[Sequence[Known]], *, strict: bool = False) -> list[list[Span]]:
        """For each text the spans to mask: ascending, disjoint, of wanted types only.

        With ``strict`` only hits that stand on their own count: known values, rules that score at least
        :data:`STRICT`, and the organisation's own patterns. Models are not asked; they read prose, not fields.

        Raises:
            RedactionError: a text cannot be examined, or a known value is of no known type.
        """
        return [examined.spans for examined in self.examine(texts, known, strict=strict)]

    def examine(
        self, texts: Sequence[str], known: Sequence[Sequence[Known]], *, strict: bool = False
    ) -> list[Examined]:
        """As :meth:`find`, and who found what.

        Raises:
            RedactionError: a text cannot be examined, or a known value is of no known type.
        """
        if len(texts) != len(known):
            raise RedactionError(f"{len(texts)} texts came with {len(known)} lists of known values; give one list each")
        found = self._strict(texts) if strict else self._analyse(texts)
        return [
            Examined(self._resolve(text, spans, values, strict=strict), hits)
            for text, (spans, hits), values in zip(texts, found, known, strict=True)
        ]

    def _analyse(self, texts: Sequence[str]) -> list[tuple[list[Span], Hits]]:
        """What is found in prose, and by whom."""
        if self._engine is None:
            return [(hits, {RULES: hits}) for hits in map(_rules, texts)]
        results: list[tuple[list[Span], Hits]] = []
        for first in range(0, len(texts), BATCH):
            batch = list(texts[first : first + BATCH])
            self._ledger.clear()
            rows = self._engine.analyze_iterator(batch, LANGUAGE, batch_size=len(batch))
            spans = [[Span(r.start, r.end, r.entity_type, r.score) for r in row] for row in rows]
            if not len(batch) == len(spans) == len(self._ledger):
                raise RedactionError(f"of {len(batch)} texts {len(spans)} were examined; run detection on one by hand")
            results += zip(spans, self._ledger, strict=True)
        return results

    def _strict(self, texts: Sequence[str]) -> list[tuple[list[Span], Hits]]:
        """What stands on its own; a text that many records share, such as a category, is examined once."""
        distinct = list(dict.fromkeys(texts))
        rows = {name: dict(zip(distinct, find(distinct), strict=True)) for name, find in self._reading.items()}
        hits = {text: {name: found[text] for name, found in rows.items()} for text in distinct}
        return [([span for found in hits[text].values() for span in found], hits[text]) for text in texts]

    def _resolve(self, text: str, found: Iterable[Span], known: Sequence[Known], *, strict: bool) -> list[Span]:
        """From raw hits to what is masked."""
        given = [span for k in known for span in occurrences(text, k.value, self._known(k), 1.0, known=True)]
        spans = joined(text, [whole(text, span) for span in [*found, *given]])
        if not strict:
            values = {(text[s.start : s.end], s.type): s.score for s in spans}
            spans += [span for (value, kind), score in values.items() for span in occurrences(text, value, kind, score)]
        return disjoint(text, [span for span in spans if span.type in self._wanted])

    def _known(self, known: Known) -> str:
        if known.type not in self._types:
            raise RedactionError(f"a known value has type {known.type!r}; known are {sorted(self._types)}")
        return known.type


def _models(spec: RedactionSpec, threads: int, own: dict[str, Recogniser]) -> dict[str, Find]:
    """Those that are asked beside the rules, in the order in which they are."""
    models: dict[str, Find] = {}
    if spec.profile != "fast":
        models[TAGGER] = _tagging(Tagger(threads), spec.threshold)
    if spec.profile == "strict":
        models[SECOND] = SecondOpinion().find
    return models | {name: each.find for name, each in own.items()}


def _tagging(tagger: Tagger, threshold: float) -> Find:
    """The tagger's tags as hits of our types."""

    def find(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [Span(t.start, t.end, TAGS[t.label], t.score * TRUST) for t in tags if _credible(text, t)]
            for text, tags in zip(texts, tagger.tag(texts, threshold), strict=True)
        ]

    return find


def _rules_of(texts: Sequence[str]) -> list[list[Span]]:
    """What rules find that stands on its own."""
    return [[span for span in _rules(text) if span.score >= STRICT] for text in texts]


def _rules(text: str) -> list[Span]:
    """What every rule finds."""
    hits = [*personal_rules.find(text), *personal_labels.find(text), *personal_misspellings.find(text)]
    return hits + [Span(cue.start, cue.end, "PERSON", cue.score) for cue in personal_cues.find(text)]


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


def _analyzer(models: dict[str, Find], ledger: list[Hits], types: Sequence[str]) -> Any:  # noqa: ANN401
    """Presidio's batch analyzer over the models and the rules, and nothing else; who found what goes to ``ledger``."""
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer

    class Unenhanced(ContextAwareEnhancer):
        """Scores stay as they are: the rules look at their own context."""

        def __init__(self) -> None: ...

        def enhance_using_context(self, raw_results: list[Any], **_: object) -> list[Any]:
            return raw_results

    registry = RecognizerRegistry(recognizers=[_recogniser(ledger, types)], supported_languages=[LANGUAGE])
    analyzer = AnalyzerEngine(
        registry=registry,
        nlp_engine=_engine(models, types),
        supported_languages=[LANGUAGE],
        context_aware_enhancer=Unenhanced(),
    )
    return BatchAnalyzerEngine(analyzer)


def _recogniser(ledger: list[Hits], types: Sequence[str]) -> Any:  # noqa: ANN401
    """Every rule, and the models' hits that the engine left in the artefacts."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Recogniser(EntityRecognizer):
        def load(self) -> None: ...

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[Any]:  # noqa: ANN401, ARG002
            hits = {**nlp_artifacts.entities, RULES: _rules(text)}
            ledger.append(hits)
            return [RecognizerResult(s.type, s.start, s.end, s.score) for found in hits.values() for s in found]

    return Recogniser(supported_entities=list(types), name="assay", supported_language=LANGUAGE)


def _engine(models: dict[str, Find], types: Sequence[str]) -> Any:  # noqa: ANN401
    """The models as Presidio's natural-language engine: what each finds is the artefacts' entities."""
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Engine(NlpEngine):
        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            return next(self.process_batch([text], language))[1]

        def process_batch(self, texts: Iterable[str], language: str, **_: object) -> Iterator[tuple[str, NlpArtifacts]]:
            rows = list(texts)
            found = {name: find(rows) for name, find in models.items()}
            for number, text in enumerate(rows):
                hits = {name: each[number] for name, each in found.items()}
                yield text, NlpArtifacts(hits, [], [], [], None, language)

        def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002
            return False

        def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002
            return False

        def get_supported_entities(self) -> list[str]:
            return list(types)

        def get_supported_languages(self) -> list[str]:
            return [LANGUAGE]

    return Engine()
