"""A product within a product is the product of all their parts, for whatever looks at a side part by part."""

import torch

from harmonium.evaluate.fidelity import units_and_reach
from harmonium.evaluate.pseudolikelihood import log_conditionals
from harmonium.feed import labelled_side
from harmonium.machine import RBM
from harmonium.sampling import entries_of
from harmonium.units import Bernoulli, Gaussian, Ising, OneHot, Product, parts_of
from laws.sides import machine, points

PARTS = Bernoulli(2), OneHot(2, 3), Gaussian(1), Ising(2)
FLAT = Product(*PARTS)
NESTED = Product(Product(PARTS[0], Product(*PARTS[1:3])), PARTS[3])


def test_parts_are_found_at_any_depth_and_in_order():
    assert parts_of(NESTED) == parts_of(FLAT) == PARTS
    assert parts_of(PARTS[0]) == PARTS[:1]
    assert parts_of(labelled_side(NESTED, 4)) == (*PARTS, OneHot(1, 4))


def test_scores_and_masks_do_not_see_how_a_side_is_nested():
    flat, v = machine(FLAT, Bernoulli(3), 1.0), points(FLAT)
    nested = RBM(NESTED, flat.hidden, *flat.tensors)
    torch.testing.assert_close(log_conditionals(nested, v), log_conditionals(flat, v), rtol=0, atol=0)
    for got, wanted in zip(units_and_reach(NESTED, v), units_and_reach(FLAT, v), strict=True):
        assert torch.equal(got, wanted)
    columns = torch.tensor([True, False, False, True, True, False, True])
    assert torch.equal(entries_of(columns, NESTED), entries_of(columns, FLAT))
    assert entries_of(columns, FLAT).tolist() == [True, False] + 3 * [False] + 3 * [True] + [True, False, True]
