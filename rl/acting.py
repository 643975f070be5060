"""The compiled end of a policy: from what its first layers make of a date's windows, and the book, to the mean action.

In double precision, every sum in one fixed order, so that the same book at the same date gives the same bits, whatever
stands before it, whoever calls, and on any count of threads. `rl.tail` makes a `Net` of a policy of SB3.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.decide import Floats
from simulator.exponential import exponential
from simulator.jit import inlined, kernel

Ints = NDArray[np.int64]

TANH, RELU, ELU = range(3)
FAR = 20.0
"""tanh is 1 to the last bit from here on."""
OWN, CODE, CONTEXT, DEEPER = range(4)
"""Layers of a network that shares its weights over assets: from an asset's own state, its code, the context; on."""
ABREAST = 4
"""Inputs of a layer that are added up before they meet the sum."""


class Net(NamedTuple):
    """Layers, and room to work in. Layer k takes `layers[k, 0]` numbers to `layers[k, 1]`; its weights (in, out) begin
    at `layers[k, 2]` of `weights`, its biases at `layers[k, 3]`, -1 for none; with no outputs it hands on what it gets.

    Flat: layer 0 reads `portfolio`, the last one gives the action. Shared: `deeper` layers follow layer CONTEXT, then
    the score; then, where there is cash, its stack.
    """

    shared: bool
    activation: int
    choices: int  # of each asset where the action is discrete, else 0
    deeper: int
    low: Floats  # (width,) bounds of the action
    high: Floats
    weights: Floats
    layers: Ints  # (K, 4)
    own: Ints  # where in `portfolio` the parts begin that hold one number an asset
    book: Ints  # and where its other numbers are
    codes: Floats  # (A, D)
    context: Floats  # (2D + numbers of the book,)
    base: Floats  # what the context adds to every asset's first layer
    one: Floats  # (widest,)
    other: Floats
    action: Floats  # (1, width)


@inlined
def activate(row: Floats, n: int, kind: int) -> None:
    """The first n numbers of a row, in place; what is no number stays none."""
    if kind == TANH:
        for o in range(n):
            x = row[o]
            size = abs(x)
            power = exponential(-2.0 * (FAR if size > FAR else size))
            size = (1.0 - power) / (1.0 + power)
            row[o] = size if x >= 0.0 else -size
    elif kind == RELU:
        for o in range(n):
            row[o] = 0.0 if row[o] < 0.0 else row[o]
    else:
        for o in range(n):
            x = row[o]
            least = -2.0 * FAR if x < -2.0 * FAR else x
            row[o] = x if x > 0.0 else exponential(least) - 1.0


@inlined
def add_product(k: int, x: Floats, y: Floats, net: Net) -> None:
    """y += x · (weights of layer k)."""
    inputs, outputs, at = net.layers[k, 0], net.layers[k, 1], net.layers[k, 2]
    whole = inputs - inputs % ABREAST
    for i in range(0, whole, ABREAST):
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        w0 = net.weights[at : at + outputs]
        w1 = net.weights[at + outputs : at + 2 * outputs]
        w2 = net.weights[at + 2 * outputs : at + 3 * outputs]
        w3 = net.weights[at + 3 * outputs : at + 4 * outputs]
        at += ABREAST * outputs
        for o in range(outputs):
            y[o] += (x0 * w0[o] + x1 * w1[o]) + (x2 * w2[o] + x3 * w3[o])
    for i in range(whole, inputs):
        x0, w0 = x[i], net.weights[at : at + outputs]
        at += outputs
        for o in range(outputs):
            y[o] += x0 * w0[o]


@inlined
def dense(k: int, x: Floats, y: Floats, net: Net) -> None:
    """y = x · (weights of layer k) + its biases."""
    outputs, bias = net.layers[k, 1], net.layers[k, 3]
    for o in range(outputs):
        y[o] = net.weights[bias + o] if bias >= 0 else 0.0
    add_product(k, x, y, net)


@inlined
def stack(first: int, end: int, net: Net) -> int:
    """Layers first..end-1 on the row `one`, each but the last activated; the answer lies in `one` again."""
    for k in range(first, end):
        dense(k, net.one, net.other, net)
        n = net.layers[k, 1]
        if k < end - 1:
            activate(net.other, n, net.activation)
        for o in range(n):
            net.one[o] = net.other[o]
    return end


