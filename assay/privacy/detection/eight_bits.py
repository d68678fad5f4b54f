"""Eight bits: the tagger's matrix products in whole numbers of 8 bits, for twice the speed.

The published model stores its weights in 4 bits and computes in floating point, which processors do slowly. Here each
product of activations and weights becomes one of whole numbers (Jacob et al. 2018, CVPR, arXiv:1712.05877): weights are
rounded to 8 bits column by column, activations to 8 bits over a *fixed* range, :data:`RANGES`, measured once over a few
hundred texts. Ranges that followed the batch, which is what libraries offer, would let a text's neighbours change what
is found in it; with fixed ones the products are exact, the same in any batch and on any processor. Both sides are
unsigned, since signed weights overflow 16-bit sums on processors without instructions for it.

A model file is an ONNX graph in protocol buffers. It is rewritten in memory, after its digest has been checked, by the
wire format alone (https://protobuf.dev/programming-guides/encoding): no library is needed for it, and what is not a
product is copied as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from assay.errors import BaseModelError

VERSION = 1

RANGES = (
    ((-3.2, 8.3), (-4.9, 3.1), (-6.8, 24.6), (-0.2, 22.4)),
    ((-5.9, 9.9), (-3.2, 3.7), (-7.1, 29.5), (-0.2, 17.5)),
    ((-5.8, 8.7), (-3.3, 3.5), (-12.0, 24.7), (-0.2, 16.0)),
    ((-6.2, 10.6), (-4.0, 3.3), (-14.3, 24.2), (-0.2, 11.2)),
    ((-6.5, 11.7), (-4.2, 4.4), (-9.8, 18.4), (-0.2, 5.8)),
    ((-6.1, 11.2), (-5.2, 5.4), (-4.6, 18.9), (-0.2, 5.4)),
    ((-3.8, 12.5),),
)
"""Smallest and largest activation that enters each product, layer by layer: attention, its output, the intermediate
product, its output; last, the labels. A tenth more than was measured; what lies outside is cut to the range."""

PRODUCT = "MatMulNBits"
BLOCK = 32
"""Weights of the published model that share a scale."""

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_FLOAT, _UINT8 = 1, 2
_LENGTH = 2


class _Node(NamedTuple):
    inputs: list[str]
    outputs: list[str]
    kind: str
    numbers: dict[str, int]


def rewritten(model: bytes) -> bytes:
    """The model with its products in 8 bits.

    Raises:
        BaseModelError: its products are not those that ranges were measured for.
    """
    graph = next(value for field, _, value, _ in _fields(model) if field == _GRAPH)
    nodes = [_node(value) for field, _, value, _ in _fields(graph) if field == _NODE]
    products = [node for node in nodes if node.kind == PRODUCT]
    ranges = dict(zip(dict.fromkeys(node.inputs[0] for node in products), sum(RANGES, ()), strict=False))
    if not products or len(ranges) != len({node.inputs[0] for node in products}) or len(ranges) != _measured():
        raise BaseModelError(f"the tagger has other products than the {_measured()} that ranges are known for")
    changed = _graph(graph, {name for node in products for name in node.inputs[1:]}, ranges)
    return b"".join(_message(_GRAPH, changed) if field == _GRAPH else raw for field, _, _, raw in _fields(model))


def _measured() -> int:
    return sum(map(len, RANGES))


def _graph(graph: bytes, replaced: set[str], ranges: Mapping[str, tuple[float, float]]) -> bytes:
    weights = {name: content for name, content in _tensors(graph) if name in replaced}
    parts: list[bytes] = []
    rounded: set[str] = set()
    for field, _, value, raw in _fields(graph):
        if field == _NODE and (node := _node(value)).kind == PRODUCT:
            source = node.inputs[0]
            if source not in rounded:
                rounded.add(source)
                parts.append(_rounding(source, *ranges[source]))
            parts.append(_product(node, weights, ranges[source]))
        elif field != _INITIALIZER or _tensor(value)[0] not in replaced:
            parts.append(raw)
    return b"".join(parts)


def _rounding(source: str, low: float, high: float) -> bytes:
    """Activations to whole numbers."""
    import numpy as np

    scale, zero = _affine(low, high)
    return (
        _initializer(f"{source}:scale", np.float32(scale), _FLOAT)
        + _initializer(f"{source}:zero", np.uint8(zero), _UINT8)
        + _made("QuantizeLinear", [source, f"{source}:scale", f"{source}:zero"], f"{source}:8")
    )


def _affine(low: float, high: float) -> tuple[float, int]:
    scale = (high - low) / 255
    return scale, round(-low / scale)


def _product(node: _Node, weights: Mapping[str, bytes], reach: tuple[float, float]) -> bytes:
    """The product in whole numbers, and what makes its sums numbers of the old scale again."""
    import numpy as np

    source, target = node.inputs[0], node.outputs[0]
    matrix = _unpacked(node, weights)
    steps = np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float32).tiny) / 127
    whole = (np.rint(matrix / steps) + 128).astype(np.uint8)
    scales = (steps * _affine(*reach)[0]).astype(np.float32)
    names = [f"{target}:{part}" for part in ("weights", "zero", "scales", "sums", "float")]
    return (
        _initializer(names[0], whole, _UINT8)
        + _initializer(names[1], np.uint8(128), _UINT8)
        + _initializer(names[2], scales, _FLOAT)
        + _made("MatMulInteger", [f"{source}:8", names[0], f"{source}:zero", names[1]], names[3])
        + _made("Cast", [names[3]], names[4], to=_FLOAT)
        + _made("Mul", [names[4], names[2]], target)
    )


def _unpacked(node: _Node, weights: Mapping[str, bytes]) -> Any:  # noqa: ANN401
    """Weights from 4 bits in blocks (ONNX Runtime, com.microsoft.MatMulNBits), as a matrix of rows by columns."""
    import numpy as np

    rows, columns = node.numbers["K"], node.numbers["N"]
    packed = np.frombuffer(weights[node.inputs[1]], np.uint8).reshape(columns, rows // BLOCK, BLOCK // 2)
    scales = np.frombuffer(weights[node.inputs[2]], np.float32).reshape(columns, rows // BLOCK, 1)
    whole = np.stack([packed & 15, packed >> 4], axis=-1).reshape(columns, rows // BLOCK, BLOCK)
    return ((whole.astype(np.float32) - 8) * scales).reshape(columns, rows).T.copy()


def _node(content: bytes) -> _Node:
    held: dict[int, list[Any]] = {1: [], 2: [], 4: [], 5: []}
    for field, _, value, _ in _fields(content):
        held.setdefault(field, []).append(value)
    numbers = {}
    for attribute in held[5]:
        parts = {field: value for field, _, value, _ in _fields(attribute)}
        numbers[parts[1].decode()] = parts.get(3, 0)
    inputs, outputs, kinds = ([value.decode() for value in held[field]] for field in (1, 2, 4))
    return _Node(inputs, outputs, kinds[0], numbers)


def _tensors(graph: bytes) -> Iterator[tuple[str, bytes]]:
    yield from (_tensor(value) for field, _, value, _ in _fields(graph) if field == _INITIALIZER)


def _tensor(content: bytes) -> tuple[str, bytes]:
    parts = {field: value for field, _, value, _ in _fields(content)}
    return parts[8].decode(), parts.get(9, b"")


def _initializer(name: str, values: Any, kind: int) -> bytes:  # noqa: ANN401
    shape = b"".join(_number(1 << 3) + _number(size) for size in values.shape)
    return _message(
        _INITIALIZER,
        shape + _number(2 << 3) + _number(kind) + _message(8, name.encode()) + _message(9, values.tobytes()),
    )


def _made(kind: str, inputs: list[str], output: str, **numbers: int) -> bytes:
    """A node; ``numbers`` are its attributes, all of which are whole numbers."""
    content = b"".join(_message(1, name.encode()) for name in inputs) + _message(2, output.encode())
    content += _message(3, f"{output}:{kind}".encode()) + _message(4, kind.encode())
    for name, value in numbers.items():
        is_int = _number(20 << 3) + _number(2)
        content += _message(5, _message(1, name.encode()) + _number(3 << 3) + _number(value) + is_int)
    return _message(_NODE, content)


def _fields(content: bytes) -> Iterator[tuple[int, int, Any, bytes]]:
    """Number, wire type, value and own bytes of each field of a message."""
    position = 0
    while position < len(content):
        start = position
        key, position = _varint(content, position)
        wire = key & 7
        if wire == 0:
            value, position = _varint(content, position)
            yield key >> 3, wire, value, content[start:position]
            continue
        size, position = _varint(content, position) if wire == _LENGTH else ({1: 8, 5: 4}[wire], position)
        position += size
        yield key >> 3, wire, content[position - size : position], content[start:position]


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:  # noqa: PLR2004 - the highest bit says that more follows
            return value, position


def _number(value: int) -> bytes:
    content = b""
    while value > 127:  # noqa: PLR2004
        content += bytes([value & 127 | 128])
        value >>= 7
    return content + bytes([value])


def _message(field: int, content: bytes) -> bytes:
    return _number(field << 3 | _LENGTH) + _number(len(content)) + content
