"""The plan: options beat proposals, proposals have reasons, quick depends on data and processor only."""

import dataclasses

import hypothesis
import pytest
from hypothesis import strategies as st

from seewell.config import TrainConfig
from seewell.errors import ConfigError, NetworkError
from seewell.training.estimates import DataFacts
from seewell.training.plan import check_config, resolve
from seewell.training.precision import Hardware

OLD = Hardware("old", 2, frozenset({"avx2"}))
NEW = Hardware("new", 2, frozenset({"avx512f", "avx512_bf16", "amx_bf16"}))
DIGITS = DataFacts(images=1294, height=8, width=8, channels=1, classes=10)
CIFAR = DataFacts(images=45_000, height=32, width=32, channels=3, classes=10)

OPEN = ("network", "preprocess", "optimizer", "learning_rate", "weight_decay", "schedule", "warmup", "batch_size")
OPEN += ("augment", "l2", "dropout", "label_smoothing", "ema")


def plan(config=None, facts=DIGITS, machine=OLD):
    return resolve(config or TrainConfig(), facts, machine)


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(recipe="quick"),
        TrainConfig(network="convnet"),
        TrainConfig(network="resnet20", steps=5),
        TrainConfig(network="vgg-small", optimizer="sgd"),
    ],
)
@pytest.mark.parametrize("facts", [DIGITS, CIFAR])
def test_nothing_is_left_open_and_the_precision_is_a_format(config, facts):
    found = plan(config, facts).config
    assert all(getattr(found, name) is not None for name in OPEN)
    assert (found.epochs is None) != (found.steps is None)
    assert found.precision in ("float32", "bfloat16", "float16")


SETTINGS = {
    "network": "convnet",
    "network_arguments": {"widths": "4"},
    "preprocess": "none",
    "optimizer": "rmsprop",
    "learning_rate": 0.123,
    "schedule": "steps",
    "warmup": 0.2,
    "epochs": 3.5,
    "batch_size": 17,
    "augment": (),
    "l2": 0.5,
    "dropout": 0.9,
    "label_smoothing": 0.3,
    "ema": 0.5,
}


@pytest.mark.parametrize("recipe", [None, "quick"])
@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_an_option_beats_every_proposal_and_is_no_automatic_choice(recipe, name):
    base = {} if recipe == "quick" else {"network": "convnet"}
    config = TrainConfig(**{"recipe": recipe, **base, name: SETTINGS[name]})
    found = plan(config)
    assert getattr(found.config, name) == SETTINGS[name]
    assert name not in [choice.setting for choice in found.choices]


def test_every_automatic_choice_is_recorded_once_with_its_value_and_a_reason():
    for config in (TrainConfig(), TrainConfig(network="resnet18"), TrainConfig(network="convnet", optimizer="sgd")):
        found = plan(config, CIFAR)
        chosen = {choice.setting: choice for choice in found.choices}
        assert len(chosen) == len(found.choices)
        for choice in found.choices:
            assert choice.reason
            value = getattr(found.config, choice.setting)
            assert value == (tuple(choice.value) if isinstance(value, tuple) else choice.value)
        changed = {
            field.name
            for field in dataclasses.fields(TrainConfig)
            if getattr(config, field.name) != getattr(found.config, field.name)
        }
        assert changed - set(chosen) <= {"recipe", "weight_decay"}


@hypothesis.given(
    st.builds(
        DataFacts, st.integers(20, 10**6), *[st.integers(1, 256)] * 2, st.sampled_from([1, 3]), st.integers(2, 99)
    ),
    st.sampled_from([OLD, NEW, dataclasses.replace(NEW, cores=64), dataclasses.replace(OLD, gpus=((8, 0),))]),
)
def test_quick_depends_on_data_and_processor_only_and_makes_at_most_forty_epochs_or_two_hundred_updates(facts, machine):
    first, again = plan(facts=facts, machine=machine), plan(TrainConfig(seed=9), facts, machine)
    assert first.config.changed(seed=9) == again.config
    assert first.choices == again.choices
    assert first.total_steps >= 200
    assert 0 < first.config.epochs <= 40 or first.total_steps <= 201 + facts.images / first.config.batch_size
    assert first.config.recipe == "quick"
    assert first.total_steps >= 1


@pytest.mark.parametrize(
    ("images", "widths", "epochs"),
    [(500, "64-256-256", 8), (2_300, "64-128-256", 8), (5_000, "32-64-128", 6), (40_500, "16-32-64", 3)],
)
def test_quick_takes_narrower_layers_before_it_takes_too_few_epochs(images, widths, epochs):
    facts = DataFacts(images=images, height=32, width=32, channels=3, classes=10)
    config = plan(facts=facts, machine=NEW).config
    assert config.network_arguments["widths"] == widths
    assert config.epochs >= epochs


