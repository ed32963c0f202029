"""Own maps: options and units of predictions, sizes of numbers, copies, labels, and defaults."""

import csv

import numpy as np
import pytest
from helpers.commands import run

import spherekit
from spherekit import experiments, io, nn
from spherekit.cli import main
from spherekit.cli.predict import Reader
from spherekit.experiments.maps import data, model, units
from spherekit.experiments.maps.labels import read_labels
from spherekit.experiments.signals import has_upper_half
from spherekit.experiments.standardization import Amplitudes, standardize, statistics
from spherekit.testing import random_flm

L = 4
SMALL = "[network]\nwidth = 3\n[fit]\nepochs = 2\n"


def write_table(path, rows, head=("path", "label")):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def coefficients(n=20, seed=0):
    """Red and white noise, in turn; (maps, L*L)."""
    rng = np.random.default_rng(seed)
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    flm = random_flm(L, rng, reality=True, shape=(n,))
    return flm * (1.0 + ell) ** (-2.0 * (np.arange(n) % 2))[:, None]


def refused(capsys, line):
    """The error of a command that begins and fails."""
    capsys.readouterr()
    assert main(line.split()) == 1
    return capsys.readouterr().err


def write_samples(path, flm, **arrays):
    f = spherekit.inverse(flm, L, sampling="mw:4", reality=True)
    io.write_arrays(path, values=f, grid="mw:4", **arrays, overwrite=True)


@pytest.fixture
def listed(here):
    """Coefficients in m00.npz to m19.npz, listed in classes.csv and numbers.csv; small.toml."""
    names = [f"m{i:02d}.npz" for i in range(20)]
    for name, flm in zip(names, coefficients(), strict=True):
        write_samples(here / name, flm)
    write_table(here / "classes.csv", [(name, "ab"[i % 2]) for i, name in enumerate(names)])
    write_table(here / "numbers.csv", [(name, i / 4) for i, name in enumerate(names)])
    (here / "small.toml").write_text(SMALL)
    return here


def parsed(content, source="classes.csv", **settings):
    changes = {"data": {"maps": source, **settings}}
    return experiments.parse({"experiment": "maps", **content}, source, changes)


def gathered(source, folder="features", **settings):
    experiment, config = parsed({}, source, **settings)
    return experiment, config, experiment.gather(config, folder, read=Reader(None))


def first_row(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1]


# --- options and units ---------------------------------------------------------------------------------


def test_predictions_read_the_column_of_the_training(here, capsys):
    names = []
    for i, pair in enumerate(zip(coefficients(seed=1), coefficients(), strict=True)):
        f = [spherekit.inverse(flm, L, sampling="healpix:2", reality=True) for flm in pair]
        names.append(f"m{i:02d}.fits")
        io.write_map(names[-1], f, column=["ONE", "TWO"])
    write_table("t.csv", [(name, "ab"[i % 2]) for i, name in enumerate(names)])
    (here / "small.toml").write_text(SMALL)
    run("train --maps t.csv --network small.toml --field TWO -o run")
    run("predict run/model.npz m00.fits -o default.csv")
    assert "options of the training: --field TWO" in capsys.readouterr().out
    run("predict run/model.npz m00.fits -o two.csv --field TWO")
    assert "training:" not in capsys.readouterr().out
    run("predict run/model.npz m00.fits -o one.csv --field ONE")
    assert (
        "options that differ from the training: --field ONE (training: TWO)"
        in capsys.readouterr().out
    )
    rows = [first_row(f"{name}.csv") for name in ("default", "two", "one")]
    assert rows[0] == rows[1] != rows[2]
    io.write_alm("alm.fits", coefficients()[0])  # which has no columns
    run("predict run/model.npz alm.fits -o alm.csv")
    np.testing.assert_allclose(float(first_row("alm.csv")[2]), float(rows[0][2]), atol=1e-4)


def test_grid_and_ordering_of_the_training(listed, capsys):
    """They are used where the file does not say, and only there."""
    names = []
    for i, flm in enumerate(coefficients()):
        f = spherekit.inverse(flm, L, sampling="mw:4", reality=True)
        names.append(f"s{i:02d}.npy")
        np.save(names[-1], f)
    write_table("t.csv", [(name, "ab"[i % 2]) for i, name in enumerate(names)])
    run("train --maps t.csv --network small.toml --grid mw:4 -o run")
    run("predict run/model.npz s00.npy -o a.csv")
    run("predict run/model.npz m00.npz -o b.csv")
    assert first_row("a.csv")[1:] == first_row("b.csv")[1:]
    f = spherekit.inverse(coefficients()[0], L, sampling="healpix:2", reality=True)
    io.write_map("m.fits", f)
    run("predict run/model.npz m.fits -o c.csv")
    assert first_row("a.csv")[1] == first_row("c.csv")[1]


