"""Data from one of two far modes alone, moved in blocks: ln Z is right within its interval, or comes with a doubt.

Chains of the machine do not cross between the modes, so that all that begins at the data misses the other one, which
holds a quarter or three quarters.  Intervals are doubled (3.9 standard errors): 1e-4 an estimate, 1e-3 in all.
"""

import pytest
import torch

from harmonium.evaluate.likelihood import doubts
from harmonium.logz import Bidirectional, exact_log_z
from harmonium.logz.bases import mixture_base
from harmonium.logz.exact import sample_v_exactly
from harmonium.logz.schedules import even_schedule
from harmonium.noise import Noise, seed_for
from harmonium.start import independent_parameters
from laws.hard_machines import agreement, two_far_modes


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("mode", [1, -1], ids=["data in three quarters", "data in a quarter"])
@pytest.mark.parametrize("against", [4.0, 8.0])
def test_a_mode_without_data_is_found_or_doubted(against, mode, seed):
    rbm, noise = two_far_modes(against), Noise(seed_for("far", against, mode, seed), dtype=torch.float64)
    v = sample_v_exactly(rbm, 2000, noise)
    v = v[agreement(v) * mode > 0][:300]
    rates = independent_parameters(rbm.visible, rbm.visible.statistics(v).mean(0), len(v))
    z = Bidirectional(even_schedule(100), 256, mixture_base(rbm, v, noise, rbm.decoupled(rates)))(rbm, noise)
    assert abs(z.value - exact_log_z(rbm)) <= 2 * z.half_width or doubts(z)
