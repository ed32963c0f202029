"""What the package itself offers: names, and where to find a name that it does not have."""

import subprocess
import sys

import pytest

import spherekit


@pytest.mark.parametrize(
    "name, advice",
    [
        ("Wavelets", "did you mean spherekit.wavelets.Wavelets?"),
        ("Zonal", "did you mean spherekit.nn.Zonal?"),
        ("zonal", "did you mean spherekit.wigner.zonal?"),
        ("forwrd", "did you mean spherekit.forward?"),
        ("clebsh_gordan", "did you mean spherekit.wigner.clebsch_gordan?"),
        ("read_map", "did you mean spherekit.io.read_map?"),
    ],
)
def test_a_name_of_another_module_is_suggested(name, advice):
    with pytest.raises(AttributeError) as error:
        getattr(spherekit, name)
    assert str(error.value) == f"module 'spherekit' has no attribute {name!r}; {advice}"


@pytest.mark.parametrize("name", ["qqqq", "__wrapped__", "_private"])
def test_other_names_are_simply_absent(name):
    assert not hasattr(spherekit, name)


def test_the_suggestion_is_made_once():
    """Python's own, which would name the module `wavelets`, is not added."""
    command = [sys.executable, "-c", "import spherekit; spherekit.Wavelets"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr.lower().count("did you mean") == 1


def test_a_suggestion_imports_nothing():
    command = "import sys, spherekit; hasattr(spherekit, 'Zonal'); assert 'spherekit.nn' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)
