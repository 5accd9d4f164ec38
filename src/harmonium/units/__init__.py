"""Unit families, a line each in `FAMILIES`; the same dictionary drives the command line and the tests."""

from __future__ import annotations

import difflib

from harmonium.errors import InputError
from harmonium.units.base import UnitFamily
from harmonium.units.bernoulli import Bernoulli
from harmonium.units.gaussian import Gaussian
from harmonium.units.interval import Interval, multivalued_units
from harmonium.units.ising import Ising
from harmonium.units.multivalued import Multivalued
from harmonium.units.onehot import OneHot
from harmonium.units.product import Product, parts_of
from harmonium.units.sparse import Sparse

FAMILIES: dict[str, type[UnitFamily]] = {
    "bernoulli": Bernoulli,
    "ising": Ising,
    "onehot": OneHot,
    "multivalued": Multivalued,
    "interval": Interval,
    "gaussian": Gaussian,
    "sparse": Sparse,
}

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Gaussian",
    "Interval",
    "Ising",
    "Multivalued",
    "OneHot",
    "Product",
    "Sparse",
    "UnitFamily",
    "multivalued_units",
    "parse_side",
    "parts_of",
]

_NUMERIC = frozenset("0123456789+-.")  # what a number begins with, and no family's name


def parse_side(text: str, *, columns: int | None = None) -> UnitFamily:
    """Read the spelling of a side: ``FAMILY:COUNT[,option=value…]``, parts of a product joined by ``+``.

    Where COUNT is left out it is `columns`, the number of data columns (``gaussian,variance=1``); for one-hot units
    the option q then gives the states of a column (``onehot,q=21``).  Raises InputError naming the wrong word.
    """
    # a sign at the beginning is that of a number, not of a product
    words = [text] if text[:1] == "+" else text.split("+")
    parts = [_parse_part(part.strip(), columns if len(words) == 1 else None) for part in words]
    return parts[0] if len(parts) == 1 else Product(*parts)


def _parse_part(text: str, columns: int | None) -> UnitFamily:
    head, *words = text.split(",")
    name, colon, count = head.partition(":")
    if name[:1] in _NUMERIC:
        raise InputError(
            f"{name!r} names no units; write how many as a whole number from 1 on, as in bernoulli:16, and separate "
            "layers by commas, as in layers=500,500."
        )
    if name not in FAMILIES:
        near = difflib.get_close_matches(name, FAMILIES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise InputError(f"unknown unit family {name!r}: choose from {', '.join(FAMILIES)}{hint}")
    options = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"option {word!r} of {text!r} must be written as name=value, such as s=4.")
        options[key.strip()] = value.strip()
    if not colon:
        if columns is None:
            raise InputError(f"{text!r} must say how many units: write {name}:16.")
        states = options.pop("q", None) if name == "onehot" else None
        if name == "onehot" and states is None:
            raise InputError(f"{text!r} must say how many states a column has: write onehot,q=21.")
        count = f"{columns}x{states}" if states else str(columns)
    return FAMILIES[name].from_spec(count, options)
