"""The mathematics of the study of multivalued hidden units: scale against shape, the toy machine; and its figure."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import torch

from harmonium.errors import InputError
from harmonium.experiments.multivalued import step_size, toy
from harmonium.experiments.multivalued.scales import VISIBLE
from harmonium.experiments.multivalued.simulation import (
    Curves,
    draw,
    first_machines,
    log_probabilities,
)
from harmonium.experiments.multivalued.step import ScaledUpdate
from harmonium.negative import CD
from harmonium.noise import Noise
from harmonium.plots.bands import Band, bands
from harmonium.training.loop import TrainState, fit
from harmonium.units import multivalued_units

INF = math.inf


@pytest.fixture(scope="module")
def worlds():
    rbm, rows = draw(3)
    return rbm, rows, log_probabilities(rbm)


@pytest.mark.parametrize("s", [2.0, 4.0, INF])
def test_a_scaled_binary_machine_is_the_other_one_in_weak_fields(s):
    c = step_size.hidden_scale(s)
    assert c**2 == pytest.approx((s + 2) / (3 * s) if math.isfinite(s) else 1 / 3)
    x = torch.linspace(-0.01, 0.01, 41, dtype=torch.float64)
    slope = multivalued_units(41, s).mean(x.unsqueeze(0))[0] / x.where(x != 0, torch.ones_like(x))
    assert float((slope - c**2)[x != 0].abs().max()) < 1e-4
    errors = []
    for scale in (0.1, 0.05):
        one = first_machines(12, s, 1, 0, scale)[0].to(dtype=torch.float64)
        binary = replace(one, hidden=multivalued_units(12, 1.0), W=c * one.W)
        unmatched = replace(binary, W=one.W)
        errors.append(float((log_probabilities(one) - log_probabilities(binary)).abs().max()))
        assert errors[-1] < 0.05 * float((log_probabilities(one) - log_probabilities(unmatched)).abs().max())
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.1)  # of fourth order


def test_matched_steps_keep_the_machines_alike(worlds):
    _, rows, _ = worlds
    c = step_size.hidden_scale(INF)

    def path(s, weight, rate):
        rbm, noise = first_machines(12, s, 3, 0, 0.2 * weight)
        state = TrainState(ScaledUpdate(rbm, 0.001, rate), noise)
        data = rows.float()
        fit(state, lambda step, noise: data, 20, CD(3))
        return log_probabilities(state.rbm.to(dtype=torch.float64))

    wanted = path(INF, 1.0, 1.0)
    matched, unmatched = path(1.0, c, c), path(1.0, 1.0, 1.0)
    assert float((matched - wanted).abs().mean()) < 0.15 * float((unmatched - wanted).abs().mean())


def test_scaled_steps_are_adams_with_another_rate():
    noise = Noise(0, dtype=torch.float64)
    data = torch.where(noise.uniform(1, 40, VISIBLE) < 0.3, 1.0, -1.0)

    def after(rate, factor):
        rbm, streams = first_machines(4, 2.0, 1, 0)
        state = TrainState(ScaledUpdate(rbm, rate, factor), streams)
        fit(state, lambda step, noise: data.float(), 1, CD(1))
        return rbm, state.rbm

    first, whole = after(0.02, 1.0)
    _, part = after(0.02, 0.25)
    torch.testing.assert_close(part.W - first.W, 0.25 * (whole.W - first.W), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(part.b - first.b, 0.25 * (whole.b - first.b), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(part.a, whole.a)


def test_divergences_at_equal_likelihood_do_not_know_the_clock():
    time = np.linspace(0, 1, 201)

    def curves(t):
        return Curves(time, np.stack([(t - 0.4) ** 2, t**2]), np.stack([t, 2 * t]), np.full((2, 201), math.nan))

    slow, fast = curves(time), curves(np.sqrt(time))
    levels, x, y = step_size.at_equal_likelihood(slow, fast, np.array([0.25, 0.5, 1.0]))
    assert levels == pytest.approx(np.array([[0.25, 0.5, 1.0], [0.5, 1.0, 2.0]]))
    assert x == pytest.approx(y, abs=1e-3)
    assert x[0] == pytest.approx((levels[0] - 0.4) ** 2, abs=1e-3)


@pytest.mark.parametrize("d", toy.CORRELATIONS)
@pytest.mark.parametrize("s", toy.VALUES)
def test_best_weights_are_those_of_thirty_digits(d, s):
    with mpmath.workdps(30):

        def correlation(w):  # by the average over the values of h, of v1 v2 exp((v1 + v2) w h)
            if math.isinf(s):
                same = mpmath.sinh(2 * w) / (2 * w)
            else:
                same = sum(mpmath.exp(2 * w * mpmath.mpf(2 * k - int(s)) / int(s)) for k in range(int(s) + 1)) / (s + 1)
            return (same - 1) / (same + 1)

        root = mpmath.findroot(lambda w: correlation(w) - d, toy.best_weight(d, s))
        assert toy.best_weight(d, s) == pytest.approx(float(root), abs=1e-10)
        assert float(toy.correlation(0.7, s)) == pytest.approx(float(correlation(mpmath.mpf("0.7"))), abs=1e-13)
        likelihood = lambda w: (  # noqa: E731
            (1 + d) / mpmath.mpf(2) * mpmath.log((1 + correlation(w)) / 4)
            + (1 - d) / mpmath.mpf(2) * mpmath.log((1 - correlation(w)) / 4)
        )
        assert toy.curvature(d, s) == pytest.approx(-float(mpmath.diff(likelihood, root, 2)), rel=1e-6)


def test_the_papers_three_properties_hold_and_could_fail():
    found = toy.claims()
    assert found["asymmetry"] < 1e-14
    assert found["least_rise_with_w"] > 1e-6
    assert found["least_fall_with_s"] > 1e-8


def test_bands_refuse_what_does_not_fit():
    with pytest.raises(InputError, match="panels is empty"):
        bands({}, xlabel="x", ylabel="y")
    with pytest.raises(InputError, match="curve 'c' has 2 values of x for 3 of y"):
        bands({"p": [Band("c", [1, 2], [1, 2, 3])]}, xlabel="x", ylabel="y")
    figure = bands({"p": [Band("c", [0, 1, 10], [1, 2, 3], [0.1, 0.2, 0.3])]}, xlabel="x", ylabel="y", log_x=True)
    (line,) = figure.axes[0].get_lines()
    assert line.get_ydata().tolist() == [1, 2, 3]
    assert figure.axes[0].get_xscale() == "symlog"
