"""Question 5: do the optimisers differ once each has its own best learning rate?

Equal budgets: the same updates, minibatches and CD-1 for all, a rate that falls to zero, and for each optimiser the
same number of rates to choose from.  The rate is chosen by the training score on seeds that are not used afterwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harmonium.experiments import statistics
from harmonium.experiments.mnist_789.scales import PLAIN, SPLIT
from harmonium.experiments.mnist_789.words import LITTLE, n, no_more_than, spread
from harmonium.experiments.statistics import mean, p_value
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.training import scores_of, training
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks

#: Name -> options and the rates to choose from, half a decade apart.
OPTIMISERS: dict[str, tuple[dict[str, Any], tuple[float, ...]]] = {
    "SGD": ({"optimizer": "sgd", "momentum": 0.0}, (0.03, 0.1, 0.3, 1.0, 3.0)),
    "SGD with momentum": ({"optimizer": "sgd", "momentum": 0.9}, (0.003, 0.01, 0.03, 0.1, 0.3)),
    "RMSprop": ({"optimizer": "rmsprop", "momentum": 0.0}, (0.001, 0.003, 0.01, 0.03, 0.1)),
    "RMSprop with momentum": ({"optimizer": "rmsprop", "momentum": 0.9}, (0.0001, 0.0003, 0.001, 0.003, 0.01)),
    "Adam": ({"optimizer": "adam", "momentum": 0.9}, (0.001, 0.003, 0.01, 0.03, 0.1)),
}
_FIRST_SEED = 100  # of the comparison, apart from those of the choice


def _options(scale: Scale, name: str) -> dict[str, Any]:
    return {
        **scale.data, **PLAIN, **SPLIT, **OPTIMISERS[name][0], "hidden": "bernoulli:8", "negative": "cd", "steps": 1,
        "centre": "no", "learning_rate_schedule": "linear", "batch_size": scale.pick(100, 50),
        "minibatches": 20, "epochs": scale.pick(100, 20), "measure": 2,
    }  # fmt: skip


def tasks(scale: Scale) -> dict[str, Task]:
    """For each optimiser all rates on a few seeds; then the best one on seeds of its own."""
    found = {}
    seeds = scale.pick(2, 1)
    for name, (_, rates) in OPTIMISERS.items():
        label = name.replace(" with ", "-").lower()
        options = _options(scale, name)
        # a machine a rate and seed, all of them in one stack
        every = [rate for rate in rates for _ in range(seeds)]
        choice = training(
            f"rates-{label}", {**options, "learning_rate": rates[0]}, list(range(seeds)) * len(rates),
            scale.pick(2.5, 0.5), learning_rates=every, keep=False,
        )  # fmt: skip
        found[f"choice-{name}"] = choice
        arguments = {"options": options, "seeds": [_FIRST_SEED + i for i in range(scale.pick(6, 3))]}
        found[f"best-{name}"] = Task(
            f"best-rate-{label}", f"{__name__}:train_at_best", arguments, {"choice": choice}, scale.pick(15, 2)
        )
    return found


def train_at_best(folder: Any, needs: Any, *, options: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Train with the rate that scored best in the choice."""
    from harmonium.experiments.training import train

    rate = best_rate(rate_means(needs["choice"].value))
    return {"rate": rate, **train(folder, {}, options={**options, "learning_rate": rate}, seeds=seeds)}


def rate_means(value: dict[str, Any]) -> dict[float, float]:
    """The mean training score of each rate; minus infinity where a machine diverged."""
    scores: dict[float, list[float]] = {}
    for rate, score in zip(value["learning_rates"], value["train"], strict=True):
        scores.setdefault(rate, []).append(-float("inf") if score is None else score)
    return {rate: sum(own) / len(own) for rate, own in scores.items()}


def best_rate(means: dict[float, float]) -> float:
    """The rate with the highest mean."""
    return max(means, key=lambda rate: means[rate])


