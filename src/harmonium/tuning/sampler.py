"""Random values that depend on the seed, the trial's number and the option alone, not on who draws them or when."""

from __future__ import annotations

from typing import Any

import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler

from harmonium.noise import Noise, seed_for


class BySeedAndNumber(BaseSampler):
    """Uniform values, or uniform logarithms where the distribution is logarithmic."""

    def __init__(self, seed: int, number: int) -> None:
        self.seed, self.number = seed, number

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, BaseDistribution]:
        """Nothing is drawn jointly."""
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        """Nothing is drawn jointly."""
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: BaseDistribution) -> Any:
        """One value."""
        noise = Noise(seed_for(self.seed, "search", self.number, name), dtype=torch.float64)
        return quantile(distribution, float(noise.uniform(1)[0]))


def quantile(distribution: BaseDistribution, u: float) -> Any:
    """The value below which a part u, in [0, 1), of the distribution lies."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(u * len(distribution.choices))]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    low, high = distribution.low, distribution.high
    if isinstance(distribution, IntDistribution):
        # on a logarithmic scale the number n stands for the interval from n - 1/2 to n + 1/2
        ends = (low - 0.5, high + 0.5) if distribution.log else (low, high + 1)
        value = ends[0] * (ends[1] / ends[0]) ** u if distribution.log else ends[0] + u * (ends[1] - ends[0])
        return max(low, min(high, int(value + 0.5 if distribution.log else value)))
    value = low * (high / low) ** u if distribution.log else low + u * (high - low)
    return max(low, min(high, value))
