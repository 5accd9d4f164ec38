"""The options of a deep belief network beside those of its machines.

`harmonium.config.Config` holds for every layer; ``layer_options`` changes it for one.  This module imports nothing
heavy, so that ``--help`` is quick.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_type_hints

from harmonium.config import IN_MEMORY, Config
from harmonium.config_from import config_from, options_from
from harmonium.errors import InputError
from harmonium.options import checked, option

TASKS = ("none", "classifier", "autoencoder")
#: Options that the layers get from the network, not from the user.
_OWN = ("hidden", "target", "objective", "generative_weight", "labelled_share")
#: Those of them that a network does not have.
SINGLE = tuple(name for name in _OWN if name != "target")
_TUNING = ("fine_tune_epochs", "fine_tune_rate", "fine_tune_batch_size", "fine_tune_patience", "weight_decay")


@dataclass(frozen=True)
class DeepConfig:
    """The options of one deep run; the help texts are the fields' documentation (``harmonium train --help``)."""

    layers: str = option(
        "",
        "Stack machines, one on another, with these hidden units from the data upwards, such as 500,500,2000 or "
        "1000,500,gaussian:30,variance=1; a bare number is of Bernoulli units. The other options hold for each "
        "of them.",
        "Deep",
        shown="one machine, --hidden",
    )
    layer_options: str = option(
        "",
        "What is different in one layer, as 1:learning_rate=0.001,epochs=50; several layers are joined by ;",
        "Deep",
        shown="nothing",
    )
    fine_tune: str = option(
        "auto",
        "Then fine-tune the whole by backpropagation: as a classifier of the target, or as an autoencoder.",
        "Deep",
        choices=("auto", *TASKS),
        shown="classifier with a target, else none",
    )
    fine_tune_epochs: int = option(
        0,
        "Epochs of fine-tuning.",
        "Deep",
        shown="50, or as many as make 3,000 updates",
        low=1,
        high=1_000_000,
        special=0,
        means="50, or as many as make 3,000 updates",
    )
    fine_tune_rate: float = option(
        -1.0,
        "Adam's first rate, which falls linearly to 0.",
        "Deep",
        shown="the best on validation rows of four",
        above=0,
        special=-1,
        means="the best of four",
    )
    fine_tune_batch_size: int = option(100, "Rows in a minibatch of fine-tuning.", "Deep", low=1)
    fine_tune_patience: int = option(
        0, "Epochs without a better validation score after which it stops; 0 never stops.", "Deep", low=0
    )
    weight_decay: float = option(0.0, "Decay of all weights while fine-tuning.", "Deep", low=0)
    likelihood: str = option(
        "yes",
        "Score ln p of each layer's data, and with it the bound; without, no ln Z is looked for, which may take longer "
        "than the training.",
        "Deep",
        choices=("yes", "no"),
    )
    dropout: str = option(
        "0,0",
        "Fractions of the inputs and of the hidden units that are left out while a classifier is fine-tuned, such as "
        "0.2,0.5.",
        "Deep",
    )

    def __post_init__(self) -> None:
        types = get_type_hints(DeepConfig)
        for spec in fields(self):
            object.__setattr__(self, spec.name, checked(spec, types[spec.name], getattr(self, spec.name)))
        _ = self.dropouts, self.changes, self.hidden

    @property
    def hidden(self) -> tuple[str, ...]:
        """The hidden side of each layer, as `harmonium.units.parse_side` reads it."""
        found: list[str] = []
        words = [part.strip() for part in self.layers.split(",")]
        if any(words) and not all(words):
            raise InputError(f"layers={self.layers!r} has nothing between two commas or at an end; write 500,500,2000.")
        for word in filter(None, words):
            if "=" in word and ":" not in word and found:  # an option of the units before, such as s=4
                found[-1] += f",{word}"
            else:
                found.append(f"bernoulli:{word}" if word.isdecimal() else word)
        if not found:
            raise InputError(f"layers={self.layers!r} names no hidden units; write layers=500,500,2000.")
        return tuple(found)

    @property
    def dropouts(self) -> tuple[float, float]:
        """The two fractions."""
        try:
            values = tuple(float(word) for word in self.dropout.split(","))
        except ValueError:
            values = ()
        if len(values) != 2 or not all(0 <= value < 1 for value in values):
            raise InputError(
                f"dropout={self.dropout!r} must be two fractions from 0 to below 1, of inputs and of hidden units; "
                "write dropout=0.2,0.5."
            )
        return values[0], values[1]

    @property
    def changes(self) -> dict[int, dict[str, str]]:
        """The options that differ, by the number of the layer."""
        found: dict[int, dict[str, str]] = {}
        for part in filter(None, (part.strip() for part in self.layer_options.split(";"))):
            match = re.fullmatch(r"(\d+)\s*:(.*)", part)
            pairs = [pair.partition("=") for pair in match[2].split(",")] if match else []
            if match is None or not all(equals for _, equals, _ in pairs):
                raise InputError(
                    f"layer_options={self.layer_options!r} cannot be read at {part!r}; write "
                    "1:learning_rate=0.001,epochs=50; 2:epochs=20."
                )
            number, names = int(match[1]), [name.strip() for name, _, _ in pairs]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None or number in found:
                what = f"layer {number}" if twice is None else f"{twice} of layer {number}"
                raise InputError(
                    f"layer_options={self.layer_options!r} gives {what} twice; write all options of a layer once, as "
                    "1:learning_rate=0.001,epochs=50."
                )
            found[number] = {name.strip(): value.strip() for name, _, value in pairs}
        for number in found:
            if not 1 <= number <= len(self.hidden):
                raise InputError(f"layer_options is about layer {number} of {len(self.hidden)}; correct the number.")
        return found

    def task(self, config: Config) -> str:
        """What is fine-tuned: one of `TASKS`."""
        if self.fine_tune == "auto":
            return "classifier" if config.target else "none"
        if self.fine_tune == "classifier" and not config.target:
            raise InputError("fine_tune=classifier needs labels to predict; set target=label.")
        return self.fine_tune

    def refuse_idle(self, config: Config) -> None:
        """Raise InputError where an option of fine-tuning has been changed and would do nothing.

        It is for what is asked for: the stored options of earlier runs may hold such values, and go on loading.
        """
        task = self.task(config)
        for name in (spec.name for spec in fields(self) if getattr(self, spec.name) != spec.default):
            if name == "dropout" and task != "classifier" and any(self.dropouts):
                raise InputError(
                    f"dropout={self.dropout} does nothing where no classifier is fine-tuned; set target=label and "
                    "fine_tune=classifier, or leave it out."
                )
            if name in _TUNING and task == "none":
                raise InputError(
                    f"{name}={getattr(self, name)} does nothing without fine-tuning; set fine_tune=autoencoder, or "
                    "fine_tune=classifier with a target, or leave it out."
                )

    def layer(self, config: Config, number: int) -> Config:
        """The options of machine `number`, from 1, on the data (1) or on what the machine below it says of them."""
        changes = self.changes.get(number, {})
        for name in changes:
            if name.replace("-", "_") in (*_OWN, "data", "visible", "held_out", "validation", "seed"):
                raise InputError(f"layer_options cannot change {name}; it holds for the whole network.")
        try:
            own = config_from(changes, from_text=True)
        except InputError as error:
            raise InputError(f"layer_options of layer {number}: {error}") from None
        named = {name.replace("-", "_"): getattr(own, name.replace("-", "_")) for name in changes}
        whole = replace(config, hidden=self.hidden[number - 1], target="", objective="auto", **named)
        if number == 1:
            return whole
        return replace(whole, data=IN_MEMORY, data_path="", classes="", labels="", scale=0.0)

    def as_dict(self) -> dict[str, Any]:
        """All options, ready for TOML or JSON."""
        return asdict(self)


def split_options(options: Mapping[str, Any], *, from_text: bool = False) -> tuple[dict[str, Any], DeepConfig]:
    """Options of the machines, and those of the network, out of all of them.

    Raises InputError for the objectives of a single machine, which a network has not.
    """
    named = {key.replace("-", "_"): value for key, value in options.items()}
    own = {spec.name for spec in fields(DeepConfig)}
    for name in SINGLE:
        if name in named:
            raise InputError(f"{name}={named[name]!r} is for one machine, and layers stacks several; leave it out.")
    deep = options_from(DeepConfig, {k: v for k, v in named.items() if k in own}, from_text=from_text)
    return {key: value for key, value in named.items() if key not in own}, deep


def of_machines(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options with the optimizer of generative machines where none is said.

    Each learns its data, whatever the network is to predict.
    """
    return {**options, "optimizer": "sgd"} if options.get("optimizer", "auto") == "auto" else dict(options)
