"""Does Gibbs sampling mix on this machine?  Chains from noise and chains from data, and whether they agree.

Half of the chains start from independent units, half from data: modes that only data know of show where the halves
differ.  The second half of every chain is watched: its free energy and its projections on the leading singular
directions of W (`harmonium.diagnostics`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from harmonium.checks import check_seed, check_whole, checked_states
from harmonium.diagnostics import LEAST_DRAWS, Mixing, diagnose
from harmonium.errors import InputError
from harmonium.gibbs import start_visible
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.samplers import SAMPLERS, Given


@torch.no_grad()
def mixing(rbm: RBM, *, chains: int = 32, steps: int = 1000, data: Tensor | None = None, seed: int = 0) -> Mixing:
    """R-hat, effective samples and autocorrelation time of plain Gibbs chains.

    Parameters
    ----------
    rbm : RBM
        The machine.
    chains, steps : int
        How many chains, and sweeps of each, of which the second half counts.
    data : Tensor (N, V), optional
        Visible states; the first half of the chains starts from the first chains / 2 of them, the other half from
        independent units.  None starts all chains from independent units, which may all miss the same modes.
    seed : int
        Same seed, same numbers.

    Returns
    -------
    Mixing
        Times in sweeps; ``verdict`` says it in a sentence.

    Raises
    ------
    InputError
        Fewer than two chains or too few steps, fewer rows than half of the chains, rows that are no visible states, or
        a machine without a distribution.
    """
    for name, value in (("chains", chains), ("steps", steps)):
        check_whole(name, value, 0)
    check_seed(seed)
    rbm.check_normalisable()
    if chains < 2 or steps < 2 * LEAST_DRAWS + 2:
        raise InputError(
            f"chains={chains} with steps={steps} cannot be compared; use two chains and {2 * LEAST_DRAWS + 2} steps "
            "or more."
        )
    noise = Noise(seed_for(seed, "mixing"), dtype=rbm.W.dtype, device=rbm.W.device)
    v = start_visible(rbm, chains, noise)
    if data is not None:
        half, rows = chains // 2, checked_states(rbm, data, "data")
        if len(rows) < half:
            raise InputError(
                f"data has {len(rows)} rows, but {half} chains start from one each; give more rows or ask for fewer "
                "chains."
            )
        v[:half] = rows[:half].to(v)
    series = SAMPLERS["gibbs"](rbm, chains, steps, noise, Given(v)).series
    assert series is not None
    return diagnose(series)
