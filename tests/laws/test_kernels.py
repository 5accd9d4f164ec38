"""A fast kernel equals its plain twin, and enumeration counts as itertools does."""

from itertools import product

import pytest
import torch

from harmonium.kernels.softplus import softplus, sum_softplus, sum_softplus_plain
from harmonium.units.base import enumerate_units
from laws.sides import generator

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def random_fields(shape, dtype, scale, seed=0):
    return (scale * torch.randn(shape, generator=generator("softplus", seed, *shape), dtype=torch.float64)).to(dtype)


@PRECISIONS
@pytest.mark.parametrize("scale", [1e-4, 1.0, 10.0, 1e4])
# around the edges of a product of 64 or 512 factors, and below and above the size from which the fast one is used
@pytest.mark.parametrize("n", [1, 63, 64, 65, 128, 129, 511, 512, 513, 1025])
@pytest.mark.parametrize("numbers", [100, 4095, 4096])
def test_the_fused_softplus_is_the_plain_sum(dtype, scale, n, numbers):
    x = random_fields((max(1, -(-numbers // n)), n), dtype, scale)
    exact = torch.logaddexp(x.double(), torch.zeros(()).double()).sum(-1)
    tolerance = {torch.float32: 3e-6, torch.float64: 1e-14}[dtype]
    # the product knows each 1 + exp(-|x|) to the rounding of 1, the plain sum each term to its own
    torch.testing.assert_close(sum_softplus(x).double(), exact, rtol=tolerance, atol=n * torch.finfo(dtype).eps)
    torch.testing.assert_close(sum_softplus_plain(x).double(), exact, rtol=tolerance, atol=1e-38)


@PRECISIONS
@pytest.mark.parametrize("value", [0.0, 1e-30, 20.0, 39.9, 40.1, 88.0, 1e4, -1e-30, -20.0, -39.9, -40.1, -88.0, -1e4])
def test_equal_fields_fill_a_product_to_its_edge(dtype, value):
    x = torch.full((9, 513), value, dtype=dtype)
    wanted = 513 * torch.logaddexp(x[0, 0].double(), torch.zeros(()).double())
    got = sum_softplus(x).double()
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-13}[dtype]
    floor = 513 * torch.finfo(dtype).eps
    torch.testing.assert_close(got, wanted.expand(9), rtol=tolerance, atol=floor)
    torch.testing.assert_close(softplus(x[0, 0]).double(), wanted / 513, rtol=tolerance, atol=1e-38)


@PRECISIONS
def test_leading_axes_and_memory_orders_do_not_matter(dtype):
    x = random_fields((40, 130, 3), dtype, 3.0)
    for y in (x.transpose(1, 2), x.permute(2, 0, 1), x[::2].mT, x.mT.contiguous().view(4, 10, 3, 130)):
        before = y.clone()
        torch.testing.assert_close(sum_softplus(y), sum_softplus_plain(y), rtol=3e-6, atol=0)
        assert torch.equal(y, before)


def test_the_gradient_is_the_sigmoid():
    x = random_fields((10, 700), torch.float64, 5.0).requires_grad_()
    (grad,) = torch.autograd.grad(sum_softplus(x).sum(), x)
    torch.testing.assert_close(grad, x.detach().sigmoid(), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "table",
    [[[0.0], [1.0]], [[-1.0], [0.0], [1.0]], [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[7.0]]],
    ids=["two", "three", "blocks", "one"],
)
def test_states_are_numbered_as_itertools_counts(table, n):
    table = torch.tensor(table)
    wanted = torch.stack([torch.cat(rows) for rows in product(table, repeat=n)])
    index = torch.arange(len(table) ** n)
    assert torch.equal(enumerate_units(table, n, index), wanted)
    shuffled = index[torch.randperm(len(index), generator=generator("order", n))]
    kept = shuffled.clone()
    assert torch.equal(enumerate_units(table, n, shuffled), wanted[shuffled])
    assert torch.equal(shuffled, kept)
    if len(table) > 1:  # numbers beyond 2^32: the highest digit is still found
        far = torch.tensor([len(table) ** 39])
        digits = enumerate_units(table, 40, far).view(40, -1)
        assert torch.equal(digits[0], table[1])
        assert torch.equal(digits[1:], table[:1].expand(39, -1))
