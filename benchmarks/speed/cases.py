"""What is measured: machines and minibatches, the tools that meet at each, and the curves of cost against size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

#: Rows of an epoch.
EPOCH = 60_000
CLASSES = 10
#: Threads that every tool is tried with.
THREADS = (1, 2)
_PEERS = ("harmonium-cd", "harmonium-pcd", "harmonium-default", "scikit-learn", "rbms", "learnergy", "qucumber")
_OWN = ("harmonium-cd", "harmonium-pcd")


@dataclass(frozen=True)
class Case:
    """One machine, one size of minibatch, and who is measured on it.

    `hidden` is written as harmonium writes it; `rows` are held in memory, drawn at random if `random`, else MNIST's
    where it is at hand.  With `labels` the class is one more, one-hot visible unit, and learning is to predict it.
    """

    visible: int
    hidden: str
    batch: int
    tools: tuple[str, ...] = _OWN
    rows: int = EPOCH
    labels: bool = False
    random: bool = False
    threads: tuple[int, ...] = THREADS

    @property
    def units(self) -> int:
        """Hidden units, or entries of a one-hot unit."""
        return int(self.hidden.partition(":")[2].partition(",")[0])

    @property
    def kind(self) -> str:
        """The family of the hidden units."""
        return self.hidden.partition(":")[0]

    @property
    def weights(self) -> int:
        """V · H."""
        return (self.visible + CLASSES * self.labels) * self.units

    @property
    def products(self) -> int:
        """Products of a minibatch with the weights in one update: five of CD-1, and two where nothing is sampled."""
        return 2 if self.labels else 5

    @property
    def name(self) -> str:
        """Such as "784 × 500, minibatches of 100"."""
        kind = {"bernoulli": "", "onehot": " one-hot"}.get(self.kind, f" {self.kind}")
        more = ", s = " + self.hidden.partition("s=")[2] if "s=" in self.hidden else ""
        left = f"({self.visible} + {CLASSES} labels)" if self.labels else f"{self.visible}"
        return f"{left} × {self.units}{kind}{more}, minibatches of {self.batch:,}"

    def tiny(self) -> Case:
        """The same in a size that takes no memory and no time: what loads and compiles all that the case needs."""
        few = self.hidden.replace(f":{self.units}", ":4", 1)
        return replace(self, visible=20, hidden=few, batch=10, rows=60, random=True)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Case:
        """And back."""
        return cls(**{**fields, "tools": tuple(fields["tools"]), "threads": tuple(fields["threads"])})


#: Side by side, where other tools have such a machine.
FULL = tuple(
    Case(784, f"bernoulli:{units}", batch, _PEERS)
    for units, batches in ((500, (10, 100, 1000)), (8, (10, 100, 500)), (4000, (100,)))
    for batch in batches
)
#: What harmonium alone has.
OWN = (
    Case(784, "onehot:50", 100),
    Case(784, "multivalued:500,s=4", 100),
    Case(784, "bernoulli:500", 100, ("harmonium-labels",), labels=True),
)
QUICK = (
    replace(FULL[1], rows=10_000, tools=tuple(t for t in _PEERS if t != "harmonium-default")),
    Case(784, "onehot:50", 100, ("harmonium-cd",), rows=10_000, threads=(1,)),
)


@dataclass(frozen=True)
class Curve:
    """Cost of harmonium's CD-1 against one size, the others held; `of` makes the case of one value.

    What is measured is an epoch if `whole`, and else an update.
    """

    name: str
    values: tuple[int, ...]
    of: Callable[[int], Case]
    held: str
    whole: bool = False

    def cases(self) -> tuple[Case, ...]:
        """A case a value."""
        return tuple(self.of(value) for value in self.values)


def _point(visible: int = 784, hidden: int = 500, batch: int = 100, rows: int = 20_000) -> Case:
    return Case(visible, f"bernoulli:{hidden}", batch, ("harmonium-cd",), rows, random=True)


CURVES = (
    Curve("rows", (3750, 7500, 15_000, 30_000, 60_000), lambda n: _point(rows=n),
          "784 × 500, minibatches of 100; an epoch", whole=True),
    Curve("visible units", (196, 392, 784, 1568, 3136), lambda n: _point(visible=n),
          "500 hidden units, minibatches of 100; an update"),
    Curve("hidden units", (62, 125, 250, 500, 1000, 2000, 4000), lambda n: _point(hidden=n),
          "784 visible units, minibatches of 100; an update"),
    Curve("rows of a minibatch", (10, 30, 100, 300, 1000, 3000), lambda n: _point(batch=n),
          "784 × 500; an update"),
)  # fmt: skip
QUICK_CURVES = (
    Curve("rows of a minibatch", (30, 100, 300, 1000), lambda n: replace(_point(batch=n, rows=5000), threads=(1,)),
          "784 × 500; an update"),
)  # fmt: skip
