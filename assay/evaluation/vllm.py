"""vLLM: another engine for answers, on a GPU, by ``evaluation.engine: vllm`` and the extra of that name.

The same prompts as token ids, the same greedy choice, the same ends of turn and longest answer as
:mod:`assay.evaluation.generation`, and answers in the same form. What differs is rounding: kernels of its own, and
batches that change from step to step. So it is part of an evaluation's question, answers of two engines are never
compared, and none is remembered by item: what a prompt is answered here may hang on its neighbours. Likelihoods stay
with transformers.

The engine takes most of a GPU's memory, so it runs before any weights of transformers are loaded, and ends as soon as
all is answered. Requests are still timed with transformers, one at a time; such an evaluation's environment says so.

No GPU has been at hand to run it on: what is tested is what it is asked, and that it is refused where it cannot run.
"""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assay.errors import ModelError

VERSION = 1

SHARE = 0.8
"""Of a GPU's memory that it may take."""

Report = Callable[[int, int], None]


def answer(  # noqa: PLR0913, PLR0917 — model, input, and how to decode: each is one thing
    folder: Path,
    dtype: str,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    batch_size: int,
    report: Report,
) -> list[str]:
    """Continue each prompt greedily to its end of turn, or for ``max_new_tokens``.

    Args:
        folder: Weights and tokenizer, merged.
        dtype: Of the weights.
        prompts: Token ids, ending where the answer begins.
        max_new_tokens: Longest answer, in tokens.
        batch_size: Prompts that are answered at once, at most.
        report: Told when all are answered.

    Raises:
        ModelError: vLLM or a GPU is missing, or the model names no end of turn.
    """
    check()
    import vllm

    engine = vllm.LLM(**settings(folder, dtype, batch_size))
    decoding = vllm.SamplingParams(**ways(folder, max_new_tokens))
    try:
        said = engine.generate([{"prompt_token_ids": prompt} for prompt in prompts], decoding, use_tqdm=False)
        answers = [str(each.outputs[0].text) for each in said]
    finally:
        engine.llm_engine.engine_core.shutdown()  # It is a process of its own, and ends with its memory.
    report(len(prompts), len(prompts))
    return answers


def check() -> None:
    """Refuse where it cannot run.

    Raises:
        ModelError: it is not installed, or there is no GPU.
    """
    import torch

    if importlib.util.find_spec("vllm") is None:
        raise ModelError(
            "evaluation.engine is vllm: found no such package; expected it installed. Install assay[vllm], or set "
            "the engine to transformers."
        )
    if not torch.cuda.is_available():
        raise ModelError(
            "evaluation.engine is vllm: found no GPU; expected one. Run this where there is one, or set the engine to "
            "transformers."
        )


def settings(folder: Path, dtype: str, batch_size: int) -> dict[str, Any]:
    """How the engine is started: no code of the model's own, nothing fetched, one seed."""
    return {
        "model": str(folder),
        "tokenizer": str(folder),
        "dtype": dtype,
        "max_num_seqs": batch_size,
        "gpu_memory_utilization": SHARE,
        "enable_prefix_caching": True,
        "generation_config": "vllm",  # Nothing but what is said here: a model's own settings may sample.
        "trust_remote_code": False,
        "seed": 0,
    }


def ways(folder: Path, max_new_tokens: int) -> dict[str, Any]:
    """How it decodes.

    Raises:
        ModelError: the model names no end of turn.
    """
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        found = json.loads(path.read_text()).get("eos_token_id") if path.is_file() else None
        if found is not None:
            stop = [found] if isinstance(found, int) else sorted(found)
            return {
                "temperature": 0.0,
                "max_tokens": max_new_tokens,
                "stop_token_ids": stop,
                "skip_special_tokens": True,
            }
    raise ModelError("the model names no eos_token_id: expected the end-of-turn token in generation_config.json")
