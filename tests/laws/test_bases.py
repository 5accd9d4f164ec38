"""Where annealings begin: exact draws, an exact ln Z, and an end with the machine's own p(v).

Draws are compared by chi-square with a false-alarm rate of 1e-9 each, weights at 6 standard errors (2e-9).
"""

import math

import pytest
import torch

from harmonium.logz import exact_log_z
from harmonium.logz.ais import estimate_from_log_weights, forward, reverse
from harmonium.logz.bases import independent_base, mixture_base, resample
from harmonium.logz.exact import sample_v_exactly
from harmonium.mixture import fit_mixture, mixture_step
from harmonium.moments import Sample, moments
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.hard_machines import agreement, two_far_modes
from laws.sides import (
    DISCRETE,
    SIDES,
    brute_log_likelihood,
    brute_log_z,
    machine,
    nodes,
    over_pairs,
    over_sides,
    points,
    representatives,
)
from laws.test_gibbs import assert_drawn_from
from laws.test_log_z_estimates import COARSE, deviation, exact_states, strong_machine

DRAWS = 20_000
VISIBLE = tuple(side for side in SIDES if side.k == 1)
HIDDEN = (
    Bernoulli(3),
    OneHot(2, 2, none=True),
    Interval(2),
    Gaussian(2),
    Gaussian(2, 0.7),
    Product(Bernoulli(2), OneHot(1, 3)),
    Product(Ising(1), Gaussian(1, 0.8)),
)
#: Every visible family with a field alone and every kind of hidden side, one of the two countable.
MIXED = tuple((v, h) for v in VISIBLE for h in HIDDEN if v in DISCRETE or h in DISCRETE)[::5]


def noise_for(*words) -> Noise:
    return Noise(seed_for("bases", *words), dtype=torch.float64)


def mixed(visible, hidden):
    """A machine with strong couplings, and its base of eight components."""
    rbm = strong_machine(visible, hidden)
    return rbm, mixture_base(rbm, points(visible, 4), noise_for(visible.spec, hidden.spec), rbm.decoupled(0.5 * rbm.a))


# ---- independent units --------------------------------------------------------------------------------------------


@over_sides()
def test_independent_units_are_drawn_exactly_and_their_ln_z_is_known(side):
    rbm = machine(side, Ising(3), 2.0)
    for start in (None, machine(side, Ising(3), 2.0, 1).decoupled()):
        base = independent_base(rbm, start)
        a = (rbm if start is None else start).a
        assert torch.equal(base.start.a, a)
        assert base.log_z == pytest.approx(float(brute_log_z(base.start)), abs=1e-9)
        v = base.draw(DRAWS, noise_for(side.spec, start is None))
        if side in DISCRETE:
            states, _ = nodes(side)
            assert_drawn_from(brute_log_likelihood(base.start, states).exp(), v, states)
        else:
            T, mean = side.statistics(v), side.mean(a)
            assert ((T.mean(0) - mean).abs() < 6 * T.std(0) / DRAWS**0.5 + 1e-12).all()


# ---- a mixture ----------------------------------------------------------------------------------------------------


@over_pairs(MIXED)
def test_the_mixtures_ln_z_is_known_and_its_end_has_the_machines_distribution(visible, hidden):
    """Summed by force over both sides of the machines that the way begins and ends with."""
    rbm, base = mixed(visible, hidden)
    states, count = representatives(visible), base.end.hidden.size - hidden.size
    assert count == 8
    assert base.log_z == pytest.approx(float(brute_log_z(base.start)) - math.log(count), abs=1e-9)
    assert float(brute_log_z(base.end)) == pytest.approx(exact_log_z(rbm) + math.log(count), abs=1e-9)
    torch.testing.assert_close(brute_log_likelihood(base.end, states), brute_log_likelihood(rbm, states))


@over_pairs(MIXED)
def test_the_mixture_is_drawn_exactly(visible, hidden):
    _, base = mixed(visible, hidden)
    v = base.draw(DRAWS, noise_for("draw", visible.spec, hidden.spec))
    if visible in DISCRETE:
        states, _ = nodes(visible)
        assert_drawn_from(brute_log_likelihood(base.start, states).exp(), v, states)
        return
    states, log_weight = nodes(visible)
    p = (brute_log_likelihood(base.start, states) + log_weight - visible.log_base).exp()
    for power in (1, 2):
        assert ((v**power).mean(0) - p @ states**power).abs().max() < 6 * float((v**power).std(0).max()) / DRAWS**0.5


@over_pairs(MIXED)
def test_the_mean_weight_from_a_mixture_is_z_in_each_direction(visible, hidden):
    """Three temperatures and strong couplings."""
    rbm, base = mixed(visible, hidden)
    noise, truth = noise_for("weights", visible.spec, hidden.spec), exact_log_z(rbm)
    back = reverse(base, COARSE, exact_states(rbm, DRAWS, noise), noise)
    for log_w, bound in ((forward(base, COARSE, DRAWS, noise)[1], -1), (back, 1)):
        estimate = estimate_from_log_weights(log_w, base.log_z, "", bound)
        assert estimate.stderr < 0.06  # else this would be no test
        assert abs(deviation(estimate, truth)) < 6


