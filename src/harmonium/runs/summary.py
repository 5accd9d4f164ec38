"""The final table of a run: scores with their method and error, the baseline beside them, time and memory."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from typing import Any

from harmonium.evaluate.labels import label_score
from harmonium.evaluate.likelihood import baseline_score, log_z, score
from harmonium.machine import RBM
from harmonium.runs.inputs import Inputs


def peak_memory() -> int | None:
    """The largest resident memory of this process so far, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows has none
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def final_scores(inputs: Inputs, rbm: RBM) -> dict[str, Any]:
    """Log-likelihoods of every part of the data, all rows, with ln Z as exact as seconds allow."""
    seed, feed = inputs.config.seed, inputs.feed
    z = log_z(rbm, base=inputs.base, seed=seed)
    result: dict[str, Any] = {
        "log_z": {**asdict(z), "ess": z.ess if math.isfinite(z.ess) else None},
        "binarize": feed.rule,
        "scale": feed.scale,
        "grey": feed.grey,
        "scores": {},
    }
    parts = {"train": inputs.rows.train, "validation": inputs.rows.validation, "held_out": inputs.rows.held_out}
    for name, rows in parts.items():
        if len(rows):
            own = score(rbm, feed, rows, z, seed=seed)
            base = baseline_score(inputs.base, feed, rows, seed=seed)
            result["scores"][name] = {**asdict(own), "baseline": base.value}
            if feed.y is not None:
                labels = label_score(rbm, feed, rows, seed=seed)
                result["scores"][name] |= {"log_p_label": labels.log_p, "label_error": labels.error}
    return result


def binarisation_in_words(rule: str, scale: float) -> str:
    """What was done to the raw values: scores are comparable only where it was the same."""
    if rule == "none":
        return "as they are" if scale == 1 else f"as value / {scale:g}"
    if rule == "stochastic":
        return "drawn: " + ("the value" if scale == 1 else f"value / {scale:g}") + " is a probability"
    return "binarised: 1 where " + ("the value" if scale == 1 else f"value / {scale:g}") + f" > {rule}"


def table(summary: dict[str, Any]) -> str:
    """The summary as a short table for a terminal of 80 columns."""
    labelled = any("label_error" in row for row in summary["scores"].values())
    head = f"{'':10}  {'log-likelihood':>14}  {'error':>7}  {'independent units':>17}  {'rows':>6}"
    lines = [head + ("  wrong labels" if labelled else "")]
    for name, row in summary["scores"].items():
        error = "exact" if row["method"] == "exact" else f"± {row['stderr']:.2g}"
        line = (
            f"{name.replace('_', '-'):10}  {row['value']:14.3f}  {error:>7}  {row['baseline']:17.3f}  {row['rows']:6d}"
        )
        lines.append(line + (f"  {100 * row['label_error']:10.2f} %" if "label_error" in row else ""))
    return "\n".join([*lines, "", *_notes(summary)])


def _notes(summary: dict[str, Any]) -> list[str]:
    z = summary["log_z"]
    lines = ["nats per row; independent units are what a machine must beat"]
    if z["method"] == "exact":
        lines.append(f"ln Z = {z['value']:.4f}, exact")
    else:
        lines.append(f"ln Z = {z['value']:.3f} ± {z['stderr']:.2g} by {z['method']}, effective samples {z['ess']:.0f}")
        if z["bound"] < 0:
            lines.append("(on average below ln Z, so the log-likelihoods are if anything too high)")
    lines.append(f"data {binarisation_in_words(summary['binarize'], summary['scale'])}")
    if summary["grey"]:
        lines.append("(grey values stand for means, so no row of 0 and 1 has these: do not compare)")
    if "seconds" in summary:
        if summary["best_step"] != summary["steps"]:
            lines.append(f"the machine after update {summary['best_step']}, the best on the validation rows")
        threads = f"{summary['threads']} thread" + ("s" if summary["threads"] != 1 else "")
        measuring = f"{summary['seconds_measuring']:.1f} s of it measuring"
        lines.append(f"{summary['steps']} updates in {summary['seconds']:.1f} s on {threads}, {measuring}")
        if summary["peak_memory"]:
            lines.append(f"peak memory {summary['peak_memory'] / 2**20:.0f} MiB")
    return lines
