"""scikit-learn's BernoulliRBM: the steps that its `fit` makes, on slices of the rows in their order, as there.

A call of `fit` would draw all weights anew, which is no part of an epoch.
"""

from __future__ import annotations

import numpy as np

from speed.cases import Case
from speed.rows import Rows
from speed.tools import Training


def trainer(case: Case, rows: Rows, variant: str = "") -> Training:
    """PCD-1 with plain steps, its only way."""
    from sklearn.neural_network import BernoulliRBM

    X = rows.filled(np.float32)
    model = BernoulliRBM(case.units, learning_rate=0.01, batch_size=case.batch, n_iter=1, random_state=0)
    model.fit(X[: case.batch])
    generator = np.random.RandomState(0)  # what its own check_random_state would give
    place, last = 0, len(X) - case.batch

    def more(updates: int) -> None:
        nonlocal place
        for _ in range(updates):
            model._fit(X[place : place + case.batch], generator)
            place = place + case.batch if place + case.batch <= last else 0

    return Training(more)
