"""The work behind a study: done once, kept, and never half."""

import json
import os
from pathlib import Path

import pytest

from harmonium.errors import HarmoniumError
from harmonium.experiments.tasks import Task, done, execute, ordered

HERE = Path(__file__).stem


def add(folder, needs, *, x):
    (folder / "note").write_text(str(x))
    return {"sum": x + sum(need.value["sum"] for need in needs.values())}


def refuse(folder, needs):
    (folder / "half").write_text("…")
    raise HarmoniumError("it cannot be.")


def die(folder, needs):
    os._exit(1)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def task(name, function, needs=None, **arguments):
    return Task(name, f"{HERE}:{function}", arguments, needs or {})


def run(tasks, work, workers=1):
    lines = []
    execute(tasks, work, workers, 1, lines.append)
    return lines


def test_needs_come_first_and_once(tmp_path):
    one = task("one", "add", x=1)
    two = task("two", "add", {"one": one}, x=2)
    four = task("four", "add", {"one": one, "two": two}, x=4)
    assert [t.name for t in ordered([four, two])] == ["one", "two", "four"]
    run([four], tmp_path, workers=2)
    assert done(four, tmp_path).value == {"sum": 1 + (2 + 1) + 4}
    assert (done(one, tmp_path).folder / "note").read_text() == "1"
    assert run([four, two], tmp_path) == []  # nothing is done again


def test_whatever_determines_a_result_is_in_its_key():
    one = task("one", "add", x=1)
    others = [task("one", "add", x=2), task("one", "refuse", x=1), task("one", "add", {"a": one}, x=1)]
    needs = task("one", "add", {"a": others[0]}, x=1)
    assert len({t.key for t in (one, *others, needs)}) == 5
    assert task("by another name", "add", x=1).key == one.key


def test_a_failure_leaves_the_others_and_nothing_half(tmp_path):
    bad = task("bad", "refuse")
    after = task("after", "add", {"bad": bad}, x=1)
    good = task("good", "add", x=1)
    with pytest.raises(HarmoniumError, match=r"1 of the tasks failed.*bad: it cannot be"):
        run([bad, after, good], tmp_path)
    assert done(good, tmp_path) is not None
    assert done(bad, tmp_path) is None
    assert done(after, tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == [good.folder(tmp_path).name]


def test_a_process_that_dies_is_one_sentence(tmp_path):
    with pytest.raises(HarmoniumError, match=r"^dead: exit code 1\.$"):
        run([task("dead", "die")], tmp_path)


def test_a_folder_without_its_result_counts_for_nothing(tmp_path):
    one = task("one", "add", x=1)
    one.folder(tmp_path).mkdir()
    (one.folder(tmp_path) / "result.json").write_text("{")
    assert done(one, tmp_path) is None
    run([one], tmp_path)
    assert json.loads((one.folder(tmp_path) / "result.json").read_text())["value"] == {"sum": 1}


def break_down(folder, needs):
    raise LookupError("no such thing")


def test_a_fault_of_the_program_names_its_task(tmp_path):
    with pytest.raises(HarmoniumError, match=r"^faulty: LookupError: no such thing$"):
        run([task("faulty", "break_down")], tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_another_command_is_writing_stays_and_what_a_dead_one_left_goes(tmp_path):
    alive, dead = tmp_path / f".one-0.5-abc.{os.getpid()}.part", tmp_path / ".one-0.5-abc.4194305.part"  # above pid_max
    alive.mkdir()
    dead.mkdir()
    run([task("one", "add", x=1)], tmp_path)
    assert alive.is_dir()
    assert not dead.exists()
