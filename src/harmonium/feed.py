"""From a data set's raw rows to the states of the visible side, a minibatch at a time.

    threshold t     x = 1 where raw / scale > t                    fixed
    stochastic      x = 1 with probability raw / scale             drawn anew each time a row is used
    none            x = raw / scale                                fixed

Raw rows stay as they are (bytes, a memory map); only the rows asked for are expanded.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harmonium.data.dataset import Dataset
from harmonium.data.labels import UNLABELLED
from harmonium.errors import InputError, ValueRefusedError
from harmonium.kernels.binarise import above, can_binarise, drawn
from harmonium.noise import Noise
from harmonium.units import Bernoulli, OneHot, Product, UnitFamily, parts_of

_BLOCK_VALUES = 1 << 22
_MOST_CLASSES = 1 << 16
#: A class label as the user knows it: a whole number or a name.
Label = int | str
#: NumPy's types that torch cannot compute with, and what holds their values.
_WIDER: dict[str, type] = {"uint16": np.int32, "uint32": np.int64}
_WIDER |= dict.fromkeys(("uint64", "float128", "longdouble"), np.float64)


@dataclass(frozen=True, eq=False)
class Feed:
    """Rows of a data set as states of `side`, whose last part is the label where labels are given.

    X (N, columns) raw; `rule` is a threshold, stochastic or none.  y (N,) or None are the labels as numbers of
    `classes`, and `UNLABELLED` where there is none: the label's units are then all 0.
    """

    X: Tensor
    y: Tensor | None
    side: UnitFamily
    scale: float
    rule: str
    dtype: torch.dtype
    device: torch.device
    classes: tuple[Label, ...] = ()

    def __len__(self) -> int:
        return len(self.X)

    @property
    def threshold(self) -> float | None:
        """The threshold on raw / scale, where the rule is one."""
        return None if self.rule in ("none", "stochastic") else float(self.rule)

    @functools.cached_property
    def grey(self) -> bool:
        """Whether two-valued units are given values between the two, as means: no state has such values."""
        return self.rule == "none" and _is_grey(self.X, self.pixels)

    @functools.cached_property
    def partly_labelled(self) -> bool:
        """Whether some rows have no label."""
        return self.y is not None and bool((self.y == UNLABELLED).any())

    def with_label(self, rows: Tensor) -> Tensor:
        """Those of the given row numbers (n,) that have a label."""
        return rows if self.y is None else rows[self.y[rows] != UNLABELLED]

    @property
    def pixels(self) -> UnitFamily:
        """The part of the side that the raw rows fill."""
        return pixel_side(self.side, self.y is not None)

    def columns(self, rows: Tensor, noise: Noise | None, *, means: bool = False) -> Tensor:
        """Data columns before encoding, of the given row numbers (n,): (n, columns); or the `means` of drawn ones."""
        if self.rule == "none":
            raw = self._raw(rows)
            return raw / self.scale if self.scale != 1 else raw
        if self.rule == "stochastic" and means:
            x = self._raw(rows).div_(self.scale)
        elif self.rule == "stochastic":
            if noise is None:
                raise InputError("stochastic binarisation needs a stream of noise; pass one.")
            if can_binarise(self.X, rows, self.dtype, self.device, noise):
                x = drawn(self.X, rows, self.scale, noise)
            else:
                raw = self._raw(rows)
                x = torch.lt(noise.uniform(*raw.shape).mul_(self.scale), raw, out=raw)
        elif can_binarise(self.X, rows, self.dtype, self.device, None):
            x = above(self.X, rows, float(self.rule) * self.scale)
        else:
            raw = self._raw(rows)
            x = torch.gt(raw, float(self.rule) * self.scale, out=raw)
        low, high = self.pixels.two_values or (0.0, 1.0)
        return x if (low, high) == (0.0, 1.0) else x.mul_(high - low).add_(low)

    def _raw(self, rows: Tensor) -> Tensor:
        """The raw rows as numbers."""
        # index_select is many times faster than indexing, and comparing floats than comparing bytes
        return self.X.index_select(0, rows).to(device=self.device, dtype=self.dtype)

    def states(self, rows: Tensor, noise: Noise | None = None) -> Tensor:
        """Visible states of the given row numbers: (n,) -> (n, size)."""
        x = self.columns(rows, noise)
        if self.y is not None:
            x = torch.cat([x, self.y[rows].to(device=self.device, dtype=self.dtype).unsqueeze(1)], 1)
        return self.side.encode(x)

    def pixel_states(self, rows: Tensor, noise: Noise | None = None) -> Tensor:
        """The same without the label: (n,) -> (n, pixels.size)."""
        return self.pixels.encode(self.columns(rows, noise))

    def inputs(self, rows: Tensor) -> Tensor:
        """What a label is predicted from: the states (n, pixels.size) without it, of drawn rows their means.

        The hidden fields are linear in the inputs, so a mean gives their mean, and a prediction that is the same
        whenever it is asked for.
        """
        return self.pixels.encode(self.columns(rows, None, means=True))

    def blocks(self, rows: Tensor) -> list[Tensor]:
        """The given row numbers in blocks of bounded size once expanded."""
        return list(torch.split(rows, max(1, _BLOCK_VALUES // max(self.side.size, 1))))

    def mean_statistics(self, rows: Tensor, noise: Noise | None = None) -> Tensor:
        """The average of T(v) over the given rows, (k, size), in float64."""
        total = torch.zeros(self.side.k, self.side.size, dtype=torch.float64, device=self.device)
        for block in self.blocks(rows):
            total += self.side.statistics(self.states(block, noise)).sum(0, dtype=torch.float64)
        return total / len(rows)


def labelled_side(pixels: UnitFamily, classes: int) -> UnitFamily:
    """The side with one one-hot unit for the label behind it."""
    return Product(*parts_of(pixels), OneHot(1, classes))


def pixel_side(side: UnitFamily, labelled: bool) -> UnitFamily:
    """The side without the label that `labelled_side` has put behind it."""
    if not labelled or not isinstance(side, Product):
        return side
    return side.parts[0] if len(side.parts) == 2 else Product(*side.parts[:-1])


def make_feed(
    data: Dataset,
    side: UnitFamily,
    *,
    binarize: str = "auto",
    labelled: bool = False,
    classes: Sequence[Label] | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Feed:
    """Decide how raw values become states, check every value against the family, and append labels if asked.

    `classes` are the labels that there may be, by default those that occur.  Raises InputError naming the first value
    that the family does not take, and what to do, or the label that is wrong.
    """
    X = _as_tensor(data.X)
    if side.n != X.shape[1]:
        raise InputError(
            f"visible={side.spec} has {side.n} units, but the data have {X.shape[1]} columns; leave the number out."
        )
    y, found = label_codes(data, classes) if labelled else (None, ())
    rule, scale = _decide(X, side, data.scale, binarize)
    whole = side if y is None else labelled_side(side, len(found))
    return Feed(X, y, whole, scale, rule, dtype, torch.device(device), found)


def _as_tensor(X: np.ndarray) -> Tensor:
    """X (N, V) without a copy where torch can share it."""
    X = np.asarray(X)
    if X.dtype.name in _WIDER:
        X = X.astype(_WIDER[X.dtype.name])
    if not (X.flags.writeable and X.dtype.isnative) or any(stride < 0 for stride in X.strides):
        X = np.array(X, dtype=X.dtype.newbyteorder("="))
    return torch.from_numpy(X)


def label_codes(data: Dataset, classes: Sequence[Label] | None = None) -> tuple[Tensor, tuple[Label, ...]]:
    """The labels as numbers of the classes, `UNLABELLED` where there is none (N,); and the classes in that order.

    Raises InputError where there are no labels, one class alone, or a label that is none of `classes`.
    """
    if data.y is None:
        raise InputError(
            f"target is set, but {data.name} has no labels; give a file of them with labels=FILE, or name their column."
        )
    y = np.asarray(data.y)
    values, first = np.unique(y, return_index=True)
    own: list[Label] = [int(v) if data.names is None or v == UNLABELLED else data.names[v] for v in values]
    if classes is None:
        classes = tuple(label for label, value in zip(own, values, strict=True) if value != UNLABELLED)
        if len(classes) < 2:
            few = f"one class alone, {classes[0]!r}" if classes else "not one label"
            numbered = bool(classes) and UNLABELLED in values and data.names is None
            hint = f" ({UNLABELLED} means no label: renumber the classes)" if numbered else "; label rows of more"
            raise InputError(f"target needs at least two classes, and {data.name} has {few}{hint}.")
        if len(classes) > _MOST_CLASSES:
            raise InputError(f"target takes {_MOST_CLASSES} classes at most, and {data.name} has {len(classes)}.")
    number = {label: code for code, label in enumerate(classes)}
    codes = np.full(len(values), UNLABELLED, np.int64)
    for i, (label, value) in enumerate(zip(own, values, strict=True)):
        if value == UNLABELLED:
            continue
        if label not in number:
            known = ", ".join(map(str, classes[:20])) + (", ..." if len(classes) > 20 else "")
            raise InputError(
                f"the label {label!r} in row {first[i]} of {data.name} is none of the classes that the machine knows, "
                f"{known}; correct it, or leave it empty."
            )
        codes[i] = number[label]
    return torch.from_numpy(codes[np.searchsorted(values, y)]), tuple(classes)


def _decide(X: Tensor, side: UnitFamily, scale: float, binarize: str) -> tuple[str, float]:
    """The rule and the scale; grey images become black and white for two-valued units, and stay grey otherwise."""
    if binarize in ("auto", "none"):
        if scale == 1 and X.dtype != torch.bool and not (binarize == "auto" and _is_grey(X, side)):
            refused = _first_refused(X, side, 1.0)
            if refused is None:
                return "none", 1.0
            if side.two_values is None or binarize == "none":
                raise _refusal(refused, side, 1.0)
        elif _counts(side):  # numbers of states have no scale
            refused = _first_refused(X, side, 1.0)
            if refused is not None:
                raise _refusal(refused, side, 1.0)
            return "none", 1.0
        if binarize == "none" or side.two_values is None:
            refused = _first_refused(X, side, scale)
            if refused is not None:
                raise _refusal(refused, side, scale)
            return "none", scale
        rule = "0.5"
    else:
        rule = _rule(binarize)
        if side.two_values is None:
            raise InputError(
                f"binarize={binarize} is for two-valued units (bernoulli, ising); for {side.name} units use none."
            )
    refused = _first_refused(X, Bernoulli(side.n), scale)
    if refused is not None:
        raise _refusal(refused, side, scale, binarized=True)
    return rule, scale


def _rule(binarize: str) -> str:
    """A threshold in its shortest spelling, or stochastic."""
    if binarize == "stochastic":
        return binarize
    try:
        threshold = float(binarize)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold < 1:
        raise InputError(
            f"binarize must be a threshold from 0 to below 1, or stochastic, none or auto, not {binarize!r}."
        )
    return repr(threshold)


def _counts(side: UnitFamily) -> bool:
    return any(isinstance(part, OneHot) for part in parts_of(side))


def _is_grey(X: Tensor, side: UnitFamily) -> bool:
    """Whether values other than 0 and 1 are there that Bernoulli units would take as means."""
    if not isinstance(side, Bernoulli):
        return False
    step = max(1, _BLOCK_VALUES // X.shape[1])
    return not all(bool(((block == 0) | (block == 1)).all()) for block in torch.split(X, step))


def _first_refused(X: Tensor, side: UnitFamily, scale: float) -> tuple[int, int, float] | None:
    """Row, column and raw value of the first entry that the side does not take; None if it takes all."""
    step = max(1, _BLOCK_VALUES // X.shape[1])
    for start in range(0, len(X), step):
        raw = X[start : start + step].to(torch.float32)
        good = side.accepts(raw / scale if scale != 1 else raw)
        if not bool(good.all()):
            row, column = divmod(int((~good).flatten().to(torch.uint8).argmax()), X.shape[1])
            return start + row, column, float(X[start + row, column])
    return None


def _refusal(refused: tuple[int, int, float], side: UnitFamily, scale: float, *, binarized: bool = False) -> InputError:
    row, column, value = refused
    scaled = f" ({value / scale:g} after division by the scale {scale:g})" if scale != 1 else ""
    where = f"the value {value:g} in row {row}, column {column}{scaled}"
    if binarized:
        kinds = "from 0 to 1 to be made black or white"
        values = f" (or {side.support}, with binarize=none)" if side.name != "bernoulli" else ""
        why = f"is not {kinds}{values}; change scale, or set visible=gaussian, which takes real numbers."
        return ValueRefusedError(where, why)
    for part in parts_of(side):
        if column < part.n:
            side = part
            break
        column -= part.n
    mend = "change scale or binarize, or set visible=gaussian, which takes real numbers"
    return ValueRefusedError(where, f"is outside what {side.name} units take, {side.support}; {mend}.")
