"""The prose of the page: how it was measured, what a case says, and when another tool is the better choice.

Every number, and every word that depends on one, is computed from what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from speed.arithmetic import ROOM, Row, Slope, Spread, allowance, best, ratios
from speed.cases import EPOCH
from speed.rounds import Measured, Pace
from speed.rows import ONES
from speed.tools import SCIKIT, TOOLS

#: Which of harmonium's gradients answers which tool's.
RIVAL_OF = {SCIKIT: "harmonium-pcd", "rbms": "harmonium-pcd", "learnergy": "harmonium-cd", "qucumber": "harmonium-cd"}
#: An exponent so much above 1, and its error twice, is cost that grows faster than the work.
_TOLERANCE = 0.05
MISSING = "–"


def flat(text: str) -> str:
    """Paragraphs as one line each."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def significant(value: float, digits: int = 3) -> str:
    """A number with so many digits that count, without a power of ten."""
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{decimals}f}".replace("-", "−")


def times(ratio: Spread) -> str:
    """A ratio of times with its quartiles."""
    return f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def how(pace: Pace, real: bool) -> str:
    """How it was measured."""
    rows = "MNIST's training images, white where a pixel is above half" if real else "random, as MNIST was not at hand"
    return flat(f"""Every tool trains on each case in a process of its own, once with one thread and once with two;
    below stands the better of the two. The processes of a case take turns in {pace.rounds} rounds, every other round
    backwards. A turn is as many updates as take about {pace.chunk:g} s, scaled to an epoch of {EPOCH:,} rows. Times
    are medians over the rounds; a ratio is taken within each round, and given as the median with the quartiles in
    parentheses. All tools train on the same black and white rows ({rows}; the curves of cost use random ones), in
    float32 where they can, with plain steps at one learning rate. Nothing is scored or drawn on the way, where that
    can be turned off.

    The <b>matrix products alone</b> are the least that an update of matrix products takes: two layers up, one down,
    and the two of the gradient (for the discriminative machine one up and one of the gradient), in the quickest of
    NumPy and torch, float32 and bfloat16, and both orders of the weights in memory. Data, random numbers, sigmoids and
    the change of the parameters come on top for every tool, and weigh the more the smaller the machine. harmonium can
    come below: where states are zeros and ones, and minibatches not too small, it adds rows instead of multiplying
    matrices, the quicker the fewer ones there are; of these rows' entries about one in eight is.

    Memory is the peak of the process while it trains, minus what it held when the same tool had just trained a
    machine of 20 × 4 units: rows, parameters and all that is made on the way, without the libraries. A connection
    update is one weight for one row. harmonium is measured with the same plain steps as the others, for CD-1 and
    PCD-1, and once more as it is when nothing is said (persistent chains, momentum, centring, a falling rate).""")


def fairness() -> str:
    """What the others' numbers hold."""
    return flat("""scikit-learn takes the steps of its own <code>fit</code>, rows in their order. rbms makes its
    update and a step of SGD on gathered rows; its <code>train</code> draws a permutation of all rows and rewrites a
    file at every update besides, which is left out here. learnergy's <code>fit</code> also scores every minibatch,
    and QuCumber's is in float64; neither can be turned off. rbms and learnergy are installed with <code>pip install -e
    '.[benchmarks]'</code>; the metadata of QuCumber 1.3.3 forbid current versions of torch, though it runs on
    them: <code>pip install --no-deps qucumber==1.3.3</code>.""")


def verdict(ratio: Spread, name: str) -> str:
    """How one of harmonium's gradients stands to another tool: judged by the quartiles of the ratio of its time."""
    if ratio.high < 1:
        return f"{1 / ratio.median:.2f} times as fast as {name}"
    if ratio.low > 1:
        return f"slower than {name}, by a factor of {ratio.median:.2f}"
    return f"as fast as {name}, within the spread of the rounds"


def said_of(rows: Sequence[Row]) -> str:
    """The lead of a case's section."""
    own = {row.tool: row for row in rows if row.tool.startswith("harmonium")}
    if not own:
        return "harmonium could not be measured."
    quickest = min(own.values(), key=lambda row: row.epoch.median)
    text = f"harmonium ({TOOLS[quickest.tool].gradient}) takes {significant(quickest.epoch.median)} s for an epoch"
    if quickest.to_floor is not None:
        text += f", {quickest.to_floor.median:.2f} times the matrix products alone"
    pcd = own.get("harmonium-pcd")
    if pcd is not None and pcd.to_scikit is not None:
        text += f"; its PCD-1 is {verdict(pcd.to_scikit, 'scikit-learn')}"
    return text + "."


