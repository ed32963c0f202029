"""A small network on the low-pass maps of the scattering, and the same one without them.

Of every sky come the channels S_lm, l < L0, those of the map itself (the empty path) always among them:
moduli do not see the sign of a map. The network without scattering sees the empty path alone, which is the
map at the resolution that it can take.
"""

import numpy as np

from spherekit import nn
from spherekit.conventions import band_limit_of
from spherekit.experiments.gaussianity import probes


def low_network(L, channels, *, width=12, anchors=8, oversample=1):
    """zonal -> batch_norm -> relu, twice, then means over the sphere and a dense layer.

    Invariant to rotations but for what the relus alias, the less the higher ``oversample``.

    >>> low_network(32, 22)
    Net(real S2, L=32, 22 channels -> 2 features, 8 layers)
    """
    block = []
    for _ in range(2):
        block += [
            nn.zonal(width, min(anchors, L)),
            nn.batch_norm(),
            nn.pointwise("relu", oversample),
        ]
    return nn.Net(nn.Sphere(L, channels), *block, nn.mean(), nn.dense(2))


def standardise(x, training):
    """Every channel to mean 0 and variance 1 over the sphere and the training skies.

    Parameters
    ----------
    x : complex ndarray [shape=(skies, channels, L*L)]
    training : integer ndarray
        Which of the skies count.

    >>> import numpy as np
    >>> x = standardise(np.array([[[1.0, 0, 2, 0]], [[3.0, 0, 0, 0]]]) + 0j, [0, 1])
    >>> round(float(np.sum(np.abs(x) ** 2) / 2 / (4 * np.pi)), 6), abs(x[..., 0].sum()) < 1e-6
    (1.0, np.True_)
    """
    return standardised(x, *standards(x[training]))


def standards(x):
    """(mean, scale) of each channel of signals (skies, channels, L*L), in float64."""
    mean = x[..., 0].real.mean(axis=0, dtype=float)
    square = np.sum(np.abs(x) ** 2, axis=-1, dtype=float).mean(axis=0) - mean**2
    constant = np.flatnonzero(~(square > 0))
    if constant.size:
        raise ValueError(
            f"the channels {constant.tolist()} are the same constant in all {len(x)} signals: there is no "
            "variance to divide by"
        )
    return mean, np.sqrt(square / (4 * np.pi))


def standardised(x, mean, scale):
    """Signals (..., channels, L*L) less these means, over these scales; their precision is kept."""
    made = x.copy()
    made[..., 0] -= mean
    made /= np.asarray(scale)[:, None]
    return made


def accuracy(some_0, some_1, *, scattered=True, count=5, progress=None, **how):
    """`probes.Accuracy` of `low_network`, trained anew for each of the divisions into training and test.

    Parameters
    ----------
    some_0, some_1 : dict
        The two classes, as `features.collect` returns them.
    scattered : bool
        With all channels, or the empty path's alone.
    count : int
        Divisions, the first ones of `probes.divisions`; each is the seed of its network too.
    progress : callable, optional
        Called with (number of the division, `spherekit.train.Step`).
    how
        ``epochs``, ``batch``, ``rate``, ``decay``, ``threads`` of `trained`.

    Returns
    -------
    Accuracy
    """
    x = np.concatenate([some["scattering"] for some in (some_0, some_1)])
    labels = np.arange(len(x)) >= len(some_0["scattering"])
    x = x if scattered else x[:, :1]
    each, divisions = [], probes.divisions(len(some_0["cl"]), len(some_1["cl"]), count)
    for seed, (training, test) in enumerate(divisions):
        step = None if progress is None else lambda s, seed=seed: progress(seed, s)
        each.append(
            100 * trained(x, labels.astype(int), training, test, seed, progress=step, **how)
        )
    return probes.summarise(each)


def trained(
    x,
    labels,
    training,
    test,
    seed,
    *,
    epochs=40,
    batch=25,
    rate=0.01,
    decay=0.01,
    threads=None,
    progress=None,
):
    """The share of the test skies that a network of the training skies tells right.

    Nothing is chosen by the test skies: the network is the last one.
    """
    from spherekit import train

    x = standardise(x, training)
    net = low_network(band_limit_of(x), x.shape[1])
    params = net.init(np.random.default_rng([78, seed]), np.float32)
    steps = epochs * -(-len(training) // batch)
    optimiser = train.adamw(train.schedules.cosine(rate, steps), decay)
    how = dict(
        optimiser=optimiser, epochs=epochs, batch=batch, seed=seed, clip=1.0, threads=threads
    )
    for last in train.fit(net, params, (x[training], labels[training]), **how):
        if progress is not None:
            progress(last)
    outputs = train.predict(net, last.state.params, x[test], threads=threads)
    return float(np.mean(outputs.argmax(axis=1) == labels[test]))
