"""Decay is the derivative of its penalty; centring is the plain gradient of the re-centred parametrisation."""

from dataclasses import replace

import pytest
import torch

from harmonium.moments import Sample, likelihood_gradient, moments
from harmonium.negative import Exact
from harmonium.noise import Noise
from harmonium.training.transforms import Centre, Decay, make_transforms
from harmonium.units import Bernoulli, Gaussian, Ising, Multivalued, OneHot
from laws.sides import ENUMERABLE_PAIRS, brute_log_likelihood, generator, machine, over_pairs, points, uniform
from laws.test_gradients import assert_same, derivative


def gradient_and_data(rbm, v):
    data = moments(rbm, Sample(v))
    model, _, _ = Exact().step(rbm, Sample(v), {}, Noise(0, dtype=torch.float64))
    return likelihood_gradient(data, model), data


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.7), (0.3, 0.7)])
@over_pairs(((Bernoulli(3), Ising(3)), (Gaussian(2), OneHot(1, 3)), (Multivalued(2, 3), Gaussian(2))))
def test_decay_takes_off_the_derivative_of_its_penalty(visible, hidden, l1, l2):
    rbm = machine(visible, hidden, 2.0)
    gradient, data = gradient_and_data(rbm, points(visible))
    (decay,) = make_transforms(l1=l1, l2=l2)
    step = lambda m: l1 * m.W.abs().sum() + l2 / 2 * (m.W**2).sum() + 0 * (m.a.sum() + m.b.sum())  # noqa: E731
    assert decay.penalty(rbm) == pytest.approx(float(step(rbm)), rel=1e-14)
    wanted = gradient.map(torch.sub, derivative(step, rbm))
    got, _ = decay.step(rbm, gradient.detached(), data.b[0], decay.init(rbm, data.b[0]))
    assert_same(got, wanted, 1e-14)


@over_pairs(ENUMERABLE_PAIRS)
def test_centring_is_the_plain_gradient_of_the_recentred_machine(visible, hidden):
    """E = -(v - mu) W (h - lambda) - a'·v - b'·h - …: the step in (W, a', b') mapped back to (W, a, b)."""
    rbm, v = machine(visible, hidden, 2.0), points(visible, 6)
    gradient, data = gradient_and_data(rbm, v)
    mu = uniform((visible.size,), generator("mu"), -1, 1)
    centre = Centre(mu, rate=0.3)
    before = centre.init(rbm, data.b[0] + 0.5)
    got, after = centre.step(rbm, gradient.detached(), data.b[0], before)
    torch.testing.assert_close(after["lambda"], before["lambda"] * 0.7 + data.b[0] * 0.3, rtol=1e-13, atol=1e-13)
    offset = after["lambda"]

    def plain(primed):
        """Expanding the product: a = a' - W lambda, b = b' - W' mu (row 0), and a constant that cancels with Z."""
        a, b = primed.a.clone(), primed.b.clone()
        a[0] = a[0] - primed.W @ offset
        b[0] = b[0] - mu @ primed.W
        return replace(primed, a=a, b=b)

    a, b = rbm.a.clone(), rbm.b.clone()
    a[0] += rbm.W @ offset
    b[0] += mu @ rbm.W
    primed = replace(rbm, a=a, b=b)
    assert_same(plain(primed), rbm, 1e-13)
    ascent = derivative(lambda m: brute_log_likelihood(plain(m), v).mean(), primed)
    step = 0.1  # plain() is linear: any step maps back exactly
    moved = plain(primed.map(lambda x, d: x + step * d, ascent))
    assert_same(got, moved.map(lambda x, y: (x - y) / step, rbm), 1e-9)


@over_pairs(ENUMERABLE_PAIRS[::5])
def test_centring_keeps_uphill_and_stationary_points(visible, hidden):
    """The centred step is J J' times the gradient: zero only at zero, and never downhill."""
    rbm, v = machine(visible, hidden, 2.0), points(visible, 6)
    gradient, data = gradient_and_data(rbm, v)
    centre = Centre(visible.statistics(v).mean(0)[0])
    got, _ = centre.step(rbm, gradient.detached(), data.b[0], centre.init(rbm, data.b[0]))
    assert sum(float((x * y).sum()) for x, y in zip(got.tensors, gradient.tensors, strict=True)) > 0
    zero = gradient.map(torch.zeros_like)
    still, _ = centre.step(rbm, zero, data.b[0], centre.init(rbm, data.b[0]))
    assert all((x == 0).all() for x in still.tensors)


def test_centring_comes_before_decay_so_that_the_penalty_stays_on_the_weights():
    rbm, v = machine(Bernoulli(3), Bernoulli(3), 2.0), points(Bernoulli(3), 6)
    gradient, data = gradient_and_data(rbm, v)
    mu = v.mean(0)
    transforms = make_transforms(l2=0.5, centre=mu)
    assert [type(t) for t in transforms] == [Centre, Decay]
    centred, _ = Centre(mu).step(rbm, gradient.detached(), data.b[0], Centre(mu).init(rbm, data.b[0]))
    got = gradient.detached()
    for t in transforms:
        got, _ = t.step(rbm, got, data.b[0], t.init(rbm, data.b[0]))
    assert_same(got, replace(centred, W=centred.W - 0.5 * rbm.W), 1e-14)
    assert make_transforms() == ()
