"""The pseudo-log-likelihood: how well each visible unit is predicted from all the others, without ln Z.

    ln PL(v) = sum_i ln p(v_i | v_-i),        p(v_i | v_-i) = exp(-F(v)) / sum over x of exp(-F(v with v_i = x))

Exact and deterministic: every unit of every row, each over all its values (Besag 1975; for Boltzmann machines
Hyvärinen 2006).  A unit is a whole one-hot block; the sum is an integral, and p a density, where values are
continuous.  Moving v_i to x adds (x - v_i) W_i to the hidden fields, so no free energy is computed from scratch:

    -F(v with v_i = x) = const + a_i·T(x) - own_energy(x) + A_h(fields(v) + (x - v_i) W_i)

Not the likelihood: it looks at one change at a time, so a machine whose modes weigh wrongly may still score well.
Grey values of two-valued units enter the numerator as they are, as in `harmonium.evaluate.likelihood`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from harmonium.checks import checked_states
from harmonium.machine import RBM
from harmonium.units import Gaussian, Sparse, UnitFamily, parts_of

#: Hidden fields that are held at once: 8 MiB of float64.
BLOCK_ENTRIES = 1 << 20
#: Gauss-Legendre nodes of one panel; they integrate exp(32 x) over [-1, 1] to rounding.
_NODES, _STEEPEST = 64, 32.0
#: The trapezoid rule on a Gaussian errs by 2 exp(-2 pi² / step²) = 3e-24, in standard deviations; its tail by 1e-18.
_STEP, _TAIL = 0.6, 9.0

#: Values x (R or 1, U, L, width) of the units in a slice, given the hidden fields (R, U, H) that all others make, and
#: ln of their quadrature weights (U or 1, L).
_Nodes = Callable[[Tensor, slice], tuple[Tensor, Tensor]]


@torch.no_grad()
def log_conditionals(rbm: RBM, v: Tensor) -> Tensor:
    """ln p(v_i | v_-i) of every visible unit, in nats and float64: (N, size) -> (N, n).

    Raises InputError for rows that are missing, not finite or of the wrong width, and for a machine without a
    distribution.
    """
    v, rbm = checked_states(rbm, v), rbm.to(dtype=torch.float64)
    fields = v @ rbm.W + rbm.b[0]  # (N, H)
    whole = rbm.hidden.log_partition(_eta_h(rbm, fields))  # (N,)
    columns, at = [], 0
    for part in parts_of(rbm.visible):
        columns.append(_of_part(rbm, part, slice(at, at + part.size), v, fields, whole))
        at += part.size
    return torch.cat(columns, 1)


def pseudo_log_likelihood(rbm: RBM, v: Tensor) -> Tensor:
    """ln PL(v) of every row, in nats and float64: (N, size) -> (N,); errors as in `log_conditionals`."""
    return log_conditionals(rbm, v).sum(1)


def _eta_h(rbm: RBM, fields: Tensor) -> Tensor:
    """Hidden natural parameters with these fields in row 0: (..., H) -> (..., k, H)."""
    fields = fields.unsqueeze(-2)
    return fields if rbm.hidden.k == 1 else torch.cat([fields, rbm.b[1:].expand(*fields.shape[:-2], -1, -1)], -2)


def _of_part(rbm: RBM, part: UnitFamily, entries: slice, v: Tensor, fields: Tensor, whole: Tensor) -> Tensor:
    """The units of one part of the visible side: v (N, V), fields (N, H) and A_h (N,) of the rows -> (N, n)."""
    width = part.size // part.n
    W = rbm.W[entries].unflatten(0, (part.n, width))  # (n, width, H)
    x = v[:, entries].unflatten(1, (part.n, width))  # (N, n, width)
    eta = rbm.a[: part.k, entries]
    a = eta[0].unflatten(0, (part.n, width))  # (n, width)
    curvature = part.precision(eta) if isinstance(part, Gaussian) else None

    def own(values: Tensor, u: slice) -> Tensor:
        """a_i·T(x) - own_energy(x) of units u: (R, U, L, width) -> (R, U, L)."""
        linear = torch.einsum("rulw,uw->rul", values, a[u])
        if isinstance(part, Sparse):
            linear = linear + values[..., 0].abs() * eta[1, u, None]
        return linear if curvature is None else linear - values[..., 0].square() * (curvature[u, None] / 2)

    count, nodes = _nodes(rbm, part, a, W, curvature, fields)
    most = max(1, BLOCK_ENTRIES // (count * rbm.hidden.size))
    columns = min(part.n, most)
    result = v.new_empty(len(v), part.n)
    for u in _slices(part.n, columns):
        for r in _slices(len(v), max(1, most // columns)):
            rest = fields[r].unsqueeze(1) - torch.einsum("ruw,uwh->ruh", x[r, u], W[u])
            values, log_weight = nodes(rest, u)
            values = values.expand(-1, len(W[u]), -1, -1)
            moved = rest.unsqueeze(2) + torch.einsum("rulw,uwh->rulh", values, W[u])  # (R, U, L, H)
            terms = log_weight + own(values, u) + rbm.hidden.log_partition(_eta_h(rbm, moved))
            mine = own(x[r, u].unsqueeze(2), u).squeeze(2) + whole[r].unsqueeze(1)
            result[r, u] = mine - terms.logsumexp(2)
    return result


def _slices(n: int, step: int) -> list[slice]:
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def _nodes(
    rbm: RBM, part: UnitFamily, a: Tensor, W: Tensor, curvature: Tensor | None, fields: Tensor
) -> tuple[int, _Nodes]:
    """How many values a unit of the part is summed or integrated over, and which: a (n, width), W (n, width, H)."""
    if curvature is not None:
        return _gaussian_nodes(rbm, a[:, 0], W[:, 0], curvature)
    if part.levels is None:
        # an even number of panels keeps the kink of |x| at 0 at an end
        kinked = isinstance(part, Sparse)
        steepest = _steepest(rbm, a[:, 0].abs() - rbm.a[1:].amin() if kinked else a[:, 0], W[:, 0], fields)
        x, weight = _interval_nodes(steepest, 2 if kinked else 1)
        values, log_weight = x.to(a).view(1, 1, -1, 1), weight.to(a).log().unsqueeze(0)
    else:
        one = replace(cast(Any, part), n=1)
        table: Tensor = one.states(torch.arange(one.n_states, device=a.device), like=a)  # (L, width)
        values, log_weight = table.view(1, 1, *table.shape), table.new_zeros(1, len(table))
    return values.shape[2], lambda rest, u: (values, log_weight)


def _steepest(rbm: RBM, a: Tensor, W: Tensor, fields: Tensor) -> float:
    """A bound on |d ln p / dx| of interval units, |a_i| + sum over hidden units of |w| max |E[h]|.

    |h| is at most 1 for bounded units; the mean of a Gaussian one is its field over its precision, and moving x from
    one end to the other changes the field by 2 |w|.
    """
    precision = rbm.hidden.precision(rbm.b)
    reach = (fields.abs().amax(0) + 2 * W.abs().amax(0)) / precision
    reach = torch.where(precision.isinf(), 1.0, reach)
    return float((a.abs() + W.abs() @ reach).max())


def _interval_nodes(steepest: float, multiple: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [-1, 1], in equal panels, a multiple of a number and enough to make the integrand flat."""
    x, weight = np.polynomial.legendre.leggauss(_NODES)
    panels = max(1, math.ceil(steepest / _STEEPEST / multiple)) * multiple
    middles = (2 * np.arange(panels) + 1) / panels - 1
    return torch.from_numpy((middles[:, None] + x / panels).ravel()), torch.from_numpy(np.tile(weight / panels, panels))


