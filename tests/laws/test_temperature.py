"""A machine at temperature T has the energy E / T, and the conditionals that go with it, whatever its units."""

import pytest
import torch

from harmonium.sampling import tempered
from laws.sides import log_density, machine, over_pairs, points


@over_pairs()
@pytest.mark.parametrize("temperature", [0.25, 3.0])
def test_the_energy_is_divided_by_the_temperature(visible, hidden, temperature):
    rbm = machine(visible, hidden, 1.0)
    hot = tempered(rbm, temperature)
    v, h = points(visible), points(hidden)
    torch.testing.assert_close(hot.energy(v, h), rbm.energy(v, h) / temperature, rtol=1e-12, atol=1e-12)
    # the samplers must know it too: ln p(v | h) + E / T is the same for every v
    constant = log_density(hot.visible, hot.eta_v_from_h(h[:1]), v) + rbm.energy(v, h[:1]) / temperature
    torch.testing.assert_close(constant, constant[:1].expand_as(constant), rtol=1e-10, atol=1e-10)


def test_multiplied_weights_are_not_a_temperature():
    from harmonium.units import Bernoulli

    rbm = machine(Bernoulli(3), Bernoulli(3), 1.0)
    v, h = points(rbm.visible), points(rbm.hidden)
    sharper = tempered(rbm, 1.0, 4.0)
    assert not torch.allclose(sharper.energy(v, h), tempered(rbm, 0.25).energy(v, h))
    torch.testing.assert_close(sharper.W, 4 * rbm.W)
    torch.testing.assert_close(sharper.a, rbm.a)
