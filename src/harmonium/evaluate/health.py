"""What can go wrong with a machine or its training, found from numbers and said in words with the mend.

Every check is a function of a machine, of activations, of chains or of a history, and returns its findings, none if
nothing is wrong.  A threshold stands above the check that uses it, with its reason; where a check is a test of a
statistical hypothesis, it fires beyond `SIGMAS` standard errors, falsely once in 16,000 times for normal errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from harmonium.evaluate.fidelity import Fidelity
from harmonium.evaluate.gap import Gap
from harmonium.gibbs import sweep
from harmonium.machine import RBM
from harmonium.noise import Noise

History = Sequence[Mapping[str, Any]]
#: Standard errors beyond which chance is no explanation: one in 16,000, on either side.
SIGMAS = 4.0


@dataclass(frozen=True)
class Finding:
    """Something wrong.

    Attributes
    ----------
    kind : str
        Such as ``idle-units``.
    sentence : str
        What was found, with its numbers.
    mend : str
        What to do about it, with the names of the options.
    severity : str
        ``error``: the machine is of no use; ``warning``: it could be better; ``note``: something to know.
    numbers : dict
        The numbers in the sentence.
    """

    kind: str
    sentence: str
    mend: str
    severity: str = "warning"
    numbers: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.severity}: {self.sentence} {self.mend}"

    def as_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)


# ---- the learning curve ----------------------------------------------------------------------------------------

#: Of all that was gained, what a fall of the likelihood must undo to be called unstable.  Persistent chains make
#: healthy curves swing too, by a tenth or so.
UNSTABLE_FALL = 0.5
#: And of the first score, so that nothing is said of the first measurements, before much is gained.
UNSTABLE_LEAST = 0.02
#: Of all that was gained on training rows, what held-out rows must have lost again to be worth a word.
OVERFIT_FALL = 0.05
#: Measurements in a row that must say so.
OVERFIT_TIMES = 3


def _stderr(record: Mapping[str, Any], key: str) -> float:
    return float(record.get(f"{key}_stderr") or 0.0)


def _beyond_noise(fall: float, before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> bool:
    """Whether a fall is more than ln Z's errors may make; 1e-9 of rounding where both are exact."""
    return fall > SIGMAS * math.hypot(_stderr(before, key), _stderr(after, key)) + 1e-9


def stability(history: History) -> list[Finding]:
    """Training rows must gain likelihood: a fall of half of what was gained is none of chance."""
    curve = [record for record in history if record.get("train") is not None]
    if len(curve) < 3:
        return []
    worst, at, best = 0.0, 0, 0
    for t, record in enumerate(curve):
        if record["train"] > curve[best]["train"]:
            best = t
        fall = curve[best]["train"] - record["train"]
        if fall > worst and _beyond_noise(fall, curve[best], record, "train"):
            worst, at = fall, t
    gained = curve[best]["train"] - curve[0]["train"]
    if worst <= max(UNSTABLE_FALL * gained, UNSTABLE_LEAST * max(abs(curve[0]["train"]), 1.0)):
        return []
    last, lost = curve[-1]["train"], curve[-1]["train"] < curve[0]["train"]
    now = f"it stands at {last:.2f}" + (", below where it began" if lost else "")
    return [
        Finding(
            "unstable",
            f"the log-likelihood of the training rows fell by {worst:.2f} nats to {curve[at]['train']:.2f} by update "
            f"{curve[at]['step']} ({now}): the steps are too large.",
            "Lower --learning-rate, by a factor of three to begin with.",
            "error" if lost else "warning",
            {"fall": worst, "step": curve[at]["step"], "first": curve[0]["train"], "last": last},
        )
    ]


def over_fitting(history: History) -> list[Finding]:
    """Held-out likelihood past its best and falling, while that of the training rows does not follow it down."""
    key = "validation" if history and history[-1].get("validation") is not None else "held_out"
    curve = [record for record in history if record.get(key) is not None and record.get("train") is not None]
    if len(curve) <= OVERFIT_TIMES:
        return []
    best = max(range(len(curve)), key=lambda t: curve[t][key])
    top, last = curve[best], curve[-1]
    enough = OVERFIT_FALL * (last["train"] - curve[0]["train"])

    def worse(record: Mapping[str, Any]) -> bool:
        fall = top[key] - record[key]
        kept = record["train"] >= top["train"]  # else it is not over-fitting but unlearning
        return kept and fall > enough and _beyond_noise(fall, top, record, key)

    if best >= len(curve) - OVERFIT_TIMES or not all(worse(record) for record in curve[-OVERFIT_TIMES:]):
        return []
    name = key.replace("_", "-")
    return [
        Finding(
            "over-fitting",
            f"the log-likelihood of the {name} rows was best at update {top['step']} ({top[key]:.2f}) and has fallen "
            f"to {last[key]:.2f} by update {last['step']}, while the training rows stand at {last['train']:.2f}.",
            "Stop at the best (--patience 5), penalise weights (--l2 0.001), or take fewer units (--hidden).",
            "warning",
            {"best_step": top["step"], "best": top[key], "last": last[key], "train": last["train"]},
        )
    ]


def below_baseline(train: float, stderr: float, baseline: float) -> list[Finding]:
    """A machine that explains its own training rows no better than independent units do."""
    if train + SIGMAS * stderr >= baseline:
        return []
    return [
        Finding(
            "below-baseline",
            f"the machine gives its training rows {train:.2f} nats, and independent units would give {baseline:.2f}.",
            "Lower --learning-rate, or leave the learning options out: their defaults are moderate.",
            "error",
            {"train": train, "baseline": baseline},
        )
    ]