def _gaussian_nodes(rbm: RBM, a: Tensor, W: Tensor, curvature: Tensor) -> tuple[int, _Nodes]:
    """The trapezoid rule for real units: a (n,), W (n, H), curvature 1/sigma² (n,).

    Given the bounded hidden units, with |h| <= 1, v_i is Gaussian with precision P_i = 1/sigma_i² - sum over Gaussian
    hidden units of w² sigma_h², the same for all h; so p(v_i | v_-i) is a mixture of such Gaussians, whose centres
    lie within sum |w| / P_i of one another.
    """
    variance_h = 1 / rbm.hidden.precision(rbm.b)  # (H,), zero for bounded units
    P = curvature - W.square() @ variance_h  # above zero, as the machine is normalisable
    reach = W.abs() @ (variance_h == 0).to(W) / P.sqrt() + _TAIL  # in standard deviations
    half = math.ceil(float(reach.max()) / _STEP)
    step = _STEP / P.sqrt()  # (n,)
    offsets = torch.arange(-half, half + 1, dtype=W.dtype, device=W.device) * step.unsqueeze(1)  # (n, L)

    def nodes(rest: Tensor, u: slice) -> tuple[Tensor, Tensor]:
        centre = (a[u] + torch.einsum("ruh,uh->ru", rest, W[u] * variance_h)) / P[u]
        return (centre.unsqueeze(2) + offsets[u]).unsqueeze(3), step[u].log().unsqueeze(1)

    return 2 * half + 1, nodes
