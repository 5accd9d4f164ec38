"""Annealing forwards and back: Bennett's ratio, Crooks' identity, the sandwich around ln Z, and RAISE.

Ladders are COARSE and couplings strong, so that no wrong kernel, weight or order of the two can hide.  The annealings
are those of block Gibbs sweeps from independent units.  A comparison at 6 standard errors fails by chance in 2e-9 of
all seeds.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from harmonium.gibbs import sweep
from harmonium.logz import Bidirectional, exact_log_z
from harmonium.logz.ais import estimate_from_log_weights, forward, reverse
from harmonium.logz.bases import independent_base
from harmonium.logz.bennett import bennett
from harmonium.logz.bidirectional import GROUPS, BothWays
from harmonium.logz.exact import sample_v_exactly
from harmonium.logz.raise_ import raise_log_likelihood
from harmonium.logz.schedules import even_schedule
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import ENUMERABLE_PAIRS, brute_log_likelihood, energies, generator, machine, nodes, over_pairs
from laws.test_log_z_estimates import COARSE, deviation, exact_states, strong_machine

SOME_PAIRS = (
    (Bernoulli(3), Ising(3)),
    (Ising(3), OneHot(2, 3)),
    (OneHot(2, 2, none=True), Multivalued(2, 3)),
    (Multivalued(2, 8), Interval(2)),
    (Interval(2), Bernoulli(3)),
    (Gaussian(2), Ising(3)),
    (Product(Bernoulli(2), OneHot(1, 3)), Gaussian(2)),
)


def noise_for(*words) -> Noise:
    return Noise(seed_for("both ways", *words), dtype=torch.float64)


def way_of(visible, hidden, seed=0):
    """A machine, and its base: units in other fields than the machine's own."""
    rbm = strong_machine(visible, hidden, seed)
    start = rbm.decoupled(rbm.a + 0.3 * strong_machine(visible, hidden, seed + 1).a)
    start.a[1:] = rbm.a[1:]
    return rbm, independent_base(rbm, start)


def both_ways(rbm, base, number, noise, schedule=COARSE):
    """ln w of annealings forwards, and of annealings back from exact samples: (number,) each."""
    return forward(base, schedule, number, noise)[1], reverse(base, schedule, exact_states(rbm, number, noise), noise)


# ---- Bennett's acceptance ratio -----------------------------------------------------------------------------------


def two_gaussians(n_0, n_1, repetitions, words, s=0.5, m=1.2):
    """f_0 = exp(-x²/2), f_1 = exp(-(x - m)²/(2 s²)): ln Z_1/Z_0 = ln s, with exact samples of both."""
    x = torch.randn(repetitions, n_0, generator=generator(*words), dtype=torch.float64)
    y = m + s * torch.randn(repetitions, n_1, generator=generator(*words, 1), dtype=torch.float64)

    def ratio(x):
        return (x**2 - ((x - m) / s) ** 2) / 2

    return ratio(x), -ratio(y), math.log(s)


@pytest.mark.parametrize(("n_0", "n_1"), [(50, 50), (7, 300), (300, 7)])
def test_the_ratio_solves_its_equation(n_0, n_1):
    forwards, back, _ = (x[0] if isinstance(x, torch.Tensor) else x for x in two_gaussians(n_0, n_1, 1, ("root", n_0)))
    w, u, M = forwards.numpy(), back.numpy(), math.log(n_0 / n_1)

    def excess(C):
        return (1 / (1 + np.exp(C + M - w))).sum() - (1 / (1 + np.exp(-C - M - u))).sum()

    C, _ = bennett(forwards, back)
    assert abs(excess(C)) < 1e-9
    assert C == pytest.approx(brentq(excess, -50, 50, xtol=1e-13), abs=1e-10)


