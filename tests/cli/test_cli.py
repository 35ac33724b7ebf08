"""The command `advcourse`: what it answers, and that what goes wrong is one clear line."""

import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner

from advcourse import __version__, data
from advcourse.cli import app as cli
from advcourse.cli import grading
from advcourse.cli.screen import how_to_install
from tests.cli.conftest import ROOT, python


def run(*arguments):
    """Call the command within this process."""
    return CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})


def one_line_error(result):
    """What the command complained about, having ended with exit code 1, no traceback and one line on stderr."""
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


def test_version_and_help():
    assert run("--version").stdout == f"advcourse {__version__}\n"
    helped = run("--help").stdout
    assert all(name in helped for name in ("lab", "run", "build", "data", "zoo", "doctor"))
    assert all(name in run("data", "--help").stdout for name in ("list", "get", "verify"))
    assert all(name in run("zoo", "--help").stdout for name in ("list", "train", "verify"))


def test_help_loads_nothing_heavy():
    code = ("import sys; from advcourse.cli import app\n"
            "print([name for name in ('torch', 'matplotlib', 'dask', 'IPython', 'papermill', 'jinja2') if name in "
            "sys.modules])")
    assert python(code).stdout == "[]\n"


@pytest.mark.parametrize("blocked, arguments", [("dask", ["run"]), ("jupyterlab", ["lab"]), ("nbformat", ["build"])])
def test_a_missing_package_is_named_with_the_command_that_installs_it(blocked, arguments):
    code = f"import sys; sys.modules[{blocked!r}] = None; from advcourse.cli.app import app; app()"
    done = python(code, *arguments)
    assert done.returncode == 1
    assert done.stderr == (f"error: this needs the package {blocked}, which is not installed; "
                           f'install all that it takes with: python -m pip install --editable "{ROOT}[lab]"\n')


def test_outside_a_clone_the_command_names_the_repository(tmp_path, installed):
    code = "import sys; sys.modules['jupyterlab'] = None; from advcourse.cli.app import app; app()"
    done = python(code, "lab", cwd=tmp_path, env=installed)
    assert done.stderr.endswith(
        ': python -m pip install "advcourse[lab] @ https://github.com/advcourse/advcourse/archive/refs/heads/main.zip"\n')


def test_the_command_names_the_extra_that_holds_the_package():
    assert how_to_install("nbgrader") == f'python -m pip install --editable "{ROOT}[nbgrader]"'
    for command in (how_to_install("nbgrader"), how_to_install("dask")):
        assert re.search(r"\[(\w+)\]", command)[1] in metadata.metadata("advcourse").get_all("Provides-Extra")


@pytest.mark.parametrize("arguments", [["grade", "doctor"], ["grade", "."]], ids=" ".join)
@pytest.mark.parametrize("platform, words", [("win32", "on Windows grade in WSL 2"), ("darwin", "on macOS grade in a")])
def test_grading_without_a_cluster_is_refused_where_there_is_no_linux(arguments, platform, words, monkeypatch):
    monkeypatch.setattr(grading, "sys", SimpleNamespace(platform=platform))
    assert words in one_line_error(run(*arguments))


@pytest.mark.parametrize("seed", ["7", "2026", "1234567890123456789"])
def test_a_seed_that_can_be_found_by_trying_is_refused(seed, tmp_path):
    (tmp_path / "in").mkdir()
    error = one_line_error(run("grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--seed", seed))
    offered = int(re.search("such as ([0-9]+)", error)[1])
    assert f"the seed {seed} can be found by trying" in error and offered > 1 << 64
    assert not (tmp_path / "out").exists()


def test_a_bug_of_ours_is_not_dressed_up():
    code = "import sys; sys.modules['advcourse.pipeline.run'] = None; from advcourse.cli.app import app; app()"
    assert "Traceback" in python(code, "run").stderr


def test_errors_are_one_line():
    assert "no notebook" in one_line_error(run("run", "77"))
    assert "nope: there is no such data set; there are celeba" in one_line_error(run("data", "get", "nope"))
    assert "unknown data set 'nope'" in one_line_error(run("data", "verify", "nope"))
    assert "no checkpoint 'nope'" in one_line_error(run("zoo", "verify", "nope"))
    assert "no checkpoint 'nope'" in one_line_error(run("zoo", "train", "nope"))


@pytest.fixture
def no_kernels(monkeypatch):
    """No notebook may be started."""
    monkeypatch.setattr("advcourse.pipeline.run.run", lambda *given, **options: pytest.fail("a kernel was started"))


