"""rbms, learnergy and QuCumber, each by the call that trains there, in its kindest form.

rbms        its update, `fit_batch_pcd` and a step of SGD, on rows gathered from a permutation; its `train` draws a
            permutation of all rows and rewrites a file at each update besides
learnergy   `fit`, which scores each minibatch by pseudo-likelihood; that cannot be turned off
QuCumber    `fit`, in float64, the only precision that it has
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from speed.cases import Case
from speed.rows import Rows
from speed.tools import Training

_RATE = 0.01


def passes(updates: int, batch: int, number: int) -> Iterator[tuple[int, int]]:
    """Updates as (rows of a pass, passes): whole passes through all rows, then part of one."""
    each = max(1, number // batch)
    whole, rest = divmod(updates, each)
    if whole:
        yield each * batch, whole
    if rest:
        yield rest * batch, 1


def rbms_trainer(case: Case, rows: Rows, variant: str = "") -> Training:
    """PCD-1, centred, each gradient divided by its norm: its defaults."""
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.dataset.dataset_class import RBMDataset
    from rbms.training.pcd import fit_batch_pcd

    n = rows.number
    names, labels, weights = np.zeros(n, "U1"), np.zeros(n), np.ones(n, np.float32)
    data = RBMDataset(rows.filled(np.float32), labels, weights, names, "rows", True, device="cpu")
    machine = BBRBM.init_parameters(case.units, data, torch.device("cpu"), torch.float32)
    machine.init_grad()
    optimizer = torch.optim.SGD(machine.parameters(), lr=_RATE, maximize=True)
    chains = machine.init_chains(case.batch)
    order, place = torch.randperm(n), 0

    @torch.no_grad()
    def more(updates: int) -> None:
        nonlocal chains, order, place
        for _ in range(updates):
            if place + case.batch > n:
                order, place = torch.randperm(n), 0
            drawn = order[place : place + case.batch]
            place += case.batch
            optimizer.zero_grad(set_to_none=False)
            chains, _ = fit_batch_pcd((data.data[drawn], data.weights[drawn]), chains, machine, 1, 1.0)
            optimizer.step()

    return Training(more)


def learnergy_trainer(case: Case, rows: Rows, variant: str = "") -> Training:
    """CD-1 with plain steps."""
    import torch
    from learnergy.models.bernoulli import RBM
    from torch.utils.data import TensorDataset

    X = torch.from_numpy(rows.filled(np.float32))
    y = torch.zeros(len(X))
    model = RBM(n_visible=case.visible, n_hidden=case.units, steps=1, learning_rate=_RATE)

    def more(updates: int) -> None:
        for number, epochs in passes(updates, case.batch, len(X)):
            model.fit(TensorDataset(X[:number], y[:number]), batch_size=case.batch, epochs=epochs)

    return Training(more)


def qucumber_trainer(case: Case, rows: Rows, variant: str = "") -> Training:
    """CD-1 with plain steps; `fit` copies the rows that it is given, so the first call, for the memory, gives all."""
    import torch
    from qucumber.callbacks import LambdaCallback
    from qucumber.nn_states import PositiveWaveFunction

    X = torch.from_numpy(rows.filled(np.uint8))
    state = PositiveWaveFunction(case.visible, case.units, gpu=False)

    def stop(of: PositiveWaveFunction, epoch: int, batch: int) -> None:
        of.stop_training = True

    def fit(number: int, epochs: int, callbacks: list[LambdaCallback]) -> None:
        state.fit(X[:number], epochs=epochs, pos_batch_size=case.batch, k=1, lr=_RATE, callbacks=callbacks)

    fit(len(X), 1, [LambdaCallback(on_batch_end=stop)])
    state.stop_training = False

    def more(updates: int) -> None:
        for number, epochs in passes(updates, case.batch, len(X)):
            fit(number, epochs, [])

    return Training(more)
