"""Checkpoints: they are read as they were written, bit for bit; all else is refused with a message."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from helpers.data import ORACLES

from spherekit import nn
from spherekit._core import pytree
from spherekit.train import checkpoints
from spherekit.train.checkpoints import Checkpoint, load, save
from spherekit.train.loop import generator


@pytest.fixture
def checkpoint(rng):
    params = [
        {"weights": rng.standard_normal((2, 3)).astype(np.float32), "empty": np.zeros(0)},
        {}, ((np.array(1 + 2j, np.complex64),), [rng.standard_normal((3, 2)).T]),
    ]  # fmt: skip
    state = [{"mean": rng.standard_normal(3).astype(np.float32)}, {}, [{}, ()]]
    optimizer_state = {"step": np.asarray(7), "mean": [rng.standard_normal(6)]}
    history = {"steps": {"loss": [0.1, np.pi, float("nan")]}, "epochs": {"step": []}}
    best = {"params": params, "state": [state[0], {}, []], "value": 0.1 + 0.2, "epoch": 2}
    generator = np.random.default_rng(1)
    generator.integers(5)  # half a word remains
    random_state = generator.bit_generator.state
    return Checkpoint(params, state, optimizer_state, 7, 2, random_state, history, best)


@pytest.fixture
def path(checkpoint, tmp_path):
    save(tmp_path / "a.npz", checkpoint, {"network": "cobb", "sizes": [1, 2], "words": "Größe"})
    return tmp_path / "a.npz"


def test_round_trip(checkpoint, path):
    loaded, description = load(path)
    assert description == {"network": "cobb", "sizes": [1, 2], "words": "Größe"}
    for name in ("params", "state", "optimizer_state"):
        assert_same_trees(getattr(checkpoint, name), getattr(loaded, name))
    for name in ("params", "state"):
        assert_same_trees(checkpoint.best[name], loaded.best[name])
    assert (loaded.step, loaded.epoch, loaded.random_state) == (7, 2, checkpoint.random_state)
    assert loaded.best["value"] == 0.1 + 0.2 and loaded.best["epoch"] == 2
    assert repr(loaded.history) == repr(checkpoint.history)
    one, two = (generator(c.random_state) for c in (checkpoint, loaded))
    assert (one.integers(9, size=5) == two.integers(9, size=5)).all()
    assert sorted(os.listdir(path.parent)) == ["a.npz"]


def assert_same_trees(one, two):
    assert pytree.treedef(one) == pytree.treedef(two) and pytree.difference(one, two) is None
    pairs = zip(pytree.flatten(one), pytree.flatten(two), strict=True)
    assert all(a.tobytes() == b.tobytes() for (_, a), (_, b) in pairs)


def test_networks_of_checkpoints(checkpoint, tmp_path):
    """Parameters and running state are two trees, which nn.load reads with the network itself."""
    net = nn.Sequential(nn.Sphere(4, 2), nn.BatchNorm(), nn.PowerSpectrum(), nn.Dense(3))
    params, state = net.init(0)
    path = tmp_path / "net.npz"
    save(path, checkpoint._replace(params=params, state=state), net=net)
    loaded_net, loaded_params, loaded_state = nn.load(path)
    assert loaded_net == net and set(loaded_state[0]) == {"mean", "variance"}
    assert_same_trees([params, state], [loaded_params, loaded_state])
    save(path, checkpoint)
    with pytest.raises(ValueError, match="net.npz does not contain a network"):
        nn.load(path)
    nn.save(path, net, params, state, overwrite=True)
    with pytest.raises(ValueError, match="net.npz is .*not a checkpoint of a training"):
        load(path)


@pytest.mark.parametrize("read", [load, nn.load])
def test_files_of_version_1_are_refused(read):
    """The file was written by spherekit 0.1, by a training of a network with running means."""
    words = "checkpoint_0.1.npz has format version 1 of spherekit 0.1; .*train again"
    with pytest.raises(ValueError, match=words):
        read(ORACLES / "checkpoint_0.1.npz")


def test_nothing_pickled_is_stored_or_loaded(checkpoint, tmp_path, path):
    with pytest.raises(TypeError, match="array of dtype object"):
        save(tmp_path / "b.npz", checkpoint._replace(params=[np.array([None])]))
    with pytest.raises(TypeError):
        save(tmp_path / "b.npz", checkpoint, {"rng": np.random.default_rng()})
    assert not (tmp_path / "b.npz").exists()

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    for arrays in ({"spherekit": np.array([Trap()])}, {"a": np.array([Trap()])}):
        np.savez(tmp_path / "trap.npz", **arrays)
        with pytest.raises(ValueError, match="trap.npz is damaged, or not a file of spherekit"):
            load(tmp_path / "trap.npz")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="raw.npz is damaged, or not a file of spherekit"):
        load(tmp_path / "raw.npz")
    assert not (tmp_path / "sprung").exists()


def test_truncated_anywhere(path):
    whole = path.read_bytes()
    for length in [0, 1, 3, 4, 30, *range(40, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="a.npz is damaged"):
            load(path)


@pytest.mark.parametrize("other", ["folder", "text", "npy", "empty", "picture"])
def test_what_is_not_an_archive(other, checkpoint, tmp_path):
    """With a message, and without advice to load pickles."""
    path = tmp_path / "a.npz"
    if other == "folder":
        path.mkdir()
        with pytest.raises(ValueError, match="a.npz is a folder; expected a checkpoint$"):
            load(path)
        checkpoints.save_numbered(path, checkpoint)
        with pytest.raises(
            ValueError, match="is a folder; expected a checkpoint, such as .*step-0"
        ):
            load(path)
        return
    contents = dict(text=b"hello", npy=b"\x93NUMPY\x01\x00", empty=b"", picture=b"\x89PNG\r\n")
    path.write_bytes(contents[other])
    with pytest.raises(ValueError, match="a.npz is damaged, or not .* a .npz archive") as error:
        load(path)
    assert "allow_pickle" not in str(error.value)


def test_damaged_anywhere(path):
    """A byte changed anywhere is refused, or changes nothing (dates and such in the headers)."""
    whole, refused = path.read_bytes(), 0
    expected = repr(load(path))
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            loaded = load(path)
        except ValueError:
            refused += 1
        else:
            assert repr(loaded) == expected, f"byte {at}"
    assert refused > 0.5 * len(whole) / 7  # of so small arrays much is header


def rewritten(path, change):
    """The same file with another head, its checksums in order."""
    with np.load(path) as file:
        stored = dict(file)
    content = json.loads(stored["spherekit"].tobytes())
    change(content, stored)
    stored["spherekit"] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    np.savez(path, **stored)


def training(head):
    return head["header"]["checkpoint"]


@pytest.mark.parametrize(
    "words, change",
    [
        ("version 3 of a later spherekit; expected version 2", lambda head, _: head.update(version=3)),
        ("no header", lambda head, _: head.pop("header")),
        ("no 'step'", lambda head, _: training(head).pop("step")),
        ("no 'description'", lambda head, _: head["header"].pop("description")),
        ("no 'random_state'", lambda head, _: training(head).pop("random_state")),
        ("of os.system; expected PCG64",
         lambda head, _: training(head)["random_state"].update(bit_generator="os.system")),
        ("not a checkpoint of a training", lambda head, _: head["header"].pop("checkpoint")),
        ("structure of its tree is damaged", lambda head, _: head.update(tree={"dict": 5})),
        ("structure of its tree is damaged", lambda head, _: head.update(tree={"dict": [["params", 99]]})),
        ("no 'history'", lambda head, _: head.update(tree={"dict": []})),
        ("it contains .* arrays; expected", lambda _, stored: stored.pop("array2")),
        ("'array0' is missing", lambda _, stored: stored.update(other=stored.pop("array0"))),
        ("step of its", lambda head, _: training(head).update(step="many")),
        ("step of its", lambda head, _: training(head).update(step=-1)),
    ],
)  # fmt: skip
def test_foreign_heads(path, words, change):
    rewritten(path, change)
    with pytest.raises(ValueError, match=f"a.npz (is|has) .*{words}"):
        load(path)


def test_foreign_files(tmp_path):
    np.savez(tmp_path / "map.npz", values=np.zeros(3), grid="mw:2")
    with pytest.raises(
        ValueError, match="not a network or checkpoint of spherekit: it contains values, grid"
    ):
        load(tmp_path / "map.npz")
    np.save(tmp_path / "map.npy", np.zeros(3))
    with pytest.raises(ValueError, match="map.npy is damaged, or not a file of spherekit"):
        load(tmp_path / "map.npy")
    np.savez(tmp_path / "text.npz", spherekit=np.array("text"))
    with pytest.raises(ValueError, match="its header has dtype <U4"):
        load(tmp_path / "text.npz")
    np.savez(tmp_path / "json.npz", spherekit=np.frombuffer(b"{]", np.uint8))
    with pytest.raises(ValueError, match="json.npz is damaged"):
        load(tmp_path / "json.npz")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as file:
        file.writestr("spherekit.npy", b"\x93NUMPY\x01\x00")
    with pytest.raises(ValueError, match="zip.npz is damaged, or not a file of spherekit"):
        load(tmp_path / "zip.npz")
    with pytest.raises(FileNotFoundError, match="no checkpoint .*none.npz"):
        load(tmp_path / "none.npz")
    deep = io.BytesIO(b"[" * 100000)
    np.savez(tmp_path / "deep.npz", spherekit=np.frombuffer(deep.getvalue(), np.uint8))
    with pytest.raises(ValueError, match="deep.npz is damaged"):
        load(tmp_path / "deep.npz")


def test_a_failed_write_leaves_the_old_file(checkpoint, path, monkeypatch):
    before = path.read_bytes()

    def full(*args, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        save(path, checkpoint)
    assert path.read_bytes() == before and os.listdir(path.parent) == ["a.npz"]


def test_what_json_cannot_represent(checkpoint, tmp_path):
    for description in ({"a": np.nan}, {"a": [np.inf]}):
        with pytest.raises(
            ValueError, match="description cannot be stored: .*; expected .* finite"
        ):
            save(tmp_path / "b.npz", checkpoint, description)
        with pytest.raises(
            ValueError, match="description cannot be stored: .*; expected .* finite"
        ):
            checkpoints.save_numbered(tmp_path, checkpoint, description)
    with pytest.raises(TypeError, match="description cannot be stored: .*set"):
        save(tmp_path / "b.npz", checkpoint, {"a": {1}})
    with pytest.raises(ValueError, match=r"b\.txt .*; expected a \.npz file"):
        save(tmp_path / "b.txt", checkpoint)
    assert not list(tmp_path.iterdir())


def test_folders(checkpoint, tmp_path):
    assert checkpoints.latest(tmp_path / "none") is None
    for step in (1, 2, 3, 99999999, 100000000):
        numbered = checkpoint._replace(step=step)
        checkpoints.save_numbered(tmp_path / "run", numbered, keep_checkpoints=3, best=step == 2)
    names = [path.name for _, path in checkpoints.numbered(tmp_path / "run")]
    assert names == ["step-00000003.npz", "step-99999999.npz", "step-100000000.npz"]
    assert checkpoints.latest(tmp_path / "run").name == "step-100000000.npz"
    assert load(tmp_path / "run" / "best.npz")[0].step == 2
