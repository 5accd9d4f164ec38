"""The tiny sides on which the laws are tested, and an oracle that sums over their states unit by unit.

A unit is a list of values (B, width) with weights (B,): the base measure where the values can be counted, base measure
times quadrature weight where they cannot.  A sum over a side is then a sum over nodes, for every family alike.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from harmonium.machine import RBM
from harmonium.noise import seed_for
from harmonium.units import (
    FAMILIES,
    Bernoulli,
    Gaussian,
    Interval,
    Ising,
    Multivalued,
    OneHot,
    Product,
    Sparse,
    UnitFamily,
)

Nodes = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Tiny:
    """Instances of one family, and the nodes of one of its units."""

    sides: tuple[UnitFamily, ...]
    unit: Callable[[UnitFamily], Nodes]


def _counted(values) -> Nodes:
    values = np.array(values, dtype=float)
    return values, np.ones(len(values))


def _onehot(side: OneHot) -> Nodes:
    rows = np.eye(side.q)
    return _counted(np.vstack([np.zeros((1, side.q)), rows]) if side.none else rows)


def _multivalued(side: Multivalued) -> Nodes:
    values, _ = _counted([[(2 * k - side.s) / side.s] for k in range(side.s + 1)])
    return values, np.full(side.s + 1, 2 / (side.s + 1))


def _interval(side: Interval) -> Nodes:
    x, weight = np.polynomial.legendre.leggauss(40)  # exp(20 x) to 1e-13
    return x[:, None], weight


def _sparse(side: Sparse) -> Nodes:
    if not math.isinf(side.s):
        return _multivalued(side)
    x, weight = np.polynomial.legendre.leggauss(40)  # a rule for either side of the kink at 0
    return np.concatenate([(x - 1) / 2, (x + 1) / 2])[:, None], np.concatenate([weight, weight]) / 2


def _gaussian(side: Gaussian) -> Nodes:
    # The trapezoid rule errs by exp(-2 pi² sigma² / step²): nothing, as the machines below have sigma² > 0.6
    x = np.arange(-36, 37) * 0.6
    return x[:, None], np.full(len(x), 0.6)


TINY: dict[str, Tiny] = {
    "bernoulli": Tiny((Bernoulli(3),), lambda side: _counted([[0], [1]])),
    "ising": Tiny((Ising(3),), lambda side: _counted([[-1], [1]])),
    "onehot": Tiny((OneHot(1, 3), OneHot(2, 3), OneHot(1, 3, none=True), OneHot(2, 2, none=True)), _onehot),
    "multivalued": Tiny((Multivalued(3, 1), Multivalued(2, 2), Multivalued(2, 3), Multivalued(2, 8)), _multivalued),
    "interval": Tiny((Interval(2),), _interval),
    "gaussian": Tiny((Gaussian(2, 0.7), Gaussian(2)), _gaussian),
    "sparse": Tiny((Sparse(2, 2), Sparse(2, 3), Sparse(2, math.inf)), _sparse),
}
PRODUCTS: tuple[UnitFamily, ...] = (
    Product(Bernoulli(2), OneHot(1, 3)),
    Product(Gaussian(1), Bernoulli(2)),
    Product(Interval(1), Multivalued(1, 3)),
    Product(Ising(1), Gaussian(1, 0.8)),
    Product(Sparse(1, 2), Bernoulli(1)),
)

#: Registered families without an instance here are left out, so that test_registered.py says what is missing.
SIDES: tuple[UnitFamily, ...] = (*(side for name in FAMILIES if name in TINY for side in TINY[name].sides), *PRODUCTS)
DISCRETE = tuple(side for side in SIDES if side.n_states is not None)
PAIRS = tuple(product(SIDES, SIDES))
ENUMERABLE_PAIRS = tuple((v, h) for v, h in PAIRS if v in DISCRETE or h in DISCRETE)


def over_sides(sides=SIDES):
    return pytest.mark.parametrize("side", sides, ids=lambda side: side.spec)


def over_pairs(pairs=PAIRS):
    return pytest.mark.parametrize(("visible", "hidden"), pairs, ids=lambda side: side.spec)


over_strengths = pytest.mark.parametrize("strength", [0.2, 2.0], ids=["weak", "strong"])


@cache
def nodes(side: UnitFamily) -> tuple[Tensor, Tensor]:
    """States of the whole side (B, size) and ln of their weights (B,), the last unit counting fastest."""
    parts = side.parts if isinstance(side, Product) else (side,)
    units = [TINY[part.name].unit(part) for part in parts for _ in range(part.n)]
    chosen = list(product(*(range(len(weight)) for _, weight in units)))
    columns = list(zip(*chosen, strict=True))
    states = np.hstack([values[list(c)] for (values, _), c in zip(units, columns, strict=True)])
    log_weight = sum(np.log(weight)[list(c)] for (_, weight), c in zip(units, columns, strict=True))
    return torch.from_numpy(states), torch.from_numpy(log_weight)


def generator(*words) -> torch.Generator:
    return torch.Generator().manual_seed(seed_for(*words))


def uniform(shape, gen: torch.Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=gen, dtype=torch.float64)


def parameters(side: UnitFamily, gen: torch.Generator, strength: float, rows: tuple[int, ...] = ()) -> Tensor:
    """Natural parameters within `strength` of zero field, further rows 0.8 to 1.2 times neutral: (rows, k, size)."""
    neutral = side.neutral(torch.empty(0, dtype=torch.float64))
    eta = neutral * uniform((*rows, *neutral.shape), gen, 0.8, 1.2)
    eta[..., 0, :] = uniform((*rows, side.size), gen, -strength, strength)
    return eta


def machine(visible: UnitFamily, hidden: UnitFamily, strength: float, seed: int = 0) -> RBM:
    """Couplings within `strength` of zero, fields within 1; unbounded units are held together (singular value 0.7)."""
    gen = generator(visible.spec, hidden.spec, strength, seed)
    a, b = parameters(visible, gen, 1.0), parameters(hidden, gen, 1.0)
    W = uniform((visible.size, hidden.size), gen, -strength, strength)
    scaled = visible.precision(a).rsqrt()[:, None] * W * hidden.precision(b).rsqrt()
    return RBM(visible, hidden, W * (0.7 / max(0.7, float(torch.linalg.matrix_norm(scaled, ord=2)))), a, b)


def points(side: UnitFamily, count: int = 7, seed: int = 0) -> Tensor:
    """States spread over the support: (count, size)."""
    gen = generator(side.spec, seed)
    return side.sample(parameters(side, gen, 1.0, (count,)), uniform((count, side.n), gen))


def representatives(side: UnitFamily) -> Tensor:
    """All states where they can be counted, else some points of the support."""
    return nodes(side)[0] if side.n_states is not None else points(side)


def log_density(side: UnitFamily, eta: Tensor, x: Tensor) -> Tensor:
    """ln base + eta · T(x) - own_energy(x) - A(eta): (..., size) -> (...)."""
    return side.log_base - side.own_energy(x) + (eta * side.statistics(x)).sum((-2, -1)) - side.log_partition(eta)


def own_energy(side: UnitFamily, x: Tensor) -> Tensor:
    """x² / 2 sigma² of Gaussian units of fixed variance, found anew: (N, size) -> (N,)."""
    total, at = torch.zeros(len(x), dtype=x.dtype), 0
    for part in side.parts if isinstance(side, Product) else (side,):
        if isinstance(part, Gaussian) and part.variance is not None:
            total = total + (x[:, at : at + part.size] ** 2).sum(1) / (2 * part.variance)
        at += part.size
    return total


def energies(rbm: RBM, v: Tensor, h: Tensor) -> Tensor:
    """E of every row of v (N, V) with every row of h (M, H), written out once more: (N, M)."""
    own_v = torch.einsum("kv,nkv->n", rbm.a, rbm.visible.statistics(v)) - own_energy(rbm.visible, v)
    own_h = torch.einsum("kh,mkh->m", rbm.b, rbm.hidden.statistics(h)) - own_energy(rbm.hidden, h)
    return -own_v[:, None] - own_h - torch.einsum("nv,vh,mh->nm", v, rbm.W, h)


def brute_log_z(rbm: RBM) -> Tensor:
    """ln of the sum (quadrature) over both sides."""
    (v, log_v), (h, log_h) = nodes(rbm.visible), nodes(rbm.hidden)
    return (log_v[:, None] + log_h - energies(rbm, v, h)).flatten().logsumexp(0)


def brute_log_likelihood(rbm: RBM, v: Tensor) -> Tensor:
    """ln p(v) with h summed and Z summed: (N, V) -> (N,); the density with respect to counting or dx."""
    h, log_h = nodes(rbm.hidden)
    return (log_h - energies(rbm, v, h)).logsumexp(1) + rbm.visible.log_base - brute_log_z(rbm)
