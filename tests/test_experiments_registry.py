"""Experiments of others: registered, trained and predicted by the commands."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from helpers.commands import refused, run

import spherekit
from spherekit import experiments, io, nn
from spherekit.cli import main
from spherekit.cli.predict import Reader
from spherekit.experiments import common
from spherekit.experiments.folder_lock import NAME, locked
from spherekit.testing import random_flm
from spherekit.train import checkpoints
from spherekit.train.schema import Key


class Amplitudes(experiments.Experiment):
    """Strong noise against weak noise."""

    name = "amplitudes"
    title = "noise of two amplitudes"
    sections = {"data": {"L": Key("integer", 4, minimum=2), "count": Key("integer", 24, minimum=4)}}

    def recipes(self):
        return {}

    def check(self, values):
        if values["data"]["L"] % 2:
            raise ValueError("[data] L is odd; expected an even number")

    def gather(self, config, folder, *, read, analysis=None, progress=None):
        values, rng = config.values["data"], np.random.default_rng(0)
        x = random_flm(values["L"], rng, reality=True, shape=(values["count"], 1))
        labels = np.arange(values["count"]) % 2
        progress(values["count"], values["count"])
        return x * np.where(labels, 3.0, 1.0)[:, None, None], labels

    def summary(self, config, data):
        yield f"{len(data[1])} signals"

    def trainings(self, config, data):
        x, labels = data
        net = nn.Sequential(
            nn.Sphere(config.values["data"]["L"], 1), nn.PowerSpectrum(), nn.Dense(2)
        )
        subsets = [(x[part], labels[part]) for part in (slice(0, 12), slice(12, 18), slice(18, 24))]
        params, state = common.initial(net, config)
        return [experiments.Training("amplitudes", net, params, state, *subsets, {"unit": "K"})]

    def report(self, config, data, trained, threads=None):
        yield f"{len(trained[0].training.test[1])} test signals"

    def check_model(self, net, description):
        if description["unit"] != "K":
            raise ValueError(f"its unit is {description['unit']!r}")

    def predict(self, model, paths, *, read, analysis=None, progress=None):
        rows = []
        for path in paths:
            y = model.net(model.params, read(path).values[None, None], state=model.state)
            rows.append([path, int(y.argmax())])
        return experiments.Table(["file", "is_strong"], rows, f"{len(rows)} signals")


@pytest.fixture
def amplitudes(monkeypatch):
    monkeypatch.setattr(common, "_registered", dict(common._registered))
    return experiments.register(Amplitudes())


def test_both_commands(amplitudes, here, capsys, rng):
    """Also resumed, and lengthened."""
    (here / "own.toml").write_text(
        'experiment = "amplitudes"\n[fit]\nepochs = 10\n[optimizer]\nlearning_rate = 0.1\n'
    )
    run("train own.toml")
    said = capsys.readouterr().out
    assert "24 signals" in said and "epoch  10" in said and said.endswith("6 test signals\n")
    lines = (here / "own/report.txt").read_text().splitlines()
    assert lines[:4] == ["own.toml", "24 signals", "6 test signals", ""]
    assert lines[4] == "amplitudes" and "   parameters: 10" in lines
    run("train own.toml --resume --epochs 12")
    assert "epoch  12" in capsys.readouterr().out
    flm = random_flm(4, rng, reality=True)
    io.write_alm("weak.fits", flm)
    io.write_alm("strong.fits", 3 * flm)
    run("predict own/model.npz weak.fits strong.fits -o out.csv")
    with open("out.csv", newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "is_strong"],
            ["weak.fits", "0"],
            ["strong.fits", "1"],
        ]
    assert "2 signals" in capsys.readouterr().out
    (here / "odd.toml").write_text('experiment = "amplitudes"\n[data]\nL = 3\n')
    assert "odd.toml: [data] L is odd" in refused(capsys, "train odd.toml")
    assert "has no profile" in refused(capsys, "train own.toml --profile")


def test_models_of_others(amplitudes, here):
    """Its description is checked; without its program the file is refused."""
    (here / "own.toml").write_text('experiment = "amplitudes"\n[fit]\nepochs = 1\n')
    run("train own.toml")
    model = experiments.load("own/model.npz")
    assert model.experiment is amplitudes and model.description == {"unit": "K"}
    del common._registered["amplitudes"]
    with pytest.raises(ValueError, match="there is no experiment 'amplitudes'"):
        experiments.load("own/model.npz")


def test_entry_points(monkeypatch):
    """Other packages add experiments by their metadata; they are loaded when names are asked for."""

    class Entry:
        name = "amplitudes"

        def load(self):
            return Amplitudes()

    monkeypatch.setattr(common, "_registered", dict(common._registered))
    monkeypatch.setattr(common.metadata, "entry_points", lambda group: [Entry()])
    names = experiments.names()
    assert names[:2] == ["gaussianity", "maps"] and names[-1] == "amplitudes"
    assert experiments.get("amplitudes").title == "noise of two amplitudes"
    monkeypatch.setattr(Entry, "name", "broken")
    monkeypatch.setattr(Entry, "load", lambda self: 1 / 0)
    with pytest.warns(UserWarning, match="the experiment broken cannot be loaded: ZeroDivision"):
        assert experiments.get("maps").name == "maps"


class Sparse(Amplitudes):
    """Only what is required."""

    name = "sparse"
    report, predict = experiments.Experiment.report, experiments.Experiment.predict


def with_sections(sections):
    return type("Other", (Amplitudes,), {"sections": sections})()


@pytest.mark.parametrize(
    "experiment, error, words",
    [
        (
            type("Idle", (experiments.Experiment,), {"name": "idle"})(),
            TypeError,
            r"Idle does not define gather\(self, config, folder",
        ),
        (
            with_sections({"data": {"n": 40}}),
            TypeError,
            r'\["n"\] is 40; expected a Key, .*"integer", 40',
        ),
        (
            with_sections({"data": {"n": 0.5}}),
            TypeError,
            r'Key\("number", 0.5\): from spherekit.train',
        ),
        (with_sections({"data": {"n": True}}), TypeError, r'Key\("boolean", True\)'),
        (
            with_sections({"data": {"n": int}}),
            TypeError,
            r"is <class .int.>; expected a Key, as Key\(",
        ),
        (
            with_sections({"data": {"n": Key("float", 0.5)}}),
            ValueError,
            r'sections\["data"\]\["n"\]: the kind of its Key is .float.; expected one of integer, number',
        ),
        (with_sections({"data": Key("integer", 1)}), TypeError, r"expected \{key: Key\}"),
        (with_sections(["data"]), TypeError, r"sections is \['data'\]; expected \{"),
        (with_sections({"fit": {}}), TypeError, "'fit' is a section of all experiments"),
        (Amplitudes, TypeError, r"pass an instance, Class\(\)"),
        ("maps", TypeError, "is 'maps'; expected an Experiment"),
        (experiments.Experiment(), ValueError, "name is ''; expected text"),
        (type("Other", (Amplitudes,), {"name": "maps"})(), ValueError, "'maps' belongs to Maps"),
    ],
)
def test_what_is_not_registered(experiment, error, words):
    with pytest.raises(error, match=words):
        experiments.register(experiment)


def test_unknown_names():
    with pytest.raises(ValueError, match="did you mean 'maps'"):
        experiments.get("map")
    with pytest.raises(ValueError, match="expected one of gaussianity, maps"):
        experiments.get("tower")


def test_selected_parameters_of_something_else():
    with pytest.raises(TypeError, match="checkpoint is 3; expected a Checkpoint"):
        experiments.selected(3)


def test_an_unknown_configuration(here):
    with pytest.raises(FileNotFoundError, match="the examples of spherekit are .*maps.toml"):
        experiments.read("mapps")


def test_what_an_experiment_does_not_define():
    with pytest.raises(NotImplementedError, match="Experiment does not define gather"):
        experiments.Experiment().gather(None, "folder", read=None)


# --- runs --------------------------------------------------------------------------------------------

CONTENT = {"experiment": "amplitudes", "optimizer": {"learning_rate": 0.1}}


def test_a_run_from_python(amplitudes, here, capsys):
    """Quiet; the same as that of the command; a registered object is all that it needs."""
    lines, titles = [], []

    def follow(steps, title):
        titles.append((title, sum(1 for _ in steps)))

    done = experiments.run(CONTENT, "own", epochs=3, log=lines.append, follow=follow)
    assert capsys.readouterr().out == "" and titles == [("amplitudes", 3)]
    assert done.checkpoints[0].epoch == 3 and done.report == ["6 test signals"]
    assert lines[0] == "the configuration: results in own/" and "wrote own/model.npz" in lines
    (here / "own.toml").write_text(
        'experiment = "amplitudes"\n[fit]\nepochs = 3\n[optimizer]\nlearning_rate = 0.1\n'
    )
    run("train own.toml -o command")
    first, second = (experiments.load(f"{name}/model.npz").params for name in ("own", "command"))
    np.testing.assert_array_equal(first[1]["weights"], second[1]["weights"])
    read = experiments.read("own.toml")
    assert experiments.run(read, "pair", epochs=1).checkpoints[0].epoch == 1
    with pytest.raises(
        ValueError, match="own contains a training .*; continue it with resume=True"
    ):
        experiments.run(CONTENT, "own")
    with pytest.raises(TypeError, match="expected a TOML file, the name of an example, a dict"):
        experiments.run(amplitudes, "other")
    with pytest.raises(ValueError, match=r"\[fit\] epochs is 0"):
        experiments.run(CONTENT, "other", epochs=0)
    assert sorted(os.listdir("own")) == ["checkpoints", "model.npz", "report.txt"]


def write(epochs, more=""):
    with open("own.toml", "w") as file:
        file.write(f'experiment = "amplitudes"\n[fit]\nepochs = {epochs}\n{more}')


def test_epochs_of_a_resumed_training(amplitudes, here, capsys):
    def words(options):
        run(f"train own.toml --resume {options}")
        return capsys.readouterr().out

    def epochs():
        return checkpoints.load(checkpoints.latest("own/checkpoints"))[0].epoch

    write(4, '[schedule]\nname = "cosine"\n')
    said = words("")
    assert "own contains no training" in said and "epoch   4" in said
    for options in ("", "--epochs 4", "--epochs 2"):
        said = words(options)
        assert "already has 4 epochs; nothing to train" in said and "epoch   4:" not in said
        assert "6 test signals" in said and epochs() == 4
    assert "epoch   6" in words("--epochs 6")
    said = words("")  # neither back to the 4 of the file, nor on
    assert "own contains a training of 6 epochs, which is continued; own.toml has 4" in said
    assert "already has 6 epochs; nothing to train" in said and epochs() == 6
    write(9, '[schedule]\nname = "cosine"\n')
    said = words("")
    assert "own.toml has 9: pass --epochs 9" in said and epochs() == 6
    words("--epochs 9")
    assert epochs() == 9
    checkpoints.latest("own/checkpoints").unlink()  # as if it were stopped
    assert epochs() == 8
    assert main("train own.toml --resume --epochs 12".split()) == 1
    said = capsys.readouterr().err
    assert "8 of 9 epochs" in said and "resume it without --epochs 12" in said
    assert "already has 8 epochs; nothing to train" in words("--epochs 3")
    write(4, '[schedule]\nname = "cosine"\n')
    said = words("")
    assert "epoch   9" in said and "epoch   8" not in said and epochs() == 9
    write(40, "patience = 1\n[optimizer]\nlearning_rate = 0.0\n")
    run("train own.toml -o early")
    capsys.readouterr()
    run("train own.toml -o early --resume")
    assert "already has 2 epochs and stopped early; nothing to train" in capsys.readouterr().out


def test_epochs_remain_on_a_terminal(amplitudes, here, capsys, monkeypatch):
    write(2)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    run("train own.toml")
    said = capsys.readouterr()
    assert "step/s" in said.err and said.out.count("   epoch ") == 2
    words = "epoch 2, the one with the best validation"
    assert f"10 parameters, 2 epochs; model.npz has the parameters of {words}" in said.out


def test_one_run_in_a_folder(amplitudes, here, capsys, monkeypatch):
    """A lock that is removed at any end; that of a process that was killed is replaced."""
    write(2)
    os.mkdir("own")
    with locked("own"):
        owner = json.loads((here / "own" / NAME).read_text())
        assert owner["pid"] == os.getpid() and owner["host"] == socket.gethostname()
        said = refused(capsys, "train own.toml")
        assert f"process {os.getpid()} on this host" in said and f"own/{NAME}" in said
    for error in (KeyboardInterrupt, ZeroDivisionError):
        with pytest.raises(error), locked("own"):
            raise error
        assert os.listdir("own") == []
    for text, words in (
        (json.dumps(owner | {"host": "elsewhere", "pid": 1}), "process 1 on the host elsewhere"),
        ("", "does not name a process; if there is none, remove that file"),
    ):
        (here / "own" / NAME).write_text(text)
        assert words in refused(capsys, "train own.toml")
    code = (
        "import sys, time; from spherekit.experiments.folder_lock import locked\n"
        "with locked('own'): print(flush=True); time.sleep(600)"
    )
    os.remove(f"own/{NAME}")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert f"process {process.pid} on this host" in refused(capsys, "train own.toml")
        process.send_signal(signal.SIGKILL)
    assert os.listdir("own") == [NAME]
    (here / "own" / NAME).write_text(json.dumps(owner | {"started": "1"}))  # a number used again
    run("train own.toml")
    assert NAME not in os.listdir("own") and "model.npz" in os.listdir("own")
    (here / "own" / NAME).write_text(json.dumps(owner | {"pid": 2**22 + 1}))  # more than Linux has
    code = (
        "from spherekit.experiments.folder_lock import locked\nimport sys\n"
        "print(flush=True); sys.stdin.readline()\n"
        "with locked('own'): print('has it', flush=True); sys.stdin.readline()"
    )
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    several = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(4)]
    for process in several:
        process.stdout.readline()
    for process in several:
        process.stdin.write("\n")
        process.stdin.flush()
    first = [process.stdout.readline() for process in several]
    errors = [process.communicate("\n")[1] for process in several]
    assert sorted(first) == ["", "", "", "has it\n"]
    assert sum("another training runs in own" in error for error in errors) == 3
    assert NAME not in os.listdir("own")
    monkeypatch.setattr(Amplitudes, "report", lambda *args, **options: 1 / 0)
    assert main("train own.toml -o broken".split()) == 1
    assert NAME not in os.listdir("broken")


def test_an_experiment_of_what_is_required(monkeypatch, here, capsys):
    """It trains to a report; what it does not define is refused as such."""
    monkeypatch.setattr(common, "_registered", dict(common._registered))
    experiments.register(Sparse())
    (here / "sparse.toml").write_text('experiment = "sparse"\n[fit]\nepochs = 1\n')
    run("train sparse.toml")
    assert "amplitudes: 6 test signals, loss " in capsys.readouterr().out.splitlines()[-1]
    assert "accuracy" in (here / "sparse/report.txt").read_text().splitlines()[2]
    said = refused(capsys, "train sparse.toml --profile")
    assert "sparse has no profile" in said and "example_batch" in said and "bug" not in said
    io.write_alm("a.fits", np.ones(1))
    said = refused(capsys, "predict sparse/model.npz a.fits -o out.csv")
    assert "sparse has no predictions" in said and "bug" not in said


# --- the reader --------------------------------------------------------------------------------------


def test_reader(here, rng):
    """The same signals as those of the commands, and refusals in words."""
    flm, read = random_flm(8, rng, reality=True), experiments.reader()
    io.write_alm("alm.fits", flm)
    io.write_arrays("flm.npz", flm=flm)
    sky = spherekit.inverse(flm, 8, sampling="healpix:4", reality=True)
    io.write_map("map.fits", sky)
    io.write_map("two.fits", np.stack([sky, 2 * sky]), column=["A", "B"])
    io.write_arrays("mw.npz", values=spherekit.inverse(flm, 8, reality=True), grid="mw:8")
    io.write_arrays(
        "nested.npz", values=sky.astype(np.float32), grid="healpix:4", ordering="nested"
    )
    np.save("sky.npy", sky)
    pair = np.stack([sky, 2 * sky])
    io.write_arrays("one.npz", values=pair[:1], grid="healpix:4")
    io.write_arrays("named.npz", values=pair, grid="healpix:4", columns=["A", "B"])
    io.write_arrays("several.npz", values=pair, grid="healpix:4")
    for path, options in {
        "alm.fits": {},
        "flm.npz": {},
        "map.fits": {},
        "two.fits": {"field": "B"},
        "mw.npz": {},
        "nested.npz": {},
        "sky.npy": {"grid": "healpix:4", "ordering": "nested"},
        "one.npz": {},
        "named.npz": {},
        "several.npz": {"field": "1"},
    }.items():
        signals = [
            read(path, **options),
            experiments.reader(**options)(path),
            Reader(None)(path, **options),
        ]
        for found in signals[:2]:
            assert found.name == path and found.grid == signals[2].grid
            assert found.values.dtype == signals[2].values.dtype
            np.testing.assert_array_equal(found.values, signals[2].values)
    io.write_arrays("spin.npz", flm=flm, spin=2)
    io.write_arrays("odd.npz", flm=flm * 1j)
    io.write_arrays("nan.npz", flm=flm * np.nan)
    for path, options, words in (
        ("sky.npy", {}, "does not state its grid; pass grid"),
        ("sky.npy", {"grid": "mw:8"}, "expected real samples of shape"),
        ("sky.npy", {"hdu": 1, "grid": "mw:8"}, "hdu applies to FITS files"),
        ("mw.npz", {"grid": "mw:9"}, "states the grid mw:8"),
        ("mw.npz", {"field": "A"}, "has no signal 'A'"),
        ("several.npz", {}, "shape .2, 192.*choose one of several signals by field"),
        ("several.npz", {"field": 2}, "has no signal 2"),
        ("mw.npz", {"ordering": "ring"}, "ordering is ring"),
        ("map.fits", {"grid": "healpix:8"}, "map of nside 4"),
        ("spin.npz", {}, "spin 2"),
        ("odd.npz", {}, "expected those of one real signal"),
        ("nan.npz", {}, "NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            read(path, **options)
    with pytest.raises(TypeError, match="got spin"):
        read("mw.npz", spin=0)
