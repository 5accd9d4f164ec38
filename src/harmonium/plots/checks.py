"""What every figure asks of its arrays before it draws them."""

from math import prod

import numpy as np
import numpy.typing as npt

from harmonium.errors import InputError

Floats = npt.NDArray[np.float64]


def table(name: str, values: npt.ArrayLike, *, allow_nan: bool = False) -> Floats:
    """`values` as a (rows, columns) array of floats; `InputError` unless it is one, not empty and finite."""
    return _numbers(name, values, 2, "a (rows, columns) table", allow_nan)


def vector(name: str, values: npt.ArrayLike) -> Floats:
    """`values` as a (size,) array of floats; `InputError` unless it is one, not empty and finite."""
    return _numbers(name, values, 1, "a flat vector", False)


def is_image(name: str, size: int, shape: tuple[int, ...] | None) -> bool:
    """Whether rows of `size` entries are images (a 2-D `shape`); `InputError` where the shape holds another number."""
    if shape is None:
        return False
    if any(length < 1 for length in shape) or prod(shape) != size:
        raise InputError(
            f"{name} has {size} entries a row, which shape={shape} does not hold; give the shape of one row."
        )
    return len(shape) == 2


def _numbers(name: str, values: npt.ArrayLike, dimensions: int, wanted: str, allow_nan: bool) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} does not hold numbers only; give {wanted} of numbers.") from None
    if array.ndim != dimensions or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; give {wanted} that is not empty.")
    if np.isinf(array).any() or (not allow_nan and np.isnan(array).any()):
        raise InputError(f"{name} holds values that are not finite; give finite numbers.")
    return array
