"""Which likelihood to believe: estimates of ln Z beside the exact one, where they hold and where they mislead.

    HARMONIUM_DATA=... python benchmarks/likelihoods.py            fills in docs/likelihood.md, draws its figures
    HARMONIUM_DATA=... python benchmarks/likelihoods.py --quick    prints a short form (below two minutes)

Every machine here can be enumerated, so every error is known.  The full form takes less than ten minutes on one thread.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from likelihood_page.annealing import bases, means_of_weights, sandwich, sandwich_figure, sandwich_table
from likelihood_page.cheap_scores import cheap_figure, cheap_scores, cheap_table
from likelihood_page.common import FIGURES, PAGE, QUICK, Effort, Trained, say, stream
from likelihood_page.far_modes import far_modes, far_modes_figure, far_modes_table
from likelihood_page.minute import (
    both_ways,
    by_recipe,
    by_tempering,
    gibbs_verdict,
    minute_figure,
    minute_table,
    printed,
)
from likelihood_page.pitfalls import binarisations, codings, enumeration, swaps

from harmonium.logz.bases import collapsed_base, independent_base, mixture_base
from harmonium.logz.exact import sample_v_exactly
from harmonium.plots import save
from harmonium.plots.style import BLUE, GREEN
from harmonium.runs.summary import training_states


def measure(effort: Effort, figures: Path) -> dict[str, str]:
    """The page's blocks by name; figures are written on the way."""
    blocks = {"footnote": f"torch {torch.__version__}, {platform.machine()}"}
    say("enumeration")
    blocks["enumeration"] = enumeration(effort)
    say("training two machines")
    digits, mnist = (
        Trained.of("digits", "bernoulli:16", effort.epochs),
        Trained.of("mnist", "bernoulli:20", effort.epochs),
    )
    blocks["codings"], blocks["binarisations"] = codings(mnist), binarisations(mnist)
    say("forwards and back")
    ways = {
        "Own biases\nblock Gibbs": independent_base(mnist.rbm),
        "Base rates\nblock Gibbs": independent_base(mnist.rbm, mnist.rates),
        "Collapsed\nhidden units alone": collapsed_base(mnist.rbm, mnist.rates),
    }
    samples = sample_v_exactly(mnist.rbm, 128, stream(mnist.rbm, "exact"))
    panels = {name: sandwich(mnist, base, samples, effort.temperatures) for name, base in ways.items()}
    save(sandwich_figure(panels), figures / "likelihood-sandwich.png")
    blocks["sandwich"] = sandwich_table(panels)
    say("averages and bases")
    blocks["means"] = means_of_weights(digits, effort.weights)
    blocks["bases"] = bases(mnist, effort.temperatures[-1])
    say("swaps")
    blocks["swaps"] = swaps(digits, effort.sweeps // 2)
    say("two far modes")
    strips, truth = far_modes(effort)
    save(far_modes_figure(strips, truth), figures / "likelihood-two-modes.png")
    blocks["modes"] = far_modes_table(strips, truth)
    say("cheap scores")
    curve = cheap_scores(effort.updates)
    save(cheap_figure(curve), figures / "likelihood-cheap-scores.png")
    blocks["cheap"] = cheap_table(curve)
    say("a minute each")
    mixture = mixture_base(mnist.rbm, training_states(mnist.inputs), stream(mnist.rbm, "mixture"), mnist.rates)
    traces = [
        both_ways(mnist, effort.seconds, "both ways, collapsed\n(the default)", GREEN),
        both_ways(mnist, effort.seconds, "both ways, block Gibbs\nfrom a mixture", BLUE, mixture),
        by_tempering(mnist, effort.seconds),
        by_recipe(mnist, effort.classical),
    ]
    save(minute_figure(traces, mnist.log_z), figures / "likelihood-minute.png")
    blocks["minute"] = minute_table(traces, mnist.log_z)
    blocks["printed"], blocks["verdict"] = printed(mnist, effort.seconds), gibbs_verdict(mnist)
    return blocks


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """The page with each block between its marks, `<!-- name -->` and `<!-- /name -->`."""
    for name, text in blocks.items():
        first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if page.count(first) != 1 or page.count(last) != 1:
            raise SystemExit(f"{PAGE} needs one place for {name}, between {first.strip()} and {last}")
        page = page[: page.index(first) + len(first)] + text + "\n" + page[page.index(last) :]
    return page


def main() -> None:
    """Measure everything; fill in the page, or print the blocks of the short form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short form, printed")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            blocks = measure(QUICK, Path(folder))
        sys.stdout.write("\n\n".join(f"{name}\n\n{text}" for name, text in blocks.items()) + "\n")
    else:
        PAGE.write_text(filled(PAGE.read_text(), measure(Effort(), FIGURES)))


if __name__ == "__main__":
    main()
