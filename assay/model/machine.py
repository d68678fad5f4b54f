"""Machine: what equal bytes depend on beyond the recipe, and what a run took of it."""

import errno
import resource
from collections.abc import Iterator
from typing import Any

from assay.model.architecture import computes_in

NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "std::bad_alloc",
    "Cannot allocate memory",
    "failed to map segment",
)
"""What torch, and what loads its libraries, says that has no error class for it."""


CUDA_SUMS = ("order of sums in backward passes of attention and indexing", "choice of matrix kernels by free memory")
"""What may differ from run to run on a GPU, on the same data, seed and versions."""


def is_half(model: Any) -> bool:  # noqa: ANN401
    """Whether products are computed in bfloat16."""
    return str(computes_in(model)) == "torch.bfloat16"


def lacked_memory(error: BaseException) -> bool:
    """Whether an allocator gave up: Python's, torch's on a device or on the CPU, or the kernel's.

    An error that another one led to counts as that one: libraries wrap what their workers raise.
    """
    return any(_lacked(each) for each in _chain(error))


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


def _lacked(error: BaseException) -> bool:
    said = str(error)
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        # By name: importing torch here would cost every command seconds.
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, (RuntimeError, ImportError)) and any(words in said for words in NO_MEMORY))
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
