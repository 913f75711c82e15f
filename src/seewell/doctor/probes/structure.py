"""What a compiled model is: read from its layers, its loss and its optimizer; nothing is run."""

from typing import Any

import keras
import numpy as np

from seewell.doctor.probes.anatomy import Anatomy, is_trainable
from seewell.doctor.probes.unconnected import constant_kernels
from seewell.doctor.statistics import OptimizerFacts, Structure

__all__ = ["loss_family", "mean_rate", "model_loss", "read_optimizer", "read_structure"]

_FAMILIES = {
    "sparse": ("sparsecategoricalcrossentropy",),
    "categorical": ("categoricalcrossentropy", "categoricalfocalcrossentropy", "kldivergence", "kld"),
    "binary": ("binarycrossentropy", "binaryfocalcrossentropy", "bce"),
    "regression": (
        *("meansquarederror", "meanabsoluteerror", "meanabsolutepercentageerror", "meansquaredlogarithmicerror"),
        *("mse", "mae", "mape", "msle", "huber", "logcosh", "poisson", "cosinesimilarity"),
    ),
    "hinge": ("hinge", "squaredhinge", "categoricalhinge"),
}
_ADAPTIVE = (
    *("Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "RMSprop", "Lion", "Ftrl", "Adafactor", "Lamb"),
    "Muon",
)
_SCHEDULE_STEPS = (0, 1, 10, 100, 1000)
_SCHEDULE_POINTS = 50


def model_loss(model: Any) -> Any | None:
    """The one loss that the model was compiled with, as a callable of (labels, outputs) that gives one number.

    None where there is none, or where the model computes it in its own way.
    """
    given = model.loss
    while isinstance(given, list | tuple | dict) and len(given) == 1:
        given = next(iter(given.values())) if isinstance(given, dict) else given[0]
    if given is None or isinstance(given, list | tuple | dict):
        return None
    if isinstance(given, str):
        given = keras.losses.get(given)
    if isinstance(given, keras.losses.Loss):
        return given
    return _Averaged(given)


class _Averaged(keras.losses.Loss):
    """A loss function as `fit` uses it: labels get the rank of the outputs, and the batch is averaged."""

    def __init__(self, function: Any) -> None:
        super().__init__(name="averaged")
        self._function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number an image."""
        labels, outputs = keras.ops.shape(y_true), keras.ops.shape(y_pred)
        if len(labels) == len(outputs) - 1 and outputs[-1] == 1:
            y_true = keras.ops.expand_dims(y_true, -1)
        return self._function(y_true, y_pred)


def read_structure(model: Any, anatomy: Anatomy | None, outputs: int) -> Structure:
    """The structure of a compiled model.

    Args:
        model: A compiled, built Keras model with one output.
        anatomy: Its layers, or None where they cannot be read.
        outputs: Numbers that an image gets.
    """
    family, name, from_logits = loss_family(model)
    last, layer, axis_wrong, doubled = anatomy.ending() if anatomy else ("unknown", _last_layer(model), False, False)
    hidden = anatomy.hidden() if anatomy else ()
    layers = model._flatten_layers(include_self=False)
    return Structure(
        outputs=outputs,
        last_activation=last,
        last_layer=layer,
        softmax_axis_wrong=axis_wrong,
        doubled=doubled,
        loss=family,
        loss_name=name,
        from_logits=from_logits,
        hidden=hidden,
        readable=anatomy is not None,
        trainable=sum(int(np.prod(v.shape)) for v in model.trainable_variables),
        dropouts=_dropouts(model),
        constant_layers=anatomy.constant() if anatomy else constant_kernels(model),
        penalized=_penalized(model),
        still_norms=_still_norms(model),
        bottlenecks=anatomy.bottlenecks() if anatomy else (),
        first_frozen=anatomy is not None and bool(anatomy.points) and not is_trainable(anatomy.points[0].call.layer),
        batch_norm=any(isinstance(layer, keras.layers.BatchNormalization) and layer.trainable for layer in layers),
    )


def _last_layer(model: Any) -> str:
    return str(model.layers[-1].name if model.layers else model.name)


def loss_family(model: Any) -> tuple[str, str, bool | None]:
    """The kind of loss, its name as the user wrote it, and whether it works on logits (None: no such choice)."""
    given = model.loss
    while isinstance(given, list | tuple | dict) and len(given) == 1:
        given = next(iter(given.values())) if isinstance(given, dict) else given[0]
    name = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
    plain = name.replace("_", "").lower()
    ours = isinstance(given, str) or str(getattr(given, "__module__", type(given).__module__)).startswith("keras")
    family = next((kind for kind, names in _FAMILIES.items() if plain in names), "custom") if ours else "custom"
    if family not in ("sparse", "categorical", "binary") or plain in ("kldivergence", "kld"):
        return family, name, None
    settings = getattr(given, "_fn_kwargs", {})
    return family, name, bool(getattr(given, "from_logits", settings.get("from_logits", False)))


def _dropouts(model: Any) -> tuple[tuple[str, float], ...]:
    return tuple(
        (layer.name, float(layer.rate))
        for layer in model._flatten_layers(include_self=False)
        if "Dropout" in type(layer).__name__ and isinstance(getattr(layer, "rate", None), int | float)
    )


def _still_norms(model: Any) -> tuple[str, ...]:
    return tuple(
        layer.name
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable and float(layer.momentum) >= 1
    )


def _penalized(model: Any) -> bool:
    return any(
        getattr(layer, name, None) is not None
        for layer in model._flatten_layers(include_self=False)
        for name in ("kernel_regularizer", "bias_regularizer", "activity_regularizer")
    )


def read_optimizer(optimizer: Any) -> OptimizerFacts:
    """The settings of a Keras optimizer; of the inner one where a loss scale surrounds it."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    schedule: Any = getattr(inner, "_learning_rate", None)
    scheduled = callable(schedule) and not hasattr(schedule, "assign")
    if scheduled:
        rate = max(float(np.asarray(schedule(step))) for step in _SCHEDULE_STEPS)
    else:
        rate = float(np.asarray(inner.learning_rate))
    limits = (getattr(inner, name, None) for name in ("clipnorm", "global_clipnorm", "clipvalue"))
    clips = [float(limit) for limit in limits if limit is not None]
    return OptimizerFacts(
        name=type(inner).__name__,
        learning_rate=rate,
        scheduled=scheduled,
        adaptive=type(inner).__name__ in _ADAPTIVE,
        momentum=_number(inner, "momentum"),
        beta_1=_number(inner, "beta_1"),
        beta_2=_number(inner, "beta_2") or _number(inner, "rho"),
        epsilon=_number(inner, "epsilon"),
        weight_decay=_number(inner, "weight_decay"),
        clip=min(clips) if clips else None,
    )


def mean_rate(optimizer: Any, updates: int) -> float | None:
    """Mean of a schedule's rates over the last so many updates / the largest of them; None without a schedule."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    schedule: Any = getattr(inner, "_learning_rate", None)
    if not callable(schedule) or hasattr(schedule, "assign") or updates < 1:
        return None
    end = max(updates, int(np.asarray(inner.iterations)))
    steps = np.unique(np.linspace(end - updates, end - 1, min(updates, _SCHEDULE_POINTS)).round().astype(np.int64))
    rates = [float(np.asarray(schedule(int(step)))) for step in steps]
    return float(np.mean(rates)) / max(rates) if max(rates) > 0 else None


def _number(optimizer: Any, name: str) -> float:
    value = getattr(optimizer, name, None)
    return float(value) if isinstance(value, int | float) else 0.0