def test_a_mixture_begins_in_both_far_modes_and_few_steps_find_ln_z():
    """From independent units a hundred steps end beside the pattern, a nat or more too low."""
    rbm, noise = two_far_modes(8), noise_for("far")
    truth = exact_log_z(rbm)
    base = mixture_base(rbm, sample_v_exactly(rbm, 400, noise).clone(), noise)
    share = float((agreement(base.draw(DRAWS, noise)) > 0).double().mean())
    assert 0.1 < share < 0.9  # half of its states are what annealing found, which misses the pattern
    estimate = estimate_from_log_weights(forward(base, COARSE, 4000, noise)[1], base.log_z, "", -1)
    assert abs(deviation(estimate, truth)) < 6
    assert estimate.stderr < 0.05


# ---- fitting ------------------------------------------------------------------------------------------------------


@over_sides(VISIBLE)
def test_each_iteration_of_the_fit_raises_what_it_maximises(side):
    """The rows' average ln p(v) and that of the imaginary neutral row of each component, with its share."""
    X, pseudo_count = points(side, 60), 0.5
    prior = side.mean(side.neutral(X))[0]

    def objective(mixture):
        eta = mixture.a[0] + mixture.W.T
        log_pi = (mixture.b[0] + side.log_partition(eta.unsqueeze(1))).log_softmax(0)
        imaginary = log_pi + eta @ prior - side.log_partition(eta.unsqueeze(1))
        log_p = -mixture.free_energy(X) - exact_log_z(mixture)
        return float(log_p.mean() + pseudo_count / len(X) * imaginary.sum())

    mixtures = [fit_mixture(side, X, 5, noise_for("fit", side.spec), steps=1, pseudo_count=pseudo_count)]
    for _ in range(6):
        mixtures.append(mixture_step(mixtures[-1], moments(mixtures[-1], Sample(X)), len(X), pseudo_count))
    values = torch.tensor([objective(mixture) for mixture in mixtures])
    assert (values.diff() > -1e-9).all()
    assert values[-1] > values[0] + 1e-3
    again = fit_mixture(side, X, 5, noise_for("fit", side.spec), steps=7, pseudo_count=pseudo_count)
    assert torch.equal(again.W, mixtures[-1].W)


@over_sides(VISIBLE)
def test_a_fit_of_one_component_has_the_rows_mean_and_constant_columns_stay_finite(side):
    X = points(side, 60)
    one = fit_mixture(side, X, 1, noise_for("one", side.spec), steps=1, pseudo_count=1e-9)
    mean = side.mean((one.a[0] + one.W.T[0]).unsqueeze(0))[0]
    torch.testing.assert_close(mean, X.mean(0), atol=1e-6, rtol=0)
    constant = fit_mixture(side, X[:1].expand(50, -1), 4, noise_for("constant", side.spec), steps=4)
    assert all(tensor.isfinite().all() for tensor in constant.tensors)
    assert math.isfinite(exact_log_z(constant))


def test_a_fit_finds_two_clusters_and_their_shares():
    """Three quarters at one corner, a quarter at the other: the components hold no mixture of the two."""
    X = torch.cat([torch.zeros(300, 6), torch.ones(100, 6)]).double()
    mixture = fit_mixture(Bernoulli(6), X, 4, noise_for("clusters"), pseudo_count=0.01)
    v = sample_v_exactly(mixture, DRAWS, noise_for("drawn"))
    corners = [(v == value).all(1).double().mean() for value in (0, 1)]
    # 6 standard errors of a share of 20,000 draws, and what the imaginary rows take
    assert [float(c) for c in corners] == pytest.approx([0.75, 0.25], abs=0.02 + 0.005)


# ---- resampling ---------------------------------------------------------------------------------------------------


class Comb:
    """Noise that returns one given number."""

    def __init__(self, u):
        self.u = u

    def uniform(self, *shape):
        return torch.full(shape, self.u, dtype=torch.float64)


@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0, 3000.0])
def test_each_chain_is_taken_its_share_rounded_up_or_down_and_its_share_on_average(spread):
    """Over an even grid of the one uniform number counts average to n w / sum(w), to a step of the grid."""
    n, grid = 12, 500
    log_w = spread * torch.randn(n, generator=torch.Generator().manual_seed(3), dtype=torch.float64) - 1e4
    share = n * log_w.softmax(0)
    counts = torch.stack([resample(log_w, Comb((i + 0.5) / grid)).bincount(minlength=n) for i in range(grid)])
    assert (counts.sum(1) == n).all()
    assert (counts >= (share - 1e-9).floor()).all()
    assert (counts <= (share + 1e-9).ceil()).all()
    assert (counts.double().mean(0) - share).abs().max() <= 1 / grid + 1e-9


def test_chains_without_weight_are_never_taken_and_groups_do_not_mix():
    log_w = torch.zeros(2, 6, dtype=torch.float64)
    log_w[0, ::2], log_w[1, 3:] = -math.inf, -math.inf
    for u in (0.0, 0.3, 0.9):
        first, second = resample(log_w, Comb(u))
        assert first.tolist() == [1, 1, 3, 3, 5, 5]
        assert second.tolist() == [0, 0, 1, 1, 2, 2]
    assert resample(torch.zeros(5, dtype=torch.float64), noise_for("even")).tolist() == [0, 1, 2, 3, 4]


def test_resampled_chains_follow_the_machine():
    """Importance weights of exact draws: every hundredth of the chosen is nearly independent of the next."""
    rbm = machine(Bernoulli(3), Multivalued(2, 3), 1.0)
    base, noise, states = independent_base(rbm), noise_for("follow"), nodes(Bernoulli(3))[0]
    v, log_w = forward(base, (0.0, 1.0), 400_000, noise)
    chosen = v[resample(log_w, noise)]
    assert_drawn_from(brute_log_likelihood(rbm, states).exp(), chosen[:: len(chosen) // 4000], states)
