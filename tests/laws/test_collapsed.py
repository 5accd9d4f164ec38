"""Annealing in the smaller side's states: conditionals, weights and their reversal on coarse ladders; the kernel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from harmonium.logz import exact_log_z
from harmonium.logz.bases import collapsed_base, independent_base
from harmonium.logz.bennett import bennett
from harmonium.logz.collapsed import _Compiled, _units, anneal_collapsed, anneal_plain, collapsed_sweep
from harmonium.logz.exact import sample_v_exactly
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot, Product
from laws.sides import DISCRETE, generator, machine, nodes, over_pairs, over_sides, uniform

COARSE = (0.0, 0.4, 0.75, 1.0)
CHAINS = 30_000
BIG = (Bernoulli(6), Ising(6), Gaussian(6, 0.7), Gaussian(6), Interval(6), OneHot(3, 4), Product(Ising(5), Gaussian(1)))
UNBOUNDED = tuple(side for side in BIG if side.n_states is None and not isinstance(side, Interval))
#: One big side a small one: every discrete family meets several others.
#: Units with parameters besides the field have no collapsed annealing.
COUNTED = tuple(side for side in DISCRETE if side.k == 1)
ASSORTED = tuple((BIG[i % len(BIG)], side) for i, side in enumerate(COUNTED))


def noise_for(*words) -> Noise:
    return Noise(seed_for("collapsed", *words), dtype=torch.float64)


def fields(rbm: RBM) -> torch.Tensor:
    """A start whose fields are neither 0 nor the machine's."""
    return uniform((rbm.hidden.size,), generator("start", rbm.hidden.spec), -0.7, 0.7)


def off(log_w: torch.Tensor, log_ratio: float) -> float:
    """(mean(w) / ratio - 1) in standard errors; these must be small for this to be a test."""
    w = (log_w - log_ratio).exp()
    stderr = float(w.std()) / math.sqrt(len(w))
    assert stderr < 0.03
    return (float(w.mean()) - 1) / stderr


