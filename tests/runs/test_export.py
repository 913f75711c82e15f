"""`export` from a run to a certified file, and every way in which it must not write one."""

import dataclasses
import hashlib
import importlib.util
import json

import keras
import pytest

from seewell.errors import ConfigError, RunError
from seewell.runs.export import export
from seewell.runs.exporters import EXPORTERS, onnx_file
from seewell.runs.run import Run


@pytest.mark.parametrize("format", sorted(EXPORTERS))
def test_an_export_is_certified_in_its_own_runtime(tiny_run, format, tmp_path):
    made = export(tiny_run.path, format, out=tmp_path / "out")
    found = made.certificate
    assert found.certified is True
    assert found.parity.images >= 256
    assert found.parity.largest_difference <= 1e-4
    assert found.parity.top_class_changed == 0
    assert found.accuracy is None
    assert found.classes == tiny_run.classes
    assert found.milliseconds_alone > 0
    assert found.bytes == sum(one.bytes for one in found.files) > 0
    for one in found.files:
        assert hashlib.sha256((tmp_path / "out" / one.path).read_bytes()).hexdigest() == one.sha256
    assert {"seewell", "tensorflow", "keras", *EXPORTERS[format].packages} <= set(found.versions)
    assert json.loads(made.certificate_path.read_text()) == json.loads(json.dumps(found.to_dict()))
    names = {one.name for one in (tmp_path / "out").iterdir()}
    assert names == {EXPORTERS[format].file_name, f"{EXPORTERS[format].file_name}.certificate.json"}


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_a_quantized_export_says_what_it_costs(tiny_run, digits, quantize, tmp_path):
    made = export(tiny_run, "litert", out=tmp_path, quantize=quantize)
    assert made.path.name == f"network-{quantize}.tflite"
    found = made.certificate
    assert (found.quantized, found.certified) == (quantize, None)
    assert found.accuracy.images == len(digits.validation)
    assert found.accuracy.network == pytest.approx(tiny_run.summary["validation_accuracy"])
    assert abs(found.accuracy.loss) < 0.05
    assert found.parity.largest_difference > 0


def test_without_out_it_lies_in_the_run(own_run):
    assert export(own_run, "onnx").path == own_run / "export" / "network.onnx"


def broken(model, path, options):
    """Writes a network that answers a little differently."""
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.get_layer("logits").bias.assign_add([0.01] + 9 * [0.0])
    onnx_file.EXPORTER.write(other, path, options)


def half(model, path, options):
    path.write_bytes(b"half a file")


def unwilling(model, path, options):
    raise ValueError("first line\nno converter for this layer")


def full(model, path, options):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("write", "error", "said"),
    [
        (broken, RunError, "network.onnx does not answer as the run's network does: a probability differs by 0.00"),
        (half, RunError, "the onnx export does not run in onnxruntime"),
        (unwilling, RunError, "cannot be written as onnx: no converter for this layer"),
        (full, ConfigError, "No space left on device"),
    ],
)
def test_a_failing_export_says_why_and_harms_no_earlier_one(tiny_run, tmp_path, monkeypatch, write, error, said):
    (tmp_path / "network.onnx").write_bytes(b"earlier")
    (tmp_path / "network.onnx.certificate.json").write_text("{}")
    monkeypatch.setitem(EXPORTERS, "onnx", dataclasses.replace(EXPORTERS["onnx"], write=write))
    with pytest.raises(error) as caught:
        export(tiny_run, "onnx", out=tmp_path)
    assert said in caught.value.what
    assert caught.value.fix
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {
        "network.onnx": b"earlier",
        "network.onnx.certificate.json": b"{}",
    }


def test_an_old_certificate_stays_with_its_file_when_the_new_one_cannot_be_placed(tiny_run, tmp_path):
    (tmp_path / "network.onnx").mkdir()  # a folder of that name
    (tmp_path / "network.onnx.certificate.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be written to"):
        export(tiny_run, "onnx", out=tmp_path)
    assert (tmp_path / "network.onnx.certificate.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("format", "quantize", "said", "fix"),
    [
        ("onxn", None, 'there is no format "onxn"', 'did you mean "onnx"?'),
        ("litert", "int", 'there is no quantization "int"', 'did you mean "int8"?'),
        ("onnx", "int8", "the format onnx cannot be quantized", "leave --quantize out"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered(tiny_run, tmp_path, format, quantize, said, fix):
    with pytest.raises(ConfigError) as error:
        export(tiny_run, format, out=tmp_path, quantize=quantize)
    assert said in error.value.what
    assert error.value.fix == fix
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(tiny_run, tmp_path, monkeypatch, format):
    missing = EXPORTERS[format].modules[-1]
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(ConfigError) as error:
        export(tiny_run, format, out=tmp_path)
    assert missing in error.value.what
    assert error.value.fix == f'pip install "seewell[{format}]"'


def test_int8_without_the_dataset_is_refused(own_run, tmp_path):
    info = json.loads((own_run / "run.json").read_text())
    info["dataset"]["source"] = "nowhere/at/all"
    (own_run / "run.json").write_text(json.dumps(info))
    with pytest.raises(RunError, match="int8 needs training images"):
        export(own_run, "litert", out=tmp_path, quantize="int8")
    found = export(own_run, "litert", out=tmp_path, quantize="float16").certificate
    assert found.accuracy is None
    assert found.parity.source == "256 seeded"


def test_the_run_s_own_network_is_not_written_over(own_run):
    before = (own_run / "network.keras").read_bytes()
    with pytest.raises(ConfigError, match="the run's own network"):
        export(Run(own_run), "keras", out=own_run)
    assert (own_run / "network.keras").read_bytes() == before
