"""Configurations: what they create, and the message of each mistake."""

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
        "kind": Key("text", choices=("cmb", "shapes")),
        "L": Key("integer", 64, minimum=1, maximum=4096),
    },
    "network": {
        "channels": Key("integer", [8, 8], minimum=1, is_list=True),
        "exact": Key("boolean", False),
    },
}
COMPLETE = """
    [fit]
    epochs = 6
    batch_size = 16
    seed = 3
    metrics = ["accuracy"]
    monitor = "accuracy"
    patience = 4
    max_norm = 1
    [optimizer]
    name = "adamw"
    learning_rate = 0.01
    weight_decay = 0.1
    [schedule]
    name = "cosine"
    warmup = 0.5
    floor = 1e-4
    [data]
    kind = "shapes"
    [network]
    channels = [4]
"""


def test_a_complete_one():
    config = parse(COMPLETE, TABLES)
    options = config.options(33)  # three batches an epoch
    expected = train.adamw(schedules.cosine(0.01, 18, 2, 1e-4), weight_decay=0.1)
    assert options["optimizer"] == expected
    assert (options["epochs"], options["batch_size"], options["max_norm"]) == (6, 16, 1.0)
    assert options["early_stopping"] == train.EarlyStopping("accuracy", patience=4)
    assert "checkpoints" not in options
    checkpoints = config.options(33, folder="run", resume=True, description={"of": "tests"})[
        "checkpoints"
    ]
    expected = dict(keep_checkpoints=3, resume=True, description={"of": "tests"})
    assert checkpoints == train.Checkpointing("run", **expected)
    assert config.values["data"] == {"kind": "shapes", "L": 64}
    assert config.values["network"] == {"channels": [4], "exact": False}
    assert config.dtype == "float32" and json.loads(json.dumps(config.values)) == config.values


def test_it_drives_the_loop(tmp_path):
    (tmp_path / "a.toml").write_text(
        "[fit]\nepochs = 2\nbatch_size = 8\n[optimizer]\nname = 'sgd'\nlearning_rate = 0.1\nmomentum = 0.9"
    )
    config = read(tmp_path / "a.toml")
    rng = np.random.default_rng(0)
    x, labels = (
        random_flm(3, rng, reality=True, shape=(20, 1), dtype=np.complex64),
        np.arange(20) % 2,
    )
    net = nn.Sequential(nn.Sphere(3, 1), nn.PowerSpectrum(), nn.Dense(2))
    steps = list(
        train.fit(
            net, net.init(rng, dtype=config.dtype), (x, labels), **config.options(len(labels))
        )
    )
    assert len(steps) == 6 and steps[0].learning_rate == 0.1


def test_defaults():
    options = parse("").options(100)
    assert options["optimizer"] == train.adam(1e-3) and options["epochs"] == 10


@pytest.mark.parametrize(
    "text, rate",
    [
        (
            "[schedule]\nname = 'steps'\nat = [1, 2.5]\nlearning_rates = [1, 0.1, 0]",
            schedules.steps((1, 0.1, 0), (4, 10)),
        ),
        ("[schedule]\nname = 'exponential'\nfactor = 0.5", schedules.exponential(1e-3, 0.5, 4)),
        (
            "[schedule]\nname = 'exponential'\nfactor = 0.5\ndecay_epochs = 2.5",
            schedules.exponential(1e-3, 0.5, 10),
        ),
        (
            "[schedule]\nname = 'exponential'\nfactor = 0.5\nevery = 2.5",  # of earlier versions
            schedules.exponential(1e-3, 0.5, 10),
        ),
        ("[schedule]\nname = 'cosine'", schedules.cosine(1e-3, 40)),
    ],
)
def test_schedules_by_name(text, rate):
    assert parse(text).options(100)["optimizer"].learning_rate == rate


