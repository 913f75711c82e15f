"""`seewell export`: one JSON object, lines for people, and one message for wrong input."""

import sys


def test_it_writes_the_file_and_its_certificate(command, tiny_run, tmp_path):
    done = command("export", tiny_run.path, "--format", "onnx", "--out", "out", "--json")
    assert done.code == 0, done.err
    assert done.json["path"] == "out/network.onnx"
    assert done.json["certified"] is True
    assert done.json["parity"]["images"] >= 256
    assert (tmp_path / done.json["certificate"]).is_file()


def test_it_tells_people_what_was_proved(command, tiny_run):
    done = command("export", tiny_run.path, "--format", "litert", "--quantize", "float16", "--out", "out")
    assert (done.code, done.out) == (0, "")
    assert "network-float16.tflite" in done.err
    assert "validation images" in done.err
    assert "probabilities differ by at most" in done.err


def test_wrong_input_is_one_message(refused, tiny_run, tmp_path, monkeypatch):
    run = tiny_run.path
    assert 'did you mean "onnx"?' in refused("export", run, "--format", "onxn", kind="ConfigError")
    assert "--format litert" in refused("export", run, "--format", "onnx", "--quantize", "int8", kind="ConfigError")
    assert "there is no run" in refused("export", tmp_path / "none", "--format", "onnx", kind="RunError")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(
        "export", run, "--format", "onnx", "--out", tmp_path / "file" / "under", kind="ConfigError"
    )
    assert "--format" in refused("export", run)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert 'pip install "seewell[litert]"' in refused("export", run, "--format", "litert", kind="ConfigError")
