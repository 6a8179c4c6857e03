"""Matrix products with a fixed weight."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Linear(Protocol):
    """(..., inputs) -> (..., outputs), in the weight's type."""

    def __call__(self, x: Tensor) -> Tensor: ...


class PlainLinear:
    """Shares its weight with the module that it was taken from."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight, self._bias = weight, bias

    def __call__(self, x: Tensor) -> Tensor:
        return functional.linear(x.to(self._weight.dtype), self._weight, self._bias)


class PackedLinear:
    """Keeps the weight in the order in which the processor's matrix unit reads it.

    oneDNN would bring it into that order at every call otherwise, which takes longer than the
    product itself for the few rows of a decoder's step. These two operations are what torch's own
    compiler emits for frozen weights.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._dtype = weight.dtype
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            x.to(self._dtype), self._weight, self._bias, "none", [], ""
        )
        return product


def make_linear(weight: Tensor, bias: Tensor | None) -> Linear:
    """The form that is fastest for a few rows."""
    if weight.dtype == torch.bfloat16 and weight.device.type == "cpu" and _packs():
        return PackedLinear(weight, bias)
    return PlainLinear(weight, bias)


def _packs() -> bool:
    """Whether oneDNN is built in and the processor has instructions for bfloat16."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
