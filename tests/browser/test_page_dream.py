"""The dream of a machine that learns while one looks on, and the page of networks, which do not dream."""

import pages
import pytest
from pages import settle

from harmonium.app.pack import Tensors, snapshot_of
from harmonium.app.panel import state_from_machines
from harmonium.units import Bernoulli, OneHot, Product

pytestmark = pytest.mark.browser

ENERGY = "(() => { const own = harmonium.dream.chain; return own.energies.at(-1) - own.machine.freeEnergy(own.v); })()"


def sure_of(label, step):
    """A snapshot of a machine that takes every picture for `label`, with its tensors."""
    rbm = pages.machine(Product(Bernoulli(64), OneHot(1, 10)), Bernoulli(40), seed=step)
    rbm.a[0, 64:] = -30.0
    rbm.a[0, 64 + label] = 30.0
    tensors = Tensors()
    return [snapshot_of(state_from_machines("new", [(step, rbm)]).snapshots[0], tensors), tensors.packed]


def learn(tab, label, step):
    tab.evaluate("([own, tensors]) => harmonium.appendSnapshot(0, 1, own, tensors)", sure_of(label, step))
    settle(tab)


def shown(tab):
    return tab.inner_text("#dream-label"), tab.inner_text("#energy")


def test_a_dream_that_has_not_begun_is_that_of_the_latest_machine(opened):
    tab = opened()
    seen = [shown(tab)]
    for step, label in enumerate((7, 2, 5), 5000):
        learn(tab, label, step)
        assert tab.inner_text("#dream-label") == f"dreaming of {label}"
        assert tab.evaluate("harmonium.dream.chain.machine === harmonium.now.models[1]")
        assert tab.evaluate(ENERGY) == 0
        seen.append(shown(tab))
        tab.click("#reset")  # nothing else would come of beginning again
        assert shown(tab) == seen[-1]
    assert len({energy for _, energy in seen}) == 4


def test_a_dream_that_has_begun_goes_on_where_it_is_with_the_latest_machine(opened):
    tab = opened()
    for _ in range(3):
        tab.click("#step")
    where, before = tab.evaluate("Array.from(harmonium.dream.chain.v)"), shown(tab)
    learn(tab, 7, 5000)
    assert tab.evaluate("Array.from(harmonium.dream.chain.v)") == where
    assert tab.evaluate("harmonium.dream.chain.steps") == 3
    assert tab.evaluate(ENERGY) == 0
    assert shown(tab)[1] != before[1]
    tab.click("#step")
    assert tab.inner_text("#dream-label") == "dreaming of 7"


@pytest.mark.parametrize(
    ("typed", "kept"), [("", "3"), ("3.5", "3"), ("-1", "3"), ("1e10", "3"), ("1e9", "1000000000")]
)
def test_what_is_no_seed_leaves_the_seed_before(opened, typed, kept):
    tab = opened()
    for words in ("3", typed):
        tab.fill("#seed", words)
        tab.keyboard.press("Tab")
    assert tab.input_value("#seed") == kept
    assert tab.evaluate("harmonium.dream.seed") == int(kept)


def test_a_page_of_networks_alone_promises_no_dream_and_has_no_place_for_sliders(opened):
    tab = opened("networks")
    assert "dream" not in tab.inner_text(".lead")
    assert not tab.locator("#dream").is_visible()
    assert tab.evaluate("[...document.querySelectorAll('.time')].map((own) => own.getClientRects().length)") == [0]
    tab = opened("two")
    assert "dreams on" in tab.inner_text(".lead")
    assert tab.locator(".time").nth(1).is_visible()
