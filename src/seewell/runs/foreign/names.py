"""Layer names out of a foreign graph: the author's own where there was one."""

import re
from collections.abc import Iterable, Sequence

from seewell.runs.foreign.values import Step
from seewell.runs.gates.listed import listed

__all__ = ["clean_name", "given_name", "layer_names"]

_AUTOMATIC = listed(
    """
    add addv2 sub mul div truediv realdiv biasadd bias_add conv2d convolution depthwise separable_conv2d matmul
    xw_plus_b
    relu relu6 leakyrelu elu selu softplus softsign sigmoid tanh softmax maxpool max_pool avgpool avg_pool maxpool2d
    max_pool2d avg_pool2d maxpool_2d mean reshape flatten squeeze expanddims transpose pad padv2 slice strided_slice
    concat concatv2 identity cast argmax equal dropout selectv2 select batchnorm fusedbatchnorm fusedbatchnormv2
    fusedbatchnormv3 tensordot maximum
    resize_image_with_crop_or_pad pad_to_bounding_box crop_to_bounding_box random_normal random_uniform
    truncated_normal softmax_cross_entropy_with_logits softmax_cross_entropy_with_logits_sg
    const placeholder statefulpartitionedcall partitionedcall
    """
)
_SUFFIX = re.compile(r"(?i)[_/-]?(weights?|kernels?|filters?|w)(:0)?$")
_WEIGHTED = ("convolution", "depthwise", "dense", "batch_normalization")


def given_name(node: str) -> str:
    """The name that an author gave a node, or an empty text where TensorFlow made it up.

    Example:
        >>> given_name("predictions"), given_name("conv1/BiasAdd_1"), given_name("Relu_3")
        ('predictions', 'conv1', '')
    """
    parts = [part for part in node.split("/") if part]
    while parts and _is_automatic(parts[-1]):
        parts.pop()
    return "/".join(parts)


def _is_automatic(part: str) -> bool:
    return re.sub(r"_\d+$", "", part).lower() in _AUTOMATIC


def layer_names(steps: Sequence[Step], reserved: Iterable[str]) -> list[str]:
    """A Keras name for each step, no two alike.

    A layer with weights is called as its scope or, where it has none, as its
    weights ("layer1_weights" gives "layer1"); others as their node, or as what
    they do to the layer before.

    Args:
        steps: In the order of the network.
        reserved: Names that are taken.

    Returns:
        One name a step, in the same order.
    """
    shared = _shared_scope([given_name(step.node) for step in steps if step.kind in _WEIGHTED])
    taken = set(reserved)
    found: dict[int, str] = {}
    names = []
    for step in steps:
        name = clean_name(_wanted(step, shared, found))
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        found[id(step)] = free
        names.append(free)
    return names


def _wanted(step: Step, shared: str, found: dict[int, str]) -> str:
    own = given_name(step.node).removeprefix(shared)
    if step.kind in _WEIGHTED:
        kernel = step.weights.get("kernel") or step.weights.get("moving_mean")
        variable = _SUFFIX.sub("", (kernel.variable or "") if kernel else "")
        plain = "" if "VARIABLE_VALUE" in variable or variable.startswith("Variable") else variable
        return own or plain or step.kind
    if own:
        scope_of_layer = any(own == name for name in found.values())
        return f"{own}_{_short(step)}" if scope_of_layer or "/" in step.node.removeprefix(shared) else own
    before = found.get(id(step.inputs[0]), "") if step.inputs else ""
    return f"{before}_{_short(step)}" if before and step.kind == "activation" else _short(step)


def _short(step: Step) -> str:
    if step.kind == "affine":
        return "offset" if "offset" in step.settings else "factor"
    return str(step.settings.get("function", step.kind)).lower()


def _shared_scope(names: list[str]) -> str:
    """The first part that all names have, such as "sequential_1/"."""
    firsts = {name.partition("/")[0] for name in names}
    return f"{firsts.pop()}/" if len(firsts) == 1 and all("/" in name for name in names) else ""


def clean_name(name: str) -> str:
    """A name that Keras takes: letters, digits, dots, dashes and underscores.

    Example:
        >>> clean_name("block/conv 1")
        'block_conv_1'
    """
    clean = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._-")[:120]
    return clean or "layer"
