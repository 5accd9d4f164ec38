"""A deep belief network: three machines one on another, what each makes of its data, the bound, samples, fine-tuning.

ln p(v) >= bound(v)            `harmonium.deep.bound`; of one machine it is ln p(v) itself
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium import plots
from harmonium.config_from import config_from
from harmonium.deep.bound import log_likelihood_bound
from harmonium.deep.stack import Stack, sample
from harmonium.experiments.digits.document import MARK_SOURCES, MARKS
from harmonium.experiments.digits.scales import digits, images
from harmonium.experiments.digits.stacks import FEATURES, on_top, stack_of, stack_tasks
from harmonium.experiments.digits.tune import tuned
from harmonium.experiments.digits.words import (
    against_mark,
    binomial,
    dropped_in_words,
    layers_in_words,
    per_cent,
    reached,
    said,
    training_took,
)
from harmonium.experiments.statistics import mean
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.words import interval, n
from harmonium.intervals import Z_95
from harmonium.logz.progressive import Wanted
from harmonium.noise import Noise, seed_for
from harmonium.report import blocks
from harmonium.runs.inputs import open_inputs
from harmonium.runs.summary import final_scores

LAYERS: dict[str, tuple[str, ...]] = {
    "full": ("bernoulli:500", "bernoulli:500", "bernoulli:2000"),
    "quick": ("bernoulli:16", "bernoulli:16", "bernoulli:40"),
}
SEEDS = {"full": 3, "quick": 2}
#: Fine-tuning: all training images.  Trials of one seed with 20,000 of them and 20 epochs chose the rate by the errors
#: on 10,000 others: 1.51 % at 0.003, 1.66 % at 0.001, 1.58 % at 0.006.
EPOCHS = {"full": 60, "quick": 20}
RATE, DROPOUT = 0.003, {"full": (0.2, 0.5), "quick": (0.0, 0.1)}
#: How long, on one core, each ln Z is estimated, and how well.
LOG_Z_SECONDS, LOG_Z_PRECISION = {"full": 30.0, "quick": 0.5}, 0.1
#: Draws of the posterior for each test image; samples, and the sweeps of the top machine that lead to them.
DRAWS, SAMPLES, SWEEPS = 4, 40, {"full": 1000, "quick": 200}


def tasks(scale: Scale) -> dict[str, Task]:
    """Stacks, their bounds and samples, and classifiers made of them."""
    found: dict[str, Task] = {}
    layers = LAYERS[scale.name]
    for seed in range(SEEDS[scale.name]):
        machines = stack_tasks(scale, layers, seed, FEATURES)
        found |= {f"layer-{number}-{seed}": task for number, task in machines.items()}
        found[f"tuned-{seed}"] = tuned(
            scale,
            "dbn-tuned",
            layers,
            machines,
            seed=seed,
            epochs=EPOCHS[scale.name],
            rate=RATE,
            dropout=DROPOUT[scale.name],
        )
        arguments = {
            "data": scale.data["data"], "seed": seed, "draws": DRAWS, "sweeps": SWEEPS[scale.name],
            "log_z_seconds": LOG_Z_SECONDS[scale.name],
            "options": [task.arguments["options"] for task in machines.values()],
        }  # fmt: skip
        found[f"model-{seed}"] = Task(
            f"dbn-bound-and-samples-seed-{seed}", f"{__name__}:model", arguments, machines, scale.pick(150, 3)
        )
    return found


def model(
    folder: Path,
    needs: Mapping[str, Done],
    *,
    data: str,
    seed: int,
    draws: int,
    sweeps: int,
    log_z_seconds: float,
    options: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """What each machine makes of its own data, the bound of the test images with one machine, two, …; and samples."""
    began = time.perf_counter()
    given, stack = digits(data), stack_of(needs)
    wanted = Wanted(LOG_Z_PRECISION, log_z_seconds)
    layers, bounds = [], []
    for number, rbm in enumerate(stack.machines, 1):
        config, rows_below, _ = on_top(config_from(options[number - 1]), stack.machines[: number - 1])
        found = final_scores(open_inputs(config, rows_below), rbm, wanted=wanted)
        z = found["log_z"]
        layers.append({"scores": found["scores"], "log_z": z, "visible": rbm.visible.spec, "hidden": rbm.hidden.spec})
        noise = Noise(seed_for("digits", "bound", seed), dtype=torch.float64)  # the same images for each number
        part = Stack(stack.machines[:number])
        each = torch.cat([
            log_likelihood_bound(
                part, given.feed.pixel_states(rows, noise), z["value"], noise, draws=draws if number > 1 else 1
            )
            for rows in given.test.split(1000)
        ])  # fmt: skip
        spread = float(each.std() / math.sqrt(len(each)))
        bounds.append({
            "value": float(each.mean()), "rows_half_width": Z_95 * spread, "log_z_half_width": z["half_width"] or 0.0
        })  # fmt: skip
    noise = Noise(seed_for("digits", "samples", seed))
    with torch.no_grad():
        np.save(folder / "samples.npy", sample(stack, SAMPLES, noise, steps=sweeps, means=True).numpy())
    return {"layers": layers, "bounds": bounds, "rows": len(given.test), "seconds": time.perf_counter() - began}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Layers and bounds, samples, the classifier."""
    scale = notebook.scale
    seeds = range(SEEDS[scale.name])
    data = str(scale.data["data"])
    layers, shape = LAYERS[scale.name], images(data).shape
    words = layers_in_words(layers)
    own = [results[f"tuned-{seed}"].value for seed in seeds]
    errors = per_cent([one["wrong"] for one in own], own[0]["of"])
    took = training_took([one["seconds"] for one in own], own[0]["threads"])
    rows, numbers = [], {}
    for number, side in enumerate(layers, 1):
        machines = [results[f"model-{seed}"].value["layers"][number - 1] for seed in seeds]
        trained = [results[f"layer-{number}-{seed}"].value for seed in seeds]
        bounds = [results[f"model-{seed}"].value["bounds"][number - 1] for seed in seeds]
        log_p = [one["scores"]["held_out"]["value"] for one in machines]
        base = [one["scores"]["held_out"]["baseline"] for one in machines]
        widest = max(one["log_z"]["half_width"] or 0.0 for one in machines)
        bound = mean([one["value"] for one in bounds])
        rows.append([
            f"{number}: {machines[0]['visible']} with {side}", _nats(mean(log_p)), n(mean(base).value, 1),
            f"± {widest:.2g}" if widest else "exact", _nats(bound),
            training_took([one["seconds"] for one in trained], trained[0]["threads"]),
        ])  # fmt: skip
        numbers[str(number)] = {
            "log_p": log_p, "baseline": base, "log_z": [one["log_z"] for one in machines], "bounds": bounds,
            "seconds": [one["seconds"] for one in trained],
        }  # fmt: skip
    table = blocks.Table(
        ("machine", "ln p of its own data", "independent units", "error of ln Z", "network, ln p ≥", "training"),
        rows,
        f"Test images, drawn from their grey values, in nats an image: mean over {len(seeds)} seeds, 95 % interval.",
        note="Every machine is scored on what it is trained on: the first on the images, the others on what the one "
        "below says of them, so that the second column cannot be compared from line to line. The last but one can: it "
        "is a lower bound of ln p of the images, in the first line ln p itself. "
        f"{FEATURES.words(scale)}, {images(data).n_train:,} training images.",
    )  # fmt: skip
    made = np.load(results["model-0"].folder / "samples.npy")
    given = digits(data)
    real = given.feed.inputs(given.test[: len(made)]).numpy()
    sampled = notebook.figure(
        "dbn-samples",
        plots.samples(
            real, made, shape, limits=(0.0, 1.0),
            caption=f"{SWEEPS[scale.name]:,} Gibbs sweeps of the top machine from noise, then once down",
        ),
        f"Test images and samples of the network {words} before fine-tuning; grey values are means of the last step.",
        "Two mosaics of digits: real ones and generated ones.",
    )  # fmt: skip
    curves = notebook.figure(
        "dbn-fine-tuning",
        plots.epochs(own[0]["history"], {"loss": ("loss, nats an image", 1.0), "error": ("wrong, %", 100.0)}),
        "Fine-tuning, seed 0: averages over each epoch, with dropout, so that they are above those without.",
        "Two curves that fall with the epochs.",
    )  # fmt: skip
    verdict = notebook.verdict(
        f"{words}, pre-trained and fine-tuned, makes at most {MARKS['dbn']:g} % errors", "the field's mark",
        against_mark(errors, MARKS["dbn"]),
        f"{said(errors)} % over {errors.n} seeds; {MARK_SOURCES['dbn']}. Confirmed: the mean is at or below the mark; "
        "contradicted: its interval lies above.",
    )  # fmt: skip
    notebook.numbers["dbn"] = {
        "layers": numbers, "wrong": [one["wrong"] for one in own], "of": own[0]["of"], "error": errors.as_dict(),
        "mark": MARKS["dbn"], "seconds": [one["seconds"] for one in own], "threads": own[0]["threads"],
        "train_error": [one["train_error"] for one in own], "epochs": EPOCHS[scale.name], "rate": RATE,
        "dropout": DROPOUT[scale.name],
    }  # fmt: skip
    text = (
        f"Fine-tuned for {EPOCHS[scale.name]} epochs on all training images (Adam, rate {RATE:g} falling "
        f"to 0, dropout {dropped_in_words(DROPOUT[scale.name])}; validation images chose the rate in a trial, and the "
        f"last epoch counts): {', '.join(n(100 * one['wrong'] / one['of']) for one in own)} % wrong, one seed each; "
        f"{binomial([one['wrong'] for one in own], own[0]['of'])} % is what {own[0]['of']:,} test images tell of one. "
        f"It took {took}."
    )
    first, last = (numbers[key]["bounds"] for key in ("1", str(len(layers))))
    gain = mean([b["value"] - a["value"] for a, b in zip(first, last, strict=True)])
    lead = (
        f"The network {words} makes {said(errors)} % errors after fine-tuning"
        f"{reached(errors, MARKS['dbn'], scale.comparable)}. The upper machines change what can be proved of ln p by "
        f"{_nats(gain, sign=True)} nats an image."
    )
    return blocks.Section("dbn", TITLE, [verdict, table, sampled, curves, blocks.Text(text)], lead)


def _nats(found: Any, *, sign: bool = False) -> str:
    return n(found.value, 1) if found.n < 2 else interval(found, 1, sign=sign)


TITLE = "What does a deep belief network reach?"
PART = Part("dbn", TITLE, tasks, section)
