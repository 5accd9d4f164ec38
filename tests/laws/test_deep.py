"""Stacks of machines small enough to sum over: the bound, samples, and what a stack becomes unrolled."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

import harmonium.deep.bound
from harmonium.deep.bound import log_likelihood_bound
from harmonium.deep.finetune import fields_of, reconstructing
from harmonium.deep.stack import Stack, features, mean_h_from_v, mean_v_from_h, reconstruction, sample, turned_over
from harmonium.deep.unroll import autoencoder, classifier, encoder
from harmonium.errors import InputError
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot
from laws.sides import SIDES, brute_log_z, energies, machine, nodes, over_sides, representatives

#: Bottoms of the stacks: counted and continuous.
BOTTOMS = (Bernoulli(3), OneHot(1, 3), Gaussian(1))
over_bottoms = pytest.mark.parametrize("bottom", BOTTOMS, ids=lambda side: side.spec)
STRENGTH = 1.5


def stack_on(bottom, middle, *tops):
    sides = pairwise((bottom, middle, *(tops or (Bernoulli(2),))))
    return Stack(tuple(machine(v, h, STRENGTH, seed=i) for i, (v, h) in enumerate(sides)))


def log_conditional(rbm, v, h):
    """ln p(v | h) with respect to counting or dx for every v (N, V) and h (M, H): (N, M)."""
    x, log_x = nodes(rbm.visible)
    log_z = (log_x[:, None] - energies(rbm, x, h)).logsumexp(0)
    return rbm.visible.log_base - energies(rbm, v, h) - log_z


def log_posterior(rbm, v):
    """ln of the weight that p(h | v) gives each node of h: (N, M)."""
    h, log_h = nodes(rbm.hidden)
    return (log_h - energies(rbm, v, h)).log_softmax(1)


def exact(machines, v):
    """ln p(v) of the network by summing over all layers: (N,)."""
    rbm, *above = machines
    if not above:
        h, log_h = nodes(rbm.hidden)
        return (log_h - energies(rbm, v, h)).logsumexp(1) + rbm.visible.log_base - brute_log_z(rbm)
    h, log_h = nodes(rbm.hidden)
    # nodes carry the base measure, and `exact` the density with it
    return (log_conditional(rbm, v, h) + log_h - rbm.hidden.log_base + exact(above, h)).logsumexp(1)


def bound(machines, v):
    """E_q[ ln p(v, h1, ...) - ln q ] by summing over all states of q: (N,)."""
    rbm, *above = machines
    if not above:
        return exact(machines, v)
    h, log_h = nodes(rbm.hidden)
    log_q = log_posterior(rbm, v)
    log_density = log_q - log_h + rbm.hidden.log_base
    return (log_q.exp() * (log_conditional(rbm, v, h) + bound(above, h) - log_density)).sum(1)


def averaged(stack, v, log_z, monkeypatch):
    """`log_likelihood_bound` with every state of the first hidden layer in turn, weighted by q: (N,)."""
    h = nodes(stack.machines[0].hidden)[0]
    monkeypatch.setattr(harmonium.deep.bound, "sample_h_from_v", lambda rbm, x, noise: h.repeat(len(v), 1))
    found = log_likelihood_bound(stack, v.repeat_interleave(len(h), 0), log_z, Noise(0, dtype=torch.float64))
    return (log_posterior(stack.machines[0], v).exp() * found.view(len(v), len(h))).sum(1)


@over_bottoms
@over_sides()
def test_the_bound_is_that_of_brute_force_and_below_the_likelihood(bottom, side, monkeypatch):
    stack = stack_on(bottom, side)
    v = representatives(bottom)
    own = averaged(stack, v, float(brute_log_z(stack.top)), monkeypatch)
    torch.testing.assert_close(own, bound(stack.machines, v), rtol=0, atol=1e-9)
    truth = exact(stack.machines, v)
    gap = truth - own
    assert float(gap.min()) > -1e-9
    assert float(gap.max()) > 1e-4  # and it is a bound, not the value


@over_bottoms
@over_sides()
def test_a_machine_turned_over_leaves_distribution_and_bound_as_they_were(bottom, side, monkeypatch):
    lower = machine(bottom, side, STRENGTH)
    like = machine(side, bottom, 1.0, seed=5)
    upper = turned_over(lower, like)
    stack, v = Stack((lower, upper)), representatives(bottom)
    own = averaged(stack, v, float(brute_log_z(upper)), monkeypatch)
    torch.testing.assert_close(own, exact((lower,), v), rtol=0, atol=1e-9)
    torch.testing.assert_close(exact(stack.machines, v), exact((lower,), v), rtol=0, atol=1e-9)
    assert turned_over(lower, machine(side, Bernoulli(7), 1.0)) is None


def test_the_bound_of_three_layers_is_unbiased():
    """False alarm: 1 in 2 million (5 standard errors)."""
    stack = stack_on(Bernoulli(3), Ising(2), OneHot(1, 3), Bernoulli(2))
    v = representatives(Bernoulli(3))
    log_z, draws = float(brute_log_z(stack.top)), 40_000
    found = log_likelihood_bound(stack, v.repeat(draws, 1), log_z, Noise(1, dtype=torch.float64)).view(draws, -1)
    off = (found.mean(0) - bound(stack.machines, v)) / (found.std(0) / math.sqrt(draws))
    assert float(off.abs().max()) < 5
    assert bool((bound(stack.machines, v) <= exact(stack.machines, v)).all())


@pytest.mark.parametrize("means", [False, True])
def test_samples_are_the_network_s(means):
    """5 standard errors for each of 3 means and 8 states: a false alarm in 100,000."""
    stack = stack_on(Bernoulli(3), Ising(2), OneHot(1, 3))
    v = representatives(Bernoulli(3))
    p, number = exact(stack.machines, v).exp(), 20_000
    x = sample(stack, number, Noise(3, dtype=torch.float64), steps=60, means=means).double()
    wanted = (p[:, None] * v).sum(0)
    assert float(((x.mean(0) - wanted) / (wanted * (1 - wanted) / number).sqrt()).abs().max()) < 5
    if not means:
        share = (x @ torch.tensor([4.0, 2, 1], dtype=torch.float64)).long().bincount(minlength=8) / number
        assert float(((share - p) / (p * (1 - p) / number).sqrt()).abs().max()) < 5


def test_samples_from_data_begin_there():
    """Couplings so strong that every layer is a copy of the one below, and no chain ever moves."""
    copying = machine(Ising(3), Ising(3), 1.0).map(torch.zeros_like)
    copying = replace(copying, W=60 * torch.eye(3, dtype=torch.float64))
    stack, start = Stack((copying, copying, copying)), representatives(Ising(3))
    torch.testing.assert_close(sample(stack, 8, Noise(0, dtype=torch.float64), steps=3, start=start), start)
    with pytest.raises(InputError, match="start has 8 rows for number=3"):
        sample(stack, 3, Noise(0), start=start)


@over_bottoms
@over_sides()
def test_the_network_computes_the_means_of_the_stack(bottom, side):
    stack = stack_on(bottom, side)
    v = representatives(bottom)
    torch.testing.assert_close(encoder(stack)(v), features(stack, v), rtol=0, atol=1e-12)
    torch.testing.assert_close(autoencoder(stack)(v), reconstruction(stack, v), rtol=0, atol=1e-12)
    by_hand = mean_h_from_v(stack.machines[1], mean_h_from_v(stack.machines[0], v))
    torch.testing.assert_close(features(stack, v), by_hand, rtol=0, atol=0)
    down = mean_v_from_h(stack.machines[0], mean_v_from_h(stack.machines[1], by_hand))
    torch.testing.assert_close(reconstruction(stack, v), down, rtol=0, atol=0)


def test_a_classifier_s_parts_are_the_stack_s_and_its_head_says_nothing_yet():
    stack = stack_on(Bernoulli(3), Ising(2))
    v = representatives(Bernoulli(3))
    network = classifier(stack, 4, dropout=(0.2, 0.5)).eval()
    assert not network(v).any()
    torch.testing.assert_close(nn.Sequential(*list(network)[:-1])(v), features(stack, v), rtol=0, atol=1e-12)
    assert [m.p for m in network if isinstance(m, nn.Dropout)] == [0.2, 0.5, 0.5]
    network.train()
    assert not any(p.data_ptr() == stack.machines[0].W.data_ptr() for p in network.parameters())


@pytest.mark.parametrize("side", [s for s in SIDES if s.k == 1], ids=lambda side: side.spec)
def test_the_reconstruction_loss_is_minus_the_log_density_up_to_a_constant_of_the_row(side):
    rows = torch.arange(0)
    task = reconstructing(lambda r: r, side, rows, rows)
    x = representatives(side)
    stack = Stack((machine(side, Bernoulli(2), STRENGTH),))
    network = autoencoder(stack)
    eta = stack.machines[0].eta_v_from_h(features(stack, x))
    if isinstance(side, Gaussian):
        mean = side.mean(eta)[..., 0, :]
        wanted = (0.5 * (x - mean).square()).sum(1)
    else:
        # -ln p(x | eta) + ln base - own energy of x: what the network can change
        wanted = side.log_partition(eta) - (eta[:, 0] * x).sum(1)
    torch.testing.assert_close(task.loss(fields_of(network)(x), x), wanted, rtol=0, atol=1e-12)
    squared = (network(x) - x).square().sum(1)
    torch.testing.assert_close(task.error(fields_of(network)(x), x), squared, rtol=0, atol=1e-12)


def test_stacks_that_do_not_fit_are_refused():
    lower, upper = machine(Bernoulli(3), Ising(2), 1.0), machine(Bernoulli(2), Bernoulli(2), 1.0)
    with pytest.raises(InputError, match=r"machine 2 has .* bernoulli:2, but machine 1 .* ising:2"):
        Stack((lower, upper))
    with pytest.raises(InputError, match="machines is empty"):
        Stack(())
    with pytest.raises(InputError, match="draws must be a whole number from 1 on, not 0"):
        log_likelihood_bound(Stack((lower,)), torch.zeros(1, 3), 0.0, Noise(0), draws=0)
    with pytest.raises(InputError, match="classes=1 leaves nothing"):
        classifier(Stack((lower,)), 1)
    with pytest.raises(InputError, match=r"dropout=1 is no fraction"):
        classifier(Stack((lower,)), 2, dropout=(0.0, 1.0))
