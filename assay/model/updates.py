"""Updates: products with adapted matrices as one operation, with a gradient of its own.

``y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ`` with W frozen. Left to a framework it is a dozen operations over tensors as large as the
layer, most of them casts, scalings and sums; here each direction is the products alone, added up in place. With g the
gradient of y: ``dx = g·W + s·(g·B)·A``, ``dA = s·(g·B)ᵀ·x``, ``dB = s·gᵀ·(x·Aᵀ)``.

Matrices that are given the same x, as query, key and value are, are multiplied together: their low-rank halves are one
product, and so are the gradients of those; the gradients of x are added where they arise. Which matrices these are is
not asked of the architecture: it is seen while the model is tried (:meth:`Products.meet`).

A and B are kept in float32 and rounded to x's dtype for the products, as autocast would.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

VERSION = 1  # Raise on any change that could change an output: it is part of the cache key.


class Products:
    """The low-rank layers of a model that are plain enough for this, and which of them share what they are given."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401
        self.layers = [layer for layer in model.modules() if _is_plain(layer)]
        self._groups: dict[int, _Group] = {id(layer): _Group([layer]) for layer in self.layers}
        self._met: list[tuple[Any, torch.Tensor]] | None = None

    def forward(self, layer: Any, x: "torch.Tensor") -> "torch.Tensor":  # noqa: ANN401
        """What ``layer`` makes of x."""
        if layer.disable_adapters or layer.merged:
            return type(layer).forward(layer, x)
        if self._met is not None:
            self._met.append((layer, x))
        return self._groups[id(layer)].product(layer, x)

    @contextmanager
    def meet(self) -> "Iterator[None]":
        """Watch a forward pass, and join layers that were given the same tensor one after another."""
        self._met = []
        try:
            yield
        finally:
            met, self._met = self._met, None
        groups: list[tuple[list[Any], torch.Tensor]] = []
        for layer, x in met:
            if groups and groups[-1][1] is x and layer not in groups[-1][0]:
                groups[-1][0].append(layer)
            else:
                groups.append(([layer], x))
        for layers, _ in groups:
            joined = _Group(layers)
            self._groups |= {id(layer): joined for layer in layers}


class _Group:
    """Layers that are given the same x: the first that comes is multiplied for all of them."""

    def __init__(self, layers: "Sequence[Any]") -> None:
        self._layers = list(layers)
        self._x: torch.Tensor | None = None
        self._left: dict[int, torch.Tensor] = {}

    def product(self, layer: Any, x: "torch.Tensor") -> "torch.Tensor":  # noqa: ANN401
        if self._x is not x or id(layer) not in self._left:
            self._x, self._left = x, dict(zip(map(id, self._layers), _multiplied(self._layers, x), strict=True))
        y = self._left.pop(id(layer))
        if not self._left:  # Nothing is held beyond its use.
            self._x = None
        return y


@contextmanager
def fused(model: Any) -> Iterator[Products]:  # noqa: ANN401
    """Give every plain low-rank layer of ``model`` this product.

    Plain is a linear map with one adapter, no dropout, no magnitudes and no quantisation.
    """
    products = Products(model)
    for layer in products.layers:
        layer.forward = functools.partial(products.forward, layer)
    try:
        yield products
    finally:
        for layer in products.layers:
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


def _multiplied(layers: "Sequence[Any]", x: "torch.Tensor") -> "tuple[torch.Tensor, ...]":
    scales = tuple(layer.scaling["default"] for layer in layers)
    bases = [layer.base_layer for layer in layers]
    downs = [layer.lora_A["default"].weight for layer in layers]
    ups = [layer.lora_B["default"].weight for layer in layers]
    return _product().apply(x, scales, *[base.weight for base in bases], *[base.bias for base in bases], *downs, *ups)


@functools.cache
def _product() -> Any:  # noqa: ANN401
    import torch

    class Product(torch.autograd.Function):
        """``x`` [..., in] to one [..., out] for each matrix."""

        @staticmethod
        def forward(
            ctx: Any,  # noqa: ANN401
            x: torch.Tensor,
            scales: tuple[float, ...],
            *parts: torch.Tensor,
        ) -> tuple[torch.Tensor, ...]:
            count = len(scales)
            weights, biases, a, b = (parts[start * count : (start + 1) * count] for start in range(4))
            dtype = weights[0].dtype
            flat = x.reshape(-1, x.shape[-1]).to(dtype)
            down = torch.cat([each.to(dtype) for each in a])
            ups = [(each * scale).to(dtype) for each, scale in zip(b, scales, strict=True)]
            low = flat @ down.t()
            found = []
            for weight, bias, up, part in zip(
                weights, biases, ups, low.split([u.shape[1] for u in ups], 1), strict=True
            ):
                y = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
                found.append(y.addmm_(part, up.t()).view(*x.shape[:-1], -1))
            ctx.save_for_backward(flat, low, down, *weights, *ups)
            ctx.scales, ctx.shape, ctx.dtype = scales, x.shape, x.dtype
            return tuple(found)

        @staticmethod
        def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
            flat, low, down, *rest = ctx.saved_tensors
            count = len(ctx.scales)
            weights, ups = rest[:count], rest[count:]
            ranks = [up.shape[1] for up in ups]
            given = [each.reshape(-1, each.shape[-1]).to(flat.dtype) for each in gradients]
            back = torch.empty_like(low)
            for g, up, part in zip(given, ups, back.split(ranks, 1), strict=True):
                torch.mm(g, up, out=part)
            da = (back.t() @ flat).float().split(ranks)
            db = [
                (g.t() @ part).float() * scale
                for g, part, scale in zip(given, low.split(ranks, 1), ctx.scales, strict=True)
            ]
            dx = None
            if ctx.needs_input_grad[0]:
                dx = back @ down
                for g, weight in zip(given, weights, strict=True):
                    dx.addmm_(g, weight)
                dx = dx.view(ctx.shape).to(ctx.dtype)
            return dx, None, *[None] * (2 * count), *da, *db

    return Product
