"""TensorFlow graphs that must be refused; what they would write is a canary."""

import os

import numpy as np
from foreign_makers import SHAPE, save_graph, series_convnet, series_head


def change_meta(folder, change, build=series_convnet):
    from tensorflow.core.protobuf import meta_graph_pb2

    made = save_graph(folder, build)
    path = made.prefix.with_name(made.prefix.name + ".meta")
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString(path.read_bytes())
    change(meta.graph_def)
    path.write_bytes(meta.SerializeToString())
    return made.prefix


def add_node(graph, name, op, *inputs):
    node = graph.node.add()
    node.name, node.op = name, op
    node.input.extend(inputs)
    return node


def writing(canary):
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file(str(canary), "x", name="quiet")
    return graph.as_graph_def()


def a_file_written(folder, canary):
    return change_meta(folder, lambda graph: graph.MergeFrom(writing(canary)))


def a_file_read(folder, canary):
    return change_meta(folder, lambda graph: add_node(graph, "look", "ReadFile", "input"))


def python_called(folder, canary):
    def build(tf, x):
        def touch(value):
            canary.touch()
            return value

        out = series_convnet(tf, x)
        tf.py_func(touch, [out], tf.float32, name="call")
        return out

    made = save_graph(folder, build)
    canary.unlink(missing_ok=True)
    return made.prefix


def an_operation_that_nobody_knows(folder, canary):
    return change_meta(folder, lambda graph: add_node(graph, "own", "Evil>Op", "input"))


def a_file_written_in_a_function(folder, canary):
    def change(graph):
        function = graph.library.function.add()
        function.signature.name = "harmless"
        function.node_def.extend(writing(canary).node)

    return change_meta(folder, change)


def a_file_written_in_a_graph_in_a_constant(folder, canary):
    def change(graph):
        node = add_node(graph, "table", "Const")
        node.attr["value"].tensor.dtype = 7
        node.attr["value"].tensor.string_val.append(writing(canary).SerializeToString())

    return change_meta(folder, change)


def a_file_written_in_a_graph_in_a_graph(folder, canary):
    from tensorflow.core.framework import graph_pb2

    def change(graph):
        inner = graph_pb2.GraphDef()
        hidden = add_node(inner, "inside", "Const")
        hidden.attr["value"].tensor.dtype = 7
        hidden.attr["value"].tensor.string_val.append(writing(canary).SerializeToString())
        node = add_node(graph, "table", "Const")
        node.attr["value"].s = inner.SerializeToString()

    return change_meta(folder, change)


def a_constant_of_a_terabyte(folder, canary):
    def change(graph):
        node = next(one for one in graph.node if one.op == "Const" and one.name == "Reshape/shape")
        node.attr["value"].tensor.tensor_shape.dim.add().size = 2**37
        node.attr["value"].tensor.tensor_content = b""
        node.attr["value"].tensor.int_val.append(1)

    return change_meta(folder, change)


def a_circle(folder, canary):
    def change(graph):
        next(one for one in graph.node if one.name == "add").input[1] = "Relu_3"

    return change_meta(folder, change)


def functions_that_double_forever(folder, canary):
    """Thirty functions, each calling the next twice: a billion calls."""

    def change(graph):
        for level in range(30):
            function = graph.library.function.add()
            function.signature.name = f"f{level}"
            function.signature.input_arg.add().name = "x"
            function.signature.output_arg.add().name = "y"
            last = level == 29
            for name, source in (("a", "x"), ("b", "a:output:0")):
                node = function.node_def.add()
                node.name, node.op = name, "Identity" if last else "PartitionedCall"
                node.input.append(source)
                if not last:
                    node.attr["f"].func.name = f"f{level + 1}"
            function.ret["y"] = "b:output:0"
        call = add_node(graph, "start", "PartitionedCall", "input")
        call.attr["f"].func.name = "f0"
        next(one for one in graph.node if one.name == "Conv2D").input[0] = "start"

    return change_meta(folder, change)


def a_function_that_calls_itself(folder, canary):
    def change(graph):
        function = graph.library.function.add()
        function.signature.name = "f"
        function.signature.input_arg.add().name = "x"
        function.signature.output_arg.add().name = "y"
        node = function.node_def.add()
        node.name, node.op = "a", "PartitionedCall"
        node.input.append("x")
        node.attr["f"].func.name = "f"
        function.ret["y"] = "a:output:0"
        call = add_node(graph, "start", "PartitionedCall", "input")
        call.attr["f"].func.name = "f"
        next(one for one in graph.node if one.name == "Conv2D").input[0] = "start"

    return change_meta(folder, change)


def a_folded_bomb(folder, canary):
    return change_meta(folder, _grow, build=build_small)


def build_small(tf, x):
    return series_head(tf, x + tf.reduce_sum(tf.fill(tf.constant([2, 2, 4]), 1.0)) * 0.1)


def _grow(graph):
    for node in graph.node:
        if node.op == "Const" and node.attr["value"].tensor.tensor_content == np.array([2, 2, 4], "<i4").tobytes():
            node.attr["value"].tensor.tensor_content = np.array([2**20, 2**20, 4], "<i4").tobytes()


def saved_model_that_writes(folder, canary):
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32)])
        def serve(self, x):
            tf.io.write_file(str(canary), "x")
            return tf.nn.softmax(tf.reshape(x, [-1, 64]))

    module = Module()
    tf.saved_model.save(module, str(folder / "saved"), signatures=module.serve)
    return folder / "saved"


def saved_model_that_writes_in_a_dataset(folder, canary):
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32)])
        def serve(self, x):
            def touch(value):
                tf.io.write_file(str(canary), "x")
                return value

            total = tf.data.Dataset.range(2).map(touch).reduce(tf.constant(0, tf.int64), lambda a, b: a + b)
            return tf.nn.softmax(tf.reshape(x, [-1, 64]) + tf.cast(total, tf.float32))

    module = Module()
    tf.saved_model.save(module, str(folder / "saved"), signatures=module.serve)
    return folder / "saved"


def variables_that_lie_elsewhere(folder, canary):
    from foreign_makers import small_keras_model

    small_keras_model().export(folder / "saved", verbose=False)
    os.rename(folder / "saved" / "variables", folder / "elsewhere")
    os.symlink(folder / "elsewhere", folder / "saved" / "variables")
    return folder / "saved"


GRAPHS = [
    *(a_file_written, a_file_read, python_called, an_operation_that_nobody_knows, a_file_written_in_a_function),
    *(a_file_written_in_a_graph_in_a_constant, a_file_written_in_a_graph_in_a_graph, a_constant_of_a_terabyte),
    *(a_circle, functions_that_double_forever, a_function_that_calls_itself, a_folded_bomb),
    *(saved_model_that_writes, saved_model_that_writes_in_a_dataset, variables_that_lie_elsewhere),
]
