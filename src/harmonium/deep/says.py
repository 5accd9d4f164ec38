"""Class probabilities of a fine-tuned network, as `harmonium.runs.classifier` asks for them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from harmonium.evaluate.classification import Floats
from harmonium.feed import Feed
from harmonium.runs.classifier import Says

_BLOCK = 2000


@torch.no_grad()
def network_log_probabilities(network: nn.Module, feed: Feed, rows: Tensor) -> Floats:
    """ln P(y | x) (n, C), in nats, of the given rows (n,): the softmax of the network's outputs, in float64."""
    network.eval()
    found = [network(feed.inputs(block).cpu()) for block in rows.split(_BLOCK)]
    return torch.cat(found).double().log_softmax(-1).numpy()


def network_says(network: nn.Module) -> Says:
    """What a network with an output for each class says."""
    return partial(network_log_probabilities, network)
