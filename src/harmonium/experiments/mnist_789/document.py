"""What the document says: Bellavia, Belli, Lera and Maida, "Generative capabilities of Restricted Boltzmann Machines on
the MNIST dataset", University of Padua, 8 April 2025.  Numbers quoted from its text, tables and figures, and nothing
else; ours come from runs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quoted:
    """A number of the document: its value, what it says about the error (None: nothing), and where it stands."""

    value: float
    error: float | None
    where: str
    about: bool = False

    def __str__(self) -> str:
        text = f"{self.value:g}" + ("" if self.error is None else f" ± {self.error:g}")
        return ("about " if self.about else "") + text.replace("-", "−")


CITATION = (
    "G. Bellavia, L. Belli, M. Lera and G. A. Maida, <i>Generative capabilities of Restricted Boltzmann Machines on "
    "the MNIST dataset</i>, student report, 8 April 2025"
)
#: Average ln p(v) over the images that were trained on, nats.
SCORES = {
    "3": Quoted(-175, None, "Figure 2", about=True),
    "L5": Quoted(-150, None, "Figure 3", about=True),
    "L8": Quoted(-147, 1, "abstract, section 5"),
    "L55": Quoted(-146, 1, "abstract, section 5"),
}
ISING_AT_MOST = Quoted(-560, None, "section 3", about=True)
IMAGES = 21_076
STATES_USED = {55: 52, 100: 33}
CD_STEPS = (2, 4, 6, 8, 10, 12)
