"""Partition functions, a line each in `LOGZ`."""

from __future__ import annotations

from collections.abc import Callable

from harmonium.logz.ais import AIS
from harmonium.logz.base import Estimate, LogZ
from harmonium.logz.exact import enumeration_cost, exact_estimate, exact_log_z, exact_moments

#: Estimators by name; each value builds one from the machine of independent units that it may start from.
LOGZ: dict[str, Callable[..., LogZ]] = {
    "exact": lambda base=None: exact_estimate,
    "ais": lambda base=None: AIS(base=base),
}

__all__ = ["AIS", "LOGZ", "Estimate", "LogZ", "enumeration_cost", "exact_estimate", "exact_log_z", "exact_moments"]
