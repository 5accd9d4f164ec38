"""What a deep run is worth, and the same in words: its layers, the bound, the fine-tuned network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harmonium.deep.bound import log_likelihood_bound
from harmonium.deep.finetune import Task, scores
from harmonium.deep.stack import Stack, reconstruction
from harmonium.evaluate.proportion import Proportion
from harmonium.intervals import Z_95
from harmonium.noise import Noise, seed_for
from harmonium.runs.finished import Run
from harmonium.runs.inputs import Inputs

#: Samples of the posterior for each row, and the most rows of a part that the bound is taken over.
_DRAWS, _MOST_ROWS = 4, 10_000


def parts_of(inputs: Inputs) -> dict[str, Tensor]:
    """The rows of each part that is not empty."""
    rows = {"train": inputs.rows.train, "validation": inputs.rows.validation, "held_out": inputs.rows.held_out}
    return {name: numbers for name, numbers in rows.items() if len(numbers)}


def layer_summary(run: Run, number: int) -> dict[str, Any]:
    """What matters of one layer's run."""
    own = ("log_z", "scores", "steps", "best_step", "seconds", "findings")
    return {
        "layer": number,
        "visible": run.rbm.visible.spec,
        "hidden": run.rbm.hidden.spec,
        **{name: run.summary[name] for name in own if name in run.summary},
    }


def bound_of(stack: Stack, top: Run, inputs: Inputs) -> dict[str, Any]:
    """The mean bound of each part with its 95 % half width from the rows and from the top machine's ln Z, in nats."""
    z, feed = top.summary.get("log_z"), inputs.feed
    if z is None or (feed.rule == "none" and feed.grey):  # grey values have no likelihood
        return {}
    found: dict[str, Any] = {}
    for name, rows in parts_of(inputs).items():
        rows = _some(rows, inputs.config.seed)
        seed = inputs.config.seed
        drawn = Noise(seed_for(seed, "bound", name, "rows"), dtype=feed.dtype, device=feed.device)
        noise = Noise(seed_for(seed, "bound", name), dtype=torch.float64)
        each = torch.cat([
            log_likelihood_bound(stack, feed.pixel_states(block, drawn).cpu(), z["value"], noise, draws=_DRAWS)
            for block in feed.blocks(rows)
        ])  # fmt: skip
        stderr = float(each.std() / math.sqrt(len(each))) if len(each) > 1 else math.inf
        found[name] = {
            "rows": len(rows), "value": float(each.mean()), "stderr": stderr,
            "half_width": math.hypot(Z_95 * stderr, z["half_width"] or 0.0),
        }  # fmt: skip
    return found


def _some(rows: Tensor, seed: int) -> Tensor:
    """Rows drawn at random where there are more than can be scored in seconds."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed_for(seed, "bound rows")))
    return rows[order[:_MOST_ROWS].sort().values]


def squared_errors(stack: Stack, inputs: Inputs) -> dict[str, float]:
    """The mean squared distance of a row from the network's regeneration by means, before fine-tuning, of each part."""
    found = {}
    for name, rows in parts_of(inputs).items():
        total = 0.0
        for block in inputs.feed.blocks(rows):
            x = inputs.feed.inputs(block).cpu()
            total += float((reconstruction(stack, x) - x).square().sum())
        found[name] = total / len(rows)
    return found


def network_summary(network: nn.Module, task: Task, inputs: Inputs, kind: str) -> dict[str, Any]:
    """Loss and error of the fine-tuned network on each part; a classifier's errors with their interval.

    A classifier is judged by the rows that have a label.
    """
    found: dict[str, Any] = {}
    for name, rows in parts_of(inputs).items():
        rows = inputs.feed.with_label(rows) if kind == "classifier" else rows
        if not len(rows):
            continue
        loss, error = scores(network, task, rows)
        own: dict[str, Any] = {"rows": len(rows), "loss": float(loss.double().mean())}
        if kind == "classifier":
            wrong = Proportion(int(error.sum()), len(rows))
            own |= {"wrong": wrong.count, "error": wrong.value, "interval": [wrong.low, wrong.high]}
        else:
            own |= {"squared_error": float(error.double().mean())}
        found[name] = own
    return found


def table(summary: dict[str, Any]) -> str:
    """The summary for a terminal of 80 columns."""
    wide = max(len(layer[side]) for layer in summary["layers"] for side in ("visible", "hidden"))
    lines = [
        f"{'layer':5}  {'visible':>{wide}}  {'hidden':>{wide}}  {'ln p, held out':>15}  {'error':>8}  {'seconds':>7}"
    ]
    for layer in summary["layers"]:
        own = layer.get("scores", {}).get("held_out") or layer.get("scores", {}).get("train") or {}
        value = f"{own['value']:15.3f}" if "value" in own else f"{'-':>15}"
        error = "exact" if own.get("method") == "exact" else f"± {own['half_width']:.2g}" if "half_width" in own else ""
        lines.append(
            f"{layer['layer']:5}  {layer['visible']:>{wide}}  {layer['hidden']:>{wide}}  {value}  {error:>8}  "
            f"{layer['seconds']:7.0f}"
        )
    lines += ["nats per row of the layer's own data", ""]
    for layer in summary["layers"]:
        useless = [found["sentence"] for found in layer.get("findings", ()) if found["severity"] == "error"]
        lines += [f"layer {layer['layer']}, error: {sentence}" for sentence in useless]
    for name, own in summary.get("bound", {}).items():
        lines.append(f"ln p(data) >= {own['value']:.3f} ± {own['half_width']:.2g} nats, {_part(name)}")
    if summary.get("regeneration"):
        words = ", ".join(f"{value:.2f} {_part(name)}" for name, value in summary["regeneration"].items())
        lines.append(f"squared error of the regeneration before fine-tuning: {words}")
    tuned = summary.get("fine_tuned")
    if tuned:
        lines.append("")
        lines += _tuned(tuned["kind"], tuned["scores"])
        lines.append(f"kept: epoch {tuned['best_epoch']} of {tuned['epochs']}, rate {tuned['learning_rate']:g}")
    return "\n".join(lines)


def _tuned(kind: str, parts: dict[str, Any]) -> Sequence[str]:
    if kind == "classifier":
        return [
            f"{_part(name)}: {own['wrong']:,} of {own['rows']:,} wrong, {100 * own['error']:.2f} % "
            f"({100 * own['interval'][0]:.2f} to {100 * own['interval'][1]:.2f} %)"
            for name, own in parts.items()
        ]
    return [f"{_part(name)}: squared error {own['squared_error']:.3f} a row" for name, own in parts.items()]


def _part(name: str) -> str:
    return name.replace("_", " ")
