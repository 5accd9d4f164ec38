"""The gradients for labels against automatic differentiation of what they raise, for every hidden family."""

from dataclasses import replace

import pytest
import torch

from harmonium.labels import clamped_moments, label_states, log_label_probabilities
from harmonium.machine import RBM
from harmonium.moments import likelihood_gradient
from harmonium.negative import CD, Clamped, Exact, Hybrid
from harmonium.noise import Noise, seed_for
from harmonium.training.objective import Objective
from harmonium.training.positive import partly_labelled, positive_phase
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import SIDES, brute_log_z, machine, nodes, points

LABEL = OneHot(1, 3)
INPUTS = (Bernoulli(2), Ising(2), Gaussian(2, 0.7), Interval(2), Multivalued(1, 2), OneHot(1, 3))
HIDDEN = pytest.mark.parametrize("hidden", SIDES, ids=lambda s: s.spec)
VISIBLE = pytest.mark.parametrize("pixels", INPUTS, ids=lambda s: s.spec)


def labelled(pixels, hidden, rows=6):
    visible = Product(pixels, LABEL)
    rbm = machine(visible, hidden, 1.5)
    return rbm, points(visible, rows)


def joint_log_weights(rbm: RBM, x):
    """ln of the sum over h of base exp(-E(x, y, h)) for every label y: (N, C)."""
    states = label_states(rbm)
    return torch.stack([-rbm.free_energy(torch.cat([x, y.expand(len(x), -1)], 1)) for y in states], 1)


def own(rbm, v):
    """The number of each row's label; -1 where it has none."""
    y = v[:, -LABEL.size :]
    return torch.where(y.any(1), y.argmax(1), -1)


def objective(rbm, v, weight):
    """Mean over rows of (1 - w) ln P(y | x) + w ln p(x, y); of rows without a label, of w ln p(x)."""
    log = joint_log_weights(rbm, v[:, : -LABEL.size])
    y = own(rbm, v)
    known = y >= 0
    conditional = log.log_softmax(1).gather(1, y.clamp_min(0).unsqueeze(1))[:, 0] * known
    joint = torch.where(known, log.gather(1, y.clamp_min(0).unsqueeze(1))[:, 0], log.logsumexp(1))
    log_z = brute_log_z(rbm) - rbm.visible.log_base if weight else 0.0
    return ((1 - weight) * conditional + weight * (joint - log_z)).mean()


def by_autograd(rbm, v, weight):
    leaves = rbm.map(lambda t: t.clone().requires_grad_(True))
    value = objective(leaves, v, weight)
    grads = torch.autograd.grad(value, leaves.tensors, allow_unused=True)
    return value.detach(), [torch.zeros_like(t) if g is None else g for t, g in zip(rbm.tensors, grads, strict=True)]


def compare(gradient, grads):
    for got, want in zip(gradient.tensors, grads, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-11)


@HIDDEN
@VISIBLE
def test_the_discriminative_gradient_is_that_of_the_class_probabilities(pixels, hidden):
    rbm, v = labelled(pixels, hidden)
    _, grads = by_autograd(rbm, v, 0.0)
    data, positive = positive_phase(rbm, v)
    model, _, info = Clamped().step(rbm, data, {}, Noise(0, dtype=torch.float64))
    compare(likelihood_gradient(positive, model), grads)
    assert info["objective"] == pytest.approx(float(objective(rbm, v, 0.0)), abs=1e-12)
    quick, mean_h, same = Clamped().gradient(rbm, v)
    compare(quick, grads)
    torch.testing.assert_close(mean_h, positive.b[0])
    assert same == info


@pytest.mark.parametrize("s", [1, 2, 5])
def test_it_is_equations_25_to_28(s):
    """Written out as Yokoyama, Katsumata and Yasuda (2019) print them, with loops over j and k."""
    rbm, v = labelled(Interval(3), Multivalued(4, s), rows=7)
    x, t = v[:, :3], v[:, 3:]
    w, b_label, v_label, c = rbm.W[:3], rbm.a[0, 3:], rbm.W[3:], rbm.b[0]
    A = c + x @ w
    P = torch.stack([b_label[k] + rbm.hidden.log_partition((A + v_label[k]).unsqueeze(1)) for k in range(3)], 1)
    P = P.softmax(1)
    psi = torch.stack([rbm.hidden.mean((A + v_label[k]).unsqueeze(1))[:, 0] for k in range(3)], 1)  # (N, K, H)
    bracket = (t.unsqueeze(2) * psi).sum(1) - (P.unsqueeze(2) * psi).sum(1)  # (N, H)
    want_b = (t - P).mean(0)
    want_v = ((t - P).unsqueeze(2) * psi).mean(0)
    data, positive = positive_phase(rbm, v)
    model, _, _ = Clamped().step(rbm, data, {}, Noise(0, dtype=torch.float64))
    got = likelihood_gradient(positive, model)
    torch.testing.assert_close(got.a[0, 3:], want_b)
    torch.testing.assert_close(got.W[3:], want_v)
    torch.testing.assert_close(got.b[0], bracket.mean(0))
    torch.testing.assert_close(got.W[:3], x.T @ bracket / len(x))


