"""Adam with shorter or longer steps for what touches the hidden units: W and b move by f times Adam's step, a by it.

Adam's step does not depend on the scale of the gradient (Kingma and Ba 2015), so that f is the ratio of the two rates.
"""

from __future__ import annotations

import torch

from harmonium.machine import RBM, packed
from harmonium.training.objective import Objective
from harmonium.training.update import GradientUpdate


class ScaledUpdate(GradientUpdate):
    """`GradientUpdate` with Adam (or AdaMax) at a constant rate, times `factor` for W and b."""

    def __init__(self, rbm: RBM, rate: float, factor: float = 1.0, optimizer: str = "adam") -> None:
        super().__init__(rbm, optimizer, lambda step: rate)
        self.factors = None
        if factor != 1:
            of_each = RBM(rbm.visible, rbm.hidden, *(torch.full_like(x, factor) for x in rbm.tensors))
            of_each.a.fill_(1)
            self.factors = packed(of_each)[0]

    def step(self, number: int, objective: Objective) -> None:
        """Adam's step, then back by what the factor leaves of it."""
        before = None if self.factors is None else self.flat.clone()
        super().step(number, objective)
        if before is not None and self.factors is not None:
            torch.lerp(before, self.flat, self.factors, out=self.flat)
