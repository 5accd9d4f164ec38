"""The raw value that means 1."""

from __future__ import annotations

import math

import numpy as np

from harmonium.errors import InputError


def guess_scale(X: np.ndarray) -> float:
    """255 for bytes with a value above 1 (grey images); 1 for everything else (already in units, or binary)."""
    return 255.0 if X.dtype == np.uint8 and int(X.max()) > 1 else 1.0


def check_scale(scale: float) -> float:
    """Return the scale as a float; InputError unless it is positive and finite."""
    if not (math.isfinite(scale) and scale > 0):
        raise InputError(f"scale={scale!r} must be a positive number: the raw value that means 1.")
    return float(scale)
