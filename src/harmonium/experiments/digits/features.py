"""What one machine says of images, classified by logistic regression: do features help that no label has shaped?"""

from __future__ import annotations

from harmonium.experiments.digits.document import MARK_SOURCES, MARKS
from harmonium.experiments.digits.logistic import CHOICES, STEPS, logistic
from harmonium.experiments.digits.scales import images
from harmonium.experiments.digits.stacks import FEATURES, stack_tasks
from harmonium.experiments.digits.words import against_mark, binomial, per_cent, reached, said, training_took, wrong_of
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Task
from harmonium.experiments.training import machine
from harmonium.experiments.words import n
from harmonium.plots import weights
from harmonium.report import blocks

#: Hidden units of the machine, and seeds.
HIDDEN = {"full": "bernoulli:1000", "quick": "bernoulli:60"}
SEEDS = {"full": 3, "quick": 2}
#: Hidden units whose weights are shown.
_SHOWN = 40


def feature_tasks(scale: Scale) -> dict[str, Task]:
    """A regression a seed on the features of its machine, and these machines."""
    found = {}
    for seed in range(SEEDS[scale.name]):
        machines = stack_tasks(scale, (HIDDEN[scale.name],), seed, FEATURES)
        found[f"machine-{seed}"] = machines["1"]
        found[f"features-{seed}"] = logistic(scale, machines, seed=seed)
    return found


def tasks(scale: Scale) -> dict[str, Task]:
    """Features and, to compare with, the images themselves."""
    return {**feature_tasks(scale), "images": logistic(scale, {}, seed=0)}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Errors on features and on images."""
    scale = notebook.scale
    seeds = range(SEEDS[scale.name])
    own = [results[f"features-{seed}"].value for seed in seeds]
    plain = results["images"].value
    machines = [results[f"machine-{seed}"].value for seed in seeds]
    of = own[0]["of"]
    errors, pixels = per_cent([one["wrong"] for one in own], of), per_cent([plain["wrong"]], of)
    took = training_took([one["seconds"] for one in machines], machines[0]["threads"])
    notebook.numbers["features"] = {
        "wrong": [one["wrong"] for one in own], "of": of, "error": errors.as_dict(), "mark": MARKS["features"],
        "C": [one["C"] for one in own], "choices": [one["choice"] for one in own], "images": plain,
        "seconds_of_machines": [one["seconds"] for one in machines],
        "seconds_of_regression": [one["seconds"] for one in own], "threads": machines[0]["threads"],
    }  # fmt: skip
    rows = [
        [f"{HIDDEN[scale.name].partition(':')[2]} hidden means", said(errors), binomial([o["wrong"] for o in own], of),
         ", ".join(n(100 * o["wrong"] / of) for o in own), ", ".join(f"{o['C']:g}" for o in own)],
        ["grey values", said(pixels), binomial([plain["wrong"]], of), n(pixels.value), f"{plain['C']:g}"],
    ]  # fmt: skip
    table = blocks.Table(
        ("logistic regression on", "test error, %", "binomial", "every seed", "C"), rows,
        wrong_of(of),
        note=f"The machine: {FEATURES.words(scale)}, grey values as probabilities; its training took {took}. "
        + "Validation images chose these settings among a few. " * scale.comparable
        + f"C is chosen from {', '.join(f'{c:g}' for c in CHOICES)} by a twelfth of the training images, {STEPS} steps "
        "of L-BFGS each; then all of them train.",
    )  # fmt: skip
    W = machine(results["machine-0"]).W.T[:_SHOWN].double().numpy()
    shape = images(str(scale.data["data"])).shape
    picture = notebook.figure(
        "features-weights", weights(W, shape, columns=10),
        f"Weights of {_SHOWN} of the hidden units to the pixels: what a feature looks for.",
        "Tiles of weights, red and blue.",
    )  # fmt: skip
    blocks_: list[blocks.Block] = [table, picture]
    verdict = notebook.verdict(
        f"features of one machine with logistic regression make at most {MARKS['features']:g} % errors",
        "the field's mark", against_mark(errors, MARKS["features"]),
        f"{said(errors)} % over {errors.n} seeds; {MARK_SOURCES['features']}. Confirmed: the mean is at or below the "
        "mark; contradicted: its interval lies above.",
    )  # fmt: skip
    lead = (
        f"Logistic regression on {HIDDEN[scale.name].partition(':')[2]} hidden means, which no label has shaped, makes "
        f"{said(errors)} % errors{reached(errors, MARKS['features'], scale.comparable)}; on the grey values themselves "
        f"{n(pixels.value)} %."
    )
    return blocks.Section("features", TITLE, [verdict, *blocks_], lead)


TITLE = "How good are features that no label has shaped?"
PART = Part("features", TITLE, tasks, section)
