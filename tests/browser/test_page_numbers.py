"""What the page computes, in a real browser, against Python: models, draws, chains and drawings."""

import math

import numpy as np
import pages
import pytest
import torch

from harmonium.app.pack import side_of, text_of
from harmonium.app.pictures import strokes
from harmonium.units import Bernoulli, Gaussian, Interval, Ising, Multivalued, OneHot
from laws.sides import nodes

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("name", "panels"), [("two", 2), ("large", 1), ("families", len(pages.FAMILIES) + 2)])
def test_the_pages_numbers_are_those_of_python(opened, name, panels):
    """The vectors travel in single precision, free energies in double."""
    found = opened(name).evaluate("harmonium.selfTest()")
    assert found.pop("vectors") == 20 * panels
    assert found.pop("freeEnergy") < 1e-12
    assert max(found.values()) < 1e-7


def test_one_wrong_weight_is_noticed_and_said(opened, site, browser, tmp_path):
    assert opened("families").locator("#alarm").is_hidden()
    page = site("families").read_text(encoding="utf-8")
    start = page.index('"tensors":["') + len('"tensors":["')
    assert page[start : start + 4] != "AAAA"
    broken = tmp_path / "broken.html"
    broken.write_text(page[:start] + "AAAA" + page[start + 4 :], encoding="utf-8")
    tab = browser.new_page()
    tab.goto(broken.as_uri())
    tab.wait_for_selector("#alarm:not([hidden])", timeout=5000)
    assert "do not trust" in tab.inner_text("#alarm")
    assert tab.evaluate("harmonium.selfTest().hidden") > 1e-4
    tab.close()


SIDES = [
    Bernoulli(1),
    Ising(1),
    Multivalued(1, 4),
    Interval(1),
    OneHot(1, 4),
    OneHot(1, 3, none=True),
    Gaussian(1, 0.7),
]
DRAWS = """([cases, n]) => cases.map(([parts, size, fields, temperature]) => {
  const { drawInPlace, randomNumbers } = harmonium.numbers, side = { parts, size, bias: new Float32Array(size) };
  const random = randomNumbers(7), first = fields.map(() => 0), second = fields.map(() => 0);
  for (let i = 0; i < n; i++) {
    const x = drawInPlace(side, Float64Array.from(fields), random, temperature);
    x.forEach((value, j) => { first[j] += value / n; second[j] += value * value / n; });
  }
  return [first, second];
})"""


def test_draws_have_the_means_and_squares_of_their_family(opened):
    """Means of the values and of their squares within 5 standard errors: below 3e-5 for all of these 48 together."""
    n, fields = 40_000, [0.9, -1.3, 0.4, 0.2]
    cases = [(side, temperature) for side in SIDES for temperature in (1.0, 2.0)]
    asked = [[side_of(side), side.size, fields[: side.size], temperature] for side, temperature in cases]
    for (side, temperature), found in zip(cases, opened("families").evaluate(DRAWS, [asked, n]), strict=True):
        values, log_weight = nodes(side)
        eta = torch.tensor(fields[: side.size], dtype=torch.float64) / temperature
        p = (values @ eta - side.at_temperature(temperature).own_energy(values) + log_weight).softmax(0)
        for power, own in enumerate(found, 1):
            mean, square = p @ values**power, p @ values ** (2 * power)
            error = ((square - mean**2).clamp_min(1e-12) / n).sqrt()
            assert bool(((torch.tensor(own) - mean).abs() < 5 * error).all()), (side.spec, temperature, power)


@pytest.mark.parametrize(("temperature", "held"), [(1.0, False), (2.0, False), (1.0, True)])
def test_a_chain_visits_pictures_as_often_as_they_are_likely(opened, temperature, held):
    """A machine of 2 × 2 pixels against the sum over all states; the bound is some 5 standard errors."""
    rbm = pages.machine(Bernoulli(4), Ising(3), 0.8, 5)
    rbm = rbm.map(lambda x: x.half().double())
    v = Bernoulli(4).states(torch.arange(16), like=rbm.W)
    log_p = -(rbm.map(lambda x: x / temperature)).free_energy(v)
    first = [1.0, 0.0, 1.0, 1.0]
    if held:  # the upper half of the first picture
        log_p[(v[:, :2] != torch.tensor(first[:2])).any(1)] = -math.inf
    p = log_p.softmax(0).numpy()
    packed = [text_of(x.numpy().astype("<f2")) for x in rbm.tensors]
    counts = opened("families").evaluate(
        """([packed, first, temperature, clamp, n]) => {
          const { Machine, Chain, halvesOf } = harmonium.numbers;
          const visible = [{ family: "bernoulli", n: 4, size: 4 }], hidden = [{ family: "ising", n: 3, size: 3 }];
          const spec = { visible, hidden, W: 0, a: 1, b: 2 };
          const machine = new Machine(spec, (place) => halvesOf(packed[place]));
          const chain = new Chain(machine, Float64Array.from(first), { seed: 3, clamp, shape: [2, 2] });
          const counts = new Array(16).fill(0);
          for (let i = 0; i < n; i++) {
            chain.step(temperature);
            counts[chain.v.reduce((number, bit) => 2 * number + bit, 0)] += 1 / n;
          }
          return counts;
        }""",
        [packed, first, temperature, "upper" if held else "none", 60_000],
    )
    assert np.abs(np.array(counts) - p).max() < 0.015
    assert p.max() > 0.12
    if held:
        assert sum(np.array(counts)[p == 0]) == 0


