"""The split enumeration of machines: against the log domain and derivatives, where it declines, and on the way."""

from __future__ import annotations

import importlib
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch

from harmonium.errors import InputError
from harmonium.logz import exact_log_z, exact_moments
from harmonium.logz.split import SplitMachine
from harmonium.machine import RBM, zeros
from harmonium.units import parse_side

exact_module = importlib.import_module("harmonium.logz.exact")


def machine(visible: str, hidden: str, scale: float, seed: int = 1) -> RBM:
    generator = torch.Generator().manual_seed(seed)
    v, h = parse_side(visible), parse_side(hidden)
    W, a, b = (
        scale * torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((v.size, h.size), (1, v.size), (1, h.size))
    )
    return RBM(v, h, W, a, b)


MACHINES = [
    ("bernoulli:20", "bernoulli:11"),
    ("ising:20", "ising:9"),
    ("ising:21", "multivalued:5,s=4"),
    ("ising:20", "onehot:3x8"),
    ("bernoulli:20", "ising:3+onehot:40"),
    ("ising:20", "onehot:2x20,none=true"),
    ("bernoulli:13", "onehot:1x300"),
    ("bernoulli:7+ising:6", "multivalued:3,s=2+bernoulli:5"),
    ("bernoulli:9+onehot:10", "bernoulli:9"),
    ("onehot:2x5,none=true+ising:4+onehot:1x3", "bernoulli:8"),
]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sums go the fast way, in groups so small that every machine has top, middle and low digits and many jobs."""
    monkeypatch.setattr(exact_module, "LOG_Z_TERMS", 0)
    monkeypatch.setattr(exact_module, "MOMENTS_TERMS", 0)
    split = importlib.import_module("harmonium.logz.split")
    monkeypatch.setattr(split, "GROUP_STATES", 16)
    monkeypatch.setattr(split, "LEAST_LOW_STATES", 4)
    monkeypatch.setattr(split, "LEAST_JOB_TERMS", 0)


def plain_moments(rbm: RBM) -> tuple[float, RBM]:
    """In the log domain, through the visible side's own log-partition and mean."""
    return exact_module._plain_moments(rbm, lambda _: None)


def assert_same(got: RBM, wanted: RBM, tolerance: float = 1e-10) -> None:
    for x, y in zip(got.tensors, wanted.tensors, strict=True):
        torch.testing.assert_close(x, y, rtol=tolerance, atol=tolerance * 1e-2)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("visible", "hidden"), MACHINES)
@pytest.mark.parametrize("scale", [1e-3, 0.3, 3.0])
def test_split_digits_give_ln_z_and_the_moments_of_the_log_domain(visible, hidden, scale) -> None:
    rbm = machine(visible, hidden, scale)
    assert SplitMachine.of(rbm) is not None, "the fast way must be taken here"
    wanted, wanted_moments = plain_moments(rbm)
    for side in (rbm, rbm.mirror()):
        log_z, moments = exact_moments(side)
        assert log_z == pytest.approx(wanted + rbm.hidden.log_base, rel=1e-13)
        assert exact_log_z(side) == pytest.approx(wanted + rbm.hidden.log_base, rel=1e-13)
        assert (moments.visible, moments.hidden) == (side.visible, side.hidden)
        assert_same(moments if side is rbm else moments.mirror(), wanted_moments)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("visible", "hidden"), MACHINES)
def test_the_moments_are_the_derivative_of_ln_z(visible, hidden) -> None:
    rbm = machine(visible, hidden, 0.7)
    leaves = rbm.map(lambda x: x.detach().clone().requires_grad_())
    states = rbm.hidden.states(torch.arange(rbm.hidden.n_states), like=rbm.W)
    grads = iter(torch.autograd.grad(-leaves.mirror().free_energy(states).neg().logsumexp(0).neg(), leaves.tensors))
    assert_same(exact_moments(rbm)[1], rbm.map(lambda x: next(grads)))


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("bias", [-1e3, 1e3])
@pytest.mark.parametrize("side", ["a", "b"])
def test_units_that_are_never_or_always_on(side, bias) -> None:
    rbm = machine("bernoulli:18+ising:3", "bernoulli:9", 1.0)
    getattr(rbm, side)[0, ::2] += bias
    assert SplitMachine.of(rbm) is not None
    wanted, wanted_moments = plain_moments(rbm)
    log_z, moments = exact_moments(rbm)
    assert log_z == pytest.approx(wanted, rel=1e-13)
    assert exact_log_z(rbm) == pytest.approx(wanted, rel=1e-13)
    assert_same(moments, wanted_moments)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("huge", [1e2, 1e3, 1e5])
@pytest.mark.parametrize("few", [False, True], ids=["all", "one in ten"])
def test_fields_too_large_for_the_kernel_take_the_log_domain(huge, few) -> None:
    rbm = machine("bernoulli:20", "bernoulli:9", 1.0)
    rbm.W[:: 10 if few else 1] *= huge
    assert huge < 1e3 or SplitMachine.of(rbm) is None
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 9)
    fields = rbm.a[0] + states @ rbm.W.mT
    wanted = (states @ rbm.b[0] + torch.logaddexp(fields, torch.zeros_like(fields)).sum(-1)).logsumexp(0)
    assert exact_log_z(rbm) == pytest.approx(float(wanted), rel=1e-13)
    assert all(x.isfinite().all() for x in exact_moments(rbm)[1].tensors)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("unit", [0, 2, 5, 10])
