"""The compiled update: known answers, and that many in one call are the same as one at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder
from seewell.training.estimates import DataFacts
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.trainee import make_trainee

COUNT, SIDE, CLASSES, BATCH = 40, 4, 3, 8
RATE = 0.25


def data(seed=0, low=0, high=256):
    rng = np.random.default_rng(seed)
    images = rng.integers(low, high, (COUNT, SIDE, SIDE, 1)).astype(np.uint8)
    return images, rng.integers(0, CLASSES, COUNT)


def trainee_of(**settings):
    values = {
        "network": "fully-connected",
        "network_arguments": {"widths": "5"},
        "optimizer": "sgd",
        "learning_rate": RATE,
        "precision": "float32",
        "batch_size": BATCH,
        "steps": 100,
        **settings,
    }
    plan = resolve(TrainConfig(**values), DataFacts(COUNT, SIDE, SIDE, 1, CLASSES), Hardware("any", 2, frozenset()))
    return make_trainee(plan.config, (SIDE, SIDE, 1), CLASSES, None, tf.distribute.get_strategy())


def chunk_of(first, steps, images=None, labels=None):
    if images is None:
        images, labels = data()
    order = BatchOrder(COUNT, BATCH, seed=0)
    return order.chunk(first, steps, tf.constant(images), tf.constant(labels.astype(np.int32)))


def rates(steps, value=RATE):
    return np.full(steps, value, np.float32)


def arrays(trainee):
    found = trainee.capture(0, {})
    return {**found.weights, **{f"optimizer/{name}": value for name, value in found.optimizer.items()}}


def weights(trainee):
    return {variable.path: variable.numpy() for variable in trainee.model.trainable_variables}


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def logits_layer_only(trainee):
    """Make the hidden layer the identity of the first pixels, so that what is left is softmax regression."""
    kernel = np.zeros((SIDE * SIDE, 5), np.float32)
    kernel[:5, :5] = np.eye(5)
    trainee.model.get_layer("fc1").set_weights([kernel, np.zeros(5, np.float32)])
    return trainee


def numpy_gradient(images, labels, kernel, bias, smoothing=0.0):
    """Cost and gradient of softmax regression on the first five pixels."""
    x = images.reshape(len(images), -1)[:, :5].astype(np.float64) / 255
    y = np.eye(CLASSES)[labels] * (1 - smoothing) + smoothing / CLASSES
    p = softmax(x @ kernel + bias)
    cost = -(y * np.log(p)).sum(axis=1).mean()
    return cost, x.T @ (p - y) / len(x), (p - y).mean(axis=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_one_update_of_sgd_is_the_gradient_of_softmax_regression(smoothing):
    trainee = logits_layer_only(trainee_of(label_smoothing=smoothing))
    layer = trainee.model.get_layer("logits")
    kernel, bias = layer.get_weights()
    images, labels = data()
    chunk = chunk_of(0, 1)
    batch = chunk.indices[0]
    cost, slope, bias_slope = numpy_gradient(images[batch], labels[batch], kernel, bias, smoothing)
    outcome = trainee.steps.run(chunk, rates(1))
    assert outcome.finite
    np.testing.assert_allclose(outcome.losses, [cost], rtol=1e-5)
    found_kernel, found_bias = layer.get_weights()
    np.testing.assert_allclose(found_kernel, kernel - RATE * slope, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found_bias, bias - RATE * bias_slope, rtol=1e-4, atol=1e-6)


def test_the_accuracy_is_the_share_of_right_answers_before_the_update():
    trainee = trainee_of()
    images, labels = data()
    chunk = chunk_of(0, 1)
    batch = chunk.indices[0]
    answers = trainee.model.predict(images[batch], verbose=0).argmax(axis=1)
    outcome = trainee.steps.run(chunk, rates(1))
    np.testing.assert_allclose(outcome.accuracies, [(answers == labels[batch]).mean()])


def test_the_rate_of_each_update_is_the_one_given():
    still, moved = trainee_of(), trainee_of()
    before = weights(still)
    still.steps.run(chunk_of(0, 2), rates(2, 0.0))
    for name, value in weights(still).items():
        np.testing.assert_array_equal(value, before[name])
    moved.steps.run(chunk_of(0, 2), np.array([0.0, RATE], np.float32))
    still.steps.run(chunk_of(1, 1), rates(1))
    for name, value in weights(moved).items():
        np.testing.assert_array_equal(value, weights(still)[name])


def test_l2_is_in_the_gradient_and_not_in_the_cost_that_is_told():
    plain, penalized = trainee_of(), trainee_of(l2=0.1)
    for one, other in zip(plain.model.weights, penalized.model.weights, strict=True):
        other.assign(one.value)
    kernel = plain.model.get_layer("logits").get_weights()[0]
    first, second = plain.steps.run(chunk_of(0, 1), rates(1)), penalized.steps.run(chunk_of(0, 1), rates(1))
    np.testing.assert_array_equal(first.losses, second.losses)
    difference = plain.model.get_layer("logits").get_weights()[0] - penalized.model.get_layer("logits").get_weights()[0]
    np.testing.assert_allclose(difference, RATE * 2 * 0.1 * kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(
        plain.model.get_layer("logits").get_weights()[1], penalized.model.get_layer("logits").get_weights()[1]
    )


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "muon"])
def test_biases_have_a_learning_rate_of_their_own(optimizer):
    settings = {"optimizer": optimizer, "network": "convnet"}
    settings["network_arguments"] = {"widths": "2", "convolutions": "1", "normalization": "batch"}
    plain, scaled = trainee_of(**settings), trainee_of(**settings, bias_learning_rate=8 * RATE)
    before = weights(plain)
    for trainee in (plain, scaled):
        trainee.steps.run(chunk_of(0, 1), rates(1))
    usual, own = weights(plain), weights(scaled)
    assert usual.keys() == own.keys() == before.keys()
    for name, start in before.items():
        times = 8 if name.endswith(("bias", "beta")) else 1
        np.testing.assert_allclose(own[name] - start, times * (usual[name] - start), rtol=1e-4, atol=1e-6, err_msg=name)


EVERYTHING = {
    "network": "convnet",
    "network_arguments": {"widths": "4", "normalization": "batch"},
    "optimizer": "adam",
    "dropout": 0.3,
    "augment": ("shift=1", "mixup"),
    "label_smoothing": 0.1,
    "l2": 1e-3,
    "ema": 0.9,
}


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "float32"},
        {"precision": "bfloat16"},
        {"optimizer": "muon", "bias_learning_rate": 1.0, "augment": ("alternating-flip", "shift-reflect=1")},
    ],
    ids=str,
)
def test_many_updates_in_one_call_are_the_same_bits_as_one_at_a_time(settings):
    settings = EVERYTHING | settings
    together, apart = trainee_of(**settings), trainee_of(**settings)
    planned = np.linspace(0.01, 0.02, 7).astype(np.float32)
    whole = together.steps.run(chunk_of(0, 7), planned)
    parts = [apart.steps.run(chunk_of(step, 1), planned[step : step + 1]) for step in range(7)]
    np.testing.assert_array_equal(whole.losses, np.concatenate([one.losses for one in parts]))
    np.testing.assert_array_equal(whole.accuracies, np.concatenate([one.accuracies for one in parts]))
    found, expected = arrays(together), arrays(apart)
    assert found.keys() == expected.keys()
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_a_captured_trainee_goes_on_where_it_was_from_any_other_start():
    straight, resumed = trainee_of(**EVERYTHING), trainee_of(**EVERYTHING)
    straight.steps.run(chunk_of(0, 3), rates(3, 0.01))
    kept = straight.capture(3, {"step": 3})
    assert kept.step == 3
    straight.steps.run(chunk_of(3, 3), rates(3, 0.01))
    resumed.steps.run(chunk_of(20, 2), rates(2, 0.5))  # anything: all of it is replaced
    resumed.restore(kept)
    resumed.steps.run(chunk_of(3, 3), rates(3, 0.01))
    found, expected = arrays(resumed), arrays(straight)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_the_state_of_dropout_is_captured():
    names = arrays(trainee_of(dropout=0.5)).keys()
    assert any("seed_generator" in name for name in names)


def test_the_moving_average_follows_its_formula_with_its_warm_up():
    trainee = trainee_of(ema=0.6)
    average = [value.copy() for value in trainee.average.get_weights()]
    for start, now in zip(trainee.model.get_weights(), average, strict=True):
        np.testing.assert_array_equal(start, now)
    for step in range(12):
        trainee.steps.run(chunk_of(step, 1), rates(1))
        decay = min(0.6, (1 + step) / (10 + step))
        now = trainee.model.get_weights()
        average = [decay * old + (1 - decay) * new for old, new in zip(average, now, strict=True)]
        for found, expected in zip(trainee.average.get_weights(), average, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert trainee.judged is trainee.average


def test_without_a_moving_average_the_network_itself_is_judged():
    trainee = trainee_of()
    assert trainee.average is None
    assert trainee.judged is trainee.model


def test_a_batch_whose_cost_is_not_finite_changes_no_weight_and_ends_the_call():
    trainee = trainee_of()
    trainee.steps.run(chunk_of(0, 1), rates(1))
    huge = trainee.model.get_layer("logits")
    kernel, bias = huge.get_weights()
    huge.set_weights([np.full_like(kernel, np.inf), bias])
    before = weights(trainee)
    outcome = trainee.steps.run(chunk_of(1, 5), rates(5))
    assert not outcome.finite
    assert len(outcome.losses) == len(outcome.accuracies) == 1
    for name, value in weights(trainee).items():
        np.testing.assert_array_equal(value, before[name])


def test_the_updates_before_a_batch_that_is_not_finite_are_made_and_told():
    trainee = trainee_of()
    outcome = trainee.steps.run(chunk_of(0, 6), np.array([0.1, 1e38, 0.1, 0.1, 0.1, 0.1], np.float32))
    assert not outcome.finite
    assert 2 <= len(outcome.losses) < 6
    assert np.isfinite(outcome.losses[:-1]).all()
    assert not np.isfinite(outcome.losses[-1])


def test_a_batch_can_be_had_just_as_the_network_sees_it():
    trainee = trainee_of(augment=("flip=1",), label_smoothing=0.3)
    images, labels = data()
    chunk = chunk_of(4, 2)
    batch, soft = trainee.steps.batch(chunk, 1)
    np.testing.assert_array_equal(batch, images[chunk.indices[1]][:, :, ::-1])
    np.testing.assert_allclose(soft, np.eye(CLASSES)[labels[chunk.indices[1]]] * 0.7 + 0.1, rtol=1e-6)


def test_augmentation_depends_on_the_update_s_number_not_on_its_place_in_a_call():
    trainee = trainee_of(augment=("shift=2",))
    first, _ = trainee.steps.batch(chunk_of(2, 3), 1)
    second, _ = trainee.steps.batch(chunk_of(3, 1), 0)
    other, _ = trainee.steps.batch(chunk_of(4, 1), 0)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_alternating_flip_shows_each_image_mirrored_in_every_other_epoch():
    trainee = trainee_of(augment=("alternating-flip",))
    images, _ = data()
    flipped = np.zeros((4, COUNT), int)  # batches of 8 of 40 images: five an epoch
    for step in range(20):
        chunk = chunk_of(step, 1)
        batch, _ = trainee.steps.batch(chunk, 0)
        for place, number in enumerate(chunk.numbers[0]):
            mirrored = np.array_equal(batch[place], images[number][:, ::-1])
            assert mirrored != np.array_equal(batch[place], images[number])
            flipped[step // 5, number] = mirrored
    assert (flipped[0] != flipped[1]).all()
    np.testing.assert_array_equal(flipped[2:], flipped[:2])
    assert 8 < flipped[0].sum() < 32


def test_float16_trains_with_a_scaled_cost():
    trainee = trainee_of(precision="float16")
    before = weights(trainee)
    assert isinstance(trainee.optimizer, keras.optimizers.LossScaleOptimizer)
    for _ in range(2):  # the first scale may be too high: such updates are left out and the scale is halved
        outcome = trainee.steps.run(chunk_of(0, 4), rates(4))
    assert outcome.finite
    assert all(value.dtype == np.float32 for value in weights(trainee).values())
    assert any((value != before[name]).any() for name, value in weights(trainee).items())
    assert any("dynamic_scale" in name for name in arrays(trainee))


def test_the_step_is_traced_once_however_long_the_calls_are():
    trainee = trainee_of()
    for first, steps in ((0, 1), (1, 1), (2, 5), (7, 3)):
        trainee.steps.run(chunk_of(first, steps), rates(steps))
    assert trainee.steps._run.experimental_get_tracing_count() == 1
