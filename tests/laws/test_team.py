"""Every part of a compiled loop is done once, by whichever thread, in OpenMP's team and in a pool of threads."""

import threading

import pytest
import torch

from harmonium.kernels import team
from harmonium.kernels.fused_units import sigmoid
from harmonium.kernels.team import PART, run
from harmonium.kernels.tosses import toss
from harmonium.noise import Noise


@pytest.fixture(params=["as torch has it", "without OpenMP"], autouse=True)
def openmp(request, monkeypatch):
    if request.param == "without OpenMP":
        monkeypatch.setattr(team, "_openmp", lambda: None)


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(1)


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 7 * PART + 13])
def test_every_number_is_done_whatever_the_threads(size, threads):
    x = torch.linspace(-9, 9, size)
    torch.testing.assert_close(sigmoid(x), x.sigmoid(), rtol=1e-6, atol=1e-7)
    noise, again = Noise(3), Noise(3)
    torch.set_num_threads(1)
    alone = toss(x, again)
    torch.set_num_threads(threads)
    assert torch.equal(toss(x, noise), alone)
    assert torch.equal(noise.state, again.state)


def test_nothing_is_done_twice_or_forgotten_in_many_small_regions(threads):
    """A part taken twice would show as a race only now and then: two thousand regions of 16 parts."""
    from harmonium.kernels.state_pass import pack_bits
    from harmonium.kernels.states import ROWS

    rows = torch.ones(16 * ROWS, 32)
    bits, (ones, patterns) = torch.empty(1, len(rows), dtype=torch.int32), torch.empty(2, len(rows), dtype=torch.int32)
    for _ in range(2000):
        ones.zero_()
        run(pack_bits, [rows, bits, ones, patterns, False, 0], 16)
        assert int(ones.sum()) == rows.numel()


def test_threads_of_the_caller_may_call_at_once(threads):
    x = torch.linspace(-9, 9, 5 * PART)
    found = []
    callers = [threading.Thread(target=lambda: found.append(sigmoid(x))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4
    for y in found:
        assert torch.equal(y, found[0])
