"""Parallel tempering: R ladders from independent units to the machine, whose target levels give the samples.

The levels are tuned first (`harmonium.tempering`), which is the burn-in; then `steps` sweeps follow, over which the
`number` samples are spread: each ladder gives its target state at even distances, the last of them at the end.  At
most 32 ladders run.  Use it where modes lie far apart; states of one ladder are correlated, as the diagnostics say.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.diagnostics import LEAST_DRAWS, Watched
from harmonium.errors import InputError
from harmonium.ladders import Ladder, Tempered, even_positions
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.samplers.base import NOTHING, Given, Samples, refuse_start
from harmonium.tempering import FIRST_LEVELS, temper, tuned

_MOST_LADDERS = 32


def sample_by_tempering(rbm: RBM, number: int, steps: int, noise: Noise, given: Given = NOTHING) -> Samples:
    """Target states of ladders of temperatures from `given.base`, or from the machine's own visible biases."""
    refuse_start("tempering", given)
    rates = None if given.base is None else given.base.to(rbm.a)
    ladder = Tempered(rbm.decoupled(rates), rbm, even_positions(FIRST_LEVELS))
    return sample_ladders("tempering", ladder, number, steps, noise)


def sample_ladders(method: str, ladder: Ladder, number: int, steps: int, noise: Noise) -> Samples:
    """`number` target states of up to 32 ladders, spread over `steps` sweeps after tuning."""
    ladders = min(number, _MOST_LADDERS)
    each = -(-number // ladders)
    if steps < each:
        raise InputError(
            f"steps={steps} is too few for method={method}, whose {ladders} ladders give {each} samples each; "
            f"use steps={each} or more."
        )
    watched, size = Watched(ladder.target), ladder.target.visible.size
    ladder, v = tuned(ladder, ladder.start(ladders, noise), noise)
    kept: list[Tensor] = []
    now = 0

    def observe(at_target: Tensor) -> Tensor:
        nonlocal now
        now += 1
        if now * each // steps > len(kept):  # the ends of `each` equal parts of the run
            kept.append(at_target.clone())
        return watched(at_target)

    run = temper(ladder, v, steps, noise, observe=observe)
    accepted = 1 - run.rejection
    facts = {
        "ladders": ladders,
        "levels": len(ladder),
        "swaps_accepted_mean": float(accepted.mean()),
        "swaps_accepted_min": float(accepted.min()),
        "round_trips": run.round_trips,
    }
    v = torch.stack(kept).view(-1, size)[:number]
    return Samples(v, run.observed if steps >= LEAST_DRAWS else None, facts)
