"""Samplers: each draws from the machine, says what can be known about its chains, and refuses what it cannot follow."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from harmonium.diagnostics import LEAST_DRAWS, diagnose
from harmonium.errors import InputError
from harmonium.ladders import acceptance
from harmonium.logz.exact import sample_v_exactly
from harmonium.noise import Noise
from harmonium.samplers import SAMPLERS, automatic
from harmonium.samplers.trajectory import thinned
from harmonium.sampling import draw, sample
from harmonium.start import first_machine
from harmonium.units import parse_side
from laws.hard_machines import agreement, two_far_modes
from laws.sides import brute_log_likelihood


def machine(visible="bernoulli:4", hidden="bernoulli:2", scale=1.5):
    return first_machine(parse_side(visible), parse_side(hidden), Noise(5, dtype=torch.float64), weight_scale=scale)


def probabilities(rbm):
    states = rbm.visible.states(torch.arange(rbm.visible.n_states), like=rbm.W)
    return states, brute_log_likelihood(rbm, states).exp()


@pytest.mark.parametrize("method", SAMPLERS)
@pytest.mark.parametrize(
    "sides", [("bernoulli:4", "bernoulli:2"), ("onehot:2x3", "ising:2"), ("ising:3", "gaussian:2,variance=1")]
)
@pytest.mark.parametrize("weight_factor", [1.0, 1.5])
def test_every_sampler_draws_from_the_machine(method, sides, weight_factor):
    """Samples worth 2,000 or more: six standard deviations of a frequency are below 0.068."""
    rbm, target = machine(*sides), machine(*sides, scale=1.5 * weight_factor)
    snapshots = [machine(*sides, scale=s) for s in (0.5, 1.0)] if method == "trajectory" else None
    number, steps = (5_000, 50) if method in ("gibbs", "exact") else (20_000, 640)
    drawn = draw(rbm, number, steps, method=method, snapshots=snapshots, weight_factor=weight_factor, seed=1)
    states, p = probabilities(target)
    assert drawn.v.shape == (number, rbm.visible.size)
    frequencies = (drawn.v.unsqueeze(1) == states).all(-1).double().mean(0)
    assert (frequencies - p).abs().max() < 0.068
    assert (drawn.series is None) == (method == "exact")
    if method in ("tempering", "trajectory"):
        assert diagnose(drawn.series).rhat < 1.05


def test_tempered_samples_are_spread_over_the_run_and_end_with_it():
    rbm = machine()
    for number, steps in ((70, 9), (5, 8), (33, 10)):
        drawn = draw(rbm, number, steps, method="tempering")
        assert drawn.v.shape == (number, 4)
        ladders = min(number, 32)
        assert drawn.facts["ladders"] == ladders
        assert drawn.series.shape[:2] == (steps, ladders)
        assert 0 < drawn.facts["swaps_accepted_min"] <= drawn.facts["swaps_accepted_mean"] <= 1
    with pytest.raises(InputError, match="steps=2 is too few for method=tempering, whose 32 ladders give 4 samples"):
        draw(rbm, 128, 2, method="tempering")


def test_exact_samples_list_the_side_that_can_be_listed():
    rbm = two_far_modes()
    v = sample(rbm, 4000, method="exact")
    assert float((agreement(v) > 0).double().mean()) == pytest.approx(0.75, abs=6 * 0.43 / 4000**0.5)
    with pytest.raises(InputError, match=r"bernoulli:30 and interval:3 both have more than 1,048,576; use method"):
        sample(machine("bernoulli:30", "interval:3"), 3, method="exact")
    assert sample(machine("interval:3", "bernoulli:2"), 3, method="exact").shape == (3, 3)
    assert sample(machine("bernoulli:2", "interval:3"), 3, method="exact").shape == (3, 2)


def test_gibbs_chains_are_watched_over_their_second_half():
    rbm = machine()
    assert draw(rbm, 3, 2 * LEAST_DRAWS, method="gibbs").series is None
    assert draw(rbm, 3, 101, method="gibbs").series.shape[:2] == (50, 3)


def test_clamped_chains_say_nothing_about_mixing():
    """Chains that hold different rows sample different distributions: that they differ would look like not mixing."""
    start, mask = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]]), torch.tensor([True, True, False, False])
    held = draw(machine(), 3, 40, start=start, clamp=mask)
    assert held.series is None
    assert torch.equal(held.v[:, :2], start[:, :2].to(held.v))


def test_the_automatic_choice():
    small, large = machine(), machine("bernoulli:40", "bernoulli:40")
    nothing = {"started": False, "clamped": False, "steps": None}
    assert automatic(small, **nothing) == "exact"
    assert automatic(machine("bernoulli:784", "onehot:1x500"), **nothing) == "exact"
    assert automatic(large, **nothing) == "gibbs"
    for asked in ({"started": True}, {"clamped": True}, {"steps": 1}):
        assert automatic(small, **{**nothing, **asked}) == "gibbs"


@pytest.mark.parametrize("method", ["tempering", "trajectory", "exact"])
def test_what_only_gibbs_chains_can_do(method):
    rbm, start = machine(), torch.ones(3, 4)
    with pytest.raises(InputError, match=f"method={method} does not start from data; leave start out or use"):
        draw(rbm, 3, 20, method=method, start=start, snapshots=[rbm])
    with pytest.raises(InputError, match=rf"method={method} cannot hold entries fixed \(clamp\); use method=gibbs"):
        draw(rbm, 3, 20, method=method, start=start, clamp=torch.ones(4).bool(), snapshots=[rbm])


def test_methods_that_are_none():
    with pytest.raises(InputError, match="method must be one of gibbs, tempering, trajectory, exact, not 'magic'"):
        draw(machine(), method="magic")
    with pytest.raises(InputError, match="method=trajectory needs snapshots of training, and there are none"):
        draw(machine(), method="trajectory")


def test_a_seed_has_its_samples():
    for method in SAMPLERS:
        options = {"method": method, "snapshots": [machine(scale=0.5)]}
        first, again, other = (sample(machine(), 40, 10, seed=s, **options).numpy() for s in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


def test_a_path_that_wanders_is_cut_short_and_still_ends_at_the_machine():
    rbm = two_far_modes(2.0)
    start = rbm.decoupled()
    generator = torch.Generator().manual_seed(0)

    def beside(machine):
        return machine.map(lambda x: x + 0.03 * torch.randn(x.shape, generator=generator, dtype=x.dtype))

    path = [beside(start.lerp(rbm, t / 40)) for t in range(40)] + [rbm]
    kept = thinned(path, Noise(0, dtype=rbm.W.dtype))
    assert kept[-1] is rbm
    assert 2 <= len(kept) < len(path) // 2
    order = [next(i for i, machine in enumerate(path) if machine is one) for one in kept]
    assert order == sorted(order)
    noise = Noise(1, dtype=rbm.W.dtype)
    rates = [acceptance(p, q, sample_v_exactly(p, 2000, noise)) for p, q in pairwise(kept)]
    assert min(rates) > 0.15  # 0.3 was asked for, found by 200 chains


def test_a_path_through_one_machine_again_and_again_is_that_machine():
    rbm = two_far_modes(0.5)
    assert len(thinned([rbm.decoupled()] * 10 + [rbm.decoupled()], Noise(0, dtype=rbm.W.dtype))) == 1
