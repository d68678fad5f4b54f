"""A GLiNER model of the organisation's own: it is given the names of types and finds their values.

GLiNER (Zaratiana et al. 2024, NAACL, arXiv:2311.08526) compares spans of a text with the words for a type, so the keys
of ``labels`` are prompts, such as "medical record number". It cuts what is longer than it reads without saying so;
here a text is given in windows of at most :data:`SIZE` characters that overlap by at least :data:`OVERLAP`, and a
window that is cut nevertheless fails.

The package ``gliner`` is not among Assay's dependencies, for it asks for an older transformers; 0.2.29 runs with this
one. On a CPU windows are read one by one: padding would let a text's neighbours move the last bits of its scores. On a
GPU :data:`BATCH` are read together.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.errors import RecogniserError
from assay.policy import RecogniserSpec
from assay.privacy.patterns import Span

VERSION = 1

SIZE = 350
"""Characters of a window: with the prompt, under 512 pieces of words in any vocabulary."""

OVERLAP = 100
"""Characters that neighbouring windows share: the longest value that is surely seen whole."""

BATCH = 32
"""Windows read together on a GPU."""

DIGITS = 4
"""Decimals kept of a score."""


class GlinerModel:
    """The loaded model."""

    reads_fields = False

    def __init__(self, spec: RecogniserSpec, path: Path) -> None:
        """Load it; raises :class:`RecogniserError` if it cannot be, or the package is absent."""
        self._labels, self._threshold = spec.labels, spec.threshold
        self._model = _loaded(spec.name, path)
        self._batch = BATCH if str(self._model.device).startswith("cuda") else 1

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Values of the recipe's labels."""
        found: list[list[Span]] = [[] for _ in texts]
        places = [(number, *window) for number, text in enumerate(texts) for window in windows(text)]
        if not places:
            return found
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*truncated.*")
            answers = self._model.inference(
                [texts[number][start:end] for number, start, end in places],
                sorted(self._labels),
                flat_ner=True,
                threshold=self._threshold,
                batch_size=self._batch,
            )
        for (number, start, _), answer in zip(places, answers, strict=True):
            for hit in answer:
                score = round(float(hit["score"]), DIGITS)
                found[number].append(Span(start + hit["start"], start + hit["end"], self._labels[hit["label"]], score))
        return [sorted(set(row)) for row in found]


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Starts and ends that cover ``text``, cut between words where there is one; nothing for blank text."""
    start = 0
    while start < len(text):
        end = _cut(text, start + SIZE - OVERLAP, start + SIZE)
        if not text[start:end].isspace():
            yield start, end
        if end == len(text):
            return
        start = _cut(text, start + 1, end - OVERLAP)


def _cut(text: str, least: int, most: int) -> int:
    """The last place from ``least`` to ``most`` behind white space, or else ``most``."""
    if most >= len(text):
        return len(text)
    space = max(text.rfind(" ", least, most), text.rfind("\n", least, most))
    return space + 1 if space >= 0 else most


def _loaded(name: str, path: Path) -> Any:  # noqa: ANN401
    try:
        from gliner import GLiNER  # type: ignore[import-not-found]
    except ImportError:
        raise RecogniserError(
            f"recogniser {name}: needs the package gliner, which is not installed; install gliner 0.2.29 without its "
            "dependencies"
        ) from None
    import torch

    config = json.loads((path / "gliner_config.json").read_text())
    parts = ["encoder", *(part for part in ("labels_encoder", "labels_decoder") if config.get(part))]
    if absent := [f"{part}_config" for part in parts if not config.get(f"{part}_config")]:
        raise RecogniserError(
            f"recogniser {name}: gliner_config.json has no {absent[0]}, so that part would be fetched; load the model "
            "once where there is a network, save it with save_pretrained(FOLDER, safe_serialization=True), give that"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return GLiNER.from_pretrained(str(path), local_files_only=True, load_tokenizer=True, map_location=device)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise RecogniserError(
            f"recogniser {name}: not loadable as a GLiNER model ({type(error).__name__}); try "
            "GLiNER.from_pretrained on it"
        ) from error
