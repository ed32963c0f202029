"""Networks in files: the same network and bits; and files that are refused, of which nothing runs."""

import copy
import json
import pickle
import zipfile

import autograd.numpy as anp
import numpy as np
import pytest
from helpers.networks import (
    EVERY_LAYER,
    FEATURES,
    MODELS,
    SPHERE,
    leaves,
    output,
    signals,
    training,
)

from spherekit import nn
from spherekit.io.tree_archive import read_tree, write_tree
from spherekit.nn.files import describe

NETWORKS = {
    **{
        f"{number} {type(layer).__name__}": nn.Sequential(in_type, layer)
        for number, (layer, in_type) in enumerate(EVERY_LAYER)
    },
    **{name: getattr(nn.models, name)(**options) for name, options in MODELS.items()},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.npz"


@nn.register
class Rescale(nn.Layer):
    """A layer of one's own, with every kind of field."""

    value: float
    names: tuple = ()
    channels: int | None = None
    active: bool = True
    inner: object = None

    def out_type(self, in_type):
        return in_type

    def init(self, in_type, rng):
        return {"factor": np.full((in_type.channels, 1), self.value)}, {"count": np.zeros(1)}

    def apply(self, params, state, x, context):
        return params["factor"] * x, {"count": state["count"] + context.training}


@nn.register
def cubed(x):
    return anp.tanh(x) ** 3


class Stranger(Rescale):
    """Never registered."""


def save_and_load(path, net, dtype=np.float64):
    params, state = net.init(np.random.default_rng(3), dtype=dtype)
    nn.save(path, net, params, state, overwrite=True)
    return (params, state), nn.load(path)


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip(name, path):
    """Every layer and model: an equal network, the same arrays, the same bits of results."""
    net = NETWORKS[name]
    for dtype in (np.float64, np.float32):
        initial, (again, *trees) = save_and_load(path, net, dtype)
        assert type(again) is nn.Sequential and again == net and repr(again) == repr(net)
        assert hash(again) == hash(net) and again.in_type == net.in_type
        for tree, expected in zip(trees, initial, strict=True):
            assert_same_tree(tree, expected)
        x = signals(net.in_type, np.random.default_rng(4))
        if dtype == np.float32:
            x = x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
        y = output(net, initial, x)
        result = output(again, trees, x)
        assert result.dtype == y.dtype and (result == y).all()


def assert_same_tree(tree, expected):
    assert type(tree) is type(expected)
    if isinstance(tree, dict):
        assert list(tree) == list(expected)
        for name, branch in tree.items():
            assert_same_tree(branch, expected[name])
    elif isinstance(tree, list):
        assert len(tree) == len(expected)
        for branch, other in zip(tree, expected, strict=True):
            assert_same_tree(branch, other)
    else:
        assert tree.dtype == expected.dtype and tree.shape == expected.shape
        assert (tree == expected).all()


def test_trained_networks(path, rng):
    """Parameters and running state as they are after steps of training."""
    net = nn.Sequential(SPHERE, nn.Zonal(3), nn.Sequential(nn.BatchNorm(0.5), nn.GlobalMean()))
    params, state = net.init(0)
    x = signals(SPHERE, rng)
    for _ in range(3):
        _, state = net.apply(params, state, x, training())
    params[0]["weights"] *= 2
    nn.save(path, net, tuple(params), state)
    nn.save(path, net, params, state, overwrite=True)
    again, *trees = nn.load(path)
    assert_same_tree(trees, [params, state])
    assert (again(trees[0], x, state=trees[1]) == net(params, x, state=state)).all()


def test_state_may_be_left_out(path, rng):
    """Where there is none: then the state in the file can be passed as any other."""
    net = nn.Sequential(SPHERE, nn.Sequential(nn.Zonal(3), nn.GlobalMean()), nn.Dense(2))
    params, state = net.init(0)
    nn.save(path, net, params)
    again, *trees = nn.load(path)
    assert_same_tree(trees, [params, state])
    x = signals(SPHERE, rng)
    assert (again(trees[0], x, state=trees[1]) == net(params, x)).all()
    norm = nn.Sequential(SPHERE, nn.BatchNorm())
    with pytest.raises(ValueError, match="state|variance"):
        nn.save(path, norm, norm.init(0)[0], overwrite=True)
    assert nn.load(path)[0] == net


def test_names_of_files(tmp_path):
    net = nn.Sequential(FEATURES, nn.Dense(2))
    params, state = net.init(0)
    path = tmp_path / "net.npz"
    nn.save(str(path), net, params, state)
    with pytest.raises(FileExistsError):
        nn.save(path, net, params, state)
    nn.save(path, net, [{name: 2 * p for name, p in params[0].items()}], state, overwrite=True)
    assert (nn.load(str(path))[1][0]["weights"] == 2 * params[0]["weights"]).all()
    with pytest.raises(ValueError, match="npz"):
        nn.save(tmp_path / "net.pkl", net, params, state)
    with pytest.raises((FileNotFoundError, ValueError)):
        nn.save(tmp_path / "missing" / "net.npz", net, params, state)
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        nn.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="folder"):
        nn.load(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


# --- own layers and functions --------------------------------------------------------------------------


def test_registered_layers_and_functions(path, rng):
    inner = Rescale(2.0, ("a", "b"), 3, False, nn.Lift(3, N=2))
    net = nn.Sequential(SPHERE, inner, nn.Pointwise(cubed), Rescale(1.5), nn.GlobalMean())
    initial, (again, *trees) = save_and_load(path, net)
    assert again == net and again.layers[0].inner == nn.Lift(3, N=2)
    assert again.layers[0].names == ("a", "b") and again.layers[0].active is False
    assert again.layers[1].function is cubed and type(again.layers[2].value) is float
    x = signals(SPHERE, rng)
    assert (output(again, trees, x) == output(net, initial, x)).all()
    activation = nn.Sequential(FEATURES, nn.Activation(cubed))
    assert save_and_load(path, activation)[1][0] == activation


def plain(x):
    return x


@pytest.mark.parametrize(
    "words, layer",
    [
        ("Stranger is not .*registered.*nn.register", Stranger(1.0)),
        ("plain is not registered.*nn.register", nn.Pointwise(plain)),
        ("lambda.* is not registered", nn.Pointwise(lambda x: x)),
        ("Stranger is not .*registered", nn.Sequential(nn.Zonal(2), Stranger(1.0))),
        ("cannot be stored", Rescale(1.0, inner=1j)),
        ("cannot be stored", Rescale(1.0, inner=frozenset({1}))),
        ("not registered|cannot be stored", Rescale(1.0, inner=np.linalg.norm)),
    ],
)
def test_what_is_not_registered_is_not_saved(words, layer, path):
    """Refused when it is saved, not when it is needed; no file is left behind."""
    net = nn.Sequential(SPHERE, layer)
    with pytest.raises(TypeError, match=words):
        nn.save(path, net, *net.init(0))
    assert not list(path.parent.iterdir())


def test_a_class_of_the_same_name_is_not_saved(path):
    """Another class that only has the name of a registered one, or of one of the package."""
    for name in ("Rescale", "GlobalMean"):
        other = type(name, (nn.Layer,), {"out_type": lambda self, in_type: in_type})
        net = nn.Sequential(SPHERE, other())
        with pytest.raises(TypeError, match=f"{name} is not .*registered"):
            nn.save(path, net, *net.init(0))


def test_what_can_be_registered():
    assert (
        nn.register(Rescale) is Rescale and nn.register(cubed) is cubed
    )  # again, as in a notebook
    for taken in ("Zonal", "Sphere", "Sequential", "Rescale", "cubed"):
        other = type(taken, (nn.Layer,), {"__module__": "elsewhere"})
        with pytest.raises(ValueError, match=f"'{taken}' is in use"):
            nn.register(other)
    for wrong in (3, "Zonal", None, int, nn.Zonal(3), nn.Context):
        with pytest.raises(TypeError, match="expected a subclass of nn.Layer, or a function"):
            nn.register(wrong)
    with pytest.raises(ValueError, match="lambda, without a name"):
        nn.register(lambda x: x)


def test_networks_that_are_not_saved(path):
    net = nn.Sequential(SPHERE, nn.Zonal(3))
    params, state = net.init(0)
    for other in (nn.Sequential(nn.Zonal(3)), nn.Zonal(3), "net", None, [nn.Zonal(3)]):
        with pytest.raises(TypeError, match="expected a Sequential with in_type"):
            nn.save(path, other, params, state)
    weights = params[0]["weights"]
    for wrong in (
        nn.Sequential(SPHERE, nn.Zonal(4)).init(0)[0],
        [],
        [{}],
        [params[0] | {"bias": weights}],
        [{"weights": weights.astype(np.float16)}],
        [{"weights": weights.astype(int)}],
        [{"weights": weights + 1j}],
        [{"weights": weights[:-1]}],
    ):
        with pytest.raises(ValueError, match="do not fit the network"):
            nn.save(path, net, wrong, state)
    with pytest.raises(TypeError):
        nn.save(path, net, [{"weights": "text"}], state)
    with pytest.raises((TypeError, ValueError)):
        nn.save(path, net, [{"weights": weights.astype(object)}], state)
    assert not list(path.parent.iterdir())


# --- files that are refused ----------------------------------------------------------------------------


class Bomb:
    """Runs where it is unpickled."""

    exploded = []

    def __reduce__(self):
        return Bomb.exploded.append, (1,)


def written(path):
    net = nn.models.cobb(4, 2, depth=1)
    params, state = net.init(0)
    nn.save(path, net, params, state)
    return net, params, state


def test_truncated_files(path):
    written(path)
    content = path.read_bytes()
    for length in [*range(0, len(content), max(len(content) // 60, 1)), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="damaged|not a"):
            nn.load(path)


def test_damaged_files(path):
    """One byte that is another: refused, or the same network and numbers (of bytes that mean nothing)."""
    net, params, state = written(path)
    content = bytearray(path.read_bytes())
    for place in np.random.default_rng(0).integers(0, len(content), 150):
        damaged = content.copy()
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            again, *trees = nn.load(path)
        except ValueError as error:
            assert str(path) in str(error)
        else:
            assert again == net
            assert_same_tree(trees, [params, state])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"PK\x03\x04",
        b"\x80\x04K\x03.",
        b"a,b\n1,2\n",
        b"\x93NUMPY\x01\x00",
        b"\0" * 300,
    ],
)
def test_other_files(content, path):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged, or not a file of spherekit"):
        nn.load(path)


def test_other_archives(path, tmp_path):
    """Arrays of someone else; an archive of texts; a tree that is no network."""
    np.savez(path, weights=np.ones(3))
    with pytest.raises(ValueError, match="not a network or checkpoint of spherekit.*weights"):
        nn.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "text")
    with pytest.raises(ValueError, match="damaged|not a"):
        nn.load(path)
    write_tree(path, {"params": [], "state": []}, {"step": 3}, overwrite=True)
    with pytest.raises(ValueError, match="does not contain a network"):
        nn.load(path)
    write_tree(path, [np.ones(2)], {"network": {}}, overwrite=True)
    with pytest.raises(ValueError, match="does not contain a network"):
        nn.load(path)


def test_pickles_are_not_run(path):
    Bomb.exploded.clear()
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="damaged, or not"):
        nn.load(path)
    text = np.array([Bomb()], dtype=object)
    for names in (
        dict(spherekit=text),
        dict(array0=text),
        dict(spherekit=np.zeros(2), array0=text),
    ):
        np.savez(path, **names)
        with pytest.raises(ValueError, match="damaged|not a"):
            nn.load(path)
    with pytest.raises(TypeError):
        write_tree(path, [text], {}, overwrite=True)
    assert not Bomb.exploded


