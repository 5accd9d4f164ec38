"""The one call that makes a large machine's gradient is what tensors make, with the same random numbers."""

import gc

import pytest
import torch

from harmonium.kernels import contrast, program
from harmonium.kernels.contrast import can_contrast, contrast_in_one_call
from harmonium.machine import packed, unpacked
from harmonium.negative import CD, PCD
from harmonium.noise import Noise
from harmonium.training.objective import Objective
from harmonium.units import Bernoulli, Ising
from laws.sides import machine

NEGATIVES = pytest.mark.parametrize(
    "negative", [CD(1), CD(3), PCD(1, 200), PCD(2, 170)], ids=["cd-1", "cd-3", "pcd-1", "pcd-2"]
)
#: Visible and hidden units: of whole tiles, words and fours, and with every kind of rest.
SIZES = pytest.mark.parametrize("sizes", [(768, 512), (787, 130), (203, 501)], ids=str)
UPDATES, ROWS = 3, 180


def drawn(sizes, seed=0):
    """A machine, and rows for some minibatches: images of a few strokes, as neighbours are alike."""
    visible, hidden = sizes
    rbm = packed(machine(Bernoulli(visible), Bernoulli(hidden), 0.2, seed).to(dtype=torch.float32))[1]
    draw = torch.Generator().manual_seed(seed)
    strokes = torch.rand(UPDATES * ROWS, -(-visible // 3), generator=draw) < 0.15
    return rbm, strokes.repeat_interleave(3, 1)[:, :visible].float()


def followed(rbm, v, negative, one_call):
    """Gradients, hidden means and chains after each minibatch, and the stream after all."""
    noise = Noise(5)
    state, seen = negative.init(rbm, noise), []
    for part in v.chunk(UPDATES):
        room = unpacked(torch.full_like(packed(rbm)[0], torch.nan), rbm)
        one = Objective(rbm, part, negative, state, (), [], noise, room=room)
        found = one._in_one_call() if one_call else one._by_tensors()
        assert found is not None
        state = one.negative_state
        seen.append([x.clone() for x in (*found[0].tensors, found[1], *state.values())])
    return seen, noise.state


@SIZES
@NEGATIVES
@pytest.mark.parametrize("way", ["ones", "patterns", "looked up"])
def test_the_one_call_is_the_tensors_gradient_with_the_same_random_numbers(sizes, negative, way, monkeypatch):
    """Whatever way is the cheapest: costs are changed so that each is taken."""
    monkeypatch.setattr(contrast, "PATTERN", 1e-9 if way == "patterns" else 1e9)
    monkeypatch.setattr(contrast, "TABLE", 0.0)
    monkeypatch.setattr(contrast, "FOLD", 0.0)
    monkeypatch.setattr(contrast, "PATTERN_UP", 0.0)
    monkeypatch.setattr(contrast, "FOUR", 1e-12 if way == "looked up" else 1e9)
    rbm, v = drawn(sizes)
    (fast, after), (plain, after_plain) = followed(rbm, v, negative, True), followed(rbm, v, negative, False)
    for one, other in zip(fast, plain, strict=True):
        for x, y in zip(one, other, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-5, atol=4e-6)
    assert torch.equal(after, after_plain)


@NEGATIVES
@pytest.mark.parametrize("openmp", [True, False])
def test_the_number_of_threads_changes_nothing(negative, openmp, monkeypatch):
    rbm, v = drawn((787, 530))
    alone, after = followed(rbm, v, negative, True)
    if not openmp:
        monkeypatch.setattr(program, "barrier", lambda: None)
    contrast._KNOWN.clear()
    torch.set_num_threads(3)
    try:
        found, after_found = followed(rbm, v, negative, True)
    finally:
        torch.set_num_threads(1)
    for one, other in zip(found, alone, strict=True):
        for x, y in zip(one, other, strict=True):
            assert torch.equal(x, y)
    assert torch.equal(after, after_found)


@NEGATIVES
@pytest.mark.parametrize("value", [0.5, -1.0, float("nan")])
@pytest.mark.parametrize("place", [(0, 0), (77, 400), (ROWS - 1, 786)])
def test_rows_that_are_no_states_are_left_to_tensors(negative, value, place):
    """And not a random number has been drawn, so that what follows is as if the one call had never been tried."""
    rbm, v = drawn((787, 130))
    v[place] = value
    noise = Noise(1)
    state = negative.init(rbm, noise)
    before = noise.state
    one = Objective(rbm, v[:ROWS], negative, state, (), [], noise)
    for _ in range(2):
        assert can_contrast(rbm, v[:ROWS], negative.waiting(state), noise)
        assert one._in_one_call() is None
        assert torch.equal(noise.state, before)
    gradient = one.gradient()
    again = Noise(1)
    negative.init(rbm, again)
    plain = Objective(rbm, v[:ROWS], negative, state, (), [], again)
    for x, y in zip(gradient.tensors, plain._by_tensors()[0].tensors, strict=True):
        assert torch.equal(x.nan_to_num(), y.nan_to_num())


def test_minibatches_of_other_sizes_in_between(monkeypatch):
    """The last minibatch of a pass may be smaller."""
    rbm, v = drawn((787, 130))
    for negative in (CD(1), PCD(1, 200)):
        found = []
        for one_call in (True, False):
            noise = Noise(2)
            state = negative.init(rbm, noise)
            for part in (v[:180], v[180:350], v[350:530]):
                one = Objective(rbm, part, negative, state, (), [], noise)
                gradient = one._in_one_call() if one_call else one._by_tensors()
                state = one.negative_state
            found.append(gradient[0])
        for x, y in zip(found[0].tensors, found[1].tensors, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-5, atol=4e-6)


def test_what_the_one_call_does_not_serve():
    rbm, v = drawn((787, 130))
    assert can_contrast(rbm, v, None, Noise(0))
    assert not can_contrast(rbm, v[:8], None, Noise(0))
    assert not can_contrast(rbm, v, torch.zeros(8, 130), Noise(0))
    assert not can_contrast(rbm.to(dtype=torch.float64), v.double(), None, Noise(0))
    ising = machine(Ising(787), Bernoulli(130), 0.2, 0).to(dtype=torch.float32)
    assert not can_contrast(packed(ising)[1], v, None, Noise(0))


def test_nothing_is_kept_of_a_machine_that_is_gone():
    contrast._KNOWN.clear()
    rbm, v = drawn((787, 130))
    contrast_in_one_call(rbm, v, None, 1, Noise(0))
    assert len(contrast._KNOWN) == 1
    del rbm
    gc.collect()
    assert not contrast._KNOWN
