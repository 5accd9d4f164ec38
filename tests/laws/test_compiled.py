"""Compiled loops on disk go when any source beside them has changed, and stay when none has."""

import os

from harmonium.kernels.compiled import drop_outdated


def test_what_another_source_has_made_wrong_is_removed(tmp_path):
    first, second, kept = tmp_path / "one.py", tmp_path / "two.py", tmp_path / "__pycache__"
    first.write_text("WIDTH = 64\n")
    second.write_text("from one import WIDTH\n")
    drop_outdated(tmp_path)
    loops = [kept / "two.loop-1.py311.nbi", kept / "two.loop-1.py311.1.nbc"]
    other = kept / "two.cpython-311.pyc"

    def compiled():
        for file in (*loops, other):
            file.write_text("")

    compiled()
    drop_outdated(tmp_path)
    assert all(file.exists() for file in loops)  # nothing has changed
    first.write_text("WIDTH = 32\n")
    os.utime(first, ns=(1, 1))
    drop_outdated(tmp_path)
    assert not any(file.exists() for file in loops)
    assert other.exists()
    compiled()
    drop_outdated(tmp_path)
    assert all(file.exists() for file in loops)
    first.unlink()
    drop_outdated(tmp_path)
    assert not any(file.exists() for file in loops)


def test_a_folder_that_cannot_be_written_is_left(tmp_path):
    (tmp_path / "one.py").write_text("")
    (tmp_path / "__pycache__").write_text("a file where the folder would be")
    drop_outdated(tmp_path)
    assert (tmp_path / "__pycache__").read_text() == "a file where the folder would be"
