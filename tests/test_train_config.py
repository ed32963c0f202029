"""Configurations: what they make, and what each mistake is told."""

import json

import numpy as np
import pytest

from spherekit import nn, train
from spherekit.testing import random_flm
from spherekit.train import schedules
from spherekit.train.config import parse, read
from spherekit.train.schema import Key, by_name

TABLES = {
    "data": {
        "kind": Key("text", among=("cmb", "shapes")),
        "L": Key("whole", 64, least=1, most=4096),
    },
    "network": {"channels": Key("whole", [8, 8], least=1, many=True), "exact": Key("flag", False)},
}
WHOLE = """
    [fit]
    epochs = 6
    batch = 16
    seed = 3
    metrics = ["accuracy"]
    watch = "accuracy"
    patience = 4
    clip = 1
    [optimiser]
    name = "adamw"
    rate = 0.01
    decay = 0.1
    [schedule]
    name = "cosine"
    warmup = 0.5
    floor = 1e-4
    [data]
    kind = "shapes"
    [network]
    channels = [4]
"""


def test_a_whole_one():
    config = parse(WHOLE, TABLES)
    some = config.options(33)  # three batches an epoch
    expected = train.adamw(schedules.cosine(0.01, 18, 2, 1e-4), decay=0.1)
    assert some["optimiser"] == expected
    assert (some["epochs"], some["batch"], some["clip"], some["keep"]) == (6, 16, 1.0, 3)
    assert config.values["data"] == {"kind": "shapes", "L": 64}
    assert config.values["network"] == {"channels": [4], "exact": False}
    assert config.dtype == "float32" and json.loads(json.dumps(config.values)) == config.values


def test_it_drives_the_loop(tmp_path):
    (tmp_path / "a.toml").write_text(
        "[fit]\nepochs = 2\nbatch = 8\n[optimiser]\nname = 'sgd'\nrate = 0.1\nmomentum = 0.9"
    )
    config = read(tmp_path / "a.toml")
    rng = np.random.default_rng(0)
    x, labels = (
        random_flm(3, rng, reality=True, shape=(20, 1), dtype=np.complex64),
        np.arange(20) % 2,
    )
    net = nn.Net(nn.Sphere(3, 1), nn.power(), nn.dense(2))
    steps = list(
        train.fit(net, net.init(rng, config.dtype), (x, labels), **config.options(len(labels)))
    )
    assert len(steps) == 6 and steps[0].rate == 0.1


def test_defaults():
    options = parse("").options(100)
    assert options["optimiser"] == train.adam(1e-3) and options["epochs"] == 10


@pytest.mark.parametrize(
    "text, rate",
    [
        (
            "[schedule]\nname = 'steps'\nat = [1, 2.5]\nrates = [1, 0.1, 0]",
            schedules.steps((1, 0.1, 0), (4, 10)),
        ),
        ("[schedule]\nname = 'exponential'\nfactor = 0.5", schedules.exponential(1e-3, 0.5, 4)),
        ("[schedule]\nname = 'cosine'", schedules.cosine(1e-3, 40)),
    ],
)
def test_schedules_by_name(text, rate):
    assert parse(text).options(100)["optimiser"].rate == rate


