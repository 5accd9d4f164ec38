"""The machine's energy, conditionals and free energies, every family with every other."""

import math

import pytest
import torch

from harmonium.errors import InputError
from harmonium.machine import RBM, packed, unpacked, zeros
from harmonium.units import Bernoulli, Sparse, parts_of
from laws.sides import (
    PAIRS,
    energies,
    log_density,
    machine,
    nodes,
    over_pairs,
    over_sides,
    over_strengths,
    own_energy,
    points,
    representatives,
)


@over_pairs(PAIRS[::3])
def test_the_energy_is_the_sum_over_units_and_couplings(visible, hidden):
    rbm = machine(visible, hidden, 2.0)
    v, h = points(visible, 3), points(hidden, 3)
    for n in range(3):
        wanted = float(own_energy(visible, v[n : n + 1]) + own_energy(hidden, h[n : n + 1]))
        for i in range(visible.size):
            for mu in range(hidden.size):
                wanted -= float(v[n, i] * rbm.W[i, mu] * h[n, mu])
        for bias, x, side in ((rbm.a, v[n], visible), (rbm.b, h[n], hidden)):
            # row 0 meets x; a further row meets x² (a learned variance) or |x| (a sparsity), or nothing at all
            absolute = [isinstance(part, Sparse) for part in parts_of(side) for _ in range(part.size)]
            for i in range(side.size):
                wanted -= float(bias[0, i] * x[i])
                if side.k == 2:
                    wanted -= float(bias[1, i] * (x[i].abs() if absolute[i] else x[i] ** 2))
        assert float(rbm.energy(v[n], h[n])) == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    torch.testing.assert_close(rbm.energy(v[:, None], h), energies(rbm, v, h), rtol=1e-12, atol=1e-12)


@over_strengths
@over_pairs()
def test_conditionals_are_those_of_the_energy(visible, hidden, strength):
    """ln p(v|h) + E(v, h) does not depend on v, nor ln p(h|v) + E(v, h) on h."""
    rbm = machine(visible, hidden, strength)
    v, h = representatives(visible), representatives(hidden)
    E = energies(rbm, v, h)
    v_given_h = log_density(visible, rbm.eta_v_from_h(h)[None], v[:, None]) + E
    h_given_v = log_density(hidden, rbm.eta_h_from_v(v)[:, None], h) + E
    torch.testing.assert_close(v_given_h, v_given_h[:1].expand_as(E), rtol=1e-12, atol=1e-11)
    torch.testing.assert_close(h_given_v, h_given_v[:, :1].expand_as(E), rtol=1e-12, atol=1e-11)


@over_strengths
@over_pairs()
def test_the_free_energy_sums_the_other_side_out(visible, hidden, strength):
    rbm = machine(visible, hidden, strength)
    v, (h, log_h) = points(visible), nodes(hidden)
    brute = -(log_h - energies(rbm, v, h)).logsumexp(1)
    torch.testing.assert_close(rbm.free_energy(v), brute, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(rbm.free_energy(v, eta_h=rbm.eta_h_from_v(v)), brute, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(rbm.free_energy(v.expand(2, -1, -1))[1], brute, rtol=1e-10, atol=1e-10)


@over_pairs()
def test_the_mirror_swaps_the_names_and_nothing_else(visible, hidden):
    rbm = machine(visible, hidden, 2.0)
    mirror = rbm.mirror()
    v, h = points(visible), points(hidden)
    torch.testing.assert_close(mirror.energy(h, v), rbm.energy(v, h), rtol=1e-13, atol=1e-13)
    assert torch.equal(mirror.eta_v_from_h(v), rbm.eta_h_from_v(v))
    assert torch.equal(mirror.eta_h_from_v(h), rbm.eta_v_from_h(h))
    v_nodes, log_v = nodes(visible)
    brute = -(log_v[:, None] - energies(rbm, v_nodes, h)).logsumexp(0)
    torch.testing.assert_close(mirror.free_energy(h), brute, rtol=1e-10, atol=1e-10)
    assert all(torch.equal(x, y) for x, y in zip(mirror.mirror().tensors, rbm.tensors, strict=True))


@over_pairs(PAIRS[::3])
def test_lerp_is_linear_in_the_energy(visible, hidden):
    one, two = machine(visible, hidden, 2.0, seed=1), machine(visible, hidden, 0.2, seed=2)
    v, h = points(visible), points(hidden)
    for t in (0.0, 0.3, 1.0):
        wanted = (1 - t) * one.energy(v, h) + t * two.energy(v, h)
        torch.testing.assert_close(one.lerp(two, t).energy(v, h), wanted, rtol=1e-12, atol=1e-12)


@over_pairs(PAIRS[::3])
def test_a_decoupled_machine_is_two_independent_sides_of_known_partition(visible, hidden):
    rbm = machine(visible, hidden, 2.0)
    for a in (None, machine(visible, hidden, 2.0, seed=3).a):
        base = rbm.decoupled(a)
        (v, log_v), (h, log_h) = nodes(visible), nodes(hidden)
        own_v = (log_v - energies(base, v, torch.zeros_like(h[:1]))[:, 0]).logsumexp(0)
        own_h = (log_h - energies(base, torch.zeros_like(v[:1]), h)[0]).logsumexp(0)
        torch.testing.assert_close(base.log_z_decoupled(), own_v + own_h, rtol=1e-11, atol=1e-11)
        assert torch.equal(base.eta_v_from_h(points(hidden)), (rbm.a if a is None else a).expand(7, -1, -1))
        assert (base.eta_h_from_v(points(visible))[:, 0] == 0).all()


@over_pairs(PAIRS[::11])
def test_packed_and_detached_machines_are_the_same_machine(visible, hidden):
    rbm = machine(visible, hidden, 2.0)
    flat, views = packed(rbm)
    copy = rbm.detached()
    v, h = points(visible), points(hidden)
    wanted = rbm.energy(v, h)
    flat += 0.25  # the views follow the flat tensor, the original and the copy do not
    shifted = rbm.map(lambda x: x + 0.25)
    torch.testing.assert_close(views.energy(v, h), shifted.energy(v, h), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(unpacked(flat - 0.25, rbm).energy(v, h), wanted, rtol=1e-12, atol=1e-12)
    rbm.W.add_(1)
    torch.testing.assert_close(copy.energy(v, h), wanted, rtol=0, atol=0)


@over_sides()
def test_a_machine_without_parameters_is_neutral(side):
    rbm = zeros(side, Bernoulli(2), dtype=torch.float64)
    v = points(side)
    wanted = log_density(side, side.neutral(v), v) - side.log_base + side.log_partition(side.neutral(v))
    torch.testing.assert_close(-rbm.free_energy(v), wanted + 2 * math.log(2), rtol=1e-12, atol=1e-12)


def test_shapes_that_do_not_fit_are_refused_by_name():
    rbm = zeros(Bernoulli(3), Bernoulli(2))
    for W, a, b, name in ((rbm.W.mT, rbm.a, rbm.b, "W"), (rbm.W, rbm.b, rbm.b, "a"), (rbm.W, rbm.a, rbm.a, "b")):
        with pytest.raises(InputError, match=f"^{name} has shape"):
            RBM(Bernoulli(3), Bernoulli(2), W, a, b)
