"""Figures, one a file: they take arrays and plain values, and return Matplotlib figures that belong to no window."""

from harmonium.plots.biases import biases
from harmonium.plots.class_activity import class_activity
from harmonium.plots.confusion import confusion
from harmonium.plots.epochs import epochs
from harmonium.plots.generated import Chains, generated
from harmonium.plots.hidden_activations import hidden_activations
from harmonium.plots.hidden_correlation import hidden_correlation
from harmonium.plots.hidden_states import hidden_states
from harmonium.plots.image_lines import image_lines
from harmonium.plots.learning_bands import ModelCurves, learning_bands
from harmonium.plots.learning_curve import learning_curve
from harmonium.plots.mistakes import mistakes
from harmonium.plots.moments import moments
from harmonium.plots.parameters import parameters
from harmonium.plots.reliability import ReliabilityCurve, reliability
from harmonium.plots.samples import completions, samples
from harmonium.plots.score_bars import ModelScores, score_bars
from harmonium.plots.spectrograms import spectrograms
from harmonium.plots.style import save, style
from harmonium.plots.tiles import tiles
from harmonium.plots.weights import weights

__all__ = [
    "Chains",
    "ModelCurves",
    "ModelScores",
    "ReliabilityCurve",
    "biases",
    "class_activity",
    "completions",
    "confusion",
    "epochs",
    "generated",
    "hidden_activations",
    "hidden_correlation",
    "hidden_states",
    "image_lines",
    "learning_bands",
    "learning_curve",
    "mistakes",
    "moments",
    "parameters",
    "reliability",
    "samples",
    "save",
    "score_bars",
    "spectrograms",
    "style",
    "tiles",
    "weights",
]
