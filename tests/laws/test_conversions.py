"""A change of description changes no probability."""

import pytest
import torch

from harmonium.convert import from_mixture, to_bernoulli, to_ising, to_mixture
from harmonium.errors import InputError
from harmonium.logz import exact_log_z
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, OneHot
from laws.sides import (
    SIDES,
    generator,
    log_density,
    machine,
    nodes,
    over_pairs,
    over_sides,
    over_strengths,
    parameters,
    representatives,
    uniform,
)


def log_p(rbm, v):
    return rbm.visible.log_base - rbm.free_energy(v) - exact_log_z(rbm)


SPIN = {Bernoulli: (to_ising, Ising, lambda x: 2 * x - 1), Ising: (to_bernoulli, Bernoulli, lambda x: (x + 1) / 2)}
SPIN_PAIRS = tuple((side, other) for side in (Bernoulli(3), Ising(3)) for other in SIDES)


@over_strengths
@over_pairs(SPIN_PAIRS)
def test_bernoulli_and_ising_are_one_family(visible, hidden, strength):
    """Either side converted, or both: ln p of each visible state stays, and the way back is the identity."""
    convert, wanted, move = SPIN[type(visible)]
    for rbm in (machine(visible, hidden, strength), machine(hidden, visible, strength)):
        changed = convert(rbm)
        pairs = ((rbm.visible, changed.visible), (rbm.hidden, changed.hidden))
        assert all(
            new == (wanted(old.n) if isinstance(old, type(visible)) else old) for old, new in pairs
        )  # parts of a product stay
        v = representatives(rbm.visible)
        moved = move(v) if isinstance(rbm.visible, type(visible)) else v
        torch.testing.assert_close(log_p(changed, moved), log_p(rbm, v), rtol=1e-12, atol=1e-12)
        back = SPIN[wanted][0](changed)
        if not isinstance(rbm.visible, wanted) and not isinstance(rbm.hidden, wanted):
            for x, y in zip(back.tensors, rbm.tensors, strict=True):
                torch.testing.assert_close(x, y, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("none", [False, True])
@over_strengths
@over_sides()
def test_a_one_hot_hidden_side_is_a_mixture(side, strength, none):
    rbm = machine(side, OneHot(1, 3, none), strength)
    log_pi, eta = to_mixture(rbm)
    assert len(log_pi) == len(eta) == 3 + none
    assert float(log_pi.logsumexp(0)) == pytest.approx(0, abs=1e-13)
    v = representatives(side)
    mixture = (log_pi + log_density(side, eta, v[:, None])).logsumexp(1)
    torch.testing.assert_close(mixture, log_p(rbm, v), rtol=1e-12, atol=1e-12)
    back = from_mixture(side, log_pi, eta, none=none)
    assert back.hidden == rbm.hidden
    torch.testing.assert_close(log_p(back, v), log_p(rbm, v), rtol=1e-12, atol=1e-12)
    for x, y in zip(to_mixture(back), (log_pi, eta), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-11)
    if none:  # no gauge is left: the machine itself comes back
        for x, y in zip(back.tensors, rbm.tensors, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("none", [False, True])
@over_sides()
def test_a_mixture_becomes_a_machine_with_its_weights(side, none):
    gen = generator(side.spec, "mixture")
    log_pi = uniform((4,), gen, -3, 1).log_softmax(0)
    eta = parameters(side, gen, 2.0, (4,))
    eta[:, 1:] = eta[0, 1:]  # rows beyond the field are common
    rbm = from_mixture(side, log_pi, eta, none=none)
    assert rbm.hidden == OneHot(1, 3 if none else 4, none)
    v, log_v = nodes(side)
    mixture = (log_pi + log_density(side, eta, v[:, None])).logsumexp(1)
    torch.testing.assert_close(log_p(rbm, v), mixture, rtol=1e-11, atol=1e-11)
    assert float((mixture - side.log_base + log_v).logsumexp(0)) == pytest.approx(0, abs=1e-10)


@over_pairs(((Bernoulli(3), OneHot(2, 3)), (Gaussian(2), Bernoulli(3)), (Interval(2), Ising(3))))
def test_more_than_one_choice_is_no_mixture(visible, hidden):
    with pytest.raises(InputError, match=r"must be onehot:1xL"):
        to_mixture(machine(visible, hidden, 1.0))
