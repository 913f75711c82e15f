"""Traces: time is shared out without loss, and operations find their phase and layer."""

import hypothesis
import pytest
from hypothesis import strategies as st

from seewell.training.profiler import breakdown
from seewell.training.step import PHASES
from seewell.training.trace import Operation, layer_of, phase_of, share_out

spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=30)


@hypothesis.given(spans)
def test_the_shares_are_the_time_in_which_anything_ran(found):
    operations = [Operation("a", "A", float(start), float(start + length)) for start, length in found]
    ran = {moment for start, length in found for moment in range(start, start + length)}
    shares = share_out(operations)
    assert sum(shares) == pytest.approx(len(ran))
    assert all(-1e-9 <= share <= one.end - one.start + 1e-9 for share, one in zip(shares, operations, strict=True))


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("while/body/_1/while/input/GatherV2", "input"),
        ("while/body/_1/while/augmentation/flip/SelectV2", "augmentation"),
        ("while/body/_1/while/forward/functional_1/conv1_1_1/convolution", "forward"),
        ("while/body/_1/gradient_tape/while/forward/functional_1/conv1/Conv2DBackpropInput", "backward"),
        ("while/body/_1/while/backward/AddN_3", "backward"),
        ("while/body/_1/while/cond/then/_406/while/cond/optimizer/adam/Sqrt", "optimizer"),
        ("while/body/_1/while/average_1/AssignVariableOp", "average"),
        ("while/body/_1/while/Less", "other"),
    ],
)
def test_an_operation_belongs_to_the_phase_of_its_scopes(name, phase):
    assert phase_of(name, PHASES) == phase


def test_an_operation_belongs_to_the_layer_whose_name_stands_in_its_scopes():
    layers = {"conv1": "convolution", "conv1_1": "convolution", "block": "functional"}
    assert layer_of("while/forward/functional_1/conv1_1/convolution", layers) == "conv1_1"
    assert layer_of("while/forward/functional_1/conv1_1_7/convolution", layers) == "conv1_1"
    assert layer_of("while/forward/block_2/conv1/convolution", layers) == "conv1"
    assert layer_of("while/forward/functional_1/Cast", layers) is None


def test_a_breakdown_adds_up_to_the_time_of_an_update():
    step = "while/body/_1/while/"
    traced = [
        Operation(f"{step}input/GatherV2", "GatherV2", 0.0, 1.0),
        Operation(f"{step}forward/net/conv1/convolution", "Conv2D", 1.0, 3.0),
        Operation(f"{step}forward/net/relu1/Relu", "_FusedConv2D", 3.0, 4.0),
        Operation(f"gradient_tape/{step}forward/net/conv1/x", "Conv2DBackpropFilter", 4.0, 8.0),
        Operation(f"gradient_tape/{step}forward/net/conv1/y", "Conv2DBackpropInput", 4.0, 8.0),
    ]
    found = breakdown([(10.0, traced)], 2, {"conv1": "convolution", "relu1": "relu"})
    parts = {one["part"]: one["seconds"] for one in found["parts"]}
    assert parts == {"backward": 2.0, "forward": 1.5, "input": 0.5, "between operations": 1.0}
    assert sum(one["share"] for one in found["parts"]) == pytest.approx(1)
    assert found["layers"] == [{"kind": "convolution", "forward": 1.5, "backward": 2.0, "share": 0.7}]
    assert [one["operation"] for one in found["operations"]][:2] == ["Conv2D", "Conv2DBackpropFilter"]
