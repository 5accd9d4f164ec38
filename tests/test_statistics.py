"""Intervals and tests of few numbers, against closed forms and against what they promise."""

import math

import numpy as np
import pytest

from harmonium.experiments import statistics


def test_the_interval_of_two_values_is_known_in_closed_form():
    # t_{1, 0.975} = tan(0.475 pi), and the standard error of two values is half their distance
    found = statistics.mean([-147.0, -145.0])
    assert found.value == -146
    assert found.half_width == pytest.approx(math.tan(0.475 * math.pi), rel=1e-9)
    assert found.sd == pytest.approx(math.sqrt(2))


def test_one_value_has_no_interval():
    found = statistics.mean([-1.0])
    assert found.half_width == math.inf
    assert str(found) == "−1.00"
    assert found.as_dict()["half_width"] is None


def test_a_slope_through_points_on_a_line_is_that_line():
    slope, p = statistics.slope([1, 2, 3, 4], [2.0, 2.5, 3.0, 3.5])
    assert slope.value == pytest.approx(0.5)
    assert slope.half_width < 1e-6
    assert p < 1e-6


def test_with_equal_spread_and_size_welch_is_student():
    a, b = [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]
    gap, p = statistics.difference(a, b)
    t = -1 / math.sqrt(2 / 3)  # pooled variance 1
    # Student's distribution of four degrees of freedom in closed form
    x = t / math.sqrt(t * t + 4)
    assert gap.value == -1
    assert p == pytest.approx(1 + 1.5 * (x - x**3 / 3), rel=1e-9)
    assert statistics.variance_ratio([a, b])[1] == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("n", [3, 6])
def test_intervals_hold_the_truth_in_95_of_100(n):
    # 4,000 intervals: outside 95 % ± 4.5 standard errors once in 10^5 runs
    rng = np.random.default_rng(5)
    held = [abs((i := statistics.mean(rng.normal(size=n).tolist())).value) <= i.half_width for _ in range(4000)]
    assert abs(np.mean(held) - 0.95) < 4.5 * math.sqrt(0.95 * 0.05 / 4000)
