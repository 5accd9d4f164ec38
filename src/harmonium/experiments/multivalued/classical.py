"""Classifiers of other kinds on the same few images: logistic regression, a support vector machine, a small network.

Their parameters are chosen by five-fold cross-validation on the images that they are trained on; grey values are from
0 to 1, as for the machines.  The first two have one outcome whatever the seed, and repeats of them are those of the
test images' noise alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harmonium.experiments.multivalued.classifiers import SIGMA, corrupted, images, normal, sizes
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.noise import seed_for

#: Name -> seconds of the full form.
CLASSICAL = {"logistic regression": 30, "SVM (RBF)": 120, "network, one hidden layer": 60}
_GRIDS: dict[str, dict[str, list[float]]] = {
    "logistic regression": {"C": [0.01, 0.03, 0.1, 0.3, 1.0]},
    "SVM (RBF)": {"C": [1.0, 3.0, 10.0], "gamma": [0.005, 0.01, 0.02, 0.04]},
    "network, one hidden layer": {},
}


def classical(scale: Scale, kind: str) -> Task:
    """The task of training and scoring one kind."""
    size = sizes(scale)
    arguments = {
        "kind": kind, "data": size["data"], "rows": size["rows"], "hidden": size["hidden"],
        "repeats": scale.pick(5, 3),
    }  # fmt: skip
    words = kind.split(" ")[0].strip(",").lower()
    return Task(f"classical-{words}", f"{__name__}:train_classical", arguments, seconds=scale.pick(CLASSICAL[kind], 2))


def estimator(kind: str, hidden: int, seed: int) -> Any:
    """The classifier of scikit-learn, with the parameters that are not chosen."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    if kind == "logistic regression":
        return LogisticRegression(max_iter=2000)
    if kind == "SVM (RBF)":
        return SVC(kernel="rbf")
    return MLPClassifier((hidden,), random_state=seed % 2**32, max_iter=1000)


def train_classical(
    folder: Path, needs: Mapping[str, Done], *, kind: str, data: str, rows: int, hidden: int, repeats: int
) -> dict[str, Any]:
    """Errors on clean and on noisy test images, a value a repeat, and what was chosen."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    given = images(data, rows)
    x, y = given.x_train.numpy(), given.y_train.numpy()
    x_test, y_test = given.x_test, given.y_test.numpy()
    grid = _GRIDS[kind]
    fitted: Any = None
    chosen = f"{hidden} hidden units, scikit-learn's own settings"
    if grid:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed_for("multivalued", "folds") % 2**32)
        search = GridSearchCV(estimator(kind, hidden, 0), grid, cv=folds).fit(x, y)
        fitted = search.best_estimator_
        chosen = ", ".join(f"{key} = {value:g}" for key, value in search.best_params_.items())
    clean: list[float] = []
    noisy: list[float] = []
    for repeat in range(repeats):
        if not grid:
            fitted = estimator(kind, hidden, seed_for("multivalued", kind, repeat)).fit(x, y)
        if not (grid and clean):
            clean.append(float(np.mean(fitted.predict(x_test.numpy()) != y_test)))
        z = normal("test", repeat, x_test)
        noisy.append(float(np.mean(fitted.predict(corrupted(x_test, SIGMA, z).numpy()) != y_test)))
    return {"clean": clean, "noisy": noisy, "chosen": chosen}
