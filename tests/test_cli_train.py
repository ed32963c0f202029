"""spherekit train and predict, end to end on small skies."""

import csv
import shutil

import numpy as np
import pytest
from helpers.commands import refused, run
from tolerances import IDENTITY

import spherekit
from spherekit import experiments, io, nn
from spherekit._core.pytree import difference, flatten
from spherekit.cli.predict import Reader
from spherekit.experiments import common
from spherekit.experiments.signals import coefficients
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.scattering import Scattering
from spherekit.testing import random_flm
from spherekit.train import checkpoints

CONFIG = """
experiment = "gaussianity"
[data]
{data}
train = 30
validation = 6
test = 10
[features]
J0 = 2
oversample = 1
[network]
width = 6
anchors = 3
compare = {compare}
[fit]
epochs = {epochs}
batch_size = 10
metrics = ["accuracy"]
[optimizer]
learning_rate = 0.03
"""
SIMULATED = 'L = 32\nrecipe = "strings"\nstrength = 0.9\nseed = 3'


def write(path, data=SIMULATED, compare="false", epochs=4):
    """A small configuration."""
    with open(path, "w") as file:
        file.write(CONFIG.format(data=data, compare=compare, epochs=epochs))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a training of few.toml, in ``few``, and the skies of its numbers, in ``sims``."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(f"train {write('few.toml', compare='true')} --threads 1 --plot curves.png")
        run("simulate cmb --L 32 --n 92 --strength 0.9 --seed 3 -o sims --threads 1")
    return folder


