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
        None where the samples are independent, the chains too short to tell, or clamped to different rows.
    facts : mapping
        Numbers of the method's own, such as how often swaps were accepted.
    """

    v: Tensor
    series: Tensor | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Given:
    """What a sampler may know beside the machine.

    Attributes
    ----------
    start : Tensor (number, V), optional
        Visible states to start from.
    clamp : Tensor (V,) of bool, optional
        Entries that keep the values of `start`.
    snapshots : sequence of RBM, optional
        Machines that training has passed through, in order.
    base : Tensor (k_v, V), optional
        Natural parameters of independent units with the data's base rates.
    """

    start: Tensor | None = None
    clamp: Tensor | None = None
    snapshots: Sequence[RBM] | None = None
    base: Tensor | None = None


NOTHING = Given()


class Sampler(Protocol):
    """A way to draw `number` visible states."""

    def __call__(self, rbm: RBM, number: int, steps: int, noise: Noise, given: Given = NOTHING) -> Samples:
        """Draw visible states."""
        ...


def refuse_start(method: str, given: Given) -> None:
    """Raise InputError for a sampler that knows neither starts nor clamped entries."""
    if given.clamp is not None:
        raise InputError(f"method={method} cannot hold entries fixed (clamp); use method=gibbs.")
    if given.start is not None:
        raise InputError(f"method={method} does not start from data; leave start out or use method=gibbs.")
