"""Options that the objective has no use for: refused where they are asked for, as em and lbfgs refuse theirs.

Only what somebody has given is refused, and only where it differs from the default: presets and the stored options of
earlier runs may hold such values, and go on loading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from harmonium.config import Config
from harmonium.errors import InputError

_SAMPLING = ("negative", "steps", "chains")


def refuse_idle(config: Config, asked: Iterable[str]) -> None:
    """Raise InputError where an option among those `asked` for does nothing; see `harmonium.runs.plan` for others."""
    names = {name.replace("-", "_") for name in asked}
    for name, why in idle_options(config).items():
        if name in names:
            raise InputError(f"{name}={getattr(config, name)} does nothing with objective={config.aim}, {why}.")


def idle_options(config: Config) -> dict[str, str]:
    """The options that have been changed and do nothing, with the reason and the mend."""
    changed = [spec.name for spec in fields(Config) if getattr(config, spec.name) != spec.default]
    return {name: why for name in changed if (why := _idle(name, config.aim))}


def _idle(name: str, aim: str) -> str:
    """Why an option does nothing under an objective, and the mend; nothing where it does something."""
    if name == "generative_weight" and aim != "hybrid":
        return "which is no mean of two; leave it out, or set objective=hybrid"
    if name in _SAMPLING and aim == "discriminative":
        return "whose gradient needs no samples; leave it out, or set objective=hybrid"
    if name == "labelled_share" and aim == "discriminative":
        return "which learns from rows with a label alone; leave it out, or set objective=hybrid or joint"
    return ""
