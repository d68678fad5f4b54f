"""A spaCy pipeline of the organisation's own: its named entities, by rule or by model.

A pipeline's configuration names the functions that build it. Only spaCy's own are allowed (``spacy.…``), so a pipeline
that needs code of its own, or a library beside spaCy, is refused. spaCy gives no probability: every hit counts as
:data:`SCORE`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.errors import RecogniserError
from assay.policy import RecogniserSpec
from assay.privacy.patterns import Span

VERSION = 1

SCORE = 0.8
"""Of every hit."""

BATCH = 256
"""Texts given to the pipeline together."""

OWN = "spacy."
"""How the names of spaCy's own functions begin."""


class SpacyPipeline:
    """The loaded pipeline."""

    reads_fields = False

    def __init__(self, spec: RecogniserSpec, path: Path) -> None:
        """Load it; raises :class:`RecogniserError` if it cannot be, or finds no entity of a label in the recipe."""
        self._name, self._labels = spec.name, spec.labels
        self._wanted = spec.threshold <= SCORE
        self._pipeline = _loaded(spec.name, path)
        names = [name for name in self._pipeline.pipe_names if _finds(self._pipeline, name)]
        known = {label for name in names for label in self._pipeline.pipe_labels.get(name, ())}
        if strange := sorted(set(spec.labels) - known):
            raise RecogniserError(
                f"recogniser {spec.name}: finds {sorted(known)[:20]}, expected it to find {strange}; correct `labels`"
            )

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Named entities of the recipe's labels."""
        # Words met are forgotten after each call: otherwise a worker grows with what it has read.
        with self._pipeline.memory_zone():
            return [list(self._spans(document)) for document in self._pipeline.pipe(texts, batch_size=BATCH)]

    def _spans(self, document: Any) -> Iterator[Span]:  # noqa: ANN401
        for entity in document.ents if self._wanted else ():
            if kind := self._labels.get(entity.label_):
                yield Span(entity.start_char, entity.end_char, kind, SCORE)


def _finds(pipeline: Any, name: str) -> bool:  # noqa: ANN401
    return "doc.ents" in pipeline.get_pipe_meta(name).assigns


def _loaded(name: str, path: Path) -> Any:  # noqa: ANN401
    from spacy.util import load_config, load_model_from_path

    try:
        config = load_config(path / "config.cfg")
        if strange := sorted(_foreign([config.get("nlp", {}), config.get("components", {})])):
            raise RecogniserError(
                f"recogniser {name}: config.cfg names {strange[:5]}, expected functions of spaCy's own only; such a "
                "pipeline runs other code and is not loaded"
            )
        return load_model_from_path(path)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise RecogniserError(
            f"recogniser {name}: not loadable as a spaCy pipeline ({type(error).__name__}); try spacy.load on it"
        ) from error


def _foreign(section: object) -> Iterator[str]:
    """Names of registered functions in a part of the configuration that are not spaCy's own."""
    if isinstance(section, dict):
        for key, value in section.items():
            if key.startswith("@") and not str(value).startswith(OWN):
                yield str(value)
            yield from _foreign(value)
    elif isinstance(section, list):
        for part in section:
            yield from _foreign(part)
