"""Independent samples, exactly: the states of one side are listed with their probabilities, the other side follows.

    h ~ p(h) by enumeration,  v ~ p(v | h);      where the visible side has fewer states, it is the one that is listed

No chain, no burn-in: `steps` is not used.
"""

from __future__ import annotations

from harmonium.errors import InputError
from harmonium.gibbs import sample_v_from_h
from harmonium.logz.exact import MOST_STATES, sample_v_exactly, smaller_side_hidden
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.samplers.base import NOTHING, Given, Samples, refuse_start


def sample_exactly(rbm: RBM, number: int, steps: int, noise: Noise, given: Given = NOTHING) -> Samples:
    """Samples of p(v); raises InputError where neither side can be listed."""
    refuse_start("exact", given)
    turned = smaller_side_hidden(rbm)
    if turned is None or (turned.hidden.n_states or 0) > MOST_STATES:
        raise InputError(
            f"method=exact lists the states of one side, but {rbm.visible.spec} and {rbm.hidden.spec} both have more "
            f"than {MOST_STATES:,}; use method=tempering or gibbs."
        )
    if turned is rbm:
        return Samples(sample_v_exactly(rbm, number, noise))
    return Samples(sample_v_from_h(rbm, sample_v_exactly(turned, number, noise), noise))
