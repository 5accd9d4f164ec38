"""What the paper says: Yokoyama, Katsumata and Yasuda, "Restricted Boltzmann Machine with Multivalued Hidden Variables:
a model suppressing over-fitting", The Review of Socionetwork Strategies 13 (2019).

Its text as it could be had has lost the sizes and the formulas; what is taken from it are its claims, word for word
where they stand in quotation marks.  Which sizes are this study's is said in `OWN_SIZES`.
"""

from __future__ import annotations

from harmonium.experiments.multivalued.scales import BIAS_SCALE, GENERATING_HIDDEN, HIDDEN, RATE, ROWS, SWEEPS, VISIBLE

CITATION = (
    "Y. Yokoyama, T. Katsumata and M. Yasuda, <i>Restricted Boltzmann Machine with Multivalued Hidden Variables: a "
    "model suppressing over-fitting</i>, The Review of Socionetwork Strategies 13 (2019)"
)
OWN_SIZES = (
    f"The paper's sizes are lost from the text at hand; these are this study's own: {VISIBLE} visible units, "
    f"{GENERATING_HIDDEN} hidden units in the generating machine, biases with standard deviation {BIAS_SCALE:g}, "
    f"{ROWS} rows of data, each the end of a Gibbs chain of {SWEEPS} sweeps, {HIDDEN['a']} hidden units in the "
    f"machines of setting (a) and {HIDDEN['b']} in those of (b), and Adam's rate {RATE:g}. As in the paper: "
    "Xavier's first weights, no first biases, CD-1 with all rows in each update."
)