@pytest.mark.parametrize("arguments, problem", [
    (["--dataset", "nope"], "unknown data set 'nope'; there are auto, celeba"),
    (["--dataset", ""], "unknown data set ''; there are auto, celeba"),
    ([""], "there is no notebook '' in"),
    (["--dataset", "{place}/images"], "unknown data set '{place}/images'"),
    (["--dataset", "{place}/empty"], "empty must hold train/<class>/*.png"),
    (["--dataset", "{place}/odd"], "all images of folder odd must have one size"),
    (["--dataset", "{place}/file"], "file is damaged or not a tar archive"),
    (["--dataset", "mnist"], "could not be downloaded: it is not to be had in a test"),
    (["--seed", "-1"], "the seed must be a whole number from 0 to 4294967295; got -1"),
    (["--seed", "4294967296"], "got 4294967296"),
    (["--device", "nope"], "nope"), (["--device", "cuda:99"], "cuda:99"),
    (["--out", "{place}/file"], "{place}/file is a file, where a folder is wanted"),
    (["--out", "{place}/file/below"], "nothing can be written to the folder {place}/file/below: Not a directory"),
    (["--scheduler", "tcp://127.0.0.1:9", "--dataset", "nope"], "unknown data set 'nope'"),
])
def test_what_no_notebook_could_run_with_is_told_before_a_kernel_starts(arguments, problem, tmp_path, monkeypatch,
                                                                        no_kernels):
    from advcourse.data import download

    def no_download(*given):
        raise download._Final("it is not to be had in a test")

    monkeypatch.setattr(download, "_try_each", no_download)
    monkeypatch.setattr(download, "find", lambda path: None)
    monkeypatch.setattr(download, "folder", lambda: tmp_path / "data")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for number, place in enumerate(("train/cats", "train/dogs", "test/cats")):
        (tmp_path / "odd" / place).mkdir(parents=True)
        Image.new("L", (8 + number, 8)).save(tmp_path / "odd" / place / f"{number}.png")
    said = one_line_error(run("run", *[argument.format(place=tmp_path) for argument in arguments]))
    assert problem.format(place=tmp_path) in said


def test_a_wrong_device_in_the_environment_is_told_before_a_kernel_starts(monkeypatch, no_kernels):
    monkeypatch.setenv("DEVICE", "nope")
    assert "nope" in one_line_error(run("run"))


def test_a_folder_here_does_not_take_the_place_of_the_data_set_of_its_name(tmp_path, monkeypatch):
    started = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("advcourse.pipeline.run.run", lambda paths, parameters, **options: started.append(parameters)
                        or exec("raise KeyboardInterrupt"))
    for place in ("train/cat", "train/dog", "test/cat"):
        (tmp_path / "digits" / place).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "digits" / place / "1.png")
    run("run", "--dataset", "digits")
    run("run", "--dataset", "./digits")
    assert [parameters["DATASET"] for parameters in started] == ["digits", str(tmp_path / "digits")]


@pytest.mark.parametrize("out", ["advcourse-notebooks", "link/advcourse-notebooks",
                                 f"{ROOT}/notebooks", f"{ROOT}/notebooks/solutions"])
def test_the_notebooks_that_are_run_are_not_overwritten_with_the_executed_ones(out, tmp_path, monkeypatch, no_kernels):
    mine = tmp_path / "advcourse-notebooks"
    mine.mkdir()
    (mine / "00_welcome.ipynb").write_text("my work")
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("advcourse.cli.notebooks.series_folder", lambda solutions: Path("advcourse-notebooks"))
    said = one_line_error(run("run", "00", "--dataset", "digits", "--out", out))
    assert said.startswith(f"--out {out} is where notebooks to be run lie")


