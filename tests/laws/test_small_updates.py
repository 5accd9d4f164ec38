"""The one call that makes a small machine's gradient, and the plain step, are what tensors and torch.optim make."""

import pytest
import torch

from harmonium.kernels.small import MOST, can_call, small_gradient
from harmonium.machine import packed, unpacked
from harmonium.negative import CD, PCD
from harmonium.noise import Noise, Streams
from harmonium.stack import stacked
from harmonium.training import objective as module
from harmonium.training.objective import Objective
from harmonium.training.sgd import sgd_step_, steps_plainly
from harmonium.units import Bernoulli, Gaussian, Ising
from laws.sides import generator, machine, points

KINDS = [(v, h) for v in (Bernoulli, Ising) for h in (Bernoulli, Ising)]


def count_calls(monkeypatch, allowed=can_call):
    """A list that grows by one with each one call, which is made where `allowed` says so."""
    calls = []

    def counted(*arguments):
        calls.append(1)
        return small_gradient(*arguments)

    monkeypatch.setattr(module, "can_call", allowed)
    monkeypatch.setattr(module, "small_gradient", counted)
    return calls


def both_ways(monkeypatch, rbm, v, negative, updates=3):
    """Gradients, hidden means, chains and stream after a few minibatches: by one call, and by tensors."""
    found = []
    for one_call in (True, False):
        calls = count_calls(monkeypatch, can_call if one_call else lambda *_: False)
        noise = Noise(5)
        state, seen = negative.init(rbm, noise), []
        for part in v.chunk(updates):
            one = Objective(rbm, part, negative, state, (), [], noise)
            one.room = unpacked(torch.full_like(packed(rbm)[0], torch.nan), rbm) if one_call else None
            gradient = one.gradient()
            state = one.negative_state
            seen.append([x.clone() for x in (*gradient.tensors, *state.values())])
        assert len(calls) == (updates if one_call else 0)
        found.append((seen, noise.uniform(9).clone()))
    return found


@pytest.mark.parametrize("kinds", KINDS, ids=lambda kinds: "-".join(kind.name for kind in kinds))
@pytest.mark.parametrize("negative", [CD(1), CD(3), PCD(1, 30), PCD(2, 7)], ids=["cd-1", "cd-3", "pcd-1", "pcd-2"])
@pytest.mark.parametrize("sizes", [(5, 3), (130, 9), (1025, 2), (3, 40)], ids=str)
def test_the_one_call_is_the_tensors_gradient_with_the_same_random_numbers(monkeypatch, kinds, negative, sizes):
    visible, hidden = (kind(size) for kind, size in zip(kinds, sizes, strict=True))
    rbm = packed(machine(visible, hidden, 0.7).to(dtype=torch.float32))[1]
    v = points(visible, 36).float()
    (fast, after), (plain, after_plain) = both_ways(monkeypatch, rbm, v, negative)
    for one, other in zip(fast, plain, strict=True):
        for x, y in zip(one, other, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-5, atol=2e-6)
    assert torch.equal(after, after_plain)


@pytest.mark.parametrize("negative", [CD(2), PCD(1, 30)], ids=["cd", "pcd"])
def test_machines_of_a_stack_get_what_each_gets_alone(negative, monkeypatch):
    alone = [packed(machine(Ising(130), Bernoulli(9), 0.7, seed).to(dtype=torch.float32))[1] for seed in range(3)]
    whole = packed(stacked(alone))[1]
    streams = [[Noise(r) for r in range(3)] for _ in range(2)]
    v = torch.stack([points(Ising(130), 12, seed).float() for seed in range(3)])
    noise = Streams(streams[0])
    states = negative.init(whole, noise), [negative.init(rbm, own) for rbm, own in zip(alone, streams[1], strict=True)]
    one = Objective(whole, v, negative, states[0], (), [], noise)
    one.room = unpacked(torch.full_like(packed(whole)[0], torch.nan), whole)
    calls = count_calls(monkeypatch)
    got = one.gradient()
    assert len(calls) == 1
    for r, (rbm, own) in enumerate(zip(alone, streams[1], strict=True)):
        single = Objective(rbm, v[r], negative, states[1][r], (), [], own)
        for x, y in zip(got.tensors, single.gradient().tensors, strict=True):
            assert torch.equal(x[r], y)
        for name, state in single.negative_state.items():
            assert torch.equal(one.negative_state[name][r], state)
        assert torch.equal(streams[0][r].state, own.state)


def test_centring_gets_the_hidden_means_of_the_rows(monkeypatch):
    rbm = packed(machine(Bernoulli(20), Ising(4), 1.0).to(dtype=torch.float32))[1]
    v = points(Bernoulli(20), 8).float()
    seen = []

    class Look:
        def init(self, rbm, mean_h):
            return {}

        def step(self, rbm, gradient, mean_h, state):
            seen.append(mean_h.clone())
            return gradient, state

    Objective(rbm, v, CD(1), {}, (Look(),), [], Noise(0)).gradient()
    torch.testing.assert_close(seen[0], rbm.hidden.mean(rbm.eta_h_from_v(v)).mean(0)[0], rtol=1e-5, atol=1e-6)


def test_it_is_left_to_tensors_where_it_does_not_serve():
    def small(visible, hidden, dtype=torch.float32):
        return machine(visible, hidden, 0.1).to(dtype=dtype)

    rbm = small(Bernoulli(8), Bernoulli(4))
    assert can_call(rbm, 10, Noise(0))
    assert not can_call(rbm, MOST // 32 + 1, Noise(0))
    assert not can_call(small(Bernoulli(8), Bernoulli(4), torch.float64), 10, Noise(0))
    assert not can_call(small(Gaussian(8), Bernoulli(4)), 10, Noise(0))
    assert can_call(stacked([rbm, rbm]), 10, Streams([Noise(0), Noise(1)]))
    assert not can_call(stacked([rbm, rbm]), 10, Noise(0))  # one stream for two machines

    class Even(Noise):
        """A stream with numbers of its own."""

    assert not can_call(rbm, 10, Even(0))


@pytest.mark.parametrize("momenta", [(0.0, 0.0), (0.5, 0.9), (0.9, 0.0)], ids=str)
def test_the_plain_step_is_that_of_torch_and_its_state_too(momenta):
    first, gradients = torch.randn(50, generator=generator("sgd")), torch.randn(8, 50, generator=generator("grad"))
    paths = []
    for plain in (True, False, None):  # None: torch's for the first half, then this one with torch's state
        flat = first.clone()
        optimizer = torch.optim.SGD([flat], lr=0.1, momentum=momenta[0], maximize=True)
        for t, gradient in enumerate(gradients):
            flat.grad = gradient.clone()
            group = optimizer.param_groups[0]
            group["lr"], group["momentum"] = 0.1 / (t + 1), momenta[t >= 4]
            assert steps_plainly(optimizer, flat)
            if plain if plain is not None else t >= 4:
                sgd_step_(optimizer, flat)
            else:
                optimizer.step()
        paths.append(flat)
    for other in paths[1:]:
        torch.testing.assert_close(paths[0], other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [{"nesterov": True}, {"weight_decay": 0.1}, {"dampening": 0.1}], ids=str)
def test_steps_of_another_kind_are_torchs(options):
    flat = torch.zeros(3)
    assert not steps_plainly(torch.optim.SGD([flat], lr=0.1, momentum=0.5, maximize=True, **options), flat)
    assert not steps_plainly(torch.optim.SGD([flat], lr=0.1), flat)
    assert not steps_plainly(torch.optim.Adam([flat], lr=0.1, maximize=True), flat)
