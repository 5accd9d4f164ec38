"""The benchmark of speed: its arithmetic on made-up times, its processes on tiny machines and on scripted ones."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import linregress

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from speed import page, rounds
from speed.arithmetic import best, rows_of, slope
from speed.cases import CURVES, FULL, OWN, QUICK, Case, Curve
from speed.command import Kept
from speed.floor import candidates, fastest, products
from speed.peers import passes
from speed.rounds import Measured, Pace, Timed, Worker, WorkerLostError, measure, measure_together
from speed.rows import Rows
from speed.tools import FLOOR, TOOLS
from speed.worker import Order

CASE = Case(40, "bernoulli:20", 30, ("harmonium-pcd", "scikit-learn"))


def made_up(case=CASE, **seconds):
    """Times in milliseconds by tool and threads, such as floor_1=[...]."""
    timed = []
    for key, values in seconds.items():
        tool, _, threads = key.rpartition("_")
        name = {"ours": "harmonium-pcd", "scikit": "scikit-learn"}.get(tool, tool)
        timed.append(Timed(name, int(threads), [v / 1000 for v in values], 5 << 20))
    return Measured(case, timed)


def test_ratios_are_taken_within_rounds_at_the_better_number_of_threads():
    measured = made_up(floor_1=[1, 4, 2], floor_2=[9, 9, 9], scikit_1=[8, 8, 8], scikit_2=[4, 8, 2], ours_1=[2, 12, 3])
    floor, ours, scikit = rows_of(measured)
    assert (floor.tool, ours.tool, scikit.tool) == (FLOOR, "harmonium-pcd", "scikit-learn")
    assert scikit.threads == 2
    # the rounds' ratios are 2, 3, 1.5; the ratio of the medians would be 3 / 2
    assert ours.to_floor.median == pytest.approx(2)
    assert (ours.to_floor.low, ours.to_floor.high) == (pytest.approx(1.75), pytest.approx(2.5))
    assert ours.to_scikit.median == pytest.approx(1.5)  # of 2/4, 12/8, 3/2
    assert ours.epoch.median == pytest.approx(0.003 * 60_000 / 30)
    assert ours.updates == pytest.approx(1 / 0.003)
    assert ours.connections == pytest.approx(40 * 20 * 30 / 0.003)


def test_missing_tools_leave_no_ratios():
    (ours,) = rows_of(made_up(ours_1=[1, 2, 3]))
    assert ours.to_floor is None
    assert ours.to_scikit is None
    assert best([], FLOOR) is None


def test_slopes_are_those_of_least_squares():
    exact = slope([1, 2, 4, 8], [3 * x**1.5 for x in (1, 2, 4, 8)])
    assert exact.value == pytest.approx(1.5)
    assert exact.error == pytest.approx(0, abs=1e-7)
    x, y = [10, 30, 100, 300, 1000], [1.0, 2.0, 9.0, 24.0, 110.0]
    found, truth = slope(x, y), linregress(np.log(x), np.log(y))
    assert (found.value, found.error) == (pytest.approx(truth.slope), pytest.approx(truth.stderr))
    assert math.isinf(slope([1, 10], [1, 5]).error)


def test_cases_know_their_weights_products_and_names():
    assert OWN[-1].weights == 794 * 500
    assert OWN[-1].products == 2
    assert FULL[0].products == 5
    assert OWN[1].name == "784 × 500 multivalued, s = 4, minibatches of 100"
    names = [case.name for case in (*FULL, *OWN)]
    assert len(set(names)) == len(names)
    for case in (*FULL, *OWN, *QUICK, *(c for curve in CURVES for c in curve.cases())):
        assert Order.from_json(Order("rbms", case, 2, "x").as_json()) == Order("rbms", case, 2, "x")
        assert set(case.tools) <= set(TOOLS)
        assert case.tiny().units == 4
        assert case.tiny().hidden.replace(":4", f":{case.units}", 1) == case.hidden


@pytest.mark.parametrize(("batch", "number"), [(10, 60), (10, 65), (100, 60), (7, 7)])
def test_passes_add_up_to_the_updates(batch, number):
    for updates in range(1, 40):
        parts = list(passes(updates, batch, number))
        assert sum(rows // batch * times for rows, times in parts) == updates
        assert all(rows <= max(number, batch) for rows, _ in parts)


def test_rows_are_those_of_the_file_in_any_type(tmp_path):
    X = (np.arange(1234 * 7) % 3 == 0).astype(np.uint8).reshape(1234, 7)
    X.tofile(tmp_path / "rows.bin")
    np.save(tmp_path / "labels.npy", np.arange(1234) % 10)
    rows = Rows(1100, 7, str(tmp_path))
    for dtype in (np.uint8, np.float32):
        filled = rows.filled(dtype)
        assert filled.dtype == dtype
        assert (filled == X[:1100]).all()
    assert (rows.labels() == np.arange(1100) % 10).all()
    random = Rows(1100, 7).filled(np.float32)
    assert set(np.unique(random)) == {0, 1}
    assert (random == Rows(1100, 7).filled(np.uint8)).all()


def test_the_products_are_the_quickest_and_all_the_same():
    now = [0.0]

    def taking(seconds):
        def step():
            now[0] += seconds

        return step

    steps = {"slow": taking(3.0), "quick": taking(0.01), "middling": taking(0.02)}
    assert fastest(steps, lambda: now[0]) == "quick"
    assert {name.partition(", weights")[0] for name in candidates(CASE)} == {
        "NumPy, float32", "torch, float32", "torch, bfloat16",
    }  # fmt: skip
    for case in (CASE, replace(CASE, labels=True)):
        for step in candidates(case).values():
            step()  # shapes fit in either order of the weights
    assert products(CASE, Rows.of(CASE)).note in candidates(CASE)


def test_ours_makes_as_many_updates_as_asked_beyond_the_end_of_a_run(monkeypatch):
    from speed.ours import trainer

    from harmonium.training import loop

    made, fit = [], loop.fit

    def counted(state, batches, total, *arguments, **options):
        made.append(total - state.step)
        before = state.rbm.W.clone()
        fit(state, batches, total, *arguments, **options)
        assert not (state.rbm.W == before).all()

    monkeypatch.setattr(loop, "fit", counted)
    tiny = CASE.tiny()  # 20 epochs of 6 updates
    more = trainer(tiny, Rows.of(tiny), "cd").more
    for updates in (50, 100, 200):
        made.clear()
        more(updates)
        assert sum(made) == updates


def test_scikit_makes_the_steps_of_its_own_fit(monkeypatch):
    from sklearn.neural_network import BernoulliRBM
    from speed.scikit import trainer

    seen, step = [], BernoulliRBM._fit

    def counted(self, v, generator):
        seen.append(v.copy())
        step(self, v, generator)

    monkeypatch.setattr(BernoulliRBM, "_fit", counted)
    tiny = CASE.tiny()
    X = Rows.of(tiny).filled(np.float32)
    more = trainer(tiny, Rows.of(tiny)).more
    seen.clear()
    more(8)
    assert (np.concatenate(seen) == np.concatenate([X, X[:20]])).all()


#: Answers as `speed.worker` does, with made-up seconds; rbms ends in the middle, learnergy at once.
SCRIPT = """
import json, sys
order, turns = json.loads(sys.argv[1]), 0
each = {"floor": 1e-3, "harmonium-pcd": 2e-3, "scikit-learn": 3e-3, "rbms": 4e-3}
if order["tool"] == "learnergy":
    sys.exit("no such module")
