"""ln Z followed from machine to machine, on a coarse path with strong couplings, where no wrong kernel or weight hides.

Z-hat is unbiased whatever the steps and however often the chains are drawn anew, so that the mean over thousands of
tiny groups is Z to within its error: 6 standard errors are 2e-9 a comparison.
"""

import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import ks_2samp

from harmonium.errors import InputError
from harmonium.gibbs import start_visible
from harmonium.logz import exact_log_z
from harmonium.logz import trajectory as module
from harmonium.logz.annealing import anneal
from harmonium.logz.trajectory import Follower, Population
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import machine, over_pairs

#: Every family on either side, and two natural parameters an entry on either side.
SOME_PAIRS = (
    (Bernoulli(3), Ising(3)),
    (Ising(3), OneHot(2, 3)),
    (OneHot(2, 2, none=True), Multivalued(2, 3)),
    (Multivalued(2, 8), Interval(2)),
    (Gaussian(2), Bernoulli(3)),
    (Product(Bernoulli(2), OneHot(1, 3)), Gaussian(2)),
)
LEAPS = Follower(groups=4000, chains=4, evenness=0.0)


def noise_for(*words) -> Noise:
    return Noise(seed_for(*words), dtype=torch.float64)


def path_of(visible, hidden, length=3):
    """Machines that have little to do with each other; unbounded sides stay together, or no weight has a variance."""
    strength = 0.5 if any(isinstance(side, Gaussian) for side in (visible, hidden)) else 1.2
    first = machine(visible, hidden, strength, 0)
    others = (machine(visible, hidden, strength, seed) for seed in range(1, length))
    return [first, *(first.lerp(other, 0.7) for other in others)]


def deviations(follower, path, *words):
    """(Z-hat / Z - 1) in standard errors at each machine of the path, and the largest of these errors."""
    noise, found, errors = noise_for("follow", *words), [], []
    at = follower.init(path[0], path[0].decoupled(), noise)
    for rbm in path:
        at = follower.advance(at, rbm, noise)
        estimate, truth = at.estimate(), exact_log_z(rbm)
        found.append(math.expm1(estimate.value - truth) / (math.exp(estimate.value - truth) * estimate.stderr))
        errors.append(estimate.stderr)
    return found, max(errors)


@over_pairs(SOME_PAIRS)
def test_the_mean_weight_is_z_in_leaps(visible, hidden):
    found, error = deviations(LEAPS, path_of(visible, hidden), visible.spec, hidden.spec)
    assert error < 0.1  # else this would be no test
    assert all(abs(x) < 6 for x in found)


@over_pairs(SOME_PAIRS)
def test_the_mean_weight_is_z_in_steps_of_the_pilots_choice(visible, hidden):
    even = replace(LEAPS, groups=2000, evenness=0.8)
    found, error = deviations(even, path_of(visible, hidden), visible.spec, hidden.spec)
    assert error < 0.1
    assert all(abs(x) < 6 for x in found)


def wrong(kind, monkeypatch):
    """Plant an error: weights kept or forgotten where chains are drawn anew, or chains of another machine."""
    real, sweep = module._draw_anew_, module.sample_v_from_h

    def draw(log_w, log_z, eta, noise):
        weights, totals = log_w.clone(), log_z.clone()
        real(log_w, log_z, eta, noise)
        if kind == "mean weight forgotten":
            log_z.copy_(totals)
        elif kind == "weights kept":
            log_w.copy_(weights)

    monkeypatch.setattr(module, "_draw_anew_", draw)
    if kind == "colder chains":
        monkeypatch.setattr(
            module, "sample_v_from_h", lambda rbm, h, noise: sweep(rbm.map(lambda x: 1.3 * x), h, noise)
        )


@pytest.mark.parametrize("kind", ["none", "mean weight forgotten", "weights kept", "colder chains"])
def test_drawing_anew_keeps_the_mean_and_errors_would_show(kind, monkeypatch):
    wrong(kind, monkeypatch)
    path = path_of(Bernoulli(3), Ising(3), 6)
    found, error = deviations(LEAPS, path, "anew")
    worst = max(map(abs, found))
    assert (error < 0.1 and worst < 6) if kind == "none" else worst > 6
    at = LEAPS.advance(LEAPS.init(path[0], path[0].decoupled(), noise_for(1)), path[1], noise_for(2))
    assert len(at.log_z.unique()) > 1 or kind == "mean weight forgotten"  # some group has been drawn anew


