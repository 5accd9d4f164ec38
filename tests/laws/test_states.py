"""Products with states of zeros and ones are those of matrices, by every way, shape, layout and number of threads."""

import numpy as np
import pytest
import torch
from torch.nn.functional import linear

from harmonium.kernels import states
from harmonium.kernels.states import BY_FOURS, BY_ONES, BY_ROWS, fields, products
from harmonium.machine import RBM
from harmonium.negative import CD
from harmonium.noise import Noise
from harmonium.training.objective import Objective
from harmonium.units import Bernoulli, OneHot

#: Rows n, entries of a state K, columns M: of whole tiles, and with every kind of rest.
SHAPES = pytest.mark.parametrize(
    "shape",
    [(1, 100, 70), (32, 784, 500), (33, 512, 64), (100, 333, 101), (257, 97, 345), (40, 4096, 8), (64, 31, 1100),
     (50, 40000, 1), (1100, 130, 65)],
)  # fmt: skip
DENSITIES = pytest.mark.parametrize("density", [0.0, 0.03, 0.2, 0.3, 0.6, 1.0])


def drawn(shape, density, seed=0):
    return torch.from_numpy((np.random.default_rng(seed).random(shape) < density).astype(np.float32))


def whole_numbers(shape, seed=1):
    """Numbers whose sums float32 holds exactly: what comes out must be right to the last bit."""
    return torch.from_numpy(np.random.default_rng(seed).integers(-99, 100, shape).astype(np.float32))


@pytest.fixture
def always(monkeypatch):
    """The loops are taken however little there is to do."""
    for least in ("BY_ONES", "BY_FOURS", "BY_ROWS"):
        monkeypatch.setattr(states, least, (1, 1))


@pytest.fixture
def no_matrices(monkeypatch, always):
    """Products of matrices fail."""

    def refused(*args, **kwargs):
        raise AssertionError("a product of matrices was made")

    monkeypatch.setattr(states, "linear", refused)
    monkeypatch.setattr(torch, "addmm", refused)


@SHAPES
@DENSITIES
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("way", ["ones", "patterns", "fours"])
def test_fields_of_whole_numbers_are_exact(shape, density, turned, way, no_matrices, monkeypatch):
    monkeypatch.setattr(states, "way_of_fields", lambda s: way)
    n, K, M = shape
    s, bias = drawn((n, K), density), whole_numbers(M)
    weight = whole_numbers((M, K), 2) if turned else whole_numbers((K, M), 2).mT
    want = bias.double() + s.double() @ weight.double().mT
    assert torch.equal(fields(bias, s, weight).double(), want)


