"""What a page shows, as values: panels (a machine each), their states (random, pre-trained, ...), their snapshots.

Panel      pictures to pick from, how a picture becomes a visible state, and the states side by side
State      one column: snapshots of one machine or network, the slider's positions, first to last
Snapshot   parameters after so many updates: an `RBM`, or a `Network` of plain layers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from harmonium.app.layers import KNOWN, Linear, Network, network, rounded_machine
from harmonium.app.pictures import Pictures
from harmonium.errors import InputError
from harmonium.feed import Label
from harmonium.machine import RBM
from harmonium.units import OneHot, UnitFamily, parts_of

#: Names of the columns that every page should use for what they mean.
RANDOM, PRETRAINED, FINETUNED = "Random", "Pre-trained", "Fine-tuned"
ABOUT = {
    RANDOM: "Before learning: its weights are dice rolls.",
    PRETRAINED: "After learning what the pictures are like.",
    FINETUNED: "After further lessons in rebuilding pictures.",
}
#: Families of pixels: numbers on a scale.
_PIXELS = tuple(name for name in KNOWN if name != "onehot")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Parameters after `step` updates, rounded to what travels; below 0 where nobody knows the step."""

    step: int
    model: RBM | Network


@dataclass(frozen=True, eq=False)
class State:
    """One column of the page.

    Attributes
    ----------
    name, about : str
        Its heading, and a sentence below it.
    snapshots : tuple of Snapshot
        At least one; all of one kind and size.
    """

    name: str
    about: str
    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True, eq=False)
class Panel:
    """One machine of the page, in all its states.

    Attributes
    ----------
    name : str
        What the chooser calls it.
    pictures : Pictures
        Held-out pictures to pick from, and how drawings become pictures like them.
    classes : tuple of int or str
        What the outputs of classifiers stand for; empty where there are none.
    states : tuple of State
        Side by side, in this order.
    """

    name: str
    pictures: Pictures
    classes: tuple[Label, ...]
    states: tuple[State, ...]

    def __post_init__(self) -> None:
        size = self.pictures.size
        if not self.states:
            raise InputError(f"the panel {self.name!r} has no states; give at least one.")
        for state in self.states:
            model = state.snapshots[-1].model
            inputs = label_and_pixels(model)[0].n if isinstance(model, RBM) else _inputs(model)
            if inputs != size:
                raise InputError(
                    f"the state {state.name!r} takes {inputs} pixels, but the pictures have {size}; give those that "
                    "it was trained on."
                )
            outputs = _outputs(model)
            if outputs not in (0, len(self.classes)):
                raise InputError(
                    f"the state {state.name!r} tells {outputs} classes apart, but classes names {len(self.classes)}; "
                    "name every class."
                )


def state_from_machines(name: str, machines: Sequence[tuple[int, RBM]], about: str | None = None) -> State:
    """A column of (step, machine), first to last.

    Raises InputError where a family cannot be shown, or the machines are of several kinds.
    """
    if not machines:
        raise InputError(f"the state {name!r} has no machines; give at least one.")
    sides = {(rbm.visible, rbm.hidden) for _, rbm in machines}
    if len(sides) > 1:
        raise InputError(f"the state {name!r} has machines of several kinds; give those of one training.")
    label_and_pixels(machines[0][1])
    for part in parts_of(machines[0][1].hidden):
        _known(part, KNOWN, "hidden")
    snapshots = tuple(Snapshot(step, rounded_machine(rbm)) for step, rbm in machines)
    return State(name, ABOUT.get(name, "") if about is None else about, snapshots)


def state_from_network(
    name: str,
    encoder: nn.Sequential,
    decoder: nn.Sequential,
    classifier: nn.Sequential | None = None,
    *,
    on_code: bool | None = None,
    step: int = -1,
    about: str | None = None,
) -> State:
    """A column of one deep network.

    Parameters
    ----------
    name : str
        Its heading, such as `FINETUNED`.
    encoder, decoder : torch.nn.Sequential
        From a picture (N, V) to its code and back, of Linear, Sigmoid, Tanh, ReLU, Softmax and Dropout layers.
    classifier : torch.nn.Sequential, optional
        From the code, where its inputs are as many, else from the picture, to classes.
    on_code : bool, optional
        Which of the two it takes, where that must be said.
    step : int
        The updates behind it; -1 where they are not known.
    about : str, optional
        A sentence below the heading.

    Raises
    ------
    InputError
        For a layer that the page cannot show, or parts that do not fit.
    """
    snapshot = Snapshot(step, network(encoder, decoder, classifier, on_code=on_code))
    return State(name, ABOUT.get(name, "") if about is None else about, (snapshot,))


def label_and_pixels(rbm: RBM) -> tuple[UnitFamily, OneHot | None]:
    """The family of the pixels, and of the label behind them if there is one.

    Raises InputError where the visible side is anything else, or its units cannot be shown.
    """
    parts = parts_of(rbm.visible)
    label = parts[-1] if len(parts) == 2 else None
    if len(parts) > 2 or (label is not None and not (isinstance(label, OneHot) and label.n == 1 and not label.none)):
        raise InputError(
            f"visible={rbm.visible.spec} cannot be shown; a page takes one family of pixels, and perhaps one one-hot "
            "label behind it."
        )
    _known(parts[0], _PIXELS, "visible")
    return parts[0], label if isinstance(label, OneHot) else None


def _known(side: UnitFamily, names: Sequence[str], which: str) -> None:
    if side.name not in names:
        raise InputError(
            f"{which}={side.spec} cannot be shown: a page takes {', '.join(names)} units there; train one with those."
        )


def _inputs(model: Network) -> int:
    return next(int(layer.weight.shape[1]) for layer in model.encoder if isinstance(layer, Linear))


def _outputs(model: RBM | Network) -> int:
    """How many classes it tells apart, or 0."""
    if isinstance(model, RBM):
        label = label_and_pixels(model)[1]
        return 0 if label is None else label.q
    sizes = [len(layer.bias) for layer in model.classifier or () if isinstance(layer, Linear)]
    return sizes[-1] if sizes else 0