def test_versions(path):
    """Those of another format say which version of the package reads them."""
    np.savez(path, checkpoint=np.zeros(3), array0=np.ones(2))
    with pytest.raises(ValueError, match=r"spherekit 0\.1"):
        nn.load(path)
    written(path.with_name("new.npz"))
    with np.load(path.with_name("new.npz")) as archive:
        entries = dict(archive)
    content = json.loads(entries["spherekit"].tobytes())
    for version in (1, 3, None, "2"):
        text = json.dumps(content | {"version": version}).encode()
        np.savez(path, **entries | {"spherekit": np.frombuffer(text, np.uint8)})
        with pytest.raises(ValueError, match="format version .*; expected version"):
            nn.load(path)


def rewritten(path, change):
    """The file of a small network, with its header changed."""
    net = nn.Sequential(SPHERE, nn.Zonal(3, anchors=2), nn.Pointwise("tanh"), nn.GlobalMean())
    params, state = net.init(0)
    network = copy.deepcopy(describe(net))
    network = json.loads(json.dumps(network))
    zonal = network["fields"]["layers"][0]
    replaced = change(network, zonal)
    header = {"network": network if replaced is None else replaced}
    write_tree(path, {"params": params, "state": state}, header, overwrite=True)
    return net


def test_an_unchanged_header(path):
    net = rewritten(path, lambda network, zonal: None)
    assert nn.load(path)[0] == net


