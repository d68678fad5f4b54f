"""Recognisers in Presidio's own format: patterns and deny lists in YAML, and those that Presidio comes with, by name.

The file is what ``RecognizerRegistryProvider`` reads, and Presidio's analyzer applies it. Three of its habits would let
personal data pass, or a host be asked, and are undone here:

* A pattern that takes too long is skipped with a warning. Here it fails the text after :data:`SECONDS`.
* An entry that is a bare name, or of a language not listed above it, is left out in silence. Here each enabled entry is
  loaded, whatever its language, or the file is refused; the texts' language is not told, so all apply.
* The recogniser of e-mail addresses fetches a list of top-level domains. Here it has the list that comes with it.

Of Presidio's own only those that match patterns, and the one of telephone numbers, can be named: others ask a service,
load a model of their own, or match by themselves and skip what takes too long.

Context words raise a score as Presidio has it, but only as whole words, with or without a plural's s: by default "lic"
would be found in "public".
"""

import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.errors import RecogniserError, RedactionError
from assay.policy import RecogniserSpec
from assay.privacy.patterns import Span

VERSION = 1

SECONDS = 5
"""A pattern may take for a text."""

LANGUAGE = "en"
"""What all recognisers are registered under."""

FLAGS = re.DOTALL | re.MULTILINE | re.IGNORECASE
"""Of every pattern, unless the file says otherwise: Presidio's default."""