@pytest.mark.parametrize("weight", [-1000.0, -250.0, 250.0, 1000.0])
def test_one_hidden_unit_of_large_weights_is_seen_wherever_its_digit_goes(unit, weight) -> None:
    rbm = machine("bernoulli:20", "bernoulli:11", 1.0)
    rbm.W[:, unit] = weight
    harmless = unit == 10 and weight < 0  # e^-high + e^low stays at e^-high when the low digits' fields fall
    assert (SplitMachine.of(rbm) is None) == (abs(weight) > 300 and not harmless)
    wanted, wanted_moments = plain_moments(rbm)
    log_z, moments = exact_moments(rbm)
    assert log_z == pytest.approx(wanted, rel=1e-13)
    assert exact_log_z(rbm) == pytest.approx(wanted, rel=1e-13)
    assert_same(moments, wanted_moments)


def test_other_visible_units_and_devices_take_the_log_domain() -> None:
    for visible in ("multivalued:4,s=3", "interval:2+bernoulli:3"):
        assert SplitMachine.of(machine(visible, "bernoulli:3", 0.1)) is None
    assert SplitMachine.of(machine("bernoulli:4", "onehot:1x5000", 0.1)) is None
    assert SplitMachine.of(machine("bernoulli:4", "bernoulli:80", 0.1)) is None
    assert SplitMachine.of(machine("bernoulli:4", "bernoulli:3", 0.1).to(device="meta")) is None


@pytest.mark.usefixtures("fast")
def test_the_number_of_threads_does_not_change_the_sums() -> None:
    rbm = machine("bernoulli:30", "bernoulli:13", 1.0)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append((exact_log_z(rbm), *exact_moments(rbm)))
    finally:
        torch.set_num_threads(before)
    for one, other in pairwise(results):
        assert one[:2] == other[:2]
        assert all(torch.equal(x, y) for x, y in zip(one[2].tensors, other[2].tensors, strict=True))


@pytest.mark.usefixtures("fast")
def test_moments_of_a_float32_machine_are_summed_in_float64() -> None:
    rbm = machine("bernoulli:20", "bernoulli:10", 1.0).to(dtype=torch.float32)
    log_z, moments = exact_moments(rbm)
    wanted, wanted_moments = plain_moments(rbm.to(dtype=torch.float64))
    assert log_z == pytest.approx(wanted, rel=1e-13)
    assert all(x.dtype == torch.float32 for x in moments.tensors)
    assert_same(moments.to(dtype=torch.float64), wanted_moments, 1e-6)


def test_a_small_machine_does_not_wait_for_the_compiler() -> None:
    program = """
import sys, torch
from harmonium.logz import exact_log_z, exact_moments
from harmonium.logz.exact import enumeration_seconds
from harmonium.machine import zeros
from harmonium.units import Bernoulli
small = zeros(Bernoulli(784), Bernoulli(8))
assert abs(exact_log_z(small) - 792 * 0.6931471805599453) < 1e-2, exact_log_z(small)
exact_moments(small)
assert 0 < enumeration_seconds(small) < 0.1 < enumeration_seconds(zeros(Bernoulli(784), Bernoulli(20))) < 60
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("ask", [exact_log_z, exact_moments])
@pytest.mark.parametrize("visible", ["bernoulli:20", "multivalued:20,s=3"], ids=["split", "plain"])
def test_progress_rises_to_one_at_the_end(ask, visible, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_module, "BLOCK_ENTRIES", 2000)
    rbm = machine(visible, "bernoulli:12", 0.5)
    told: list[float] = []
    ask(rbm, progress=told.append)
    assert told == [1.0], "less than a report's time: only the end is told"
    monkeypatch.setattr(exact_module, "REPORT_SECONDS", 0.0)
    told.clear()
    ask(rbm, progress=told.append)
    assert len(told) > 4
    assert all(x < y for x, y in pairwise(told))
    assert told[-1] == 1.0
    assert told[0] < 0.5


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("unit", [0, -1], ids=["first", "last"])
@pytest.mark.parametrize("name", ["W", "a", "b"])
def test_a_machine_that_has_diverged_has_no_moments(name, unit) -> None:
    rbm = machine("bernoulli:6+onehot:3", "bernoulli:9", 1.0)
    getattr(rbm, name)[0, unit] = torch.nan
    with pytest.raises(InputError, match=f"{name} holds a value that is not finite"):
        exact_moments(rbm)
    log_z, moments = exact_module.unchecked_moments(rbm)  # what a training asks for
    assert np.isnan(log_z)
    assert all(bool(x.isnan().any()) for x in moments.tensors)


def test_a_closed_form_is_done_at_once() -> None:
    told: list[float] = []
    exact_log_z(zeros(parse_side("gaussian:2"), parse_side("gaussian:3")), progress=told.append)
    assert told == [1.0]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("ask", [exact_log_z, exact_moments])
def test_an_interrupt_ends_the_sum(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_module, "REPORT_SECONDS", 0.0)
    told: list[float] = []

    def interrupt(fraction: float) -> None:
        told.append(fraction)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(machine("bernoulli:20", "bernoulli:12", 0.5), progress=interrupt)
    assert len(told) == 1
