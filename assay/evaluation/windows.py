"""Windows: whether a prompt and its answer fit into what a model reads at once."""

from collections.abc import Sequence
from typing import Any

from assay.errors import ModelError


def check(model: Any, prompts: Sequence[list[int]], max_new_tokens: int, setting: str) -> None:  # noqa: ANN401
    """Refuse prompts that cannot be answered.

    Args:
        model: a causal model of transformers.
        prompts: token ids.
        max_new_tokens: of the longest answer.
        setting: what the recipe calls that limit.

    Raises:
        ModelError: a prompt is empty, or does not fit the model's window together with its answer.
    """
    window = getattr(model.config, "max_position_embeddings", None)
    for place, prompt in enumerate(prompts):
        if not prompt:
            raise ModelError(f"prompt {place} has no token: expected at least one. Check the chat template.")
        if window is not None and len(prompt) + max_new_tokens > window:
            raise ModelError(
                f"prompt {place} has {len(prompt)} tokens and may be answered with {max_new_tokens}: the model's "
                f"window is {window}. Shorten the prompt, or lower {setting}."
            )
