"""harmonium: Restricted Boltzmann Machines, from the first picture to a number one can publish.

    import harmonium as hm
    run = hm.train("digits", hidden="bernoulli:16")
    print(run)

Names are loaded when they are first used, so that importing the package is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "RBM": "harmonium.machine",
    "Run": "harmonium.runs.train",
    "train": "harmonium.runs.train",
    "resume": "harmonium.runs.resume",
    "train_deep": "harmonium.deep.train",
    "load_deep": "harmonium.deep.reopen",
    "DeepRun": "harmonium.deep.finished",
    "Stack": "harmonium.deep.stack",
    "log_likelihood_bound": "harmonium.deep.bound",
    "page": "harmonium.app.page",
    "predict": "harmonium.runs.predict",
    "Prediction": "harmonium.runs.predict",
    "class_probabilities": "harmonium.evaluate.class_probabilities",
    "validate": "harmonium.runs.validate",
    "Validation": "harmonium.runs.validation",
    "search": "harmonium.tuning.search",
    "preset": "harmonium.presets",
    "load_data": "harmonium.data",
    "load_model": "harmonium.io",
    "save_model": "harmonium.io",
    "sample": "harmonium.sampling",
    "stacked": "harmonium.stack",
    "unstacked": "harmonium.stack",
    "to_bernoulli": "harmonium.convert",
    "to_ising": "harmonium.convert",
    "to_mixture": "harmonium.convert",
    "from_mixture": "harmonium.convert",
    "log_likelihood": "harmonium.evaluate.log_likelihood",
    "pseudo_log_likelihood": "harmonium.evaluate.pseudolikelihood",
    "raise_log_likelihood": "harmonium.logz.raise_",
    "mixing": "harmonium.evaluate.mixing",
    "exact_log_z": "harmonium.logz",
    "exact_moments": "harmonium.logz",
    "AIS": "harmonium.logz",
    "ReverseAIS": "harmonium.logz",
    "Bidirectional": "harmonium.logz",
    "ParallelTempering": "harmonium.logz",
    "AdaptiveSchedule": "harmonium.logz.schedules",
    "even_schedule": "harmonium.logz.schedules",
    "reference_schedule": "harmonium.logz.schedules",
    "Noise": "harmonium.noise",
    "parse_side": "harmonium.units",
    "Bernoulli": "harmonium.units",
    "Ising": "harmonium.units",
    "OneHot": "harmonium.units",
    "Multivalued": "harmonium.units",
    "Interval": "harmonium.units",
    "Gaussian": "harmonium.units",
    "Product": "harmonium.units",
    "Sparse": "harmonium.units",
    "HarmoniumError": "harmonium.errors",
    "InputError": "harmonium.errors",
    "DivergedError": "harmonium.errors",
    "StoppedError": "harmonium.errors",
}

__all__ = ["__version__", *_PUBLIC]

if TYPE_CHECKING:
    from harmonium.app.page import page as page
    from harmonium.convert import from_mixture as from_mixture
    from harmonium.convert import to_bernoulli as to_bernoulli
    from harmonium.convert import to_ising as to_ising
    from harmonium.convert import to_mixture as to_mixture
    from harmonium.data import load_data as load_data
    from harmonium.deep.bound import log_likelihood_bound as log_likelihood_bound
    from harmonium.deep.finished import DeepRun as DeepRun
    from harmonium.deep.reopen import load_deep as load_deep
    from harmonium.deep.stack import Stack as Stack
    from harmonium.deep.train import train_deep as train_deep
    from harmonium.errors import DivergedError as DivergedError
    from harmonium.errors import HarmoniumError as HarmoniumError
    from harmonium.errors import InputError as InputError
    from harmonium.errors import StoppedError as StoppedError
    from harmonium.evaluate.class_probabilities import class_probabilities as class_probabilities
    from harmonium.evaluate.log_likelihood import log_likelihood as log_likelihood
    from harmonium.evaluate.mixing import mixing as mixing
    from harmonium.evaluate.pseudolikelihood import pseudo_log_likelihood as pseudo_log_likelihood
    from harmonium.io import load_model as load_model
    from harmonium.io import save_model as save_model
    from harmonium.logz import AIS as AIS
    from harmonium.logz import Bidirectional as Bidirectional
    from harmonium.logz import ParallelTempering as ParallelTempering
    from harmonium.logz import ReverseAIS as ReverseAIS
    from harmonium.logz import exact_log_z as exact_log_z
    from harmonium.logz import exact_moments as exact_moments
    from harmonium.logz.raise_ import raise_log_likelihood as raise_log_likelihood
    from harmonium.logz.schedules import AdaptiveSchedule as AdaptiveSchedule
    from harmonium.logz.schedules import even_schedule as even_schedule
    from harmonium.logz.schedules import reference_schedule as reference_schedule
    from harmonium.machine import RBM as RBM
    from harmonium.noise import Noise as Noise
    from harmonium.presets import preset as preset
    from harmonium.runs.predict import Prediction as Prediction
    from harmonium.runs.predict import predict as predict
    from harmonium.runs.resume import resume as resume
    from harmonium.runs.train import Run as Run
    from harmonium.runs.train import train as train
    from harmonium.runs.validate import validate as validate
    from harmonium.runs.validation import Validation as Validation
    from harmonium.sampling import sample as sample
    from harmonium.stack import stacked as stacked
    from harmonium.stack import unstacked as unstacked
    from harmonium.tuning.search import search as search
    from harmonium.units import Bernoulli as Bernoulli
    from harmonium.units import Gaussian as Gaussian
    from harmonium.units import Interval as Interval
    from harmonium.units import Ising as Ising
    from harmonium.units import Multivalued as Multivalued
    from harmonium.units import OneHot as OneHot
    from harmonium.units import Product as Product
    from harmonium.units import Sparse as Sparse
    from harmonium.units import parse_side as parse_side


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'harmonium' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
