"""Figure 7: digits drawn by the three machines, plain, with the weights times 20, at a twentieth of the temperature.

weights × 20          W -> 20 W, biases unchanged: the balance of weights and biases moves, so it is no temperature
temperature 1/20      W, a, b -> 20 W, 20 a, 20 b: exp(-E / T)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harmonium.config_from import config_from
from harmonium.experiments.mnist_789.machines import TABLE_III
from harmonium.experiments.mnist_789.scales import EVERY
from harmonium.experiments.mnist_789.table import machine_of
from harmonium.experiments.statistics import minus
from harmonium.experiments.study import Notebook, Part, Results, Scale
from harmonium.experiments.tasks import Done, Task
from harmonium.experiments.training import best, data_of, machine
from harmonium.noise import Noise
from harmonium.plots.generated import Chains, generated
from harmonium.report import blocks
from harmonium.runs.inputs import open_inputs
from harmonium.sampling import sample, tempered

SWEEPS = (1, 10, 100, 1000)
_WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weights × 20": {"weight_factor": 20.0},
    "temperature 1/20": {"temperature": 0.05},
    "from noise": {},
}
_STARTS = ((7, 0), (8, 0), (9, 0))  # digit, and which of its images


def tasks(scale: Scale) -> dict[str, Task]:
    """Chains of each machine."""
    found = {}
    for name in TABLE_III:
        found[name] = Task(
            f"chains-{name}", f"{__name__}:draw", {"options": {**scale.data, **EVERY}},
            {"machine": machine_of(scale, name)}, 3,
        )  # fmt: skip
    return found


def draw(folder: Path, needs: Mapping[str, Done], *, options: dict[str, Any]) -> dict[str, Any]:
    """Chains from a 7, an 8 and a 9 and from noise; and how the sharpened conditionals differ."""
    config = config_from({**options, "validation": 0.0})
    inputs = open_inputs(config, data_of(config))
    assert inputs.data.y is not None
    rows = [int(np.flatnonzero(inputs.data.y == digit)[which]) for digit, which in _STARTS]
    start = inputs.feed.states(torch.tensor(rows), Noise(0))
    rbm = machine(needs["machine"], best(needs["machine"])).to(dtype=start.dtype)
    np.save(folder / "start.npy", start.numpy().astype(np.uint8))
    for number, (name, changes) in enumerate(_WAYS.items()):
        first = None if name == "from noise" else start
        # the same random numbers up to each number of sweeps: one chain, looked at again and again
        images = [sample(rbm, len(start), sweeps, start=first, seed=number, **changes) for sweeps in SWEEPS]
        np.save(folder / f"chains-{number}.npy", torch.stack(images, 1).numpy().astype(np.uint8))
    # the two ways of sharpening, by what they do to the pixels given the very same hidden states
    v = inputs.feed.states(torch.arange(0, len(inputs.data), 20), Noise(0))
    h = rbm.hidden.sample(rbm.eta_h_from_v(v), Noise(1, dtype=v.dtype).uniform(len(v), rbm.hidden.n))
    factor, cold = tempered(rbm, 1.0, 20.0), tempered(rbm, 0.05)
    p, q = (m.visible.mean(m.eta_v_from_h(h))[:, 0] for m in (factor, cold))
    return {
        "different_pixels": float(((p > 0.5) != (q > 0.5)).to(torch.float64).mean()),
        "on_by_factor": float(p.double().mean()),
        "on_at_temperature": float(q.double().mean()),
        "on_in_data": float(v.double().mean()),
    }


def section(results: Results, notebook: Notebook) -> blocks.Section:
    """A figure for each machine, and the difference of the two ways in numbers."""
    shown: list[blocks.Block] = []
    shape = notebook.scale.pick((28, 28), (8, 8))
    rows, kept = [], {}
    for name in TABLE_III:
        result = results[name]
        start = np.load(result.folder / "start.npy")
        groups = [
            Chains(way, np.load(result.folder / f"chains-{number}.npy"), None if way == "from noise" else start)
            for number, way in enumerate(_WAYS)
        ]
        figure = generated(groups, SWEEPS, shape, title=f"Digits drawn by {name}")
        caption = (
            f"{name}: chains begun at a 7, an 8 and a 9 of the data (red), and at noise, after "
            f"{', '.join(f'{s:,}' for s in SWEEPS)} Gibbs sweeps."
        )
        shown.append(notebook.figure(f"fig7-{name}", figure, caption, f"Rows of digits drawn by {name}."))
        value = kept[name] = result.value
        rows.append([name, *(f"{100 * value[key]:.1f}" for key in
                    ("different_pixels", "on_by_factor", "on_at_temperature", "on_in_data"))])  # fmt: skip
    notebook.numbers["generation"] = kept
    table = blocks.Table(
        ("machine", "pixels that differ", "lit, weights × 20", "lit, temperature 1/20", "lit in the data"), rows,
        "The two ways of sharpening, given the same hidden states: pixels in per cent.",
        note="Multiplying the weights leaves the biases as they are, and so their say over the pixels shrinks to a "
        "twentieth; a temperature divides the whole energy. In the multiplied machine a pixel follows the sign of "
        "its weights alone, in the cold one that of its whole field.",
    )  # fmt: skip
    least = min(kept, key=lambda name: kept[name]["different_pixels"])
    verdict = notebook.verdict(
        "multiplying the weights corresponds to lowering the temperature", "section 3",
        "contradicted" if kept[least]["different_pixels"] > 0.01 else "confirmed",
        "Given the same hidden states the most probable value differs in "
        + ", ".join(minus(f"{100 * kept[name]['different_pixels']:.1f} % ({name})") for name in TABLE_III)
        + " of the pixels, since the biases are not multiplied.",
    )  # fmt: skip
    return blocks.Section("fig7", "Their figure 7: generated digits", [verdict, *shown, table])


PART = Part("fig7", "Their figure 7: generated digits", tasks, section)