@pytest.mark.parametrize(
    "text, words",
    [
        ("[fit]\nepoch = 3", "[fit] has no 'epoch'; did you mean 'epochs'?"),
        ("[fit]\nxyzzy = 3", "[fit] has no 'xyzzy'; known are epochs, batch, seed"),
        ("[optimizer]\nname = 'adam'", "there is no section [optimizer]; did you mean 'optimiser'?"),
        ("epochs = 3", "there is no key 'epochs' outside of a section; known are fit"),
        ("fit = 3", "fit is 3; expected a section [fit]"),
        ("[fit]\nepochs = 'ten'", "[fit] epochs is 'ten'; expected a whole number >= 1"),
        ("[fit]\nepochs = 2.5", "[fit] epochs is 2.5; expected a whole number >= 1"),
        ("[fit]\nepochs = true", "[fit] epochs is True; expected a whole number"),
        ("[fit]\nepochs = 0", "[fit] epochs is 0; expected a whole number >= 1"),
        ("[fit]\nclip = 0", "[fit] clip is 0; expected a number > 0"),
        ("[fit]\nclip = nan", "[fit] clip is nan; expected a number > 0"),
        ("[fit]\nmomentum = 1.5", "[fit] momentum is 1.5; expected a number >= 0 and < 1"),
        ("[fit]\nmomentum = 1", "[fit] momentum is 1; expected a number >= 0 and < 1"),
        ("[fit]\nmetrics = 'accuracy'", "[fit] metrics is 'accuracy'; expected a list: [one of 'accuracy'"),
        ("[fit]\nmetrics = ['acuracy']", "[fit] metrics[0] is 'acuracy'; did you mean 'accuracy'?"),
        ("[fit]\nwatch = 'accuracy'", "[fit] watch is 'accuracy'; expected one of loss: the loss, or one of"),
        ("[fit]\nloss = 3", "[fit] loss is 3; expected one of 'cross_entropy', 'mse'"),
        ("[optimiser]\nname = 'adaam'", "[optimiser] name is 'adaam'; did you mean"),
        ("[optimiser]\nmomentum = 0.9", "[optimiser] momentum is a key of sgd; the name is 'adam'"),
        ("[optimiser]\nname = 'sgd'\nnesterov = true", "nesterov=True with momentum 0"),
        ("[optimiser]\nname = 'sgd'\nnesterov = 1", "[optimiser] nesterov is 1; expected true or false"),
        ("[optimiser]\nbeta1 = 1", "[optimiser] beta1 is 1; expected a number >= 0 and < 1"),
        ("[optimiser]\neps = 0", "[optimiser] eps is 0; expected a number > 0 and < 1"),
        ("[optimiser]\nrate = -1", "[optimiser] rate is -1; expected a number >= 0"),
        ("[schedule]\nname = 'cosine'\nwarmup = 10", "[schedule] warmup is 10 of 10 epochs; expected fewer"),
        ("[schedule]\nname = 'cosine'\nfloor = 1", "floor is 1.0; expected a rate from 0 to 0.001"),
        ("[schedule]\nname = 'steps'", "[schedule] needs at: a number > 0"),
        ("[schedule]\nname = 'steps'\nat = [2, 1]\nrates = [1, 2, 3]", "which grow"),
        ("[schedule]\nname = 'steps'\nat = [2]\nrates = [1, 2, 3]", "has 3 rates and 1 epochs"),
        ("[schedule]\nname = 'steps'\nat = [2]\nrates = [1, 2]\n[optimiser]\nrate = 1", "leave one out"),
        ("[schedule]\nfactor = 0.5", "[schedule] factor is a key of exponential; the name is 'constant'"),
        ("[data]\nL = 64", "[data] needs kind: one of 'cmb', 'shapes'"),
        ("[data]\nkind = 'shape'", "[data] kind is 'shape'; did you mean 'shapes'?"),
        ("[data]\nkind = 'cmb'\nL = 9999", "[data] L is 9999; expected a whole number >= 1 and <= 4096"),
        ("[network]\nchannels = [1, 'a']\n[data]\nkind = 'cmb'", "[network] channels[1] is 'a'; expected"),
        ("[fit", "is no TOML: "),
        ("[fit]\nseed = 1\nseed = 2", "is no TOML: "),
    ],
)  # fmt: skip
def test_mistakes(text, words):
    with pytest.raises(ValueError) as error:
        parse(text, TABLES, "my.toml")
    said = str(error.value)
    assert said.startswith("my.toml") and words in said, said


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "needs name: one of 'cobb', 'esteves'"),
        ("[network]\nname = 'cob'", "name is 'cob'; did you mean 'cobb'?"),
        (
            "[network]\nname = 'cobb'\nanchors = 3",
            "anchors is a key of esteves; the name is 'cobb'",
        ),
        ("[network]\nname = 'cobb'\nmixin = 3", "has no 'mixin'; did you mean 'mixing'?"),
    ],
)
def test_sections_by_name(text, words):
    kinds = {
        "cobb": {"mixing": Key("text", "mst")},
        "esteves": {"anchors": Key("whole", 8, least=1)},
    }
    check = by_name(kinds, {"name": Key("text", among=tuple(kinds)), "L": Key("whole", 8)})
    config = parse("[network]\nname = 'esteves'\nanchors = 4", {"network": check})
    assert config.values["network"] == {"name": "esteves", "L": 8, "anchors": 4}
    with pytest.raises(ValueError, match=f"network. {words}"):
        parse(text, {"network": check})


def test_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no configuration .*none.toml"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"[fit]\n# Gr\xf6\xdfe\n")
    with pytest.raises(ValueError, match="latin.toml is no text in UTF-8"):
        read(tmp_path / "latin.toml")
