"""Dropout from our own stream: the formula, its gradient, its law, and networks that stay plain."""

import math

import torch
from torch import nn

from harmonium.deep.dropout import Dropout, drawing_from
from harmonium.deep.finetune import Settings, classification, fine_tune
from harmonium.noise import Noise

P = 0.3


def test_entries_stay_where_the_uniform_is_at_least_p_and_the_gradient_passes_there_alone():
    x = torch.linspace(-1, 1, 60).reshape(4, 15).requires_grad_()
    y = Dropout(P, Noise(3))(x)
    weights = torch.arange(60.0).reshape(4, 15)
    (y * weights).sum().backward()
    stays = (Noise(3).uniform(4, 15) >= P) / (1 - P)
    assert 0 < int((stays > 0).sum()) < 60
    torch.testing.assert_close(y.detach(), x.detach() * stays)
    torch.testing.assert_close(x.grad, weights * stays)


def test_the_share_that_stays_is_one_minus_p():
    """Six standard errors of a binomial share: a false alarm in 5e8 runs."""
    n = 200_000
    y = Dropout(P, Noise(0))(torch.ones(10, n // 10))
    share = float((y > 0).double().mean())
    assert abs(share - (1 - P)) < 6 * math.sqrt(P * (1 - P) / n)


def test_the_steps_move_the_network_itself_which_keeps_its_modules():
    network = nn.Sequential(nn.Dropout(0.2), nn.Linear(6, 5), nn.Sigmoid(), nn.Dropout(0.5), nn.Linear(5, 2))
    kinds = [type(each) for each in network]
    before = network[1].weight.detach().clone()
    x, y = torch.rand(40, 6), torch.arange(40) % 2
    stream = torch.get_rng_state()
    task = classification(lambda rows: x[rows], y, torch.arange(40), torch.arange(0))
    fine_tune(network, task, Settings(epochs=2, batch_size=10, learning_rate=0.01))
    assert [type(each) for each in network] == kinds
    assert not torch.equal(network[1].weight, before)
    assert torch.equal(torch.get_rng_state(), stream), "torch's own stream was drawn from"
    twin = drawing_from(network, Noise(0))
    network.eval()
    torch.testing.assert_close(twin.eval()(x), network(x), rtol=0, atol=0)


def test_chains_within_chains_draw_from_the_same_stream():
    x, y = torch.rand(40, 6), torch.arange(40) % 2
    task = classification(lambda rows: x[rows], y, torch.arange(40), torch.arange(0))
    first = torch.randn(5, 6)
    found = []
    for stray in (1, 2):  # whatever state torch's own stream is in
        network = nn.Sequential(nn.Sequential(nn.Linear(6, 5), nn.Sigmoid(), nn.Dropout(0.5)), nn.Linear(5, 2))
        with torch.no_grad():
            network[0][0].weight.copy_(first)
            for own in (network[0][0].bias, network[1].weight, network[1].bias):
                own.zero_()
        torch.manual_seed(stray)
        stream = torch.get_rng_state()
        fine_tune(network, task, Settings(epochs=2, batch_size=10, learning_rate=0.01))
        assert torch.equal(torch.get_rng_state(), stream)
        assert type(network[0][2]) is nn.Dropout
        found.append(network[1].weight.detach().clone())
    assert torch.equal(*found)
