"""Half of a 95 % interval, in standard errors.

    normal       Z_95 = 1.959964
    Student's t  z + (z³ + z) / 4f + (5 z⁵ + 16 z³ + 3 z) / 96 f²,   f degrees of freedom (Cornish and Fisher 1938)

The expansion holds to 0.2 % from 5 degrees of freedom on.
"""

from __future__ import annotations

#: The normal distribution's 97.5 % point.
Z_95 = 1.959964


def student_95(freedom: float) -> float:
    """Student's 97.5 % point for so many degrees of freedom; `Z_95` for infinitely many."""
    z, f = Z_95, freedom
    return z + (z**3 + z) / (4 * f) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
