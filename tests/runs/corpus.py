"""Foreign files that must be refused, one function a kind; each would touch a canary if it were run or believed."""

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
from foreign_makers import SHAPE, small_keras_model

REGISTERED = {"registered_name": None}
EVIL = "import pathlib; pathlib.Path({!r}).touch()"


def keras_parts(folder):
    """config and weights of a sound ``.keras`` file, made once a folder."""
    path = Path(folder) / "sound.keras"
    if not path.exists():
        small_keras_model().save(path)
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json")), archive.read("model.weights.h5")


def write_keras(path, config, weights, more=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}')
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        archive.writestr("model.weights.h5", weights)
        for name, content in more:
            archive.writestr(name, content)
    return path


def layer(module, name, config, **more):
    return {"module": module, "class_name": name, "config": {"name": "evil", **config}, **REGISTERED, **more}


def with_layer(folder, evil, place=2):
    config, weights = keras_parts(folder)
    config["config"]["layers"].insert(place, evil)
    return write_keras(folder / "evil.keras", config, weights)


def with_value(folder, key, value, place=2):
    config, weights = keras_parts(folder)
    config["config"]["layers"][place]["config"][key] = value
    return write_keras(folder / "evil.keras", config, weights)


def a_lambda(folder, canary):
    import keras

    os.environ["SEEWELL_CANARY"] = str(canary)  # Keras 3.15.1 cannot load a lambda that has defaults
    touch = lambda x: (__import__("pathlib").Path(__import__("os").environ["SEEWELL_CANARY"]).touch(), x)[1]  # noqa: E731
    path = folder / "evil.keras"
    keras.Sequential([keras.Input(SHAPE), keras.layers.Lambda(touch, SHAPE), keras.layers.Flatten()]).save(path)
    canary.unlink(missing_ok=True)
    return path


def a_lambda_inside_a_nested_network(folder, canary):
    inner, _ = keras_parts(folder)
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
    inner["config"]["layers"].insert(1, layer("keras.layers", "Lambda", {"function": code}))
    return with_layer(folder, inner)


def a_wrapped_lambda(folder, canary):
    inside = layer("keras.layers", "Lambda", {"function": "touch"})
    return with_layer(folder, layer("keras.layers", "TimeDistributed", {"layer": inside}))


def a_saved_model_layer(folder, canary):
    return with_layer(folder, layer("keras.layers", "TFSMLayer", {"filepath": str(folder), "call_endpoint": "serve"}))


def a_torch_module(folder, canary):
    return with_layer(folder, layer("keras.layers", "TorchModuleWrapper", {"module": "gASVAAAA"}))


def a_module_of_python(folder, canary):
    evil = {"module": "builtins", "class_name": "exec", "config": EVIL.format(str(canary)), **REGISTERED}
    return with_layer(folder, evil)


def a_function_as_activation(folder, canary):
    evil = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    return with_value(folder, "activation", evil)


def a_download_as_activation(folder, canary):
    evil = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
    return with_value(folder, "activation", evil)


def unsafe_deserialization_switched_on(folder, canary):
    name = "enable_unsafe_deserialization"
    evil = {"module": "keras.config", "class_name": "function", "config": name, "registered_name": name}
    return with_value(folder, "kernel_initializer", evil)


def a_type_specification(folder, canary):
    evil = {"class_name": "__typespec__", "spec_name": "TensorSpec", "module": "os", "config": [], **REGISTERED}
    return with_value(folder, "kernel_constraint", evil)


def a_registered_class(folder, canary):
    return with_layer(folder, {**layer("evil", "Layer", {}), "registered_name": "evil>Layer"})


def a_stock_class_registered_otherwise(folder, canary):
    return with_layer(folder, {**layer("keras.layers", "Dense", {"units": 2}), "registered_name": "evil>Dense"})


def a_class_without_a_module(folder, canary):
    return with_layer(folder, {"class_name": "Dense", "config": {"units": 2, "name": "d"}})


