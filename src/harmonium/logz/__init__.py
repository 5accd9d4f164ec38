"""Partition functions, a line each in `LOGZ`."""

from __future__ import annotations

from collections.abc import Callable

from harmonium.logz.ais import AIS, ReverseAIS
from harmonium.logz.base import Estimate, LogZ
from harmonium.logz.bidirectional import Bidirectional
from harmonium.logz.exact import enumeration_cost, exact_estimate, exact_log_z, exact_moments
from harmonium.logz.tempering import ParallelTempering

#: Estimators by name; each value builds one from the machine of independent units that it may start from.
LOGZ: dict[str, Callable[..., LogZ]] = {
    "exact": lambda base=None: exact_estimate,
    "ais": lambda base=None: AIS(base=base),
    "reverse_ais": lambda base=None: ReverseAIS(base=base),
    "both": lambda base=None: Bidirectional(base=base),
    "tempering": lambda base=None: ParallelTempering(base=base),
}

__all__ = [
    "AIS",
    "LOGZ",
    "Bidirectional",
    "Estimate",
    "LogZ",
    "ParallelTempering",
    "ReverseAIS",
    "enumeration_cost",
    "exact_estimate",
    "exact_log_z",
    "exact_moments",
]