@pytest.mark.parametrize(("n_0", "n_1"), [(100, 100), (40, 400), (400, 40)])
def test_the_ratio_is_right_within_its_own_error(n_0, n_1):
    """200 repetitions: Binomial(200, 0.95) lies within 174..199 but for 4e-5."""
    forwards, back, truth = two_gaussians(n_0, n_1, 200, ("cover", n_0, n_1))
    found = np.array([bennett(w, u) for w, u in zip(forwards, back, strict=True)])
    error, stderr = found[:, 0] - truth, found[:, 1]
    assert 174 <= (abs(error) < 1.96 * stderr).sum() <= 199
    assert abs(error.mean()) < 6 * error.std() / 200**0.5 + 0.2 * error.var()  # a bias of the variance's order
    assert error.std() == pytest.approx(stderr.mean(), rel=0.25)


def test_the_ratio_is_turned_over_where_the_sides_change_places():
    forwards, back, _ = two_gaussians(30, 80, 5, ("turn",))
    for w, u in zip(forwards, back, strict=True):
        C, stderr = bennett(w, u)
        assert bennett(u, w) == pytest.approx((-C, stderr), abs=1e-10)
        assert bennett(w + 1234.5, u - 1234.5) == pytest.approx((C + 1234.5, stderr), abs=1e-8)
        assert bennett(w.repeat(3), u.repeat(3))[0] == pytest.approx(C, abs=1e-10)


def test_the_ratio_survives_ten_thousand_nats():
    far = torch.tensor([-1e4, 0.0, 1e4], dtype=torch.float64)
    for w, u in ((far, far), (far + 1e4, far - 1e4), (far.neg().abs().neg(), far.neg().abs().neg())):
        C, stderr = bennett(w, u)
        assert math.isfinite(C)
        assert min(float(w.min()), float(-u.max())) - 2 <= C <= max(float(w.max()), float(-u.min())) + 2
        assert not math.isnan(stderr)
    same = torch.full((9,), 1e4, dtype=torch.float64)
    assert bennett(same, -same[:4]) == pytest.approx((1e4, 0.0), abs=1e-6)
    assert math.isinf(bennett(same[:1], -same)[1])


# ---- each direction, and both together ----------------------------------------------------------------------------


@over_pairs(ENUMERABLE_PAIRS)
def test_the_mean_weight_is_the_ratio_of_the_partition_functions_in_each_direction(visible, hidden):
    rbm, base = way_of(visible, hidden)
    truth = exact_log_z(rbm)
    weights = both_ways(rbm, base, 6000, noise_for(visible.spec, hidden.spec))
    for log_w, bound in zip(weights, (-1, 1), strict=True):
        estimate = estimate_from_log_weights(log_w, base.log_z, "", bound)
        assert estimate.stderr < 0.08  # else this would be no test
        assert abs(deviation(estimate, truth)) < 6


@pytest.mark.parametrize("shift", [-2.0, 0.0, 2.0])
@over_pairs(SOME_PAIRS)
def test_annealing_back_is_the_exact_reverse(visible, hidden, shift):
    """Crooks' identity:  E_forward[s(ln w - C - d)] = e^-d E_back[s(ln w + C + d)],  C = ln Z / Z_base, any d."""
    rbm, base = way_of(visible, hidden, 2)
    C = exact_log_z(rbm) - base.log_z + shift
    forwards, back = both_ways(rbm, base, 40_000, noise_for("crooks", visible.spec, hidden.spec))
    one, two = (forwards - C).sigmoid(), (back + C).sigmoid() * math.exp(-shift)
    stderr = math.hypot(float(one.std()), float(two.std())) / 200
    assert abs(float(one.mean() - two.mean())) < 6 * stderr
    assert stderr < 0.1 * float(one.mean())


