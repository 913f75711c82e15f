"""Settings: types, ranges, names, and that they survive JSON and TOML."""

import json

import hypothesis
import pytest
from hypothesis import strategies as st

from seewell.config import TrainConfig, check_names, config_from_dict, load_toml
from seewell.errors import ConfigError


def test_what_is_left_open_is_none_and_the_rest_has_defaults():
    config = TrainConfig()
    assert config.network is None
    assert config.learning_rate is None
    assert (config.initializer, config.precision, config.seed, config.validation_fraction) == (
        "default",
        "auto",
        0,
        0.1,
    )
    assert (config.checkpoint_every, config.keep_last, config.target_error) == ("epoch", 3, 0.0)


FULL = {
    "recipe": "mine",
    "network": "convnet",
    "network_arguments": {"widths": "4-8"},
    "preprocess": "mean-image",
    "image_size": [16, 24],
    "initializer": "he",
    "optimizer": "adamw",
    "learning_rate": 0.5,
    "bias_learning_rate": 0.1,
    "momentum": 0.8,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup": 0.1,
    "epochs": 2.5,
    "steps": None,
    "time": None,
    "batch_size": 7,
    "augment": ["flip", "shift=2"],
    "l2": 1e-4,
    "dropout": 0.25,
    "label_smoothing": 0.1,
    "ema": 0.9,
    "precision": "float32",
    "seed": 3,
    "split_seed": 4,
    "validation_fraction": 0.2,
    "early_stop": 5,
    "target_error": 0.02,
    "checkpoint_every": "10m",
    "keep_last": 2,
    "keep_every": 500,
    "shard_size": "500MB",
    "only": "conv*",
}


def test_settings_survive_json():
    assert config_from_dict(FULL).to_dict() == FULL
    assert config_from_dict(json.loads(json.dumps(config_from_dict(FULL).to_dict()))) == config_from_dict(FULL)
    assert config_from_dict(TrainConfig().to_dict()) == TrainConfig()


def test_a_changed_copy_is_checked_and_the_first_stays_as_it_was():
    config = TrainConfig(seed=1)
    assert config.changed(seed=2).seed == 2
    assert config.seed == 1
    with pytest.raises(ConfigError, match='no setting "sead"'):
        config.changed(sead=2)
    with pytest.raises(ConfigError, match="batch_size"):
        config.changed(batch_size=0)


WRONG = [
    ("batch_size", 0),
    ("batch_size", 1.5),
    ("batch_size", True),
    ("batch_size", "100"),
    ("steps", -1),
    ("epochs", 0),
    ("epochs", float("inf")),
    ("epochs", float("nan")),
    ("learning_rate", 0.0),
    ("learning_rate", float("nan")),
    ("learning_rate", "fast"),
    ("dropout", 1.0),
    ("dropout", -0.1),
    ("dropout", float("nan")),
    ("label_smoothing", 1),
    ("ema", 1.0),
    ("warmup", 1.0),
    ("target_error", 1.0),
    ("l2", -1e-9),
    ("l2", float("inf")),
    ("weight_decay", -1.0),
    ("momentum", 1.0),
    ("bias_learning_rate", -1.0),
    ("seed", -1),
    ("seed", 2**32),
    ("seed", None),
    ("split_seed", -1),
    ("validation_fraction", 0.0),
    ("validation_fraction", 1.0),
    ("validation_fraction", float("nan")),
    ("early_stop", 0),
    ("keep_last", 0),
    ("precision", "float64"),
    ("network", 3),
    ("initializer", None),
    ("network_arguments", ["widths"]),
    ("image_size", [16]),
    ("image_size", [0, 16]),
    ("image_size", ["a", "b"]),
    ("image_size", [16.5, 16]),
    ("image_size", "16x16"),
    ("image_size", 16),
    ("augment", "flip"),
    ("augment", [1]),
    ("augment", {"flip": 1}),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_value_that_a_setting_cannot_have_is_refused_with_its_name(name, value):
    with pytest.raises(ConfigError) as caught:
        config_from_dict({name: value})
    assert name in str(caught.value)
    assert caught.value.expected
    assert caught.value.fix


def test_a_list_that_is_none_is_refused_by_the_class_too():
    with pytest.raises(ConfigError, match="augment"):
        TrainConfig(augment="flip")


def test_epochs_and_steps_exclude_each_other():
    with pytest.raises(ConfigError, match=r"both epochs \(2\) and steps \(5\)"):
        TrainConfig(epochs=2, steps=5)


def test_a_mistyped_setting_is_answered_with_the_right_one():
    with pytest.raises(ConfigError) as caught:
        config_from_dict({"learning-rate": 0.1})
    assert caught.value.fix == 'did you mean "learning_rate"?'


def test_a_mistyped_precision_is_answered_with_the_right_one():
    with pytest.raises(ConfigError) as caught:
        TrainConfig(precision="bfloat")
    assert "bfloat16" in caught.value.fix


def test_check_names_passes_none_and_valid_names():
    check_names("network", None, ("a",))
    check_names("network", "a", ("a",))
    with pytest.raises(ConfigError, match='no network "b"'):
        check_names("network", "b", ("a",))


@hypothesis.given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_fraction_is_accepted_exactly_from_0_to_below_1(value):
    if 0 <= value < 1:
        assert TrainConfig(dropout=value).dropout == value
    else:
        with pytest.raises(ConfigError, match="dropout"):
            TrainConfig(dropout=value)


def test_toml_that_cannot_be_read_names_file_and_line():
    with pytest.raises(ConfigError) as caught:
        load_toml('network = "convnet"\nepochs = = 3', file="folder/mine.toml")
    assert "mine.toml" in caught.value.what
    assert "line 2" in caught.value.what
    assert caught.value.details == {"file": "folder/mine.toml"}


def test_toml_gives_plain_settings():
    text = 'network = "convnet"\naugment = ["flip"]\n[network_arguments]\nwidths = "4-8"\n'
    config = config_from_dict(load_toml(text, file="x.toml"))
    assert config.network_arguments == {"widths": "4-8"}
    assert config.augment == ("flip",)
