"""Recipes: each resolves, those of the series have exactly its settings, each head says command, cost and result."""

from importlib.resources import files

import pytest

from seewell.config import config_from_dict
from seewell.errors import ConfigError
from seewell.training import recipes
from seewell.training.estimates import DataFacts
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.recipes import list_recipes, load_recipe

MNIST = DataFacts(images=55_000, height=28, width=28, channels=1, classes=10)
CIFAR = DataFacts(images=45_000, height=32, width=32, channels=3, classes=10)
MACHINE = Hardware("a processor", 2, frozenset())

SERIES = {  # network, initializer, preprocess, optimizer, learning rate, steps: series.md
    "ltfn-03-fully-connected": ("fully-connected", "normal", "scale", "sgd", 1e-4, 5000),
    "ltfn-05-convnet": ("convnet", "normal", "scale", "sgd", 1e-7, 5000),
    "ltfn-06-small-normal": ("convnet", "small-normal", "scale", "sgd", 1e-7, 5000),
    "ltfn-06-he": ("convnet", "default", "scale", "sgd", 1e-3, 5000),
    "ltfn-07-sgd": ("convnet", "default", "scale", "sgd", 1e-3, 1000),
    "ltfn-07-momentum": ("convnet", "default", "scale", "momentum", 1e-3, 1000),
    "ltfn-07-adam": ("convnet", "default", "scale", "adam", 1e-3, 1000),
    "ltfn-08-vgg": ("vgg-small", "default", "scale", "adam", 1e-3, 1000),
    "ltfn-10-cifar-vgg": ("vgg-small", "default", "none", "adam", 1e-3, 10_000),
    "ltfn-11-mean-image": ("vgg-small", "default", "mean-image", "adam", 1e-3, 10_000),
}


def resolved(name):
    facts = CIFAR if int(name[5:7] or 0) >= 10 else MNIST
    return resolve(config_from_dict(load_recipe(name)), facts, MACHINE)


def text_of(name):
    return (files(recipes) / f"{name}.toml").read_text(encoding="utf-8")


def test_there_is_a_recipe_for_every_experiment_of_the_series_and_for_speed():
    twelve = {f"ltfn-12-{change}" for change in ("larger", "longer", "augment", "l2", "dropout")}
    assert set(list_recipes()) == set(SERIES) | twelve | {"quick", "speed", "speed-gray"}


@pytest.mark.parametrize("name", sorted(SERIES))
def test_a_recipe_of_the_series_has_exactly_its_settings(name):
    plan = resolved(name)
    config = plan.config
    found = (
        config.network,
        config.initializer,
        config.preprocess,
        config.optimizer,
        config.learning_rate,
        config.steps,
    )
    assert found == SERIES[name]
    assert plan.total_steps == SERIES[name][5]
    assert config.batch_size == 100
    assert config.recipe == name
    assert config.network_arguments == {}
    assert (config.schedule, config.warmup, config.ema, config.label_smoothing) == ("constant", 0, 0, 0)
    assert (config.augment, config.l2, config.dropout) == ((), 0, 0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ltfn-12-larger", {"network"}),
        ("ltfn-12-longer", {"steps"}),
        ("ltfn-12-augment", {"augment"}),
        ("ltfn-12-l2", {"l2"}),
        ("ltfn-12-dropout", {"dropout"}),
    ],
)
def test_a_recipe_of_part_12_is_part_11_with_one_change(name, change):
    base, changed = resolved("ltfn-11-mean-image").config.to_dict(), resolved(name).config.to_dict()
    assert {key for key in base if base[key] != changed[key]} == {*change, "recipe"}


@pytest.mark.parametrize("name", list_recipes())
def test_the_head_says_command_cost_and_result(name):
    head = [line for line in text_of(name).splitlines() if line.startswith("#")]
    for label in ("# Command: seewell train ", "# Cost:    ", "# Result:  "):
        assert sum(line.startswith(label) for line in head) == 1
    command = next(line for line in head if line.startswith("# Command: "))
    assert name == "quick" or command.endswith(f"--recipe {name}")


@pytest.mark.parametrize(("name", "facts"), [("speed", CIFAR), ("speed-gray", MNIST)])
def test_a_recipe_for_speed_resolves_and_looks_at_each_image_once(name, facts):
    config = resolve(config_from_dict(load_recipe(name)), facts, MACHINE).config
    assert config.network == "speed"
    assert config.recipe == name
    assert "tta" not in config.to_dict()


def test_quick_sets_nothing_itself():
    assert load_recipe("quick") == {"recipe": "quick"}


def test_a_mistyped_name_is_answered_with_the_right_one():
    with pytest.raises(ConfigError) as caught:
        load_recipe("ltfn-05-convent")
    assert 'did you mean "ltfn-05-convnet"?' in caught.value.fix


def test_a_file_of_ones_own_is_a_recipe_with_its_name(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('network = "convnet"\nsteps = 3\n', encoding="utf-8")
    assert load_recipe(str(path)) == {"recipe": "mine", "network": "convnet", "steps": 3}


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff=")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, make):
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        load_recipe(str(path))


def test_a_file_that_is_not_toml_is_named_with_the_line(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("network convnet", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml is not TOML.*line 1"):
        load_recipe(str(path))
