"""Schedules found by pilots: steps of equal deviation, and a smaller error where the path is uneven.

On the way from independent units a ferromagnet changes phase: between two temperatures close to each other all units
come to agree.  An even schedule passes there in a few steps and idles everywhere else.
"""

import numpy as np
import pytest
import torch

from harmonium.logz import AIS, exact_log_z
from harmonium.logz.annealing import anneal
from harmonium.logz.bases import independent_base
from harmonium.logz.schedules import AdaptiveSchedule, even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot
from laws.sides import machine, over_pairs

STEPS = 60


def noise_for(*words) -> Noise:
    return Noise(seed_for("schedules", *words), dtype=torch.float64)


def ferromagnet(visible=60, hidden=10, coupling=0.5, field=0.05) -> RBM:
    """All couplings alike, and a weak field that prefers one of the two phases."""
    a, b = torch.full((1, visible), field), torch.zeros(1, hidden)
    return RBM(Ising(visible), Ising(hidden), torch.full((visible, hidden), coupling).double(), a.double(), b.double())


def deviations(rbm, schedule, chains=400) -> np.ndarray:
    """The standard deviation of each step's gain of ln w: (steps,)."""
    base, gains = independent_base(rbm), []
    noise = noise_for("deviations")
    anneal(base.start, rbm, base.draw(chains, noise), schedule, noise, watch=lambda k, gain: gains.append(gain.std()))
    return np.array(gains)


@pytest.fixture(scope="module")
def adapted():
    rbm = ferromagnet()
    return rbm, AdaptiveSchedule(rbm.decoupled(), rbm, noise_for("pilots"))


@pytest.mark.parametrize("steps", [1, 2, 7, 500])
@over_pairs(((Bernoulli(3), Ising(3)), (Gaussian(2), OneHot(2, 3))))
def test_temperatures_rise_from_base_to_target_whatever_their_number(visible, hidden, steps):
    rbm = machine(visible, hidden, 1.0)
    found = AdaptiveSchedule(rbm.decoupled(), rbm, noise_for(visible.spec))(steps)
    assert len(found) == steps + 1
    assert (found[0], found[-1]) == (0.0, 1.0)
    assert (np.diff(found) > 0).all()


def test_where_nothing_changes_on_the_way_the_steps_are_even():
    rbm = machine(Bernoulli(3), Ising(3), 1.0).decoupled()
    found = AdaptiveSchedule(rbm, rbm, noise_for("even"))(20)
    assert found == pytest.approx(even_schedule(20), abs=1e-12)


def test_no_stretch_of_the_way_is_left_to_one_step(adapted):
    """A tenth of all steps lie evenly, whatever the pilots saw."""
    _, schedule = adapted
    assert np.diff(schedule(STEPS)).max() <= 10 / STEPS + 1e-9


def test_the_steps_deviate_evenly(adapted):
    """Deviations of 400 chains are known to 4 %; the largest step's is what counts."""
    rbm, schedule = adapted
    even, found = deviations(rbm, even_schedule(STEPS)), deviations(rbm, schedule(STEPS))
    assert even.max() / even.mean() > 3
    assert found.max() / found.mean() < 1.6
    assert np.quantile(found, 0.9) / np.quantile(found, 0.1) < 2 < np.quantile(even, 0.9) / np.quantile(even, 0.1)


def test_the_error_is_smaller_with_as_many_steps(adapted):
    """24 runs each: root mean squares are known to 15 %, three times smaller is asked to be two times."""
    rbm, schedule = adapted
    truth, base = exact_log_z(rbm), independent_base(rbm)

    def error(temperatures):
        runs = [AIS(temperatures, 64, base)(rbm, noise_for("error", seed)).value for seed in range(24)]
        return np.sqrt(np.mean((np.array(runs) - truth) ** 2))

    assert error(schedule(STEPS)) < 0.5 * error(even_schedule(STEPS))