def test_a_damaged_mnist_is_told_before_a_kernel_starts_to_those_who_want_it(tmp_path, monkeypatch, no_kernels):
    monkeypatch.setenv("ADVCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr("advcourse.data.download.folder", lambda: tmp_path)
    with pytest.raises(pytest.fail.Exception, match="a kernel was started"):  # MNIST is not here: fonts will do
        run("run", "--out", str(tmp_path / "out"))
    (tmp_path / "MNIST/raw").mkdir(parents=True)
    (tmp_path / "MNIST/raw/train-images-idx3-ubyte").write_bytes(b"damaged")
    assert "train-images-idx3-ubyte is damaged" in one_line_error(run("run", "--out", str(tmp_path / "out")))
    for wants_none in (["07"], ["--dataset", "digits"]):
        with pytest.raises(pytest.fail.Exception, match="a kernel was started"):
            run("run", *wants_none, "--out", str(tmp_path / "out"))


@pytest.mark.parametrize("arguments", [["--device", "cuda:99"], ["--dataset", "/on/the/workers"],
                                       ["--dataset", "cifar10"]])
def test_what_the_workers_of_a_cluster_have_is_not_looked_for_here(arguments):
    assert "no dask.distributed cluster" in one_line_error(run("run", "--scheduler", "tcp://127.0.0.1:9", *arguments))


def test_ctrl_c_is_one_line(monkeypatch):
    monkeypatch.setattr("advcourse.pipeline.run.find", lambda *given: exec("raise KeyboardInterrupt"))
    done = run("run")
    assert (done.exit_code, done.stderr) == (130, "error: interrupted\n")


def test_verify_goes_on_after_what_is_wrong():
    done = run("data", "verify", "nope", "digits")
    assert "unknown data set 'nope'" in one_line_error(done)
    assert done.stdout == "digits: as it should be\n"


def test_wrong_options_are_refused():
    assert run("run", "--profile", "slow").exit_code == 2
    assert run("run", "--workers", "0").exit_code == 2


def test_build_for_another_grader_says_what_it_made_and_what_comes_next(monkeypatch):
    from advcourse.pipeline import exports

    asked = []
    monkeypatch.setattr(exports, "export", lambda *given,
                        **options: asked.append((*given, options)) or [Path("x/00_welcome.ipynb")])
    done = run("build", "--for", "otter", "--out", "x", "--seed", "5")
    assert done.exit_code == 0 and asked == [("otter", Path("x"), {"seed": 5})]
    assert "otter assign 00_welcome/00_welcome.ipynb" in done.output
    assert "nbgrader generate_assignment 00_welcome" in run("build", "--for", "nbgrader").output
    assert asked[1] == ("nbgrader", Path("build/nbgrader"), {"seed": exports.SEED})


@pytest.mark.parametrize("arguments, problem", [
    (["--for", "nbgrader", "--check"], "neither --check nor --force"), (["--out", "x"], "need --for"),
    (["--seed", "2"], "need --for")])
def test_build_options_that_do_not_go_together_are_an_error(arguments, problem):
    assert problem in one_line_error(run("build", *arguments))


def test_build_check_names_what_is_stale(monkeypatch):
    from advcourse.pipeline import build

    monkeypatch.setattr(build, "build", lambda **options: ["notebooks/01_x.ipynb: is missing"] if options["check"]
                        else [])
    assert one_line_error(run("build", "--check")) == "notebooks/01_x.ipynb: is missing"
    assert run("build").exit_code == 0


def test_verify_without_names_passes_over_what_is_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("ADVCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr("advcourse.data.download.folder", lambda: tmp_path)
    not_here = "mnist: not here; `advcourse data get mnist` downloads it"
    done = run("data", "verify")
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert (done.exit_code, list(lines), lines["digits"]) == (0, data.names(), "as it should be"), done.stderr
    assert lines["celeba"].startswith("CelebA is not on this machine")
    assert lines["yale-b"].startswith("Extended Yale B is not on this machine")
    assert one_line_error(run("data", "verify", "mnist")) == not_here
    assert "yale-b: Extended Yale B is not on this machine" in one_line_error(run("data", "verify", "yale-b"))
    (tmp_path / "MNIST/raw").mkdir(parents=True)
    (tmp_path / "MNIST/raw/train-images-idx3-ubyte").write_bytes(b"damaged")
    assert "train-images-idx3-ubyte is damaged" in one_line_error(run("data", "verify"))


def test_get_goes_on_after_what_is_not_to_be_had():
    done = run("data", "get", "auto", "digits")
    assert "auto: there is no such data set" in one_line_error(done)
    assert done.stdout.startswith("digits: Digits: ")


def test_data_list_says_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("ADVCOURSE_DATA", str(tmp_path))  # nothing that takes seconds to look at
    lines = {line.split()[1]: line for line in run("data", "list").stdout.splitlines() if line.startswith("│")}
    assert {"fonts", "digits", "mnist", "fashion-mnist", "cifar10"} <= set(lines)
    assert "✓ ok" in lines["digits"]


def test_zoo_lists_what_the_networks_reach():
    done = run("zoo", "list")
    assert done.exit_code == 0, done.stderr
    assert "mnist-cnn" in done.stdout and "%" in done.stdout


@pytest.mark.parametrize("arguments", [["build"], ["build", "--check"], ["build", "--for", "otter"]])
def test_without_a_checkout_there_is_nothing_to_build_and_that_is_said(arguments, tmp_path, installed):
    done = python("from advcourse.cli.app import app; app()", *arguments, cwd=tmp_path, env=installed)
    assert done.returncode == 1 and not (tmp_path / "build").exists()
    assert done.stderr.strip() == ("error: the masters are not installed with the course: run this in a clone of its "
                                   "repository")