PLURAL = 4
"""Letters from which a final s is taken for a plural's."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WITHOUT_PATTERNS = frozenset({"PhoneRecognizer"})


class PatternFile:
    """The loaded file."""

    reads_fields = True

    def __init__(self, spec: RecogniserSpec, path: Path) -> None:
        """Load it; raises :class:`RecogniserError` if it cannot be, or finds nothing of a label in the recipe."""
        self._labels, self._threshold = spec.labels, spec.threshold
        recognisers = list(_recognisers(spec.name, path))
        known = {kind for each in recognisers for kind in each.supported_entities}
        if strange := sorted(set(spec.labels) - known):
            raise RecogniserError(
                f"recogniser {spec.name}: finds {sorted(known)[:20]}, expected it to find {strange}; correct `labels`"
            )
        self._analyzer = _analyzer(recognisers)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """What scores at least the threshold, context words counted.

        Raises:
            RedactionError: a pattern took too long for a text.
        """
        return [sorted(set(self._spans(text))) for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        for hit in self._analyzer.analyze(text, LANGUAGE):
            kind = self._labels.get(hit.entity_type)
            if kind and hit.score >= self._threshold:
                yield Span(hit.start, hit.end, kind, hit.score)


class _Timely:
    """A compiled pattern that raises, in words that Presidio does not catch, if it takes too long."""

    def __init__(self, name: str, compiled: Any) -> None:  # noqa: ANN401
        self._name, self._compiled = name, compiled

    def finditer(self, text: str, **_: object) -> list[Any]:
        try:
            return list(self._compiled.finditer(text, timeout=SECONDS))
        except TimeoutError:
            raise RedactionError(
                f"a pattern of {self._name} took more than {SECONDS} s for a text of {len(text)} characters; make its "
                "repetitions bounded"
            ) from None


def _recognisers(name: str, path: Path) -> Iterator[Any]:
    """Every enabled entry of the file, loaded and made safe."""
    import yaml

    try:
        file = yaml.safe_load(path.read_bytes())
        entries = [{"name": e, "type": "predefined"} if isinstance(e, str) else dict(e) for e in file["recognizers"]]
        flags = int(file.get("global_regex_flags", FLAGS))
    except (yaml.YAMLError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecogniserError(
            f"recogniser {name}: {path.name} is not a file of recognisers ({type(error).__name__}); expected YAML with "
            "a list `recognizers`, as Presidio has it"
        ) from error
    for number, entry in enumerate(entries, start=1):
        if entry.get("enabled", True):
            yield from _entry(name, f"entry {number} of {path.name}", entry, flags)


def _entry(name: str, place: str, entry: dict[str, Any], flags: int) -> list[Any]:
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    spoken = entry.get("supported_languages") or [entry.get("supported_language") or LANGUAGE]
    languages = sorted({each["language"] if isinstance(each, dict) else str(each) for each in spoken})
    conf = {"supported_languages": languages, "recognizers": [entry], "global_regex_flags": flags}
    try:
        provider = RecognizerRegistryProvider(registry_configuration=conf)
        for read in provider.configuration["recognizers"]:
            if isinstance(read, str) or read.get("type") == "predefined":
                _admit(name, place, read if isinstance(read, str) else read.get("class_name") or read["name"])
        found = provider.create_recognizer_registry().recognizers
        for each in found:
            _made_safe(each)
    except RecogniserError:
        raise
    except Exception as error:
        raise RecogniserError(
            f"recogniser {name}: {place} is not loadable ({type(error).__name__}); try Presidio's own registry on it"
        ) from error
    if not found:
        raise RecogniserError(f"recogniser {name}: {place} is left out by Presidio; say what it finds and how")
    return list(found)


def _admit(name: str, place: str, wanted: str) -> None:
    """Refuse what does more than match patterns, before any of it is built."""
    from presidio_analyzer import PatternRecognizer, predefined_recognizers

    kind = getattr(predefined_recognizers, wanted, None)
    by_pattern = isinstance(kind, type) and issubclass(kind, PatternRecognizer)
    by_itself = getattr(kind, "analyze", None) is not PatternRecognizer.analyze
    if (not by_pattern or by_itself) and wanted not in _WITHOUT_PATTERNS:
        raise RecogniserError(
            f"recogniser {name}: {place} names {wanted}, expected one of Presidio's that match patterns, or "
            f"{sorted(_WITHOUT_PATTERNS)}; others ask a service, load a model, or skip what takes too long"
        )


def _made_safe(recogniser: Any) -> None:  # noqa: ANN401
    """Offline, in time, and for every text."""
    import regex  # type: ignore[import-untyped]
    import tldextract

    recogniser.supported_language = LANGUAGE
    recogniser.context = sorted({_stem(word) for word in recogniser.context or ()}) or None
    # Patterns belong to the class, which others may use: these are copies.
    patterns = [copy.copy(pattern) for pattern in getattr(recogniser, "patterns", ())]
    for pattern in patterns:
        compiled = regex.compile(pattern.regex, flags=recogniser.global_regex_flags)
        pattern.compiled_regex = _Timely(recogniser.name, compiled)
        pattern.compiled_with_flags = recogniser.global_regex_flags
    if patterns:
        recogniser.patterns = patterns
    if type(recogniser).__name__ == "EmailRecognizer":
        extract = tldextract.TLDExtract(suffix_list_urls=(), fallback_to_snapshot=True, cache_dir=None)
        recogniser.validate_result = lambda value: extract(value).fqdn != ""


def _stem(word: str) -> str:
    word = word.lower()
    return word.removesuffix("s") if len(word) >= PLURAL and not word.endswith("ss") else word


def _analyzer(recognisers: Iterable[Any]) -> Any:  # noqa: ANN401
    """Presidio's analyzer over these, with words and their stems for context, and nothing else."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=list(recognisers), supported_languages=[LANGUAGE]),
        nlp_engine=_engine(),
        supported_languages=[LANGUAGE],
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )


def _engine() -> Any:  # noqa: ANN401
    """Words, where they stand, and their stems, as Presidio's natural-language engine."""
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Engine(NlpEngine):
        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            tokens = list(_TOKEN.finditer(text))
            words = [token[0] for token in tokens]
            return NlpArtifacts([], words, [t.start() for t in tokens], [_stem(w) for w in words], self, language)

        def process_batch(self, texts: Iterable[str], language: str, **_: object) -> Iterator[tuple[str, NlpArtifacts]]:
            for text in texts:
                yield text, self.process_text(text, language)

        def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002
            return False

        def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002
            return not any(map(str.isalnum, word))

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return [LANGUAGE]

    return Engine()