def test_leaps_of_single_chains_are_annealed_importance_sampling():
    """Two samples of one law: Kolmogorov and Smirnov's p below 1e-4 in one of 10,000 seeds."""
    rbm = machine(Ising(3), OneHot(2, 3), 1.5)
    base, single = rbm.decoupled(), Follower(groups=20_000, chains=1, evenness=0.0)
    noise = noise_for("single")
    one = single.init(rbm, base, noise)
    two = single.advance(single.init(base.lerp(rbm, 0.5), base, noise), rbm, noise)
    for at, schedule in ((one, (0.0, 1.0)), (two, (0.0, 0.5, 1.0))):
        other = noise_for("anneal", len(schedule))
        _, log_w = anneal(base, rbm, start_visible(base, 20_000, other), schedule, other)
        log_w += base.log_z_decoupled()
        assert ks_2samp((at.log_z + at.log_w[:, 0])[1:].numpy(), log_w.numpy()).pvalue > 1e-4


def test_intervals_of_few_groups_cover_the_truth_about_as_often_as_they_say():
    """400 populations of 16 groups: Binomial(400, 0.95) lies within 357..396 but for 5e-6 of all seeds."""
    path = path_of(Ising(3), OneHot(2, 3))
    many = Follower(groups=400 * 16, chains=16)
    noise = noise_for("cover")
    at = many.init(path[0], path[0].decoupled(), noise)
    for rbm in path[1:]:
        at = many.advance(at, rbm, noise)
    truth, covered = exact_log_z(path[-1]), 0
    for part in torch.arange(1, 400 * 16 + 1).view(400, 16):
        chosen = torch.cat([torch.zeros(1, dtype=torch.long), part])
        estimate = Population(at.machine, at.v[chosen], at.log_w[chosen], at.log_z[chosen]).estimate()
        assert estimate.bound == -1
        covered += abs(estimate.value - truth) < 1.96 * estimate.stderr
    assert 357 <= covered <= 396


def test_a_longer_way_takes_more_steps_and_no_step_is_wasted(monkeypatch):
    steps, real = [0], module._draw_anew_

    def counted(*arguments):
        steps[0] += 1
        real(*arguments)

    monkeypatch.setattr(module, "_draw_anew_", counted)

    def needed(rbm, **changes):
        steps[0] = 0
        replace(Follower(), **changes).init(rbm, rbm.decoupled(), noise_for("steps"))
        return steps[0]

    rbm = machine(Bernoulli(30), Bernoulli(20), 1.0)
    base = rbm.decoupled()
    assert needed(base) == 1
    assert 1 == needed(base.lerp(rbm, 0.02)) < needed(base.lerp(rbm, 0.3)) < needed(rbm) < needed(rbm, evenness=0.98)
    assert needed(rbm, most_steps=3) <= 3


def test_the_population_is_left_alone_and_its_machine_is_a_copy():
    rbm = machine(Bernoulli(3), Ising(3), 1.0)
    at = Follower().init(rbm, rbm.decoupled(), noise_for(0))
    before = [t.clone() for t in (at.v, at.log_w, at.log_z)]
    moved = Follower().advance(at, rbm.lerp(rbm.decoupled(), 0.9), noise_for(1))
    assert all(torch.equal(x, y) for x, y in zip(before, (at.v, at.log_w, at.log_z), strict=True))
    value = moved.estimate().value
    rbm.W.mul_(5)
    assert moved.estimate().value == value
    assert at.machine.W.data_ptr() != rbm.W.data_ptr()


def test_a_machine_that_cannot_be_normalised_is_refused():
    rbm = machine(Gaussian(2), Gaussian(2), 1.0)
    at = Follower().init(rbm, rbm.decoupled(), noise_for("refused"))
    rbm.W.mul_(10)
    with pytest.raises(InputError, match="not normalisable"):
        Follower().advance(at, rbm, noise_for("refused"))
