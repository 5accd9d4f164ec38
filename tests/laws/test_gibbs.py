"""Gibbs sampling: chains that start at the target stay there, and one sweep has the transition probabilities wanted.

The false-alarm rate of each chi-square test is 1e-9, of all of them below 1e-6, should the streams ever change.
"""

from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from harmonium.gibbs import sample_h_from_v, sample_v_from_h, start_visible, sweep
from harmonium.noise import Noise, seed_for
from laws.sides import DISCRETE, SIDES, energies, machine, nodes, over_pairs, over_sides

CHAINS = 40_000
ALARM = 1e-9
PAIRS = tuple(product(DISCRETE, SIDES))


def assert_drawn_from(p, x, states):
    """Chi-square of the rows x (N, size) against probabilities p (B,) of the states (B, size); rare states pooled."""
    mark = torch.linspace(1, 2, states.shape[1]).double().exp()  # tells all states apart
    key, order = (states @ mark).sort()
    number = order[(torch.searchsorted(key, x @ mark + 1e-9) - 1).clamp_min(0)]
    assert torch.equal(states[number], x)
    counts, expected = number.bincount(minlength=len(states)).numpy(), len(x) * (p / p.sum()).numpy()
    rare = expected < 10
    if rare.sum() > 0:
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    keep = expected > 0
    assert counts[~keep].sum() == 0
    statistic = ((counts[keep] - expected[keep]) ** 2 / expected[keep]).sum()
    assert stats.chi2.sf(statistic, max(1, keep.sum() - 1)) > ALARM, (counts, expected)


def tables(visible, hidden):
    """A machine, and the exact p(v), p(h | v) over the hidden nodes, and p(v | h)."""
    rbm = machine(visible, hidden, 1.0)
    (v, log_v), (h, log_h) = nodes(visible), nodes(hidden)
    joint = log_v[:, None] + log_h - energies(rbm, v, h)
    return rbm, v, joint.logsumexp(1).softmax(0), joint.softmax(1), joint.softmax(0)


def noise_for(visible, hidden, what):
    return Noise(seed_for(visible.spec, hidden.spec, what), dtype=torch.float64)


@over_pairs(PAIRS)
def test_chains_started_at_the_target_stay_there(visible, hidden):
    rbm, states, p, _, _ = tables(visible, hidden)
    noise = noise_for(visible, hidden, "stay")
    v = states[torch.searchsorted(p.cumsum(0), noise.uniform(CHAINS)).clamp_max(len(p) - 1)]
    assert_drawn_from(p, sweep(rbm, v, noise, 2), states)


@over_pairs(PAIRS)
def test_one_sweep_from_one_state_has_the_exact_transition_probabilities(visible, hidden):
    """Chains that never moved would stay at the target too: here they must leave a state as the law says."""
    rbm, states, _, h_given_v, v_given_h = tables(visible, hidden)
    noise = noise_for(visible, hidden, "move")
    at = len(states) // 2
    v = sweep(rbm, states[at].expand(CHAINS, -1), noise)
    assert_drawn_from(v_given_h @ h_given_v[at], v, states)
    known = sweep(rbm, states[:1], Noise(1, dtype=torch.float64), 2, eta_h=rbm.eta_h_from_v(states[:1]))
    assert torch.equal(known, sweep(rbm, states[:1], Noise(1, dtype=torch.float64), 2))


@over_pairs(PAIRS[:: len(SIDES)])
def test_the_half_steps_are_the_two_conditionals(visible, hidden):
    rbm, states, _, h_given_v, v_given_h = tables(visible, hidden)
    h_states, _ = nodes(hidden)
    noise = noise_for(visible, hidden, "half")
    assert_drawn_from(h_given_v[1], sample_h_from_v(rbm, states[1].expand(CHAINS, -1), noise), h_states)
    assert_drawn_from(v_given_h[:, 2], sample_v_from_h(rbm, h_states[2].expand(CHAINS, -1), noise), states)


@over_sides(DISCRETE)
def test_chains_start_from_the_biases_alone(side):
    rbm = machine(side, side, 2.0)
    states, log_v = nodes(side)
    p = (log_v + torch.einsum("kv,nkv->n", rbm.a, side.statistics(states))).softmax(0)
    assert_drawn_from(p, start_visible(rbm, CHAINS, noise_for(side, side, "start")), states)


@pytest.mark.parametrize("chains", [1, 3])
def test_units_of_one_chain_and_chains_of_one_unit_are_independent(chains):
    """Shared uniforms would make them equal: the product of two units' deviations must average to zero."""
    side = DISCRETE[0]
    rbm = machine(side, side, 0.0)
    noise = noise_for(side, side, chains)
    v = torch.cat([sweep(rbm, torch.zeros(chains, side.size).double(), noise) for _ in range(4000)])
    deviation = (v - rbm.visible.mean(rbm.a)[0]).view(4000, -1)
    correlation = torch.corrcoef(deviation.T)
    off = correlation[~torch.eye(len(correlation), dtype=torch.bool)]
    assert off.abs().max() < 6.5 / np.sqrt(4000)  # 6.5 sigma, 36 numbers: 3e-9
