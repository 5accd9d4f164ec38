"""The average log-likelihood of data, in nats per row, and the independent-unit baseline beside it.

    L = < ln p(v) > = - < F(v) > + ln base(v) - ln Z

Free energies are taken in float64, whatever the machine was trained in; ln Z is exact where enumeration takes seconds,
and otherwise estimated from both sides to a wanted precision (`harmonium.logz.progressive`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.feed import Feed
from harmonium.labels import free_energy_of_known
from harmonium.logz import AIS, LOGZ, Estimate, enumeration_cost, exact_log_z
from harmonium.logz.exact import enumeration_seconds
from harmonium.logz.progressive import MOST_STATES, Progressive, Wanted
from harmonium.logz.schedules import even_schedule
from harmonium.machine import RBM
from harmonium.noise import Noise, seed_for
from harmonium.units import Bernoulli

#: Seconds of enumeration below which ln Z is exact without being asked for, and above which it is refused.
EXACT_SECONDS, MOST_SECONDS = 10.0, 100 * 3600.0
#: Log-partition terms that are enumerated while a training goes on: a fraction of a second.
EXACT_COST_RUNNING = 6e7
#: The two one-sided estimates of one ln Z should not differ by more, in nats.
FAR_APART = 0.5
#: Effective samples below which an estimate rests on a few chains.
FEW = 100.0

METHODS = ("auto", *LOGZ)
#: Called with a line about how far an estimate has come.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Score:
    """An average log-likelihood with what is needed to believe it.

    Attributes
    ----------
    value : float
        Nats per row.
    stderr : float
        Standard error that ln Z brings; 0 where it is exact.  The spread over rows is not in it.
    method : str
        How ln Z was found.
    rows : int
        How many rows were averaged.
    half_width : float
        Half of the 95 % interval that ln Z brings.
    rows_stderr : float
        Standard error of the average over rows, as samples of where they come from.
    """

    value: float
    stderr: float
    method: str
    rows: int
    half_width: float = 0.0
    rows_stderr: float = 0.0


def log_z(
    rbm: RBM,
    *,
    base: Tensor | None,
    seed: int,
    states: Tensor | None = None,
    method: str = "auto",
    wanted: Wanted = Wanted(),  # noqa: B008  a frozen value
    running: bool = False,
    say: Say = lambda line: None,
) -> Estimate:
    """ln Z, exact where that takes seconds (a fraction of one if `running`), else estimated.

    Parameters
    ----------
    rbm : RBM
        The machine.
    base : Tensor (k_v, V) or None
        Natural parameters of independent units with the data's base rates.
    seed : int
        Same seed, same estimate (where precision and not time ends it).
    states : Tensor (N, V), optional
        Rows of data; see `harmonium.logz.progressive`.
    method : str
        auto, both (annealing forwards and back) or one of `harmonium.logz.LOGZ`.
    wanted : Wanted
        Precision and time limit of an estimate from both sides.
    running : bool
        A rough value for a learning curve, by annealed importance sampling alone.

    Raises
    ------
    InputError
        The machine is not normalisable or not finite, or cannot be enumerated within reason where exact is asked for.
    """
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, not {method!r}.")
    rbm.check_normalisable()
    if running:
        return _running_log_z(rbm, base, seed)
    if method == "exact" or (method == "auto" and enumeration_seconds(rbm) <= EXACT_SECONDS):
        return _exact(rbm, say)
    if method in ("auto", "both"):
        return estimated(Progressive(rbm, base=base, states=states, seed=seed), wanted, say)
    noise = Noise(seed_for(seed, method), dtype=rbm.W.dtype, device=rbm.W.device)
    return LOGZ[method](None if base is None else rbm.decoupled(base.to(rbm.a)))(rbm, noise)


def estimated(progressive: Progressive, wanted: Wanted, say: Say = lambda line: None) -> Estimate:
    """Run an estimate from both sides, and say after each batch how far it has come."""

    def report(estimate: Estimate, seconds: float) -> None:
        say(f"ln Z = {estimate.value:.3f} ± {estimate.half_width:.2g} after {seconds:.0f} s")

    return progressive.run(wanted, report)


def _exact(rbm: RBM, say: Say) -> Estimate:
    seconds = enumeration_seconds(rbm)
    if seconds > MOST_SECONDS and math.isfinite(seconds):
        raise InputError(
            f"method=exact would take about {seconds / 3600:.3g} hours for {rbm.visible.spec} with {rbm.hidden.spec}; "
            "use auto."
        )
    slow = seconds > 2
    report = (lambda part: say(f"enumerating: {100 * part:.0f} %")) if slow else None
    return Estimate(exact_log_z(rbm.to(dtype=torch.float64), progress=report), 0.0, "exact")


def _running_log_z(rbm: RBM, base: Tensor | None, seed: int) -> Estimate:
    if enumeration_cost(rbm) <= EXACT_COST_RUNNING:
        return _exact(rbm, lambda line: None)
    chains = 100
    # As many temperatures as about a second allows, within reason
    steps = int(min(max(5e9 / (8.0 * chains * rbm.W.numel()), 100), 500))
    noise = Noise(seed_for(seed, "ais"), dtype=rbm.W.dtype, device=rbm.W.device)
    start = None if base is None else rbm.decoupled(base.to(rbm.a))
    return AIS(even_schedule(steps), chains, start)(rbm, noise)


def doubts(z: Estimate, wanted: Wanted | None = None) -> list[str]:
    """What should keep a reader from trusting the estimate, a sentence each, with the mend."""
    found = list(z.doubts)
    if z.sides:
        below, above = z.sides
        gap = above.value - below.value
        if gap > FAR_APART:
            found.append(
                f"annealing forwards and back differ by {gap:.2f} nats, so neither is known better than that; give it "
                "more time, or compare the method tempering"
            )
        elif gap < -FAR_APART:
            found.append(
                f"annealing back ends {-gap:.2f} nats below annealing forwards: some modes are reached by few chains; "
                "give it more time, or compare the method tempering"
            )
    if z.ess < FEW:
        found.append(
            f"the estimate rests on about {max(z.ess, 1):.0f} effective samples: rare chains carry all the weight; "
            "give it more time"
        )
    if wanted is not None and z.half_width > wanted.precision:
        more = "continue it, or give it more time" if z.sides else "the method both goes on until it is"
        found.append(f"± {z.half_width:.2g} nats was reached, not the ± {wanted.precision:g} asked for; {more}")
    return found


def binarisation_in_words(rule: str, scale: float) -> str:
    """What was done to the raw values: scores are comparable only where it was the same."""
    if rule == "none":
        return "as they are" if scale == 1 else f"as value / {scale:g}"
    if rule == "stochastic":
        return "drawn: " + ("the value" if scale == 1 else f"value / {scale:g}") + " is a probability"
    return "binarised: 1 where " + ("the value" if scale == 1 else f"value / {scale:g}") + f" > {rule}"


def grey_doubt(feed: Feed) -> str:
    """A sentence about grey rows that Bernoulli units have been given as they are."""
    words = binarisation_in_words(feed.rule, feed.scale)
    return (
        f"grey values stand for means here (data {words}, binarize=none), so this is no log-likelihood of any row of 0 "
        "and 1; to compare it, name a rule (binarize), such as 0.5"
    )


def free_energies(rbm: RBM, feed: Feed, rows: Tensor, *, seed: int = 0) -> Tensor:
    """F(v) of the given rows, in nats and float64: (n,); of rows without a label that of the rest.

    Stochastic rows are drawn with the given seed.
    """
    rbm = rbm.to(dtype=torch.float64)
    noise = Noise(seed_for(seed, "rows"), dtype=feed.dtype, device=feed.device)
    energy = partial(free_energy_of_known, rbm) if feed.partly_labelled else rbm.free_energy
    return torch.cat([energy(feed.states(block, noise).double()) for block in feed.blocks(rows)])


def states_of(feed: Feed, rows: Tensor, *, seed: int = 0, most: int = MOST_STATES) -> Tensor:
    """At most so many of the given rows, as visible states (n, V), chosen with the seed."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed_for(seed, "states")))
    return feed.states(rows[order[:most]], Noise(seed_for(seed, "states"), dtype=feed.dtype, device=feed.device))


