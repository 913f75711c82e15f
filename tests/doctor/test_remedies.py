"""Remedies: fitted to the training, and every option is one that `seewell train` takes."""

import shlex

import pytest
import typer

from seewell.cli.main import app
from seewell.config import config_from_dict
from seewell.data.augmentation import parse_augmentation
from seewell.doctor.remedies import remedies_for
from seewell.networks.arguments import parse_network
from seewell.networks.registry import list_networks
from seewell.training.plan import check_config

CODES = ("high-bias", "high-variance")
SETTINGS = [
    {},
    {"network": "fully-connected", "epochs": 10},
    {"network": "convnet", "steps": 5000, "augment": []},
    {"network": "convnet", "epochs": 2.5, "channels": 3, "augment": ["flip"], "dropout": 0.5, "l2": 1e-4},
    {"network": "resnet20", "epochs": 40, "channels": 1, "augment": ["shift=2", "rotate", "cutout=3"], "l2": 0.01},
    {"network": "resnet18", "epochs": 1, "channels": 3, "augment": ["flip", "shift", "cutout", "mixup=0.4"]},
    {"network": "vgg-small", "steps": 10_000, "dropout": None, "l2": None, "augment": None},
]
CASES = [(code, settings) for code in CODES for settings in SETTINGS]


def parsed(option):
    """The option as the real command line reads it."""
    train = typer.main.get_command(app).get_command(None, "train")
    return train.make_context("train", shlex.split(option), resilient_parsing=False).params


@pytest.mark.parametrize(("code", "settings"), CASES)
def test_every_option_is_a_real_one_with_values_that_exist(code, settings):
    for remedy in remedies_for(code, settings):
        if not remedy.option:
            continue
        given = {name: value for name, value in parsed(remedy.option).items() if value not in (None, False, ())}
        assert len(given) == 1
        ((name, value),) = given.items()
        if name == "network":
            name_of, arguments = parse_network(value)
            assert name_of in list_networks()
            assert name_of != settings.get("network") or arguments
            check_config(config_from_dict({"network": name_of, "network_arguments": arguments}))
        elif name == "augment":
            asked = value.split(",")
            assert len({parse_augmentation(one).name for one in asked}) == len(asked)
            assert set(settings.get("augment") or ()) < set(asked)
        else:
            value = float(value) if name == "epochs" else value
            check_config(config_from_dict({name: value}))
            assert value > (settings.get(name) or 0)


@pytest.mark.parametrize(("code", "settings"), CASES)
def test_every_remedy_has_words_for_a_person(code, settings):
    remedies = remedies_for(code, settings)
    assert len(remedies) >= 3
    for remedy in remedies:
        assert remedy.text.endswith(".")
    assert remedies[0].text


def test_the_series_remedies_come_in_its_order():
    texts = " ".join(remedy.text for remedy in remedies_for("high-variance", {}))
    assert texts.index("Augment") < texts.index("dropout") < texts.index("L2") < texts.index("architecture")
    texts = " ".join(remedy.text for remedy in remedies_for("high-bias", {"epochs": 1}))
    for word in ("longer", "larger", "architecture"):
        assert word in texts


def test_grey_images_are_not_mirrored():
    assert "flip" not in remedies_for("high-variance", {"channels": 1})[0].option
    assert "flip" in remedies_for("high-variance", {"channels": 3})[0].option


def test_twice_as_long_is_in_the_unit_that_the_training_had():
    assert remedies_for("high-bias", {"steps": 5000})[0].option == "--steps 10000"
    assert remedies_for("high-bias", {"epochs": 2.5})[0].option == "--epochs 5"
    assert remedies_for("high-bias", {})[0].option == ""


def test_a_code_without_remedies_has_none():
    assert remedies_for("no-such-code", {}) == ()
