"""A language model small enough to build in a second and to train in two: nothing in it was learned.

Two Llama layers of width 64 over a byte-level vocabulary, with the chat markers of SmolLM2. As there,
padding and the end of a turn are one token, which is what a careless loss mask trips over.
"""

from pathlib import Path

SENTENCES = (
    "Triage the customer message and reply with one JSON object.",
    "Where is my parcel? Order 1024 has not arrived and I have waited for two weeks.",
    "I was charged twice for order 77, please refund one of the two payments today.",
    "My password does not work any more and the reset mail never comes.",
    '{"intent": "refund", "priority": "high", "order_id": "77"}',
    '{"intent": "delivery", "priority": "normal", "order_id": "1024"}',
    '{"intent": "account", "priority": "low", "order_id": null}',
)

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(folder: Path, *, layers: int = 2, seed: int = 0) -> Path:
    """Write model, tokenizer and chat template to ``folder``, float32, equal bytes for equal arguments."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = build_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def build_tokenizer(template: str | None = TEMPLATE):
    """A byte-level BPE tokenizer of at most 600 tokens, trained on :data:`SENTENCES`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=control, initial_alphabet=alphabet, show_progress=False
    )
    bare.train_from_iterator(SENTENCES, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bare,
        unk_token=control[0],
        bos_token=control[1],
        eos_token=control[2],
        pad_token=control[2],
    )
    tokenizer.chat_template = template
    return tokenizer
