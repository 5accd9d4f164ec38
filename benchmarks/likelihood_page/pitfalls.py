"""Seconds of enumeration, and what goes wrong in published numbers: swaps, binarisations, codings."""

from __future__ import annotations

import math
import textwrap
from functools import partial
from typing import Any

import numpy as np
import torch
from enumeration import best
from enumeration import machine as machine_to_enumerate
from torch import Tensor

import harmonium as hm
from harmonium.data import load_data
from harmonium.ladders import Tempered, even_positions
from harmonium.logz import exact_log_z, exact_moments
from harmonium.tempering import temper
from likelihood_page.common import Effort, Trained, exact, stream


def enumeration(effort: Effort) -> str:
    """Seconds for the exact ln Z."""
    rows = []
    for hidden in effort.enumerated:
        rbm = machine_to_enumerate(hidden)
        exact_log_z(rbm)  # compiled
        rows.append(f"| 2^{hidden} | {best(partial(exact_log_z, rbm), 5.0):.2g} |")
    return "\n".join(["| hidden states, 784 visible units | seconds |", "| --- | ---: |", *rows])


class _TimesTheTarget(Tempered):
    """The mistake to show: swaps by t F, although the chains at t follow F_t, which is not t F."""

    def log_ratios(self, v: Tensor, fields: Any) -> tuple[Tensor, Tensor]:
        """t_k F(v) in place of F_k(v)."""
        F, t = self.target.free_energy(v).double(), self._t.flatten().double()
        return (t[:-1] - t[1:]) * F[:, :-1], (t[1:] - t[:-1]) * F[:, 1:]


def swaps(of: Trained, sweeps: int, replicas: int = 64) -> str:
    """How far the target's means are from the exact ones, with swaps by either energy."""
    rbm = of.rbm
    truth = exact_moments(rbm.to(dtype=torch.float64))[1].a[0]
    rows = ["| swaps by | means off by (root mean square) | by chance |", "| --- | ---: | ---: |"]
    for name, kind in (
        ("the level's own energy, F_t", Tempered),
        ("t times the machine's energy, t F", _TimesTheTarget),
    ):
        noise = stream(rbm, name)
        ladder = kind(rbm.decoupled(), rbm, even_positions(12))
        v = temper(ladder, ladder.start(replicas, noise), sweeps // 4, noise).v
        run = temper(ladder, v, sweeps, noise, observe=lambda v: v)
        each = run.observed.double().mean(0)  # of each replica
        off, chance = each.mean(0) - truth, each.std(0) / math.sqrt(replicas)
        rows.append(f"| {name} | {_rms(off):.4f} | {_rms(chance):.4f} |")
    return "\n".join(rows)


def _rms(x: Tensor) -> float:
    return float(x.square().mean().sqrt())


def binarisations(of: Trained) -> str:
    """One machine, one set of images, three rules."""
    data = load_data("mnist")
    X = np.asarray(data.X)[np.asarray(of.inputs.rows.held_out)]
    rows = ["| grey value x / 255 becomes | nats per image |", "| --- | ---: |"]
    rules = (("1 where it is above 0.5", "0.5"), ("1 with that probability", "stochastic"), ("itself, a mean", "none"))
    for name, rule in rules:
        found = hm.log_likelihood(of.rbm, X, method="exact", binarize=rule, scale=255)
        rows.append(f"| {name} | {found.mean.value:.2f} |")
    return "\n".join(rows)


def codings(of: Trained) -> str:
    """The two codings of the same distribution, and where Z leaves floating point."""
    ising = exact(hm.to_ising(of.rbm.to(dtype=torch.float64)))
    largest = [math.log(torch.finfo(kind).max) for kind in (torch.float32, torch.float64)]
    return textwrap.fill(
        "The machine with 784 pixels and 20 hidden units that is used below has "
        f"ln Z = {of.log_z:.2f} as a {{0, 1}} machine and {ising:.2f} as a {{−1, +1}} machine, "
        f"with the same probability for every image. Single precision ends at e^{largest[0]:.1f} and double precision "
        f"at e^{largest[1]:.1f}: this Z itself is infinite in the former.",
        120,
    )