@pytest.fixture
def there(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


def same(path_a, path_b):
    """Two model files."""
    (a, header_a), (b, header_b) = read_tree(path_a), read_tree(path_b)
    assert header_a == header_b and difference(a, b) is None
    for (_, x), (_, y) in zip(flatten(a), flatten(b), strict=True):
        np.testing.assert_array_equal(x, y)


# --- configurations ----------------------------------------------------------------------------------


def test_examples(here, capsys):
    run("train --list-examples")
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == list(common.recipes()) and {"cmb-gaussianity.toml", "maps.toml"} <= set(names)
    for name in names:
        run(f"train --show-example {name}")
        with open(f"own-{name}", "w") as file:
            file.write(capsys.readouterr().out)
        (experiment, own), (found, shipped) = (
            experiments.read(f"own-{name}"),
            experiments.read(name),
        )
        assert own.values == shipped.values and shipped.source == name and experiment is found
    data = experiments.read("cmb-gaussianity")[1].values["data"]
    assert (data["L"], data["strength"], data["train"], data["test"]) == (256, 0.27, 200, 200)


@pytest.mark.parametrize(
    "change, words",
    [
        (("[fit]", "[fitt]"), "did you mean 'fit'?"),
        (("width", "with"), "[network] has no 'with'; did you mean 'width'?"),
        (("width = 6", "channels = 6"), "channels is a key of cobb"),
        (('"strings"', '"string"'), "did you mean 'strings'?"),
        (("strength = 0.9", "strength = 2"), "from 0 to 1"),
        (("J0 = 2", "J0 = 9"), "J0"),
        (("J0 = 2", "depth = 0"), "integer >= 1"),
        (("L = 32", 'folder = "sims"\nL = 32'), "[data] has both L and folder"),
        (("L = 32\n", ""), "[data] needs L"),
        (("compare = false", "compare = true\nscattering = false"), "needs scattering = true"),
        (("validation = 6", "validation = 0\n[fit]\nepochs = 1"), "is not TOML"),
        (("batch_size = 10", 'batch_size = 10\nloss = "mse"'), "cross_entropy"),
        (("batch_size = 10", "batch = 10"), "batch_size"),
        (("[optimizer]", "[optimiser]"), "it is called [optimizer]"),
        (('"gaussianity"', '"gaussianty"'), "did you mean 'gaussianity'?"),
        (('experiment = "gaussianity"', ""), "it has no key experiment"),
        (("anchors = 3", "anchors = 3.5"), "integer"),
    ],
)
def test_configurations_are_refused_in_words(here, capsys, change, words):
    changed(write("few.toml"), "few.toml", *change)
    said = refused(capsys, "train few.toml")
    assert words in said and "few.toml" in said


def test_other_refusals(here, capsys):
    assert "--list-examples" in refused(capsys, "train", 2)
    said = refused(capsys, "train maps", 2)
    assert "maps has no key maps in [data]; pass --maps train.csv" in said
    assert "cmb-gaussianity.toml" in refused(capsys, "train none.toml")
    assert "no example" in refused(capsys, "train --show-example none", 2)
    assert "--maps" in refused(capsys, "train few.toml --network net.toml", 2)
    write("few.toml")
    assert "--L: applicable with --maps only" in refused(capsys, "train few.toml --L 8", 2)
    assert "expected maps" in refused(capsys, "train few.toml --maps train.csv")
    assert "integer >= 1" in refused(capsys, "train few.toml --epochs 0")
    write("few.toml", data='folder = "sims"')
    assert "spherekit simulate" in refused_after(capsys, "train few.toml")
    changed(write("few.toml"), "waits.toml", "batch_size", "patience = 2\nbatch_size")
    changed("waits.toml", "waits.toml", "validation = 6", "validation = 0")
    assert "validation > 0" in refused(capsys, "train waits.toml")


def refused_after(capsys, line):
    """The complaint of a command that has said something before."""
    from spherekit.cli import main

    assert main(line.split()) == 1
    return capsys.readouterr().err


# --- training ----------------------------------------------------------------------------------------


def test_what_a_training_leaves(there, capsys):
    run("train few.toml --resume --threads 2")  # of a finished training: only the report
    said = capsys.readouterr().out
    assert "of 20 test skies classified correctly" in said and "realized spectrum" in said
    assert "the same network, without scattering" in said and "epoch   4" not in said
    assert said.count("already has 4 epochs; nothing to train") == 2
    words = "epoch 4, the one with the best validation loss"
    assert f"344 parameters, 4 epochs; model.npz has the parameters of {words}" in said
    for folder in ("few", "few/without-scattering"):
        model = experiments.load(f"{folder}/model.npz")
        assert model.description["classes"] == ["gaussian", "non-gaussian"]
        assert model.experiment is experiments.get("gaussianity")
        names = [path.name for _, path in checkpoints.numbered(f"{folder}/checkpoints")]
        last = experiments.load(f"{folder}/checkpoints/{names[-1]}")
        assert len(names) == 3 and last.description == model.description
        assert nn.load(f"{folder}/model.npz")[0] == model.net == last.net
    assert experiments.load("few/without-scattering/model.npz").net.in_type.channels == 1
    lines = (there / "few/report.txt").read_text().splitlines()
    results = said[said.index("of 20 test skies") :].splitlines()
    assert lines[0] == "few.toml" and lines[1 : len(results) + 1] == results
    for words in (
        "parameters: 344",
        "optimizer: adam(beta1=0.9",
        "schedule: constant(",
        "epochs: 4; after the last one loss",
        "epoch of model.npz: 4, the one with the best validation loss (",
        "    Zonal(6",
    ):
        assert any(line.startswith(f"   {words}") for line in lines), words
    assert (there / "curves.png").stat().st_size > 10000


def test_the_accuracy_is_that_of_the_predictions(there, capsys, tmp_path):
    """Of the skies with the numbers of the test, written by simulate."""
    files = [f"sims/{kind}-{i:05d}.fits" for kind in ("gaussian", "strings") for i in range(36, 46)]
    run(f"predict few/model.npz {' '.join(files)} -o {tmp_path / 'out.csv'}")
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == files
    run(f"predict few/without-scattering/model.npz {files[0]} -o {tmp_path / 'low.csv'}")
    for row in rows:
        p = {name: float(row[f"p_{name}"]) for name in ("gaussian", "non-gaussian")}
        assert abs(sum(p.values()) - 1) < 2e-6 and row["class"] == max(p, key=p.get)
    right = sum((row["class"] == "gaussian") == ("gaussian-" in row["file"]) for row in rows)
    capsys.readouterr()
    run("train few.toml --resume")
    line = next(
        x for x in capsys.readouterr().out.splitlines() if "network, with scattering  " in x
    )
    assert float(line.split()[-2]) == 5 * right


def test_skies_of_a_folder_give_the_same_model(there, tmp_path):
    """And so do two threads."""
    write("folder.toml", data='folder = "sims"')
    run(f"train folder.toml -o {tmp_path / 'own'} --threads 2")
    same("few/model.npz", tmp_path / "own/model.npz")


def test_resumed_training_is_the_same(there, tmp_path):
    """One that was stopped within an epoch, its last checkpoint before."""
    shutil.copytree("few/features", tmp_path / "own/features")
    experiment, config = experiments.read("few.toml")
    training = experiment.trainings(config, experiment.gather(config, "few/features"))[0]
    folder = tmp_path / "own/checkpoints"
    for step in experiments.steps(experiment, config, training, checkpoints=folder):
        if step.step == 9:
            break
    run(f"train few.toml -o {tmp_path / 'own'} --resume")
    same("few/model.npz", tmp_path / "own/model.npz")


def test_a_finished_training_is_lengthened(there, tmp_path):
    """To the same numbers as one that was as long from the beginning."""
    short, long = tmp_path / "short", tmp_path / "long"
    for folder in (short, long):
        shutil.copytree("few/features", folder / "features")
    changed("few.toml", "one.toml", "compare = true", "")
    run(f"train one.toml -o {short} --epochs 2")
    run(f"train one.toml -o {short} --epochs 3 --resume")
    run(f"train one.toml -o {long} --epochs 3")
    same(short / "model.npz", long / "model.npz")
    states = [checkpoints.load(checkpoints.latest(x / "checkpoints"))[0] for x in (short, long)]
    assert states[0].history == states[1].history and states[0].epoch == 3


def changed(source, target, *change):
    """A configuration with one thing changed."""
    with open(source) as file:
        text = file.read()
    assert change[0] in text
    with open(target, "w") as file:
        file.write(text.replace(*change))
    return target


def test_a_folder_of_another_training_is_refused(there, capsys, tmp_path):
    said = refused(capsys, "train few.toml", 2)
    assert "--resume" in said and "--force" not in said
    said = refused(capsys, "train few.toml --force", 2)
    assert "--force does not overwrite" in said and "another folder with -o, or remove this" in said
    assert "pass --seed 0" in refused_after(capsys, "train few.toml --resume --seed 1")
    shutil.copytree("few/checkpoints", tmp_path / "own/checkpoints")
    shutil.copytree("few/features", tmp_path / "own/features")
    line = f"train {changed('few.toml', 'batch.toml', 'batch_size = 10', 'batch_size = 12')}"
    said = refused_after(capsys, f"{line} -o {tmp_path / 'own'} --resume")
    assert "another training" in said and "batch_size" in said
    line = f"train {changed('few.toml', 'seed.toml', 'seed = 3', 'seed = 4')}"
    said = refused_after(capsys, f"{line} -o {tmp_path / 'own'} --resume")
    assert "another training: mean, scale of its signals differ" in said


def test_what_is_damaged_can_be_removed(there, capsys, tmp_path):
    """A checkpoint, and a file of features: the message names it, and the run goes on without."""
    shutil.copytree("few", tmp_path / "few")
    line = f"train few.toml -o {tmp_path / 'few'} --resume"
    before, last = [path for _, path in checkpoints.numbered(tmp_path / "few/checkpoints")][-2:]
    features = next((tmp_path / "few/features").rglob("*.npz"))
    tree, header = read_tree(last)
    header["checkpoint"]["epoch"] = 2  # of which the steps are not those of two epochs
    write_tree(last, tree, header, overwrite=True)
    said = refused_after(capsys, line)
    assert "is damaged: its step is" in said and f"previous one, {before.name}" in said
    for path, advice in ((features, "remove this file"), (last, f"previous one, {before.name}")):
        path.write_bytes(path.read_bytes()[:1000])
        said = refused_after(capsys, line)
        assert str(path) in said and advice in said
        path.unlink()
    run(line)
    same("few/model.npz", tmp_path / "few/model.npz")
    for _, path in checkpoints.numbered(tmp_path / "few/checkpoints")[:-1]:
        path.unlink()
    checkpoints.latest(tmp_path / "few/checkpoints").write_bytes(b"")
    assert "--resume starts from the beginning" in refused_after(capsys, line)


def test_too_few_skies_in_a_folder(there, capsys, tmp_path):
    write("folder.toml", data='folder = "sims"')
    changed("folder.toml", "more.toml", "train = 30", "train = 300")
    said = refused_after(capsys, f"train more.toml -o {tmp_path / 'more'}")
    assert "contains 46 skies of the class gaussian" in said and "at least 316" in said


def test_profile(there, capsys):
    run("train few.toml --profile --threads 1")
    said = capsys.readouterr().out
    assert "in kernels" in said and "optimizer" in said and "0 Zonal" in said


def test_other_networks_train(there, tmp_path):
    """cobb, in float64, without validation."""
    changed("few.toml", "cobb.toml", "width = 6\nanchors = 3", 'name = "cobb"\nchannels = 2')
    changed("cobb.toml", "cobb.toml", "validation = 6", "validation = 0")
    changed("cobb.toml", "cobb.toml", "compare = true", "")
    changed("cobb.toml", "cobb.toml", "epochs = 4", 'epochs = 1\ndtype = "float64"')
    run(f"train cobb.toml -o {tmp_path / 'own'}")
    model = experiments.load(tmp_path / "own/model.npz")
    assert {array.dtype for _, array in flatten(model.params)} == {np.dtype(float)}
    run(f"predict {tmp_path / 'own/model.npz'} sims/gaussian-00000.fits -o {tmp_path / 'o.csv'}")


def test_files_of_the_former_version(here, capsys):
    np.savez(here / "old.npz", checkpoint=np.frombuffer(b"{}", np.uint8), array0=np.ones(3))
    run("info old.npz")
    assert "old.npz: model or checkpoint of spherekit 0.1" in capsys.readouterr().out


# --- predictions -------------------------------------------------------------------------------------


def probabilities(files, tmp_path):
    run(f"predict few/model.npz {files} -o {tmp_path / 'out.csv'} --force")
    with open(tmp_path / "out.csv", newline="") as file:
        return np.array([float(row["p_gaussian"]) for row in csv.DictReader(file)])


def test_all_kinds_of_files(there, tmp_path):
    flm = io.read_alm("sims/strings-00000.fits")
    io.write_arrays(tmp_path / "flm.npz", flm=flm, L=32)
    for name in ("mw:32", "gl:40"):
        f = spherekit.inverse(flm, 32, sampling=name, reality=True)
        io.write_arrays(tmp_path / f"{name[:2]}.npz", values=f, grid=name)
    f = spherekit.inverse(flm, 32, sampling="healpix:16", reality=True)
    io.write_map(tmp_path / "map.fits", f)
    files = [str(tmp_path / name) for name in ("flm.npz", "mw.npz", "gl.npz", "map.fits")]
    read = Reader(None)
    for path in files:  # exact, but on HEALPix an iteration that stops at a residual of 1e-8
        tolerance = 1e-7 if path.endswith("map.fits") else IDENTITY
        error = np.abs(coefficients(read(path), 32) - flm).max()
        assert error <= tolerance * np.abs(flm).max(), path
    p = probabilities(" ".join(["sims/strings-00000.fits", *files]), tmp_path)
    np.testing.assert_allclose(p[1:], p[0], rtol=0, atol=1e-6)  # written with six digits


def test_maps_of_another_kind_are_refused(there, capsys, tmp_path, rng):
    def words(name):
        return refused(capsys, f"predict few/model.npz {tmp_path / name} -o {tmp_path / 'o.csv'}")

    flm = random_flm(64, rng, reality=True)
    io.write_alm(tmp_path / "alm.fits", flm)
    assert "contains degrees < 64; expected those < 32" in words("alm.fits")
    io.write_alm(tmp_path / "low.fits", np.pad(flm[: 16**2], (0, 32**2 - 16**2)))
    assert "no power at degrees 16..31" in words("low.fits")
    f = spherekit.inverse(flm, 64, sampling="healpix:32", reality=True)
    io.write_map(tmp_path / "fine.fits", f)
    assert "spherekit transform" in words("fine.fits")
    io.write_map(tmp_path / "coarse.fits", f[: 12 * 8**2])
    assert "healpix:8" in words("coarse.fits")
    f[7] = np.nan
    io.write_map(tmp_path / "nan.fits", f)
    assert "1 of 12288 samples" in words("nan.fits")
    lost = np.where(np.arange(32**2) == 5, np.nan, flm[: 32**2])
    io.write_arrays(tmp_path / "nan.npz", flm=lost, L=32)
    assert "NaN" in words("nan.npz")
    io.write_arrays(tmp_path / "spin.npz", flm=flm[: 32**2], L=32, spin=2)
    assert "spin 2" in words("spin.npz")
    io.write_arrays(tmp_path / "bare.npz", values=np.ones((32, 63)))
    assert "--grid" in refused(
        capsys, f"predict few/model.npz {tmp_path / 'bare.npz'} -o {tmp_path / 'o.csv'}", 2
    )
    assert "no file" in words("none.fits")
    assert not (tmp_path / "o.csv").exists()


def test_foreign_models_are_refused(there, capsys, tmp_path):
    def words(name):
        line = f"predict {tmp_path / name} sims/gaussian-00000.fits -o {tmp_path / 'o.csv'}"
        return refused(capsys, line)

    whole = (there / "few/model.npz").read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in words("short.npz")
    np.savez(tmp_path / "foreign.npz", weights=np.ones(3))
    assert "not a network or checkpoint of spherekit" in words("foreign.npz")
    np.savez(tmp_path / "pickle.npz", spherekit=np.array([{}], object))
    assert "allow_pickle" in words("pickle.npz")
    np.savez(tmp_path / "old.npz", checkpoint=np.frombuffer(b"{}", np.uint8))
    said = words("old.npz")
    assert "spherekit 0.1" in said and "train again" in said
    tree, header = read_tree("few/model.npz")
    write_tree(tmp_path / "plain.npz", tree, {"network": header["network"]})
    assert "that is not of an experiment" in words("plain.npz")
    model = header["model"]
    for change, expected in [
        ({"version": 9}, "version is 9"),
        ({"experiment": "towers"}, "no experiment 'towers'"),
        ({"experiment": "maps"}, "no 'L'"),
        ({"model": []}, "its description is []"),
        ({"model": model | {"mean": model["mean"][1:]}}, "mean has shape"),
        ({"model": model | {"features": model["features"] | {"J0": 3}}}, "expected"),
        ({"model": model | {"classes": "ab"}}, "classes"),
        ({"model": model | {"scale": [-1.0] * len(model["scale"])}}, "a scale is -1"),
        ({"model": model | {"classes": None}}, "its classes are None"),
        ({"model": {k: x for k, x in model.items() if k != "scale"}}, "no 'scale'"),
        ({"network": header["network"] | {"class": "Net"}}, "Net"),
    ]:
        write_tree(tmp_path / "changed.npz", tree, header | change, overwrite=True)
        assert expected in words("changed.npz"), change
    tree["params"][0]["weights"] = tree["params"][0]["weights"][:1]
    write_tree(tmp_path / "changed.npz", tree, header, overwrite=True)
    assert "do not fit the network: 0.weights" in words("changed.npz")
    assert "no file" in words("missing.npz")


# --- the layer ---------------------------------------------------------------------------------------


def test_scattering_layer_follows_threads(rng, monkeypatch):
    """The threads of a call are those of its context, and the result does not depend on them."""
    asked = []

    def spy(*args, **options):
        asked.append(options["threads"])
        return Scattering(*args, **options)

    monkeypatch.setattr("spherekit.nn.scattering_layer.ScatteringTransform", spy)
    net = nn.Sequential(nn.Sphere(8, 2), nn.Scattering(J0=1))
    x = random_flm(8, rng, reality=True, shape=(3, 2))
    del asked[:]
    y_5, y_7, again = (net([{}], x, threads=threads) for threads in (5, 7, 5))
    assert asked == [5, 7]
    np.testing.assert_array_equal(y_5, y_7)
    np.testing.assert_array_equal(y_5, again)
