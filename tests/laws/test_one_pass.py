"""The one pass over the weights is what centring, decay and the step of sgd are, one after the other."""

import pytest
import torch

from harmonium.machine import packed, unpacked
from harmonium.training.one_pass import can_pass, step_in_one_pass_
from harmonium.training.sgd import sgd_step_
from harmonium.training.transforms import Centre, Decay
from harmonium.units import Bernoulli, Gaussian, Ising
from laws.sides import generator, machine

SIDES = [(Bernoulli(784), Bernoulli(50)), (Ising(333), Bernoulli(101)), (Gaussian(300), Bernoulli(128))]


def transforms_of(kinds, V):
    mu = torch.rand(V, generator=generator("mu"))
    return tuple({"centre": Centre(mu, 0.2), "l2": Decay(0.0, 0.03), "l1": Decay(0.02, 0.01)}[kind] for kind in kinds)


@pytest.mark.parametrize("sides", SIDES, ids=str)
@pytest.mark.parametrize("momentum", [(0.0, 0.0), (0.9, 0.9), (0.5, 0.0)], ids=str)
@pytest.mark.parametrize("kinds", [("centre",), ("l2",), ("centre", "l1")], ids=str)
@pytest.mark.parametrize("threads", [1, 3])
def test_the_pass_is_its_parts(sides, momentum, kinds, threads):
    begin = packed(machine(*sides, 0.3).to(dtype=torch.float32))[1]
    transforms = transforms_of(kinds, begin.visible.size)
    random = generator("gradients")
    steps = [begin.map(lambda x: torch.randn(x.shape, generator=random)) for _ in range(4)]
    means = [torch.rand(begin.hidden.size, generator=random) for _ in steps]
    ends = []
    for in_one in (True, False):
        flat, rbm = packed(begin)
        flat.grad = torch.empty_like(flat)
        room = unpacked(flat.grad, rbm)
        optimizer = torch.optim.SGD([flat], lr=0.1, momentum=momentum[0], maximize=True)
        states = [transform.init(rbm, means[0]) for transform in transforms]
        torch.set_num_threads(threads)
        for t, (step, mean_h) in enumerate(zip(steps, means, strict=True)):
            group = optimizer.param_groups[0]
            group["lr"], group["momentum"] = 0.1 / (t + 1), momentum[t > 1]
            gradient = packed(step)[1]
            assert can_pass(optimizer, rbm, transforms)
            if in_one:
                states = step_in_one_pass_(optimizer, flat, rbm, gradient, mean_h, transforms, states)
                continue
            for i, transform in enumerate(transforms):
                gradient, states[i] = transform.step(rbm, gradient, mean_h, states[i])
            for to, x in zip(room.tensors, gradient.tensors, strict=True):
                to.copy_(x)
            sgd_step_(optimizer, flat)
        torch.set_num_threads(1)
        ends.append((flat, states, optimizer.state[flat].get("momentum_buffer")))
    (one, one_states, one_buffer), (parts, states, buffer) = ends
    # sums over 784 visible units of terms up to some ten are rounded; a term too few or twice would change tenths
    torch.testing.assert_close(one, parts, rtol=1e-5, atol=5e-4)
    assert (one_buffer is None) == (buffer is None)
    if buffer is not None:
        torch.testing.assert_close(one_buffer, buffer, rtol=1e-5, atol=5e-4)
    for x, y in zip(one_states, states, strict=True):
        assert x.keys() == y.keys()
        for name in x:
            torch.testing.assert_close(x[name], y[name])


def test_what_it_does_not_know_goes_one_after_the_other():
    def sgd(flat, **options):
        return torch.optim.SGD([flat], lr=0.1, maximize=True, **options)

    flat, rbm = packed(machine(Bernoulli(784), Bernoulli(50), 0.3).to(dtype=torch.float32))
    mu = torch.rand(784)
    assert can_pass(sgd(flat), rbm, (Centre(mu), Decay(0.1)))
    assert not can_pass(sgd(flat), rbm, (Decay(0.1), Centre(mu)))
    assert not can_pass(sgd(flat), rbm, (Centre(mu), object()))
    assert not can_pass(sgd(flat), rbm, ())
    decay = (Decay(0.1),)
    assert can_pass(sgd(flat), rbm, decay)
    assert not can_pass(sgd(flat, weight_decay=0.1), rbm, decay)
    assert not can_pass(torch.optim.Adam([flat], maximize=True), rbm, decay)
    for other in (rbm.to(dtype=torch.float64), machine(Bernoulli(8), Bernoulli(4), 0.3).to(dtype=torch.float32)):
        assert not can_pass(sgd(flat), other, decay)


def test_torchs_default_precision_changes_nothing():
    ends = []
    for precision in (torch.float32, torch.float64):
        torch.set_default_dtype(precision)
        try:
            flat, rbm = packed(machine(Bernoulli(784), Bernoulli(50), 0.3).to(dtype=torch.float32))
            optimizer = torch.optim.SGD([flat], lr=0.1, maximize=True)
            step_in_one_pass_(optimizer, flat, rbm, packed(rbm)[1], rbm.b[0], (Decay(0.1, 0.2),), [{}])
        finally:
            torch.set_default_dtype(torch.float32)
        ends.append(flat)
    assert torch.equal(*ends)