print(json.dumps({"note": "scripted"}), flush=True)
for line in sys.stdin:
    word, *rest = line.split()
    turns += 1
    if order["tool"] == "rbms" and turns > 4:
        sys.exit("out of memory")
    seconds = each[order["tool"]] * int(rest[0] if rest else 0) / order["threads"]
    print(json.dumps({"seconds": seconds} if word == "go" else {"bytes": 7}), flush=True)
"""


class Scripted(Worker):
    def __init__(self, order):
        super().__init__(order, ("-c", SCRIPT))


def test_lost_and_missing_tools_are_said_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr(rounds, "Worker", Scripted)
    for name in ("rbms", "learnergy"):
        monkeypatch.setitem(TOOLS, name, replace(TOOLS[name], package="numpy"))
    monkeypatch.setitem(TOOLS, "qucumber", replace(TOOLS["qucumber"], package="no-such-package-at-all"))
    case = replace(CASE, tools=("rbms", "harmonium-pcd", "learnergy", "qucumber", "scikit-learn"))
    said = []
    measured = measure(case, Pace(0.1, 4), "", said.append)
    assert said == list(measured.lost.values())
    assert "QuCumber is not installed and was left out." in said
    assert "rbms, PCD-1, 1 thread ended with code 1 and was left out: out of memory" in said
    assert "learnergy, CD-1, 2 threads ended with code 1 and was left out: no such module" in said
    assert len(said) == 5  # two numbers of threads each, and one that is nowhere
    assert {(t.tool, t.threads) for t in measured.timed} == {
        (tool, threads) for tool in (FLOOR, "harmonium-pcd", "scikit-learn") for threads in (1, 2)
    }
    assert all(len(t.seconds) == 4 and t.memory == 7 and t.note == "scripted" for t in measured.timed)
    floor, ours, scikit = rows_of(measured)
    assert (floor.threads, ours.to_floor.median, ours.to_scikit.median) == (2, pytest.approx(2), pytest.approx(2 / 3))
    assert scikit.updates == pytest.approx(2 / 3e-3)


def test_points_of_a_curve_are_timed_in_whole_units(monkeypatch):
    asked = []

    class Counted(Scripted):
        def __init__(self, order):
            super().__init__(order)
            self.rows = order.case.rows

        def go(self, updates):
            asked.append((self.rows, updates))
            return super().go(updates)

    monkeypatch.setattr(rounds, "Worker", Counted)
    cases = [replace(CASE, rows=rows, tools=("scikit-learn",), threads=(1,)) for rows in (300, 600)]
    found = measure_together(cases, [10, 20], Pace(0.2, 2), pytest.fail)
    assert [len(m.timed) for m in found] == [1, 1]
    assert {rows for rows, _ in asked} == {300, 600}
    assert all(updates % (rows // 30) == 0 for rows, updates in asked)


def test_a_process_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(rounds, "PREPARATION", 0.2)
    worker = Worker(Order("rbms", CASE, 1), ("-c", "import time; time.sleep(60)"))
    with pytest.raises(WorkerLostError, match="rbms, PCD-1, 1 thread did not answer for 0 seconds"):
        worker.ready()
    worker.close()
    worker.close()


def test_real_processes_train_and_answer(tmp_path):
    case = replace(CASE.tiny(), tools=("harmonium-cd", "scikit-learn"), threads=(1,))
    (measured,) = measure_together([case], [1], Pace(0.02, 2), pytest.fail)
    assert [t.tool for t in measured.timed] == ["harmonium-cd", "scikit-learn"]
    assert all(len(t.seconds) == 2 and min(t.seconds) > 0 for t in measured.timed)
    assert all(0 <= t.memory < 1 << 30 for t in measured.timed)
    kept = Kept(tmp_path / "times.json")
    kept.add("a case", [measured], 1.5)
    again = Kept(tmp_path / "times.json")
    assert again.measured("a case") == [measured]
    assert again.seconds == 1.5


def results(ours, scikit):
    case = replace(CASE, tools=("harmonium-pcd", "scikit-learn"))
    measured = made_up(case, floor_1=[1, 1, 1], ours_1=ours, scikit_1=scikit)
    curve = Curve("rows", (300, 3000), lambda n: replace(CASE, rows=n, threads=(1,)), "held", whole=True)
    points = [made_up(c, ours_1=[3, 3, 3]) for c in curve.cases()]
    return page.Results([measured], [(curve, points)], Pace(1, 3), False, 120.0, "python benchmarks/speed")


def test_the_page_says_who_is_quicker(tmp_path):
    ahead, behind = (page.printed(results(*pair)) for pair in ([[2, 2, 2], [4, 4, 4]], [[4, 4, 4], [2, 2, 2]]))
    assert "its PCD-1 is 2.00 times as fast as scikit-learn" in ahead
    assert "no other tool was quicker than harmonium" in ahead
    assert "slower than scikit-learn, by a factor of 2.00" in behind
    assert "Quicker than harmonium with the same gradient in this run: scikit-learn at 40 × 20" in behind
    assert "| harmonium, PCD-1 | 1 | 4.00 | 2.00 (2.00 to 2.00) | 0.50 (0.50 to 0.50) |" in ahead
    assert "| rows | 1 | 1.000 |" in ahead  # the cost of an epoch is in proportion to its rows
    out = tmp_path / "speed.md"
    page.write(results([2, 2, 2], [4, 4, 4]), out)
    assert sorted(p.name for p in (tmp_path / "figures" / "speed").iterdir()) == ["cost.png", "times.png"]
    assert "(figures/speed/times.png)" in out.read_text()
    assert str(tmp_path) not in out.read_text()


def test_the_page_says_how_memory_stands_to_what_is_allowed():
    from speed.arithmetic import ROOM, allowance
    from speed.words import memory

    # 60,000 rows of 40 bytes, three times 40·20 + 40 + 20 numbers, and 30 chains of 60
    allowed = 60_000 * 40 + 4 * (3 * (800 + 60) + 30 * 60) + ROOM
    assert allowance(CASE) == allowed
    below, above = made_up(ours_1=[1], ours_2=[1]), made_up(ours_1=[1], scikit_1=[1])
    below.timed[1].memory = allowed // 2
    above.timed[0].memory, above.timed[1].memory = 2 * allowed, 9 * allowed
    assert "stays below" in memory([below])
    assert "it is 50 % of it at 40 × 20" in memory([below])
    assert "exceeds" in memory([below, above])
    assert "it is 200 %" in memory([below, above])
    assert memory([]) == ""
