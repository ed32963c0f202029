"""Checkpoints: what is written comes back bit for bit; what is no checkpoint is refused with words."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from spherekit.train import checkpoints, pytree
from spherekit.train.checkpoints import State, load, save


@pytest.fixture
def state(rng):
    params = [
        {"weights": rng.standard_normal((2, 3)).astype(np.float32), "running_mean": np.zeros(0)},
        {}, ((np.array(1 + 2j, np.complex64),), [rng.standard_normal((3, 2)).T]),
    ]  # fmt: skip
    optimiser = {"step": np.asarray(7), "mean": [rng.standard_normal(6)]}
    history = {"steps": {"loss": [0.1, np.pi, float("nan")]}, "epochs": {"step": []}}
    best = {"params": params, "value": 0.1 + 0.2, "epoch": 2}
    bits = np.random.default_rng(1)
    bits.integers(5)  # half a word is left over
    return State(params, optimiser, 7, 2, bits.bit_generator.state, history, best)


@pytest.fixture
def path(state, tmp_path):
    save(tmp_path / "a.npz", state, {"network": "cobb", "sizes": [1, 2], "words": "Größe"})
    return tmp_path / "a.npz"


def test_round_trip(state, path):
    got, description = load(path)
    assert description == {"network": "cobb", "sizes": [1, 2], "words": "Größe"}
    for name in ("params", "optimiser"):
        one, two = getattr(state, name), getattr(got, name)
        assert (
            pytree.structure(one) == pytree.structure(two) and pytree.differences(one, two) is None
        )
        pairs = zip(pytree.leaves(one), pytree.leaves(two), strict=True)
        assert all(a.tobytes() == b.tobytes() for (_, a), (_, b) in pairs)
    assert (got.step, got.epoch, got.rng) == (7, 2, state.rng)
    assert got.best["value"] == 0.1 + 0.2 and got.best["epoch"] == 2
    assert repr(got.history) == repr(state.history)
    one, two = (checkpoints_generator(s.rng) for s in (state, got))
    assert (one.integers(9, size=5) == two.integers(9, size=5)).all()
    assert sorted(os.listdir(path.parent)) == ["a.npz"]


def checkpoints_generator(bits):
    from spherekit.train.loop import generator

    return generator(bits)


def test_nothing_pickled_is_stored_or_loaded(state, tmp_path, path):
    with pytest.raises(TypeError, match="array of object cannot be stored"):
        save(tmp_path / "b.npz", state._replace(params=[np.array([None])]))
    with pytest.raises(TypeError):
        save(tmp_path / "b.npz", state, {"rng": np.random.default_rng()})
    assert not (tmp_path / "b.npz").exists()

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    for put in ({"checkpoint": np.array([Trap()])}, {"a": np.array([Trap()])}):
        np.savez(tmp_path / "trap.npz", **put)
        with pytest.raises(ValueError, match="trap.npz is no checkpoint, or a damaged one"):
            load(tmp_path / "trap.npz")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="raw.npz is no checkpoint"):
        load(tmp_path / "raw.npz")
    assert not (tmp_path / "sprung").exists()


def test_truncated_anywhere(path):
    whole = path.read_bytes()
    for length in [0, 1, 3, 4, 30, *range(40, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(
            ValueError, match="a.npz is no checkpoint|a.npz is a damaged checkpoint"
        ):
            load(path)


@pytest.mark.parametrize("other", ["folder", "text", "npy", "empty", "picture"])
def test_what_is_no_archive(other, state, tmp_path):
    """Said in words, and without advice to load pickles."""
    path = tmp_path / "a.npz"
    if other == "folder":
        path.mkdir()
        with pytest.raises(ValueError, match="a.npz is a folder; expected a checkpoint$"):
            load(path)
        checkpoints.keep(path, state, {})
        with pytest.raises(
            ValueError, match="is a folder; expected a checkpoint, such as .*step-0"
        ):
            load(path)
        return
    contents = dict(text=b"hello", npy=b"\x93NUMPY\x01\x00", empty=b"", picture=b"\x89PNG\r\n")
    path.write_bytes(contents[other])
    with pytest.raises(ValueError, match="a.npz is no checkpoint, .* an .npz archive") as error:
        load(path)
    assert "allow_pickle" not in str(error.value)


def test_damaged_anywhere(state, path):
    """A byte changed anywhere is refused, or changes nothing (dates and such in the headers)."""
    whole, refused = path.read_bytes(), 0
    expected = repr(load(path))
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            got = load(path)
        except ValueError:
            refused += 1
        else:
            assert repr(got) == expected, f"byte {at}"
    assert refused > 0.5 * len(whole) / 7  # of so small arrays much is header


def rewritten(path, change):
    """The same file with another head, its checksums in order."""
    with np.load(path) as file:
        stored = dict(file)
    head = json.loads(stored["checkpoint"].tobytes())
    change(head, stored)
    stored["checkpoint"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    np.savez(path, **stored)


@pytest.mark.parametrize(
    "words, change",
    [
        ("version 2; this spherekit reads version 1", lambda head, _: head.update(version=2)),
        ("not that of a checkpoint", lambda head, _: head.update(format="other")),
        ("no 'step'", lambda head, _: head.pop("step")),
        ("no 'description'", lambda head, _: head.pop("description")),
        ("of os.system; expected PCG64", lambda head, _: head["rng"].update(bit_generator="os.system")),
        ("structure of its tree is damaged", lambda head, _: head.update(tree={"dict": 5})),
        ("structure of its tree is damaged", lambda head, _: head.update(tree={"dict": [["params", 99]]})),
        ("no 'history'", lambda head, _: head.update(tree={"dict": []})),
        ("it holds .* arrays; expected", lambda _, stored: stored.pop("array2")),
        ("no 'array0'", lambda _, stored: stored.update(other=stored.pop("array0"))),
        ("step of its", lambda head, _: head.update(step="many")),
        ("step of its", lambda head, _: head.update(step=-1)),
    ],
)  # fmt: skip
def test_foreign_heads(path, words, change):
    rewritten(path, change)
    with pytest.raises(ValueError, match=f"a.npz is a damaged checkpoint: .*{words}"):
        load(path)


def test_foreign_files(tmp_path):
    np.savez(tmp_path / "map.npz", values=np.zeros(3), grid="mw:2")
    with pytest.raises(ValueError, match="no checkpoint of spherekit: it holds values, grid"):
        load(tmp_path / "map.npz")
    np.save(tmp_path / "map.npy", np.zeros(3))
    with pytest.raises(ValueError, match="map.npy is no checkpoint"):
        load(tmp_path / "map.npy")
    np.savez(tmp_path / "text.npz", checkpoint=np.array("text"))
    with pytest.raises(ValueError, match="its description is <U4"):
        load(tmp_path / "text.npz")
    np.savez(tmp_path / "json.npz", checkpoint=np.frombuffer(b"{]", np.uint8))
    with pytest.raises(ValueError, match="json.npz is a damaged checkpoint"):
        load(tmp_path / "json.npz")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as file:
        file.writestr("checkpoint.npy", b"\x93NUMPY\x01\x00")
    with pytest.raises(ValueError, match="zip.npz is no checkpoint"):
        load(tmp_path / "zip.npz")
    with pytest.raises(FileNotFoundError, match="no checkpoint .*none.npz"):
        load(tmp_path / "none.npz")
    deep = io.BytesIO(b"[" * 100000)
    np.savez(tmp_path / "deep.npz", checkpoint=np.frombuffer(deep.getvalue(), np.uint8))
    with pytest.raises(ValueError, match="deep.npz is a damaged checkpoint"):
        load(tmp_path / "deep.npz")


def test_a_failed_write_leaves_the_old_file(state, path, monkeypatch):
    before = path.read_bytes()

    def full(*args, **how):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        save(path, state)
    assert path.read_bytes() == before and os.listdir(path.parent) == ["a.npz"]


def test_folders(state, tmp_path):
    assert checkpoints.latest(tmp_path / "none") is None
    for step in (1, 2, 3, 99999999, 100000000):
        checkpoints.keep(tmp_path / "run", state._replace(step=step), {}, last=3, best=step == 2)
    names = [path.name for _, path in checkpoints.numbered(tmp_path / "run")]
    assert names == ["step-00000003.npz", "step-99999999.npz", "step-100000000.npz"]
    assert checkpoints.latest(tmp_path / "run").name == "step-100000000.npz"
    assert load(tmp_path / "run" / "best.npz")[0].step == 2
