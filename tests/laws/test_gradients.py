"""Exact gradients are the derivatives of the exact objectives: no formula of theirs is used, only autograd."""

import pytest
import torch

from harmonium.errors import InputError
from harmonium.labels import label_states, log_label_probabilities
from harmonium.machine import RBM
from harmonium.moments import Sample, contrast, likelihood_gradient, moments, with_hidden_fields
from harmonium.negative import Clamped, Exact
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import (
    DISCRETE,
    ENUMERABLE_PAIRS,
    SIDES,
    brute_log_likelihood,
    energies,
    generator,
    machine,
    nodes,
    over_pairs,
    over_strengths,
    points,
    uniform,
)

NOISE = Noise(0, dtype=torch.float64)


def derivative(objective, rbm: RBM) -> RBM:
    """The derivative of objective(machine) by W, a and b."""
    leaves = rbm.map(lambda x: x.detach().clone().requires_grad_())
    grads = iter(torch.autograd.grad(objective(leaves), leaves.tensors))
    return rbm.map(lambda x: next(grads))


def assert_same(got: RBM, want: RBM, tolerance=1e-10):
    for name, x, y in zip("Wab", got.tensors, want.tensors, strict=True):
        torch.testing.assert_close(x, y, rtol=tolerance, atol=tolerance, msg=lambda m, name=name: f"{name}: {m}")


@over_strengths
@over_pairs(ENUMERABLE_PAIRS)
def test_the_exact_gradient_is_the_derivative_of_the_mean_log_likelihood(visible, hidden, strength):
    rbm, v = machine(visible, hidden, strength), points(visible, 6)
    weight = uniform((6,), generator("weights")).softmax(0)
    model, _, info = Exact().step(rbm, Sample(v), {}, NOISE)
    for sample, share in ((Sample(v), torch.full_like(weight, 1 / 6)), (Sample(v, weight), weight)):
        gradient = likelihood_gradient(moments(rbm, sample), model)
        assert_same(gradient, derivative(lambda m, share=share: share @ brute_log_likelihood(m, v), rbm))
    mean = float((visible.log_base - rbm.free_energy(v)).mean()) - info["log_z"]
    assert mean == pytest.approx(float(brute_log_likelihood(rbm, v).mean()), abs=1e-10)


@over_pairs(ENUMERABLE_PAIRS[::3])
def test_known_fields_and_mirrors_give_the_same_moments(visible, hidden):
    rbm, v = machine(visible, hidden, 2.0), points(visible, 6)
    assert_same(moments(rbm, Sample(v, eta_h=rbm.eta_h_from_v(v))), moments(rbm, Sample(v)), 1e-14)
    # the model's moments do not depend on the side through which they are taken
    model, _, _ = Exact().step(rbm, Sample(v), {}, NOISE)
    mirrored, _, _ = Exact().step(rbm.mirror(), Sample(points(hidden, 6)), {}, NOISE)
    assert (model.visible, model.hidden) == (visible, hidden)
    assert_same(mirrored.mirror(), model)


LABELLED = (
    Product(Bernoulli(2), OneHot(1, 3)),
    Product(Ising(2), OneHot(1, 3, none=True)),
    Product(Gaussian(1), OneHot(2, 2)),
    Product(Gaussian(1, 0.8), Bernoulli(2)),
    Product(Interval(1), Bernoulli(1), Multivalued(1, 3)),
)


def brute_log_label_probability(rbm: RBM, v):
    """ln P(label | rest) of the rows v (N, V), by sums over labels and hidden states: (N,)."""
    label = rbm.visible.parts[-1]
    y, log_y = nodes(label)
    h, log_h = nodes(rbm.hidden)
    joint = lambda rows: (log_h - energies(rbm, rows, h)).logsumexp(1)  # noqa: E731
    every = torch.stack([joint(torch.cat([v[:, : -label.size], s.expand(len(v), -1)], 1)) for s in y], 1)
    return joint(v) + label.log_base - (every + log_y).logsumexp(1)


@over_strengths
@over_pairs(tuple((v, h) for v in LABELLED for h in SIDES))
def test_label_probabilities_and_their_gradient_are_those_of_the_joint(visible, hidden, strength):
    rbm, v = machine(visible, hidden, strength), points(visible, 6)
    label = visible.parts[-1]
    wanted = brute_log_label_probability(rbm, v)
    log_p = log_label_probabilities(rbm, v[:, : -label.size])
    torch.testing.assert_close(log_p.logsumexp(1), torch.zeros(6).double(), rtol=0, atol=1e-12)
    own = (v[:, None, -label.size :] == label_states(rbm)).all(-1)
    torch.testing.assert_close(log_p[own], wanted, rtol=1e-10, atol=1e-10)
    model, _, info = Clamped().step(rbm, Sample(v), {}, NOISE)
    gradient = likelihood_gradient(moments(rbm, Sample(v)), model)
    assert_same(gradient, derivative(lambda m: brute_log_label_probability(m, v).mean(), rbm))
    assert info["log_p_label"] == pytest.approx(float(wanted.mean()), abs=1e-10)


@over_pairs(((DISCRETE[0], DISCRETE[0]), (Product(OneHot(1, 3), Gaussian(1)), DISCRETE[0])))
def test_a_side_without_a_discrete_last_part_has_no_labels(visible, hidden):
    rbm = machine(visible, hidden, 1.0)
    for ask in (lambda: label_states(rbm), lambda: Clamped().step(rbm, Sample(points(visible)), {}, NOISE)):
        with pytest.raises(InputError, match="label must be the last, discrete part"):
            ask()


@over_pairs(tuple((v, h) for v in SIDES for h in SIDES))
@pytest.mark.parametrize("rows", [(5, 5), (4, 7)], ids=str)
def test_a_contrast_is_the_difference_of_two_moments(visible, hidden, rows):
    rbm = machine(visible, hidden, 0.5)
    data, model = points(visible, rows[0]), points(visible, rows[1], 1)
    both = with_hidden_fields(rbm, torch.cat([data, model]))
    before = both.eta_h.clone()
    found, mean_h = contrast(rbm, both, rows[0])
    wanted = moments(rbm, Sample(data))
    assert_same(found, likelihood_gradient(wanted, moments(rbm, Sample(model))))
    torch.testing.assert_close(mean_h, wanted.b[0])
    assert torch.equal(both.eta_h, before)  # chains go on from there