@over_pairs(ASSORTED)
def test_each_unit_is_drawn_from_its_conditional(visible, hidden) -> None:
    """Chances from an even grid of uniforms against brute force over all h, at every unit of some states."""
    rbm, t, grid = machine(visible, hidden, 2.0), 0.6, 2000
    b0, (h_all, _) = fields(rbm), nodes(hidden)
    log_p = t * -rbm.mirror().free_energy(h_all) + (1 - t) * (h_all @ b0)
    u = ((torch.arange(grid) + 0.5) / grid).double().unsqueeze(1).expand(-1, hidden.n)
    for state in h_all[:: max(1, len(h_all) // 5)]:
        for j, (columns, values) in enumerate(_units(hidden, state)):
            others = torch.ones(hidden.size, dtype=torch.bool)
            others[columns] = False
            alike = (h_all[:, others] == state[others]).all(1)
            drawn = collapsed_sweep(rbm, b0, state.expand(grid, -1), t, u, [j])
            assert (drawn[:, others] == state[others]).all()
            for value in values:
                wanted = log_p[alike].softmax(0)[(h_all[alike][:, columns] == value).all(1)]
                got = (drawn[:, columns] == value).all(1).double().mean()
                assert float(got) == pytest.approx(float(wanted), abs=1.01 / grid)


@over_pairs(ASSORTED)
def test_the_mean_weight_is_the_ratio_both_ways(visible, hidden) -> None:
    """At 6 standard errors, 2e-9 a mean; the starts are exact samples."""
    rbm = machine(visible, hidden, 0.8 if visible in UNBOUNDED else 1.5)
    noise, b0, (states, _) = noise_for(visible.spec, hidden.spec), fields(rbm), nodes(hidden)
    ratio = exact_log_z(rbm) - float(hidden.log_partition(b0.unsqueeze(0)))
    for log_p, schedule, sign in ((states @ b0, COARSE, 1), (-rbm.mirror().free_energy(states), COARSE[::-1], -1)):
        h = states[torch.multinomial(log_p.softmax(0), CHAINS, True, generator=generator("exact", hidden.spec, sign))]
        _, log_w = anneal_collapsed(rbm, b0, h, schedule, noise)
        assert abs(off(log_w, sign * ratio)) < 6


CROOKS = (
    (Bernoulli(8), Bernoulli(3)),
    (Ising(8), Ising(3)),
    (Bernoulli(8), OneHot(2, 3)),
    (Gaussian(8, 0.5), Ising(3)),
)


@over_pairs(CROOKS)
def test_falling_annealings_are_the_reverse_of_rising_ones(visible, hidden) -> None:
    """Crooks: E_f[w x_i y_j] = E_r[x_i y_j] Z_1 / Z_0 for states x at the base and y at the machine.

    One sweep between them, of units that hold on to each other.  6 standard errors, 2e-9 for each of 63 means.
    """
    rbm = machine(visible, hidden, 2.0)
    noise, b0, (states, _) = noise_for("crooks", visible.spec, hidden.spec), fields(rbm), nodes(hidden)
    ratio = exact_log_z(rbm) - float(hidden.log_partition(b0.unsqueeze(0)))
    gen, schedule = generator("crooks", visible.spec, hidden.spec), (0.0, 0.5, 1.0)

    def drawn(log_p: torch.Tensor) -> torch.Tensor:
        return states[torch.multinomial(log_p.softmax(0), 100_000, True, generator=gen)]

    low, high = drawn(states @ b0), drawn(-rbm.mirror().free_energy(states))
    risen, up = anneal_collapsed(rbm, b0, low, schedule, noise)
    fallen, down = anneal_collapsed(rbm, b0, high, schedule[::-1], noise)
    forward = (up - ratio).exp()[:, None, None] * low[:, :, None] * risen[:, None]
    back = fallen[:, :, None] * high[:, None]
    stderr = (forward.var(0) + back.var(0)).sqrt() / math.sqrt(len(up))
    assert (abs(forward.mean(0) - back.mean(0)) < 6 * stderr + 1e-12).all()
    value, error = bennett(up, down)
    assert abs(value - ratio) < 6 * error


TWO_VALUED = (Bernoulli(5), Ising(5), Product(Ising(2), Bernoulli(3)))
WIDE = (Bernoulli(67), Ising(67), Product(Bernoulli(30), Ising(37)))


@over_sides(TWO_VALUED)
@pytest.mark.parametrize("visible", WIDE, ids=lambda side: side.spec)
@pytest.mark.parametrize("strength", [0.3, 3.0, 12.0])
def test_the_kernel_is_its_plain_twin(visible, side, strength) -> None:
    """Same uniforms, same states; weights to rounding.  At 12 nats a weight, products must be cut."""
    rbm = machine(visible, side, strength)
    b0 = fields(rbm)
    loops = _Compiled.of(rbm, b0)
    assert loops is not None
    gen = generator("twin", visible.spec, side.spec)
    h = nodes(side)[0][torch.randint(0, len(nodes(side)[0]), (40,), generator=gen)]
    for schedule in (np.linspace(0, 1, 9).tolist(), np.linspace(1, 0, 9).tolist(), [1.0] * 5, [0.0, 1.0]):
        u = uniform((max(0, len(schedule) - 2), len(h), side.n), gen)
        (mine, log_w), (other, wanted) = loops(h, schedule, u), anneal_plain(rbm, b0, h, schedule, u)
        assert torch.equal(mine, other)
        torch.testing.assert_close(log_w, wanted, rtol=1e-11, atol=1e-11)


def test_the_kernel_declines_what_it_cannot_hold() -> None:
    rbm = machine(Bernoulli(5), Bernoulli(3), 1.0)
    assert _Compiled.of(rbm.map(lambda x: 200 * x), fields(rbm)) is None
    assert _Compiled.of(machine(Gaussian(5, 1.0), Bernoulli(3), 1.0), fields(rbm)) is None
    rbm.W[0, 0] = math.nan
    assert _Compiled.of(rbm, fields(rbm)) is None


def test_blocks_and_threads_change_nothing_but_the_time(monkeypatch) -> None:
    """Through the kernel in blocks: E[w] within 6 standard errors, and the same weights on one thread and on two."""
    monkeypatch.setattr("harmonium.logz.collapsed.KERNEL_TERMS", 0)
    monkeypatch.setattr("harmonium.logz.collapsed.BLOCK_ENTRIES", 20_000)
    rbm, before, found = machine(Bernoulli(12), Ising(4), 1.2), torch.get_num_threads(), []
    h = torch.where(noise_for("h").uniform(CHAINS, 4) < 0.5, -1.0, 1.0).double()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(anneal_collapsed(rbm, torch.zeros(4).double(), h, COARSE, noise_for("threads")))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(x, y) for x, y in zip(*found, strict=True))
    assert abs(off(found[0][1], exact_log_z(rbm) - 4 * math.log(2))) < 6


@over_pairs(
    ((Bernoulli(4), Ising(3)), (Multivalued(2, 3), OneHot(2, 3)), (Ising(3), Gaussian(2)), (Gaussian(2), Ising(3)))
)
@pytest.mark.parametrize("choose", [collapsed_base, independent_base])
def test_bases_go_to_the_machine_and_back(visible, hidden, choose) -> None:
    """E[w] both ways between visible states, and moments of settled ones (6 standard errors)."""
    rbm = machine(visible, hidden, 1.0 if not isinstance(visible, Gaussian) else 0.7)
    base, noise = choose(rbm), noise_for("ways", visible.spec, hidden.spec)
    ratio = exact_log_z(rbm) - base.log_z
    if hidden.n_states is not None:
        v = sample_v_exactly(rbm, CHAINS, noise).clone()
    else:
        all_v, _ = nodes(visible)
        v = all_v[torch.multinomial((-rbm.free_energy(all_v)).softmax(0), CHAINS, True, generator=generator("v"))]
    _, log_w = base.forward(COARSE, CHAINS, noise)
    assert abs(off(log_w, ratio)) < 6
    assert abs(off(base.reverse(COARSE, v, noise), -ratio)) < 6
    after = base.settled(rbm, v, 3, noise)
    difference = rbm.free_energy(after) - rbm.free_energy(v)
    assert abs(float(difference.mean())) < 6 * float(difference.std()) / math.sqrt(CHAINS)
    assert not torch.equal(after, v)
