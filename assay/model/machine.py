"""Machine: what equal bytes depend on beyond the recipe, and what a run took of it."""

import resource
from typing import Any

from assay.model.architecture import computes_in

CUDA_SUMS = ("order of sums in backward passes of attention and indexing", "choice of matrix kernels by free memory")
"""What may differ from run to run on a GPU, on the same data, seed and versions."""


def is_half(model: Any) -> bool:  # noqa: ANN401
    """Whether products are computed in bfloat16."""
    return str(computes_in(model)) == "torch.bfloat16"


def is_still(model: Any) -> bool:  # noqa: ANN401
    """Whether nothing random enters a forward pass, so that a token's state follows from the tokens before it alone."""
    from torch.nn import Dropout

    config = model.config.get_text_config()
    drops = any(isinstance(part, Dropout) and part.p > 0 for part in model.modules())
    return not drops and not getattr(config, "attention_dropout", 0.0)


def peak_bytes() -> int:
    """Resident memory of this process at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def environment(model: Any) -> dict[str, Any]:  # noqa: ANN401
    """What the bytes of a trained model depend on beyond the recipe, and whether equal ones may be expected."""
    import torch

    cuda = torch.cuda.is_available()
    exact = not cuda or torch.are_deterministic_algorithms_enabled()
    return {
        "torch": torch.__version__,
        "dtype": str(computes_in(model)).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "device_peak_bytes": torch.cuda.max_memory_allocated() if cuda else 0,
        "deterministic": exact,
        "not_deterministic": [] if exact else list(CUDA_SUMS),
    }
