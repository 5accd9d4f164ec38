"""What a network makes of test images in three states, as a task: random, pre-trained and fine-tuned weights.

    error      |x - r(x)|², summed over the pixels, r the means all the way up and down again
    mean       r(x) is the mean training image, whatever x is: what knowing nothing of x costs
    PCA        r(x) = m + P P^T (x - m), P the leading principal components of the training images

The fine-tuned network is the unrolled one after backpropagation of the cross-entropy (of Gaussian pixels the squared
distance); nothing is chosen, the last epoch counts.  A judge that has seen real images alone says which digit it reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from harmonium.deep.finetune import Settings, fields_of, fine_tune, reconstructing
from harmonium.deep.pictures import random_stack
from harmonium.deep.stack import reconstruction
from harmonium.deep.unroll import autoencoder
from harmonium.experiments.digits.document import CODE
from harmonium.experiments.digits.logistic import Reader
from harmonium.experiments.digits.scales import Digits, digits
from harmonium.experiments.digits.stacks import stack_of, took
from harmonium.experiments.tasks import Done

#: The states, in the order of the film; and what they are compared with.
STATES = ("random", "pre-trained", "fine-tuned")
OTHERS = ("mean image", "PCA")
_BLOCK = 2000

Floats = npt.NDArray[np.float64]
#: From images (n, V) to images (n, V).
Map = Callable[[Tensor], Tensor]


def regenerate(
    folder: Path, needs: Mapping[str, Done], *, data: str, seed: int, epochs: int, rate: float, batch_size: int
) -> dict[str, Any]:
    """Fine-tune the stack as an autoencoder, and regenerate the test images in every state.

    Kept are ``errors.npz``, the squared error of each test image by state, ``read.npz``, the codes that the judge reads
    from each ("data": from the image itself), and ``shown.npz``, some images in every state.
    """
    given = digits(data)
    stack = stack_of(needs)
    network = autoencoder(stack)
    nothing = torch.empty(0, dtype=torch.int64)
    task = reconstructing(given.feed.inputs, given.feed.pixels, given.train, nothing)
    began = time.perf_counter()
    history = fine_tune(fields_of(network), task, Settings(epochs, batch_size, rate, seed=seed))
    seconds = time.perf_counter() - began
    random = random_stack(stack, seed)
    mean, components = principal(given, min(CODE, stack.sizes[-1]))
    maps: dict[str, Map] = {
        "random": lambda x: reconstruction(random, x),
        "pre-trained": lambda x: reconstruction(stack, x),
        "fine-tuned": network.eval(),
        "mean image": lambda x: mean.expand_as(x),
        "PCA": lambda x: mean + (x - mean) @ components.T @ components,
    }
    errors, read = measured(given, maps, Reader(needs["judge"]))
    _save(folder / "errors.npz", errors)
    _save(folder / "read.npz", read)
    x = given.feed.inputs(shown(given))
    with torch.no_grad():
        _save(folder / "shown.npz", {"data": x.numpy(), **{name: r(x).clamp(0, 1).numpy() for name, r in maps.items()}})
    machines = [needs[key] for key in sorted(needs) if key.isdecimal()]
    return {
        "error": {name: float(own.mean()) for name, own in errors.items()}, "of": len(given.test),
        "components": len(components), "train_error": history[-1]["train_error"], "epochs": epochs, "rate": rate,
        "history": history, "seconds": seconds, "seconds_of_machines": took(machines),
        "threads": torch.get_num_threads(),
    }  # fmt: skip


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    np.savez(path, **arrays)


def principal(given: Digits, number: int) -> tuple[Tensor, Tensor]:
    """The mean (V,) and the leading principal components (number, V), orthonormal, of the training images."""
    from sklearn.decomposition import PCA

    x = torch.cat([given.feed.inputs(rows) for rows in given.train.split(_BLOCK)]).numpy()
    pca = PCA(min(number, *x.shape), svd_solver="covariance_eigh").fit(x)
    return torch.from_numpy(pca.mean_.astype(np.float32)), torch.from_numpy(pca.components_.astype(np.float32))


@torch.no_grad()
def measured(
    given: Digits, maps: Mapping[str, Map | nn.Module], judge: Reader
) -> tuple[dict[str, Floats], dict[str, npt.NDArray[np.int64]]]:
    """Squared errors (N,) of the test images by name of the map, and the codes read, those of "data" too."""
    errors: dict[str, list[Tensor]] = {name: [] for name in maps}
    read: dict[str, list[Any]] = {name: [] for name in ("data", *maps)}
    for rows in given.test.split(_BLOCK):
        x = given.feed.inputs(rows)
        read["data"].append(judge(x))
        for name, r in maps.items():
            made = r(x)
            errors[name].append((made - x).double().square().sum(1))
            read[name].append(judge(made))
    return (
        {name: np.asarray(torch.cat(own).numpy()) for name, own in errors.items()},
        {name: np.concatenate(own) for name, own in read.items()},
    )


def shown(given: Digits) -> Tensor:
    """The first test image of each class, and the second of 2 and of 7 where there are such: row numbers (n,)."""
    places = [(code, 0) for code in range(given.classes)]
    places += [(given.feed.classes.index(label), 1) for label in (2, 7) if label in given.feed.classes]
    own = given.y[given.test]
    return torch.stack([given.test[own == code][number] for code, number in places])


def newly_misread(y: npt.ArrayLike, before: npt.ArrayLike, after: npt.ArrayLike, classes: int) -> npt.NDArray[np.int64]:
    """Of images read as their own class y (N,) `before`, which are read as what `after`: counts (C, C), 0 diagonal."""
    own, first, last = np.asarray(y), np.asarray(before), np.asarray(after)
    some = (first == own) & (last != own)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (own[some], last[some]), 1)
    return counts


def pairs_of(counts: npt.NDArray[np.int64]) -> Sequence[tuple[int, int, int]]:
    """Pairs of classes and how often one was read for the other, either way; the most frequent first."""
    both = counts + counts.T
    found = [(i, j, int(both[i, j])) for i in range(len(both)) for j in range(i + 1, len(both))]
    return sorted(found, key=lambda pair: -pair[2])