def test_averages_are_the_mean_field_of_the_machine(opened):
    found = opened("two").evaluate(
        """() => {
          const { modelAt, Chain, visibleOf } = harmonium.numbers;
          const machine = modelAt(1, 0, 0), panel = harmonium.data.panels[1];
          const x = visibleOf(panel.grey(0), panel.pictures);
          const chain = new Chain(machine, x, { seed: 1, shape: [28, 28], label: 4 });
          chain.step(1, true);
          return [Array.from(chain.v), chain.energies];
        }"""
    )
    panel = pages.large(30)
    rbm, x = panel.states[0].snapshots[0].model, torch.from_numpy(panel.pictures.visible()[:1])
    v = torch.cat([x, torch.eye(10, dtype=x.dtype)[4:5]], 1)
    h = rbm.hidden.mean(rbm.eta_h_from_v(v))[:, 0]
    after = rbm.visible.mean(rbm.eta_v_from_h(h))[0, 0]
    after[784:] = v[0, 784:]
    assert np.allclose(found[0], after.numpy(), atol=1e-12)
    assert found[1] == pytest.approx([float(rbm.free_energy(v)[0]), float(rbm.free_energy(after[None])[0])])


# ---- drawings ------------------------------------------------------------------------------------------------------

RING = [{"x": 0.5 + 0.2 * math.cos(t / 20), "y": 0.5 + 0.3 * math.sin(t / 20)} for t in range(127)]
SEVEN = [{"x": x, "y": y} for x, y in pages.SEVEN]
MNIST = {"shape": [28, 28], "box": 20, "pen": 2.4, "centre": [14, 14]}
SMALL = {"shape": [8, 8], "box": 8, "pen": 1.3, "centre": [4, 3.9]}


def picture(tab, drawing, own):
    values = tab.evaluate("([drawing, own]) => Array.from(harmonium.numbers.pictureOf(drawing, own))", [drawing, own])
    return np.array(values).reshape(own["shape"])


def test_drawings_are_sized_and_centred_as_the_data_were(opened):
    tab = opened("families")
    for drawing in ([RING], [SEVEN], [SEVEN, RING[:30]]):
        grey = picture(tab, drawing, MNIST)
        box, _, centre = strokes(grey[None])
        assert box in (20, 21)  # the smooth edge may touch one pixel more
        assert centre == pytest.approx((14, 14), abs=0.06)
        assert grey.max() == pytest.approx(1, abs=0.01)
        assert ((grey > 0.02) & (grey < 0.98)).sum() > 20  # smooth edges
    assert strokes(picture(tab, [RING], MNIST)[None])[1] == pytest.approx(2.4, rel=0.12)


def test_a_drawing_may_lie_anywhere_and_have_any_size(opened):
    tab = opened("families")
    whole = picture(tab, [RING], MNIST)
    moved = [{"x": 0.1 + 0.35 * p["x"], "y": 0.5 + 0.35 * p["y"]} for p in RING]
    assert np.allclose(picture(tab, [moved], MNIST), whole, atol=1e-3)
    dot = picture(tab, [[{"x": 0.9, "y": 0.1}]], MNIST)
    assert dot.sum() == pytest.approx(math.pi * 1.2**2, rel=0.1)
    assert not picture(tab, [], MNIST).any()


def test_what_fills_the_frame_is_not_pushed_out_of_it(opened):
    """The centre of mass of a 7 is above its middle."""
    grey = picture(opened("families"), [SEVEN], SMALL)
    assert strokes(grey[None])[0] == 8
    assert grey[0].max() > 0.5
    assert grey[-1].max() > 0.5
