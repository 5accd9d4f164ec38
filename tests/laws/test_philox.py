"""Random words against the generator's published answers, compiled loops against plain ones, and threads."""

import math

import numpy as np
import pytest
import torch

from harmonium.gibbs import sample_side
from harmonium.kernels.fused_units import sigmoid
from harmonium.kernels.philox import BLOCKS, stripe, uniforms
from harmonium.kernels.team import PART
from harmonium.kernels.tosses import toss
from harmonium.noise import Noise, Streams
from harmonium.units import Bernoulli, Ising

ALL = 2**32 - 1


def philox(counter, key):
    """Philox4x32-10 by whole numbers alone, from the article's definition."""
    x, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ k[0], q & ALL, (p >> 32) ^ x[3] ^ k[1], p & ALL]
        k = [(k[0] + 0x9E3779B9) & ALL, (k[1] + 0xBB67AE85) & ALL]
    return x


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([ALL] * 4, [ALL] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_the_definition_gives_the_published_answers(counter, key, answer):
    """Known answers of the authors' own library, Random123."""
    assert [f"{word:08x}" for word in philox(counter, key)] == answer.split()


@pytest.mark.parametrize(("key", "block"), [(0, 0), (2**63 - 5, 2**32 - 100), (0x123456789ABCDEF0, 2**40 + 7)])
def test_a_stripe_holds_the_words_of_its_blocks(key, block):
    words = stripe(key, block).view(np.uint32).reshape(2, BLOCKS, 2)
    for j in (0, 1, 99, 100, BLOCKS - 1):
        n = block + j
        expected = philox([n & ALL, n >> 32, 0, 0], [key & ALL, key >> 32])
        assert [int(x) for x in words[:, j].ravel()] == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [1, 511, 1024, 5000])
def test_streams_hold_the_plain_numbers_one_draw_after_the_other(dtype, count):
    noise, double = Noise(2**63 - 9, dtype=dtype), dtype == torch.float64
    first = noise.uniform(count).clone()
    key, block = noise.reserve(0)
    then = noise.uniform(count + 1)
    assert torch.equal(first, torch.from_numpy(uniforms(2**63 - 9, 0, count, double=double)))
    assert torch.equal(then, torch.from_numpy(uniforms(key, block, count + 1, double=double)))
    assert block * (2 if double else 4) >= count, "the second draw would meet numbers of the first"


@pytest.fixture
def threads():
    """Sets torch's number of threads, and back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_what_is_drawn_does_not_depend_on_the_number_of_threads(threads):
    field = torch.linspace(-6, 6, 3 * PART + 77)
    found = []
    for count in (1, 2, 3):
        threads(count)
        noise = Noise(5)
        found.append((noise.uniform(len(field)).clone(), toss(field, noise), sigmoid(field)))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert torch.equal(one, two)


@pytest.mark.parametrize("side", [Bernoulli(500), Ising(500)], ids=lambda side: side.name)
def test_tossed_units_are_the_plain_ones_of_the_same_uniform_numbers(side):
    """States may differ only where the uniform number lies within rounding of the probability."""
    gen = torch.Generator().manual_seed(0)
    eta = 4 * torch.randn(400, 1, 500, generator=gen)
    eta[0, 0, :6] = torch.tensor([0.0, 200.0, -200.0, 88.0, -88.0, 1e-30])
    u = Noise(3).uniform(400, 500).clone()
    fused, plain = sample_side(side, eta, Noise(3)), side.sample(eta, u)
    scale = 2 if side.name == "ising" else 1
    near = (u.double() - (-scale * eta[:, 0].double()).sigmoid()).abs() < 2.0**-22
    assert torch.equal(fused[~near], plain[~near])
    assert int(near.sum()) < 20, "hardly any lie so near"
    assert fused.unique().tolist() == list(side.two_values)


def test_a_stream_with_numbers_of_its_own_is_asked_for_them():
    class Told(Noise):
        def uniform(self, *shape):
            return torch.full(shape, 0.4)

    assert sample_side(Bernoulli(3), torch.tensor([[-1.0, 0.0, 1.0]]), Told(0)).tolist() == [0, 0, 1]


def test_a_stack_meets_the_numbers_of_its_single_machines():
    eta = torch.linspace(-3, 3, 2 * 7 * 9).view(2, 7, 1, 9)
    both = sample_side(Bernoulli(9), eta, Streams([Noise(1), Noise(2)]))
    for part, own, seed in zip(both, eta, (1, 2), strict=True):
        assert torch.equal(part, sample_side(Bernoulli(9), own, Noise(seed)))


@pytest.mark.parametrize("field", [-3.0, -0.2, 1.5])
def test_units_are_high_as_often_as_they_should_be(field):
    """Six standard errors of a binomial share: a false alarm in 5e8."""
    n = 400_000
    share = float(toss(torch.full((n,), field), Noise(11)).double().mean())
    p = 1 / (1 + math.exp(-field))
    assert abs(share - p) < 6 * math.sqrt(p * (1 - p) / n)


def test_the_means_are_exact_to_rounding_and_what_is_no_number_stays_none():
    x = torch.cat([torch.linspace(-85, 85, 40_000), torch.tensor([0.0, 1e-20, -1e-20])])
    exact = x.double().sigmoid()
    # the exponent is rounded twice, each time to 2^-24 of itself at most, which its exponential has |x| fold
    assert bool(((sigmoid(x).double() - exact).abs() <= (4 + 1.5 * x.abs()) * 2.0**-24 * exact).all())
    odd = sigmoid(torch.tensor([math.nan, math.inf, -math.inf, 1e30, -1e30]))
    assert odd[0].isnan()
    assert odd[1:].tolist() == pytest.approx([1, 0, 1, 0], abs=1e-37)