def test_the_truth_lies_between_the_two_on_average_half_a_variance_from_each():
    """Four chains: Jensen's gaps of var/2n are far more than 6 standard errors of 5,000 repetitions."""
    rbm, base = way_of(Bernoulli(3), Ising(3), 4)
    truth = exact_log_z(rbm)
    for log_w, bound in zip(both_ways(rbm, base, 20_000, noise_for("between")), (-1, 1), strict=True):
        few = [estimate_from_log_weights(w, base.log_z, "", bound) for w in log_w.view(-1, 4)]
        error = bound * (np.array([e.value for e in few]) - truth)
        assert all(e.bound == bound for e in few)
        assert error.mean() > 6 * error.std() / 5000**0.5
        spread = float((log_w - log_w.logsumexp(0) + math.log(len(log_w))).exp().std())
        assert error.mean() == pytest.approx(spread**2 / 8, rel=0.5)  # var / 2n to first order


def test_between_both_directions_ln_z_is_found_where_each_of_them_is_off():
    """Three temperatures and couplings of 3, ten chains: each side is off by its bias, Bennett's ratio hardly."""
    rbm = machine(Bernoulli(3), Ising(3), 3.0, 7)
    base, truth = independent_base(rbm), exact_log_z(rbm)
    groups = [x.view(-1, 10) for x in both_ways(rbm, base, 10_000, noise_for("off"))]
    ratio, stderr = np.array([bennett(w, u) for w, u in zip(*groups, strict=True)]).T
    below, above = ((bound * (x.logsumexp(1) - math.log(10))).numpy() for x, bound in zip(groups, (1, -1), strict=True))
    below, above, between = (x + base.log_z - truth for x in (below, above, ratio))
    assert below.mean() < -6 * below.std() / 1000**0.5
    assert above.mean() > 6 * above.std() / 1000**0.5
    assert abs(between.mean()) < 6 * between.std() / 1000**0.5 + 0.1 * min(-below.mean(), above.mean())
    assert between.std() < 0.7 * min(np.sqrt((below**2).mean()), np.sqrt((above**2).mean()))
    assert stderr.mean() == pytest.approx(between.std(), rel=0.2)


def test_the_interval_of_both_directions_holds_the_truth_as_often_as_it_says():
    """100 runs whose reverse starts are the forward ends: Binomial(100, 0.95) is 84 or more but for 1e-5."""
    rbm, base = way_of(Ising(3), OneHot(2, 3), 5)
    truth, noise = exact_log_z(rbm), noise_for("interval")
    runs = [Bidirectional(even_schedule(6), 96, base)(rbm, noise) for _ in range(100)]
    assert sum(low < truth < high for low, high in (z.interval for z in runs)) >= 84
    error = np.array([z.value for z in runs]) - truth
    assert abs(error.mean()) < 6 * error.std() / 10 + 0.5 * error.var()
    assert error.std() == pytest.approx(np.mean([z.stderr for z in runs]), rel=0.3)
    assert {z.bound for z in runs} == {0}
    assert {tuple(side.bound for side in z.sides) for z in runs} == {(-1, 1)}
    assert {z.freedom for z in runs} == {GROUPS - 1}


def test_more_annealings_are_added_to_those_there_are():
    rbm, base = way_of(Bernoulli(3), Multivalued(2, 3))
    works, noise = BothWays(base, COARSE), noise_for("more")
    works.extend(rbm, 64, noise)
    first = works.forward.clone(), works.reverse.clone()
    works.extend(rbm, 32, noise)
    assert torch.equal(works.forward[:64], first[0])
    assert torch.equal(works.reverse[:64], first[1])
    assert len(works.forward) == len(works.reverse) == 96
    assert (works.forward_group.bincount(minlength=GROUPS) == 96 / GROUPS).all()
    assert works.estimate().value == pytest.approx(base.log_z + bennett(works.forward, works.reverse)[0])


def test_where_all_reverse_annealings_descend_from_one_group_nothing_is_known():
    log_w, group = torch.zeros(32, dtype=torch.float64), torch.arange(32) % GROUPS
    _, base = way_of(Bernoulli(3), Ising(3))
    assert BothWays(base, COARSE, log_w, log_w, group, group).estimate().stderr == pytest.approx(0, abs=1e-9)
    assert math.isinf(BothWays(base, COARSE, log_w, log_w, group, 0 * group).estimate().half_width)


