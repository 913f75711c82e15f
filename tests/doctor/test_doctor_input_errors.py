"""What cannot be judged is said clearly; a failure of a probe never breaks a training."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from doctor_cases import L, digits

import seewell
from seewell.errors import DataError, NetworkError

X, Y = digits()
X, Y = X[:200] / 16, Y[:200]


def model(outputs: int = 10, last: str | None = "softmax", loss: Any = "sparse_categorical_crossentropy") -> Any:
    made = keras.Sequential([keras.Input((8, 8, 1)), L.Flatten(), L.Dense(outputs, activation=last)])
    made.compile("adam", loss)
    return made


def not_compiled() -> Any:
    return keras.Sequential([keras.Input((8, 8, 1)), L.Flatten(), L.Dense(10)])


def not_built() -> Any:
    made = keras.Sequential([L.Flatten(), L.Dense(10)])
    made.compile("adam", "sparse_categorical_crossentropy")
    return made


def two_outputs() -> Any:
    image = keras.Input((8, 8, 1))
    flat = L.Flatten()(image)
    made = keras.Model(image, [L.Dense(10)(flat), L.Dense(2)(flat)])
    made.compile("adam", ["mse", "mse"])
    return made


def words() -> Any:
    layers = [L.Embedding(10, 4), L.GlobalAveragePooling1D(), L.Dense(10, "softmax")]
    made = keras.Sequential([keras.Input((8,)), *layers])
    made.compile("adam", "sparse_categorical_crossentropy")
    return made


def one_map() -> Any:
    made = keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(3, 3)])
    made.compile("adam", "mse")
    return made


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (not_compiled, "is not compiled"),
        (not_built, "is not built"),
        (two_outputs, "2 outputs"),
        (words, "takes words"),
        (one_map, r"has the shape \(None, 6, 6, 3\)"),
        (lambda: "model", "is not a Keras model"),
    ],
)
def test_a_model_that_cannot_be_judged_is_refused(make: Any, words: str) -> None:
    with pytest.raises(NetworkError, match=words) as caught:
        seewell.examine(make(), X, Y)
    assert caught.value.expected
    assert caught.value.fix


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (lambda: (model(), X), "without labels"),
        (lambda: (model(), X, Y[:100]), "200 images and 100 labels"),
        (lambda: (model(), X[:0], Y[:0]), "is empty"),
        (lambda: (model(), X[:, :6], Y), r"images of the shape \(6, 8, 1\)"),
        (lambda: (model(), X, np.zeros(200, "int64")), "one class only"),
        (lambda: (model(), X, Y + 0.5), "regression"),
        (lambda: (model(1, None, "mse"), X, Y), "regression"),
        (lambda: (model(), X, np.eye(9)[Y % 9]), "have 9 columns"),
        (lambda: (model(), X, np.ones((200, 10))), "do not sum to 1"),
        (lambda: (model(), X, np.array(["a"] * 200)), "labels are of type"),
        (lambda: (model(), iter([(X, Y)])), "without labels"),
        (lambda: (model(), iter([X]), Y), "is a generator"),
        (lambda: (model(), {"a": X}, Y), "several parts"),
        (lambda: (model(), X, {"a": Y}), "labels of x are no single array"),
        (lambda: (model(), [X[0], X[0][:4]], Y[:2]), "images of x are no single array"),
        (lambda: (model(), np.array(["a.png"] * 200), Y), "x is of type"),
        (lambda: (model(), tf.data.Dataset.from_tensor_slices((X, Y))), "gives no batches"),
        (lambda: (model(), tf.data.Dataset.from_tensor_slices(X).batch(9)), "does not give pairs"),
        (lambda: (model(), tf.data.Dataset.from_tensor_slices({"a": X}).batch(9)), "does not give pairs"),
    ],
)
def test_data_that_do_not_fit_are_refused(give: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        seewell.examine(*give())
    assert caught.value.expected
    assert caught.value.fix


def test_a_wrong_target_or_share_is_refused() -> None:
    with pytest.raises(DataError, match="target_error is 5"):
        seewell.examine(model(), X, Y, target_error=5)
    with pytest.raises(seewell.SeewellError, match="time_share is 3"):
        seewell.Doctor(time_share=3)


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.flat, self.hidden, self.out = L.Flatten(), L.Dense(16, "relu"), L.Dense(10)

    def call(self, images: Any) -> Any:
        return self.out(self.hidden(self.flat(images)))


def test_a_subclassed_model_is_judged_by_its_answers_and_the_rest_is_a_limit() -> None:
    keras.utils.set_random_seed(0)
    made = Subclassed()
    made.compile("adam", "sparse_categorical_crossentropy")
    made(X[:1])
    doctor = seewell.Doctor()
    found = doctor.examine(made, X, Y)
    assert [one.code for one in found if one.severity != "info"][:1] == ["output-activation-missing"]
    assert any("cannot be read" in limit for limit in doctor.limits)


def test_a_failure_of_a_probe_is_a_note_and_training_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from seewell.doctor.watch import Watch

    def fail(self: Any, *, whole: bool = False) -> None:
        raise RuntimeError("probe")

    monkeypatch.setattr(Watch, "course", fail)
    doctor = seewell.Doctor()
    made = model()
    history = made.fit(X, Y, epochs=1, callbacks=[doctor], verbose=0)
    assert len(history.history["loss"]) == 1
    assert any("RuntimeError: probe" in limit for limit in doctor.limits)


def test_the_doctor_given_only_to_fit_judges_structure_and_says_what_it_cannot_see() -> None:
    doctor = seewell.Doctor()
    model(10, None).fit(X, Y, epochs=1, callbacks=[doctor], verbose=0)
    assert [one.code for one in doctor.findings][:1] == ["output-activation-missing"]
    assert any(limit.startswith("images and labels") for limit in doctor.limits)


def test_a_model_that_is_no_classifier_is_left_in_peace_by_the_callback() -> None:
    doctor = seewell.Doctor()
    two = two_outputs()
    two.fit(X, [np.eye(10)[Y], np.eye(2)[Y % 2]], epochs=1, callbacks=[doctor], verbose=0)
    assert doctor.findings == []
    assert any("2 outputs" in limit for limit in doctor.limits)
