"""The compiled loop of a plain step with what goes before it; `harmonium.training.one_pass` is the way to it.

Of weights W (H, V), their gradient G and the offsets mu (V), lambda (H):

    g = G - db mu' - lambda da',      of_a = lambda' g,      of_b = g mu
    u <- m u + g - l1 sign W - l2 W,      W <- W + r u

`before` holds -u, as torch.optim.SGD does, and nothing (0, V) without momentum.  W and u are read and written once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.kernels.instructions import wide
from harmonium.kernels.team_pass import FIRST, floats, loop, matrix, next_part, number, words_at

#: Hidden units of a part.
UNITS = 16
_ZERO, _ONE = np.float32(0), np.float32(1)


@loop
def step_all(data: Any) -> None:
    """Step W, and leave of_b (H,) and the parts' shares of of_a (parts, V); a part is `UNITS` hidden units."""
    wide()
    a = words_at(data)
    W, G, before = matrix(a, FIRST), matrix(a, FIRST + 3), matrix(a, FIRST + 6)
    mu, hidden, da, db = floats(a, FIRST + 9), floats(a, FIRST + 11), floats(a, FIRST + 13), floats(a, FIRST + 15)
    rate, momentum = np.float32(number(a[FIRST + 17])), np.float32(number(a[FIRST + 18]))
    l1, l2 = np.float32(number(a[FIRST + 19])), np.float32(number(a[FIRST + 20]))
    of_a, of_b = matrix(a, FIRST + 21), floats(a, FIRST + 24)
    V = np.uint64(W.shape[1])
    part = next_part(a)
    while part < of_a.shape[0]:
        for i in range(V):
            of_a[part, i] = _ZERO
        for j in range(part * UNITS, min((part + 1) * UNITS, W.shape[0])):
            y, t, dot = db[j], hidden[j], _ZERO
            for i in range(V):
                g = G[j, i] - mu[i] * y - da[i] * t
                of_a[part, i] += t * g
                dot += mu[i] * g
                w = W[j, i]
                sign = (_ONE if w > _ZERO else _ZERO) - (_ONE if w < _ZERO else _ZERO)
                step = g - l1 * sign - l2 * w
                if before.shape[0] > 0:
                    back = momentum * before[j, i] - step
                    before[j, i] = back
                    W[j, i] = w - rate * back
                else:
                    W[j, i] = w + rate * step
            of_b[j] = dot
        part = next_part(a)
