"""Figures, one a file: they take arrays and plain values, and return Matplotlib figures that belong to no window."""

from harmonium.plots.biases import biases
from harmonium.plots.hidden_activations import hidden_activations
from harmonium.plots.learning_curve import learning_curve
from harmonium.plots.moments import moments
from harmonium.plots.samples import completions, samples
from harmonium.plots.style import save, style
from harmonium.plots.tiles import tiles
from harmonium.plots.weights import weights

__all__ = [
    "biases",
    "completions",
    "hidden_activations",
    "learning_curve",
    "moments",
    "samples",
    "save",
    "style",
    "tiles",
    "weights",
]
