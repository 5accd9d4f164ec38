"""The running average of the parameters along a training.

    mean_t = mean_(t-1) + max(rate, 1/t) (theta_t - mean_(t-1))

With learning rates at which a machine still moves from update to update, the average lies nearer to where it moves
about than any single machine does (Polyak and Juditsky 1992).  Chains belong to the machine that moves, whatever is
scored; and the average of the first 1/rate updates is the plain one, so that the start is forgotten.
"""

from __future__ import annotations

from harmonium.machine import RBM


class Average:
    """The mean of the machines so far, the last 1/rate of them or so; its tensors keep their addresses."""

    def __init__(self, rbm: RBM, rate: float) -> None:
        self.rbm, self.rate = rbm.detached(), rate

    def follow(self, rbm: RBM, number: int) -> None:
        """Take in the machine after update `number`, counted from 1."""
        weight = max(self.rate, 1 / number)
        for mean, new in zip(self.rbm.tensors, rbm.tensors, strict=True):
            mean.lerp_(new, weight)
