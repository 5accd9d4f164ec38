"""Question 2: would a standard machine beat the one-hot machine, at equal units, weights and training time?

A one-hot unit of q states has as many weights as q Bernoulli units, so equal units and equal weights are the same
comparison; time is a third.  All are trained on the training images, the best machine on a tenth of them is kept, and
all others are held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harmonium.config_from import config_from
from harmonium.evaluate.likelihood import doubts, log_z, score, states_of
from harmonium.experiments.mnist_789.words import n
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import data_of, machine, training
from harmonium.logz.progressive import Wanted
from harmonium.plots.score_against import Series, score_against
from harmonium.report import blocks
from harmonium.runs.inputs import open_inputs
from harmonium.runs.summary import as_dict

_SIZES, _QUICK_SIZES = (8, 16, 32, 64, 128, 500), (8, 16, 55)
#: Two estimates of one ln Z should agree within this, in nats.
AGREE = 0.5
#: Units up to which ln Z is known well whatever the weights.  Larger machines are held to smaller weights, so that
#: theirs can be known too; smaller ones have the longer way to their optimum.
_SMALL = 64
_SLOW = {"learning_rate": 0.03, "momentum": 0.9, "l2": 1e-4, "epochs": 100}
_FAST = {"learning_rate": 0.1, "momentum": 0.0, "l2": 1e-3, "epochs": 40}


def sizes(scale: Scale) -> tuple[int, ...]:
    """Units, or states."""
    chosen: tuple[int, ...] = scale.pick(_SIZES, _QUICK_SIZES)
    return chosen


def _own(scale: Scale, units: int) -> dict[str, Any]:
    """The settings that depend on the size."""
    own = _SLOW if units <= _SMALL else _FAST
    return {**own, "epochs": scale.pick(own["epochs"], 300)}


def _bernoulli(scale: Scale, units: int) -> Task:
    options = {
        **scale.data, **_own(scale, units), "hidden": f"bernoulli:{units}", "negative": "pcd", "optimizer": "sgd",
        "batch_size": scale.pick(500, 100), "measure": scale.pick(8, 5),
        "validation": 0.1, "held_out": "auto",
    }  # fmt: skip
    return training(f"pcd-{units}", options, 1, scale.pick(35 + units * 0.25, 2))


def _onehot(scale: Scale, states: int) -> Task:
    options = {
        **scale.data, "hidden": f"onehot:{states}", "optimizer": "em", "epochs": scale.pick(60, 30),
        "measure": scale.pick(12, 5), "validation": 0.1, "held_out": "auto",
    }  # fmt: skip
    return training(f"mixture-{states}", options, 1, scale.pick(60 * (0.1 + states * 0.004), 1))


def bernoulli_500(scale: Scale) -> Task:
    """The largest standard machine, which other parts generate with."""
    return _bernoulli(scale, sizes(scale)[-1])


def tasks(scale: Scale) -> dict[str, Task]:
    """A machine of each kind and size; the likelihoods of the standard ones from both sides, with time for it."""
    found = {}
    for size in sizes(scale):
        trained = _bernoulli(scale, size)
        arguments = {
            "options": dict(trained.arguments["options"]),
            "seconds": _patience(scale, size),
        }
        found[f"trained-{size}"] = trained
        found[f"bernoulli-{size}"] = Task(
            f"likelihood-{size}", f"{__name__}:likelihood", arguments, {"machine": trained},
            _patience(scale, size) / 2 if size <= _SMALL else _patience(scale, size),
        )  # fmt: skip
        found[f"onehot-{size}"] = _onehot(scale, size)
    return found


def _patience(scale: Scale, size: int) -> float:
    """Seconds that the estimate of ln Z may take."""
    seconds: float = scale.pick(240 if size > 250 else 120 if size > _SMALL else 20, 2)
    return seconds


def likelihood(folder: Path, needs: Mapping[str, Done], *, options: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Scores with ln Z from both sides, to a tenth of a nat or as far as the seconds reach."""
    rbm = machine(needs["machine"])
    config = config_from(options)
    inputs = open_inputs(config, data_of(config))
    wanted = Wanted(precision=0.1, seconds=seconds)
    states = states_of(inputs.feed, inputs.rows.train, seed=1)
    z = log_z(rbm, base=inputs.base, states=states, seed=1, wanted=wanted)
    parts = {"train": inputs.rows.train, "held_out": inputs.rows.held_out}
    scores = {name: score(rbm, inputs.feed, rows, z).value for name, rows in parts.items()}
    return {**scores, "half_width": z.half_width, "log_z": as_dict(z), "doubts": doubts(z)}


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Both kinds side by side by units, weights and time."""
    scale = notebook.scale
    rows: list[list[Any]] = []
    kept: dict[str, Any] = {}
    for size in sizes(scale):
        standard, mixture = results[f"bernoulli-{size}"].value, results[f"onehot-{size}"].value
        seconds = results[f"trained-{size}"].value["seconds"][0], mixture["seconds"][0]
        kept[str(size)] = {
            "bernoulli": standard | {"seconds": seconds[0]},
            "onehot": {"train": mixture["train"][0], "held_out": mixture["held_out"][0], "seconds": seconds[1]},
        }
        rows.append(
            [size, f"{_error(standard)}", n(standard["train"]), n(standard["held_out"]), f"{seconds[0]:.2g} s",
             n(mixture["train"][0]), n(mixture["held_out"][0]), f"{seconds[1]:.2g} s"]
        )  # fmt: skip
    notebook.numbers["equal"] = kept
    table = blocks.Table(
        ("units, or states", "± of ln Z", "Bernoulli: training", "held out", "time", "one-hot: training", "held out",
         "time"),
        rows,
        "Standard machines (PCD) and one-hot machines (EM) of equal numbers of units and so of weights; "
        f"{notebook.per_image}.",
        note="The best machine on the validation rows is kept. One-hot: exact. Times on one core, as they were. PCD, "
        f"up to {_SMALL} units: {_in_words(_own(scale, _SMALL))}; more units: {_in_words(_own(scale, _SMALL + 1))}, "
        "which keeps the weights small enough for ln <i>Z</i> to be known well, at a cost in likelihood.",
    )  # fmt: skip
    largest = sizes(scale)[-1]
    standard, mixture = kept[str(largest)]["bernoulli"], kept[str(largest)]["onehot"]
    lead = standard["held_out"] - mixture["held_out"]
    error = standard["half_width"] or 0.0
    blocks_after = [_agreement(standard, largest)]
    verdict = notebook.verdict(
        "with more computing, the standard machine might outperform the one-hot variant", "section 5",
        "confirmed" if lead > error else "contradicted" if lead < -error else "undecided",
        f"With {largest} units each, held out: {n(standard['held_out'])} ± {n(error)} against "
        f"{n(mixture['held_out'])}, a lead of {n(lead)} nats.",
    )  # fmt: skip
    figures = [_by_size(kept, scale, notebook), _by_time(results, scale, notebook)]
    first = sizes(scale)[0]
    ahead = [size for size in sizes(scale)
             if kept[str(size)]["bernoulli"]["held_out"] > kept[str(size)]["onehot"]["held_out"]]  # fmt: skip
    words = (
        "at every size tried" if len(ahead) == len(sizes(scale)) else f"at {len(ahead)} of {len(sizes(scale))} sizes"
    )
    return blocks.Section(
        "equal", "Question 2: standard or one-hot?", [verdict, table, *blocks_after, *figures],
        f"At equal numbers of units and weights the standard machine is ahead {words}, from {first} to {largest}: "
        f"held out, {largest} Bernoulli units reach {n(standard['held_out'], 1)} and {largest} one-hot states "
        f"{n(mixture['held_out'], 1)} nats.",
    )  # fmt: skip


def _in_words(settings: Mapping[str, Any]) -> str:
    return (
        f"rate {settings['learning_rate']:g}, momentum {settings['momentum']:g}, L2 {settings['l2']:g}, "
        f"{settings['epochs']:g} epochs"
    )


def _error(value: dict[str, Any]) -> str:
    return "exact" if value["log_z"]["method"] == "exact" else f"± {value['half_width']:.2f}"


def _agreement(value: dict[str, Any], size: int) -> blocks.Block:
    sides = value["log_z"]["sides"]
    if not sides:
        return blocks.Text(f"ln <i>Z</i> of the machine with {size} units is exact, by enumeration.")
    gap = abs(sides[1]["value"] - sides[0]["value"])
    found = " and ".join(f"{side['method']} {n(side['value'])} ± {n(side['half_width'])}" for side in sides)
    verb = "agree" if gap <= AGREE else "differ by more than they should"
    text = (
        f"ln <i>Z</i> of the machine with {size} units: {found}; both together {n(value['log_z']['value'])} ± "
        f"{n(value['half_width'])}. They {verb}: {n(gap)} nats apart, {AGREE} allowed."
    )
    doubted = " ".join(f"Warning: {doubt}." for doubt in value["doubts"])
    return blocks.Note(text + (" " + blocks.escape(doubted) if doubted else ""), "warning" if doubted else "note")


def _by_size(kept: dict[str, Any], scale: Scale, notebook: Notebook) -> blocks.Figure:
    series = []
    for kind, words in (("bernoulli", "Bernoulli units, PCD"), ("onehot", "one-hot states, EM")):
        for part, name in (("train", f"{words}: training"), ("held_out", "held-out")):
            values = [kept[str(size)][kind][part] for size in sizes(scale)]
            error = [kept[str(size)][kind].get("half_width") or 0.0 for size in sizes(scale)]
            series.append(Series(name, sizes(scale), values, error, part == "held_out"))
    ax = score_against(
        series, xlabel="units, or states of one unit (785 weights and biases each)" if scale.comparable else "units",
        log_x=True, ticks=sizes(scale), title="Standard and one-hot machines of equal size",
        subtitle="bars: 95 % interval that ln Z brings",
    )  # fmt: skip
    return notebook.figure(
        "equal-size", ax, "Likelihood against the number of units, or of states, and so of weights.",
        "Likelihood against size, two lines for each kind of machine.",
    )  # fmt: skip


def _by_time(results: Results, scale: Scale, notebook: Notebook) -> blocks.Figure:
    series = []
    chosen = (sizes(scale)[0], sizes(scale)[-1])
    for size in chosen:
        for label, words in ((f"trained-{size}", "Bernoulli"), (f"onehot-{size}", "one-hot")):
            history = results[label].value["history"][0]
            points = [(r["seconds"], r["held_out"]) for r in history if r["step"] and r.get("held_out") is not None]
            seconds, scores = zip(*points, strict=True)
            series.append(Series(f"{size} {words}", seconds, scores))
    ax = score_against(
        series, xlabel="seconds of training, one core, measuring included", log_x=True,
        ylabel="held-out log-likelihood, nats per image", title="The same against training time",
        subtitle="ln Z of many Bernoulli units is estimated on the way",
    )  # fmt: skip
    return notebook.figure(
        "equal-time", ax, "Held-out likelihood against time: what a budget buys.",
        "Likelihood against seconds, two sizes of each kind.",
    )  # fmt: skip


PART = Part("equal", "Question 2: standard or one-hot?", tasks, section)
