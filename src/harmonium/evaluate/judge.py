"""A judge of generated images: which class an image shows, and whether it shows one at all.

    class      a support vector machine (Gaussian kernel, C = 10) on the leading principal components of the real images
    no digit   Hamming or relative distance to the nearest real image > t_far,  or  margin of the class < t_unsure
    grainy     squared distance from the span of the components > t_grainy

An image is *no digit* if it is farther from every real image than real images are from one another, or between classes
where they hardly ever are.  Two distances are asked: in pixels, which finds bold blobs, and relative to the lit pixels,
because a bold real image differs from the next one in more pixels than a whole cloud of noise does.  A little noise on
a legible digit is neither far nor unsure, and should not be: a sample v ~ p(v | h) of a small machine carries
independent noise in each pixel, and still shows its digit.  That it does not look like a real image is a verdict of its
own, *grainy*: real strokes lie near the span of the components, independent pixels do not.  Pixels drawn independently
at their base rates are always grainy and mostly far; the rest of them do resemble the mean of the data.

Thresholds come from real images that the judge was not fitted to (a sixth of those given): those for no digit together
reject a wanted share of them, by the same rank in each, and that for grainy as many.  What they do on the held-out
images was chosen by nothing, and is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harmonium.checks import check_seed
from harmonium.errors import InputError
from harmonium.evaluate.nearest import Binary, Floats, binary_images, nearest
from harmonium.evaluate.proportion import Proportion
from harmonium.noise import seed_for

Integers = npt.NDArray[np.int64]

#: Principal components: of MNIST's 7, 8 and 9, 60 classify as well as all 784 pixels and ten times as fast.
COMPONENTS = 60
#: The share of real images that is set aside for the thresholds, and the least number of them.
CALIBRATION, LEAST = 1 / 6, 20


@dataclass(frozen=True, eq=False)
class Readings:
    """What a judge reads from N images: the class (N,), and whether each is far, unsure and grainy, (N,) of bool."""

    label: Integers
    far: npt.NDArray[np.bool_]
    unsure: npt.NDArray[np.bool_]
    grainy: npt.NDArray[np.bool_]

    @property
    def no_digit(self) -> npt.NDArray[np.bool_]:
        """Far or unsure."""
        return self.far | self.unsure


@dataclass(frozen=True, eq=False)
class Judge:
    """A fitted judge; make one with `Judge.fit`.

    Attributes
    ----------
    classes : array (C,) of int
    error : Proportion
        Held-out real images that are classified wrongly.
    false_rejection, false_grainy : Proportion
        Held-out real images that are taken for no digit, and for grainy.
    real, held_out : arrays (R, V), (Q, V)
        All real images given for fitting, to which distances are reported, and the held-out ones.
    t_far : (float, float)
        The thresholds of the Hamming and of the relative distance.
    t_unsure, t_grainy : float
        Those of the margin and of the squared distance from the span.
    """

    classes: Integers
    error: Proportion
    false_rejection: Proportion
    false_grainy: Proportion
    real: Binary
    held_out: Binary
    t_far: tuple[float, float]
    t_unsure: float
    t_grainy: float
    _scorer: _Scorer

    @classmethod
    def fit(
        cls, images: Any, labels: Any, held_images: Any, held_labels: Any, seed: int = 0, *, rejection: float = 0.01
    ) -> Judge:
        """Fit to real images, and measure on held-out ones.

        Parameters
        ----------
        images, held_images : arrays (N, V), (Q, V)
            Of zeros and ones, binarised as the machine's data were.
        labels, held_labels : arrays (N,), (Q,) of int
            Their classes.
        seed : int
            Chooses the images that set the thresholds.
        rejection : float
            The share of real images that may be taken for no digit, and for grainy.

        Raises
        ------
        InputError
            Images that are not binary, labels of another length or of one class only, or too few images.
        """
        check_seed(seed)
        if not 0 < rejection < 0.5:
            raise InputError(f"rejection must be a share above 0 and below 0.5, not {rejection!r}.")
        x = binary_images("images", images)
        y = _labels("labels", labels, len(x))
        held = binary_images("held_images", held_images, x.shape[1])
        held_y = _labels("held_labels", held_labels, len(held))
        classes = np.unique(y)
        if len(classes) < 2:
            raise InputError(f"labels names {len(classes)} class; a judge tells two or more apart.")
        order = np.random.default_rng(seed_for(seed, "judge")).permutation(len(x))
        own, aside = np.split(order, [len(x) - max(LEAST, round(CALIBRATION * len(x)))])
        if len(own) < LEAST or len(np.unique(y[own])) < len(classes):
            raise InputError(f"images are too few ({len(x)}) to fit a judge of {len(classes)} classes; give more.")
        scorer = _Scorer.fit(x[own], y[own], classes)
        _, hamming, relative, margin, grain = scorer(x[aside])
        *t_far, t_margin = _joint_thresholds([hamming, relative, -margin], rejection)
        (t_grainy,) = _joint_thresholds([grain], rejection)
        nothing = Proportion(0, 0)
        judge = cls(classes, nothing, nothing, nothing, x, held, (t_far[0], t_far[1]), -t_margin, t_grainy, scorer)
        found = judge.read(held)
        return replace(
            judge,
            error=Proportion(int((found.label != held_y).sum()), len(held)),
            false_rejection=Proportion(int(found.no_digit.sum()), len(held)),
            false_grainy=Proportion(int(found.grainy.sum()), len(held)),
        )

    def read(self, images: Any) -> Readings:
        """Classify images (N, V) of zeros and ones; InputError for others."""
        x = binary_images("images", images, self.real.shape[1])
        best, hamming, relative, margin, grain = self._scorer(x)
        far = (hamming > self.t_far[0]) | (relative > self.t_far[1])
        return Readings(self.classes[best], far, margin < self.t_unsure, grain > self.t_grainy)


@dataclass(frozen=True, eq=False)
class _Scorer:
    """Components, classifier and reference images, all from the same real images."""

    mean: Binary
    components: Binary
    machine: Any
    reference: Binary
    n_classes: int

    @classmethod
    def fit(cls, x: Binary, y: Integers, classes: Integers) -> _Scorer:
        from sklearn.decomposition import PCA
        from sklearn.svm import SVC

        pca = PCA(min(COMPONENTS, x.shape[1], len(x) - 1), svd_solver="covariance_eigh").fit(x)
        machine = SVC(C=10.0, gamma="scale", decision_function_shape="ovo", cache_size=500)
        machine.fit(pca.transform(x), np.searchsorted(classes, y))
        return cls(pca.mean_.astype(np.float32), pca.components_.astype(np.float32), machine, x, len(classes))

    def __call__(self, x: Binary) -> tuple[Integers, Floats, Floats, Floats, Floats]:
        """Place of the class, Hamming and relative distance, margin and grain of each image, (N,) each."""
        centred = x - self.mean
        z = centred @ self.components.T
        # f_ij > 0 speaks for class i against j: the class that wins its worst comparison, and by how much
        f = np.full((len(x), self.n_classes, self.n_classes), np.inf)
        i, j = np.triu_indices(self.n_classes, 1)
        f[:, i, j] = self.machine.decision_function(z).reshape(len(x), -1) * (-1 if self.n_classes == 2 else 1)
        f[:, j, i] = -f[:, i, j]
        worst = f.min(2)
        grain = np.square(centred, dtype=np.float64).sum(1) - np.square(z, dtype=np.float64).sum(1)
        return worst.argmax(1), *nearest(x, self.reference), worst.max(1), grain


def _joint_thresholds(scores: list[Floats], share: float) -> list[float]:
    """Thresholds of one rank in each score, above which in any of them lies no more than the `share` of the images."""
    falling = [-np.sort(-score) for score in scores]
    # how many images have a higher score: an image is above the threshold of rank r if it has fewer than r above it
    ranks = [np.searchsorted(-own, -score, side="left") for own, score in zip(falling, scores, strict=True)]
    first = np.sort(np.min(ranks, 0))
    rank = min(int(first[int(share * len(first))]), len(first) - 1)
    return [float(own[rank]) for own in falling]


def _labels(name: str, labels: Any, count: int) -> Integers:
    y = np.asarray(labels)
    if y.shape != (count,) or not np.issubdtype(y.dtype, np.integer):
        raise InputError(f"{name} is {y.dtype} of shape {y.shape}; give a whole number for each of {count} images.")
    return y.astype(np.int64)
