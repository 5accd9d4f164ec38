"""The compiled loops of a small machine's gradient; `harmonium.kernels.small` prepares what they read.

    up      x = b + v W         dot products over the visible units
    down    x = a + W h         a hidden unit's weights added to the field, where its state is not 0
    W       sum_r m_r v_r'      a row's states added to the weights of each hidden unit

Every loop runs along a hidden unit's weights, which lie together.  Random numbers are those of `tosses`.
"""

from __future__ import annotations

import numpy as np

from harmonium.kernels.compiled import compiled
from harmonium.kernels.philox import BLOCKS
from harmonium.kernels.toss_pass import sigmoids, tosses

_STRIPE = np.uint64(4 * BLOCKS)
_BLOCKS = np.uint64(BLOCKS)
_ONE, _TWO = np.float32(1), np.float32(2)


@compiled
def _up(W: np.ndarray, b: np.ndarray, v: np.ndarray, x: np.ndarray) -> None:
    """x (n, H) = b + v W, of v (n, V) and W (H, V)."""
    V = np.uint64(W.shape[1])
    for r in range(np.uint64(v.shape[0])):
        for j in range(np.uint64(W.shape[0])):
            total = np.float32(0)
            for i in range(V):
                total += W[j, i] * v[r, i]
            x[r, j] = b[j] + total


@compiled
def _down(W: np.ndarray, a: np.ndarray, h: np.ndarray, x: np.ndarray) -> None:
    """x (n, V) = a + h W', of h (n, H) and W (H, V)."""
    V = np.uint64(W.shape[1])
    for r in range(np.uint64(h.shape[0])):
        for i in range(V):
            x[r, i] = a[i]
        for j in range(np.uint64(W.shape[0])):
            state = h[r, j]
            if state != 0:
                for i in range(V):
                    x[r, i] += state * W[j, i]


@compiled
def _means(x: np.ndarray, ising: bool, mean: np.ndarray) -> None:
    """The means of units in fields x (n,), which are overwritten for Ising units: tanh x = 2 / (1 + e^-2x) - 1."""
    count = np.uint64(x.shape[0])
    if ising:
        for j in range(count):
            x[j] *= _TWO
    sigmoids(x, mean, 0, x.shape[0])
    if ising:
        for j in range(count):
            mean[j] = _TWO * mean[j] - _ONE


@compiled
def _add(
    v: np.ndarray, m: np.ndarray, share: np.float32, grad_W: np.ndarray, grad_a: np.ndarray, grad_b: np.ndarray
) -> None:
    """Add share times the sums over the rows of m v', v and m, of states v (n, V) and means m (n, H)."""
    V = np.uint64(v.shape[1])
    for r in range(np.uint64(v.shape[0])):
        for i in range(V):
            grad_a[i] += share * v[r, i]
        for j in range(np.uint64(m.shape[1])):
            part = share * m[r, j]
            grad_b[j] += part
            if part != 0:
                for i in range(V):
                    grad_W[j, i] += part * v[r, i]


@compiled
def _stripes(count: int) -> np.uint64:
    """The blocks that so many random numbers take."""
    return _BLOCKS * ((np.uint64(count) + _STRIPE - np.uint64(1)) // _STRIPE)


@compiled
def gradient_of(
    W: np.ndarray, a: np.ndarray, b: np.ndarray, ising_v: bool, ising_h: bool,
    v: np.ndarray, h: np.ndarray, persist: bool, steps: int, key: np.uint64, block: np.uint64,
    grad_W: np.ndarray, grad_a: np.ndarray, grad_b: np.ndarray, mean_h: np.ndarray,
) -> None:  # fmt: skip
    """The gradient from rows v (n, V), and from chains of `steps` sweeps that begin at hidden states h (m, H).

    If they persist h is what they wait at in the end; otherwise it is drawn at the rows, m being n.  mean_h (H,) is
    < E[h|v] > of the rows.
    """
    n, m, V, H = v.shape[0], h.shape[0], W.shape[1], W.shape[0]
    rows = max(n, m)
    x, mean, chains = np.empty((rows, H), np.float32), np.empty((rows, H), np.float32), np.empty((m, V), np.float32)
    grad_W[:], grad_a[:], grad_b[:] = 0, 0, 0
    _up(W, b, v, x[:n])
    if not persist:
        tosses(key, block, x.reshape(-1), ising_h, h.reshape(-1), 0, m * H)
        block += _stripes(m * H)
    _means(x[:n].reshape(-1), ising_h, mean[:n].reshape(-1))
    _add(v, mean[:n], np.float32(1 / n), grad_W, grad_a, grad_b)
    mean_h[:] = grad_b
    for step in range(steps):
        if step > 0:
            _up(W, b, chains, x[:m])
            tosses(key, block, x[:m].reshape(-1), ising_h, h.reshape(-1), 0, m * H)
            block += _stripes(m * H)
        _down(W, a, h, chains)
        tosses(key, block, chains.reshape(-1), ising_v, chains.reshape(-1), 0, m * V)
        block += _stripes(m * V)
    _up(W, b, chains, x[:m])
    if persist:
        tosses(key, block, x[:m].reshape(-1), ising_h, h.reshape(-1), 0, m * H)
    _means(x[:m].reshape(-1), ising_h, mean[:m].reshape(-1))
    _add(chains, mean[:m], np.float32(-1 / m), grad_W, grad_a, grad_b)


@compiled
def gradients_of(
    W: np.ndarray, a: np.ndarray, b: np.ndarray, ising_v: bool, ising_h: bool,
    v: np.ndarray, h: np.ndarray, persist: bool, steps: int, keys: np.ndarray, blocks: np.ndarray,
    grad_W: np.ndarray, grad_a: np.ndarray, grad_b: np.ndarray, mean_h: np.ndarray,
) -> None:  # fmt: skip
    """`gradient_of` for R machines as one: everything has an axis (R, ...) in front, and each machine its stream."""
    H, V = W.shape[1:]
    of_W, of_a, of_b = np.empty((H, V), np.float32), np.empty(V, np.float32), np.empty(H, np.float32)
    for r in range(W.shape[0]):
        # copies: of arrays with gaps between the machines Numba does not know that a machine's numbers lie together
        gradient_of(
            np.ascontiguousarray(W[r]), np.ascontiguousarray(a[r]), np.ascontiguousarray(b[r]), ising_v, ising_h,
            v[r], h[r], persist, steps, keys[r], blocks[r], of_W, of_a, of_b, mean_h[r],
        )  # fmt: skip
        grad_W[r], grad_a[r], grad_b[r] = of_W, of_a, of_b
