"""What a deep run leaves in memory: its machines, the network that was made of them, and their scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from harmonium.deep.scores import table
from harmonium.deep.stack import Stack, features
from harmonium.errors import InputError
from harmonium.runs.finished import Run


@dataclass(frozen=True, eq=False)
class DeepRun:
    """A finished deep run.

    Attributes
    ----------
    stack : Stack
        The pre-trained machines.
    network : Sequential or None
        The fine-tuned network, a plain `torch.nn.Sequential`: a classifier's logits, or an autoencoder of two parts.
        None without fine-tuning; `harmonium.deep.unroll.encoder` of the stack is then what `harmonium export` writes.
    layers : list of Run
        The runs of the machines.
    classes : tuple
        What a classifier's outputs stand for.
    summary : dict
        Scores of the layers, the bound, the network.
    history : list of dict
        One entry an epoch of fine-tuning.
    folder : Path or None
    """

    stack: Stack
    network: nn.Sequential | None
    layers: list[Run]
    classes: tuple[int | str, ...]
    summary: dict[str, Any]
    history: list[dict[str, Any]]
    folder: Path | None

    def __str__(self) -> str:
        return table(self.summary)

    def features(self, v: Any, layers: int | None = None) -> np.ndarray:
        """Hidden means of layer number `layers`, the top by default, before fine-tuning: (N, V) -> (N, H_l).

        v are values as the first machine takes them, such as grey values from 0 to 1.  Raises InputError for other
        shapes or numbers of layers.
        """
        v = torch.as_tensor(np.asarray(v, dtype=np.float32))
        if v.dim() != 2 or v.shape[1] != self.stack.visible.size:
            raise InputError(f"v has the shape {tuple(v.shape)}; give (N, {self.stack.visible.size}).")
        if layers is not None and not 1 <= layers <= len(self.stack):
            raise InputError(f"layers={layers!r} must be a number from 1 to {len(self.stack)}.")
        with torch.no_grad():
            return features(self.stack, v, layers).numpy()
