"""The compiled passes agree with their plain twins, for every kind of unit, size and number of threads."""

import math

import numpy as np
import pytest
import torch

from harmonium.kernels.fused_units import can_fuse, fused_means
from harmonium.kernels.label_sums import can_fuse as can_fuse_labels
from harmonium.kernels.label_sums import label_sums
from harmonium.units import Bernoulli, Interval, Ising, Multivalued, multivalued_units

UNITS = pytest.mark.parametrize(
    "family", [Bernoulli, Ising, Interval, *(lambda n, s=s: Multivalued(n, s) for s in (1, 2, 3, 8, 100))],
    ids=["bernoulli", "ising", "interval", "s=1", "s=2", "s=3", "s=8", "s=100"],
)  # fmt: skip


def rows(shape, scale, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32))


def plain(side, field, offset, own):
    """The same sums in float64, from the family itself."""
    eta = (field.double().unsqueeze(1) + offset.double()).unsqueeze(2)  # (N, C, 1, H)
    log_p = (own.double() + side.log_partition(eta)).log_softmax(1)
    joint = log_p.exp().unsqueeze(2) * side.mean(eta)[:, :, 0]
    return log_p, joint.sum(1), joint.sum(0)


@UNITS
@pytest.mark.parametrize("shape", [(1, 2, 1), (3, 2, 5), (65, 3, 127), (130, 10, 130), (7, 4, 301)])
@pytest.mark.parametrize("scale", [1e-6, 0.3, 3.0, 40.0])
def test_the_sums_are_those_of_the_plain_twin(family, shape, scale):
    N, C, H = shape
    side = family(H)
    field, offset, own = rows((N, H), scale), rows((C, H), scale, 1), rows((C,), 1.0, 2)
    s = float(getattr(side, "s", math.inf))
    assert can_fuse_labels(side.name, field)
    got = label_sums(field, offset, own, side.name, s)
    want = plain(side, field, offset, own)
    # a block's sum of up to 128 terms of the fields' size is rounded to single precision a few times
    slack = 8 * 2**-24 * min(H, 128) * (scale + 1)
    assert float((got.log_p - want[0]).abs().max()) < slack
    np.testing.assert_allclose(got.over_labels, want[1], rtol=2e-6, atol=2e-6 + slack)
    np.testing.assert_allclose(got.over_rows, want[2], rtol=2e-6, atol=2e-6 + slack * N)
    alone = label_sums(field, offset, own, side.name, s, means=False)
    assert torch.equal(alone.log_p, got.log_p)


@UNITS
def test_the_number_of_threads_changes_nothing(family):
    side = family(50)
    field, offset, own = rows((300, 50), 2.0), rows((4, 50), 1.0, 1), rows((4,), 1.0, 2)
    s = float(getattr(side, "s", math.inf))
    one = label_sums(field, offset, own, side.name, s)
    torch.set_num_threads(3)
    try:
        three = label_sums(field, offset, own, side.name, s)
    finally:
        torch.set_num_threads(1)
    for x, y in zip(one, three, strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize("s", [1, 2, 3, 8, 100, math.inf])
def test_samples_of_many_units_are_those_of_few(s):
    """Rounding may lead to the neighbouring value where a uniform number lies at an edge: not once in a thousand."""
    rng = np.random.default_rng(3)
    edges = [0.0, 1e-30, 1e-9, -1e-6, 0.05, -0.3, 3.0, 60.0, -700.0, 1e6]
    x = torch.from_numpy(np.concatenate([rng.normal(0, 3, 5000), rng.normal(0, 0.05, 5000), edges])).float()
    u = torch.from_numpy(rng.random(len(x))).float().clamp_max(1 - 2**-24)
    side = multivalued_units(len(x), s)
    assert can_fuse(x)
    many = side.sample(x.unsqueeze(0), u).double()
    few = side.sample(x.double().unsqueeze(0), u.double())  # the plain twin, in double precision
    assert float(((many - few).abs() > 1e-6).double().mean()) < 1e-3
    assert bool(side.accepts(many).all())


@UNITS
def test_means_are_within_a_few_units_in_the_last_place(family):
    """At most 13 for multivalued units, where two cotangents cancel; 5 for two-valued ones."""
    side = family(1)
    sizes = torch.cat([torch.logspace(-30, 6, 20_001, dtype=torch.float64), torch.logspace(-3, 2, 40_001).double()])
    x = torch.cat([sizes, -sizes, torch.zeros(1)]).float()
    x = x[x.abs() > 1e-29]
    if side.name == "bernoulli":
        x = x[x > -80]  # below, exp(x) is not a normal number
    got = fused_means(x, side.name, float(getattr(side, "s", math.inf))).double()
    want = side.mean(x.double().view(-1, 1, 1))[:, 0, 0]
    unit = torch.exp2(want.abs().log2().floor()) * torch.finfo(torch.float32).eps
    assert float(((got - want).abs() / unit).max()) < (5 if side.name in ("bernoulli", "ising") else 13)
    nothing = fused_means(torch.zeros(3), side.name, float(getattr(side, "s", math.inf)))
    assert bool((nothing == (0.5 if side.name == "bernoulli" else 0)).all())


def test_what_is_no_number_comes_out_as_none():
    field = rows((3, 5), 1.0)
    field[1, 2] = math.nan
    for name in ("bernoulli", "ising", "interval"):
        log_p = label_sums(field, rows((2, 5), 1.0), rows((2,), 1.0), name).log_p
        assert bool(log_p[1].isnan().all()), name
        assert bool(log_p[[0, 2]].isfinite().all())


def test_other_units_and_precisions_are_left_to_the_plain_twin():
    assert not can_fuse_labels("gaussian", torch.zeros(1))
    assert not can_fuse_labels("ising", torch.zeros(1).double())
