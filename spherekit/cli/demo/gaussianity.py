"""The end of the demo: a small network tells Gaussian skies from others, with scattering and without."""

import tempfile
from pathlib import Path

from spherekit import plot
from spherekit.cli import options, output

_MAIN, _CONTROL = "#c0504d", "#7a8ba3"
TITLES = "the small network, with scattering", "the same network, without scattering"


def compare(config, threads):
    """Simulate, train twice, test.

    Parameters
    ----------
    config : of `spherekit.experiments.gaussianity.config.read`

    Returns
    -------
    (Skies, [(title, percent)] of both networks, [(title, Accuracy)] of controls, (state, Model) of the first)
    """
    from spherekit.cli.train import gather
    from spherekit.experiments.gaussianity import classifier
    from spherekit.experiments.gaussianity import config as experiment_config
    from spherekit.train import finish, progress

    with tempfile.TemporaryDirectory() as folder:
        gathered = gather(config, Path(folder), threads)
    rows, trained = [], []
    for title, scattering in zip(TITLES, (True, False), strict=True):
        training = experiment_config.training(config, gathered, scattering=scattering)
        steps = progress(
            experiment_config.steps(config, training, threads=threads), leave=False, disable=None
        )
        state = finish(steps).state
        rows.append(
            (title, experiment_config.accuracy(training, classifier.chosen(state), threads))
        )
        trained.append((state, training.model))
    return (
        gathered,
        rows,
        experiment_config.controls(gathered, experiment_config.CONTROLS[:-1]),
        trained[0],
    )


def picture(path, config, gathered, networks, controls):
    """One sky of each kind, and how many each method tells right, beside what guessing does."""
    import spherekit
    from spherekit.experiments.gaussianity import probes, skies

    data, L = config.values["data"], gathered.settings.L
    figure = options.figure(12.5, 5.6)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.25))
    tops = left.subplots(2, 1)
    kinds = [("gaussian", "a Gaussian sky"), (data["recipe"], "one of caps with sharp edges")]
    for ax, (recipe, title) in zip(tops, kinds, strict=True):
        strength = data["strength"] if recipe == data["recipe"] else None
        flm = skies.sky(recipe, L, 0, strength=strength, seed=data["seed"])
        f = spherekit.inverse(flm, L, sampling="mw:256", reality=True)
        look = dict(unit="uK", vmin=-250, vmax=250, colorbar=ax is tops[1])
        plot.show(f, "mw:256", ax=ax, title=f"{title}, degrees < {L}", **look)
    ax = right.subplots()
    rows = [*networks, *((title, accuracy.mean) for title, accuracy in controls)]
    low, high = probes.chance_band(2 * gathered.counts[2])
    ax.axvspan(low, high, color="0.87", lw=0, zorder=0, label="guessing, 2 standard deviations")
    for place, (_, percent) in enumerate(rows):
        colour = _MAIN if place == 0 else _CONTROL
        ax.barh(place, percent, color=colour, height=0.62)
        ax.text(percent + 1, place, f"{percent:.0f} %", va="center")
    ax.set_yticks(range(len(rows)), [_folded(title) for title, _ in rows])
    ax.invert_yaxis()
    ax.set(xlim=(0, 108), xlabel="new skies told right, %")
    ax.set_title("Gaussian or not? Both kinds have one spectrum", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.13), frameon=False, fontsize="small")
    output.save(figure, path)


def _folded(title):
    """A title in two lines."""
    return title.replace(" of ", "\nof ", 1) if " of " in title else title.replace(", ", ",\n", 1)
