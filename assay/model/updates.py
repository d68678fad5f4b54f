"""Updates: the product with an adapted matrix as one operation, with a gradient of its own.

``y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ`` with W frozen. Left to a framework it is a dozen operations over tensors as large as the
layer, most of them casts, scalings and sums; here each direction is the products alone, added up in place. With g the
gradient of y: ``dx = g·W + s·(g·B)·A``, ``dA = s·(g·B)ᵀ·x``, ``dB = s·gᵀ·(x·Aᵀ)``.

A and B are kept in float32 and rounded to x's dtype for the products, as autocast would.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.


@contextmanager
def fused(model: Any) -> Iterator[int]:  # noqa: ANN401
    """Give every plain low-rank layer of ``model`` this product; yields how many there are.

    Plain is a linear map with one adapter, no dropout, no magnitudes and no quantisation.
    """
    layers = [layer for layer in model.modules() if _is_plain(layer)]
    for layer in layers:
        layer.forward = functools.partial(_forward, layer)
    try:
        yield len(layers)
    finally:
        for layer in layers:
            del layer.forward


def _is_plain(layer: Any) -> bool:  # noqa: ANN401
    from peft.tuners.lora import Linear
    from torch import nn

    return (
        type(layer) is Linear
        and type(layer.base_layer) is nn.Linear
        and list(layer.lora_A) == ["default"]
        and not layer.lora_variant
        and not layer.base_layer.weight.requires_grad
        and isinstance(layer.lora_dropout["default"], nn.Identity)
        and layer.lora_B["default"].bias is None
        and not layer.fan_in_fan_out
    )


def _forward(layer: Any, x: "torch.Tensor") -> "torch.Tensor":  # noqa: ANN401
    if layer.disable_adapters or layer.merged:
        return type(layer).forward(layer, x)
    base, a, b = layer.base_layer, layer.lora_A["default"].weight, layer.lora_B["default"].weight
    return _product().apply(x, base.weight, base.bias, a, b, layer.scaling["default"])


@functools.cache
def _product() -> Any:  # noqa: ANN401
    import torch

    class Product(torch.autograd.Function):
        """``x`` [..., in] to [..., out]."""

        @staticmethod
        def forward(  # noqa: PLR0913, PLR0917
            ctx: Any,  # noqa: ANN401
            x: torch.Tensor,
            weight: torch.Tensor,
            bias: torch.Tensor | None,
            a: torch.Tensor,
            b: torch.Tensor,
            scale: float,
        ) -> torch.Tensor:
            flat = x.reshape(-1, x.shape[-1]).to(weight.dtype)
            down, up = a.to(weight.dtype), (b * scale).to(weight.dtype)
            low = flat @ down.t()
            y = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
            y.addmm_(low, up.t())
            ctx.save_for_backward(flat, low, weight, down, up)
            ctx.scale, ctx.shape, ctx.dtype = scale, x.shape, x.dtype
            return y.view(*x.shape[:-1], -1)

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
            flat, low, weight, down, up = ctx.saved_tensors
            g = g.reshape(-1, g.shape[-1]).to(weight.dtype)
            back = g @ up
            da, db = (back.t() @ flat).float(), (g.t() @ low).float() * ctx.scale
            dx = None
            if ctx.needs_input_grad[0]:
                dx = (g @ weight).addmm_(back, down).view(ctx.shape).to(ctx.dtype)
            return dx, None, None, da, db, None

    return Product