# ---- the finished machine against its data ---------------------------------------------------------------------

#: Of what was learned on the training rows beyond independent units, what may fail to carry over to held-out rows.
GAP_SHARE = 1 / 3


def generalisation(gap: Gap, learned: float) -> list[Finding]:
    """The free-energy gap beside `learned`, the training rows' gain over independent units, in nats a row."""
    if gap.z < SIGMAS or gap.value < GAP_SHARE * learned:
        return []
    return [
        Finding(
            "large-gap",
            f"training rows score {gap.value:.2f} ± {gap.stderr:.2f} nats above held-out rows, out of {learned:.2f} "
            "that were learned beyond independent units.",
            "Take fewer units (--hidden), penalise weights (--l2 0.001), stop earlier (--patience 5), or find more "
            "data.",
            "warning",
            {"gap": gap.value, "stderr": gap.stderr, "learned": learned},
        )
    ]


#: Root mean square difference of means, in standard deviations of the units, beyond which a row shows it.
MEANS_APART = 0.25
#: R² of covariances below which half of how pairs of units vary together is missing.
COVARIANCES_R2 = 0.5
#: And either difference must be so many times what sampling alone makes of it.
_TIMES_NOISE = 3.0
_SLOWER = "Lower --learning-rate, or take more sweeps an update (--steps 10), so that the chains follow."


def moments_apart(found: Fidelity) -> list[Finding]:
    """Means or covariances of the model that are not those of the data."""
    findings = []
    means, pairs = found.means, found.covariances
    z = float(means.z.square().mean().sqrt())
    apart = z * math.sqrt(1 / found.rows + 1 / found.samples)  # z is in standard errors
    if z > _TIMES_NOISE and apart > MEANS_APART:
        findings.append(
            Finding(
                "means-apart",
                f"the model's means are not those of the data: they differ by {apart:.2f} standard deviations of a "
                f"unit (root mean square; sampling makes {apart / z:.2g} of it).",
                _SLOWER,
                "error" if apart > 2 * MEANS_APART else "warning",
                {"apart": apart, "z": z, "rms": means.rms},
            )
        )
    if pairs.r2 < COVARIANCES_R2 and pairs.rms > _TIMES_NOISE * pairs.rms_noise:
        weak = pairs.r2 > 0 and pairs.slope < 1
        findings.append(
            Finding(
                "covariances-apart",
                f"the model's covariances are not those of the data: R² is {pairs.r2:.2f} (root mean square difference "
                f"{pairs.rms:.3g}, of which sampling makes {pairs.rms_noise:.2g}).",
                "Train longer (--epochs) or with more units (--hidden); if the learning curve swings, lower "
                "--learning-rate."
                if weak
                else _SLOWER,
                "warning" if pairs.r2 > 0 else "error",
                {"r2": pairs.r2, "rms": pairs.rms, "noise": pairs.rms_noise, "slope": pairs.slope},
            )
        )
    return findings


#: In standard deviations of the free energy, how far chains may lag behind the machine: a learning rate above zero
#: always leaves them a little behind.
LAG = 0.5


def lagging_chains(rbm: RBM, v: Tensor, noise: Noise, sweeps: int) -> list[Finding]:
    """Persistent chains (M, V) that do not sample the machine they train (Decelle, Furtlehner and Seoane 2021).

    At equilibrium further sweeps leave the mean free energy where it is, for each chain's change has mean zero.
    """
    before = rbm.free_energy(v).double()
    change = rbm.free_energy(sweep(rbm, v, noise, sweeps)).double() - before
    lag, stderr = float(change.mean()), float(change.std() / math.sqrt(len(v)))
    spread = float(before.std())
    if not abs(lag) > max(SIGMAS * stderr, LAG * spread):
        return []
    return [
        Finding(
            "lagging-chains",
            f"the persistent chains are out of equilibrium: {sweeps} further sweeps change their mean free energy by "
            f"{lag:.2f} ± {stderr:.2f} nats.",
            "Take more sweeps an update (--steps 10), or lower --learning-rate so that the chains can follow.",
            "warning",
            {"lag": lag, "stderr": stderr, "sweeps": sweeps},
        )
    ]


def slow_mixing(rbm: RBM, from_data: Tensor, from_noise: Tensor, sweeps: int) -> list[Finding]:
    """Chains from data and from noise, (M, V) each, that still differ in mean free energy after so many sweeps."""
    f, g = rbm.free_energy(from_data).double(), rbm.free_energy(from_noise).double()
    apart, stderr = float(f.mean() - g.mean()), math.sqrt(float(f.var()) / len(f) + float(g.var()) / len(g))
    if not abs(apart) > SIGMAS * stderr:
        return []
    return [
        Finding(
            "slow-mixing",
            f"after {sweeps} sweeps, chains from data and from noise still differ by {apart:.2f} ± {stderr:.2f} nats "
            "of free energy: samples depend on where they began, and so do the moments of the model.",
            "Sample longer (harmonium sample --steps); to train a machine that mixes, take more sweeps an update "
            "(--steps 10) or penalise weights (--l2 0.001).",
            "warning",
            {"apart": apart, "stderr": stderr, "sweeps": sweeps},
        )
    ]
