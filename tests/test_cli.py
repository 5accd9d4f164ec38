"""The command line: help without heavy imports, one JSON document, one sentence for an error, and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import harmonium
from harmonium.cli import main
from harmonium.config import Config
from small_runs import IMAGES, LABELS, command, no_pictures

SMALL = ["--hidden", "bernoulli:3", "--epochs", "2", "--minibatches", "6", "--batch-size", "10", "--measure", "4"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with data, and no drawing."""
    no_pictures(monkeypatch)
    monkeypatch.chdir(tmp_path)
    np.save("d.npy", IMAGES)
    np.save("y.npy", LABELS)
    return tmp_path


def run(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("words", [["--help"], ["train", "-h"], ["evaluate", "--help"], ["sample", "--help"]])
def test_help_is_quick_and_fits_a_terminal(words):
    code = (
        "import sys; from harmonium.cli import main\n"
        f"try: main({words!r}, prog_name='harmonium')\n"
        "finally:\n"
        "    heavy = {'torch', 'numpy', 'matplotlib', 'sklearn', 'PIL', 'tqdm', 'safetensors'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)"
    )
    environment = {"PYTHONPATH": str(harmonium.__path__[0]) + "/..", "COLUMNS": "80", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert max(map(len, done.stdout.splitlines())) <= 80
    body = done.stdout.split("\n", 1)[1]
    assert "[DATA]" not in body
    assert " -1" not in body.replace("digits-001", "")  # special numbers are said in words


def test_help_names_every_option_once():
    text = run("train", "--help").stdout
    for name in Config.__dataclass_fields__:
        assert name == "data" or text.count(f"\n  --{name.replace('_', '-')} ") == 1
    for heading in ("Files and output", "Data", "Machine", "Training", "Run"):
        assert f"\n{heading}:\n" in text


def test_train_evaluate_and_sample(here):
    trained = run("train", "d.npy", *SMALL, "--out", "r", "--target", "y.npy", "--objective", "joint")
    assert trained.exit_code == 0
    assert trained.stdout.count("\n") < 18
    assert "held-out" in trained.stdout
    assert "by class frequencies" in trained.stdout
    assert "step 12/12" in trained.stderr  # plain lines where there is no terminal
    assert "\r" not in trained.stderr
    scored = run("evaluate", "r", "--json")
    assert json.loads(scored.stdout)["scores"] == json.loads((here / "r" / "summary.json").read_text())["scores"]
    assert scored.stderr == ""
    drawn = run("sample", "r", "--number", "4", "--steps", "2", "--clamp", "left", "--json")
    answer = json.loads(drawn.stdout)
    samples = np.load(answer["samples"])
    assert list(samples.shape) == answer["shape"] == [4, 13]  # the label is the last column
    left = samples[:, :12].reshape(4, 3, 4)[:, :, :2]
    assert all((image == IMAGES[:, :, :2]).all((1, 2)).any() for image in left)
    assert run("sample", "r", "--steps", "0", "--out", "s/x.npy").exit_code == 0
    assert (here / "s" / "x.png").is_file()
    assert "label" in run("evaluate", "r", "--data", "d.npy").stderr  # it has no labels of its own
    assert run("evaluate", "r", "--data", "d.npy", "--labels", "y.npy").exit_code == 0


def test_samples_come_with_what_is_known_about_their_chains(here):
    assert run("train", "d.npy", *SMALL, "--out", "r").exit_code == 0
    exact = json.loads(run("sample", "r", "--json").stdout)
    assert (exact["method"], exact["mixing"], exact["warning"]) == ("exact", None, None)
    assert exact["samples"].endswith("exact.npy")
    gibbs = json.loads(run("sample", "r", "--steps", "400", "--json").stdout)
    assert gibbs["method"] == "gibbs"
    assert (gibbs["mixing"]["chains"], gibbs["mixing"]["draws"], gibbs["mixing"]["mixed"]) == (64, 199, True)
    tempered = run("sample", "r", "--method", "tempering", "--steps", "200")
    assert tempered.exit_code == 0
    assert tempered.stdout.splitlines()[0].endswith("tempering-noise-200.npy")
    for words in ("swaps accepted mean", "round trips", "R-hat", "effective samples"):
        assert words in tempered.stderr
    short = run("sample", "r", "--steps", "20", "--number", "2")
    assert "warning: " in short.stderr
    assert "try --steps 200 or --method tempering." in short.stderr
    clamped = run("sample", "r", "--method", "exact", "--clamp", "left", "--number", "2")
    assert (clamped.exit_code, clamped.stderr.count("\n")) == (2, 1)
    assert "method=exact cannot hold entries fixed (clamp); use method=gibbs" in clamped.stderr


def test_samples_that_differ_lie_in_files_that_differ(here):
    assert run("train", "d.npy", *SMALL, "--out", "r").exit_code == 0
    np.save("e.npy", np.load("d.npy")[:20])
    options = (
        (), ("--seed", 1), ("--number", 5), ("--number", 5, "--seed", 1), ("--temperature", 0.5), ("--steps", 20),
        ("--start", "data", "--number", 5), ("--start", "data", "--number", 5, "--data", "e.npy"),
    )  # fmt: skip
    names = [json.loads(run("sample", "r", "--json", *words).stdout)["samples"] for words in options]
    assert len(set(names)) == len(names)
    assert [json.loads(run("sample", "r", "--json", *words).stdout)["samples"] for words in options] == names


def test_json_is_one_document_and_quiet_is_silent(here):
    answer = run("train", "d.npy", *SMALL, "--json")
    document = json.loads(answer.stdout)
    assert document["folder"] == "runs/d-001"
    assert document["scores"]["train"]["method"] == "exact"
    quiet = run("train", "d.npy", *SMALL, "--quiet")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")
    both = run("train", "d.npy", *SMALL, "--quiet", "--json")
    assert json.loads(both.stdout)["folder"] == "runs/d-003"
    assert both.stderr == ""


def test_a_configuration_file_and_what_comes_before_it(here):
    assert run("train", "d.npy", *SMALL, "--out", "a", "--seed", "5").exit_code == 0
    assert run("train", "--config", "a/config.toml", "--out", "b").exit_code == 0
    assert (here / "a/model.safetensors").read_bytes() == (here / "b/model.safetensors").read_bytes()
    assert run("train", "--config", "a/config.toml", "--seed", "6", "--out", "c").exit_code == 0
    assert "seed = 6" in (here / "c/config.toml").read_text()
    assert (here / "a/model.safetensors").read_bytes() != (here / "c/model.safetensors").read_bytes()


def test_resume_has_two_spellings_and_no_other_options(here):
    run("train", "d.npy", *SMALL, "--out", "a")
    whole = (here / "a/model.safetensors").read_bytes()
    for words in (["--resume", "a"], ["--out", "a", "--resume"], ["d.npy", *SMALL, "--out", "a", "--resume"]):
        again = run("train", *words)
        assert again.exit_code == 0
        assert "is complete" in again.stderr
    (here / "a/summary.json").unlink()
    assert run("train", "--resume", "a").exit_code == 0
    assert (here / "a/model.safetensors").read_bytes() == whole
    for words, sentence in (
        (["--resume", "a", "--epochs", "9"], "epochs=9 is not what the run in a was begun with, 2;"),
        (["--resume", "a", "--overwrite"], "--overwrite would erase the run"),
        (["--resume"], "--resume needs the run folder"),
        (["--resume", "nowhere"], "nowhere holds no run (there is no such folder)"),
        (["d.npy", "--out", "a"], "out=a already holds a run; continue it with --resume"),
    ):
        refused = run("train", *words)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"harmonium: {sentence}"), refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "none.npy"], "data='none.npy' is neither a data set (digits, mnist, fsdd) nor an existing file"),
        (["train", "config.ini"], "config.ini is of no known kind"),
        (["train", "nan.npy"], "nan.npy holds one value that is not finite: nan in row 0, column 1"),
        (["train", "flat.npy"], "flat.npy holds an array of shape (3,)"),
        (["train", "d.npy", "--classes", "1"], "classes=1 needs labels"),
        (["train", "d.npy", "--labels", "y.npy", "--classes", "8,7"], "classes=7,8 has no rows of class 7, 8"),
        (["train", "d.npy", "--labels", "y.npy", "--classes", "7,a"], "classes=7,a must be whole numbers, such as 7,"),
        (["train", "d.npy", "--labels", "d.npy"], "labels='d.npy' must be one integer or name a row, not of shape"),
        (["train", "d.npy", "--classes", ""], "classes is empty; give a value or leave it out."),
        (["train", "d.npy", "--visible", "ising:7"], "visible=ising:7 has 7 units, but the data have 12 columns"),
        (["train", "d.npy", "--visible", "onehot,q=1"], "the value 1 in row"),
        (["train", "d.npy", "--hiden", "x"], "No such option '--hiden'"),
        (["train", "d.npy", "more"], "Got unexpected extra argument (more)"),
        (["train", "--config", "bad.toml"], "unknown option 'stepz'; did you mean 'steps'?"),
        (["train", "array"], "the data of this run were an array in memory"),
        (["evaluate"], "Missing argument 'RUN'; harmonium evaluate --help explains."),
        (["train", "d.npy", "--epochs"], "Option '--epochs' requires an argument; harmonium train --help explains."),
        (["export", "r"], "Missing option '--out'; harmonium export --help explains."),
        (["predict", "r", "d.npy", "--data", "d.npy"], "give DATA once, as an argument or as --data; harmonium pre"),
        (["evaluate", "nowhere"], "nowhere holds no run"),
        (["sample", "nowhere", "--number", "x"], "Invalid value for '--number': 'x' is not a valid integer"),
        (["sample", "nowhere", "--temperature", "nan"], "temperature must be a finite number above 0, not nan"),
        (["sample", "nowhere", "--steps", "-1"], "steps must be a whole number from 0 on, not -1"),
        (["sample", "nowhere", "--start", "sun"], "Invalid value for '--start': 'sun' is not one of"),
        (["paint"], "No such command 'paint'"),
    ],
)
def test_bad_usage_is_one_sentence_and_leaves_nothing_behind(words, sentence, here):
    (here / "config.ini").write_text("")
    (here / "bad.toml").write_text("stepz = 3")
    np.save("nan.npy", [[1.0, np.nan], [0.0, 1.0]])
    np.save("flat.npy", np.ones(3))
    before = sorted(here.rglob("*"))
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"harmonium: {sentence}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(here.rglob("*")) == before