def called(name):
    return lambda network, zonal: zonal.update({"class": name, "fields": {}})


def field(**fields):
    return lambda network, zonal: zonal["fields"].update(fields)


CHANGES = {
    "a class that is not registered": (
        called("Stranger"),
        "'Stranger' is not registered.*nn.register",
    ),
    "a class of the program": (called("Bomb"), "'Bomb' is not registered"),
    "a path to a class": (called("tests.test_nn_files.Rescale"), "is not registered"),
    "a function of Python": (called("eval"), "'eval' is not registered"),
    "a function of the package": (called("save"), "'save' is not registered"),
    "a module": (called("os.system"), "'os.system' is not registered"),
    "no layer: Context": (called("Context"), "'Context' is not registered"),
    "no layer: Layer": (called("Layer"), "'Layer' is not registered"),
    "no layer: Wavelets": (called("Wavelets"), "'Wavelets' is not registered"),
    "a registered function": (called("cubed"), "'cubed' is a function; expected a layer"),
    "a type of signals": (
        lambda network, zonal: zonal.update(describe(nn.Features(3))),
        "cannot be created",
    ),
    "no name": (called(None), "is not registered"),
    "a list as name": (called(["Zonal"]), "is not registered"),
    "no fields": (lambda network, zonal: zonal.pop("fields"), "description .*damaged"),
    "fields in a list": (lambda network, zonal: zonal.update(fields=[3]), "description .*damaged"),
    "another key": (lambda network, zonal: zonal.update(code="1"), "description .*damaged"),
    "a field less": (
        lambda network, zonal: zonal["fields"].pop("L"),
        r"Zonal has the fields \['L', 'anchors', 'channels'\]; got",
    ),
    "a field more": (field(bias=True), "Zonal has the fields .*got .*'bias'"),
    "a private field": (field(_cached_by_type={}), "damaged|has the fields"),
    "a negative number": (field(channels=-3), "channels is -3"),
    "a text": (field(channels="3"), "channels is '3'"),
    "a fraction": (field(channels=3.5), r"channels is 3\.5"),
    "nothing": (field(channels=None), "channels is None"),
    "a layer": (field(channels=describe(nn.Zonal(3))), r"channels is Zonal\(3\)"),
    "a band-limit above": (field(L=9), "layer 0, Zonal: L is 9"),
    "other channels": (field(channels=4), "do not fit the network: 0.weights of shape"),
    "other anchors": (field(anchors=3), "do not fit the network: 0.weights of shape"),
    "a function that is unknown": (
        lambda network, zonal: network["fields"]["layers"][1]["fields"].update(
            function={"function": "system"}
        ),
        "the function 'system' is not registered.*nn.register",
    ),
    "a function with words": (
        lambda network, zonal: network["fields"]["layers"][1]["fields"].update(
            function={"function": "cubed", "call": "x"}
        ),
        "description .*damaged",
    ),
    "a name of no function": (
        lambda network, zonal: network["fields"]["layers"][1]["fields"].update(function="sharp"),
        "function must be one of relu, .*; got 'sharp'",
    ),
    "another type of input": (
        lambda network, zonal: network["fields"].update(in_type=describe(nn.Features(3))),
        "layer 0, Zonal: accepts",
    ),
    "no type of input": (
        lambda network, zonal: network["fields"].update(in_type=None),
        "not a Sequential with in_type",
    ),
    "a layer as type": (
        lambda network, zonal: network["fields"].update(in_type=describe(nn.Zonal(3))),
        "cannot be created",
    ),
    "a number as type": (lambda network, zonal: network["fields"].update(in_type=3), "created"),
    "no layers": (
        lambda network, zonal: network["fields"].update(layers=[]),
        "do not fit the network",
    ),
    "a layer less": (
        lambda network, zonal: network["fields"].update(layers=network["fields"]["layers"][1:]),
        "do not fit the network: 0.weights, which is not expected",
    ),
    "a number of layers": (lambda network, zonal: network["fields"].update(layers=3), "created"),
    "a layer alone": (lambda network, zonal: zonal, "not a Sequential with in_type"),
    "a list": (lambda network, zonal: [network], "not a Sequential with in_type"),
    "a text as network": (lambda network, zonal: "Zonal(3)", "not a Sequential with in_type"),
    "a number as network": (lambda network, zonal: 3, "not a Sequential with in_type"),
    "code": (lambda network, zonal: "__import__('os').abort()", "not a Sequential with in_type"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_headers_that_are_refused(name, path):
    """In one line that names the file; nothing but constructors of known layers runs."""
    change, words = CHANGES[name]
    rewritten(path, change)
    with pytest.raises(ValueError, match=words) as error:
        nn.load(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda params: [],
        lambda params: [{}, {}, {}],
        lambda params: params[:1],
        lambda params: [*params, {}],
        lambda params: {"0": params[0]},
        lambda params: [params[0] | {"bias": np.ones(3)}, {}, {}],
        lambda params: [{"weights": params[0]["weights"].T}, {}, {}],
        lambda params: [{"weights": params[0]["weights"].astype(int)}, {}, {}],
        lambda params: [{"weights": params[0]["weights"].astype(np.float16)}, {}, {}],
        lambda params: [{"weights": params[0]["weights"] + 0j}, {}, {}],
        lambda params: [{"weights": [params[0]["weights"]]}, {}, {}],
    ],
)
def test_parameters_that_do_not_fit(wrong, path):
    """Of another structure, shape or type; a file with them is refused, and so is one to be written."""
    net = nn.Sequential(SPHERE, nn.Zonal(3, anchors=2), nn.Pointwise("tanh"), nn.GlobalMean())
    params, state = net.init(0)
    tree = {"params": wrong(params), "state": state}
    write_tree(path, tree, {"network": describe(net)})
    with pytest.raises(ValueError, match="do not fit the network: "):
        nn.load(path)
    with pytest.raises(ValueError, match="do not fit the network: "):
        nn.save(path.with_name("new.npz"), net, wrong(params), state)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda state: [],
        lambda state: [{}, {}],
        lambda state: [{"variance": state[0]["variance"]}, {}],
        lambda state: [state[0] | {"more": np.ones(2)}, {}],
        lambda state: [{name: array[:1] for name, array in state[0].items()}, {}],
        lambda state: [{name: array.astype(int) for name, array in state[0].items()}, {}],
    ],
)
def test_state_that_does_not_fit(wrong, path):
    net = nn.Sequential(SPHERE, nn.BatchNorm(), nn.GlobalMean())
    params, state = net.init(0)
    write_tree(path, {"params": params, "state": wrong(state)}, {"network": describe(net)})
    with pytest.raises(ValueError, match="do not fit the network: "):
        nn.load(path)


