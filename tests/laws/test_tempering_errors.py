"""The standard error of tempering's ln Z: of what replicas contribute as a whole, pairs of levels taken together.

A pair read the other way round has the same ratio with the other sign, and its errors are those of the pair itself.
"""

import math

import pytest
import torch

from harmonium.logz.tempering import log_z_from_ratios
from harmonium.noise import Noise, seed_for

#: Sweeps, replicas and pairs.
SHAPE = (40, 10, 3)


def ratios(*words, correlation=0.0):
    """Gaussian ln w of unit variance for which E[w] = 1 in both directions; states of a replica are alike as asked."""
    noise = Noise(seed_for("ratios", *words), dtype=torch.float64)

    def draw():
        common, own = noise.normal(1, *SHAPE[1:]), noise.normal(*SHAPE)
        return -0.5 + math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own

    return draw(), draw()


def test_a_pair_beside_its_reverse_adds_nothing_and_errs_by_nothing():
    up, down = ratios("reverse")
    rise, stderr = log_z_from_ratios(torch.cat([up, down], -1), torch.cat([down, up], -1))
    assert rise == pytest.approx(0, abs=1e-10)
    assert stderr == pytest.approx(0, abs=1e-10)
    assert log_z_from_ratios(up, down)[1] > 0.01


@pytest.mark.parametrize("copies", [2, 5])
def test_pairs_that_err_alike_add_their_errors(copies):
    up, down = ratios("copies")
    one, many = (log_z_from_ratios(up.repeat(1, 1, n), down.repeat(1, 1, n)) for n in (1, copies))
    assert many == pytest.approx((copies * one[0], copies * one[1]), rel=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_the_error_is_that_of_leaving_out_one_replica_after_another(correlation):
    """The jackknife over replicas, which solves all ratios anew each time and knows of no pairs."""
    up, down = ratios("jackknife", correlation, correlation=correlation)
    up, down = (torch.cat([x, x[..., :1] + 0.3 * x[..., 1:2]], -1) for x in (up, down))  # pairs that are alike
    rest = [torch.arange(SHAPE[1]) != r for r in range(SHAPE[1])]
    without = torch.tensor([log_z_from_ratios(up[:, keep], down[:, keep])[0] for keep in rest], dtype=torch.float64)
    jackknife = math.sqrt((SHAPE[1] - 1) * float(without.var(correction=0)))
    assert log_z_from_ratios(up, down)[1] == pytest.approx(jackknife, rel=0.12)