def a_vocabulary_in_a_file(folder, canary):
    return with_layer(folder, layer("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}))


def an_address_on_the_net(folder, canary):
    return with_value(folder, "data_format", "https://example.org/x")


def a_path_as_value(folder, canary):
    return with_value(folder, "kernel_regularizer", "../../etc/passwd")


def a_path_as_layer_name(folder, canary):
    return with_value(folder, "name", f"../../../..{canary}")


def a_custom_loss(folder, canary):
    config, weights = keras_parts(folder)
    evil = {"module": "evil", "class_name": "function", "config": "loss", "registered_name": "loss"}
    return write_keras(folder / "evil.keras", {**config, "compile_config": {"loss": evil}}, weights)


def a_subclassed_model(folder, canary):
    config, weights = keras_parts(folder)
    config |= {"module": "evil", "class_name": "Model", "registered_name": "Model"}
    return write_keras(folder / "evil.keras", config, weights)


def a_member_outside(folder, canary):
    return write_keras(folder / "evil.keras", *keras_parts(folder), more=[(f"../../{canary.name}", b"x")])


def an_asset(folder, canary):
    return write_keras(folder / "evil.keras", *keras_parts(folder), more=[("assets/layers/lookup/vocabulary", b"x")])


def a_link_as_member(folder, canary):
    config, _ = keras_parts(folder)
    path = folder / "evil.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        link = zipfile.ZipInfo("model.weights.h5")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return path


def weights_that_are_a_bomb(folder, canary):
    config, _ = keras_parts(folder)
    return write_keras(folder / "evil.keras", config, bytes(64 * 2**20), compression=zipfile.ZIP_DEFLATED)


def a_configuration_that_is_no_json(folder, canary):
    return write_keras(folder / "evil.keras", '{"class_name": ', keras_parts(folder)[1])


def a_configuration_without_end(folder, canary):
    return write_keras(folder / "evil.keras", "[" * 100_000, keras_parts(folder)[1])


def a_deep_configuration(folder, canary):
    value = 1
    for _ in range(90):
        value = [value, "x"]
    return with_value(folder, "kernel_size", value)


def ten_billion_units(folder, canary):
    return with_value(folder, "units", 10**10, place=-1)


def a_huge_image(folder, canary):
    return with_value(folder, "batch_shape", [None, 60_000, 60_000, 1], place=0)


def a_huge_padding(folder, canary):
    return with_layer(folder, layer("keras.layers", "ZeroPadding2D", {"padding": [[10**6, 10**6], [10**6, 10**6]]}))


def a_huge_padding_inside_a_nested_network(folder, canary):
    inner, _ = keras_parts(folder)
    inner["config"]["name"] = "nested"
    padding = [[10**6, 10**6], [10**6, 10**6]]
    inner["config"]["layers"].insert(1, layer("keras.layers", "ZeroPadding2D", {"padding": padding}))
    crop = {"cropping": padding}
    inner["config"]["layers"].insert(2, layer("keras.layers", "Cropping2D", crop) | {"build_config": None})
    inner["config"]["layers"][2]["config"]["name"] = "back"
    config, weights = keras_parts(folder)
    config["config"]["layers"] = [config["config"]["layers"][0], inner]
    return write_keras(folder / "evil.keras", config, weights)


def a_file_that_is_cut(folder, canary):
    keras_parts(folder)
    content = (folder / "sound.keras").read_bytes()
    (folder / "evil.keras").write_bytes(content[: len(content) // 2])
    return folder / "evil.keras"


def with_hdf5(folder, change):
    import h5py

    config, weights = keras_parts(folder)
    inside = io.BytesIO(weights)
    with h5py.File(inside, "r+") as file:
        change(file)
    return write_keras(folder / "evil.keras", config, inside.getvalue())


def first_array(file):
    group = file["layers"]["conv2d"]["vars"]
    return group, "0"


def an_external_link(folder, canary):
    import h5py

    def change(file):
        group, name = first_array(file)
        del group[name]
        group[name] = h5py.ExternalLink("/etc/passwd", "/x")

    return with_hdf5(folder, change)


def a_soft_link(folder, canary):
    import h5py

    def change(file):
        group, name = first_array(file)
        del group[name]
        group[name] = h5py.SoftLink("/layers/dense/vars/0")

    return with_hdf5(folder, change)


def values_in_another_file(folder, canary):
    def change(file):
        group, name = first_array(file)
        del group[name]
        group.create_dataset(name, (3, 3, 1, 4), "f4", external=[("/etc/passwd", 0, 144)])

    return with_hdf5(folder, change)


def values_gathered_from_another_file(folder, canary):
    import h5py

    def change(file):
        group, name = first_array(file)
        del group[name]
        layout = h5py.VirtualLayout((36,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (36,))
        group.create_virtual_dataset(name, layout)

    return with_hdf5(folder, change)


def an_array_of_a_terabyte(folder, canary):
    def change(file):
        group, name = first_array(file)
        del group[name]
        group.create_dataset(name, (2**38,), "f4", chunks=(2**20,), compression="gzip")

    return with_hdf5(folder, change)


def a_group_in_itself(folder, canary):
    def change(file):
        file["layers/again"] = file["layers"]

    return with_hdf5(folder, change)


def objects_in_an_array(folder, canary):
    import h5py

    def change(file):
        group, name = first_array(file)
        del group[name]
        group.create_dataset(name, (3,), dtype=h5py.string_dtype())

    return with_hdf5(folder, change)


def an_old_file_with_code(folder, canary):
    import h5py

    path = folder / "evil.h5"
    small_keras_model().save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
        config["config"]["layers"].insert(2, layer("keras.layers", "Lambda", {"function": code}))
        file.attrs["model_config"] = json.dumps(config)
    return path


def an_old_file_of_ten_billion_units(folder, canary):
    import h5py

    path = folder / "evil.h5"
    small_keras_model().save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["units"] = 10**10
        file.attrs["model_config"] = json.dumps(config)
    return path


def an_old_file_with_a_link(folder, canary):
    import h5py

    path = folder / "evil.h5"
    small_keras_model().save(path)
    with h5py.File(path, "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    return path


def a_pipe(folder, canary):
    os.mkfifo(folder / "evil.keras")
    return folder / "evil.keras"


def a_pickle(folder, canary):
    import pickle

    class Evil:
        def __reduce__(self):
            return exec, (EVIL.format(str(canary)),)

    (folder / "evil.pt").write_bytes(pickle.dumps(Evil()))
    return folder / "evil.pt"


def pickled_arrays(folder, canary):
    np.savez(folder / "evil.npz", weights=np.array([{"a": 1}], dtype=object))
    return folder / "evil.npz"


def arrays_that_lie_about_their_size(folder, canary):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(folder / "evil.npz", "w") as archive:
        archive.writestr("weights.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"1234")
    return folder / "evil.npz"


def _safetensors(folder, header, data=b"\0" * 8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / "evil.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    return folder / "evil.safetensors"


def safetensors_that_overlap(folder, canary):
    one = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    return _safetensors(folder, {"a": one, "b": one})


def safetensors_that_promise_more(folder, canary):
    return _safetensors(folder, {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 8]}})


def safetensors_without_a_header(folder, canary):
    (folder / "evil.safetensors").write_bytes(struct.pack("<Q", 2**60) + b"{}")
    return folder / "evil.safetensors"


KERAS = [
    *(a_lambda, a_lambda_inside_a_nested_network, a_wrapped_lambda, a_saved_model_layer, a_torch_module),
    *(a_module_of_python, a_function_as_activation, a_download_as_activation, unsafe_deserialization_switched_on),
    *(a_type_specification, a_registered_class, a_stock_class_registered_otherwise, a_class_without_a_module),
    *(a_vocabulary_in_a_file, an_address_on_the_net, a_path_as_value, a_path_as_layer_name, a_custom_loss),
    *(a_subclassed_model, a_member_outside, an_asset, a_link_as_member, weights_that_are_a_bomb),
    *(a_configuration_that_is_no_json, a_configuration_without_end, a_deep_configuration, ten_billion_units),
    *(
        a_huge_image,
        a_huge_padding,
        a_huge_padding_inside_a_nested_network,
        a_file_that_is_cut,
        an_external_link,
        a_soft_link,
        values_in_another_file,
    ),
    *(values_gathered_from_another_file, an_array_of_a_terabyte, a_group_in_itself, objects_in_an_array, a_pipe),
    a_huge_padding_inside_a_nested_network,
]
OTHERS = [
    *(an_old_file_with_code, an_old_file_with_a_link, an_old_file_of_ten_billion_units, a_pickle, pickled_arrays),
    *(
        arrays_that_lie_about_their_size,
        safetensors_that_overlap,
        safetensors_that_promise_more,
        safetensors_without_a_header,
    ),
]
