"""A token classifier of the organisation's own, as Hugging Face's transformers load it, on a GPU where there is one.

A text is cut into windows of at most :data:`WINDOW` tokens that overlap by :data:`OVERLAP`, so nothing is cut off; a
token seen twice takes the reading in which it stands further from the window's edge. Windows of *equal* length share a
batch, so nothing is padded and a text's spans do not depend on its neighbours; probabilities are rounded to
:data:`DIGITS` decimals, which absorbs the last bits in which kernels may differ.

A token's score for a type is the sum of its probabilities of the labels that the recipe maps to it, with or without the
prefix that says where in a span it stands (``B-``, ``I-``, ``E-``, ``S-``, ``L-``, ``U-``). A word is as suspicious as
its most suspicious token; neighbouring words of a type are one span.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.errors import RecogniserError
from assay.policy import RecogniserSpec
from assay.privacy.patterns import Span

VERSION = 1

WINDOW = 256
"""Tokens of a window, the special ones included; less if the model reads less."""

OVERLAP = 64
"""Tokens that neighbouring windows share, at most a quarter of them."""

BATCH = 1024
"""Tokens computed together on a CPU; more falls out of its cache."""

GPU_BATCH = 16_384
"""Tokens computed together on a GPU."""

DIGITS = 4
"""Decimals kept of a score."""

_PREFIXES = tuple(f"{place}-" for place in "BIESLU")


class Window(NamedTuple):
    """A piece of a text as the model reads it."""

    text: int
    ids: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]
    """Of each token the number of its word within the text; None of special ones."""


class Reading(NamedTuple):
    """What the model says of one token."""

    margin: int
    """Tokens to the nearer edge of the window it was read in."""

    start: int
    end: int
    word: int
    scores: tuple[float, ...]
    """Of each of the recipe's types."""


class TokenClassifier:
    """The loaded model. Stateless between calls; one per process is enough."""

    reads_fields = False

    def __init__(self, spec: RecogniserSpec, path: Path) -> None:
        """Load it; raises :class:`RecogniserError` if it cannot be, or knows none of a label in the recipe."""
        import torch

        self._threshold = spec.threshold
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer, self._model = _loaded(spec.name, path)
        self._model.to(self._device).eval()
        self._types = sorted(set(spec.labels.values()))
        self._columns = _columns(spec, self._model.config.id2label)
        self._length = min(WINDOW, _reach(self._tokenizer, self._model.config))

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Runs of words that score at least the threshold."""
        best: list[dict[tuple[int, int], Reading]] = [{} for _ in texts]
        for batch in self._batches([window for n, text in enumerate(texts) for window in self._windows(n, text)]):
            for window, rows in zip(batch, self._scores([window.ids for window in batch]), strict=True):
                for reading in _readings(window, rows):
                    place = (reading.start, reading.end)
                    held = best[window.text].get(place)
                    if held is None or reading.margin > held.margin:
                        best[window.text][place] = reading
        return [self._spans(text, readings.values()) for text, readings in zip(texts, best, strict=True)]

    def _windows(self, number: int, text: str) -> Iterator[Window]:
        encoded = self._tokenizer(
            text,
            truncation=True,
            max_length=self._length,
            stride=min(OVERLAP, self._length // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        for index, ids in enumerate(encoded["input_ids"]):
            yield Window(number, ids, encoded["offset_mapping"][index], encoded.word_ids(index))

    def _batches(self, windows: Sequence[Window]) -> Iterator[list[Window]]:
        """Windows of one length together, at most so many tokens at a time."""
        most = GPU_BATCH if self._device == "cuda" else BATCH
        by_length: defaultdict[int, list[Window]] = defaultdict(list)
        for window in windows:
            by_length[len(window.ids)].append(window)
        for length, alike in sorted(by_length.items()):
            size = max(1, most // length)
            yield from (alike[first : first + size] for first in range(0, len(alike), size))

    def _scores(self, ids: list[list[int]]) -> list[list[list[float]]]:
        """For windows of one length: per token, the probability of each of the recipe's types."""
        import torch

        tokens = torch.tensor(ids, device=self._device)
        with torch.inference_mode():
            logits = self._model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits
        odds = torch.softmax(logits.double(), dim=-1).cpu()
        by_type = torch.stack([odds[..., columns].sum(-1) for columns in self._columns], dim=-1)
        return torch.round(by_type, decimals=DIGITS).tolist()

    def _spans(self, text: str, readings: Any) -> list[Span]:  # noqa: ANN401
        spans: list[Span] = []
        for start, end, scores in _words(readings):
            score = max(scores)
            if score < self._threshold:
                continue
            kind = self._types[scores.index(score)]
            last = spans[-1] if spans else None
            if last and last.type == kind and text[last.end : start] in {"", " "}:
                spans[-1] = Span(last.start, end, kind, max(last.score, score))
            else:
                spans.append(Span(start, end, kind, score))
        return spans


