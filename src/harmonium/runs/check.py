"""A finished run examined: its moments beside the data's, its units, its curve; what is wrong, and what to do."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harmonium import plots
from harmonium.evaluate.activity import hidden_units
from harmonium.evaluate.fidelity import Agreement, Fidelity, can_enumerate, fidelity
from harmonium.evaluate.gap import free_energy_gap
from harmonium.evaluate.health import (
    Finding,
    below_baseline,
    generalisation,
    moments_apart,
    over_fitting,
    slow_mixing,
    stability,
)
from harmonium.evaluate.labels import completed
from harmonium.evaluate.pseudolikelihood import pseudo_log_likelihood
from harmonium.evaluate.reconstruction import reconstruction
from harmonium.gibbs import start_visible, sweep
from harmonium.logz.exact import MOST_STATES, sample_v_exactly
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.plots.moments import Pair, agreement_in_words
from harmonium.runs.inputs import Inputs
from harmonium.runs.judged import inputs_not_learned
from harmonium.runs.reopen import Opened, reopen

#: Rows whose moments are taken; rows whose units are predicted one by one, as many as seconds allow.
_ROWS, _MOST_TERMS, _FEWEST_ROWS = 10_000, 5e7, 200
#: Independent samples where they can be drawn exactly; else chains, and their sweeps, as many as seconds allow.
_SAMPLES, _CHAINS, _SWEEPS, _MOST_WORK = 10_000, 1000, (100, 1000), 3e10


@dataclass(frozen=True, eq=False)
class ModelSample:
    """Independent samples v (M, V) that stand for the machine, None where it is enumerated; how they were drawn; and
    what is wrong with them."""

    v: Tensor | None
    method: str
    findings: list[Finding]


def model_sample(rbm: RBM, data: Tensor, *, seed: int = 0) -> ModelSample:
    """Samples of the machine by the surest way there is: enumeration, exact draws, or the ends of Gibbs chains.

    Half of the chains start from rows of `data` (N, V), half from independent units, so that chains which do not
    mix give themselves away.
    """
    if can_enumerate(rbm):
        return ModelSample(None, "all states", [])
    noise = Noise(seed_for(seed, "check"), dtype=rbm.W.dtype, device=rbm.W.device)
    if (rbm.hidden.n_states or math.inf) <= MOST_STATES:
        return ModelSample(sample_v_exactly(rbm, _SAMPLES, noise), f"{_SAMPLES:,} exact samples", [])
    half = _CHAINS // 2
    low, high = _SWEEPS
    sweeps = int(min(max(_MOST_WORK / (_CHAINS * rbm.W.numel()), low), high))
    chosen = torch.randint(len(data), (half,), generator=torch.Generator().manual_seed(seed_for(seed, "check")))
    from_data = sweep(rbm, data[chosen].to(rbm.W), noise, sweeps)
    from_noise = sweep(rbm, start_visible(rbm, half, noise), noise, sweeps)
    wrong = slow_mixing(rbm, from_data, from_noise, sweeps)
    return ModelSample(torch.cat([from_data, from_noise]), f"{2 * half:,} chains of {sweeps:,} sweeps", wrong)


@torch.no_grad()
def check(path: str | os.PathLike[str], data: Any = None, labels: Any = None, **changes: Any) -> dict[str, Any]:
    """Examine the run at `path`, store the result in its check.json and draw figures/check.png.

    With `data` (and perhaps `labels`), a name, a file or an array, the machine is compared with all rows of these
    instead, and with `changes` as in `evaluate` with such rows; both are named check-other then, so that what was
    found on the run's own data stays.  Of a machine with a label, rows that have none are counted: they get one drawn
    from P(label | data) for the moments, and are left out of the cheap scores.  Raises InputError where the run or the
    data cannot be used.
    """
    name = "check" if data is None and not changes else "check-other"
    opened = reopen(path)
    inputs = opened.inputs(data, labels, **changes)
    rbm = opened.rbm.to(device=inputs.feed.device)
    rbm.check_normalisable()
    seed, rows, known = opened.config.seed, inputs.rows, inputs.feed.with_label
    v = _states(inputs, rows.train, _ROWS)
    if inputs.feed.partly_labelled:
        v = completed(rbm, v, Noise(seed_for(seed, "labels"), dtype=rbm.W.dtype, device=v.device))
    drawn = model_sample(rbm, v, seed=seed)
    found = fidelity(rbm, v, drawn.v, seed=seed)
    gap = free_energy_gap(rbm, inputs.feed, rows.train, rows.held_out, seed=seed) if len(rows.held_out) > 1 else None
    double = rbm.to(dtype=torch.float64)
    findings = [*drawn.findings, *hidden_units(double, double.hidden.mean(double.eta_h_from_v(v.double()))[..., 0, :])]
    scores = (opened.folder.read_json("summary.json") or {}).get("scores", {})
    if not opened.config.by_labels:  # else the joint distribution is not what is learned
        findings += [] if drawn.findings else moments_apart(found)  # of samples that cannot be trusted, no more is said
        findings += _curve(opened, scores)
        if gap is not None and "value" in scores.get("train", {}) and data is None:  # networks may go without scores
            learned = scores["train"]["value"] - scores["train"]["baseline"]
            findings += generalisation(gap, learned)
    order = {"error": 0, "warning": 1, "note": 2}
    picture = plots.save(_picture(found, drawn.method), opened.folder.figures / f"{name}.png")
    result = {
        "run": str(opened.folder.path),
        "machine": f"{rbm.visible.spec} with {rbm.hidden.spec}",
        "findings": [f.as_dict() for f in sorted(findings, key=lambda f: order[f.severity])],
        "moments": {"model": drawn.method, "rows": found.rows, **_agreements(found)},
        "scores": _cheap_scores(rbm, inputs, "data" if data is not None else "train"),
        "gap": None if gap is None else dataclasses.asdict(gap),
        "unlabelled": sum(len(part) - len(known(part)) for part in (rows.train, rows.held_out)),
        "note": inputs_not_learned(opened.config),
        "picture": str(picture),
    }
    opened.folder.write_json(f"{name}.json", result)
    return result


def _states(inputs: Inputs, rows: Tensor, most: int) -> Tensor:
    """States of at most so many of the rows, evenly spaced."""
    feed = inputs.feed
    chosen = rows[torch.linspace(0, len(rows) - 1, min(most, len(rows))).round().long()]
    noise = Noise(seed_for(inputs.config.seed, "rows"), dtype=feed.dtype, device=feed.device)
    return torch.cat([feed.states(block, noise) for block in feed.blocks(chosen)])


def _curve(opened: Opened, scores: dict[str, Any]) -> list[Finding]:
    """Findings of the history; where the best machine on the validation rows was kept, over-fitting did no harm."""
    history = opened.folder.read_history()
    findings = stability(history) + ([] if opened.config.patience > 0 else over_fitting(history))
    own = scores.get("train", {})
    if "value" in own:
        findings += below_baseline(own["value"], own["stderr"], own["baseline"])
    return findings


def _cheap_scores(rbm: RBM, inputs: Inputs, name: str) -> dict[str, Any]:
    """Pseudo-likelihood and reconstruction error of training and held-out rows, with their spread over rows.

    Rows that lack their label are no states, and left out.
    """
    known = inputs.feed.with_label
    most = max(_FEWEST_ROWS, int(_MOST_TERMS / (2 * rbm.W.numel())))
    scores = {}
    for part, rows in ((name, known(inputs.rows.train)), ("held_out", known(inputs.rows.held_out))):
        if len(rows):
            v = _states(inputs, rows, min(most, _ROWS))
            errors = reconstruction(rbm, v)
            scores[part] = {
                "rows": len(v),
                "pseudo_log_likelihood": _mean(pseudo_log_likelihood(rbm, v)),
                "reconstruction_nats": _mean(errors.nats),
                "reconstruction_squared": _mean(errors.squared),
            }
    return scores


def _mean(x: Tensor) -> dict[str, float]:
    return {"value": float(x.mean()), "stderr": float(x.std(correction=0) / math.sqrt(len(x)))}


_KINDS: tuple[tuple[str, str, Callable[[Fidelity], Agreement]], ...] = (
    ("means", "visible means", lambda found: found.means),
    ("covariances", "visible covariances", lambda found: found.covariances),
    ("hidden", "hidden activations", lambda found: found.hidden),
)


def _agreements(found: Fidelity) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, _, pick in _KINDS:
        a = pick(found)
        if not a.data.numel():  # one unit has no pairs
            continue
        entries = [found.pairs[:, int(i)].tolist() if key == "covariances" else int(i) for i in a.worst()]
        worst = [
            {"entry": entry, "data": float(a.data[i]), "model": float(a.model[i]), "z": _finite(float(a.z[i]))}
            for entry, i in zip(entries, a.worst().tolist(), strict=True)
        ]
        result[key] = {
            "count": a.data.numel(), "rms": a.rms, "rms_noise": a.rms_noise,
            "slope": _finite(a.slope), "r2": _finite(a.r2), "worst": worst,
        }  # fmt: skip
    return result


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _picture(found: Fidelity, method: str) -> Any:
    pairs = []
    for _, name, pick in _KINDS:
        a = pick(found)
        if a.data.numel():
            words = agreement_in_words(a.r2, a.rms, a.rms_noise)
            pairs.append(Pair(name, a.data.cpu().numpy(), a.model.cpu().numpy(), words))
    return plots.moments(pairs, caption=f"{found.rows:,} rows; model: {method}")


def report(result: dict[str, Any]) -> str:
    """The result in words, for a terminal of 80 columns."""
    columns = list(result["scores"])
    lines = [f"{result['run']}: {result['machine']}", ""]
    lines.append(f"{'':24}" + "".join(f"{name.replace('_', '-'):>18}" for name in columns))
    for key, name in (
        ("pseudo_log_likelihood", "pseudo-log-likelihood"),
        ("reconstruction_nats", "reconstruction error"),
        ("reconstruction_squared", "… in squares"),
    ):
        cells = [result["scores"][column][key] for column in columns]
        if cells:  # no row may have a label
            lines.append(f"{name:24}" + "".join(f"{c['value']:11.3f} ± {c['stderr']:<4.2g}" for c in cells))
    if result["gap"] is not None:
        gap = result["gap"]
        lines.append(
            f"{'free-energy gap':24}{gap['value']:11.3f} ± {gap['stderr']:<4.2g}"
            f" held-out below training, {gap['rows']:,} each"
        )
    own = result["moments"]
    lines += ["nats a row, ± the standard error over rows", ""]
    lines.append(f"{'data against model':20}{'R²':>8}{'slope':>8}{'difference':>12}{'by chance':>11}  worst entry")
    for key, name, _ in _KINDS:
        if key in own:
            lines.append(_moments_line(name, own[key]))
    lines.append(f"{own['rows']:,} rows; the model by {own['model']}")
    if result["unlabelled"]:
        lines += _wrapped(
            f"{result['unlabelled']:,} rows without a label are left out of the scores above; for the comparison of "
            "moments they get one drawn from P(label | data)"
        )
    lines.append("")
    if result["note"]:
        lines += [*_wrapped(f"note: {result['note']}"), ""]
    findings = result["findings"]
    if not findings:
        lines.append("nothing wrong found")
    for number, finding in enumerate(findings, 1):
        lines += _wrapped(f"{number}. {finding['severity']}: {finding['sentence']} {finding['mend']}")
    return "\n".join([*lines, "", result["picture"]])


def _moments_line(name: str, a: dict[str, Any]) -> str:
    worst = a["worst"][0]
    entry = " × ".join(map(str, worst["entry"])) if isinstance(worst["entry"], list) else str(worst["entry"])
    shown = [f"{'—' if a[key] is None else format(a[key], '.3f'):>8}" for key in ("r2", "slope")]
    z = "" if worst["z"] is None else f" (z = {worst['z']:.1f})"
    return f"{name:20}{''.join(shown)}{a['rms']:12.3g}{a['rms_noise']:11.2g}  {entry}{z}"


def _wrapped(text: str, width: int = 80) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent="   ", break_on_hyphens=False)
