"""A folder of PNG images, as grey bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harmonium.data.labels import refuse_name
from harmonium.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


def read_images(folder: Path, label_name: str | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Read all PNG images below a folder, in the order of their names.

    Returns
    -------
    values : array (N, height, width) of uint8
        Grey: 0 is black, 255 is white.
    labels : array (N,) of str, or None
        If every image lies in a folder directly below this one, the name of that folder. None otherwise.

    Raises
    ------
    InputError
        No images, an image of another size (the first is named), or a damaged one.
    """
    refuse_name(folder, label_name)
    found = (p.relative_to(folder) for p in folder.rglob("*") if p.suffix.lower() == ".png")
    visible = (p for p in found if not any(part.startswith(".") for part in p.parts))
    names = sorted(visible, key=lambda p: p.as_posix())
    if not names and any(p.suffix.lower() == ".wav" for p in folder.iterdir()):
        raise InputError(
            f"{folder} holds recordings and no .png images; give them to harmonium predict and a run that learned from "
            "recordings, or make rows of them in Python to train on: "
            f"hm.train(harmonium.voice.voice_dataset({str(folder)!r}), visible='gaussian,variance=1')."
        )
    if not names:
        raise InputError(f"{folder} holds no .png images; give a folder that does, or a file.")
    first = _grey(folder / names[0])
    values = np.empty((len(names), *first.shape), np.uint8)
    values[0] = first
    for i, name in enumerate(names[1:], start=1):
        image = _grey(folder / name)
        if image.shape != first.shape:
            raise InputError(
                f"{folder / name} is {_size(image)} pixels where {names[0]} is {_size(first)}; "
                "make all images of one size."
            )
        values[i] = image
    return values, _labels(names)


def _grey(path: Path) -> np.ndarray:
    """One image as (height, width) bytes."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return _to_bytes(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a whole PNG image; replace or remove it.") from error


def _to_bytes(image: Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would clip what is above 255
        return (np.asarray(image) // 256).astype(np.uint8)
    if image.mode == "P":  # a palette may carry transparency, which only RGBA can take over
        image = image.convert("RGBA")
    return np.asarray(image.convert("L"))


def _labels(names: list[Path]) -> np.ndarray | None:
    if any(len(name.parts) != 2 for name in names):
        return None
    return np.array([name.parts[0] for name in names], dtype=str)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}×{image.shape[0]}"
