"""What the configuration of a foreign Keras network may name: stock layers and plain values."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seewell.runs.gates.listed import listed
from seewell.runs.gates.refusal import refusal

__all__ = ["LAYERS", "check_config"]

LARGEST = 64 * 2**20
"""Bytes of a configuration; a mean image of 224x224x3 takes about 3 MB."""

LAYERS = listed(
    """
    InputLayer Dense Activation Conv1D Conv2D Conv2DTranspose DepthwiseConv2D SeparableConv2D
    MaxPooling2D AveragePooling2D GlobalMaxPooling2D GlobalAveragePooling2D MaxPooling1D AveragePooling1D
    GlobalMaxPooling1D GlobalAveragePooling1D Flatten Reshape Permute RepeatVector
    ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D UpSampling2D Resizing Rescaling Normalization
    CenterCrop
    BatchNormalization LayerNormalization GroupNormalization UnitNormalization SpectralNormalization
    Dropout SpatialDropout2D GaussianDropout GaussianNoise AlphaDropout ActivityRegularization
    ReLU LeakyReLU PReLU ELU Softmax Identity
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    MultiHeadAttention Attention Embedding
    RandomFlip RandomTranslation RandomRotation RandomZoom RandomCrop RandomContrast RandomBrightness
    """
)
"""Layers without code, files or networks of their own in their configuration."""

_PLAIN_LAYERS = "keras.layers"
_MODELS = frozenset({"Functional", "Sequential"})
_INITIALIZERS = listed(
    """
    Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling GlorotNormal GlorotUniform HeNormal
    HeUniform LecunNormal LecunUniform Orthogonal OrthogonalInitializer Identity IdentityInitializer
    """
)
_CLASSES: dict[str, frozenset[str]] = {
    "keras": frozenset({*_MODELS, "DTypePolicy"}),
    "keras.models": _MODELS,
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.src.models.sequential": frozenset({"Sequential"}),
    "keras.dtype_policies": frozenset({"DTypePolicy"}),
    _PLAIN_LAYERS: LAYERS,
    "keras.initializers": _INITIALIZERS,
    "keras.regularizers": frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"}),
    "keras.constraints": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
    "keras.optimizers": listed(
        "SGD Adam AdamW Adamax Adadelta Adagrad RMSprop Nadam Ftrl Lion Lamb Muon LossScaleOptimizer"
    ),
    "keras.optimizers.schedules": listed(
        "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay"
    ),
    "keras.losses": listed(
        """
        CategoricalCrossentropy SparseCategoricalCrossentropy BinaryCrossentropy CategoricalFocalCrossentropy
        BinaryFocalCrossentropy MeanSquaredError MeanAbsoluteError KLDivergence Hinge CategoricalHinge SquaredHinge
        """
    ),
    "keras.metrics": listed(
        """
        Accuracy CategoricalAccuracy SparseCategoricalAccuracy BinaryAccuracy TopKCategoricalAccuracy
        SparseTopKCategoricalAccuracy AUC Precision Recall Mean CategoricalCrossentropy SparseCategoricalCrossentropy
        """
    ),
}
_CLASSES |= {
    "keras.src.ops.numpy": listed(
        """
        Add Subtract Multiply TrueDivide Divide Negative Mean Max Sum Maximum Minimum Reshape Transpose Concatenate
        Square Sqrt Absolute Abs Exp Tanh Clip Squeeze ExpandDims
        """
    ),
    "keras.src.ops.nn": listed(
        "Relu Relu6 LeakyRelu Elu Selu Celu Gelu Silu HardSilu Sigmoid HardSigmoid Softmax Softplus Softsign"
    ),
}
_VALUES = frozenset({"__keras_tensor__", "__numpy__", "__slice__", "__ellipsis__"})
_ANY = frozenset().union(*_CLASSES.values())
_LONGEST_TEXT = 1000
_DEEPEST = 60
_ALLOWED = "stock Keras layers (docs/adopt.md lists them)"


def check_config(text: str | bytes, path: Path, *, legacy: bool = False) -> Any:
    """Refuse a configuration that names anything but stock layers, or holds a path, a URL or code.

    Args:
        text: The JSON of the network.
        path: The file it came from, for the message.
        legacy: Whether classes may come without their module, as in ``.h5`` files.

    Returns:
        The configuration, parsed.

    Raises:
        FormatError: Names the class or the value.
    """
    if len(text) > LARGEST:
        raise refusal(path, f"a configuration of {len(text):,} bytes.", expected=f"at most {LARGEST:,}")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise refusal(
            path, "its configuration is not JSON.", expected="a whole file", fix="copy the file again"
        ) from problem
    if not isinstance(config, dict) or config.get("class_name") not in _MODELS:
        named = config.get("class_name") if isinstance(config, dict) else type(config).__name__
        raise refusal(path, f'it holds a "{named}".', expected="a Functional or Sequential Keras model")
    for value, key in _walk(config, "", 0, path):
        if isinstance(value, dict):
            _check_class(value, path, legacy)
        elif isinstance(value, str):
            _check_text(value, key, path)
    return config


def _walk(value: Any, key: str, depth: int, path: Path) -> Iterator[tuple[Any, str]]:
    if depth > _DEEPEST:
        raise refusal(path, f"its configuration is nested more than {_DEEPEST} deep.", expected=_ALLOWED)
    yield value, key
    if isinstance(value, dict):
        for name, one in value.items():
            yield name, "key"
            yield from _walk(one, name, depth + 1, path)
    elif isinstance(value, list):
        for one in value:
            if not isinstance(one, int | float):  # a mean image is a list of a hundred thousand numbers
                yield from _walk(one, key, depth + 1, path)
            elif one != one or abs(one) > 1e308:
                raise refusal(path, f'the value "{key}" is not finite.', expected="finite numbers")


def _check_class(value: dict[str, Any], path: Path, legacy: bool) -> None:
    if "class_name" not in value:
        if "module" in value or "registered_name" in value:
            raise refusal(path, "an object without a class.", expected=_ALLOWED)
        return
    name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if name in _VALUES and not registered:
        return
    if not isinstance(name, str) or registered not in (None, name) or not isinstance(module, str | None):
        raise refusal(path, f'the class "{name}", registered as "{registered}".', expected=_ALLOWED)
    if module is None and not (legacy and name in _ANY):
        raise refusal(path, f'the class "{name}" without a module.', expected=_ALLOWED)
    if module is not None and name not in _CLASSES.get(module, frozenset()):
        raise refusal(path, f'the class "{module}.{name}".', expected=_ALLOWED)


def _check_text(text: str, key: str, path: Path) -> None:
    if len(text) > _LONGEST_TEXT or "\0" in text:
        raise refusal(path, f'the value "{key}" is a text of {len(text):,} characters.', expected="short names")
    if "/" in text or "\\" in text or text in (".", "..") or text.startswith("~"):
        raise refusal(path, f'the value "{key}" is "{text}", a path or a URL.', expected="names and numbers")