@pytest.mark.parametrize(
    ("side", "config", "network"),
    [
        (28, TrainConfig(), "speed"),
        (64, TrainConfig(optimizer="muon", recipe="quick"), "speed"),
        (65, TrainConfig(), "convnet"),
        (8, TrainConfig(), "convnet"),
        (32, TrainConfig(recipe="quick", optimizer="adam"), "convnet"),
        (32, TrainConfig(learning_rate=0.001), "convnet"),
        (32, TrainConfig(network_arguments={"normalization": "batch"}), "convnet"),
        (32, TrainConfig(preprocess="scale,resize=8x8"), "convnet"),
        (224, TrainConfig(preprocess="scale,resize=32x32"), "speed"),
    ],
)
def test_quick_takes_the_fast_network_where_images_are_small_and_the_optimizer_is_its_own(side, config, network):
    facts = DataFacts(images=5_000, height=side, width=side, channels=3, classes=10)
    found = plan(config, facts).config
    assert found.network == network
    assert found.optimizer == ("muon" if network == "speed" else "adam")
    assert (found.bias_learning_rate is not None) == (network == "speed")


@hypothesis.given(st.integers(20, 10**5), st.sampled_from([1, 3]))
def test_two_devices_can_share_what_quick_takes_for_a_batch(images, channels):
    facts = DataFacts(images=images, height=32, width=32, channels=channels, classes=10)
    assert plan(facts=facts).config.batch_size % 2 == 0


def test_speed_by_name_is_planned_with_its_own_width():
    narrow = TrainConfig(recipe="quick", network="speed", network_arguments={"widths": "16-32-64"})
    wide = TrainConfig(recipe="quick", network="speed")
    assert plan(narrow, CIFAR).config.epochs >= plan(wide, CIFAR).config.epochs
    assert plan(wide, CIFAR, NEW).config.network_arguments == {}


def test_where_the_fewest_updates_take_more_than_a_minute_that_is_said():
    large = DataFacts(images=500, height=224, width=224, channels=3, classes=10)
    reasons = [
        next(choice.reason for choice in plan(facts=facts).choices if choice.setting == "epochs")
        for facts in (large, DIGITS)
    ]
    assert "expected to take about" in reasons[0]
    assert "about a minute" in reasons[1]


def test_a_batch_larger_than_the_set_and_endless_trainings_are_refused():
    with pytest.raises(ConfigError, match="more than the 1,294 training images"):
        plan(TrainConfig(network="convnet", batch_size=1296))
    with pytest.raises(ConfigError, match="more than anybody can wait for"):
        plan(TrainConfig(network="convnet", epochs=1e30))


def test_an_optimizer_alone_takes_the_convnet_not_the_settings_of_quick():
    config = plan(TrainConfig(optimizer="sgd")).config
    assert (config.network, config.schedule, config.ema, config.recipe) == ("convnet", "constant", 0.0, None)


def test_adamw_decays_by_its_own_default_and_the_others_do_not():
    assert plan(TrainConfig(network="convnet", optimizer="adamw")).config.weight_decay == 0.01
    assert plan(TrainConfig(network="convnet", optimizer="adam")).config.weight_decay == 0.0


def test_momentum_is_recorded_where_there_is_one():
    assert plan(TrainConfig(network="convnet", optimizer="nesterov")).config.momentum == 0.9
    assert plan(TrainConfig(network="convnet", optimizer="muon")).config.momentum == 0.95
    assert plan(TrainConfig(network="convnet", optimizer="muon", momentum=0.5)).config.momentum == 0.5
    assert plan(TrainConfig(network="convnet", optimizer="adam")).config.momentum is None


@pytest.mark.parametrize(
    ("setting", "optimizer"),
    [("momentum", "adam"), ("momentum", "sgd"), ("bias_learning_rate", "adam"), ("bias_learning_rate", "rmsprop")],
)
def test_a_setting_that_the_optimizer_would_drop_is_refused(setting, optimizer):
    with pytest.raises(ConfigError, match=f'the optimizer "{optimizer}"'):
        plan(TrainConfig(network="convnet", optimizer=optimizer, **{setting: 0.5}))