def quicker(cases: Sequence[Measured]) -> str:
    """Where another tool took less time than harmonium with the same gradient, by the quartiles of the ratio."""
    found = []
    for measured in cases:
        for tool, rival in RIVAL_OF.items():
            theirs, ours = best(measured.timed, tool), best(measured.timed, rival)
            ratio = ratios(ours, theirs) if ours is not None else None
            if ratio is not None and ratio.low > 1:
                found.append(f"{TOOLS[tool].name} at {measured.case.name} ({ratio.median:.2f} times as fast)")
    if found:
        return f"Quicker than harmonium with the same gradient in this run: {'; '.join(found)}."
    return "In this run no other tool was quicker than harmonium with the same gradient on any case."


def memory(cases: Sequence[Measured]) -> str:
    """How harmonium's peak stands to `allowance`, at the case where it comes nearest to it or is furthest beyond."""
    shares = [(timed.memory / allowance(measured.case), measured.case.name) for measured in cases
              for timed in measured.timed if timed.tool.startswith("harmonium") and timed.seconds]  # fmt: skip
    share, name = max(shares, default=(math.nan, ""))
    if not shares:
        return ""
    stands = "stays below" if share <= 1 else "exceeds"
    return (
        "Peak memory of harmonium, whatever the gradient and the number of threads, "
        f"{stands} that of the rows as bytes, three times the parameters, the chains and {ROOM >> 20} MiB together: "
        f"it is {100 * share:.0f} % of it at {name}, where the share is the largest."
    )


def of_growth(held: str) -> str:
    """What the curves are."""
    return flat(f"""harmonium, CD-1, plain steps, random rows of whose entries {100 * ONES:.0f} % are ones. {held}. The
    exponent p is that of time = constant · sizeᵖ, fitted to all points by least squares of the logarithms, with its
    standard error. It is 1 where time is in proportion to the work, and less where fixed costs are spread over more
    work.""")


def growth(slopes: Sequence[tuple[str, int, Slope]]) -> str:
    """The lead of the section on cost."""
    faster = [f"{name}, {threads} threads" if threads > 1 else f"{name}, one thread"
              for name, threads, s in slopes if s.value - 2 * s.error > 1 + _TOLERANCE]  # fmt: skip
    if faster:
        return f"The cost grows faster than the work in: {'; '.join(faster)}."
    return (
        f"Nothing is seen to grow faster than the work: no exponent lies above {1 + _TOLERANCE:g} by more than twice "
        "its standard error."
    )


def elsewhere() -> str:
    """What this program lacks and others have."""
    return flat("""<b>Inside a scikit-learn pipeline.</b> <code>BernoulliRBM</code> is a transformer that stands in a
    <code>Pipeline</code>, in a grid search and behind <code>clone</code>, with no dependency beyond scikit-learn
    itself; harmonium offers no such class. Features of small binary data for a classifier need no more than that.

    <b>Proteins and other sequences.</b> rbms reads FASTA files, weighs sequences by how many are like them, keeps
    Potts machines in the zero-sum gauge, and archives every snapshot in one HDF5 file; harmonium has one-hot (Potts)
    visible units, but neither reads FASTA nor weighs rows.

    <b>Rectified hidden units.</b> RestrictedBoltzmannMachines.jl (Julia) has ReLU, double ReLU and several more kinds
    of layer, with companions for CUDA and for centred machines; PGM (Python) has ReLU and double ReLU units, and
    tempering that adapts while it trains. harmonium has none of these units.

    <b>Deep Boltzmann machines.</b> BoltzmannMachines.jl (Julia) trains them, undirected throughout, and estimates
    their likelihoods; harmonium stacks machines to deep belief networks.

    <b>Quantum states.</b> QuCumber reconstructs pure and mixed states from measurements; an RBM is its means, not its
    end.

    <b>Convolutional machines, dropout variants.</b> learnergy has convolutional RBMs and deep belief networks of
    them, and machines with dropped units or connections; harmonium has dropout in fine-tuning alone.

    <b>Other graphs.</b> thrml (JAX) and D-Wave's plugin for PyTorch sample Boltzmann machines on any graph;
    harmonium's are bipartite.

    <b>GPUs.</b> Nothing here was measured on one: on a GPU the order may be another.""")