# ---- RAISE --------------------------------------------------------------------------------------------------------


def annealed(base, schedule):
    """p_ann of all visible states, by products of the transition matrices of the sweeps at t_1, ..., t_K: (B,)."""

    def joint(rbm):
        (v, log_v), (h, log_h) = nodes(rbm.visible), nodes(rbm.hidden)
        return log_v[:, None] + log_h - energies(rbm, v, h)

    p = joint(base.start).logsumexp(1).softmax(0)
    for _, t in pairwise(schedule):
        log_joint = joint(base.start.lerp(base.end, t))
        p = p @ log_joint.softmax(1) @ log_joint.softmax(0).T
    return p


RAISED = tuple((v, h) for v, h in SOME_PAIRS if v.n_states is not None)


@over_pairs(RAISED)
def test_the_conservative_likelihood_is_that_of_what_annealing_samples(visible, hidden):
    """E[exp(bound)] = p_ann(v) for each state v (6 standard errors), and p_ann is a distribution."""
    rbm, base = way_of(visible, hidden)
    states, _ = nodes(visible)
    p = annealed(base, COARSE)
    assert float(p.sum()) == pytest.approx(1)
    noise = noise_for("raise", visible.spec, hidden.spec)
    rows = raise_log_likelihood(rbm, states.repeat(4000, 1), COARSE, noise, chains=1, base=base)
    found = rows.view(4000, -1).exp()
    assert ((found.mean(0) - p).abs() < 6 * found.std(0) / 4000**0.5).all()
    assert abs(float(found.sum(1).mean()) - 1) < 6 * float(found.sum(1).std()) / 4000**0.5


@over_pairs(RAISED)
def test_the_conservative_likelihood_rises_to_the_true_one(visible, hidden):
    """Below the machine's own on average over its rows, by Gibbs' and Jensen's inequalities; nearly it in the end."""
    rbm, base = way_of(visible, hidden)
    states, _ = nodes(visible)
    log_p = brute_log_likelihood(rbm, states)
    noise, gaps = noise_for("rise", visible.spec, hidden.spec), []
    for schedule, chains, repeats in (((0.0, 1.0), 1, 2000), (even_schedule(10), 4, 100), (even_schedule(300), 50, 1)):
        rows = states.repeat(repeats, 1)
        bound = raise_log_likelihood(rbm, rows, schedule, noise, chains=chains, base=base).view(repeats, -1)
        gaps.append(float((log_p.exp() * (log_p - bound)).sum(1).mean()))
    assert gaps[0] > gaps[1] > max(0, gaps[2])
    assert abs(gaps[2]) < 0.03


def test_the_chains_of_a_row_belong_to_that_row():
    """With many chains the bound of each row is ln p_ann of that row, whatever rows stand beside it."""
    rbm, base = way_of(Bernoulli(3), Ising(3))
    states, _ = nodes(Bernoulli(3))
    bound = raise_log_likelihood(rbm, states, COARSE, noise_for("rows"), chains=20_000, base=base)
    torch.testing.assert_close(bound, annealed(base, COARSE).log(), atol=0.05, rtol=0)


def test_sweeps_of_the_machine_leave_exact_starts_as_they_are():
    """What the sandwich rests on: starts that are samples of the machine stay so, and the reverse mean with them."""
    rbm, base = way_of(Ising(3), Bernoulli(3), 3)
    noise = noise_for("settle")
    v = sweep(rbm, sample_v_exactly(rbm, 20_000, noise).clone(), noise, 5)
    estimate = estimate_from_log_weights(reverse(base, COARSE, v, noise), base.log_z, "", 1)
    assert abs(deviation(estimate, exact_log_z(rbm))) < 6
