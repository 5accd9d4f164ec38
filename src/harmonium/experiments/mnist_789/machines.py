"""The machines that several parts look at: those of Tables II and III with the document's own settings, and optima.

Each is trained twice over: on every image, for the document's score, and on the training part alone, so that a
held-out score stands beside the training score.
"""

from __future__ import annotations

from typing import Any

from harmonium.experiments.mnist_789.scales import EVERY, PLAIN, SPLIT, settings
from harmonium.experiments.study import Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.training import training

#: Seconds of one training on one core, roughly.
_SECONDS = {"0": 10, "1": 2, "2": 12, "3": 1, "4": 1, "5": 13, "L5": 25, "L8": 18, "L55": 65}
#: Fewer seeds than five where one takes a minute.
_DEAR = {("L55", "every"): 3, ("L55", "split"): 2}
TABLE_II, TABLE_III = ("0", "1", "2", "3", "4", "5"), ("L5", "L8", "L55")

#: What makes the exact gradient quick on these machines: centred, with momentum, a rate that falls to nothing.
EXACT = {
    "negative": "exact", "optimizer": "sgd", "momentum": 0.9, "centre": "yes", "learning_rate": 0.3,
    "learning_rate_schedule": "linear",
}  # fmt: skip


def document_machine(scale: Scale, name: str, part: str = "every") -> Task:
    """A machine with the document's settings from several seeds; part is ``every`` or ``split``."""
    rows = EVERY if part == "every" else SPLIT
    seeds = scale.pick(_DEAR.get((name, part), 5), 3)
    options = settings(scale, name, **rows, measure=scale.pick(40, 10))
    return training(f"{name}-{part}", options, seeds, scale.pick(_SECONDS[name], 1))


def exact_machine(scale: Scale, units: int, starts: int, part: str = "every") -> Task:
    """Bernoulli units trained by the exact gradient from several starts."""
    rows = EVERY if part == "every" else SPLIT
    # Five units have bad local optima: small minibatches and large first weights leave them more often
    few = units <= 5
    options: dict[str, Any] = {
        **scale.data, **PLAIN, **rows, **EXACT, "hidden": f"bernoulli:{units}",
        "batch_size": scale.pick(500 if few else 1000, 50), "epochs": scale.pick(100, 60),
        "weight_scale": 0.3 if few else 0.01, "measure": 10,
    }  # fmt: skip
    seconds = 8 + 2 ** max(units - 8, 0) / 1.6
    return training(f"exact-{units}-{part}", options, starts, scale.pick(seconds, 1))


def mixture(scale: Scale, states: int, starts: int, part: str = "every") -> Task:
    """One one-hot unit trained by expectation-maximisation from several starts."""
    rows = EVERY if part == "every" else SPLIT
    epochs = scale.pick(150 if states <= 100 else 80, 30)
    options = {**scale.data, **PLAIN, **rows, "hidden": f"onehot:{states}", "optimizer": "em", "epochs": epochs,
               "measure": 10}  # fmt: skip
    return training(f"em-{states}-{part}", options, starts, scale.pick(epochs * (0.1 + states * 0.004), 1))