def _range(value: dict[str, Any]) -> float:
    """From the worst to the best rate of one optimiser, of those with no diverged machine."""
    means = [score for score in rate_means(value).values() if score > -float("inf")]
    return max(means) - min(means)


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Scores against the rates, and the comparison at the best ones."""
    series, rows, groups, held_out = [], [], {}, {}
    edges = []
    for name, (_, rates) in OPTIMISERS.items():
        means = rate_means(results[f"choice-{name}"].value)
        finite = [rate for rate in rates if means[rate] > -1e6]
        series.append(Series(name, finite, [means[rate] for rate in finite]))
        result = results[f"best-{name}"]
        groups[name] = scores_of(result)
        rate = result.value["rate"]
        if rate in (rates[0], rates[-1]):
            edges.append(name)
        held = held_out[name] = scores_of(result, "held_out")
        rows.append([name, f"{rate:g}", spread(groups[name]), spread(held), ", ".join(map(n, groups[name]))])
    f, p = statistics.variance_ratio(list(groups.values()))
    ranked = sorted(groups, key=lambda name: -mean(groups[name]).value)
    gap, p_gap = statistics.difference(groups[ranked[0]], groups[ranked[-1]])
    notebook.numbers["optimisers"] = {
        "rates": {name: rate_means(results[f"choice-{name}"].value) for name in OPTIMISERS},
        "chosen": {name: results[f"best-{name}"].value["rate"] for name in OPTIMISERS},
        "scores": groups, "held_out": held_out, "F": f, "p": p,
        "best_minus_worst": gap.as_dict(), "p_best_minus_worst": p_gap,
    }  # fmt: skip
    heights = [value for line in series for value in np.asarray(line.y, float)]
    top = max(heights)
    ax = score_against(
        series, xlabel="first learning rate (falls to zero)", log_x=True,
        ylim=(max(min(heights), top - 30) - 1, top + 1),
        title="Every optimiser has its own rate",
        subtitle="eight units, CD-1, equal numbers of updates; training "
        "score",
    )  # fmt: skip
    figure = notebook.figure(
        "optimisers", ax, "Training score against the learning rate; what lies below the frame is not shown.",
        "One curve an optimiser, each with its peak at another learning rate.",
    )  # fmt: skip
    table = blocks.Table(
        ("optimiser", "best rate", "training", "held out", "training, every seed"), rows,
        f"Each optimiser at its own best rate, on seeds that took no part in the choice: {notebook.per_image}.",
        note=f"Mean ± standard deviation. All alike? F = {f:.1f}, {p_value(p)}. Best against worst: {ranked[0]} − "
        f"{ranked[-1]} = {n(gap.value)} ± {n(gap.half_width)} nats ({p_value(p_gap)}; the pair was picked after the "
        "fact)."
        + (f" At an end of their ranges lie the rates of: {'; '.join(edges)}." if edges else ""),
    )  # fmt: skip
    verdict = notebook.verdict(
        "no optimiser is better than the others once its parameters are set correctly", "section 3",
        no_more_than(gap, p),
        f"At equal budgets the means differ by at most {n(gap.value)} ± {n(gap.half_width)} nats ({ranked[0]} against "
        f"{ranked[-1]}); that all are alike: {p_value(p)}. Confirmed would be an interval within ± {LITTLE:g} nats, "
        "contradicted p < 0.05.",
    )  # fmt: skip
    ranges = {name: _range(results[f"choice-{name}"].value) for name in OPTIMISERS}
    widest = max(ranges, key=lambda name: ranges[name])
    lost = sum(sum(results[f"choice-{name}"].value["diverged"]) for name in OPTIMISERS)
    lead = (
        f"At its own best rate each reaches between {n(mean(groups[ranked[-1]]).value)} ({ranked[-1]}) and "
        f"{n(mean(groups[ranked[0]]).value)} ({ranked[0]}). Over the rates tried the score of one optimiser varies by "
        f"up to {n(ranges[widest], 1)} nats ({widest})" + (f", and {lost} machines diverged" if lost else "") + "."
    )
    return blocks.Section("optimisers", "Question 5: do the optimisers differ?", [verdict, figure, table], lead)


PART = Part("optimisers", "Question 5: do the optimisers differ?", tasks, section)
