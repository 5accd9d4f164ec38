"""The kernel of the split enumeration against its plain twin, at its edges, and on several threads."""

from __future__ import annotations

import numpy as np
import pytest

from harmonium.kernels.split_exponential import Digits, Moments, in_order, plain, prepare


def digits(shape: tuple[int, int, int], units: int, entries: int, scale: float) -> list[Digits]:
    rng = np.random.default_rng([*shape, units, entries])
    draw = lambda *shape: scale * rng.standard_normal(shape)  # noqa: E731
    return [Digits(draw(n), draw(n, units), draw(n, entries)) for n in shape]


def ends(top: Digits) -> Digits:
    return Digits(*(np.stack([x.min(0), x.max(0)]) for x in top))


def rows(top: Digits) -> list[Digits]:
    return [Digits(*(x[t : t + 1] for x in top)) for t in range(len(top.own))]


def joined(blocks: list[Moments]) -> Moments:
    """The moments of blocks of one top state each, in units of e^(the first scale)."""
    share = [np.exp(m.scale - blocks[0].scale) for m in blocks]
    top = Digits(
        *(
            np.concatenate([s * x for s, x in zip(share, xs, strict=True)])
            for xs in zip(*(m.top for m in blocks), strict=True)
        )
    )
    rest = (
        Digits(*(sum(s * x for s, x in zip(share, xs, strict=True)) for xs in zip(*group, strict=True)))
        for group in ([m.mid for m in blocks], [m.low for m in blocks])
    )
    return Moments(blocks[0].scale, top, *rest)


# unroll factors are 2 rows, 4 units and stripes of 64 low states: around and away from their multiples
SHAPES = [(1, 1, 1), (2, 3, 5), (3, 4, 64), (2, 7, 65), (1, 2, 130)]
UNITS = [(1, [0]), (2, [0]), (4, [0]), (7, [0]), (50, [0]), (131, [0]), (6, [0, 3]), (5, [0, 2, 6, 7]), (0, [0, 4])]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 10.0])
@pytest.mark.parametrize(("count", "units"), UNITS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernel_agrees_with_its_plain_twin(shape, count, units, scale) -> None:
    top, mid, low = digits(shape, count, units[-1], scale)
    wanted = plain(top, mid, low, units)
    split = prepare(ends(top), mid, low, units)
    assert split is not None
    whole, by_row = list(split.log_sums([top])), list(split.log_sums(rows(top)))
    assert whole == [pytest.approx(wanted.scale, rel=1e-13, abs=1e-13)]
    assert np.logaddexp.reduce(by_row) == pytest.approx(wanted.scale, rel=1e-13, abs=1e-13)
    for got in (joined(list(split.moments([top]))), joined(list(split.moments(rows(top))))):
        factor = np.exp(got.scale - wanted.scale)
        for mine, other in zip(got[1:], wanted[1:], strict=True):
            for x, y in zip(mine, other, strict=True):
                np.testing.assert_allclose(factor * x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("offset", [-1e3, -400.0, 400.0, 1e3])
@pytest.mark.parametrize("group", [0, 1, 2])
@pytest.mark.parametrize("what", [0, 1, 2], ids=["own", "fields", "entries"])
def test_large_offsets_alone_do_not_matter(what, group, offset) -> None:
    """A bias of thousands moves fields without spreading them; one of a single state lets it win or vanish."""
    groups = digits((2, 3, 5), 9, 3, 1.0)
    if what == 0:
        groups[group].own[0] += offset
    else:
        groups[group][what][:, 1] += offset
    split = prepare(ends(groups[0]), *groups[1:], [0, 3])
    assert split is not None
    wanted = plain(*groups, [0, 3])
    assert list(split.log_sums([groups[0]])) == [pytest.approx(wanted.scale, rel=1e-13, abs=1e-12)]
    (got,) = split.moments([groups[0]])
    for mine, other in zip(got[1:], wanted[1:], strict=True):
        for x, y in zip(mine, other, strict=True):
            np.testing.assert_allclose(np.exp(got.scale - wanted.scale) * x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spread", [10.0, 60.0, 140.0, 160.0, 290.0, 310.0, 700.0, 1e5, np.nan])
@pytest.mark.parametrize("group", [0, 1, 2])
@pytest.mark.parametrize("what", [1, 2], ids=["fields", "entries"])
def test_spread_fields_are_summed_exactly_or_declined(what, group, spread) -> None:
    """All units of a group spread at once, so that every product runs to the edge that was allowed for it."""
    groups = digits((2, 3, 70), 40, 8, 1.0)
    groups[group][what][0] -= spread
    groups[group][what][-1] += spread
    split = prepare(ends(groups[0]), *groups[1:], [0, 4, 8])
    assert (split is None) == (not spread < (300 if what == 1 else 150))
    if split is not None:
        wanted = plain(*groups, [0, 4, 8])
        assert list(split.log_sums([groups[0]])) == [pytest.approx(wanted.scale, rel=1e-13)]
        (got,) = split.moments([groups[0]])
        for mine, other in zip(got[1:], wanted[1:], strict=True):
            for x, y in zip(mine, other, strict=True):
                np.testing.assert_allclose(np.exp(got.scale - wanted.scale) * x, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_results_come_in_the_order_of_the_jobs(count, threads) -> None:
    taken: list[int] = []
    jobs = (taken.append(i) or i for i in range(count))
    results = []
    for result in in_order(lambda i: i * i, jobs, threads):
        results.append(result)
        assert len(taken) <= len(results) + 2 * threads, "no more than a few jobs are prepared ahead"
    assert results == [i * i for i in range(count)]


def test_a_failing_job_is_heard_of() -> None:
    def fail(i: int) -> float:
        return 1 / (3 - i)

    with pytest.raises(ZeroDivisionError):
        list(in_order(fail, iter(range(100)), 2))
