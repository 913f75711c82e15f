"""Two devices that share each batch give the weights of one device."""

import json

import numpy as np
import pytest

CODE = """
import json, sys
import numpy as np
import tensorflow as tf
devices = int(sys.argv[1])
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder
from seewell.training.estimates import DataFacts
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.trainee import make_trainee

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]) if devices == 2 else tf.distribute.get_strategy()
assert strategy.num_replicas_in_sync == devices
rng = np.random.default_rng(0)
images, labels = rng.integers(0, 256, (40, 4, 4, 1)).astype(np.uint8), rng.integers(0, 3, 40)
config = TrainConfig(network="convnet", network_arguments={"widths": "4"}, optimizer=sys.argv[2], learning_rate=0.01,
                     bias_learning_rate=0.02 if sys.argv[2] == "muon" else None, augment=("alternating-flip",),
                     l2=0.01, label_smoothing=0.1, ema=0.9, precision="float32", batch_size=8, steps=10)
plan = resolve(config, DataFacts(40, 4, 4, 1, 3), Hardware("any", 2, frozenset()))
trainee = make_trainee(plan.config, (4, 4, 1), 3, None, strategy)
chunk = BatchOrder(40, 8, 0).chunk(0, 6, tf.constant(images), tf.constant(labels.astype(np.int32)))
outcome = trainee.steps.run(chunk, np.full(6, 0.01, np.float32))
kept = trainee.capture(6, {})
print(json.dumps({
    "losses": outcome.losses.tolist(), "accuracies": outcome.accuracies.tolist(), "finite": outcome.finite,
    "weights": {k: v.tolist() for k, v in kept.weights.items()},
    "average": {k: v.tolist() for k, v in kept.optimizer.items() if k.startswith("average/")},
}))
"""


@pytest.mark.parametrize("optimizer", [pytest.param("adam", marks=pytest.mark.slow), "muon"])
def test_two_mirrored_devices_give_the_weights_of_one(run_python, optimizer):
    one, two = run_python(CODE, 1, optimizer), run_python(CODE, 2, optimizer)
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    expected, found = json.loads(one.stdout.splitlines()[-1]), json.loads(two.stdout.splitlines()[-1])
    assert found["finite"]
    np.testing.assert_allclose(found["losses"], expected["losses"], atol=1e-5)
    np.testing.assert_allclose(found["accuracies"], expected["accuracies"], atol=1e-6)
    for kind in ("weights", "average"):
        assert found[kind].keys() == expected[kind].keys()
        for name in expected[kind]:
            np.testing.assert_allclose(found[kind][name], expected[kind][name], atol=1e-5, err_msg=name)
