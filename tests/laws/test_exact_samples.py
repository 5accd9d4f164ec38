"""Exact samples follow p(v), also where Gibbs chains never would."""

import pytest
import torch

from harmonium.errors import InputError
from harmonium.logz.exact import sample_v_exactly
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Interval, OneHot
from laws.sides import DISCRETE, brute_log_likelihood, machine, over_pairs, representatives


@over_pairs(tuple((v, h) for v in DISCRETE for h in DISCRETE)[::3])
def test_frequencies_are_the_probabilities(visible, hidden):
    """Chi-square over all states of v; false alarms below 1e-6 for each pair (mean + 8 standard deviations)."""
    rbm, number = machine(visible, hidden, 1.5), 20_000
    states = representatives(visible)
    p = brute_log_likelihood(rbm, states).exp()
    v = sample_v_exactly(rbm, number, Noise(7, dtype=torch.float64))
    counts = (v.unsqueeze(1) == states).all(-1).sum(0).double()
    assert int(counts.sum()) == number
    kept = p * number > 5
    rest = 1 - p[kept].sum()
    chi = ((counts[kept] - number * p[kept]) ** 2 / (number * p[kept])).sum()
    if float(rest) * number > 5:
        chi = chi + (counts[~kept].sum() - number * rest) ** 2 / (number * rest)
    degrees = max(int(kept.sum()), 1)
    assert float(chi) < degrees + 8 * (2 * degrees) ** 0.5 + 12


def test_two_far_modes_get_their_shares():
    """A Gibbs chain stays in its mode for e^40 sweeps; 4 standard deviations of a fair coin, 6e-5."""
    W = torch.tensor([[40.0], [40.0]], dtype=torch.float64)
    b = torch.tensor([[80.0, 0.0]], dtype=torch.float64)  # makes both modes equally likely
    rbm = RBM(Bernoulli(2), OneHot(1, 2), torch.cat([-W, W], 1), torch.zeros_like(b), b)
    ones = sample_v_exactly(rbm, 10_000, Noise(0, dtype=torch.float64)).mean()
    assert abs(float(ones) - 0.5) < 4 * 0.5 / 100


def test_what_cannot_be_listed_is_refused():
    with pytest.raises(InputError, match="no states that could be listed"):
        sample_v_exactly(machine(Bernoulli(3), Interval(2), 1.0), 3, Noise(0, dtype=torch.float64))
