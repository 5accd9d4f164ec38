"""Parallel trajectory tempering: ladders along the snapshots of training (Béreux et al., ICLR 2025).

A machine has learned its modes one after another, and each snapshot lies near the next: states swap along the way that
training took instead of along temperatures.  Training also wanders, and a ladder that followed all its turns would be
many times longer than the way: of the snapshots only those are taken that one needs to get from each to the next.
Otherwise as parallel tempering (`harmonium.samplers.tempering`).
"""

from __future__ import annotations

from collections.abc import Sequence

from harmonium.errors import InputError
from harmonium.gibbs import start_visible, sweep
from harmonium.ladders import acceptance, even_positions, trajectory
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.samplers.base import NOTHING, Given, Samples, refuse_start
from harmonium.samplers.tempering import sample_ladders
from harmonium.tempering import FIRST_LEVELS

#: How often neighbours should exchange their states; chains that find out, and sweeps for them to follow.
ACCEPTED, _CHAINS, _SWEEPS = 0.3, 200, 50


def sample_by_trajectory(rbm: RBM, number: int, steps: int, noise: Noise, given: Given = NOTHING) -> Samples:
    """Target states of ladders through `given.snapshots`, in the order of training, to the machine."""
    refuse_start("trajectory", given)
    if not given.snapshots:
        raise InputError("method=trajectory needs snapshots of training, and there are none; use method=tempering.")
    path = [snapshot.to(dtype=rbm.W.dtype, device=rbm.W.device) for snapshot in given.snapshots]
    if not all(map(lambda x, y: bool((x == y).all()), path[-1].tensors, rbm.tensors)):
        path.append(rbm)
    path = thinned(path, noise)
    ladder = trajectory(path, even_positions(max(FIRST_LEVELS, len(path) + 1)))
    return sample_ladders("trajectory", ladder, number, steps, noise)


def thinned(path: Sequence[RBM], noise: Noise) -> list[RBM]:
    """The last machine of a path, and before it as few as exchange states with the next at least `ACCEPTED` often."""
    kept: list[RBM] = []
    now = path[0].decoupled()
    v = start_visible(now, _CHAINS, noise)
    ahead = list(path)
    while ahead:
        # The farthest machine within reach; where none is, the next one, and the ladder puts levels between
        reach = [i for i, machine in enumerate(ahead) if acceptance(now, machine, v) >= ACCEPTED]
        at = reach[-1] if reach else 0
        now, ahead = ahead[at], ahead[at + 1 :]
        kept.append(now)
        v = sweep(now, v, noise, _SWEEPS)
    return kept
