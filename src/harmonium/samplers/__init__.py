"""Ways to draw visible states from a machine, a line each in `SAMPLERS`."""

from __future__ import annotations

from harmonium.logz.exact import MOST_STATES
from harmonium.machine import RBM
from harmonium.samplers.base import Given, Sampler, Samples
from harmonium.samplers.exact import sample_exactly
from harmonium.samplers.gibbs import sample_by_gibbs
from harmonium.samplers.tempering import sample_by_tempering
from harmonium.samplers.trajectory import sample_by_trajectory

#: Samplers by name; all are called alike, and refuse what they cannot follow.
SAMPLERS: dict[str, Sampler] = {
    "gibbs": sample_by_gibbs,
    "tempering": sample_by_tempering,
    "trajectory": sample_by_trajectory,
    "exact": sample_exactly,
}
#: Products (states × entries of W) that are made for exact samples without being asked: seconds.
_PRODUCTS = 2e10


def automatic(rbm: RBM, *, started: bool, clamped: bool, steps: int | None) -> str:
    """``exact`` where states can be listed in seconds and nothing asks for chains (a start, steps), else ``gibbs``."""
    if started or clamped or steps is not None:
        return "gibbs"
    counts = [n for n in (rbm.visible.n_states, rbm.hidden.n_states) if n is not None and n <= MOST_STATES]
    return "exact" if counts and min(counts) * rbm.W.numel() <= _PRODUCTS else "gibbs"


__all__ = ["SAMPLERS", "Given", "Sampler", "Samples", "automatic"]
