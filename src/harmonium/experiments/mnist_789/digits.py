"""Question 6: how often is the wrong digit generated?

A judge fitted to the real images (its error on held-out ones is reported) says what each generated image shows, or that
it shows no digit; distances to the nearest other and to the nearest real image say whether a machine repeats itself or
copies its data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium.config_from import config_from
from harmonium.evaluate.generated import judged
from harmonium.evaluate.judge import Judge
from harmonium.evaluate.proportion import Proportion
from harmonium.experiments.mnist_789.equal import bernoulli_500, sizes
from harmonium.experiments.mnist_789.machines import exact_machine, mixture
from harmonium.experiments.mnist_789.scales import SPLIT
from harmonium.experiments.mnist_789.table import machine_of
from harmonium.experiments.mnist_789.words import n
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import best, data_of, machine
from harmonium.machine import RBM
from harmonium.noise import Noise
from harmonium.plots.samples import samples as draw_samples
from harmonium.report import blocks
from harmonium.runs.inputs import Inputs, open_inputs
from harmonium.samplers import automatic
from harmonium.sampling import sample

#: Sweeps after which chains begun at real digits are judged.
SWEEPS = (1, 10, 100, 1000)
_FROM_DATA = ("L5", "L8", "L55")
#: As it is; as the document sharpens it; and the temperature that this is said to correspond to.
_WAYS: dict[str, dict[str, float]] = {
    "": {},
    ", weights × 20": {"weight_factor": 20.0},
    ", temperature 1/20": {"temperature": 0.05},
}


def _models(scale: Scale) -> dict[str, Task]:
    """Name -> the task that trained it, on the training images."""
    largest = sizes(scale)[-1]
    return {
        "L5": machine_of(scale, "L5", "split"),
        "L8": machine_of(scale, "L8", "split"),
        "L55": machine_of(scale, "L55", "split"),
        "8 units, exact gradient": exact_machine(scale, 8, 2, "split"),
        "55 states, EM": mixture(scale, 55, 1, "split"),
        f"{largest} units, PCD": bernoulli_500(scale),
    }


def tasks(scale: Scale) -> dict[str, Task]:
    """One task: the judge is fitted once."""
    options = {**scale.data, **SPLIT, "validation": 0.0}
    arguments = {"options": options, "number": scale.pick(1000, 100), "sweeps": scale.pick(1000, 100)}
    return {"judged": Task("judged", f"{__name__}:judge", arguments, _models(scale), scale.pick(150, 5))}


def judge(
    folder: Path, needs: Mapping[str, Done], *, options: dict[str, Any], number: int, sweeps: int
) -> dict[str, Any]:
    """Fit the judge, then judge `number` images of each machine; some of them are kept as ``samples-NN.npy``."""
    config = config_from(options)
    inputs = open_inputs(config, data_of(config))
    real, labels = _images(inputs, inputs.rows.train)
    held, held_labels = _images(inputs, inputs.rows.held_out)
    fitted = Judge.fit(real, labels, held, held_labels)
    machines = {name: machine(task, best(task)) for name, task in needs.items()}
    found: dict[str, Any] = {}
    kept = []
    for name, rbm in machines.items():
        for how, changes in _WAYS.items():
            if how and name not in _FROM_DATA:
                continue
            # the sharpened machines hold still in one mode, so their chains begin at real images, as in the document
            start = _every(held, number) if how else None
            found[name + how] = _judgement(judged(fitted, _draw(rbm, number, sweeps, start, **changes)))
            if not how:
                kept.append(name)
                np.save(folder / f"samples-{len(kept) - 1:02d}.npy", _draw(rbm, 64, sweeps, None).astype(np.uint8))
    return {
        "number": number,
        "sweeps": sweeps,
        "error": _share(fitted.error),
        "false_rejection": _share(fitted.false_rejection),
        "false_grainy": _share(fitted.false_grainy),
        "images": {"fitted": len(real), "held_out": len(held)},
        "models": found,
        "real": _judgement(judged(fitted, _every(held, number))),
        "kept": kept,
        "from_data": {
            name: _from_data(fitted, machines[name], _every(held, number), _every(held_labels, number))
            for name in _FROM_DATA
        },
    }


def _images(inputs: Inputs, rows: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Binarised images and their labels."""
    assert inputs.data.y is not None
    images = inputs.feed.states(rows, Noise(0)).numpy().astype(np.uint8)
    return images, inputs.data.y[rows.numpy()]


