"""Roofline: how fast this machine multiplies matrices, and what share of that a trainer's tokens make use of.

    python -m bench.roofline BASE --tokens 800 --learned 240 --threads 1 2

*Rate*: operations per second of the model's own matrix products, measured: a batch's tokens times each weight matrix,
forward (X·Wᵀ) and backward to the input (G·W), the language-model head on the learned tokens only. The weights of
several layers take turns, since in a model each is read from memory again. ``model`` is all of them together, each as
often as the model has it; ``best`` is the fastest single product, a large square one included. A product is timed for
at least :data:`LEAST` seconds and its fastest round counts: what else runs on the machine then lowers no bound.

*Share*: what the tokens need (4N: a frozen weight costs 2 operations forward and 2 backward per token, no gradient of
its own; see :func:`assay.model.costs.operations`, which leaves out what lies below the first adapter and the head on
tokens that are not learned) over what the machine could do in that time. *Executed* counts what was done in fact:
fewer where a prefix that rows share is computed once or where layers below the first adapter are taken from before,
more where padding is computed.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

LEAST = 0.3
"""Seconds that a product is repeated for, after a warm-up."""

ROUNDS = 7
LAYERS = 4
"""Copies of a weight that take turns."""

SQUARE = 2048


class Product(NamedTuple):
    """One kind of weight matrix, and how often a model has it."""

    outputs: int
    inputs: int
    count: int
    tokens: int


def main() -> None:
    """Print rates for each dtype and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="folder of a prepared base; its configuration is read, not its weights")
    parser.add_argument("--tokens", type=int, default=800, help="of a batch")
    parser.add_argument("--learned", type=int, default=240, help="of them, on which the head is computed")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    options = parser.parse_args()
    made = products(options.base, options.tokens, options.learned)
    print(json.dumps(rates(made, options.dtypes, options.threads), indent=2))


def products(base: Path, tokens: int, learned: int) -> list[Product]:
    """The matrix products of one forward pass."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base, local_files_only=True))
    head = model.get_output_embeddings()
    body = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    shapes = Counter(tuple(matrix.weight.shape) for matrix in body)
    found = [Product(*shape, count, tokens) for shape, count in sorted(shapes.items())]
    return [*found, Product(*head.weight.shape, 1, learned)]


def rates(made: Sequence[Product], dtypes: Sequence[str], threads: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Operations per second, by dtype and number of threads: see :func:`rate`."""
    import torch

    found: dict[str, dict[str, Any]] = {}
    for dtype in dtypes:
        for count in threads:
            torch.set_num_threads(count)
            found.setdefault(dtype, {})[str(count)] = rate(made, dtype)
    return found


def rate(made: Sequence[Product], dtype: str, device: str = "cpu") -> dict[str, Any]:
    """``best`` and ``model`` operations per second, and those of each product forward and backward."""
    square = Product(SQUARE, SQUARE, 0, SQUARE)
    timed = [(product, seconds(product, dtype, device)) for product in (*made, square)]
    each = {name(product): [operations(product) / took for took in both] for product, both in timed}
    needed = sum(2 * operations(product) * product.count for product in made)
    took = sum(sum(both) * product.count for product, both in timed)
    return {"best": max(max(both) for both in each.values()), "model": needed / took, "products": each}


def seconds(product: Product, dtype: str, device: str) -> tuple[float, float]:
    """What one product takes forward and backward, in turns over several weights."""
    import torch

    kind = {"dtype": getattr(torch, dtype), "device": device}
    weights = [torch.randn(product.outputs, product.inputs, **kind) for _ in range(copies(product))]
    entering = torch.randn(product.tokens, product.inputs, **kind)
    leaving = torch.randn(product.tokens, product.outputs, **kind)
    forward = timed(lambda: [entering @ weight.T for weight in weights])
    backward = timed(lambda: [leaving @ weight for weight in weights])
    return forward / len(weights), backward / len(weights)


def copies(product: Product) -> int:
    """Several, unless one is as large as a cache is not."""
    return LAYERS if product.outputs * product.inputs < SQUARE**2 else 1


def timed(work: Callable[[], object]) -> float:
    """Seconds of the fastest of rounds of ``work`` that together take at least :data:`LEAST`."""
    work()
    each: list[float] = []
    while len(each) < ROUNDS or sum(each) < LEAST:
        settle()
        started = time.perf_counter()
        work()
        settle()
        each.append(time.perf_counter() - started)
    return min(each)


def settle() -> None:
    """Wait for a GPU's work, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def operations(product: Product) -> int:
    """Of one product in one direction: a multiplication and an addition for each pair."""
    return 2 * product.tokens * product.outputs * product.inputs


def name(product: Product) -> str:
    """As in the table: tokens, inputs, outputs."""
    return f"{product.tokens}x{product.inputs}->{product.outputs}"


def share(result: Mapping[str, Any], tokens_per_second: float, rate_found: float) -> dict[str, float]:
    """What part of the machine's rate a trainer's tokens need, and what part it kept busy.

    Args:
        result: of :func:`bench.contenders.compete`.
        tokens_per_second: real tokens.
        rate_found: operations per second that the machine can do.
    """
    needed = result["operations"] / result["tokens"] * tokens_per_second
    executed = result.get("executed_operations", result["operations"]) / result["operations"]
    return {"needed": needed / rate_found, "executed": needed * executed / rate_found}


if __name__ == "__main__":
    main()