def test_units_are_converted_or_refused(listed, capsys):
    for i, flm in enumerate(coefficients()):
        scale, unit = (1e-6, "K") if i in (3, 8) else (1, "uK")
        write_samples(f"m{i:02d}.npz", flm * scale, unit=unit)
    run("train --maps classes.csv --network small.toml -o run")
    said = capsys.readouterr().out
    assert "unit: uK\n   2 maps in K: converted to uK" in said
    write_samples("k.npz", coefficients()[0] * 1e-6, unit="K")
    run("predict run/model.npz m00.npz -o a.csv")
    assert "converted" not in capsys.readouterr().out
    run("predict run/model.npz k.npz -o b.csv")
    assert "; 1 in K, converted to uK" in capsys.readouterr().out
    a, b = (np.array(first_row(name)[2:], float) for name in ("a.csv", "b.csv"))
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    for name, unit, words in (("j", "Jy", "cannot be converted"), ("n", "", "it has no unit")):
        write_samples(f"{name}.npz", coefficients()[0], unit=unit)
        said = refused(capsys, f"predict run/model.npz {name}.npz -o c.csv")
        assert words in said and f"{name}.npz" in said
    write_samples("m05.npz", coefficients()[5], unit="Jy")
    said = refused(capsys, "train --maps classes.csv -o other")
    assert "classes.csv, row 7: m05.npz: its unit is Jy" in said


def test_units():
    assert units.factor("mK", "uK", "x") == pytest.approx(1000, rel=1e-12)
    assert units.factor("K_CMB", "uK", "x") == pytest.approx(1e6, rel=1e-12)
    assert units.factor("mK,thermodynamic", "muK_CMB", "x") == pytest.approx(1e3, rel=1e-12)
    assert units.factor("pixels/odd", "pixels/odd", "x") == 1
    for pair in (("K_RJ", "K"), ("K", ""), ("", "K"), ("MJy/sr", "K")):
        with pytest.raises(ValueError, match="unit"):
            units.factor(*pair, "the others")


# --- sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e25, 1e-24, 1e150, 1e-150])
def test_sizes_beyond_single_precision(listed, size):
    """Standardized signals do not depend on the size; powers of two change no bit."""
    experiment, config, maps = gathered("classes.csv")
    (training,) = experiment.trainings(config, maps)
    power = 2.0 ** round(np.log2(size))
    for i, flm in enumerate(coefficients()):
        io.write_arrays(f"m{i:02d}.npz", flm=flm * size, overwrite=True)
    _, _, scaled = gathered("classes.csv", "scaled")
    (other,) = experiment.trainings(config, scaled)
    np.testing.assert_allclose(other.train[0], training.train[0], rtol=0, atol=1e-5)
    assert other.description["scale"][0] == pytest.approx(training.description["scale"][0] * size)
    for i, flm in enumerate(coefficients()):
        io.write_arrays(f"m{i:02d}.npz", flm=flm * power, overwrite=True)
    _, _, exact = gathered("classes.csv", "exact")
    for i, flm in enumerate(coefficients()):
        io.write_arrays(f"m{i:02d}.npz", flm=flm, overwrite=True)
    _, _, plain = gathered("classes.csv", "plain")
    a, b = (experiment.trainings(config, x)[0].train[0] for x in (exact, plain))
    np.testing.assert_array_equal(a, b)


def test_predictions_of_other_sizes(listed, capsys):
    (listed / "small.toml").write_text(SMALL)
    for i, flm in enumerate(coefficients()):
        io.write_arrays(f"m{i:02d}.npz", flm=flm, overwrite=True)
    run("train --maps classes.csv --network small.toml -o a")
    run("predict a/model.npz m00.npz -o a.csv")
    for i, flm in enumerate(coefficients()):
        io.write_arrays(f"m{i:02d}.npz", flm=flm * 2.0**90, overwrite=True)
    run("train --maps classes.csv --network small.toml -o b")
    run("predict b/model.npz m00.npz -o b.csv")
    assert first_row("a.csv") == first_row("b.csv")


def test_large_monopoles(listed):
    """They hide neither the upper half of the degrees nor what varies."""
    experiment, config, maps = gathered("classes.csv")
    (training,) = experiment.trainings(config, maps)
    monopole = np.zeros(L * L)
    monopole[0] = 1e8
    for i, flm in enumerate(coefficients()):
        io.write_arrays(f"m{i:02d}.npz", flm=flm + monopole, overwrite=True)
    _, _, shifted = gathered("classes.csv", "shifted")
    assert not shifted.cut and shifted.has_upper_half
    (other,) = experiment.trainings(config, shifted)
    np.testing.assert_allclose(other.train[0], training.train[0], rtol=0, atol=1e-5)
    assert has_upper_half(coefficients()[0] + 1e9 * (np.arange(L * L) == 0))