def score(rbm: RBM, feed: Feed, rows: Tensor, z: Estimate, *, seed: int = 0) -> Score:
    """The average log-likelihood of the given rows, with ln Z from `log_z`."""
    return score_of_rows(row_log_likelihoods(rbm, free_energies(rbm, feed, rows, seed=seed), z), z)


def row_log_likelihoods(rbm: RBM, free_energy: Tensor, z: Estimate) -> Tensor:
    """ln p(v) of each row, in nats: (N,) from F(v) (N,)."""
    return rbm.visible.log_base - free_energy - z.value


def score_of_rows(log_p: Tensor, z: Estimate) -> Score:
    """The average of ln p(v) (N,)."""
    spread = float(log_p.std() / math.sqrt(len(log_p))) if len(log_p) > 1 else math.inf
    return Score(float(log_p.mean()), z.stderr, z.method, len(log_p), z.half_width, spread)


def baseline_score(base: Tensor, feed: Feed, rows: Tensor, *, seed: int = 0) -> Score:
    """The same for independent units with natural parameters `base` (k_v, V): what a machine must beat."""
    base = base.double()
    side, one = feed.side, Bernoulli(1)  # a machine with one hidden unit that is coupled to nothing
    independent = RBM(side, one, base.new_zeros(side.size, 1), base, one.neutral(base))
    z = Estimate(float(independent.log_z_decoupled()), 0.0, "exact")
    return score(independent, feed, rows, z, seed=seed)
