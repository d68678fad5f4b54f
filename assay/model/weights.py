"""Weights: the base model on disk, as found, as trained on, and with an adapter merged in.

A base is named by a URI and pinned by a digest, so the same recipe meets the same bytes or nothing.
Only weights that are data are read: ``.gguf`` and ``.safetensors``. Pickles, and models that bring
code of their own, are refused.

:func:`prepare` makes of any of them a folder that transformers loads in a second: weights in the
recipe's dtype, configuration, tokenizer and chat template. A GGUF file is dequantised once; such a
base is weaker than the weights it was quantised from, and is its own baseline.
:func:`merge` makes the same kind of folder of a prepared base and what was learned of it: an adapter, or
the weights that full tuning changed. Both write equal bytes for equal inputs under one lock of dependencies.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assay import locations
from assay.errors import BaseModelError
from assay.locations import Wanted, sha256
from assay.model import changes

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VERSION = 2  # Raise on any change that could change an output: it is part of the cache key.

Dtype = Literal["float32", "bfloat16"]

READ = ("*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer.model")
"""What of a model folder is read, downloaded and counted in its digest. Nothing else is ever opened."""

_WANTED = Wanted(
    name="base",
    expected="a .gguf file or a model folder",
    field="base.digest",
    error=BaseModelError,
    read=READ,
    suffixes=frozenset({".gguf", ".safetensors"}),
)
_REWRITTEN = ("config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json")
_ORIGIN = ("_name_or_path", "_model_name_or_path", "name_or_path")


def locate(uri: str, folder: Path, revision: str | None = None) -> Path:
    """Find what ``uri`` names: a ``.gguf`` file or a model folder.

    Args:
        uri: ``package:DISTRIBUTION/FILE`` (an installed package is looked into, never imported),
            ``hub:ORG/NAME``, or a path.
        folder: where a relative path starts.
        revision: commit of a hub model.

    Raises:
        BaseModelError: nothing is there.
    """
    return locations.locate(uri, folder, _WANTED, revision)


def digest(path: Path) -> str:
    """Name the bytes at ``path``: sha256 of a file; of a folder, that of its manifest.

    The manifest is ``{name: sha256}`` over the files of :data:`READ` as JSON with sorted keys and no
    spaces, so a file added, renamed or altered changes the digest, and a README does not.

    Raises:
        BaseModelError: it is of a kind that is not loaded.
    """
    files = _admit(path)
    return locations.manifest(files, path) if path.is_dir() else sha256(path)


def verify(path: Path, expected: str) -> None:
    """Check that the bytes at ``path`` are those that the recipe pinned.

    Raises:
        BaseModelError: they are not.
    """
    locations.verify(path, digest(path), expected, _WANTED)


def prepare(path: Path, dtype: Dtype, out: Path) -> None:
    """Write ``path`` as a folder that ``AutoModelForCausalLM`` and ``AutoTokenizer`` load as it is.

    Args:
        path: a ``.gguf`` file or a model folder.
        dtype: of the weights written.
        out: must be absent or empty; it appears whole or not at all.

    Raises:
        BaseModelError: it is of a kind that is not loaded, or is no causal language model.
    """
    import torch

    kept = [file for file in _admit(path) if path.is_dir() and not any(file.match(p) for p in _REWRITTEN)]
    part = _fresh(out)
    try:
        model = _from_folder(path, dtype) if path.is_dir() else _from_gguf(path, part)
    except _unreadable() as error:
        raise BaseModelError(f"base {path.name}: not loadable as a causal language model: {_line(error)}") from error
    _save(model.to(getattr(torch, dtype)), part)
    for file in kept:
        shutil.copyfile(file, part / file.name)
    _canonical(part)
    part.rename(out)


def merge(base: Path, adapter: Path, out: Path, dtype: Dtype) -> None:
    """Put what was learned into a prepared base's weights, in float32, then round to ``dtype`` once.

    An adapter's updates are added, by its method; changed weights take the place of the base's own. What was learned
    over a base in 4 bits is added to the base as it was before it was packed.

    Raises:
        BaseModelError: the adapter does not fit the base, or the sum is not finite.
    """
    import torch

    part = _fresh(out)
    try:
        merged = _merged(_from_folder(base, "float32"), adapter)
    except _unreadable() as error:
        raise BaseModelError(f"adapter {adapter.name}: does not merge into its base: {_line(error)}") from error
    _save(merged.to(getattr(torch, dtype)), part)
    for file in _admit(base):
        if not any(file.match(pattern) for pattern in _REWRITTEN):
            shutil.copyfile(file, part / file.name)
    _canonical(part)
    part.rename(out)


def _merged(model: "PreTrainedModel", adapter: Path) -> "PreTrainedModel":
    from peft import PeftModel

    if changes.are_in(adapter):
        changes.put(adapter, model)
        return model
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)


def _admit(path: Path) -> list[Path]:
    """Refuse what is not data; return the files that will be read."""
    if not path.is_dir():
        if path.suffix != ".gguf":
            raise BaseModelError(
                f"base {path.name}: found a {path.suffix or 'nameless'} file, expected .gguf or a folder of "
                ".safetensors; convert it"
            )
        return [path]
    files = sorted({file for pattern in READ for file in path.glob(pattern) if file.is_file()})
    names = {file.name for file in files}
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        found = sorted({file.suffix or file.name for file in path.iterdir() if file.name not in names})
        raise BaseModelError(
            f"base {path.name}: found {found or sorted(names)}, expected config.json and .safetensors weights; pickled "
            "weights (.bin, .pt, .pkl) can run code and are not loaded: convert them to safetensors"
        )
    if "adapter_config.json" in names:
        raise BaseModelError(f"base {path.name}: found an adapter, expected a whole model; merge it first")
    for name in sorted(names & {"config.json", "tokenizer_config.json"}):
        _refuse_code(path / name)
    return files


def _refuse_code(file: Path) -> None:
    try:
        config = json.loads(file.read_text())
    except ValueError:
        raise BaseModelError(f"base {file.parent.name}: {file.name} is not JSON; fetch the model again") from None
    if "auto_map" in config:
        raise BaseModelError(
            f"base {file.parent.name}: {file.name} has auto_map, which runs the model's own code; expected an "
            "architecture that transformers knows: choose another base"
        )
    if "quantization_config" in config:
        raise BaseModelError(
            f"base {file.parent.name}: found quantised weights, expected plain ones; choose the original or a .gguf"
        )


def _from_folder(path: Path, dtype: Dtype) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        path, dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True, trust_remote_code=False
    )


def _from_gguf(path: Path, out: Path) -> "PreTrainedModel":
    """Dequantise to float32, and write the tokenizer that the file holds to ``out``."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    where: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(path.parent, **where)
    tokenizer.save_pretrained(out)
    # Without dequantize=True the weights may stay packed, which can be neither trained nor saved.
    return AutoModelForCausalLM.from_pretrained(
        path.parent, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True), **where
    )


def _unreadable() -> tuple[type[Exception], ...]:
    """What loading raises when files are not what they seem."""
    from safetensors import SafetensorError

    return OSError, ValueError, RuntimeError, KeyError, SafetensorError


def _save(model: "PreTrainedModel", out: Path) -> None:
    model.save_pretrained(out, safe_serialization=True)


def _fresh(out: Path) -> Path:
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def _canonical(folder: Path) -> None:
    """Leave nothing in ``folder`` that says where it was made."""
    for file in folder.iterdir():
        file.chmod(0o644)
        if file.name in {"config.json", "generation_config.json", "tokenizer_config.json"}:
            config = {key: value for key, value in json.loads(file.read_text()).items() if key not in _ORIGIN}
            file.write_text(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