def test_constant_maps_are_called_so():
    x = np.zeros((3, 1, 4), complex)
    x[..., 0] = 1e9
    with pytest.raises(ValueError, match="same constant"):
        statistics(x)
    with pytest.raises(ValueError, match="same constant"):
        Amplitudes.of(np.zeros((3, 4), np.complex64), np.full(3, 0.1))
    x[1, 0, 2] = 1e-3
    mean, scale = statistics(x)
    assert mean == 1e9 and scale == pytest.approx(np.sqrt(1e-6 / 3 / (4 * np.pi)))
    assert np.isfinite(standardize(x * 1e20, *statistics(x * 1e20))).all()


def test_large_labels(listed):
    write_table("t.csv", [(f"m{i:02d}.npz", f"{(i - 9) / 10}e300") for i in range(20)])
    experiment, config, maps = gathered("t.csv")
    (training,) = experiment.trainings(config, maps)
    assert training.train[1].std() == pytest.approx(1)
    assert 1e299 < training.description["width"] < 1e300
    outputs = np.concatenate([training.test[1]])
    lines = list(
        experiments.maps.report.on_numbers(0.0, outputs[:, 0] * 1e300, outputs[:, 0] * 1e300)
    )
    assert lines[0].endswith(": 0") and lines[2].endswith(" 1.000")


# --- copies and labels ---------------------------------------------------------------------------------


def test_copies_under_another_name(listed, capsys):
    labels = read_labels("classes.csv")
    train, _, test = data.split(labels, 0.2, 0.2, 0)
    source, copy = (labels.paths[rows[0]] for rows in (train, test))
    (listed / copy).write_bytes((listed / source).read_bytes())
    said = refused(capsys, "train --maps classes.csv -o run")
    assert "contain the same map" in said and all(
        f"row {labels.rows[rows[0]]} (" in said for rows in (train, test)
    )
    write_samples(copy, coefficients(30)[25])
    (listed / labels.paths[train[1]]).write_bytes((listed / source).read_bytes())
    assert any("identical maps: row" in line for line in gathered("classes.csv")[2].notes)


def test_swapped_labels_are_not_resumed(listed, capsys):
    run("train --maps classes.csv --network small.toml -o run")
    rows = [(f"m{i:02d}.npz", "ba"[i % 2]) for i in range(20)]
    write_table("classes.csv", rows)
    said = refused(
        capsys, "train --maps classes.csv --network small.toml -o run --resume --epochs 3"
    )
    assert "labels_of_training" in said and "another training" in said


@pytest.mark.parametrize(
    "text, labels",
    [
        ("file,class\na,x\nb,y\n", ["x", "y"]),
        ("FILE,seed,Class\na,1,x\nb,2,y\n", ["x", "y"]),
        ("Path;Label\na;x\nb;y\n", ["x", "y"]),
        ("\ufeffpath\tlabel\na\t1\nb\t2\n", [1, 2]),
        ("path;label;note\na;1.5;x,y\nb;2;\n", [1.5, 2]),
    ],
)
def test_lists_in_other_forms(here, text, labels):
    for name in "ab":
        (here / name).touch()
    (here / "t.csv").write_text(text, "utf-8")
    found = read_labels("t.csv")
    assert found.paths == ["a", "b"]
    assert [found.classes[i] if found.classes else i for i in found.targets] == labels


@pytest.mark.parametrize(
    "content, words",
    [
        ("path,label\na,ä\nb,y\n".encode("latin-1"), "t.csv is not encoded in UTF-8; save it"),
        ("path,label\na,x\nb,y\n".encode("utf-16"), "t.csv is not encoded in UTF-8; save it"),
        (b"name;label\na;1\n", "separated by semicolons, without path"),
        (
            b"path,label\na,1,5\nb,2\n",
            "row 2: 3 cells; the first row names 2 columns; a decimal comma",
        ),
        (b"path;label\na;1,5\nb;2,5\n", "row 2: the label '1,5' has a decimal comma"),
        (b"path,path,label\na,b,1\n", "names path twice"),
    ],
)
def test_lists_that_are_refused(here, content, words):
    for name in "ab":
        (here / name).touch()
    (here / "t.csv").write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_labels("t.csv")
    assert words in str(error.value)


def test_shares_that_leave_nothing(listed, capsys):
    said = refused(capsys, "train --maps classes.csv --validation 0.5 --test 0.48")
    assert "5 for validation (0.5) and 5 for the test (0.48) leave 0 for training" in said


