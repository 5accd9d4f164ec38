"""What every sampler takes and returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from harmonium.errors import InputError
from harmonium.machine import RBM
from harmonium.noise import Noise


@dataclass(frozen=True, eq=False)
class Samples:
    """Visible states, and what tells whether they can be believed.

    Attributes
    ----------
    v : Tensor (number, V)
        The states.
    series : Tensor (draws, chains, 4), optional
        Free energy and projections of the chains after each sweep that counts, for `harmonium.diagnostics.diagnose`;
        None where the samples are independent, or the chains too short to tell.
    facts : mapping
        Numbers of the method's own, such as how often swaps were accepted.
    """

    v: Tensor
    series: Tensor | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


class Sampler(Protocol):
    """A way to draw `number` visible states."""

    def __call__(
        self,
        rbm: RBM,
        number: int,
        steps: int,
        noise: Noise,
        *,
        start: Tensor | None = None,
        clamp: Tensor | None = None,
        snapshots: Sequence[RBM] | None = None,
        base: Tensor | None = None,
    ) -> Samples:
        """Draw visible states.

        `start` (number, V) and `clamp` (V,) bool, entries that keep its values; `snapshots` of training; `base`
        (k_v, V), natural parameters of independent units with the data's base rates.
        """
        ...


def refuse_start(method: str, start: Tensor | None, clamp: Tensor | None) -> None:
    """Raise InputError for a sampler that knows neither starts nor clamped entries."""
    if clamp is not None:
        raise InputError(f"method={method} cannot hold entries fixed (clamp); use method=gibbs.")
    if start is not None:
        raise InputError(f"method={method} does not start from data; leave start out or use method=gibbs.")
