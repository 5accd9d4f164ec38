"""The 1,797 digits of 8×8 pixels that come with scikit-learn: real data without a download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harmonium.data.dataset import Dataset
from harmonium.errors import InputError


def load_digits(path: Path | None = None) -> Dataset:
    """Load them: X (1797, 64) of uint8, 0 to 16; y (1797,), 0 to 9; no split of their own."""
    if path is not None:
        raise InputError(f"data_path={str(path)!r} cannot be used: the digits come with scikit-learn, so leave it out.")
    from sklearn.datasets import load_digits as bundled

    bunch = bundled()
    return Dataset(
        X=bunch.data.astype(np.uint8),
        y=bunch.target.astype(np.int64),
        scale=16.0,
        shape=(8, 8),
        name="digits",
        source="scikit-learn's bundled digits",
        licence="CC BY 4.0",
        citation="E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, "
        "UCI Machine Learning Repository, https://doi.org/10.24432/C50P49",
    )
