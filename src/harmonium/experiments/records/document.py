"""What is to be reached: the best published likelihoods of machines with so many hidden units on binarised MNIST.

Average test log-likelihoods in nats an image.  They were found in the way that is followed here: grey values are the
probabilities of pixels, drawn anew each time in training, and drawn once for the test images.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A published average of ln p over the test images, in nats, and where it comes from."""

    value: float
    source: str


#: By hidden units; a size that is not here has none.
MARKS: dict[int, Mark] = {
    16: Mark(-142.56, "Melchior, PyDeep"),
    25: Mark(-129.76, "Carlson, Cevher and Carin (2015)"),
    100: Mark(-97.11, "Carlson, Cevher and Carin (2015)"),
    500: Mark(-84.6, "Grosse and Salakhutdinov (2015)"),
}
