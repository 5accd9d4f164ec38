"""The final table of a run: scores with their method and error, the baseline beside them, time and memory."""

from __future__ import annotations

import math
import sys
import textwrap
from dataclasses import asdict, fields
from typing import Any

from torch import Tensor

from harmonium.evaluate.labels import class_counts, frequencies_score, label_score
from harmonium.evaluate.likelihood import (
    Say,
    baseline_score,
    doubts,
    log_z,
    score,
    states_of,
)
from harmonium.evaluate.likelihood import binarisation_in_words as binarisation_in_words
from harmonium.logz import Estimate
from harmonium.logz.progressive import Wanted
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


def final_scores(
    inputs: Inputs,
    rbm: RBM,
    z: Estimate | None = None,
    *,
    wanted: Wanted | None = None,
    counts: Tensor | None = None,
    likelihood: bool = True,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Scores of every part of the data, all rows.

    Log-likelihoods, with ln Z estimated as `wanted` where it is not given, and how well labels are predicted where
    there are labels; the second alone, and no ln Z unless it is given, where that is what the machine is for.
    Without `likelihood` ln Z is not looked for.
    `counts` (C,) are the run's training rows of each class, by default those of `inputs`.
    """
    seed, feed, config = inputs.config.seed, inputs.feed, inputs.config
    wanted = wanted or Wanted()
    if z is None and likelihood and not config.by_labels:
        z = log_z(rbm, base=inputs.base, states=training_states(inputs), seed=seed, wanted=wanted, say=say)
    result: dict[str, Any] = {"binarize": feed.rule, "scale": feed.scale, "grey": feed.grey, "scores": {}}
    if z is not None:
        result = {"log_z": {**as_dict(z), "doubts": doubts(z, wanted)}, **result}
    parts = {"train": inputs.rows.train, "validation": inputs.rows.validation, "held_out": inputs.rows.held_out}
    for name, rows in parts.items():
        if not len(rows):
            continue
        found: dict[str, Any] = {"rows": len(rows)}
        if z is not None:
            own = score(rbm, feed, rows, z, seed=seed)
            base = baseline_score(inputs.base, feed, rows, seed=seed)
            found |= {**finite(asdict(own)), "baseline": base.value}
        if feed.y is not None and (labels := label_score(rbm, feed, rows)) is not None:
            found |= {"labelled_rows": labels.rows, "log_p_label": labels.log_p, "label_error": labels.error}
            guess = frequencies_score(feed, class_counts(feed, inputs.rows.train) if counts is None else counts, rows)
            found |= {"baseline_log_p_label": guess.log_p, "baseline_label_error": guess.error}
        result["scores"][name] = found
    return result


def training_states(inputs: Inputs) -> Tensor:
    """Some of the training rows as visible states, for `harmonium.logz.progressive`."""
    return states_of(inputs.feed, inputs.rows.train, seed=inputs.config.seed)


def as_dict(z: Estimate) -> dict[str, Any]:
    """An estimate for JSON, its interval with it."""
    own = {f.name: getattr(z, f.name) for f in fields(z) if f.name not in ("sides", "doubts")}
    ends = [end if math.isfinite(end) else None for end in z.interval]
    return {
        **finite(own | {"half_width": z.half_width}),
        "interval": ends,
        "sides": [as_dict(side) for side in z.sides],
    }


def finite(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers that are not finite have no place in JSON: null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def table(summary: dict[str, Any]) -> str:
    """The summary as a short table for a terminal of 80 columns."""
    lines: list[str] = []
    scores = summary["scores"].items()
    if "log_z" in summary:
        lines.append(f"{'':10}  {'log-likelihood':>14}  {'error':>7}  {'independent units':>17}  {'rows':>6}")
        for name, row in scores:
            error = "exact" if row["method"] == "exact" else f"± {row['half_width']:.2g}"
            lines.append(f"{_part(name)}  {row['value']:14.3f}  {error:>7}  {row['baseline']:17.3f}  {row['rows']:6d}")
        lines += ["nats per row; independent units are what a machine must beat", ""]
    if any("label_error" in row for _, row in scores):
        lines.append(f"{'':10}  {'ln P(label)':>11}  {'wrong':>8}  {'by class frequencies':>21}  {'labelled':>8}")
        for name, row in scores:
            if "label_error" in row:
                guess = f"{row['baseline_log_p_label']:10.3f}  {100 * row['baseline_label_error']:7.2f} %"
                lines.append(
                    f"{_part(name)}  {row['log_p_label']:11.4f}  {100 * row['label_error']:6.2f} %  {guess:>21}  "
                    f"{row['labelled_rows']:8d}"
                )
        lines += ["nats per row, and the share of rows whose most probable label is not their own", ""]
    return "\n".join([*lines, *_notes(summary)])


def _part(name: str) -> str:
    return f"{name.replace('_', '-'):10}"


def _ends(low: float | None, high: float | None) -> str:
    return "not known" if low is None or high is None else f"{low:.2f} to {high:.2f}"


def _notes(summary: dict[str, Any]) -> list[str]:
    lines = _about_log_z(summary["log_z"]) if "log_z" in summary else []
    lines.append(f"data {binarisation_in_words(summary['binarize'], summary['scale'])}")
    if summary["grey"] and "log_z" in summary:
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


def _about_log_z(z: dict[str, Any]) -> list[str]:
    lines = []
    if z["method"] == "exact":
        lines.append(f"ln Z = {z['value']:.4f}, exact")
    else:
        low, high = z["interval"]
        lines.append(f"ln Z = {z['value']:.3f}, 95 % interval {_ends(low, high)}")
        lines.append(f"by {z['method']}")
        for side in z["sides"]:
            bound = "below" if side["bound"] < 0 else "above"
            lines.append(
                f"  {side['method']:<11} {side['value']:.3f} ± {side['half_width']:.2g}, {bound} on average, "
                f"{side['ess']:.0f} effective samples"
            )
        if not z["sides"] and z["ess"] is not None:
            lines.append(f"  {z['ess']:.0f} effective samples")
        if z["bound"] < 0:
            lines.append("(on average below ln Z, so the log-likelihoods are if anything too high)")
        if z["bound"] > 0:
            lines.append("(on average above ln Z, so the log-likelihoods are if anything too low)")
        for doubt in z["doubts"]:
            lines += textwrap.wrap(f"warning: {doubt}", 78, subsequent_indent="  ")
    return lines
