"""The Restricted Boltzmann Machine: two sides and three tensors.

    E(v, h) = - a·T(v) - b·T(h) - v W h + own_energy(v) + own_energy(h)
    p(v, h) = base(v) base(h) exp(-E(v, h)) / Z
    F(v)    = - ln sum_h base(h) exp(-E(v, h)) = - a·T(v) + own_energy(v) - A_h(b + v W)
    ln p(v) = - F(v) + ln base(v) - ln Z

T are the sides' sufficient statistics and A their log-partitions (Smolensky 1986; Welling, Rosen-Zvi and Hinton
2004 for exponential families); only Gaussian units of fixed variance have an energy of their own.  A machine is a
value: machines on the same two sides form a vector space, and one `lerp` serves tempering, annealing and replica
exchange.

R machines of one shape may be one (`harmonium.stack`): every tensor then has a leading axis, and v, h (R, N, size)
too; states (N, size) go to all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.kernels.states import States, fields, rows_of
from harmonium.units import UnitFamily


def _natural_parameters(bias: Tensor, x: Tensor | States, weight: Tensor) -> Tensor:
    """bias (k, m), x (..., l), weight (m, l) -> (..., k, m): the product is added to row 0, the other rows stay.

    Stacked: (R, k, m), (R, N, l) or (N, l), (R, m, l) -> (R, N, k, m).  Weights of another precision are multiplied in
    it, and their sums taken back.
    """
    if weight.dtype != bias.dtype:
        x = rows_of(x).to(weight.dtype)
        field = torch.matmul(x, weight.mT).to(bias.dtype).add_(bias[..., :1, :]).unsqueeze(-2)
    elif weight.dim() == 2:
        field = fields(bias[0], x, weight).unsqueeze(-2)
    else:
        x = rows_of(x)
        field = torch.baddbmm(bias[:, :1], x.expand(len(weight), *x.shape[-2:]), weight.mT).unsqueeze(-2)
    if bias.shape[-2] == 1:
        return field
    others = bias[1:] if weight.dim() == 2 else bias[:, None, 1:]
    return torch.cat([field, others.expand(*field.shape[:-2], -1, -1)], -2)


def product(matrix: Tensor, x: Tensor) -> Tensor:
    """(..., m, l) times (..., l) -> (..., m), a vector for each matrix."""
    return matrix @ x if matrix.dim() == 2 else (matrix @ x.unsqueeze(-1)).squeeze(-1)


@dataclass(frozen=True, eq=False)
class RBM:
    """A machine: `visible` and `hidden` say what the units are, W (V, H), a (k_v, V) and b (k_h, H) how they couple.

    V and H are the sides' sizes, k their natural parameters per entry; row 0 of a and b holds the fields (biases).
    All three may have one more, leading axis (R, ...), for R machines as one.
    """

    visible: UnitFamily
    hidden: UnitFamily
    W: Tensor
    a: Tensor
    b: Tensor

    def __post_init__(self) -> None:
        v, h = self.visible, self.hidden
        lead = self.W.shape[:-2] if self.W.dim() == 3 else ()
        for name, tensor, shape in (
            ("W", self.W, (v.size, h.size)),
            ("a", self.a, (v.k, v.size)),
            ("b", self.b, (h.k, h.size)),
        ):
            if tuple(tensor.shape) != (*lead, *shape):
                raise InputError(
                    f"{name} has shape {tuple(tensor.shape)}, but {v.spec} with {h.spec} needs {(*lead, *shape)}; "
                    "reshape it."
                )

    @property
    def machines(self) -> int:
        """How many machines are stacked in this one."""
        return len(self.W) if self.W.dim() == 3 else 1

    # ---- the two conditionals ---------------------------------------------------------------------------------

    def eta_h_from_v(self, v: Tensor | States) -> Tensor:
        """Natural parameters of p(h | v): (..., V) -> (..., k_h, H)."""
        return _natural_parameters(self.b, v, self.W.mT)

    def eta_v_from_h(self, h: Tensor | States) -> Tensor:
        """Natural parameters of p(v | h): (..., H) -> (..., k_v, V)."""
        return _natural_parameters(self.a, h, self.W)

    # ---- energies ---------------------------------------------------------------------------------------------

    def energy(self, v: Tensor, h: Tensor) -> Tensor:
        """E(v, h): (..., V), (..., H) -> (...), in nats."""
        a, b = (x if x.dim() == 2 else x.unsqueeze(1) for x in (self.a, self.b))
        own = (a * self.visible.statistics(v)).sum((-2, -1)) + (b * self.hidden.statistics(h)).sum((-2, -1))
        return self.visible.own_energy(v) + self.hidden.own_energy(h) - own - ((v @ self.W) * h).sum(-1)

    def free_energy(self, v: Tensor, *, eta_h: Tensor | None = None) -> Tensor:
        """F(v): (..., V) -> (...), in nats; eta_h, where it is known already, saves the product.

        For the free energy of hidden states use ``rbm.mirror().free_energy(h)``.
        """
        eta_h = self.eta_h_from_v(v) if eta_h is None else eta_h
        own = self.visible.dot(self.a if self.a.dim() == 2 else self.a.unsqueeze(1), v)
        return self.visible.own_energy(v) - own - self.hidden.log_partition(eta_h)

    # ---- the vector space of machines -------------------------------------------------------------------------

    def mirror(self) -> RBM:
        """The same distribution with the names of the two sides exchanged."""
        return RBM(self.hidden, self.visible, self.W.mT, self.b, self.a)

    def map(self, f: Callable[..., Tensor], *others: RBM) -> RBM:
        """Apply f to each tensor (with those of other machines on the same sides)."""
        return replace(
            self,
            W=f(self.W, *(o.W for o in others)),
            a=f(self.a, *(o.a for o in others)),
            b=f(self.b, *(o.b for o in others)),
        )

    def lerp(self, other: RBM, t: float) -> RBM:
        """The machine whose energy is (1 - t) E_self + t E_other."""
        return self.map(lambda x, y: torch.lerp(x, y, t), other)

    def decoupled(self, a: Tensor | None = None) -> RBM:
        """Independent units: W = 0, hidden fields 0; visible parameters a (k_v, V), by default the machine's own.

        Its partition function is known, ln Z = A_v(a) + A_h(b): the start of every annealing.
        """
        b = self.b.clone()
        b[..., 0, :] = 0
        return replace(self, W=torch.zeros_like(self.W), a=self.a if a is None else a, b=b)

    def log_z_decoupled(self) -> Tensor:
        """ln Z of a machine with W = 0, in nats: (), or (R,) of stacked ones."""
        return self.visible.log_partition(self.a) + self.hidden.log_partition(self.b)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> RBM:
        """The same machine in another precision or on another device."""
        return self.map(lambda x: x.to(dtype=dtype, device=device))

    def detached(self) -> RBM:
        """A copy that shares no memory and carries no gradient."""
        return self.map(lambda x: x.detach().clone())

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """W, a, b."""
        return self.W, self.a, self.b

    # ---- existence --------------------------------------------------------------------------------------------

    def check_normalisable(self) -> None:
        """Raise InputError, with the reason, where sum exp(-E) is infinite or a parameter is not a number.

        Unbounded (Gaussian) units on both sides hold together only while the largest singular value of
        sigma_i W_ij sigma_j among them is below 1: beyond, the energy falls without end along one direction.
        """
        for name, tensor in (("W", self.W), ("a", self.a), ("b", self.b)):
            if not bool(tensor.isfinite().all()):
                raise InputError(f"{name} holds a value that is not finite; the machine has no distribution.")
        if self.W.dim() == 3:
            for W, a, b in zip(*self.tensors, strict=True):
                RBM(self.visible, self.hidden, W, a, b).check_normalisable()
            return
        v, h = self.visible.precision(self.a), self.hidden.precision(self.b)
        if math.isinf(float(v.min())) or math.isinf(float(h.min())):
            return
        scaled = v.rsqrt().unsqueeze(-1) * self.W * h.rsqrt()
        largest = float(torch.linalg.matrix_norm(scaled.double(), ord=2))
        if largest >= 1:
            raise InputError(
                "the machine is not normalisable: between Gaussian units on both sides the largest singular value of "
                f"sigma_i W_ij sigma_j is {largest:.4g} and must stay below 1; make the weights or variances smaller."
            )


def zeros(
    visible: UnitFamily, hidden: UnitFamily, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> RBM:
    """The machine without couplings or biases: all fields zero."""
    like = torch.empty(0, dtype=dtype, device=device)
    W = torch.zeros(hidden.size, visible.size, dtype=dtype, device=device).mT
    return RBM(visible, hidden, W, visible.neutral(like), hidden.neutral(like))


def packed(rbm: RBM) -> tuple[Tensor, RBM]:
    """One flat copy of all parameters (P,), and the machine whose tensors are views of it; (R, P) of stacked ones.

    An optimiser then has one tensor to step, and a cluster one to reduce.  Each hidden unit's weights lie together:
    with few hidden units the products are several times faster so than the other way.
    """
    flat = torch.cat([x.flatten(-2) for x in (rbm.W.mT, rbm.a, rbm.b)], -1)
    return flat, unpacked(flat, rbm)


def unpacked(flat: Tensor, like: RBM) -> RBM:
    """The machine on the sides of `like` whose tensors are views of `flat` (P,), or (R, P) for stacked ones."""
    turned = [like.W.mT, like.a, like.b]
    pieces = flat.split([x.shape[-2] * x.shape[-1] for x in turned], -1)
    W, a, b = (piece.unflatten(-1, x.shape[-2:]) for piece, x in zip(pieces, turned, strict=True))
    return replace(like, W=W.mT, a=a, b=b)