def test_divergence_has_its_exit_code(here):
    result = run("train", "d.npy", *SMALL, "--learning-rate", "1e5", "--out", "r", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "harmonium: training diverged by step 3" in result.stderr
    assert "The last good checkpoint is r/checkpoints/step-00000000.safetensors." in result.stderr


def test_traceback_only_where_it_is_asked_for(here):
    assert "Traceback" in run("--traceback", "train", "none.npy").stderr
    assert "Traceback" not in run("train", "none.npy").stderr


def test_memory_that_is_not_there_is_one_sentence(here, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")

    monkeypatch.setattr("harmonium.runs.train.make_plan", fail)
    result = run("train", "d.npy")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("harmonium: out of memory; choose smaller")


def test_the_bundled_digits_in_a_process_of_its_own(tmp_path):
    with command("train", "--epochs", "1", "--minibatches", "2", "--measure", "1", "--json", cwd=tmp_path) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert document["folder"] == "runs/digits-001"
    assert (document["binarize"], document["scale"]) == ("0.5", 16.0)
    assert "digits: 1294 rows to train on, 144 validation, 359 held out" in err
    assert len(list((tmp_path / "runs/digits-001/figures").iterdir())) == 5


@pytest.mark.mnist
@pytest.mark.skipif(
    not (Path(os.environ.get("HARMONIUM_DATA", "")) / "mnist" / "train-images-idx3-ubyte.gz").is_file(),
    reason="MNIST is not here; set HARMONIUM_DATA to a folder that holds mnist/train-images-idx3-ubyte.gz and the rest",
)
def test_three_classes_of_mnist(here):
    words = ["mnist", "--classes", "7,8,9", "--epochs", "1", "--minibatches", "3", "--measure", "1", "--json"]
    document = json.loads(run("train", *words, "--hidden", "bernoulli:3", "--negative", "exact").stdout)
    assert {name: part["rows"] for name, part in document["scores"].items()} == {
        "train": 16259,
        "validation": 1806,
        "held_out": 3011,
    }
    assert (document["binarize"], document["scale"]) == ("0.5", 255.0)
    assert document["folder"] == "runs/mnist-001"