def test_finite_differences_agree():
    rbm, v = labelled(Bernoulli(3), Multivalued(2, 3), rows=9)
    data, positive = positive_phase(rbm, v)
    model, _, _ = Clamped().step(rbm, data, {}, Noise(0, dtype=torch.float64))
    gradient = likelihood_gradient(positive, model)
    for name in ("W", "a", "b"):
        tensor, g = getattr(rbm, name), getattr(gradient, name)
        for place in ((0, 0), (0, 1)):
            step = torch.zeros_like(tensor)
            step[place] = 1e-5
            up, down = (replace(rbm, **{name: tensor + sign * step}) for sign in (1, -1))
            slope = (objective(up, v, 0.0) - objective(down, v, 0.0)) / 2e-5
            assert float(slope) == pytest.approx(float(g[place]), abs=1e-9)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    "hidden", [Bernoulli(2), Multivalued(2, 2), OneHot(1, 3), Gaussian(1, 0.5)], ids=lambda s: s.spec
)
@pytest.mark.parametrize("pixels", [Bernoulli(2), Ising(2), OneHot(1, 3)], ids=lambda s: s.spec)
def test_the_hybrid_gradient_with_and_without_missing_labels(pixels, hidden, weight):
    rbm, v = labelled(pixels, hidden, rows=8)
    half = v.clone()
    half[::2, -LABEL.size :] = 0
    for rows in (v, half):
        value, grads = by_autograd(rbm, rows, weight)
        noise = Noise(0, dtype=torch.float64)
        missing = rows is half
        negative = Hybrid(Exact(), weight)
        one = Objective(rbm, rows, negative, {}, (), [], noise, missing)
        compare(one.gradient(), grads)
        if not missing:
            assert one.loss() == pytest.approx(-float(value), abs=1e-10)


def test_without_any_label_nothing_is_learned_about_labels_given_x():
    rbm, v = labelled(Bernoulli(3), Bernoulli(2))
    v[:, -LABEL.size :] = 0
    data, positive = partly_labelled(rbm, v, Noise(0, dtype=torch.float64))
    model, _, info = Clamped().step(rbm, data, {}, Noise(0, dtype=torch.float64))
    for got in likelihood_gradient(positive, model).tensors:
        assert float(got.abs().max()) < 1e-14
    assert info["objective"] == 0


def test_missing_labels_are_drawn_from_their_probabilities():
    """20,000 draws for one input: 5 sigma for three frequencies, a false alarm in a million."""
    rbm, v = labelled(Bernoulli(3), Bernoulli(2), rows=1)
    rows = v.repeat(20_000, 1)
    rows[:, -LABEL.size :] = 0
    data, _ = partly_labelled(rbm, rows, Noise(seed_for("labels"), dtype=torch.float64))
    p = log_label_probabilities(rbm, v[:, :3])[0].exp()
    share = data.v[:, -LABEL.size :].mean(0)
    assert bool(((share - p).abs() < 5 * (p * (1 - p) / 20_000).sqrt()).all())
    assert bool((data.v[:, -LABEL.size :].sum(1) == 1).all())
    assert not data.known.any()
    torch.testing.assert_close(data.eta_h, rbm.eta_h_from_v(data.v))


def test_chains_of_contrastive_divergence_begin_at_whole_states():
    """With couplings to the label so strong that h repeats it, CD-1 from a row without a label gives back its P."""
    rbm, v = labelled(Bernoulli(2), OneHot(1, 3), rows=1)
    strong = RBM(rbm.visible, rbm.hidden, rbm.W * 0, rbm.a, rbm.b)
    strong.W[-3:] = 60 * torch.eye(3) - 30
    strong.a[0, -3:] = torch.tensor([0.0, 1.0, 2.0])
    rows = v.repeat(20_000, 1)
    rows[:, -LABEL.size :] = 0
    noise = Noise(1, dtype=torch.float64)
    data, _ = partly_labelled(strong, rows, noise)
    model, _, _ = CD(1).step(strong, data, {}, noise)
    p = log_label_probabilities(strong, v[:, :2])[0].exp()
    assert bool(((model.a[0, -3:] - p).abs() < 0.02).all())  # 5 sigma of 20,000


@HIDDEN
def test_clamped_moments_are_sums_over_the_labels(hidden):
    rbm, v = labelled(Bernoulli(2), hidden, rows=5)
    got, log_p = clamped_moments(rbm, v)
    want = [torch.zeros_like(t) for t in rbm.tensors]
    for i, y in enumerate(nodes(LABEL)[0]):
        whole = torch.cat([v[:, :2], y.expand(len(v), -1)], 1)
        mean = rbm.hidden.mean(rbm.eta_h_from_v(whole))  # (N, k, H)
        p = log_p[:, i].exp()
        want[0] += torch.einsum("n,nv,nh->vh", p, whole, mean[:, 0]) / len(v)
        want[1] += torch.einsum("n,nkv->kv", p, rbm.visible.statistics(whole)) / len(v)
        want[2] += torch.einsum("n,nkh->kh", p, mean) / len(v)
    compare(got, want)


def test_ising_and_multivalued_of_one_are_the_same_classifier():
    rbm, v = labelled(Interval(3), Ising(4))
    twin = RBM(rbm.visible, Multivalued(4, 1), *rbm.tensors)
    x = v[:, :3]
    torch.testing.assert_close(
        log_label_probabilities(twin, x), log_label_probabilities(rbm, x), rtol=1e-12, atol=1e-12
    )
