"""Recognisers: detectors of the organisation's own, opened only if their bytes are those that the recipe pins.

Four kinds: a YAML file of recognisers in Presidio's format (:mod:`assay.privacy.recognisers.pattern_files`), a token
classifier (:mod:`assay.privacy.recognisers.token_classifiers`), a GLiNER model
(:mod:`assay.privacy.recognisers.gliner_models`) and a spaCy pipeline
(:mod:`assay.privacy.recognisers.spacy_pipelines`). What is opened is data: weights are read from safetensors; pickles,
and models that bring code of their own, are refused. The digest is checked before anything is loaded, and nothing is
fetched after that.

A file's digest is its sha256, a folder's that of its manifest: of a model the same files, hence the same digest, as of
a base model (:mod:`assay.model.weights`), of a spaCy pipeline every file but its descriptions.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from assay import locations
from assay.errors import RecogniserError
from assay.locations import Wanted
from assay.policy import RecogniserSpec
from assay.privacy.patterns import Span

VERSION = 1

READ = ("*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer.model")
"""What of a model's folder is read, fetched and counted in its digest."""

CODE = frozenset({".py", ".pyc", ".so", ".dll", ".pkl", ".pickle", ".pt", ".pth", ".joblib"})
"""Suffixes of files that run, or may run, when they are opened."""

EXPECTED = {
    "presidio": "a .yaml file of recognisers",
    "huggingface": "a folder with config.json and .safetensors weights",
    "gliner": "a folder with gliner_config.json and .safetensors weights",
    "spacy": "a folder with config.cfg",
}
"""What may stand at a recogniser's URI."""

LIBRARIES: dict[str, tuple[str, ...]] = {
    "presidio": ("phonenumbers", "tldextract", "pyyaml"),
    "huggingface": ("transformers", "torch", "safetensors"),
    "gliner": ("gliner", "transformers", "torch", "safetensors"),
    "spacy": (),
}
"""What runs a kind, beside what the detector itself is made of; its release may change what is found."""

_CONFIGURATION = {"huggingface": "config.json", "gliner": "gliner_config.json", "spacy": "config.cfg"}
_FETCHED = {"presidio": ("*.yaml", "*.yml"), "huggingface": READ, "gliner": READ, "spacy": ("*",)}
_DESCRIPTIONS = ("README*", "LICENSE*", "LICENCE*", "*.md", ".*")


class Recogniser(Protocol):
    """Finds what it knows in texts."""

    @property
    def reads_fields(self) -> bool:
        """Whether it is also asked about single values, which are no prose."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its hits over the threshold, of the recipe's types; the same whatever its neighbours are."""


def opened(spec: RecogniserSpec) -> Recogniser:
    """Find, check and load a recogniser.

    Raises:
        RecogniserError: it is absent, altered, of a kind that is not loaded, or knows none of the labels.
    """
    wanted = _wanted(spec)
    path = locations.locate(spec.uri, Path(), wanted, spec.revision)
    locations.verify(path, _digest(path, spec.kind, wanted), spec.digest, wanted)
    return _loaded(spec, path)


def _loaded(spec: RecogniserSpec, path: Path) -> Recogniser:
    match spec.kind:
        case "presidio":
            from assay.privacy.recognisers.pattern_files import PatternFile

            return PatternFile(spec, path)
        case "huggingface":
            from assay.privacy.recognisers.token_classifiers import TokenClassifier

            return TokenClassifier(spec, path)
        case "gliner":
            from assay.privacy.recognisers.gliner_models import GlinerModel

            return GlinerModel(spec, path)
        case "spacy":
            from assay.privacy.recognisers.spacy_pipelines import SpacyPipeline

            return SpacyPipeline(spec, path)


def digest(path: Path) -> str:
    """Name the bytes of a recogniser, of whichever kind it is, as a recipe pins them.

    Raises:
        RecogniserError: it is of no kind that is loaded.
    """
    kinds = [kind for kind, name in _CONFIGURATION.items() if (path / name).is_file()]
    kind = "presidio" if path.is_file() else next(iter(kinds[::-1]), "huggingface")
    return _digest(path, kind, _about(path.name, kind))


def _wanted(spec: RecogniserSpec) -> Wanted:
    return _about(spec.name, spec.kind)


def _about(name: str, kind: str) -> Wanted:
    return Wanted(
        name=f"recogniser {name}:",
        expected=EXPECTED[kind],
        field="redaction.recognisers",
        error=RecogniserError,
        read=_FETCHED[kind],
        suffixes=frozenset({".yaml", ".yml", ".safetensors", ".cfg"}),
    )


def _digest(path: Path, kind: str, wanted: Wanted) -> str:
    if kind == "presidio":
        if not path.is_file() or path.suffix not in {".yaml", ".yml"}:
            raise _unexpected(path, wanted)
        return locations.sha256(path)
    return locations.manifest(_admit(path, kind, wanted), path)


def _admit(path: Path, kind: str, wanted: Wanted) -> list[Path]:
    """Refuse what is not data; return the files that are read."""
    if not (path / _CONFIGURATION[kind]).is_file():
        raise _unexpected(path, wanted)
    below = [file for file in path.rglob("*") if file.is_file()]
    if code := sorted(file.name for file in below if file.suffix in CODE):
        raise RecogniserError(f"{wanted.name} found {code[:3]}, which can run code; expected {wanted.expected}")
    if kind == "spacy":
        return sorted(file for file in below if not any(file.match(form) for form in _DESCRIPTIONS))
    files = sorted({file for form in READ for file in path.glob(form) if file.is_file()})
    if not any(file.suffix == ".safetensors" for file in files):
        raise RecogniserError(
            f"{wanted.name} found no .safetensors weights; pickled ones can run code and are not loaded: convert them"
        )
    for file in files:
        if file.suffix == ".json" and '"auto_map"' in (text := file.read_text(errors="replace")):
            _refuse_code(file, text, wanted)
    return files


def _refuse_code(file: Path, text: str, wanted: Wanted) -> None:
    try:
        brings_code = "auto_map" in json.loads(text)
    except ValueError:
        brings_code = True
    if brings_code and "config" in file.name:
        raise RecogniserError(
            f"{wanted.name} {file.name} has auto_map, which runs the model's own code; expected an architecture that "
            "transformers knows"
        )


def _unexpected(path: Path, wanted: Wanted) -> RecogniserError:
    found = f"a {path.suffix or 'nameless'} file" if path.is_file() else "a folder without it"
    return RecogniserError(f"{wanted.name} found {found}, expected {wanted.expected}; correct `uri` or `kind`")
