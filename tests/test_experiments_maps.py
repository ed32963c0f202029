"""Own maps: labels, the split, coefficients, networks in TOML, and both commands."""

import csv
import shutil
import threading
import tomllib

import numpy as np
import pytest
from helpers.commands import refused, run

import spherekit
from spherekit import experiments, io, nn
from spherekit.cli import main
from spherekit.cli.predict import Reader
from spherekit.experiments import signals
from spherekit.experiments.maps import data, model
from spherekit.experiments.maps.labels import Labels, read_labels
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.sampling import MW
from spherekit.testing import random_flm
from spherekit.train import checkpoints

L = 8


def write_map(path, flm, grid):
    """A file of a map of these coefficients: on a grid, or the coefficients themselves."""
    if grid is None:
        io.write_alm(path, flm)
        return
    f = spherekit.inverse(flm, int(np.sqrt(flm.size)), sampling=grid, reality=True)
    if grid.startswith("healpix"):
        io.write_map(path, f)
    else:
        io.write_arrays(path, values=f, grid=grid)


def write_table(path, rows, head=("path", "label")):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def example_rows(folder, n=40):
    """(name, class, amplitude) of maps on several grids: red and white noise of several amplitudes."""
    rng = np.random.default_rng(0)
    (folder / "maps").mkdir()
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    kinds = ("healpix:4", "fits"), ("mw:8", "npz"), (None, "fits"), ("gl:10", "npz")
    for i in range(n):
        flm, is_red = random_flm(L, rng, reality=True), i % 2
        flm *= (1.0 + ell) ** (-1.5 * is_red)
        amplitude = 1 + 2 * rng.random()
        flm *= amplitude / np.linalg.norm(flm)
        grid, suffix = kinds[i % 3 if i < 36 else 3]
        name = f"maps/{i:02d}.{suffix}"
        write_map(folder / name, flm, grid)
        yield name, ("white", "red")[is_red], amplitude


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Trainings of classes.csv and numbers.csv, in folders of these names; the maps in ``maps``."""
    folder = tmp_path_factory.mktemp("own")
    rows = list(example_rows(folder))
    write_table(folder / "classes.csv", [(name, kind) for name, kind, _ in rows])
    write_table(folder / "numbers.csv", [(name, amplitude) for name, _, amplitude in rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("train --maps classes.csv --epochs 20 --threads 1 --plot classes.png")
        run("train --maps numbers.csv --epochs 30 --threads 2 --seed 1")
    return folder


@pytest.fixture
def there(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


def table_rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1:]


def column(path, name):
    with open(path, newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


# --- the commands ------------------------------------------------------------------------------------


def test_classes(there, tmp_path):
    report = (there / "classes/report.txt").read_text().split("\n\n")[0].splitlines()
    assert report[:8] == [
        "classes.csv",
        "40 maps of 2 classes: 20 red, 20 white",
        "24 for training, 8 for validation, 8 for the test",
        "band-limit: degrees < 8, as in maps/00.fits",
        "network: small",
        "   its first layer returns all degrees < 8",
        "training: 20 epochs of 2 steps, at most 16 maps each",
        "   adamw, learning rate 0.01, weight decay 0.01; schedule cosine",
    ]
    checkpoint, _ = checkpoints.load(checkpoints.latest("classes/checkpoints"))
    best = checkpoint.best["epoch"]
    assert report[8] == f"parameters of epoch {best} of 20, with the lowest validation loss"
    assert report[9].startswith("accuracy on 8 test maps: ")
    accuracy, error = (float(report[9].split()[i]) for i in (5, -1))
    p = np.clip(accuracy / 100, 0.1, 0.9)  # of all right: one wrong of ten
    assert accuracy >= 75 and error == pytest.approx(100 * np.sqrt(p * (1 - p) / 8), abs=0.06)
    assert "most frequent class, red: 50.0 % +- 17.7" in report[10] and "+-: one" in report[11]
    assert report[13].split() == ["red", "white"]
    assert [line.split()[0] for line in report[14:]] == ["red", "white"]
    counts = np.array([line.split()[1:] for line in report[14:]], int)
    assert counts.sum(axis=1).tolist() == [4, 4]
    assert 100 * np.trace(counts) / 8 == accuracy
    assert (there / "classes.png").stat().st_size > 10000
    labels = read_labels("classes.csv")
    test = data.split(labels, 0.2, 0.2, 0)[2]
    files = [labels.paths[i] for i in test]
    run(f"predict classes/model.npz {' '.join(files)} -o {tmp_path / 'out.csv'}")
    assert column(tmp_path / "out.csv", "file") == files
    predicted = column(tmp_path / "out.csv", "class")
    true = [labels.classes[labels.targets[i]] for i in test]
    assert sum(a == b for a, b in zip(predicted, true, strict=True)) == np.trace(counts)
    p = np.array([column(tmp_path / "out.csv", f"p_{name}") for name in ("red", "white")], float)
    np.testing.assert_allclose(p.sum(axis=0), 1, rtol=0, atol=2e-6)  # six digits
    assert ["red" if red > white else "white" for red, white in p.T] == predicted


def test_numbers(there, tmp_path):
    """In the units of the labels, in the report, in the history and in predictions."""
    report = (there / "numbers/report.txt").read_text().split("\n\n")[0].splitlines()
    assert report[8].startswith("loss: mse of standardized labels, (label - ")
    assert report[8].endswith("; rmse: in the units of the labels")
    error, constant, correlation = (float(line.split()[-1]) for line in report[10:])
    assert 0.9 < correlation < 1
    assert "with numbers from 1." in report[1] and error < 0.5 * constant and constant > 0.3
    labels = read_labels("numbers.csv")
    run(f"predict numbers/model.npz {' '.join(labels.paths)} -o {tmp_path / 'out.csv'}")
    values = np.array(column(tmp_path / "out.csv", "value"), float)
    subsets = data.split(labels, 0.2, 0.2, 1)
    errors = [np.sqrt(np.mean((values - labels.targets)[rows] ** 2)) for rows in subsets]
    assert errors[2] == pytest.approx(error, rel=1e-3)  # four digits
    tree, header = read_tree("numbers/model.npz")
    checkpoint, _ = checkpoints.load(checkpoints.latest("numbers/checkpoints"))
    best = checkpoint.history["epochs"]["rmse"][checkpoint.best["epoch"] - 1]
    assert errors[1] == pytest.approx(best, rel=1e-4)
    assert header["model"]["classes"] is None
    run("train --maps numbers.csv --epochs 30 --seed 1 --resume")  # finished: the report again
    assert (there / "numbers/report.txt").read_text().split("\n\n")[0].splitlines() == report


def test_coefficients_are_computed_once(there, tmp_path, monkeypatch):
    """A training of other settings computes none again; only the band-limit is that of the first map."""
    shutil.copytree("classes/features", tmp_path / "run/features")
    monkeypatch.setattr(data, "band_limit", lambda *_: (8, False, "degrees < 8"))
    for name in ("coefficients", "low_coefficients"):
        monkeypatch.setattr(data, name, None)
    run(f"train --maps classes.csv --epochs 1 -o {tmp_path / 'run'}")


def test_a_changed_list_is_refused(there, capsys, tmp_path):
    shutil.copytree("classes/features", tmp_path / "run/features")
    write_table("other.csv", table_rows("classes.csv")[:-2])
    assert main(f"train --maps other.csv -o {tmp_path / 'run'}".split()) == 1
    assert "other maps than other.csv lists" in capsys.readouterr().err


def test_whole_numbers_may_be_classes(there, capsys, tmp_path):
    rows = [(path, int(label == "red")) for path, label in table_rows("classes.csv")]
    write_table("coded.csv", rows)
    run(f"train --maps coded.csv --epochs 1 -o {tmp_path / 'numbers'}")
    assert "pass --classes" in capsys.readouterr().out
    run(f"train --maps coded.csv --epochs 1 -o {tmp_path / 'classes'} --classes")
    said = capsys.readouterr().out
    assert "2 classes: 20 0, 20 1" in said and "pass --classes" not in said


def test_networks_of_a_file(there, capsys, tmp_path):
    """By a name of nn.models, and by layers; the training too, and no validation or test."""
    (tmp_path / "cobb.toml").write_text(
        '[network]\nname = "cobb"\nchannels = 2\ndepth = 1\n[fit]\nepochs = 1\ndtype = "float64"\n'
        '[optimizer]\nname = "sgd"\nlearning_rate = 0.01\n'
    )
    line = f"train --maps classes.csv --network {tmp_path / 'cobb.toml'} -o {tmp_path / 'cobb'}"
    run(f"{line} --validation 0 --test 0")
    said = capsys.readouterr().out
    assert "40 for training, 0 for validation, 0 for the test" in said and "no test maps" in said
    net = experiments.load(tmp_path / "cobb/model.npz").net
    assert net == nn.models.cobb(8, 2, depth=1, outputs=2)
    run("train --show-example maps")
    (tmp_path / "maps.toml").write_text(capsys.readouterr().out)
    line = f"train {tmp_path / 'maps.toml'} --maps numbers.csv -o {tmp_path / 'layers'}"
    run(f"{line} --epochs 1 --L 8")
    assert "band-limit: degrees < 8" in capsys.readouterr().out
    assert experiments.load(tmp_path / "layers/model.npz").net == model.small(8)


def test_profile(there, capsys):
    run("train --maps numbers.csv --profile --threads 1")
    said = capsys.readouterr().out
    assert "Sphere(8, 1)" in said and "optimizer" in said and "0 Zonal" in said


def test_refused_commands(there, capsys, tmp_path):
    assert "no file none.csv" in refused(capsys, "train --maps none.csv")
    assert "expected at most one of them" in refused(
        capsys, "train a.toml --maps b.csv --network c.toml", 2
    )
    assert "no configuration none.toml" in refused(
        capsys, "train --maps classes.csv --network none.toml"
    )
    assert "validation is 1.5" in refused(capsys, "train --maps classes.csv --validation 1.5")
    assert "lower them" in refused(capsys, "train --maps classes.csv --validation 0.5 --test 0.5")
    run("train --show-example maps")
    (tmp_path / "maps.toml").write_text(capsys.readouterr().out)
    assert "pass --maps train.csv" in refused(capsys, f"train {tmp_path / 'maps.toml'}", 2)


# --- predictions -------------------------------------------------------------------------------------


def test_predictions_on_any_grid(there, tmp_path, rng):
    """A map of the same degrees on other grids has the same value."""
    flm = random_flm(L, rng, reality=True)
    files = [str(tmp_path / name) for name in ("a.fits", "b.npz", "c.npz", "d.fits")]
    for path, grid in zip(files, (None, "mw:8", "dh:12", "healpix:8"), strict=True):
        write_map(path, flm, grid)
    run(f"predict numbers/model.npz {' '.join(files)} -o {tmp_path / 'o.csv'}")
    values = np.array(column(tmp_path / "o.csv", "value"), float)
    np.testing.assert_allclose(values[1:], values[0], rtol=2e-5)  # six digits; single precision


def test_maps_of_another_band_limit_are_not_predicted(there, capsys, tmp_path, rng):
    def words(flm, grid, name):
        write_map(tmp_path / name, flm, grid)
        line = f"predict classes/model.npz {tmp_path / name} -o {tmp_path / 'o.csv'}"
        return refused(capsys, line)

    flm = random_flm(16, rng, reality=True)
    assert "contains degrees < 16; expected those < 8" in words(flm, None, "a.fits")
    assert "its band-limit is higher, or it is noisy" in words(flm, "mw:16", "b.npz")
    assert "for degrees < 4" in words(flm[:16], "mw:4", "c.npz")
    assert "no power at degrees 4..7" in words(np.pad(flm[:16], (0, 48)), None, "d.fits")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"L": 9}, "its maps have degrees < 9"),
        ({"L": None}, "degrees < None"),
        ({"classes": "ab"}, "expected names"),
        ({"classes": ["a", "b", "c"]}, "expected 3"),
        ({"mean": [1.0, 2.0]}, "expected one number"),
        ({"scale": [0.0]}, "expected a positive number"),
        ({"cut": 1}, "true or false"),
        ({"classes": None}, "returns 2 features; expected 1"),
    ],
)
def test_damaged_models_are_refused(there, tmp_path, change, words):
    tree, header = read_tree("classes/model.npz")
    content = header | {"model": header["model"] | change}
    write_tree(tmp_path / "model.npz", tree, content)
    with pytest.raises(ValueError, match=words):
        experiments.load(tmp_path / "model.npz")


# --- labels ------------------------------------------------------------------------------------------


@pytest.fixture
def few(here):
    """Files a, b, c, without content."""
    for name in "abc":
        (here / name).touch()
    return here


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "its first row is '', without path and label"),
        ("a,1\nb,2\n", "expected the names of the columns, path,label"),
        ("path,kind\na,1\n", "without label"),
        ("path,label\n", "lists no maps"),
        ("path,label\na,1\nb\n", "row 3: 1 cells; the first row names 2"),
        ("path,label\na,x\nd,y\n", "row 3: no file d; paths are relative to the folder of t.csv"),
        ("path,label\na,x\nb,\n", "row 3: the label is empty"),
        ("path,label\n,x\nb,y\n", "row 2: the path is empty"),
        ("path,label\na,x\n\nb,y\n./a,x\n", "row 5: ./a is the map of row 2"),
        ("path,label\na,1\nb,2\nc,x\n", "row 4: the label 'x' is text, most others are numbers"),
        ("path,label\na,x\nb,2\nc,x\n", "row 3: the label '2' is a number, most others are text"),
        ("path,label\na,1\nb,nan\n", "row 3: the label is 'nan'; expected a finite number"),
        ("path,label\na,x\nb,x\n", "all 2 labels are 'x'; expected two classes or more"),
        ("path,label\na,1\nb,1.0\n", "all 2 labels are 1; expected numbers that differ"),
        ('path,label\na,"x\n', "not a CSV file"),
    ],
)
def test_refused_lists(few, text, words):
    (few / "t.csv").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        read_labels("t.csv")
    assert words in str(error.value) and "t.csv" in str(error.value)


def test_lists(few):
    """Other columns, spaces, a byte-order mark, empty rows; paths relative to the list."""
    (few / "sub").mkdir()
    (few / "sub/t.csv").write_text("\ufefflabel, id ,path\n x ,1, ../a\n\n y,2,../b \n", "utf-8")
    labels = read_labels("sub/t.csv")
    assert labels.paths == ["sub/../a", "sub/../b"] and labels.rows == [2, 4]
    assert labels.classes == ["x", "y"] and labels.targets.tolist() == [0, 1]
    (few / "n.csv").write_text("path,label\na,3\nb,-1e-1\n")
    assert read_labels("n.csv").targets.tolist() == [3, -0.1]
    assert read_labels("n.csv", "classes").classes == ["-1e-1", "3"]
    with pytest.raises(ValueError, match="row 2: the label is 'x'"):
        read_labels("sub/t.csv", "numbers")


def labels_of(targets, classes=None):
    count = len(targets)
    paths, rows = [str(i) for i in range(count)], list(range(2, count + 2))
    return Labels("t.csv", paths, rows, classes, np.array(targets))


def test_split_by_classes():
    """Every map in one subset, the shares those of each class; the seed decides."""
    labels = labels_of([0] * 50 + [1] * 10, ["a", "b"])
    subsets = data.split(labels, 0.2, 0.1, 0)
    assert sorted(np.concatenate(subsets)) == list(range(60))
    counts = [np.bincount(labels.targets[rows]).tolist() for rows in subsets]
    assert counts == [[35, 7], [10, 2], [5, 1]]
    again, another = data.split(labels, 0.2, 0.1, 0), data.split(labels, 0.2, 0.1, 1)
    assert all((a == b).all() for a, b in zip(subsets, again, strict=True))
    assert any(set(a) != set(b) for a, b in zip(subsets, another, strict=True))
    train, validation, test = data.split(labels, 0, 0, 0)
    assert len(train) == 60 and len(validation) == len(test) == 0


def test_split_of_numbers_and_of_few():
    sizes = [len(rows) for rows in data.split(labels_of(np.arange(10.0)), 0.2, 0.2, 0)]
    assert sizes == [6, 2, 2]
    with pytest.raises(ValueError, match="2 maps of the class 'b'; expected at least 3"):
        data.split(labels_of([0] * 9 + [1] * 2, ["a", "b"]), 0.2, 0.2, 0)
    with pytest.raises(ValueError, match="3 maps in total; expected at least 4"):
        data.split(labels_of([1.0, 2.0, 3.0]), 0.2, 0.2, 0)


# --- coefficients ------------------------------------------------------------------------------------


def gathered(files, here, L=None, read=None, **settings):
    """`data.gather` of these files, half of them in each class."""
    rows = [(name, "ab"[i % 2]) for i, name in enumerate(files)]
    write_table(here / "t.csv", rows)
    changes = {"data": {"maps": "t.csv", "L": L, "validation": 0, "test": 0} | settings}
    changes["data"] = {name: x for name, x in changes["data"].items() if x is not None}
    experiment, config = experiments.parse({"experiment": "maps"}, "t.csv", changes)
    return experiment.gather(config, here / "features", read=read or Reader(None))


def test_maps_are_read_in_parallel(here, rng):
    files = [f"{i}.fits" for i in range(4)]
    for name in files:
        write_map(here / name, random_flm(L, rng, reality=True), None)
    threads = set()

    def read(path):
        threads.add(threading.current_thread())
        return Reader(None)(path)

    gathered(files, here, L=L, read=read)
    assert threads - {threading.main_thread()}


def test_coefficients_below_a_limit(here, rng):
    """Of maps with more degrees: exactly those below L, and on HEALPix nearly so."""
    flm = random_flm(16, rng, reality=True)
    for grid in ("mw:16", "gl:20", "mwss:16", None):
        suffix = "fits" if grid is None else "npz"
        path = here / f"{grid}.{suffix}"
        write_map(path, flm, grid)
        low = signals.low_coefficients(Reader(None)(path), 8)
        np.testing.assert_allclose(low, flm[:64], rtol=0, atol=1e-12 * np.abs(flm).max())
    write_map(here / "map.fits", flm, "healpix:16")
    low = signals.low_coefficients(Reader(None)(here / "map.fits"), 8)
    np.testing.assert_allclose(low, flm[:64], rtol=0, atol=1e-6 * np.abs(flm).max())


def test_noisy_pixels(here, rng):
    """Maps that no band-limit explains are cut to that of their pixels."""
    for name in "ab":
        io.write_map(here / f"{name}.fits", rng.standard_normal(12 * 4**2))
    maps = gathered(["a.fits", "b.fits"], here)
    assert maps.L == 8 and maps.cut and maps.has_upper_half and maps.x.shape == (2, 64)
    assert maps.x.dtype == np.complex64


def test_high_band_limits_are_cut_by_default(here, rng, monkeypatch):
    monkeypatch.setattr(data, "DEFAULT_L", 4)
    for name in "ab":
        write_map(here / f"{name}.fits", random_flm(8, rng, reality=True), None)
    maps = gathered(["a.fits", "b.fits"], here)
    assert maps.L == 4 and maps.cut
    assert "degrees < 4 of those < 8 of a.fits; --L sets another" in maps.band_limit


@pytest.mark.parametrize(
    "limit, grid, words",
    [
        (16, None, "row 3: b.fits contains degrees < 16; expected those < 8; or pass --L 8"),
        (4, None, "row 3: b.fits contains degrees < 4; expected those < 8; or pass --L 4"),
        (16, "mw:16", "row 3: b.npz: degrees < 8 leave"),
        (4, "mw:4", "row 3: b.npz is sampled on mw:4, for degrees < 4; expected a map of all"),
        (4, "mw:8", "row 3: b.npz has no power at degrees 4..7"),
        (8, "nan", "row 3: b.fits: 1 of 192 samples are UNSEEN or NaN; expected a complete map"),
        (8, "spin", "row 3: b.npz contains"),
        (8, "text", "row 3: b.fits"),
    ],
)
def test_maps_that_do_not_fit_are_named(here, rng, limit, grid, words):
    write_map(here / "a.fits", random_flm(8, rng, reality=True), None)
    flm = random_flm(limit, rng, reality=True)
    name = "b.npz" if grid in ("mw:16", "mw:4", "mw:8", "spin") else "b.fits"
    if grid == "nan":
        f = spherekit.inverse(flm, 8, sampling="healpix:4", reality=True)
        f[7] = np.nan
        io.write_map(here / name, f)
    elif grid == "spin":
        io.write_arrays(here / name, flm=flm, L=8, spin=2)
    elif grid == "text":
        (here / name).write_text("text")
    elif grid == "mw:8":
        f = spherekit.inverse(np.pad(flm, (0, 48)), 8, sampling=MW(8), reality=True)
        io.write_arrays(here / name, values=f, grid=grid)
    else:
        write_map(here / name, flm, grid)
    with pytest.raises(ValueError) as error:
        gathered(["a.fits", name], here)
    assert str(error.value).startswith(f"t.csv, {words}")


def test_maps_below_a_limit_that_was_asked_for(here, rng):
    for name, limit in (("a.fits", 16), ("b.fits", 8)):
        write_map(here / name, random_flm(limit, rng, reality=True), None)
    maps = gathered(["a.fits", "b.fits"], here, L=8)
    assert maps.cut and maps.x.shape == (2, 64)
    shutil.rmtree(here / "features")
    with pytest.raises(ValueError, match="row 3: b.fits contains degrees < 8; .* pass --L 8"):
        gathered(["a.fits", "b.fits"], here, L=12)


# --- networks ----------------------------------------------------------------------------------------


def section(text):
    return tomllib.loads(text).get("network", {})


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", model.small(8, outputs=3)),
        ("[network]\nwidth = 3\nanchors = 2", model.small(8, outputs=3, width=3, anchors=2)),
        (
            '[network]\nname = "esteves"\nchannels = [2, 3]',
            nn.models.esteves(8, (2, 3), outputs=3),
        ),
        (
            '[[network.layers]]\nlayer = "SpinConvolution"\nchannels = 2\nspins = [0, 1]\n'
            '[[network.layers]]\nlayer = "ScalarPart"\n[[network.layers]]\nlayer = "GlobalMean"\n'
            '[[network.layers]]\nlayer = "Dense"',
            nn.Sequential(
                nn.Sphere(8, 1),
                nn.SpinConvolution(2, (0, 1)),
                nn.ScalarPart(),
                nn.GlobalMean(),
                nn.Dense(3),
            ),
        ),
        (
            '[network]\nlayers = [{layer = "ToFragments"}, {layer = "ConcatReadouts", '
            'readout = {layer = "Invariants"}, layers = [{layer = "Sequential", layers = ['
            '{layer = "TensorProduct", mixing = "mst"}, {layer = "Convolution", channels = 2}]}]}, '
            '{layer = "Dense"}]',
            nn.Sequential(
                nn.Sphere(8, 1),
                nn.ToFragments(),
                nn.ConcatReadouts(
                    nn.Invariants(),
                    nn.Sequential(nn.TensorProduct("mst"), nn.Convolution(2)),
                ),
                nn.Dense(3),
            ),
        ),
    ],
)
def test_networks(text, expected):
    assert model.network(model.check("network", section(text)), 8, 3) == expected


@pytest.mark.parametrize(
    "text, words",
    [
        ('[network]\nname = "cob"', "name is 'cob'; did you mean 'cobb'?"),
        ("[network]\nwith = 3", "small has no 'with'; did you mean 'width'?"),
        ("[network]\noutputs = 3", "outputs is set by the maps"),
        ("[network]\nwidth = 0", "channels"),
        ('[network]\nname = "cobb"\nchannels = "2"', "[network] "),
        ("[network]\nlayers = []", "expected a list of tables"),
        ('[network]\nname = "cobb"\nlayers = [{layer = "GlobalMean"}]', "has both name and layers"),
        (
            "[network]\nlayers = [{channels = 3}]",
            "[[network.layers]] 0 is {'channels': 3}; expected",
        ),
        ('[network]\nlayers = [{layer = "Zonl"}]', "no layer 'Zonl'; did you mean 'Zonal'?"),
        ('[network]\nlayers = [{layer = "Layer"}]', "there is no layer 'Layer'"),
        ('[network]\nlayers = [{layer = "Zonal"}]', "[[network.layers]] 0, Zonal needs channels"),
        (
            '[network]\nlayers = [{layer = "Zonal", channel = 3}]',
            "0, Zonal has no 'channel'; did you mean 'channels'?",
        ),
        ('[network]\nlayers = [{layer = "GlobalMean", L = 3}]', "GlobalMean has no 'L'"),
        ('[network]\nlayers = [{layer = "Dropout", rate = 2}]', "0, Dropout: rate is 2"),
        ('[network]\nlayers = [{layer = "Dense"}, {layer = "Dense"}]', "0, Dense needs features"),
        ('[network]\nlayers = [{layer = "Dense"}]', "layer 0, Dense: accepts Features"),
        ('[network]\nlayers = [{layer = "GlobalMean"}]', "returns 1 feature; expected 3 features"),
    ],
)
def test_refused_networks(text, words):
    with pytest.raises(ValueError) as error:
        model.network(model.check("network", section(text)), 8, 3)
    assert words in str(error.value) and str(error.value).startswith("[")
