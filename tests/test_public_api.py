"""The public names are exactly these, and importing the package is cheap."""

import inspect

import pytest

import seewell as package

NAMES = {
    "ConfigError",
    "DataError",
    "Doctor",
    "Finding",
    "FormatError",
    "ImageDataset",
    "InterruptedTrainingError",
    "NetworkError",
    "NotFiniteError",
    "Remedy",
    "Run",
    "RunError",
    "SeewellError",
    "TrainConfig",
    "TrainingStoppedError",
    "adopt",
    "build_network",
    "examine",
    "export",
    "list_networks",
    "load_dataset",
    "open_run",
    "train",
}


def test_the_public_names_are_exactly_these():
    assert set(package.__all__) == NAMES
    assert set(package._HOMES) == NAMES
    assert set(dir(package)) == NAMES | {"__version__"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_leads_to_something_documented_with_that_name(name):
    found = getattr(package, name)
    assert found.__name__ == name
    assert inspect.getdoc(found)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        package.trian  # noqa: B018


def test_importing_the_package_imports_neither_numpy_nor_tensorflow(run_python):
    code = (
        "import sys, seewell\n"
        "from seewell import SeewellError, TrainConfig, Finding, Remedy\n"
        "print([m for m in ('numpy', 'tensorflow', 'keras') if m in sys.modules])"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_run_has_what_the_contract_names():
    for name in ("predict", "evaluate", "network", "history", "findings", "config", "info", "classes", "summary"):
        assert hasattr(package.Run, name)


def test_build_network_has_the_signature_of_the_contract():
    parameters = inspect.signature(package.build_network).parameters
    assert list(parameters) == [
        "name",
        "input_shape",
        "num_classes",
        "preprocess",
        "statistics",
        "initializer",
        "l2",
        "dropout",
        "arguments",
    ]
    defaults = {name: one.default for name, one in parameters.items() if one.default is not inspect.Parameter.empty}
    assert defaults == {
        "preprocess": "scale",
        "statistics": None,
        "initializer": "default",
        "l2": 0.0,
        "dropout": 0.0,
        "arguments": None,
    }
