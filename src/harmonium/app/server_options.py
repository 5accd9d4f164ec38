"""What may be asked of a training from the page: a few of the options of a run, each within bounds of its own.

The page cannot name a file: its data are those of `data_sets`, and all other options keep their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from harmonium.config import Config
from harmonium.config_from import options_from
from harmonium.data.mnist import at_hand
from harmonium.errors import InputError
from harmonium.options import checked, option, takes

#: Ways to the gradient that learn from pictures alone, in the order of the form.
GRADIENTS = ("pcd", "cd", "pseudolikelihood", "flow", "tap")
#: Points of the learning curve of small data; of large ones as many as a run can afford.
MEASURED = 25
_MOST_HIDDEN = 2000


@dataclass(frozen=True)
class LiveOptions:
    """The form of the page; names and defaults are those that it shows."""

    data: str = option("digits", "Data", "Live", choices=("digits", "mnist"))
    hidden: int = option(64, "Hidden units", "Live", low=1, high=_MOST_HIDDEN)
    negative: str = option("pcd", "Gradient", "Live", choices=GRADIENTS)
    learning_rate: float = option(0.03, "Learning rate", "Live", above=0, high=10)
    epochs: int = option(100, "Epochs", "Live", low=1, high=10_000)
    names: bool = option(True, "Learn the labels too", "Live")
    pace: int = option(100, "Updates a second", "Live", low=0, high=100_000)
    seed: int = option(0, "Seed", "Live", low=0, high=2**32 - 1)

    def __post_init__(self) -> None:
        types = get_type_hints(LiveOptions)
        for spec in fields(self):
            object.__setattr__(self, spec.name, checked(spec, types[spec.name], getattr(self, spec.name)))

    def config(self) -> Config:
        """The options of the run; raises InputError as every run does, or for data that are not here."""
        if self.data not in data_sets():
            raise InputError(
                f"data={self.data} is not on this machine; fetch it with harmonium train {self.data}, or choose "
                f"{' or '.join(data_sets())}."
            )
        target, objective = ("label", "joint") if self.names else ("", "auto")
        return Config(
            data=self.data, hidden=f"bernoulli:{self.hidden}", negative=self.negative, epochs=self.epochs,
            learning_rate=self.learning_rate, seed=self.seed, target=target, objective=objective,
            measure=MEASURED if self.data == "digits" else 0,
        )  # fmt: skip


def live_options(given: Mapping[str, Any]) -> LiveOptions:
    """The options that a page has sent; raises InputError for an unknown one, or a value that it does not take."""
    known = {spec.name for spec in fields(LiveOptions)}
    for name in given:
        if name not in known:
            raise InputError(
                f"unknown option {name[:60]!r}; a training from the page takes {', '.join(sorted(known))}."
            )
    return options_from(LiveOptions, given)


def pace_of(value: Any) -> int:
    """Updates a second, 0 for as many as there can be; raises InputError for anything else."""
    spec = next(spec for spec in fields(LiveOptions) if spec.name == "pace")
    return int(checked(spec, int, value))


def data_sets() -> list[str]:
    """Data sets that can be used without a network, by name."""
    return ["digits", "mnist"] if at_hand() else ["digits"]


def form() -> dict[str, Any]:
    """What the page's form needs: choices, bounds and first values."""
    found: dict[str, Any] = {}
    for spec in fields(LiveOptions):
        own = takes(spec)
        found[spec.name] = {"label": own.help, "value": spec.default, "low": own.low, "high": own.high}
    found["data"]["choices"] = data_sets()
    found["epochs"]["of"] = {"digits": LiveOptions.epochs, "mnist": 5}
    found["negative"]["choices"] = list(GRADIENTS)
    return found
