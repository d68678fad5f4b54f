"""vLLM is asked the same question, or refused."""

import importlib.util
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from assay.errors import ModelError
from assay.evaluation import generation, vllm
from tests import tiny_model


def test_without_the_extra_it_is_refused(tmp_path):
    """A person is told what to install."""
    if importlib.util.find_spec("vllm"):
        pytest.skip("it is installed here")

    with pytest.raises(ModelError, match=r"found no such package.*assay\[vllm\]"):
        vllm.answer(tmp_path, "bfloat16", [[1]], 4, 2, lambda *_: None)


def test_without_a_gpu_it_is_refused(monkeypatch):
    """It would fail later, with a message of its own."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(__spec__=object()))

    with pytest.raises(ModelError, match="found no GPU"):
        vllm.check()


def test_it_decodes_greedily_and_ends_where_transformers_ends(tmp_path):
    """Two engines, one question."""
    folder = tiny_model.build(tmp_path)
    model, _ = generation.load(folder, "float32", 1)

    found = vllm.ways(folder, 40)

    assert found["temperature"] == 0
    assert found["max_tokens"] == 40
    assert set(found["stop_token_ids"]) == generation.ends(model)


def test_it_runs_no_code_of_the_model_and_none_of_its_sampling_settings(tmp_path):
    """A model's folder is data."""
    found = vllm.settings(tmp_path, "bfloat16", 32)

    assert found["model"] == found["tokenizer"] == str(tmp_path)
    assert (found["dtype"], found["max_num_seqs"]) == ("bfloat16", 32)
    assert not found["trust_remote_code"]
    assert found["generation_config"] == "vllm"


def test_a_model_that_names_no_end_of_turn_is_refused(tmp_path):
    """No answer would ever end."""
    (tmp_path / "config.json").write_text("{}")

    with pytest.raises(ModelError, match="eos_token_id"):
        vllm.ways(tmp_path, 4)


@pytest.mark.parametrize("fails", [False, True])
def test_it_gives_the_device_back(tmp_path, monkeypatch, fails):
    """Whoever is asked next needs it, and so does whoever comes after a failure."""
    import torch

    ended: list[bool] = []

    class Engine:
        llm_engine = SimpleNamespace(engine_core=SimpleNamespace(shutdown=lambda: ended.append(True)))

        def __init__(self, **_):
            pass

        def generate(self, prompts, *_, **__):
            if fails:
                raise RuntimeError
            return [SimpleNamespace(outputs=[SimpleNamespace(text="{}")]) for _ in prompts]

    named = SimpleNamespace(__spec__=object(), LLM=Engine, SamplingParams=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "vllm", named)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    tiny_model.build(tmp_path)

    with pytest.raises(RuntimeError) if fails else nullcontext():
        assert vllm.answer(tmp_path, "bfloat16", [[1], [2]], 4, 2, lambda *_: None) == ["{}", "{}"]
    assert ended == [True]