def test_ordering_is_an_option(listed, capsys):
    from astropy.io import fits

    io.write_map("m.fits", np.arange(48.0))
    with fits.open("m.fits", mode="update") as hdus:
        del hdus[1].header["ORDERING"]
    write_table("t.csv", [("m.fits", "a"), ("m00.npz", "b")])
    said = refused(capsys, "train --maps t.csv --validation 0 --test 0")
    assert "pass --ordering ring or nested" in said


# --- defaults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, optimizer, schedule",
    [
        ({}, ("adamw", 0.01), "cosine"),
        ({"optimizer": {"learning_rate": 0.003}}, ("adamw", 0.003), "cosine"),
        ({"optimizer": {"weight_decay": 0.1}}, ("adamw", 0.01), "cosine"),
        ({"optimizer": {"name": "adamw"}, "schedule": {"warmup": 1}}, ("adamw", 0.01), "cosine"),
        ({"optimizer": {"name": "sgd", "learning_rate": 0.1}}, ("sgd", 0.1), "cosine"),
        ({"optimizer": {"name": "adam"}}, ("adam", 0.001), "cosine"),
        (
            {"schedule": {"name": "steps", "at": [2], "learning_rates": [0.1, 0.01]}},
            ("adamw", 0.001),
            "steps",
        ),
    ],
)
def test_settings_are_merged(listed, content, optimizer, schedule):
    _, config = parsed(content)
    found = config.values["optimizer"]
    assert (found["name"], found["learning_rate"]) == optimizer
    assert config.values["schedule"]["name"] == schedule


def test_the_example_is_the_default(listed):
    content = experiments.read("maps", {"data": {"maps": "classes.csv"}})[1].values
    default = parsed({})[1].values
    networks = [model.network(x.pop("network"), 32, 2) for x in (content, default)]
    assert networks[0] == networks[1] and content == default
    numbers = experiments.read("maps", {"data": {"maps": "numbers.csv"}})[1].values
    assert numbers == parsed({}, "numbers.csv")[1].values | {"network": numbers["network"]}


def test_few_maps_are_trained_for_longer(listed):
    assert parsed({})[1].values["fit"]["epochs"] == 300  # 12 maps: one step in an epoch
    assert parsed({"fit": {"batch_size": 4}})[1].values["fit"]["epochs"] == 100
    assert parsed({"fit": {"epochs": 7}})[1].values["fit"]["epochs"] == 7
    with pytest.raises(ValueError, match="batch_size"):
        parsed({"fit": {"batch_size": 0}})


@pytest.mark.parametrize(
    "source, fit, words",
    [
        (
            "classes.csv",
            {"loss": "mse"},
            "loss has 'mse', but the labels of classes.csv are classes",
        ),
        ("classes.csv", {"metrics": ["rmse"]}, "metrics has 'rmse'"),
        ("numbers.csv", {"loss": "cross_entropy"}, "expected mse or rmse or mae; .* --classes"),
        ("numbers.csv", {"metrics": ["accuracy"]}, "metrics has 'accuracy'.* are numbers"),
    ],
)
def test_losses_that_do_not_suit(listed, source, fit, words):
    with pytest.raises(ValueError, match=words):
        parsed({"fit": fit}, source)


@pytest.mark.parametrize("name", ["cohen", "esteves", "spin", "cobb", "hybrid", "small"])
def test_named_networks_of_any_band_limit(name):
    for limit in (2, 3, 5, 8, 17, 32):
        net = model.network({"name": name}, limit, 3)
        assert net.out_type() == nn.Features(3)


def test_degrees_of_named_networks():
    def words(values, limit):
        return " ".join(model.describe(values, model.network(values, limit, 2)))

    assert model.network({"name": "cohen"}, 30, 10) == nn.models.cohen()
    assert "0, Lift, returns degrees < 11 of those < 32" in words({"name": "cohen"}, 32)
    assert "returns all degrees < 6" in words({"name": "cohen"}, 6)
    assert "returns degrees < 3" in words({"name": "cohen", "channels": [2], "limits": [3]}, 6)
    assert model.network({"name": "cohen", "channels": [2, 2, 2]}, 30, 2).layers[6].L == 6
    assert "uses all degrees < 32 and returns those < 8" in words({"name": "hybrid"}, 32)
    pooled = {
        "layers": [
            {"layer": "SpectralPool", "L": 4},
            {"layer": "PowerSpectrum"},
            {"layer": "Dense"},
        ]
    }
    assert "SpectralPool, returns degrees < 4 of those < 8" in words(pooled, 8)
