"""How good generated images are: what they show, whether they show it clearly, and whether they are new and various.

    shares     of each class among the images, and of those that show none; entropy of the classes' shares
    variety    < min_j Hamming(x_i, x_j) >, j another generated image;   < min_r Hamming(x_i, r) >, r a real one

Copies of the data lie at distance 0 from a real image, and one picture again and again at distance 0 from another
generated one.  The same two numbers for as many held-out real images say what is usual: nearest distances fall with the
number of images, so equally many are compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from harmonium.errors import InputError
from harmonium.evaluate.judge import Judge
from harmonium.evaluate.nearest import Binary, binary_images, nearest
from harmonium.evaluate.proportion import Proportion


@dataclass(frozen=True)
class Variety:
    """Nearest neighbours of `of` images.

    Attributes
    ----------
    to_other, to_real : float
        Mean Hamming distance, in pixels, to the nearest other image (infinite for a single one) and to the nearest real
        (training) image.
    repeats, copies : Proportion
        Images that are equal to another one, and to a real one.
    """

    to_other: float
    to_real: float
    repeats: Proportion
    copies: Proportion


@dataclass(frozen=True)
class Judgement:
    """What a judge says of N images.

    Attributes
    ----------
    shares : dict of int to Proportion
        Of all N: those that show each class, the rejected left out.
    no_digit, far, unsure, grainy : Proportion
        Of all N: rejected; for either reason; and with more grain than real images (which rejects none).
    clean : Proportion
        Of all N: neither rejected nor grainy.
    forced : dict of int to Proportion
        Of all N: the nearest class, whatever was rejected.
    entropy : float
        Of the shares of the classes among the accepted, in nats; ln C where they are even, NaN where none is accepted.
    right : Proportion or None
        Of all N: those that are accepted as the class that was wanted.
    generated, real : Variety
        Of the first M generated images, and of M held-out real ones; M is the smaller of their numbers.
    """

    shares: dict[int, Proportion]
    no_digit: Proportion
    far: Proportion
    unsure: Proportion
    grainy: Proportion
    clean: Proportion
    forced: dict[int, Proportion]
    entropy: float
    right: Proportion | None
    generated: Variety
    real: Variety


def judged(judge: Judge, images: Any, wanted: Any = None) -> Judgement:
    """Judge generated images (N, V) of zeros and ones.

    Parameters
    ----------
    judge : Judge
    images : array (N, V)
        Independent ones, such as the ends of chains: the intervals count each as a draw of its own.
    wanted : array (N,) of int, optional
        The class that each should show, such as that of the image where its chain began.

    Raises
    ------
    InputError
        Images that are not binary or of another size, or `wanted` of another length.
    """
    x = binary_images("images", images, judge.real.shape[1])
    found, n = judge.read(x), len(x)
    accepted = ~found.no_digit
    shares = {int(c): Proportion(int((accepted & (found.label == c)).sum()), n) for c in judge.classes}
    right = None
    if wanted is not None:
        target = np.asarray(wanted)
        if target.shape != (n,):
            raise InputError(f"wanted has shape {target.shape} for {n} images; give one class an image.")
        right = Proportion(int((accepted & (found.label == target)).sum()), n)
    m = min(n, len(judge.held_out))
    held = judge.held_out[np.linspace(0, len(judge.held_out) - 1, m).round().astype(int)]
    return Judgement(
        shares=shares,
        no_digit=Proportion(int(found.no_digit.sum()), n),
        far=Proportion(int(found.far.sum()), n),
        unsure=Proportion(int(found.unsure.sum()), n),
        grainy=Proportion(int(found.grainy.sum()), n),
        clean=Proportion(int((accepted & ~found.grainy).sum()), n),
        forced={int(c): Proportion(int((found.label == c).sum()), n) for c in judge.classes},
        entropy=_entropy([share.count for share in shares.values()]),
        right=right,
        generated=variety(x[:m], judge.real),
        real=variety(held, judge.real),
    )


def variety(images: Any, real: Any) -> Variety:
    """Nearest distances of images (M, V) among one another and to real images (R, V); InputError unless binary."""
    x = binary_images("images", images)
    references: Binary = binary_images("real", real, x.shape[1])
    other, own = nearest(x, x, itself=True)[0], nearest(x, references)[0]
    return Variety(
        float(other.mean()),
        float(own.mean()),
        Proportion(int((other == 0).sum()), len(x)),
        Proportion(int((own == 0).sum()), len(x)),
    )


def _entropy(counts: list[int]) -> float:
    total = sum(counts)
    if not total:
        return math.nan
    return sum(-c / total * math.log(c / total) for c in counts if c)
