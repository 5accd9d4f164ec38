"""Whatever is registered is tested: a new name without a tiny instance or an objective fails here."""

import pytest
import torch

from harmonium.logz import LOGZ
from harmonium.negative import NEGATIVES
from harmonium.units import FAMILIES
from laws.sides import SIDES, TINY, nodes, over_sides
from laws.test_log_z_estimates import ESTIMATORS
from laws.test_negative import OBJECTIVES


@pytest.mark.parametrize(
    ("registry", "known", "where"),
    [
        (FAMILIES, TINY, "TINY in tests/laws/sides.py: tiny instances and the values of one unit"),
        (NEGATIVES, OBJECTIVES, "OBJECTIVES in tests/laws/test_negative.py: the exact objective that it raises"),
        (LOGZ, ESTIMATORS, "ESTIMATORS in tests/laws/test_log_z_estimates.py: a small, coarse instance"),
    ],
    ids=["families", "negatives", "logz"],
)
def test_every_registered_name_is_tested(registry, known, where):
    missing = [name for name in registry if name not in known]
    assert not missing, f"registered without a test: {missing}; add a line to {where}."
    stale = [name for name in known if name not in registry]
    assert not stale, f"tested but not registered: {stale}; take the line out of {where}."


@pytest.mark.parametrize("name", FAMILIES)
def test_the_instances_belong_to_the_registered_family(name):
    assert TINY[name].sides, f"{name} has no tiny instance in tests/laws/sides.py"
    assert {type(side) for side in TINY[name].sides} == {FAMILIES[name]}
    assert set(TINY[name].sides) <= set(SIDES)


@over_sides()
def test_a_discrete_side_counts_and_orders_its_states_as_the_product_of_its_units(side):
    states, _ = nodes(side)
    if side.n_states is None:
        with pytest.raises(ValueError, match="no countable states"):
            side.states(torch.arange(1), like=states)
        return
    index = torch.arange(len(states))
    assert side.n_states == len(states)
    assert (side.states(index, like=states) == states).all()
    assert (side.states(index.flip(0)[::2], like=states) == states.flip(0)[::2]).all()
    assert (side.encode(side.decode(states)) == states).all()
    assert side.accepts(side.decode(states)).all()
    assert len(side.decode(states).unique(dim=0)) == len(states)