def _readings(window: Window, rows: Sequence[Sequence[float]]) -> Iterator[Reading]:
    last = len(window.ids) - 1
    for position, ((start, end), word, scores) in enumerate(zip(window.offsets, window.words, rows, strict=True)):
        if word is not None and start < end:
            yield Reading(min(position, last - position), start, end, word, tuple(scores))


def _words(readings: Any) -> Iterator[tuple[int, int, list[float]]]:  # noqa: ANN401
    """Whole words from their pieces: of each type the highest score."""
    held: tuple[int, int, int, list[float]] | None = None
    for _, start, end, word, scores in sorted(readings, key=lambda reading: (reading.start, reading.end)):
        if held and held[0] == word:
            held = (word, held[1], max(held[2], end), [max(pair) for pair in zip(held[3], scores, strict=True)])
            continue
        if held:
            yield held[1:]
        held = (word, start, end, list(scores))
    if held:
        yield held[1:]


def _columns(spec: RecogniserSpec, names: dict[int, str]) -> list[list[int]]:
    """For each of the recipe's types, sorted, the numbers of the model's labels that stand for it."""
    plain = {number: name[2:] if name.startswith(_PREFIXES) else name for number, name in names.items()}
    if strange := sorted(set(spec.labels) - set(plain.values()) - set(names.values())):
        raise RecogniserError(
            f"recogniser {spec.name}: the model tells {sorted(set(plain.values()))[:20]}, expected it to tell "
            f"{strange}; correct `labels`"
        )
    kinds = {number: spec.labels.get(names[number], spec.labels.get(plain[number])) for number in names}
    return [
        sorted(int(number) for number, kind in kinds.items() if kind == wanted)
        for wanted in sorted(set(spec.labels.values()))
    ]


def _reach(tokenizer: Any, config: Any) -> int:  # noqa: ANN401
    """Tokens that the model can read at once; positions of RoBERTa and its kin start behind the padding."""
    positions = getattr(config, "max_position_embeddings", None) or WINDOW
    offset = (config.pad_token_id or 0) + 1 if "roberta" in str(config.model_type) else 0
    return int(min(tokenizer.model_max_length, positions - offset))


def _loaded(name: str, path: Path) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    where: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, **where)
        model, report = AutoModelForTokenClassification.from_pretrained(
            path, use_safetensors=True, output_loading_info=True, **where
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise RecogniserError(
            f"recogniser {name}: not loadable as a token classifier ({type(error).__name__}); try "
            "AutoModelForTokenClassification.from_pretrained on it"
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise RecogniserError(
            f"recogniser {name}: found no weights for {missing[:3]}, expected a trained token classifier; choose "
            "another model"
        )
    if not tokenizer.is_fast:
        raise RecogniserError(f"recogniser {name}: its tokenizer does not say where words stand; add a tokenizer.json")
    return tokenizer, model
