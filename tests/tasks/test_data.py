"""Redaction of a shard, wherever the worker is."""

import pytest

from assay.errors import RecipeError
from assay.policy import RecogniserSpec, RedactionSpec
from tasks import data
from tasks.places import value_key_fingerprint


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.delenv("ASSAY_VALUE_KEY", raising=False)
    return tmp_path


def test_a_worker_with_another_key_refuses_before_it_reads_anything(home, monkeypatch):
    """Its fingerprints and surrogates would be filed under the flow's key."""
    here = value_key_fingerprint()
    monkeypatch.setenv("ASSAY_VALUE_KEY", "another secret, of thirty-two bytes")

    with pytest.raises(RecipeError, match="ASSAY_VALUE_KEY: found another key on the worker"):
        data._redact(None, RedactionSpec(), here, {})


def test_a_worker_with_another_library_refuses(home):
    """The answer's key names the release that it was found with."""
    with pytest.raises(RecipeError, match=r"numpy \S+, expected 0\.1"):
        data._redact(None, RedactionSpec(), value_key_fingerprint(), {"numpy": "0.1"})


def test_the_key_names_what_a_policys_own_recognisers_run_on():
    """And nothing that other policies do not use."""
    own = RecogniserSpec(
        name="ours", kind="huggingface", uri="model", digest="0" * 64, labels={"PER": "PERSON"}, licence="ours"
    )

    assert data.engines(RedactionSpec()) == {}
    assert set(data.engines(RedactionSpec(recognisers=(own,)))) == {"transformers", "torch", "safetensors"}
