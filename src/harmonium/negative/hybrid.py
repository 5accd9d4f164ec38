"""The hybrid gradient: to predict the label, and to a smaller part to generate the data.

    (1 - w) ln P(y | x) + w ln p(x, y):      model = (1 - w) < . >_clamped + w < . >_generative

(Larochelle and Bengio 2008, whose alpha is w / (1 - w); multi-conditional learning, McCallum et al. 2006.)  The second
term regularises the first, and lets rows without a label take part: of them it is ln p(x).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from harmonium.machine import RBM
from harmonium.moments import Sample
from harmonium.negative.base import Info, Negative, State
from harmonium.negative.clamped import Clamped
from harmonium.noise import Noise


@dataclass(frozen=True)
class Hybrid:
    """The clamped moments and those of `generative`, whose part is `weight`."""

    generative: Negative
    weight: float

    def init(self, rbm: RBM, noise: Noise) -> State:
        """What the generative part keeps."""
        return self.generative.init(rbm, noise)

    def step(self, rbm: RBM, data: Sample, state: State, noise: Noise) -> tuple[RBM, State, Info]:
        """Both moments, mixed."""
        clamped, _, label = Clamped().step(rbm, data, {}, noise)
        model, state, info = self.generative.step(rbm, data, state, noise)
        mixed = clamped.map(lambda x, y: torch.lerp(x, y, self.weight), model)
        found = {"log_p_label": label["log_p_label"]}
        if "log_z" in info and data.known is None:
            joint = -float(rbm.free_energy(data.v, eta_h=data.eta_h).mean()) + rbm.visible.log_base - info["log_z"]
            found["objective"] = (1 - self.weight) * label["objective"] + self.weight * joint
        return mixed, state, found