@SHAPES
@pytest.mark.parametrize("density", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("turned", [True, False])
def test_fields_of_signs_are_exact_too(shape, density, turned, no_matrices):
    n, K, M = shape
    s, bias = 2 * drawn((n, K), density) - 1, whole_numbers(M)
    s[0, 0] = -1  # a first row of ones alone would be taken for zeros and ones
    weight = whole_numbers((M, K), 2) if turned else whole_numbers((K, M), 2).mT
    want = bias.double() + s.double() @ weight.double().mT
    assert torch.equal(fields(bias, s, weight).double(), want)


@SHAPES
@pytest.mark.parametrize("add", [True, False])
@pytest.mark.parametrize("way", ["ones", "patterns"])
def test_products_with_signs_are_exact_too(shape, add, way, no_matrices, monkeypatch):
    monkeypatch.setattr(states, "way_of_products", lambda s: way)
    n, K, M = shape
    s, h = 2 * drawn((n, K), 0.2) - 1, whole_numbers((n, M))
    s[0, 0] = -1
    out = whole_numbers((M, K), 2) if add else torch.full((M, K), torch.nan)
    want = 0.5 * (h.double().mT @ s.double()) + (out.double() if add else 0)
    assert torch.equal(products(h, s, 0.5, out, add=add).double(), want)


def test_signs_after_a_row_of_ones_go_by_matrices(always):
    s, weight, bias = 2 * drawn((100, 784), 0.1) - 1, torch.randn(500, 784), torch.randn(500)
    s[0] = 1
    assert torch.equal(fields(bias, s, weight), linear(s, weight, bias))


@SHAPES
@DENSITIES
@pytest.mark.parametrize("add", [True, False])
@pytest.mark.parametrize("way", ["ones", "patterns"])
def test_products_of_whole_numbers_are_exact(shape, density, add, way, no_matrices, monkeypatch):
    monkeypatch.setattr(states, "way_of_products", lambda s: way)
    n, K, M = shape
    s, h = drawn((n, K), density), whole_numbers((n, M))
    # what is not added to is not looked at
    out = whole_numbers((M, K), 2) if add else torch.full((M, K), torch.nan)
    want = 0.5 * (h.double().mT @ s.double()) + (out.double() if add else 0)
    assert products(h, s, 0.5, out, add=add) is out
    assert torch.equal(out.double(), want)


@DENSITIES
def test_rounding_is_that_of_a_product(density, always):
    """Sums of some hundred normal numbers: both ways are within a few units of float32 of the exact ones."""
    s, weight, bias = drawn((200, 784), density), torch.randn(500, 784), torch.randn(500)
    exact = bias.double() + s.double() @ weight.double().mT
    scale = bias.double().abs() + s.double() @ weight.double().mT.abs()
    assert float(((fields(bias, s, weight) - exact).abs() / (scale + 1e-30)).max()) < 16 * 2**-24
    h, out = torch.rand(200, 500), torch.zeros(500, 784)
    exact, scale = (x.mT @ s.double() / 200 for x in (h.double(), h.double().abs()))
    assert float(((products(h, s, 1 / 200, out) - exact).abs() / (scale + 1e-30)).max()) < 16 * 2**-24


@pytest.mark.parametrize("value", [0.5, -1.0, 2.0, 1e-30, float("nan"), float("inf")])
@pytest.mark.parametrize("column", [0, 17, 783])
def test_one_value_that_is_neither_0_nor_1_is_seen(value, column, always):
    s, weight, bias = drawn((50, 784), 0.1), torch.randn(500, 784), torch.randn(500)
    s[49, column] = value
    signs = 2 * drawn((50, 784), 0.1) - 1
    signs[49, column] = 0.0 if value == -1 else value
    assert torch.equal(fields(bias, signs, weight).nan_to_num(), linear(signs, weight, bias).nan_to_num())
    assert torch.equal(fields(bias, s, weight).nan_to_num(), linear(s, weight, bias).nan_to_num())
    h = torch.rand(50, 500)
    want = torch.addmm(torch.zeros(1), h.mT, s, beta=0)
    assert torch.equal(products(h, s, 1.0, torch.empty(500, 784)).nan_to_num(), want.nan_to_num())


def test_what_the_loops_do_not_serve_goes_the_plain_way():
    s, weight, bias = drawn((200, 784), 0.1), torch.randn(500, 784), torch.randn(500)
    for few, w, b in ((s[: BY_ONES[0] - 1], weight, bias), (s, weight[:3], bias[:3])):
        assert torch.equal(fields(b, few, w), linear(few, w, b))
    many = drawn((BY_FOURS[0] - 1, 784), 0.5)
    assert torch.equal(fields(bias, many, weight), linear(many, weight, bias))
    few, h = s[: BY_ROWS[0] - 1], torch.rand(BY_ROWS[0] - 1, 500)
    assert torch.equal(products(h, few, 1.0, torch.empty(500, 784)), h.mT @ few)
    double = fields(bias.double(), s.double(), weight.double())
    assert torch.equal(double, linear(s.double(), weight.double(), bias.double()))
    learned = weight.clone().requires_grad_()
    fields(bias, s, learned).sum().backward()
    assert torch.allclose(learned.grad, s.sum(0).expand(500, -1))


@pytest.mark.parametrize("density", [0.1, 0.5])
def test_the_number_of_threads_changes_nothing(density, monkeypatch, always):
    monkeypatch.setattr(states, "FEW", 1)
    s, weight, bias, h = drawn((100, 784), density), torch.randn(333, 784), torch.randn(333), torch.rand(100, 333)

    def both():
        return fields(bias, s, weight), products(h, s, 0.1, torch.zeros(333, 784))

    one = both()
    torch.set_num_threads(3)
    try:
        three = both()
    finally:
        torch.set_num_threads(1)
    for x, y in zip(one, three, strict=True):
        assert torch.equal(x, y)


def test_the_cheapest_way_is_chosen():
    """Few ones alone are added one by one, neighbours as patterns, and where half are ones all fours are looked up."""
    alone = drawn((2000, 784), 0.01)
    strokes = torch.zeros(2000, 784).index_fill_(1, torch.arange(300, 400), 1.0)
    half = drawn((2000, 784), 0.5)
    assert [states.way_of_fields(states.States(s)) for s in (alone, strokes, half)] == ["ones", "patterns", "fours"]
    ways = [states.way_of_products(states.States(s)) for s in (alone, strokes, half[:16])]
    assert ways == ["ones", "patterns", "matrices"]


def test_rows_in_groups_are_rows(no_matrices):
    s, weight, bias = drawn((5, 40, 784), 0.1), whole_numbers((500, 784)), whole_numbers(500)
    want = bias.double() + s.double() @ weight.double().mT
    assert torch.equal(fields(bias, s, weight).double(), want)
    assert torch.equal(fields(bias, s.mT.contiguous().mT, weight).double(), want)


def test_a_part_of_a_larger_tensor_is_read_where_it_lies(always):
    s, weight, bias = drawn((100, 900), 0.1)[:, 50:834], torch.randn(500, 784), torch.randn(500)
    assert torch.allclose(fields(bias, s, weight), linear(s, weight, bias), atol=1e-4)
    every = drawn((200, 784), 0.1)[::2]
    assert torch.allclose(fields(bias, every, weight), linear(every, weight, bias), atol=1e-4)


@pytest.mark.parametrize("visible", [Bernoulli(784), OneHot(196, 4)])
def test_a_machines_gradient_is_that_of_float64(visible, always):
    """The same chains, as the random numbers are the same, unless one lies at an edge: then a row differs."""
    rng = np.random.default_rng(4)
    hidden = Bernoulli(300)
    single = RBM(
        visible, hidden, torch.from_numpy(rng.normal(0, 0.1, (300, 784)).astype(np.float32)).mT, torch.zeros(1, 784),
        torch.zeros(1, 300),
    )  # fmt: skip
    v = visible.sample(torch.zeros(500, 1, 784), torch.from_numpy(rng.random((500, visible.n)).astype(np.float32)))

    def gradient(rbm, rows):
        class Grid(Noise):
            def uniform(self, *shape):
                return torch.from_numpy(np.random.default_rng(shape[0]).random(shape)).to(rows.dtype)

        return Objective(rbm, rows, CD(1), {}, (), [], Grid(0, dtype=rows.dtype)).gradient()

    got, want = gradient(single, v), gradient(single.to(dtype=torch.float64), v.double())
    for x, y in zip(got.tensors, want.tensors, strict=True):
        # one state of 500 that differs moves a mean by 1/500
        assert float((x - y).abs().mean()) < 1e-4


def test_torchs_default_precision_changes_nothing(always):
    """A number on the way to a loop must not take the default's size."""
    s, h = drawn((100, 784), 0.1), torch.rand(100, 500)
    want = products(h, s, 0.5, torch.empty(500, 784))
    torch.set_default_dtype(torch.float64)
    try:
        found = products(h, s, 0.5, torch.empty(500, 784, dtype=torch.float32))
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found, want)