def test_a_header_without_end(path):
    """Nested more deeply than Python can follow."""
    deep = "[" * 100_000 + "]" * 100_000
    content = (
        f'{{"version": 2, "tree": {{"list": []}}, "arrays": 0, "header": {{"network": {deep}}}}}'
    )
    np.savez(path, spherekit=np.frombuffer(content.encode(), np.uint8))
    with pytest.raises(ValueError, match="damaged|cannot be created|does not contain a network"):
        nn.load(path)


def test_trees_and_headers(path):
    """Any nesting; numbers and text in the header; the same arrays."""
    tree = {"a": [np.arange(3), (np.ones(2, np.complex64), {})], "b": np.float32(2), "c": []}
    header = {"step": 3, "rate": 0.1, "names": ["a", None, True], "nested": {"x": {}}}
    write_tree(path, tree, header)
    again, text = read_tree(path)
    assert text == header and list(again) == ["a", "b", "c"] and again["c"] == []
    assert isinstance(again["a"], list) and isinstance(again["a"][1], tuple)
    for one, two in zip(leaves(again), leaves(tree), strict=True):
        assert one.dtype == two.dtype and one.shape == np.shape(two) and (one == two).all()
    for wrong in ({"rate": np.nan}, {"rate": np.inf}, {"array": np.ones(2)}, {"set": {1}}):
        with pytest.raises((TypeError, ValueError)):
            write_tree(path, tree, wrong, overwrite=True)
    assert read_tree(path)[1] == header
    assert [p.name for p in path.parent.iterdir()] == ["net.npz"]
