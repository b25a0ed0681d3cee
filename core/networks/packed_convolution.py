"""Convolutions over time as matrix products on packed rows, forward and backward, as TorchScript where possible.

Packed rows are (C, B, T + 2·half): channels first, then the samples of a batch, each with reflected margins. A
convolution is then one product per kernel tap on a shifted view of whole rows; results across the border of two samples
fall into margins, which are filled again. On a CPU this is twice as fast as conv1d for small channel counts.
TorchScript runs these functions without Python's lock, so that two stages train in parallel; where it cannot compile
them (Python 3.14), and on devices other than the CPU, they run as plain Python.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

SLOPE = 0.2
"""Negative slope of the LeakyReLU between layers; passed as a default argument, since TorchScript reads no globals."""


class Layer(NamedTuple):
    """Convolution as products k from input channels `columns[k]` to output channels [starts[k], stops[k]).

    `weights[k]` is (kernel, outputs, inputs). A single product reads all channels and does not use `columns`.
    """

    starts: list[int]
    stops: list[int]
    columns: list[Tensor]
    weights: list[Tensor]
    bias: Tensor


def pack(x: Tensor, half: int) -> Tensor:
    """Pack rows: (B, C, T) → (C, B, T + 2·half) with reflected margins."""
    return F.pad(x.transpose(0, 1), (half, half), mode="reflect").contiguous()  # a kernel of 1 pads nothing


def unpack(x: Tensor, half: int) -> Tensor:
    """Unpack rows: (C, B, T + 2·half) → (B, C, T)."""
    return x[..., half : x.shape[-1] - half].transpose(0, 1)


def _fill_margins(x: Tensor, half: int) -> None:
    """Fill the margins of each sample by reflection, in place."""
    end = x.size(2) - 1
    for step in range(1, half + 1):
        x.select(2, half - step).copy_(x.select(2, half + step))
        x.select(2, end - half + step).copy_(x.select(2, end - half - step))


def _fold_margins(grad: Tensor, half: int) -> None:
    """Add gradients of margins to the rows that they were copied from, in place: the adjoint of `_fill_margins`."""
    end = grad.size(2) - 1
    for step in range(1, half + 1):
        grad.select(2, half + step).add_(grad.select(2, half - step))
        grad.select(2, end - half - step).add_(grad.select(2, end - half + step))
    grad.narrow(2, 0, half).zero_()
    grad.narrow(2, end + 1 - half, half).zero_()


def _convolve(x: Tensor, layer: Layer, with_bias: bool, keep: bool) -> tuple[Tensor, list[Tensor]]:
    """Convolve packed rows; also return the rows (inputs, B·P) that each product read if `keep`."""
    kernel = layer.weights[0].size(0)
    half = kernel // 2
    flat = x.reshape(x.size(0), -1)
    count = flat.size(1) - kernel + 1
    out = x.new_empty([layer.stops[-1], x.size(1), x.size(2)])
    rows = out.view(out.size(0), -1).narrow(1, half, count)
    seen: list[Tensor] = []
    for k in range(len(layer.weights)):
        weight = layer.weights[k]
        source = flat if len(layer.weights) == 1 else flat.index_select(0, layer.columns[k])
        if keep:
            seen.append(source)
        target = rows[layer.starts[k] : layer.stops[k]]
        bias = layer.bias[layer.starts[k] : layer.stops[k]].unsqueeze(1)
        if x.is_cuda:
            target.copy_(F.conv1d(source.unsqueeze(0), weight.permute(1, 2, 0)).squeeze(0))
            if with_bias:
                target.add_(bias)
        else:
            if with_bias:
                torch.addmm(bias, weight[0], source.narrow(1, 0, count), out=target)
            else:
                torch.mm(weight[0], source.narrow(1, 0, count), out=target)
            for tap in range(1, kernel):
                target.addmm_(weight[tap], source.narrow(1, tap, count))
    _fill_margins(out, half)
    return out, seen


def _input_gradient(grad: Tensor, layer: Layer, channels: int) -> Tensor:
    """Return the gradient of the packed input from that of the output, whose margins are folded already."""
    kernel = layer.weights[0].size(0)
    total = grad.size(1) * grad.size(2)
    count = total - kernel + 1
    rows = grad.view(grad.size(0), -1).narrow(1, kernel // 2, count)
    result = grad.new_zeros([channels, total])
    for k in range(len(layer.weights)):
        weight = layer.weights[k]
        own = rows[layer.starts[k] : layer.stops[k]]
        whole = len(layer.weights) == 1
        if grad.is_cuda:
            part = F.conv_transpose1d(own.unsqueeze(0), weight.permute(1, 2, 0)).squeeze(0)
        else:
            part = result if whole else grad.new_zeros([weight.size(2), total])
            for tap in range(kernel):
                part.narrow(1, tap, count).addmm_(weight[tap].t(), own)
        if not whole:
            result.index_add_(0, layer.columns[k], part)
        elif grad.is_cuda:
            result = part
    return result.view(channels, grad.size(1), grad.size(2))


def _weight_gradients(grad: Tensor, layer: Layer, seen: list[Tensor]) -> list[Tensor]:
    """Return the gradient of each product's weight from that of the output, whose margins are folded already."""
    kernel = layer.weights[0].size(0)
    rows = grad.view(grad.size(0), -1)
    count = rows.size(1) - kernel + 1
    rows = rows.narrow(1, kernel // 2, count)
    result: list[Tensor] = []
    for k in range(len(layer.weights)):
        own = rows[layer.starts[k] : layer.stops[k]]
        each = torch.empty_like(layer.weights[k])
        for tap in range(kernel):
            torch.mm(own, seen[k].narrow(1, tap, count).t(), out=each[tap])
        result.append(each)
    return result


def _slopes(x: Tensor, slope: float = SLOPE) -> Tensor:
    """Return the derivative of the LeakyReLU, 1 or `slope`, from its result x."""
    return (x > 0).to(x.dtype).mul_(1.0 - slope).add_(slope)


def _run_layers(
    x: Tensor, layers: list[Layer], active_end: bool, slope: float = SLOPE
) -> tuple[list[Tensor], list[list[Tensor]]]:
    """Return the values before and after each layer, and the rows that each product read.

    A LeakyReLU follows each layer but the last, and the last if `active_end`.
    """
    values = [x]
    seen: list[list[Tensor]] = []
    for i in range(len(layers)):
        y, read = _convolve(values[i], layers[i], True, True)
        if active_end or i < len(layers) - 1:
            F.leaky_relu_(y, slope)
        values.append(y)
        seen.append(read)
    return values, seen


def _refine(base: Tensor, noise: Tensor, layers: list[Layer], slope: float = SLOPE) -> Tensor:
    """Return layers(base + noise) + base, (B, C, T), without keeping values for gradients."""
    half = layers[0].weights[0].size(0) // 2
    frames = base.size(2)
    x = base.new_empty([base.size(1), base.size(0), frames + 2 * half])
    torch.add(base.transpose(0, 1), noise.transpose(0, 1), out=x.narrow(2, half, frames))
    _fill_margins(x, half)
    for i in range(len(layers)):
        x = _convolve(x, layers[i], True, False)[0]
        if i < len(layers) - 1:
            F.leaky_relu_(x, slope)
    return x.narrow(2, half, frames).transpose(0, 1) + base


def _back_layers(
    grad: Tensor,
    layers: list[Layer],
    values: list[Tensor],
    seen: list[list[Tensor]],
    active_end: bool,
    wants_input: bool,
    wants_weights: bool,
) -> tuple[Tensor, list[list[Tensor]], list[Tensor]]:
    """Return the gradients of the input, of the weights and of the biases of all layers, last layer first."""
    weights: list[list[Tensor]] = []
    biases: list[Tensor] = []
    half = layers[0].weights[0].size(0) // 2
    for k in range(len(layers)):
        i = len(layers) - 1 - k
        grad = grad * _slopes(values[i + 1]) if active_end or k > 0 else grad.contiguous().clone()
        _fold_margins(grad, half)
        if wants_weights:
            weights.append(_weight_gradients(grad, layers[i], seen[i]))
            biases.append(grad.sum([1, 2]))
        if i > 0 or wants_input:
            grad = _input_gradient(grad, layers[i], values[i].size(0))
    return grad, weights, biases


def _critic_gradients(
    real: Tensor, fake: Tensor, between: Tensor, layers: list[Layer], penalty: float
) -> tuple[list[list[Tensor]], list[Tensor], Tensor]:
    """Return the WGAN-GP gradients (Roditakis et al. 2024, eq. 1) of a critic's weights and biases, and the gap.

    `real`, `fake` (C, B, P) and `between` (C, J, P) are packed rows; the last layer gives the scores. The critic is
    piecewise linear, so the derivative of the penalty is that of ⟨∇, v⟩ with v held fixed: at each layer the product of
    the backward signal with v passed forward (`docs/method.md`, *Where each thing is*). The gap is the mean score of
    real minus that of fake.
    """
    batch, last = real.size(1), len(layers) - 1
    values, seen = _run_layers(torch.cat([real, fake, between], 1), layers, False)
    half = layers[0].weights[0].size(0) // 2
    frames = real.size(2) - 2 * half
    scores = values[last + 1].narrow(2, half, frames)
    gap = scores[:, :batch].mean() - scores[:, batch : 2 * batch].mean()
    grad = torch.zeros_like(values[last + 1])
    inside = grad.narrow(2, half, frames)
    inside[:, :batch] = -1.0 / (batch * frames)
    inside[:, batch : 2 * batch] = 1.0 / (batch * frames)
    inside[:, 2 * batch :] = 1.0
    signals: list[Tensor] = []
    for k in range(len(layers)):
        i = last - k
        if k > 0:
            grad = grad * _slopes(values[i + 1])
        _fold_margins(grad, half)
        signals.append(grad)
        if i > 0:
            grad = _input_gradient(grad, layers[i], values[i].size(0))
    slope = _input_gradient(signals[last][:, 2 * batch :].contiguous(), layers[0], real.size(0))
    _fold_margins(slope, half)
    norm = slope.square().sum(0, keepdim=True).sqrt()
    share = penalty * 2.0 / (between.size(1) * frames)
    forward = slope * ((norm - 1.0) / norm.clamp_min(1e-12) * share)
    _fill_margins(forward, half)
    weights: list[list[Tensor]] = []
    biases: list[Tensor] = []
    for i in range(len(layers)):
        signal = signals[last - i]
        after, read = _convolve(forward, layers[i], False, True)
        for k in range(len(read)):
            rows_read = seen[i][k].view(read[k].size(0), -1, real.size(2))
            rows_read[:, 2 * batch :].copy_(read[k].view(read[k].size(0), -1, real.size(2)))
        weights.append(_weight_gradients(signal, layers[i], seen[i]))
        biases.append(signal[:, : 2 * batch].sum([1, 2]))
        if i < last:
            forward = after * _slopes(values[i + 1][:, 2 * batch :])
    return weights, biases, gap


Function = TypeVar("Function", bound=Callable)


def _compiled(plain: Function) -> Function:
    """Compile a function by TorchScript for the CPU; other devices, and Pythons that cannot compile, run it as is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)  # raised instead by newer versions on Python 3.14
            scripted = torch.jit.script(plain)
    except (RuntimeError, TypeError, OSError, NotImplementedError):
        return plain

    def choose(x: Tensor, *rest: Any) -> Any:
        return scripted(x, *rest) if x.device.type == "cpu" else plain(x, *rest)

    return functools.wraps(plain)(choose)  # type: ignore[return-value]


run_layers = _compiled(_run_layers)
refine = _compiled(_refine)
back_layers = _compiled(_back_layers)
critic_gradients = _compiled(_critic_gradients)
