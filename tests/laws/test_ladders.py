"""Ladders: the fields, ratios and swaps of their levels are those of the levels' own machines."""

from itertools import pairwise

import pytest
import torch

from harmonium.errors import InputError
from harmonium.ladders import Tempered, Trajectory, even_positions, trajectory
from harmonium.noise import Noise
from harmonium.tempering import origins, spread
from harmonium.units import Bernoulli, Ising, OneHot
from laws.sides import ENUMERABLE_PAIRS, PAIRS, energies, machine, nodes, over_pairs, points

KINDS = ("tempered", "trajectory")
PLACES = (0.0, 0.3, 0.55, 0.8, 1.0)


def ladder_of(kind, visible, hidden):
    last, middle = machine(visible, hidden, 1.0), machine(visible, hidden, 0.5, seed=1)
    if kind == "tempered":
        return Tempered(last.decoupled(middle.a), last, PLACES)
    return Trajectory((middle.decoupled(), middle, last), PLACES)


def states_of(ladder, replicas=4):
    side = ladder.target.visible
    return points(side, replicas * len(ladder)).view(replicas, len(ladder), side.size)


@pytest.mark.parametrize("kind", KINDS)
@over_pairs(PAIRS[::2])
def test_each_level_is_its_own_machine(visible, hidden, kind):
    ladder = ladder_of(kind, visible, hidden)
    v = states_of(ladder)
    h = points(hidden, v.shape[0] * v.shape[1]).view(*v.shape[:2], hidden.size)
    fields, eta_v = ladder.eta_h_from_v(v), ladder.eta_v_from_h(h)
    up, down = ladder.log_ratios(v, fields)
    levels = [ladder.level(k) for k in range(len(ladder))]
    for k, rbm in enumerate(levels):
        torch.testing.assert_close(fields.here[:, k], rbm.eta_h_from_v(v[:, k]))
        torch.testing.assert_close(eta_v[:, k], rbm.eta_v_from_h(h[:, k]))
    for k, (low, high) in enumerate(pairwise(levels)):
        torch.testing.assert_close(fields.above[:, k], high.eta_h_from_v(v[:, k]))
        torch.testing.assert_close(fields.below[:, k], low.eta_h_from_v(v[:, k + 1]))
        torch.testing.assert_close(up[:, k], low.free_energy(v[:, k]) - high.free_energy(v[:, k]))
        torch.testing.assert_close(down[:, k], high.free_energy(v[:, k + 1]) - low.free_energy(v[:, k + 1]))


@pytest.mark.parametrize("kind", KINDS)
@over_pairs(ENUMERABLE_PAIRS[::7])
def test_swaps_compare_the_levels_joint_energies_summed_over_hidden_states(visible, hidden, kind):
    """ln p_k(v') p_k+1(v) / (p_k(v) p_k+1(v')) by brute force."""
    ladder = ladder_of(kind, visible, hidden)
    v = states_of(ladder)
    up, down = ladder.log_ratios(v, ladder.eta_h_from_v(v))
    h, log_h = nodes(hidden)
    log_f = [[(log_h - energies(ladder.level(k), v[:, j], h)).logsumexp(1) for j in range(5)] for k in range(5)]
    for k in range(4):
        wanted = log_f[k][k + 1] + log_f[k + 1][k] - log_f[k][k] - log_f[k + 1][k + 1]
        torch.testing.assert_close(up[:, k] + down[:, k], wanted, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@over_pairs(PAIRS[::11])
def test_states_that_move_take_the_fields_of_where_they_come_to(visible, hidden, kind):
    ladder = ladder_of(kind, visible, hidden)
    v = states_of(ladder)
    swapped = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]]).bool()
    origin = origins(swapped)
    assert origin.tolist() == [[1, 0, 2, 4, 3], [0, 2, 1, 3, 4], [0, 1, 2, 3, 4], [1, 0, 3, 2, 4]]
    moved = torch.stack([row[o] for row, o in zip(v, origin, strict=True)])
    torch.testing.assert_close(ladder.eta_h_from_v(v).after(swapped), ladder.eta_h_from_v(moved).here)


def test_single_precision_chains_have_ratios_in_double():
    """The ratios of float32 fields are taken in float64: they differ from a float64 machine's by the fields alone."""
    rbm = machine(Bernoulli(3), Ising(3), 2.0)
    wide, narrow = (Tempered(x.decoupled(), x, PLACES) for x in (rbm, rbm.to(dtype=torch.float32)))
    v = states_of(wide)
    for a, b in zip(*(x.log_ratios(s, x.eta_h_from_v(s)) for x, s in ((wide, v), (narrow, v.float()))), strict=True):
        assert b.dtype == torch.float64
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_levels_start_with_independent_states_of_the_first():
    ladder = ladder_of("tempered", Ising(3), OneHot(2, 3))
    v = ladder.start(50_000, Noise(0, dtype=torch.float64))
    mean = ladder.first.visible.mean(ladder.first.a)[0]
    assert (v.mean(0) - mean).abs().max() < 6 / 50_000**0.5


def test_new_positions_share_the_rejections_out_evenly():
    """Rejections 0.9, 0.1, 0.5 over thirds: 1.5 in all makes three steps of 0.5, cut where the sum passes 0.5 and 1."""
    places = spread((0.0, 0.25, 0.5, 1.0), torch.tensor([0.9, 0.1, 0.5]).double().numpy())
    assert places == pytest.approx((0, 0.25 * 5 / 9, 0.5, 1))
    assert len(spread(even_positions(4), torch.full((3,), 0.999).double().numpy())) == 7  # at most twice the steps
    assert spread(even_positions(3), torch.zeros(2).double().numpy()) == pytest.approx((0, 0.5, 1))


def test_a_trajectory_passes_through_its_snapshots():
    snapshots = [machine(Bernoulli(3), Ising(3), 1.0, seed=s) for s in range(3)]
    path = trajectory(snapshots, even_positions(4))
    for k, wanted in enumerate((snapshots[0].decoupled(), *snapshots)):
        for x, y in zip(path.level(k).tensors, wanted.tensors, strict=True):
            torch.testing.assert_close(x, y)
    middle = path.at((0, 0.5, 1)).level(1)
    torch.testing.assert_close(middle.W, (snapshots[0].W + snapshots[1].W) / 2)


def test_ladders_that_are_none():
    rbm, other = machine(Bernoulli(3), Ising(3), 1.0), machine(Ising(3), Ising(3), 1.0)
    for positions, shown in (((0.0, 0.5), r"0, 0\.5"), ((0.0, 0.7, 0.2, 1.0), r"0, 0\.7, 0\.2, 1"), ((0.0,), "0")):
        with pytest.raises(InputError, match=rf"positions must rise from 0 to 1, not \({shown}\)"):
            Tempered(rbm.decoupled(), rbm, positions)
    with pytest.raises(InputError, match="W != 0; use decoupled"):
        Tempered(rbm, rbm, PLACES)
    with pytest.raises(InputError, match="at least one machine, not 0"):
        trajectory([], PLACES)
    with pytest.raises(InputError, match="at least two machines, not 1"):
        Trajectory((rbm.decoupled(),), PLACES)
    with pytest.raises(InputError, match="give machines on the same sides"):
        trajectory([rbm, other], PLACES)
