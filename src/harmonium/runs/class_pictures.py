"""The pictures of a run's machine as a classifier: confusions, confident mistakes, and reliability."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from harmonium import plots
from harmonium.evaluate.calibration import Calibration, calibration
from harmonium.evaluate.classification import Floats
from harmonium.evaluate.temperature import calibrate
from harmonium.noise import Noise, seed_for
from harmonium.plots.confusion import MOST
from harmonium.plots.reliability import ReliabilityCurve
from harmonium.runs.classifier import Classified
from harmonium.runs.inputs import Inputs

_MISTAKES, _BINS = 24, 10
_PARTS = {
    "held_out": "held-out rows",
    "validation": "validation rows",
    "train": "training rows",
    "data": "rows of other data",
}


@torch.no_grad()
def draw_classifier(
    inputs: Inputs, found: Classified, folder: Path, *, shape: tuple[int, ...], ending: str = ""
) -> Iterator[Path]:
    """Write confusion, mistakes and reliability as PNG, with `ending` behind the names; yields their paths.

    `shape` is that of a row as an image: mistakes are drawn where it has two dimensions.
    """
    of = f"{len(found.y) - found.found.unlabelled:,} {_PARTS[found.part]}"
    if len(found.classes) <= MOST:
        figure = plots.confusion(found.found.confusion, found.classes, title=f"Classes said of {of}")
        yield plots.save(figure, folder / f"confusion{ending}.png")
    yield from _mistakes(inputs, found, folder / f"mistakes{ending}.png", shape, of)
    curves = [_curve("as trained", found.calibration, found.log_p, found.y)]
    if found.temperature is not None and found.calibrated is not None:
        name = f"temperature {found.temperature:.3g}"
        curves.append(_curve(name, found.calibrated, calibrate(found.log_p, found.temperature), found.y))
    drawn = plots.reliability(curves, title=f"Reliability on {of}", chance=1 / len(found.classes))
    yield plots.save(drawn, folder / f"reliability{ending}.png")


def _mistakes(inputs: Inputs, found: Classified, path: Path, shape: tuple[int, ...], of: str) -> Iterator[Path]:
    """The most confident mistakes; what an earlier call has left there goes where there are none."""
    # Not at the top: pictures calls this module
    from harmonium.runs.pictures import limits_of, picture_columns

    wrong = found.found.wrong[:_MISTAKES]
    feed = inputs.feed
    figure = None
    if len(wrong):
        noise = Noise(seed_for(inputs.config.seed, "pictures"), dtype=feed.dtype, device=feed.device)
        states = feed.states(torch.from_numpy(found.rows[wrong]), noise)
        images = picture_columns(feed.side, states, feed.y is not None)
        figure = plots.mistakes(
            images,
            [found.classes[code] for code in found.found.own[: len(wrong)]],
            [found.classes[code] for code in found.found.said[: len(wrong)]],
            found.found.confidence[: len(wrong)],
            shape if images.shape[1] == int(np.prod(shape)) else None,
            limits=limits_of(feed.pixels, images),
            title=_heading(len(found.found.wrong), of),
        )
    if figure is None:
        path.unlink(missing_ok=True)
    else:
        yield plots.save(figure, path)


def _heading(count: int, of: str) -> str:
    if count <= _MISTAKES:
        return f"All {count} mistakes on {of}, surest first" if count > 1 else f"The one mistake on {of}"
    return f"The surest of {count:,} mistakes on {of}"


def _curve(name: str, all_bins: Calibration, log_p: Floats, y: np.ndarray) -> ReliabilityCurve:
    """Bins of equal width are read more easily; the error is that of equal mass, which everything else states."""
    own = calibration(log_p, y, bins=_BINS, kind="width")
    sure = np.exp(log_p[y >= 0]).max(1).clip(0, 1)
    ece, low, high = 100 * all_bins.ece, 100 * all_bins.low, 100 * all_bins.high
    words = f"{name}: error of calibration {ece:.1f} % ({low:.1f} to {high:.1f} %)"
    right = [b.right for b in own.bins]
    return ReliabilityCurve(
        words, [b.confidence for b in own.bins], [r.value for r in right], [r.low for r in right],
        [r.high for r in right], sure,
    )  # fmt: skip
