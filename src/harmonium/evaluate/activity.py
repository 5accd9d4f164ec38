"""Hidden units that do no work: idle, frozen or duplicate ones, from their activations on data.

A unit earns its place by answering differently to different rows, by doing so in a way that sampling can undo, and
by not saying what another one says already.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.evaluate.fidelity import units_and_reach
from harmonium.evaluate.health import Finding
from harmonium.machine import RBM
from harmonium.units import OneHot

#: A unit whose conditional mean varies by less than a hundredth of its reach over the data says nothing about a row:
#: all that it does, a bias could do.
IDLE_SPREAD = 0.01
#: Of its even share 1/q, a state of a one-hot unit that has less than a hundredth of it is never used.
UNUSED_SHARE = 0.01
#: Two units whose activations correlate and whose weights point the same way to this degree do the work of one.
SAME = 0.98
#: Float32 uniforms are multiples of 2^-24: a unit closer to an end than that is never drawn at the other.
FROZEN = 2.0**-24


def hidden_units(rbm: RBM, mean_h: Tensor) -> list[Finding]:
    """Idle, frozen and duplicate units, from E[h | v] (N, H) of data rows in float64."""
    if isinstance(rbm.hidden, OneHot):
        return _unused_states(rbm.hidden, mean_h)
    _, reach = units_and_reach(rbm.hidden, mean_h)
    scale = torch.where(rbm.hidden.precision(rbm.b).isinf(), reach, rbm.hidden.precision(rbm.b).double().rsqrt())
    spread = mean_h.std(0, correction=0)
    idle = spread < IDLE_SPREAD * scale
    return [
        *_idle(mean_h.mean(0), idle.nonzero().flatten(), rbm),
        *_frozen(rbm, mean_h, idle),
        *_duplicates(rbm, mean_h, idle),
    ]


def _idle(mean: Tensor, idle: Tensor, rbm: RBM) -> list[Finding]:
    if not len(idle):
        return []
    norms = rbm.W.norm(dim=0)[idle]
    share = len(idle) / len(mean)
    values = ", ".join(f"{float(m):.2g}" for m in mean[idle[:6]]) + (", …" if len(idle) > 6 else "")
    return [
        Finding(
            "idle-units",
            f"{_of(idle, len(mean))} answer the same to every row (mean {values}; length of their "
            f"weights {float(norms.min()):.2g} to {float(norms.max()):.2g}): all that they do, a bias could do.",
            "Lower --learning-rate if units got stuck, train longer (--epochs) if their weights are still small, or "
            "take fewer units (--hidden).",
            "error" if share > 0.5 else "warning",
            {"units": idle.tolist(), "of": len(mean), "mean": mean[idle].tolist()},
        )
    ]


def _unused_states(side: OneHot, mean_h: Tensor) -> list[Finding]:
    share = mean_h.mean(0)
    unused = (share < UNUSED_SHARE / side.q).nonzero().flatten()
    if not len(unused):
        return []
    return [
        Finding(
            "idle-units",
            f"{len(unused)} of {len(share)} states of the one-hot hidden side are used by no row (below a hundredth "
            f"of an even share): {', '.join(str(u) for u in unused[:6].tolist())}{', …' if len(unused) > 6 else ''}.",
            "Take fewer states (--hidden), or another --seed.",
            "warning",
            {"units": unused.tolist(), "of": len(share)},
        )
    ]


def _frozen(rbm: RBM, mean_h: Tensor, idle: Tensor) -> list[Finding]:
    """Units that answer to the data, but are never drawn otherwise than the data say: no sampling can move them."""
    if rbm.hidden.levels is None:
        return []
    _, reach = units_and_reach(rbm.hidden, mean_h)
    low = rbm.hidden.states(torch.zeros(1, dtype=torch.int64, device=mean_h.device), like=mean_h)[0]
    distance = torch.minimum(mean_h - low, low + reach - mean_h) / reach
    frozen = ((distance < FROZEN).double().mean(0) > 0.99) & ~idle
    units = frozen.nonzero().flatten()
    if not len(units):
        return []
    return [
        Finding(
            "frozen-units",
            f"{_of(units, len(frozen))} are certain on 99 % of the rows, beyond what single "
            f"precision can draw (largest weight {float(rbm.W[:, units].abs().max()):.3g}): Gibbs sampling cannot "
            "move them.",
            "Keep the weights smaller: --l2 0.001, or a lower --learning-rate.",
            "warning",
            {"units": units.tolist(), "largest_weight": float(rbm.W[:, units].abs().max())},
        )
    ]


def _duplicates(rbm: RBM, mean_h: Tensor, idle: Tensor) -> list[Finding]:
    """Pairs of the same activations and weights, of one sign or of opposite ones (which a bias makes up for)."""
    active = (~idle).nonzero().flatten()
    if len(active) < 2:
        return []
    d = mean_h[:, active] - mean_h[:, active].mean(0)
    d = d / d.norm(dim=0)
    W = torch.nn.functional.normalize(rbm.W[:, active].double(), dim=0)
    both = torch.minimum((d.mT @ d).abs(), (W.mT @ W).abs()).triu(1)
    pairs = (both > SAME).nonzero()
    if not len(pairs):
        return []
    named = [(int(active[i]), int(active[j])) for i, j in pairs]
    shown = ", ".join(f"{i} and {j}" for i, j in named[:4]) + (", …" if len(named) > 4 else "")
    return [
        Finding(
            "duplicate-units",
            f"{len(named)} pair{'s' if len(named) > 1 else ''} of hidden units do the same (activations and weights "
            f"agree to {SAME:.0%}): {shown}.",
            "Take fewer units (--hidden), or start from larger random weights (--weight-scale 0.1) so that they part.",
            "warning",
            {"pairs": named},
        )
    ]


def _of(units: Tensor, total: int, most: int = 6) -> str:
    """`3 of 16 hidden units (0, 4, 7)`, with an ellipsis where there are many."""
    shown = [str(int(u)) for u in units[:most]] + (["…"] if len(units) > most else [])
    return f"{len(units)} of {total} hidden units ({', '.join(shown)})"
