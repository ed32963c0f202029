"""Step 7 of the demo: a small network classifies skies, with and without scattering coefficients."""

import tempfile
from pathlib import Path

from spherekit import plot
from spherekit.cli import options, output

_MAIN, _CONTROL = "#c0504d", "#7a8ba3"
TITLES = "the small network, with scattering", "the same network, without scattering"


def compare(config, threads):
    """Simulate skies, train the network with and without scattering, and test both.

    Parameters
    ----------
    config : spherekit.train.config.Config
        From `spherekit.experiments.read`.

    Returns
    -------
    tuple
        Skies, [(title, percent)] of both networks, [(title, Accuracy)] of controls, the first `Trained`.
    """
    from spherekit import experiments
    from spherekit.cli.train import gather
    from spherekit.experiments.gaussianity import experiment as gaussianity
    from spherekit.train import finish, progress

    experiment = experiments.get("gaussianity")
    with tempfile.TemporaryDirectory() as folder:
        skies = gather(
            experiment, config, Path(folder), None, experiments.Analysis(threads=threads)
        )
    accuracies, networks = [], []
    for title, scattering in zip(TITLES, (True, False), strict=True):
        training = gaussianity.training(config, skies, title, scattering)
        steps = experiments.steps(experiment, config, training, threads=threads)
        last = finish(progress(steps, leave=False, disable=None))
        trained = experiments.Trained(training, *experiments.selected(last.checkpoint))
        accuracies.append((title, gaussianity.accuracy(trained, threads)))
        networks.append(trained)
    controls = gaussianity.controls(skies, gaussianity.CONTROLS[:-1])
    return skies, accuracies, controls, networks[0]


def picture(path, config, simulated, networks, controls):
    """Plot a sky of each class, and the accuracy of each method compared with chance."""
    import spherekit
    from spherekit.experiments.gaussianity import probes, skies

    data = config.values["data"]
    L = simulated.settings.L
    figure = options.figure(12.5, 5.6)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.25))
    map_axes = left.subplots(2, 1)
    kinds = [("gaussian", "Gaussian sky"), (data["recipe"], "sky of caps with sharp edges")]
    for ax, (recipe, title) in zip(map_axes, kinds, strict=True):
        strength = data["strength"] if recipe == data["recipe"] else None
        flm = skies.sky(recipe, L, 0, strength=strength, seed=data["seed"])
        f = spherekit.inverse(flm, L, sampling="mw:256", reality=True)
        style = dict(unit="uK", vmin=-250, vmax=250, colorbar=ax is map_axes[1])
        plot.show(f, "mw:256", ax=ax, title=f"{title}, degrees < {L}", **style)
    ax = right.subplots()
    rows = [*networks, *((title, accuracy.mean) for title, accuracy in controls)]
    low, high = probes.chance_band(2 * simulated.counts[2])
    ax.axvspan(low, high, color="0.87", lw=0, zorder=0, label="chance, ±2 standard deviations")
    for position, (_, percent) in enumerate(rows):
        color = _MAIN if position == 0 else _CONTROL
        ax.barh(position, percent, color=color, height=0.62)
        ax.text(percent + 1, position, f"{percent:.0f} %", va="center")
    ax.set_yticks(range(len(rows)), [_two_lines(title) for title, _ in rows])
    ax.invert_yaxis()
    ax.set(xlim=(0, 108), xlabel="test skies classified correctly, %")
    ax.set_title("classification of skies with the same power spectrum", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.13), frameon=False, fontsize="small")
    output.save(figure, path)


def _two_lines(title):
    """Break a title into two lines."""
    return title.replace(" of ", "\nof ", 1) if " of " in title else title.replace(", ", ",\n", 1)