def _every(rows: np.ndarray, number: int) -> np.ndarray:
    """So many of the rows, evenly spread."""
    chosen: np.ndarray = rows[np.linspace(0, len(rows) - 1, min(number, len(rows))).round().astype(int)]
    return chosen


def _draw(rbm: RBM, number: int, sweeps: int, start: np.ndarray | None, **changes: Any) -> np.ndarray:
    """Samples: exact where hidden states can be listed, else Gibbs chains from noise; or chains from `start`."""
    if start is not None:
        first = torch.from_numpy(start).to(rbm.W)
        drawn = sample(rbm, len(start), sweeps, start=first, **changes)
    else:
        drawn = sample(rbm, number, sweeps, method=automatic(rbm, started=False, clamped=False, steps=None), **changes)
    images: np.ndarray = drawn.numpy()
    return images


def _from_data(fitted: Judge, rbm: RBM, start: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """What chains begun at each digit show after so many sweeps: counts of each class, and of no digit."""
    found = []
    for sweeps in SWEEPS:
        read = fitted.read(_draw(rbm, len(start), sweeps, start))
        counts = {
            str(digit): {
                **{str(c): int(((read.label == c) & (labels == digit)).sum()) for c in fitted.classes},
                "no digit": int((read.no_digit & (labels == digit)).sum()),
                "all": int((labels == digit).sum()),
            }
            for digit in fitted.classes
        }
        found.append({"sweeps": sweeps, "counts": counts})
    return found


def _share(found: Proportion) -> dict[str, Any]:
    return {"share": found.value, "low": found.low, "high": found.high, "count": found.count, "of": found.of}


def _judgement(found: Any) -> dict[str, Any]:
    return {
        "shares": {str(label): _share(share) for label, share in found.shares.items()},
        "no_digit": _share(found.no_digit),
        "grainy": _share(found.grainy),
        "entropy": found.entropy if np.isfinite(found.entropy) else None,
        "to_other": found.generated.to_other,
        "to_real": found.generated.to_real,
        "real_to_other": found.real.to_other,
        "real_to_real": found.real.to_real,
        "repeats": _share(found.generated.repeats),
        "copies": _share(found.generated.copies),
    }


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """Shares, variety, and what becomes of chains that begin at a digit."""
    value = results["judged"].value
    notebook.numbers["digits"] = {k: v for k, v in value.items() if k != "kept"}
    rows = [
        [name, *(_percent(share) for share in one["shares"].values()), _percent(one["no_digit"]),
         _percent(one["grainy"]),
         f"{one['to_other']:.1f}", f"{one['to_real']:.1f}", _percent(one["copies"])]
        for name, one in (*value["models"].items(), ("held-out real images", value["real"]))
    ]  # fmt: skip
    table = blocks.Table(
        ("machine", "7", "8", "9", "no digit", "grainy", "nearest other", "nearest real", "copies"), rows,
        f"What {value['number']:,} generated images of each machine show, in per cent, and their mean distance in "
        "pixels to the nearest other generated image and to the nearest training image.",
        note=f"The judge, a support vector machine fitted to {value['images']['fitted']:,} real images, is wrong on "
        f"{_interval(value['error'])} of {value['images']['held_out']:,} held-out ones and takes "
        f"{_interval(value['false_rejection'])} of them for no digit (95 % intervals). <b>Grainy</b>: with more noise "
        "in single pixels than real images have; such an image may still show its digit. Copying would show as a "
        "distance to the nearest real image well below that of held-out real images, repetition in the column "
        "before; <b>copies</b> are equal to a training image.",
    )  # fmt: skip
    pictures = [
        notebook.figure(
            f"generated-{number}",
            draw_samples(None, _kept(results["judged"], number), notebook.scale.pick((28, 28), (8, 8)), title=name),
            f"Samples of {name}: pixels drawn, not their means.",
            f"64 generated images of {name}.",
        )
        for number, name in enumerate(value["kept"])
        if name not in _FROM_DATA
    ]  # fmt: skip
    chains = blocks.Table(
        ("machine", "began at", *(f"still it after {s:,}" for s in SWEEPS), f"a 9 after {SWEEPS[-1]:,}"),
        [
            [name, digit, *(_of(step["counts"][digit], digit) for step in steps), _of(steps[-1]["counts"][digit], "9")]
            for name, steps in value["from_data"].items()
            for digit in ("7", "8", "9")
        ],
        "Chains that begin at real held-out digits: what they show after so many Gibbs sweeps, in per cent, by the "
        "nearest class, whatever the judge would reject.",
    )
    verdicts = [_wrong(name, value, notebook) for name in _FROM_DATA]
    shares = value["models"][value["kept"][-1]]
    lead = (
        f"Of {value['number']:,} images of the largest machine ({value['kept'][-1]}), {_percent(shares['no_digit'])} % "
        f"show no digit, of L8 {_percent(value['models']['L8']['no_digit'])} %, of L55 "
        f"{_percent(value['models']['L55']['no_digit'])} %; the judge rejects {_percent(value['real']['no_digit'])} % "
        "of real ones."
    )
    return blocks.Section(
        "digits", "Question 6: how often is the wrong digit drawn?", [*verdicts, table, *pictures, chains], lead
    )


def _wrong(name: str, value: dict[str, Any], notebook: Notebook) -> blocks.Verdict:
    """Whether a machine turns 7s and 8s into 9s, after each number of sweeps."""
    turned = [
        Proportion(sum(step["counts"][d]["9"] for d in "78"), sum(step["counts"][d]["all"] for d in "78"))
        for step in value["from_data"][name]
    ]
    shares = ", ".join(f"{found} after {sweeps:,}" for sweeps, found in zip(SWEEPS, turned, strict=True))
    evidence = (
        f"Of chains begun at a 7 or an 8 a 9 is shown by {shares} sweeps (95 % intervals). A chain that has forgotten "
        "its start shows each digit as often as the machine does. The judge itself is mistaken in "
        f"{_interval(value['error'])} of real images."
    )
    mistaken = value["error"]["high"]  # what the judge alone may account for
    if name == "L55":
        return notebook.verdict(
            "L55 is always able to produce the correct number", "section 4",
            "contradicted" if turned[0].low > mistaken else "confirmed", evidence,
        )  # fmt: skip
    return notebook.verdict(
        f"{name} sometimes draws a 9 in place of a 7 or an 8", "section 4",
        "confirmed" if max(found.low for found in turned) > mistaken else "contradicted", evidence,
    )  # fmt: skip


def _kept(result: Done, number: int) -> np.ndarray:
    """The samples that the task has stored of a machine."""
    images: np.ndarray = np.load(result.folder / f"samples-{number:02d}.npy")
    return images


def _percent(share: Mapping[str, Any]) -> str:
    return f"{100 * share['share']:.1f}"


def _interval(share: Mapping[str, Any]) -> str:
    return f"{100 * share['share']:.2f} % ({100 * share['low']:.2f} to {100 * share['high']:.2f})"


def _of(counts: Mapping[str, int], digit: str) -> str:
    return n(100 * counts[digit] / max(counts["all"], 1), 1)


PART = Part("digits", "Question 6: how often is the wrong digit drawn?", tasks, section)
