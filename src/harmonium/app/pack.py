"""Panels as one JSON document: numbers as base64, parameters in half precision, equal arrays once.

tensors    base64 of little-endian float16, row by row; states name them by their place in this list
pictures   base64 of bytes;  test vectors: base64 of float32
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harmonium.app.layers import Floats, Layer, Linear, Network, Units
from harmonium.app.panel import Panel, Snapshot, State
from harmonium.app.pictures import Pictures
from harmonium.app.vectors import Vector, vectors_of
from harmonium.machine import RBM
from harmonium.units import Gaussian, Multivalued, OneHot, UnitFamily, parts_of


class Tensors:
    """Arrays in the order in which they were first met."""

    def __init__(self) -> None:
        self.packed: list[str] = []
        self._places: dict[bytes, int] = {}

    def place(self, x: NDArray[Any]) -> int:
        """Where the array lies in the list; added if it is new."""
        half, digest = _half(x)
        if digest not in self._places:
            self._places[digest] = len(self.packed)
            self.packed.append(text_of(half))
        return self._places[digest]

    def find(self, x: NDArray[Any]) -> int | None:
        """Where the array lies, or None where it does not."""
        return self._places.get(_half(x)[1])


def _half(x: NDArray[Any]) -> tuple[NDArray[np.float16], bytes]:
    half = np.ascontiguousarray(x, dtype="<f2")
    return half, hashlib.sha256(f"{half.shape}".encode() + half.tobytes()).digest()


def document(panels: Sequence[Panel]) -> dict[str, Any]:
    """Everything that the page's script needs, ready for JSON."""
    tensors = Tensors()
    packed = [_panel(panel, tensors) for panel in panels]
    return {"panels": packed, "tensors": tensors.packed}


def text_of(x: NDArray[Any]) -> str:
    """An array's bytes in base64."""
    return base64.b64encode(x.tobytes()).decode("ascii")


def _panel(panel: Panel, tensors: Tensors) -> dict[str, Any]:
    return {
        "name": panel.name,
        "pictures": _pictures(panel.pictures),
        "classes": [str(name) for name in panel.classes],
        "states": [_state(state, tensors) for state in panel.states],
        "vectors": [_vector(vector) for vector in vectors_of(panel)],
    }


def _pictures(own: Pictures) -> dict[str, Any]:
    return {
        "values": text_of(own.values),
        "full": own.full,
        "shape": list(own.shape),
        "labels": list(own.labels),
        "low": own.low,
        "high": own.high,
        "threshold": own.threshold,
        "box": own.box,
        "pen": own.pen,
        "centre": list(own.centre),
    }


def _state(state: State, tensors: Tensors) -> dict[str, Any]:
    return {
        "name": state.name,
        "about": state.about,
        "snapshots": [snapshot_of(snapshot, tensors) for snapshot in state.snapshots],
    }


def snapshot_of(snapshot: Snapshot, tensors: Tensors) -> dict[str, Any]:
    """A snapshot, its arrays named by their places in `tensors`."""
    model = snapshot.model
    if isinstance(model, RBM):
        return {
            "step": snapshot.step,
            "machine": {
                "visible": side_of(model.visible),
                "hidden": side_of(model.hidden),
                **{name: tensors.place(x.numpy()) for name, x in zip("Wab", model.tensors, strict=True)},
            },
        }
    return {"step": snapshot.step, "network": _network(model, tensors)}


def _network(own: Network, tensors: Tensors) -> dict[str, Any]:
    def chain(layers: Sequence[Layer] | None, down: bool = False) -> list[dict[str, Any]] | None:
        return None if layers is None else [_layer(layer, tensors, down) for layer in layers]

    return {
        "encoder": chain(own.encoder),
        "decoder": chain(own.decoder, down=True),
        "classifier": chain(own.classifier),
        "onCode": own.on_code,
    }


def _layer(layer: Layer, tensors: Tensors, down: bool = False) -> dict[str, Any]:
    place = tensors.place
    if isinstance(layer, Units):
        bias = np.concatenate([np.zeros((1, layer.side.size)), layer.others])
        return {"kind": "units", "parts": side_of(layer.side), "b": place(bias)}
    if not isinstance(layer, Linear):
        return {"kind": layer.name}
    rows, columns = layer.weight.shape
    turned = tensors.find(layer.weight.T) if down else None
    if turned is not None:  # a decoder that begins as its encoder turned round
        return {"kind": "turned", "rows": columns, "columns": rows, "W": turned, "b": place(layer.bias)}
    return {"kind": "linear", "rows": rows, "columns": columns, "W": place(layer.weight), "b": place(layer.bias)}


def side_of(side: UnitFamily) -> list[dict[str, Any]]:
    """The parts of a side, each with its family, its units and what else its formulas need."""
    parts = []
    for part in parts_of(side):
        own: dict[str, Any] = {"family": part.name, "n": part.n, "size": part.size}
        match part:
            case Multivalued(_, s):
                own["s"] = s
            case OneHot(_, q, none):
                own |= {"q": q, "none": none}
            case Gaussian(_, variance):
                own["variance"] = variance
        parts.append(own)
    return parts


def _vector(vector: Vector) -> dict[str, Any]:
    found = vector.answer

    def single(x: Floats | None) -> str | None:
        return None if x is None else text_of(x.astype("<f4"))

    return {
        "state": vector.state,
        "snapshot": vector.snapshot,
        "picture": vector.picture,
        "hidden": single(found.hidden),
        "reconstruction": single(found.reconstruction),
        "freeEnergy": found.free_energy,
        "probabilities": single(found.probabilities),
    }
