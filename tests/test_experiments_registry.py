"""Experiments of others: registered, trained and predicted by the commands."""

import csv

import numpy as np
import pytest
from helpers.commands import refused, run

from spherekit import experiments, io, nn
from spherekit.experiments import common
from spherekit.testing import random_flm
from spherekit.train.schema import Key


class Amplitudes(experiments.Experiment):
    """Strong noise against weak noise."""

    name = "amplitudes"
    title = "noise of two amplitudes"
    sections = {"data": {"L": Key("whole", 4, least=2), "count": Key("whole", 24, least=4)}}

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
    assert (here / "own/report.txt").read_text() == "own.toml\n24 signals\n6 test signals\n"
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


@pytest.mark.parametrize(
    "experiment, error, words",
    [
        (Amplitudes, TypeError, r"pass an object, Class\(\)"),
        ("maps", TypeError, "'maps' is not an Experiment"),
        (experiments.Experiment(), ValueError, "name is ''; expected text"),
        (type("Other", (Amplitudes,), {"name": "maps"})(), ValueError, "'maps' is that of Maps"),
    ],
)
def test_what_is_not_registered(experiment, error, words):
    with pytest.raises(error, match=words):
        experiments.register(experiment)


def test_unknown_names():
    with pytest.raises(ValueError, match="did you mean 'maps'"):
        experiments.get("map")
    with pytest.raises(ValueError, match="known are gaussianity, maps"):
        experiments.get("tower")


def test_what_an_experiment_does_not_define():
    with pytest.raises(NotImplementedError, match="Experiment does not define gather"):
        experiments.Experiment().gather(None, "folder", read=None)
