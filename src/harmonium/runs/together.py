"""Several runs of one configuration in this process: stacked as one machine where that is quicker, else in turn.

Each machine has its own seed, and so its own split, first weights, minibatches and random numbers, as if it were alone:
in a stack it takes the same updates, up to the rounding of sums (and what a flipped sample makes of that).  Each is
measured, stopped and chosen by its own validation rows; the others go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from harmonium.config import Config
from harmonium.data import Dataset, fingerprint
from harmonium.errors import DivergedError, InputError
from harmonium.feed import Feed
from harmonium.machine import RBM
from harmonium.noise import Noise, Streams
from harmonium.runs.environment import threads_of
from harmonium.runs.finished import Run, finished
from harmonium.runs.health import HealthWatch
from harmonium.runs.monitor import Monitor
from harmonium.runs.plan import Plan, make_plan
from harmonium.runs.summary import finite
from harmonium.stack import stacked, unstacked
from harmonium.training.average import Average
from harmonium.training.batches import StackedBatches
from harmonium.training.loop import Observer, TrainState, diverged_at, fit, is_finite
from harmonium.training.transforms import Transform, make_transforms
from harmonium.training.update import LINEAR, GradientUpdate

#: Numbers that a step of all stacked machines may touch: those of 1.6 MB stay in a core's own cache.  Measured by
#: benchmarks/stacking.py on one thread, a stack of 20 brings twice the updates for 784 × 8 in minibatches of 10,
#: and five times for 64 × 16 (a gradient of both is one call: `harmonium.kernels.small`); one of 4 brings 1.4 times for
#: 784 × 8 in minibatches of 100, one of 2 hardly anything for 784 × 100; beyond, arithmetic and memory are the limit,
#: and a stack is slower than its machines one by one.
MOST_NUMBERS, MOST_TOGETHER = 400_000, 20
#: Called with each run as soon as it has ended.
Ended = Callable[[int, Run], None]


def train_together(
    config: Config,
    dataset: Dataset,
    seeds: Sequence[int],
    learning_rates: Sequence[float] | None = None,
    *,
    together: int = 0,
    ended: Ended = lambda number, run: None,
    observers: Sequence[Observer] = (),
) -> list[Run]:
    """Train a machine for each seed, in this process and without a folder.

    Parameters
    ----------
    config : Config
        The options of all; its own seed counts for nothing.
    dataset : Dataset
        The data of all.
    seeds : sequence of int
        A seed for each run; it also decides the split where the data have none of their own.
    learning_rates : sequence of float, optional
        A first learning rate for each run, in place of the configuration's.
    together : int
        Machines to stack at most; 0 leaves it to `best_together`, 1 trains one after the other.
    ended : callable
        Called with the position and the run of each, when it has been scored.
    observers : sequence of callable
        Further observers of the training loop.

    Returns
    -------
    list of Run
        In the order of the seeds, ``folder`` None.  ``summary["diverged"]`` says whether it diverged: the machine is
        then the last one that was measured in good order, ``summary["reason"]`` the sentence, and there are no scores.
        Runs of one stack share their ``seconds``; ``summary["together"]`` says how many they were.

    Raises
    ------
    InputError
        An option does not fit, or the numbers of seeds and learning rates differ.
    """
    if learning_rates is not None and len(learning_rates) != len(seeds):
        raise InputError(f"learning_rates has {len(learning_rates)} values for {len(seeds)} seeds; give one a seed.")
    configs = [replace(config, seed=seed) for seed in seeds]
    if learning_rates is not None:
        configs = [replace(c, learning_rate=rate) for c, rate in zip(configs, learning_rates, strict=True)]
    runs: list[Run] = []
    feed: Feed | None = None  # does not depend on the seed
    identity = {"name": dataset.name, "source": dataset.source, "rows": len(dataset)}
    identity["fingerprint"] = fingerprint(dataset)
    while len(runs) < len(configs):
        plan = make_plan(configs[len(runs)], dataset, feed=feed)
        feed = plan.feed
        most = (
            min(together or best_together(plan), len(configs)) if can_stack(config) and not feed.partly_labelled else 1
        )
        # as even as can be: 12 by 5 are 4, 4, 4
        left = len(configs) - len(runs)
        size = math.ceil(left / math.ceil(left / most))
        plans = [plan, *(make_plan(c, dataset, feed=feed) for c in configs[len(runs) + 1 : len(runs) + size])]
        with threads_of(plan, None):
            for run in _train(plans, identity, observers):
                ended(len(runs), run)
                runs.append(run)
    return runs


def can_stack(config: Config) -> bool:
    """Whether the machines of such runs can be stacked: sampled gradients, optimisers that step each parameter by
    itself, and no labels to sum over.
    """
    return config.negative in ("cd", "pcd") and config.optimizer in LINEAR and not config.by_labels


def best_together(plan: Plan) -> int:
    """How many machines like this one to stack: see `MOST_NUMBERS`; one on a device other than the processor."""
    rbm, config = plan.state.rbm, plan.config
    if plan.feed.device.type != "cpu":
        return 1
    rows = max(plan.largest_batch, config.chains if config.negative == "pcd" else 0)
    numbers = rows * (rbm.visible.size + rbm.hidden.size) + rbm.W.numel()
    return max(1, min(MOST_TOGETHER, MOST_NUMBERS // numbers))


@dataclass
class _Member:
    """One of the runs: what looks at it, and how it ended; `number` is its place in the stack."""

    plan: Plan
    number: int
    monitor: Monitor = field(init=False)
    watch: HealthWatch = field(init=False)
    sound: RBM = field(init=False)  # the last machine that was measured in good order
    reason: str | None = None
    over: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.monitor = Monitor(self.plan)
        self.watch = HealthWatch(self.monitor)
        self.sound = self.plan.state.scored.detached()

    def look(self) -> None:
        """Measure where it is due; from then on nothing where it has ended."""
        state, before = self.plan.state, len(self.monitor.history)
        try:
            if self.monitor(state):
                self.end()
            self.watch(state)
        except DivergedError as error:
            self.end(str(error))
            return
        if len(self.monitor.history) > before:
            self.sound = state.scored.detached()

    def end(self, reason: str | None = None) -> None:
        """No more of this one."""
        self.over, self.reason, self.seconds = True, reason, self.monitor.seconds


@dataclass
class _Slice:
    """In the place of an update: the machine that the stack's update changes."""

    rbm: RBM
    full_batch: bool = False

    def step(self, number: int, objective: Any) -> None:
        """The stack steps."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """The stack's own."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to take up."""