@pytest.mark.parametrize(
    "text, words",
    [
        ("[fit]\nepoch = 3", "[fit] has no 'epoch'; did you mean 'epochs'?"),
        ("[fit]\nxyzzy = 3", "[fit] has no 'xyzzy'; expected one of epochs, batch_size, seed"),
        ("[optimizers]\nname = 'adam'", "there is no section [optimizers]; did you mean 'optimizer'?"),
        ("epochs = 3", "there is no key 'epochs' outside of a section; expected one of fit"),
        ("fit = 3", "fit is 3; expected a section [fit]"),
        ("[fit]\nepochs = 'ten'", "[fit] epochs is 'ten'; expected an integer >= 1"),
        ("[fit]\nepochs = 2.5", "[fit] epochs is 2.5; expected an integer >= 1"),
        ("[fit]\nepochs = true", "[fit] epochs is True; expected an integer"),
        ("[fit]\nepochs = 0", "[fit] epochs is 0; expected an integer >= 1"),
        ("[fit]\nmax_norm = 0", "[fit] max_norm is 0; expected a number > 0"),
        ("[fit]\nmax_norm = nan", "[fit] max_norm is nan; expected a number > 0"),
        ("[optimizer]\nname = 'sgd'\nmomentum = 1.5", "momentum is 1.5; expected a number >= 0 and < 1"),
        ("[optimizer]\nname = 'sgd'\nmomentum = 1", "momentum is 1; expected a number >= 0 and < 1"),
        ("[fit]\nmetrics = 'accuracy'", "[fit] metrics is 'accuracy'; expected a list: [one of 'accuracy'"),
        ("[fit]\nmetrics = ['acuracy']", "[fit] metrics[0] is 'acuracy'; did you mean 'accuracy'?"),
        ("[fit]\nmonitor = 'accuracy'",
         "[fit] monitor is 'accuracy'; expected 'loss'; otherwise add it to [fit] metrics"),
        ("[fit]\nloss = 3", "[fit] loss is 3; expected one of 'cross_entropy', 'mse'"),
        ("[optimizer]\nname = 'adaam'", "[optimizer] name is 'adaam'; did you mean"),
        ("[optimizer]\nmomentum = 0.9", "[optimizer] momentum is a key of sgd; the name is 'adam'"),
        ("[optimizer]\nname = 'sgd'\nnesterov = true", "nesterov=True with momentum 0"),
        ("[optimizer]\nname = 'sgd'\nnesterov = 1", "[optimizer] nesterov is 1; expected true or false"),
        ("[optimizer]\nbeta1 = 1", "[optimizer] beta1 is 1; expected a number >= 0 and < 1"),
        ("[optimizer]\neps = 0", "[optimizer] eps is 0; expected a number > 0 and < 1"),
        ("[optimizer]\nlearning_rate = -1", "[optimizer] learning_rate is -1; expected a number >= 0"),
        ("[schedule]\nname = 'cosine'\nwarmup = 10", "[schedule] warmup is 10 of 10 epochs; expected fewer"),
        ("[schedule]\nname = 'cosine'\nfloor = 1", "floor is 1.0; expected a learning rate from 0 to 0.001"),
        ("[schedule]\nname = 'steps'", "[schedule] needs at: a number > 0"),
        ("[schedule]\nname = 'steps'\nat = [2, 1]\nlearning_rates = [1, 2, 3]", "ascending steps"),
        ("[schedule]\nname = 'steps'\nat = [2]\nlearning_rates = [1, 2, 3]", "has 3 learning_rates"),
        ("[schedule]\nname = 'steps'\nat = [2]\nlearning_rates = [1, 2]\n[optimizer]\nlearning_rate = 1",
         "remove one of them"),
        ("[schedule]\nfactor = 0.5", "[schedule] factor is a key of exponential; the name is 'constant'"),
        ("[schedule]\nevery = 2", "[schedule] decay_epochs is a key of exponential; the name is 'constant'"),
        ("[schedule]\nname = 'exponential'\nfactor = 0.5\nevery = 2\ndecay_epochs = 2", "remove every"),
        ("[schedule]\nname = 'exponential'\nfactor = 0.5\nevery = 0", "decay_epochs is 0; expected a number"),
        ("[data]\nL = 64", "[data] needs kind: one of 'cmb', 'shapes'"),
        ("[data]\nkind = 'shape'", "[data] kind is 'shape'; did you mean 'shapes'?"),
        ("[data]\nkind = 'cmb'\nL = 9999", "[data] L is 9999; expected an integer >= 1 and <= 4096"),
        ("[network]\nchannels = [1, 'a']\n[data]\nkind = 'cmb'", "[network] channels[1] is 'a'; expected"),
        ("[fit", "is not TOML: "),
        ("[fit]\nseed = 1\nseed = 2", "is not TOML: "),
    ],
)  # fmt: skip
def test_mistakes(text, words):
    with pytest.raises(ValueError) as error:
        parse(text, TABLES, "my.toml")
    message = str(error.value)
    assert message.startswith("my.toml") and words in message, message


@pytest.mark.parametrize("section", ["", "[data]\nL = 3"])
def test_a_key_of_unknown_kind(section):
    for key in (Key("float", 0.5), Key("float"), Key("float", [], is_list=True)):
        with pytest.raises(
            ValueError, match="L: the kind of its Key is 'float'; expected one of int"
        ):
            parse(section, {"data": {"L": key}})


@pytest.mark.parametrize(
    "section, former, now",
    [
        ("fit", "batch", "'batch_size'"),
        ("fit", "watch", "'monitor'"),
        ("fit", "clip", "'max_norm'"),
        ("fit", "keep", "'keep_checkpoints'"),
        ("fit", "every", "'checkpoint_every'"),
        ("fit", "sets", "set_size is an argument of"),
        ("fit", "momentum", "nn.BatchNorm(momentum=0.9)"),
        ("optimizer", "rate", "'learning_rate'"),
        ("optimizer", "decay", "'weight_decay'"),
        ("schedule", "rates", "'learning_rates'"),
    ],
)
def test_keys_of_earlier_versions(section, former, now):
    with pytest.raises(ValueError) as error:
        parse(f"[{section}]\n{former} = 3", TABLES)
    message = str(error.value)
    assert f"[{section}] has no '{former}'; " in message and now in message, message


def test_sections_of_earlier_versions():
    with pytest.raises(ValueError, match=r"no section \[optimiser\]; it is called \[optimizer\]"):
        parse("[optimiser]\nrate = 0.1")


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
        "esteves": {"anchors": Key("integer", 8, minimum=1)},
    }
    check = by_name(kinds, {"name": Key("text", choices=tuple(kinds)), "L": Key("integer", 8)})
    config = parse("[network]\nname = 'esteves'\nanchors = 4", {"network": check})
    assert config.values["network"] == {"name": "esteves", "L": 8, "anchors": 4}
    with pytest.raises(ValueError, match=f"network. {words}"):
        parse(text, {"network": check})


def test_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no configuration .*none.toml"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"[fit]\n# Gr\xf6\xdfe\n")
    with pytest.raises(ValueError, match="latin.toml is not text in UTF-8"):
        read(tmp_path / "latin.toml")
