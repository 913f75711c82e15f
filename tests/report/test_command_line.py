import shlex

from hypothesis import given
from hypothesis import strategies as st

from seewell.config import TrainConfig
from seewell.report.command_line import changed_command, command_of, command_of_run

DEFAULTS = TrainConfig().to_dict()


def test_defaults_need_not_be_said():
    assert command_of(DEFAULTS, "digits") == "seewell train digits"


def test_each_kind_of_setting_has_its_form():
    config = TrainConfig(
        network="convnet",
        network_arguments={"widths": "64-128", "stride": 2},
        image_size=(32, 48),
        augment=("flip", "shift=2"),
        learning_rate=1e-7,
        epochs=20.0,
        seed=3,
    )
    assert shlex.split(command_of(config.to_dict(), "digits")) == [
        *("seewell", "train", "digits", "--network", "convnet:widths=64-128,stride=2"),
        *("--image-size", "32x48", "--learning-rate", "1e-07", "--epochs", "20", "--augment", "flip,shift=2"),
        *("--seed", "3"),
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_shell_reads_the_source_as_one_word(source):
    words = shlex.split(command_of({}, source))
    assert words[-1] == source
    assert words[:2] == ["seewell", "train"]


def test_a_source_that_looks_like_an_option_is_still_a_source():
    assert command_of({}, "--out") == "seewell train -- --out"


def test_an_option_replaces_what_it_names():
    config = {**DEFAULTS, "augment": ["flip"], "dropout": 0.5}
    command = changed_command(config, "digits", "--augment flip,shift")
    assert command == "seewell train digits --dropout 0.5 --augment flip,shift"


def test_epochs_replace_steps():
    assert changed_command({"steps": 500}, "digits", "--epochs 4") == "seewell train digits --epochs 4"


def test_another_optimizer_takes_none_of_the_settings_that_only_the_first_has():
    config = {"optimizer": "muon", "bias_learning_rate": 9.0, "momentum": 0.6, "weight_decay": 0.1, "seed": 1}
    command = changed_command(config, "digits", "--optimizer adam --learning-rate 0.001")
    assert command == "seewell train digits --seed 1 --optimizer adam --learning-rate 0.001"


def test_what_seewell_chose_itself_is_left_out_and_what_was_asked_for_is_not():
    info = {
        "config": {**DEFAULTS, "recipe": "quick", "network": "convnet", "network_arguments": {"widths": "64"},
                   "epochs": 40, "precision": "float32", "weight_decay": 0.0, "seed": 5},
        "choices": [
            {"setting": "network", "value": "convnet", "reason": "learns fast"},
            {"setting": "network_arguments", "value": {"widths": "64"}, "reason": "it is small"},
            {"setting": "optimizer", "value": "adam", "reason": "few epochs"},
            {"setting": "epochs", "value": 40, "reason": "about a minute"},
            {"setting": "precision", "value": "float32", "reason": "asked for"},
        ],
        "dataset": {"source": "my digits"},
    }  # fmt: skip
    assert command_of_run(info) == "seewell train 'my digits' --precision float32 --seed 5"


def test_a_recipe_of_ones_own_is_spelled_out():
    info = {"config": {"recipe": "mine", "optimizer": "sgd"}, "dataset": {"source": "digits"}}
    assert command_of_run(info) == "seewell train digits --optimizer sgd"


def test_defaults_may_be_given():
    info = {"config": {"optimizer": "sgd", "epochs": 5}, "dataset": {"source": "digits"}}
    assert command_of_run(info, defaults={"optimizer": "sgd"}) == "seewell train digits --epochs 5"


def test_quick_is_named_where_its_optimizer_was_replaced():
    info = {
        "config": {"recipe": "quick", "network": "convnet", "optimizer": "sgd"},
        "choices": [{"setting": "network", "value": "convnet", "reason": "learns fast"}],
        "dataset": {"source": "digits"},
    }
    assert command_of_run(info) == "seewell train digits --recipe quick --optimizer sgd"


def test_a_recipe_says_its_own_settings():
    from seewell.training.recipes import load_recipe

    config = {**DEFAULTS, **load_recipe("ltfn-05-convnet"), "seed": 2}
    command = command_of_run({"config": config, "dataset": {"source": "mnist"}})
    assert command == "seewell train mnist --recipe ltfn-05-convnet --seed 2"