def _train(plans: list[Plan], identity: dict[str, Any], observers: Sequence[Observer]) -> Iterator[Run]:
    """Train the plans as one, then score one after the other."""
    first = plans[0]
    state, batches, transforms = as_one(plans)
    with torch.no_grad():
        members = [_Member(plan, number) for number, plan in enumerate(plans)]
        for member in members:
            member.look()
    every_step = any(member.monitor.following is not None for member in members)
    steps = members[0].monitor.steps

    def look(state: TrainState) -> bool:
        if every_step or state.step in steps:
            sound = is_finite(state.rbm)
            for member in members:
                if member.over:
                    continue
                _show(state, member)
                if bool(sound if sound.dim() == 0 else sound[member.number]):
                    member.look()
                else:
                    member.end(str(diverged_at(state.step)))
        return all(member.over for member in members)

    try:
        if not all(member.over for member in members):
            fit(
                state, batches, first.total, first.negative, transforms=transforms, observers=[look, *observers],
                partly_labelled=first.feed.partly_labelled,
            )  # fmt: skip
    except DivergedError as error:
        for member in members:
            if not member.over:
                _show(state, member)
                member.end(str(error))
    for member in members:
        if not member.over:
            member.end()
    for member in members:
        yield _run(member, identity, len(plans))


def _show(state: TrainState, member: _Member) -> None:
    """Bring a member's own state up to that of the stack, whose parameters it has already."""
    own = member.plan.state
    if own is not state:
        own.step, own.info = state.step, state.info
        own.negative = {name: tensor[member.number] for name, tensor in state.negative.items()}


@torch.no_grad()
def _run(member: _Member, identity: dict[str, Any], together: int) -> Run:
    plan, monitor = member.plan, member.monitor
    if member.reason is None:
        run = finished(plan, monitor, list(member.watch.findings.values()), identity, member.seconds)
        return replace(run, summary={**run.summary, "diverged": False, "together": together})
    summary = {
        "diverged": True,
        "reason": member.reason,
        "scores": {},
        "binarize": plan.feed.rule,
        "scale": plan.feed.scale,
        "steps": plan.state.step,
        "seconds": round(member.seconds, 3),
        "data": identity,
        "together": together,
    }
    return Run(member.sound, finite(summary), monitor.history, None)


def as_one(
    plans: Sequence[Plan],
) -> tuple[TrainState, Callable[[int, Noise], Tensor], tuple[Transform, ...]]:
    """State, minibatches and transforms of the plans' machines as one; each plan's own state becomes a view of it.

    Of one plan they are its own.  The plans differ in seed and learning rate alone.
    """
    lead = plans[0]
    if len(plans) == 1:
        return lead.state, lead.batches, lead.transforms
    updates = [plan.state.update for plan in plans]
    rates = [update.learning_rates[0] for update in updates if isinstance(update, GradientUpdate)]
    if len(rates) < len(plans) or not can_stack(lead.config):
        raise InputError(f"negative={lead.config.negative} with {lead.config.optimizer} cannot be stacked.")
    same = len({plan.config.learning_rate for plan in plans}) == 1
    whole = stacked([plan.state.rbm for plan in plans])
    momentum = updates[0].momentum if isinstance(updates[0], GradientUpdate) else None
    update = GradientUpdate(whole, lead.config.optimizer, rates[0] if same else rates, momentum)
    average = Average(update.rbm, lead.config.averaging) if lead.config.averaging else None
    state = TrainState(update, Streams([plan.state.noise for plan in plans]), average=average)
    for plan, rbm, mean in zip(plans, unstacked(update.rbm), unstacked(state.scored), strict=True):
        plan.state.update = _Slice(rbm)
        if plan.state.average is not None:
            plan.state.average.rbm = mean
    centre = torch.stack([plan.mean[0].to(plan.feed.dtype) for plan in plans]) if lead.config.centred else None
    transforms = make_transforms(l1=lead.config.l1, l2=lead.config.l2, centre=centre)
    return state, StackedBatches([plan.batches for plan in plans]), transforms