@inlined
def act_flat(seen: NDArray[np.float32], portfolio: NDArray[np.float32], net: Net) -> None:
    """`one` = the last layer's numbers, from what the first layer makes of the windows (W,), biases in it."""
    for i in range(portfolio.shape[0]):
        net.other[i] = portfolio[i]
    width = net.layers[0, 1]
    for o in range(width):
        net.one[o] = seen[o]
    add_product(0, net.other, net.one, net)
    count = net.layers.shape[0]
    if count > 1:
        activate(net.one, width, net.activation)
    stack(1, count, net)


@inlined
def encode(seen: NDArray[np.float32], portfolio: NDArray[np.float32], net: Net) -> None:
    """`codes` and `context`: see rl.networks.SharedEncoder."""
    n_assets, width = net.codes.shape
    for a in range(n_assets):
        code, row = net.codes[a], seen[a * width : (a + 1) * width]
        for o in range(width):
            code[o] = row[o]
        for j in range(net.own.shape[0]):
            net.one[j] = portfolio[net.own[j] + a]
        add_product(OWN, net.one, code, net)
        activate(code, width, net.activation)
    mean, most = net.context[:width], net.context[width : 2 * width]
    for o in range(width):
        mean[o], most[o] = 0.0, net.codes[0, o]
    for a in range(n_assets):
        code = net.codes[a]
        for o in range(width):
            mean[o] += code[o]
            most[o] = max(most[o], code[o])
    for o in range(width):
        mean[o] = mean[o] / n_assets
    for j in range(net.book.shape[0]):
        net.context[2 * width + j] = portfolio[net.book[j]]


@inlined
def score(a: int, net: Net) -> None:
    """`one` = the scores of asset a."""
    n = net.layers[CONTEXT, 1]
    if net.layers[CODE, 1] > 0:
        dense(CODE, net.codes[a], net.one, net)
    else:
        for o in range(n):
            net.one[o] = net.codes[a, o]
    for o in range(n):
        net.one[o] += net.base[o]
    activate(net.one, n, net.activation)
    stack(DEEPER, DEEPER + net.deeper + 1, net)


@inlined
def largest(row: Floats, first: int, n: int) -> int:
    """Which of n numbers from `first` on is the largest; the first of equals."""
    best = 0
    for c in range(1, n):
        if row[first + c] > row[first + best]:
            best = c
    return best


@inlined
def act_shared(seen: NDArray[np.float32], portfolio: NDArray[np.float32], net: Net) -> None:
    """`action`, not clipped, from what the layers of the window make of each asset's (A · D,)."""
    encode(seen, portfolio, net)
    dense(CONTEXT, net.context, net.base, net)
    action, n_assets = net.action[0], net.codes.shape[0]
    cash = action.shape[0] - n_assets
    for a in range(n_assets):
        score(a, net)
        action[cash + a] = net.one[0] if net.choices == 0 else float(largest(net.one, 0, net.choices))
    if cash > 0:
        for o in range(net.context.shape[0]):
            net.one[o] = net.context[o]
        stack(DEEPER + net.deeper + 1, net.layers.shape[0], net)
        action[0] = net.one[0]


@inlined
def act(seen: NDArray[np.float32], portfolio: NDArray[np.float32], net: Net) -> bool:
    """The policy's answer in `action`, within its bounds; false where one is no number."""
    action = net.action[0]
    if net.shared:
        act_shared(seen, portfolio, net)
    else:
        act_flat(seen, portfolio, net)
        for a in range(action.shape[0]):
            chosen = float(largest(net.one, a * net.choices, net.choices)) if net.choices > 0 else net.one[a]
            action[a] = chosen
    sound = True
    for a in range(action.shape[0]):
        rounded, low, high = float(np.float32(action[a])), net.low[a], net.high[a]  # an action is of float32
        action[a] = low if rounded < low else high if rounded > high else rounded
        sound = sound and rounded == rounded
    return sound


@kernel
def answer(seen: NDArray[np.float32], portfolio: NDArray[np.float32], net: Net) -> None:
    """`net.action` of one book."""
    act(seen, portfolio, net)
