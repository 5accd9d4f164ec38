"""The split enumeration of ln Z agrees with the plain one, and knows where it must not be used."""

from __future__ import annotations

import importlib

import pytest
import torch

from harmonium.kernels import split_exponential
from harmonium.logz import exact_log_z
from harmonium.machine import RBM
from harmonium.units import parse_side

exact_module = importlib.import_module("harmonium.logz.exact")


def machine(visible: str, hidden: str, scale: float) -> RBM:
    generator = torch.Generator().manual_seed(1)
    v, h = parse_side(visible), parse_side(hidden)
    W, a, b = (
        scale * torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((v.size, h.size), (1, v.size), (1, h.size))
    )
    return RBM(v, h, W, a, b)


@pytest.mark.parametrize("units", [1, 15, 16, 17, 50])
def test_the_kernel_agrees_with_its_plain_twin(units: int) -> None:
    generator = torch.Generator().manual_seed(0)
    high, low = (3 * torch.randn(n, units, generator=generator, dtype=torch.float64) for n in (7, 5))
    own_high, own_low = (torch.randn(n, generator=generator, dtype=torch.float64) for n in (7, 5))
    fast = split_exponential.log_sum(high, low, own_high, own_low)
    assert fast == pytest.approx(split_exponential.log_sum_plain(high, low, own_high, own_low), rel=1e-14)


@pytest.mark.parametrize(
    ("visible", "hidden"),
    [
        ("bernoulli:20", "bernoulli:9"),
        ("ising:20", "multivalued:4,s=4"),
        ("ising:20", "onehot:3x8"),
        ("bernoulli:20", "ising:3+onehot:40"),
        ("ising:20", "onehot:2x20,none=true"),
    ],
)
@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_ln_z_by_split_digits_is_ln_z_in_the_log_domain(
    visible: str, hidden: str, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rbm = machine(visible, hidden, scale)
    monkeypatch.setattr(exact_module, "LOW_STATES", 16)
    assert exact_module._split_log_z(rbm) is not None, "the fast way must be taken here"
    fast = exact_log_z(rbm)
    monkeypatch.setattr(exact_module, "_split_log_z", lambda rbm: None)
    assert fast == pytest.approx(exact_log_z(rbm), rel=1e-13)


def test_fields_too_large_for_the_kernel_take_the_log_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    rbm = machine("bernoulli:20", "bernoulli:9", 300.0)
    monkeypatch.setattr(exact_module, "LOW_STATES", 16)
    assert exact_module._split_log_z(rbm) is None
    value = exact_log_z(rbm)
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 9)
    fields = rbm.a[0] + states @ rbm.W.mT
    assert value == pytest.approx(float((states @ rbm.b[0] + fields.clamp_min(0).sum(-1)).max()), rel=1e-6)
