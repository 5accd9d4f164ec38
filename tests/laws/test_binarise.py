"""The one pass from bytes to zeros and ones gives what single operations give, to the last bit."""

import numpy as np
import pytest
import torch

from harmonium import feed as module
from harmonium.data.dataset import Dataset
from harmonium.feed import make_feed
from harmonium.kernels.binarise import above, drawn
from harmonium.noise import Noise
from harmonium.units import Bernoulli, Ising

#: Rows of whole stripes of random numbers, and others; the last has more than a part in a row.
SHAPES = pytest.mark.parametrize("shape", [(300, 784), (47, 1001), (2000, 17), (3, 40000)], ids=str)


def rows_of_bytes(shape, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 256, (shape[0] + 20, shape[1]), dtype=np.uint8)
    X[:, ::3] = 0
    return X, torch.from_numpy(rng.integers(0, len(X), shape[0]))


@SHAPES
@pytest.mark.parametrize("side", [Bernoulli, Ising])
@pytest.mark.parametrize("binarize", ["0.5", "0.1", "stochastic"])
@pytest.mark.parametrize("threads", [1, 3])
def test_one_pass_is_what_single_operations_give(shape, side, binarize, threads, monkeypatch):
    X, rows = rows_of_bytes(shape)
    feed = make_feed(
        Dataset(X, None, 255.0, (shape[1],), "bytes", "drawn"),
        side(shape[1]),
        binarize=binarize,
    )
    one, other = Noise(3), Noise(3)
    torch.set_num_threads(threads)
    try:
        found = feed.states(rows, one)
    finally:
        torch.set_num_threads(1)
    monkeypatch.setattr(module, "can_binarise", lambda *_: False)
    assert torch.equal(found, feed.states(rows, other))
    assert torch.equal(one.state, other.state)


@pytest.mark.parametrize("row", [-1, 320])
def test_a_row_that_is_not_there_is_an_error(row):
    X, rows = rows_of_bytes((300, 784))
    rows[17] = row
    with pytest.raises(IndexError, match="rows 0 to 319"):
        above(torch.from_numpy(X), rows, 127.5)
    with pytest.raises(IndexError, match="rows 0 to 319"):
        drawn(torch.from_numpy(X), rows, 255.0, Noise(0))
