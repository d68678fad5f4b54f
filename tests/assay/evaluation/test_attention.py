"""Attention in one product per group of heads is attention."""

from types import SimpleNamespace

import pytest

from assay.errors import ModelError
from assay.evaluation import attention, generation
from tests import tiny_model


def plain(query, key, value, mask, softcap):
    """As the paper writes it, one head at a time."""
    import torch

    found = torch.empty_like(query)
    for row in range(len(query)):
        for head in range(query.shape[1]):
            shared = head * key.shape[1] // query.shape[1]
            scores = query[row, head] @ key[row, shared].T * 0.3
            scores = torch.tanh(scores / softcap) * softcap if softcap else scores
            found[row, head] = (scores + mask[row, 0]).softmax(dim=-1) @ value[row, shared]
    return found.transpose(1, 2)


@pytest.mark.parametrize("most", [attention.MOST, 0])
@pytest.mark.parametrize(("tokens", "softcap"), [(1, None), (5, None), (5, 3.0)])
def test_heads_of_a_group_read_the_keys_that_they_share(monkeypatch, most, tokens, softcap):
    """Four heads, two of keys; also where the fused kind takes over."""
    import torch

    torch.manual_seed(0)
    monkeypatch.setattr(attention, "MOST", most)
    query, key, value = (torch.randn(3, heads, length, 8) for heads, length in ((4, tokens), (2, 9), (2, 9)))
    mask = torch.zeros(3, 1, tokens, 9).masked_fill_(torch.rand(3, 1, tokens, 9) < 0.4, torch.finfo(torch.float32).min)
    module = SimpleNamespace(num_key_value_groups=2)

    found, _ = attention.attend(module, query.clone(), key, value, mask, scaling=0.3, softcap=softcap)

    assert torch.allclose(found, plain(query, key, value, mask, softcap), atol=1e-5)


def test_layers_of_two_kinds_get_the_mask_of_their_kind():
    """Gemma 2 has full layers and sliding ones, and a soft limit of scores: answers equal those one by one."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    tokenizer = tiny_model.build_tokenizer()
    config = Gemma2Config(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, sliding_window=4, eos_token_id=2, bos_token_id=1, pad_token_id=2,
        attn_implementation="eager",
    )  # fmt: skip
    model = Gemma2ForCausalLM(config).eval()
    prompts = [tokenizer.encode(f"Reply. {text}") for text in tiny_model.SENTENCES[:3]]

    answers = generation.answer(model, tokenizer, prompts, 5, 2, lambda *_: None)

    for prompt, answer in zip(prompts, answers, strict=True):
        ids = list(prompt)
        for _ in range(5):
            with torch.inference_mode():
                ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        assert answer == tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)


def test_a_model_that_cannot_is_left_as_it_is():
    """One without a fused kind may have more in its attention than the usual."""
    model = SimpleNamespace(
        config=SimpleNamespace(_attn_implementation="eager", get_text_config=lambda: model.config),
        _supports_attention_backend=True,
        _supports_sdpa=False,
        device=SimpleNamespace(type="cpu"),
    )
    with attention.grouped(model):
        assert model.config._attn_implementation == "eager"


def test_what_was_there_is_put_back_after_an_error(tmp_path):
    """A question that failed must not change the next."""
    model, _ = generation.load(tiny_model.build(tmp_path), "float32", 1)

    with pytest.raises(ModelError):
        generation.answer(model, None, [[1, 5], [1, 6]], 4, 2, lambda *_: None, constrain=Refusing())

    assert model.config._attn_implementation == "sdpa"


class Refusing:
    """A constraint that fails."""

    digest = "x"

    def __call__(self, said):
        """Found out in the midst of an answer."""
        raise ModelError(f"found {len(said)} rows, expected none")