def test_speed_takes_muon_with_its_own_settings_and_with_another_optimizer_that_ones():
    config = plan(TrainConfig(network="speed"), CIFAR).config
    assert (config.optimizer, config.schedule, config.preprocess) == ("muon", "linear", "per-channel")
    assert config.bias_learning_rate > config.learning_rate
    adam = plan(TrainConfig(network="speed", optimizer="adam"), CIFAR).config
    assert (adam.learning_rate, adam.bias_learning_rate, adam.momentum) == (1e-3, None, None)


def test_a_faster_processor_affords_at_least_as_many_epochs():
    facts = DataFacts(images=7200, height=28, width=28, channels=1, classes=10)
    assert plan(facts=facts, machine=NEW).config.epochs > plan(facts=facts, machine=OLD).config.epochs


def test_photographs_are_mirrored_and_grey_images_are_not():
    assert "alternating-flip" in plan(facts=CIFAR).config.augment
    assert not [one for one in plan(facts=DIGITS).config.augment if "flip" in one]


def test_a_named_network_takes_the_series_settings_not_those_of_quick():
    found = plan(TrainConfig(network="convnet")).config
    assert found.recipe is None
    assert found.network_arguments == {}
    assert (found.optimizer, found.learning_rate, found.batch_size, found.epochs) == ("adam", 1e-3, 100, 10)
    assert (found.schedule, found.preprocess, found.augment, found.dropout, found.ema) == (
        "constant",
        "scale",
        (),
        0,
        0,
    )


def test_a_residual_network_has_defaults_of_its_own():
    found = plan(TrainConfig(network="resnet20")).config
    assert (found.optimizer, found.learning_rate, found.batch_size) == ("momentum", 0.1, 128)
    assert (found.schedule, found.preprocess) == ("cosine", "per-channel")


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.01), ("adam", 0.001), ("rmsprop", 0.001), ("momentum", 0.1)])
def test_the_rate_of_a_network_belongs_to_its_own_optimizer(optimizer, rate):
    found = plan(TrainConfig(network="resnet20", optimizer=optimizer))
    assert found.config.learning_rate == rate


def test_the_length_is_in_steps_or_in_epochs():
    assert plan(TrainConfig(network="convnet", steps=7)).total_steps == 7
    assert plan(TrainConfig(network="convnet", epochs=1, batch_size=1294)).total_steps == 1
    assert plan(TrainConfig(network="convnet", epochs=1)).total_steps == 13
    assert plan(TrainConfig(network="convnet", epochs=0.001)).total_steps == 1
    assert plan(TrainConfig(network="convnet", epochs=10)).total_steps == 130


@hypothesis.given(st.integers(1, 5000), st.integers(1, 600), st.integers(1, 30))
def test_whole_epochs_see_every_image_so_many_times_and_less_than_a_batch_more(images, batch, epochs):
    batch = min(batch, images)
    facts = dataclasses.replace(DIGITS, images=images)
    steps = plan(TrainConfig(network="convnet", epochs=epochs, batch_size=batch), facts).total_steps
    assert 0 <= steps * batch - images * epochs < batch


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"network": "convent"}, "convnet"),
        ({"optimizer": "adm"}, "adam"),
        ({"schedule": "cosin"}, "cosine"),
        ({"initializer": "hee"}, "he"),
        ({"augment": ("flop",)}, "flip"),
        ({"preprocess": "scael"}, "scale"),
        ({"network": "convnet", "network_arguments": {"width": "4"}}, "widths"),
    ],
)
def test_a_mistyped_name_is_refused_before_any_data_is_read(settings, named):
    with pytest.raises((ConfigError, NetworkError)) as caught:
        check_config(TrainConfig(**settings))
    assert named in caught.value.fix


@pytest.mark.parametrize(
    "settings",
    [
        {"checkpoint_every": "often"},
        {"network": "convnet", "network_arguments": {"widths": "none"}},
        {"preprocess": "pad=0x0"},
        {"weight_decay": 0.1, "optimizer": "adam"},
    ],
)
def test_a_value_that_cannot_be_is_refused_before_any_data_is_read(settings):
    with pytest.raises((ConfigError, NetworkError)):
        check_config(TrainConfig(**settings))


@pytest.mark.parametrize("network", [None, "convnet", "resnet20"])
def test_weight_decay_without_an_optimizer_that_has_it_is_not_dropped_in_silence(network):
    with pytest.raises(ConfigError, match="no weight decay"):
        plan(TrainConfig(network=network, weight_decay=0.1))
    assert plan(TrainConfig(network=network, weight_decay=0.1, optimizer="adamw")).config.weight_decay == 0.1
